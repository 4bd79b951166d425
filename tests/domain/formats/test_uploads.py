"""A file is what its content says, and reading it costs little whatever it says."""

import contextlib
import io
import struct
import zlib

import pytest

from domain.formats import uploads

PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def chunk(name, content):
    check = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)


def png(width=3, height=2):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\x00" * 20)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def jpeg(width=3, height=2, *, before=b"", frame=0xC0):
    start = struct.pack(">BHHBBBB", 8, height, width, 1, 1, 0x11, 0)
    return (
        b"\xff\xd8"
        + b"\xff\xe0\x00\x10JFIF\x00" + b"\x00" * 9
        + before
        + bytes([0xFF, frame]) + struct.pack(">H", len(start) + 2) + start
        + b"\xff\xda\x00\x02\x00\x00\xff\xd9"
    )  # fmt: skip


def kind(content):
    return uploads.kind(io.BytesIO(content), len(content))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (PDF, "pdf"),
        (b"\xef\xbb\xbf" + PDF, "pdf"),
        (b"\r\n" + PDF + b"\x00" * 900, "pdf"),
        (png(), "png"),
        (jpeg(), "jpg"),
        (jpeg(frame=0xC2), "jpg"),  # progressive
        (jpeg(before=b"\xff\xff\xff\xfe\x00\x04hi"), "jpg"),  # fill bytes, a comment
        (jpeg(before=b"\xff\xe1\x00\x06Exif"), "jpg"),
        (jpeg(12_000, 8_000), "jpg"),
    ],
)
def test_a_real_file_is_known(content, expected):
    assert kind(content) == expected


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<!doctype html><script>alert(1)</script>",
        b"<html>" + PDF,  # HTML that calls itself a PDF
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a" + b"\x00" * 100,
        b"PK\x03\x04",
        b"MZ" + PDF,
        PDF[:-7],  # cut short
        b"%PDF-1.4",
        png()[:20],
        png()[:-12],
        png().replace(b"IHDR", b"IHDX"),
        png()[:19] + b"\x09" + png()[20:],  # its check sum is wrong
        png(0, 5),
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xe0\x00\x00" + b"\x00" * 50,
        b"\xff\xd8\xff\xe0\xff\xff" + b"\x00" * 50,
        b"\xff\xd8" + b"\xff\xe0\x00\x02" * 2000,
        b"\xff\xd8\xff" * 50,
        jpeg(before=b"\xff" * 1000),  # megabytes of them would cost seconds
        jpeg()[:24],
        jpeg(5, 0),
    ],
)
def test_anything_else_is_not(content):
    with pytest.raises(uploads.Unknown):
        kind(content)


@pytest.mark.parametrize(
    "content",
    [png(50_000, 50_000), png(2**31 - 1, 1), png(20_000, 20_000), jpeg(65_535, 65_535)],
)
def test_a_picture_with_too_many_pixels_is_told_by_its_header(content):
    with pytest.raises(uploads.TooLarge):
        kind(content)


@pytest.mark.parametrize("whole", [png(), jpeg(), PDF], ids=["png", "jpg", "pdf"])
def test_a_file_cut_anywhere_or_changed_anywhere_is_no_trouble(whole):
    for place in range(len(whole)):
        for content in (whole[:place], whole[:place] + b"\xff" + whole[place + 1 :]):
            with contextlib.suppress(uploads.Unknown, uploads.TooLarge):
                assert kind(content) in {"pdf", "jpg", "png"}
