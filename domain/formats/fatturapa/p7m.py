"""Unwrap CAdES signatures (`.p7m`): DER or BER, raw, base64 or PEM, also one in another.

The structure is walked here rather than by asn1crypto, which refuses constructed strings
of definite length and needs a time quadratic in the pieces of a split string.
Source: RFC 5652 (CMS), ITU-T X.690 (BER).
"""

import base64
import binascii
import re

from domain.formats.fatturapa.errors import Unreadable

MAX_LAYERS = 6
MAX_ELEMENTS = 200_000  # signers split the content in pieces of 1,000 bytes or more
MAX_DEPTH = 64

SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
OID, OCTETS, OCTETS_IN_PIECES = 0x06, 0x04, 0x24
# ContentInfo, its [0], SignedData, encapContentInfo, its [0]
CONTENT_INFO = (0x30,)
CONTENT = (0x30, 0xA0, 0x30, 0x30, 0xA0)

XML_STARTS = (b"<", b"\xef\xbb\xbf<", b"\xff\xfe<\x00", b"\xfe\xff\x00<", b"<\x00", b"\x00<")
PEM_LINE = re.compile(rb"-----[^-\r\n]{1,60}-----")
BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}")

BROKEN = (
    "La busta firmata (p7m) è danneggiata o incompleta. Occorre ripetere la copia del file "
    "originale, senza aprirlo con altri programmi."
)


def unwrap(content):
    """The XML within `content` (bytes), or raise Unreadable."""
    if not content.strip():
        raise Unreadable("Il file è vuoto.")
    for _layer in range(MAX_LAYERS):
        if content.lstrip().startswith(XML_STARTS):
            return content.lstrip()
        open_layer = signed_content if content.startswith(b"\x30") else decode_base64
        content = open_layer(content)
    raise Unreadable("Il file contiene troppe firme, una dentro l'altra.")


def decode_base64(content):
    text = b"".join(PEM_LINE.sub(b"", content.removeprefix(b"\xef\xbb\xbf")).split())
    if not BASE64.fullmatch(text):
        raise Unreadable("Il contenuto non è una fattura elettronica (XML o XML firmato).")
    text = text.rstrip(b"=")
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise Unreadable(BROKEN) from None


def signed_content(content):
    """What was signed, whoever signed it."""
    kind, pieces = None, []
    for path, tag, value in primitives(content):
        if path == CONTENT_INFO and tag == OID:
            kind = bytes(value)
        elif tag == OCTETS and path[:5] == CONTENT and set(path[5:]) <= {OCTETS_IN_PIECES}:
            pieces.append(value)
    if kind != SIGNED_DATA:
        raise Unreadable("Il file non è una fattura firmata: la busta è di un altro tipo.")
    if not pieces:
        raise Unreadable(
            "La firma è separata dalla fattura: serve il file p7m che contiene anche l'XML."
        )
    return b"".join(pieces)


def primitives(content):
    """Yield (tags of the elements around it, tag, value) of each primitive BER element.

    Goes to the end of the outermost element, so a truncated file is always noticed.
    """
    view = memoryview(content)
    tags, ends, limits = (), [], [len(view)]  # `ends` holds None where a length is indefinite
    at = 0
    for _element in range(MAX_ELEMENTS):
        while ends and ends[-1] == at:
            tags = tags[:-1]
            ends.pop()
            limits.pop()
        if at and not ends:
            return
        tag, length, at = header(view, at, limits[-1])
        if tag == 0 and length == 0 and ends and ends[-1] is None:
            tags = tags[:-1]
            ends.pop()
            limits.pop()
            if not ends:
                return
        elif tag & 0x20:
            if len(tags) == MAX_DEPTH:
                break
            tags += (tag,)
            ends.append(None if length is None else at + length)
            limits.append(limits[-1] if length is None else at + length)
        elif length is None:
            break
        else:
            yield tags, tag, view[at : at + length]
            at += length
    raise Unreadable(BROKEN)


def header(view, at, limit):
    """Tag, length (None: indefinite) and where the value starts; all within `limit`."""
    if at + 2 > limit:
        raise Unreadable(BROKEN)
    tag, length = view[at], view[at + 1]
    at += 2
    if length == 0x80:
        return tag, None, at
    if length > 0x80:
        size = length - 0x80
        length = int.from_bytes(view[at : at + size])
        at += size
    if at + length > limit:
        raise Unreadable(BROKEN)
    return tag, length, at
