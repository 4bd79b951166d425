"""A file like the one given, with some of its parts made hostile.

What the bytes are is seen from themselves, as the readers do: cells of a table, elements of
XML, fields of a form, lengths of a signed envelope, files of a ZIP. Every choice is made by
`chance`, a random.Random, so that whoever drives it can make the same file again.
"""

import base64
import binascii
import io
import re
import warnings
import zipfile
from urllib.parse import quote_plus

MOST_CHANGES = 4
LONGEST = 1 << 18  # bytes: what grows more is cut

TEXTS = (
    "", " ", "0", "-1", "-0", "+1", "1e309", "NaN", "Infinity", "0x10", "1_000", "1.000", "1,5",
    "0,0001", "9" * 20, "9" * 30 + "," + "9" * 30, "1" * 5000, "²", "१२३", "٣", "\x00", "a\x00b",
    "\x1a", "\x85", "\u2028", "\u202eabc", "\ufeff", "\ufffd", "\uffff", "\U0001f41d", "e\u0301",
    "31/02/2026", "29/02/2024", "00/00/0000", "31/12/9999", "0000-01-01", "9999-12-31",
    "2026-13-01", "2026-10-25", "25/10/2026", "29/03/2026", "24:00", "23:60", "02:30", "10/2026",
    "S", "N", "E", "IT001E12345678", "IT60X0542811101000000123456", "RSSMRA80A01H501U",
    "01234567890", "=1+1", "@x", '"', '""', "'", ";", "a;b", "\t", "\r", "\n", "\r\n", "a\nb",
    "<b>", "]]>", "&amp;", "&#0;", "../../etc/passwd", "a" * 70, "à" * 300, "x" * 5000,
)  # fmt: skip
BYTES = (
    b"\x00", b"\xff", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc3\x28",
    b"\xf4\x90\x80\x80", b"\x80", b"\r", b"\n", b'"', b";", b"&", b"<", b">", b"=", b"%00", b"%",
    b"PK\x03\x04", b"PK\x05\x06", b"\x30\x80", b"\x00\x00", b"\x24\x80", b"\x7f" * 4,
    b"\x84\xff\xff\xff\xff", b"\x88" + b"\xff" * 8, b"%PDF-", b"%%EOF", b"\xff\xd8\xff", b"IEND",
)  # fmt: skip
ENCODINGS = (
    "UTF-8", "UTF-16", "utf-16-le", "UTF-32", "utf-7", "ISO-8859-1", "windows-1252", "cp037",
    "idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "rot13", "hex", "zlib",
    "mbcs", "shift_jis", "utf-8-sig", "x" * 300, "", "aliases", "../x",
)  # fmt: skip
MARKUP = (
    "<!DOCTYPE a>", '<!DOCTYPE a [<!ENTITY x "y">]>', "<!-- a -->", "<?a b?>", "<![CDATA[<a>]]>",
    "&x;", "&#38;", "&#x10ffff;", "&#xd800;", "<a/>", '<a xmlns="b" xmlns:c="d" c:e="f"/>', "<a>",
)  # fmt: skip
WRITABLE = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
METHODS = (0, 8, 9, 12, 14, 99)  # of compression, as a ZIP names them

NUMBER = re.compile(rb"\d+(?:[.,]\d+)?")
TEXT_NODE = re.compile(rb">([^<>]*)<")
# Of bounded length: else the search, not the reader, takes long.
ATTRIBUTE = re.compile(rb'([\w:]{1,40})="([^"]{0,200})"')
TAG = re.compile(rb"<(/?)([A-Za-z_][\w:.-]{0,80})")
LEAF = re.compile(rb"<([A-Za-z_][\w:.-]{0,80})[^<>]{0,9999}>[^<>]{0,9999}</\1>")
DECLARED = re.compile(rb'encoding="[^"]*"')


def mutated(content, chance):
    """`content` after one to MOST_CHANGES changes of its kind."""
    for _change in range(chance.randint(1, MOST_CHANGES)):
        content = chance.choice(ways(content))(content, chance)[:LONGEST]
    return content


def ways(content):
    """What can be done to `content`; changes of its own kind more often than any."""
    if content.startswith(b"PK"):
        return (*ANY, *[zip_entries] * 8, zip_fields, zip_fields)
    if content.startswith(b"\x30"):
        return (*ANY, *[envelope] * 6, *[within_envelope] * 3, wrapped)
    if content.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"<"):
        return (*ANY, *XML, *XML, wrapped)
    if b"=" in content[:200] and b";" not in content[:200]:
        return (*ANY, *[form_fields] * 6)
    if b";" in content[:5000]:
        return (*ANY, *[cells] * 4, columns, columns, line_ends, other_encoding)
    return (*ANY, within_base64, within_base64)


def place(content, chance):
    return chance.randint(0, len(content))


def span(content, chance, longest=64):
    start = place(content, chance)
    return start, min(len(content), start + chance.randint(0, longest))


def hostile(chance):
    return chance.choice(TEXTS)


# -- Of any bytes --------------------------------------------------------------------------


def flip(content, chance):
    if not content:
        return content
    at = chance.randint(0, len(content) - 1)
    return content[:at] + bytes([chance.randint(0, 255)]) + content[at + 1 :]


def insert(content, chance):
    at = place(content, chance)
    return content[:at] + chance.choice(BYTES) + content[at:]


def delete(content, chance):
    start, end = span(content, chance)
    return content[:start] + content[end:]


def repeat(content, chance):
    start, end = span(content, chance, longest=400)
    return content[:end] + content[start:end] * chance.choice((1, 2, 300)) + content[end:]


def cut(content, chance):
    return content[: place(content, chance)]


def number(content, chance):
    """Another number in the place of one."""
    return replaced(content, NUMBER, hostile(chance).encode(), chance)


def replaced(content, pattern, text, chance, group=0):
    found = list(pattern.finditer(content))
    if not found:
        return content
    start, end = chance.choice(found).span(group)
    return content[:start] + text + content[end:]


ANY = (flip, insert, delete, repeat, cut, number)


# -- Tables --------------------------------------------------------------------------------


def cells(content, chance):
    """A hostile cell, quoted or not."""
    text = hostile(chance)
    if chance.randint(0, 1):
        text = '"{}"'.format(text.replace('"', '""'))
    return replaced(content, re.compile(rb"[^;\r\n]*"), text.encode(), chance)


def columns(content, chance):
    """A column more or less, twice, or elsewhere: in all lines, or in one."""
    lines = [line.split(b";") for line in content.split(b"\n")]
    chosen = lines if chance.randint(0, 2) else [chance.choice(lines)]
    at, other = (chance.randint(0, len(lines[0]) - 1) for _each in range(2))
    what = chance.randint(0, 3)
    for line in chosen:
        if max(at, other) >= len(line):
            continue
        if what == 0:
            line[at], line[other] = line[other], line[at]
        elif what == 1:
            del line[at]
        elif what == 2:
            line.insert(at, line[other])
        else:
            line[at] = line[at].upper() + b" "
    return b"\n".join(b";".join(line) for line in lines)


def line_ends(content, chance):
    return content.replace(b"\r\n", b"\n").replace(b"\n", chance.choice((b"\r\n", b"\r", b"\n\n")))


def other_encoding(content, chance):
    text = content.decode("utf-8", "replace")
    return text.encode(chance.choice(("utf-8-sig", "cp1252", "utf-16", "utf-32")), "replace")


# -- XML -----------------------------------------------------------------------------------


def text_node(content, chance):
    return replaced(content, TEXT_NODE, hostile(chance).encode(), chance, group=1)


def attribute(content, chance):
    return replaced(
        content, ATTRIBUTE, hostile(chance).encode(), chance, group=chance.randint(1, 2)
    )


def markup(content, chance):
    found = list(TAG.finditer(content))
    at = chance.choice(found).start() if found else 0
    return content[:at] + chance.choice(MARKUP).encode() + content[at:]


def leaf(content, chance):
    """An element without children goes, comes twice, or lies in many others."""
    found = list(LEAF.finditer(content))
    if not found:
        return content
    start, end = chance.choice(found).span()
    element, deep = content[start:end], chance.choice((1, 40, 200))
    elsewhere = chance.choice(found).start()
    changed = (
        content[:start] + content[end:],
        content[:start] + element * chance.choice((2, 500)) + content[end:],
        content[:start] + b"<a>" * deep + element + b"</a>" * deep + content[end:],
        content[:elsewhere] + element + content[elsewhere:],
    )
    return chance.choice(changed)


def renamed(content, chance):
    """One element's name becomes another's, in one tag or in all."""
    names = sorted({found[2] for found in TAG.finditer(content)})
    if not names:
        return content
    old, new = chance.choice(names), chance.choice([*names, b"x:" + names[0], b"Ea"])
    count = -1 if chance.randint(0, 1) else 1
    return content.replace(b"<" + old, b"<" + new, count).replace(b"</" + old, b"</" + new, count)


def declared_encoding(content, chance):
    name = chance.choice(ENCODINGS)
    changed = DECLARED.sub(f'encoding="{name}"'.encode(), content)
    try:
        return changed.decode().encode(name) if chance.randint(0, 1) else changed
    except (LookupError, ValueError, TypeError):
        return changed


XML = (text_node, text_node, attribute, markup, leaf, leaf, renamed, declared_encoding)


# -- Fields of a form ----------------------------------------------------------------------


def form_fields(content, chance):
    head, line_end, body = content.partition(b"\n")
    pairs = [pair.split(b"=", 1) for pair in body.split(b"&")]
    at = chance.randint(0, len(pairs) - 1)
    text = quote_plus(hostile(chance)).encode()
    what = chance.randint(0, 3)
    if what < 2:
        pairs[at] = [pairs[at][0], text]
    elif what == 2:
        pairs.insert(chance.randint(0, len(pairs)), [pairs[at][0], text])
    else:
        del pairs[at]
    return head + line_end + b"&".join(b"=".join(pair) for pair in pairs)


# -- Signed envelopes ----------------------------------------------------------------------


def envelope(content, chance):
    """A length that is not so, a tag that is another, or an element cut in two."""
    headers = elements(content)
    at, start, end = chance.choice(headers)
    length = chance.choice((
        b"\x00", b"\x7f", b"\x80", b"\x81\xff", b"\x84\x00\x00\x00\x01", b"\x84\xff\xff\xff\xff",
        b"\xff" + b"\xff" * 127, bytes([min(end - start + 1, 127)]),
    ))  # fmt: skip
    changed = (
        content[: at + 1] + length + content[start:],
        content[:at] + bytes([chance.choice((0x04, 0x06, 0x24, 0x30, 0x31, 0xA0, 0))])
        + content[at + 1 :],
        content[:start] + content[at:end] + content[start:],
        content[: at + 1] + b"\x80" + content[start:end] + b"\x00\x00" + content[end:],
        content[:at] + b"\x30\x80" * chance.choice((1, 100)) + content[at:],
    )  # fmt: skip
    return chance.choice(changed)


def elements(content, most=40):
    """(start, start of the value, end) of the first BER elements, as far as they make sense."""
    found, at = [], 0
    while len(found) < most and at + 2 <= len(content):
        tag, size = content[at], content[at + 1]
        start = at + 2 + (size & 0x7F if size > 0x80 else 0)
        length = int.from_bytes(content[at + 2 : start]) if size > 0x80 else size & 0x7F
        end = min(start + length, len(content))
        found.append((at, min(start, len(content)), end))
        at = start if tag & 0x20 else end
        if start > len(content):
            break
    return found or [(0, len(content), len(content))]


def within_envelope(content, chance):
    """What was signed is changed, and its length with it where that takes as many bytes."""
    _at, start, end = max(elements(content), key=lambda each: each[2] - each[1])
    inner = mutated(content[start:end], chance)[: end - start].ljust(end - start)
    return content[:start] + inner + content[end:]


def wrapped(content, chance):
    """As base64, in lines or in PEM, or in a ZIP."""
    text = base64.encodebytes(content)
    pem = b"-----BEGIN PKCS7-----\n" + text + b"-----END PKCS7-----\n"
    return chance.choice((text, pem, b"\xef\xbb\xbf" + text, written_zip([("a.xml", content)])))


def within_base64(content, chance):
    try:
        inner = base64.b64decode(content)
    except (binascii.Error, ValueError):
        return insert(content, chance)
    return base64.encodebytes(mutated(inner, chance)) if inner else content


# -- ZIP -----------------------------------------------------------------------------------


def zip_entries(content, chance):
    """Files with other names or contents, twice, packed otherwise, or not."""
    files = read_zip(content)
    if not files:
        return flip(content, chance)
    at = chance.randint(0, len(files) - 1)
    name, inner = files[at]
    names = (
        "../a.xml", "/a.xml", "__MACOSX/a.xml", "a.zip", "b.XML", ".a.xml", "a/", "", "c:\\a.xml",
        "a.pdf", "a\x00b.xml", "x" * 300 + ".xml", "x_MT_001.xml", "è.xml", name,
    )  # fmt: skip
    changed = (
        [*files[:at], (name, mutated(inner, chance)), *files[at + 1 :]],
        [*files[:at], (name, mutated(inner, chance)), *files[at + 1 :]],
        [*files, (chance.choice(names), inner)],
        files[:at] + files[at + 1 :],
        [*files, (name, bytes(chance.choice((10, 200_000, 3_000_000))))],
    )
    method = chance.choice((zipfile.ZIP_DEFLATED, *WRITABLE))
    return written_zip(chance.choice(changed), method)


def read_zip(content, most=2_000_000):
    """Its files as (name, bytes), as far as they can be read, and no more than `most` of each."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            found = []
            for info in archive.infolist()[:20]:
                with archive.open(info) as stream:
                    found.append((info.filename, stream.read(min(info.file_size, most))))
            return found
    except Exception:  # whatever is wrong with it, it is to be changed elsewhere
        return []


def written_zip(files, method=zipfile.ZIP_DEFLATED):
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a name that comes twice
        with zipfile.ZipFile(stream, "w", method) as archive:
            for name, inner in files:
                archive.writestr(zipfile.ZipInfo(name or "x"), inner, method)
    return stream.getvalue()


FIELDS = {  # of a header: (place, bytes)
    b"PK\x03\x04": ((4, 2), (6, 2), (8, 2), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2)),
    b"PK\x01\x02": ((4, 2), (6, 2), (8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2),
                    (32, 2), (38, 4), (42, 4)),
    b"PK\x05\x06": ((4, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 2)),
}  # fmt: skip


def zip_fields(content, chance):
    """A size, place, flag or method that is not so."""
    sign = chance.choice(sorted(FIELDS))
    headers = [found.start() for found in re.finditer(re.escape(sign), content)]
    if not headers:
        return flip(content, chance)
    at, size = chance.choice(FIELDS[sign])
    at += chance.choice(headers)
    now = int.from_bytes(content[at : at + size], "little")
    values = (0, 1, now + 1, now - 1, now * 100, 0xFFFF, 0xFFFFFFFF, 0xA1FF0000, *METHODS)
    value = chance.choice(values) % (1 << 8 * size)
    return content[:at] + value.to_bytes(size, "little") + content[at + size :]
