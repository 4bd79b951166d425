"""What a file that customers send really is, by its content: PDF, JPEG or PNG.

Only headers are read and no picture is decoded, so that no content can cost much.
"""

import struct
import zlib

LONGEST_SIDE = 20_000  # pixels
MOST_PIXELS = 100_000_000
TAIL = 2048  # bytes at the end in which a PDF or PNG must say that it is whole
MOST_SEGMENTS = 1_000  # of a JPEG before its dimensions
MOST_FILL = 64  # bytes before a marker; T.81 has no limit, and programs write none or one

_PNG = b"\x89PNG\r\n\x1a\n"
# Start of frame: all but DHT (C4), JPG (C8) and DAC (CC). ITU-T T.81, table B.1.
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD8)}


class Unknown(ValueError):
    """Not one of the three kinds, or not a whole file of its kind."""


class TooLarge(ValueError):
    """A picture with more pixels than any scanner or telephone makes."""


def kind(stream, size):
    """`pdf`, `jpg` or `png`, for a seekable stream of `size` bytes; or Unknown, TooLarge."""
    stream.seek(0)
    head = stream.read(1024)
    if head.startswith(_PNG):
        check_dimensions(*_png_dimensions(head, _tail(stream, size)))
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        check_dimensions(*_jpeg_dimensions(stream))
        return "jpg"
    # Some programs write a byte order mark or an empty line before the header.
    if head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n\t \x00").startswith(b"%PDF-"):
        if b"%%EOF" not in _tail(stream, size):
            raise Unknown("a PDF without its end")
        return "pdf"
    raise Unknown("neither PDF nor JPEG nor PNG")


def check_dimensions(width, height):
    if not (width and height):
        raise Unknown("a picture without pixels")
    if max(width, height) > LONGEST_SIDE or width * height > MOST_PIXELS:
        raise TooLarge(f"{width} x {height} pixels")


def _tail(stream, size):
    stream.seek(max(0, size - TAIL))
    return stream.read(TAIL)


def _png_dimensions(head, tail):
    """From the header chunk, which comes first (PNG, third edition, 11.2.1)."""
    header = head[8:33]
    if len(header) < 25 or header[:8] != b"\x00\x00\x00\rIHDR":
        raise Unknown("a PNG without header")
    if zlib.crc32(header[4:21]) != int.from_bytes(header[21:]) or b"IEND" not in tail:
        raise Unknown("a damaged PNG")
    return struct.unpack(">II", header[8:16])


def _jpeg_dimensions(stream):
    """From the first frame, past the segments before it (ITU-T T.81, annex B)."""
    stream.seek(2)
    for _segment in range(MOST_SEGMENTS):
        marker = _marker(stream)
        if marker in _WITHOUT_LENGTH:
            continue
        length = int.from_bytes(_exactly(stream, 2))
        if marker in _FRAMES:
            height, width = struct.unpack(">HH", _exactly(stream, 5)[1:])
            return width, height
        if length < 2 or marker in {0xD8, 0xD9, 0xDA}:  # start or end of image, start of scan
            break
        stream.seek(length - 2, 1)
    raise Unknown("a JPEG without frame")


def _marker(stream):
    if _exactly(stream, 1) != b"\xff":
        raise Unknown("a damaged JPEG")
    for _fill in range(MOST_FILL):
        code = _exactly(stream, 1)
        if code != b"\xff":
            return code[0]
    raise Unknown("a JPEG of fill bytes")


def _exactly(stream, count):
    piece = stream.read(count)
    if len(piece) < count:
        raise Unknown("a JPEG cut short")
    return piece
