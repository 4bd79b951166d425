"""E-invoices made to harm: refused with a sentence, at once."""

import base64
import io
import random
import tracemalloc
import zipfile

import pytest

from domain.formats import fatturapa
from tests.fatturapa import attachment, body, signed, signed_in_pieces, xml, zipped

XML = xml(body("1", attachments=[attachment()]), body("2"))
DECLARATION = b'<?xml version="1.0"?>'


def read(content):
    return list(fatturapa.read(io.BytesIO(content), "fattura.xml"))


def refusal(content):
    (problem,) = read(content)
    assert isinstance(problem, fatturapa.Unreadable), problem
    return str(problem)


def with_dtd(declarations, reference=b""):
    head, root = XML.split(b"?>", 1)
    dtd = b"<!DOCTYPE FatturaElettronica " + declarations + b">"
    return head + b"?>" + dtd + root.replace(b"<Numero>1", b"<Numero>1" + reference)


LAUGHS = b"".join(
    b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10 if n else b"ha") for n in range(12)
)


@pytest.mark.parametrize(
    "content",
    [
        with_dtd(b'[<!ENTITY x SYSTEM "file:///etc/passwd">]', b"&x;"),
        with_dtd(b'[<!ENTITY x SYSTEM "http://127.0.0.1:1/">]', b"&x;"),
        with_dtd(b'[<!ENTITY % x SYSTEM "http://127.0.0.1:1/x.dtd"> %x;]'),
        with_dtd(b'SYSTEM "http://127.0.0.1:1/x.dtd"'),
        with_dtd(b'[<!ENTITY x "2">]', b"&x;"),
        with_dtd(b"[" + LAUGHS + b"]", b"&l11;"),
        with_dtd(b'[<!ENTITY x "' + b"A" * 1_000_000 + b'">]', b"&x;" * 10_000),
        with_dtd(b"[]"),
        with_dtd(b'SYSTEM "x"').decode().replace("UTF-8", "UTF-16").encode("utf-16"),
        signed(with_dtd(b'[<!ENTITY x "2">]', b"&x;")),
    ],
    ids=lambda _content: "",
)
def test_row_20_no_dtd_and_no_entity(content):
    assert "DTD" in refusal(content)


@pytest.mark.parametrize(
    "content",
    [
        b"<a>" * 101,
        b"<a>" * 3_000_000,
        DECLARATION + b"<FatturaElettronica>" + b"<a/>" * 500_000 + b"</FatturaElettronica>",
    ],
    ids=lambda _content: "",
)
def test_row_20_too_deep_or_too_many_elements(content):
    assert refusal(content) == "Il file XML ha troppi elementi: non è una fattura elettronica."


@pytest.mark.parametrize(
    "content",
    [
        XML.replace(b"<Numero>1", b"<Numero>" + b"1" * 13 * 1024 * 1024),
        b"A" * 25 * 1024 * 1024,
        signed(b"<a>" + b" " * 13 * 1024 * 1024),
    ],
    ids=lambda _content: "",
)
def test_too_big(content):
    assert "troppo grande" in refusal(content)


def test_a_number_of_ten_megabytes():
    problem, _second = read(XML.replace(b"<Numero>1", b"<Numero>" + b"1" * 10_000_000))
    assert str(problem) == "Numero è più lungo di 40 caratteri."


def test_no_nul_gets_through():
    assert "danneggiato" in refusal(XML.replace(b"<Numero>1", b"<Numero>&#0;1"))
    assert "danneggiato" in refusal(XML.replace(b"<Numero>1", b"<Numero>\x001"))


def test_row_20_a_packed_attachment_that_blows_up():
    bomb = zipped({"a.pdf": b"%PDF-" + b" " * 30_000_000})
    assert "troppo grande" in refusal(xml(body(attachments=[attachment(bomb)])))


WHOLE = {
    "XML": XML,
    "UTF-16": XML.decode().replace("UTF-8", "UTF-16").encode("utf-16"),
    "DER": signed(xml()),
    "BER": signed_in_pieces(xml()),
    "base64": base64.encodebytes(signed(xml())),
    "ZIP": zipped({"a.xml": xml(body("1")), "b.xml": xml(body("2"))}),
}


def told(items):
    """The invoices of a file, or None where anything in it is an error."""
    assert items
    if any(isinstance(each, fatturapa.Unreadable) for each in items):
        assert all(str(each) for each in items)
        return None
    return items


@pytest.mark.parametrize("kind", WHOLE)
def test_cut_at_every_byte_it_is_whole_or_an_error(kind):
    content = WHOLE[kind]
    expected = read(content)
    for end in range(len(content)):
        assert told(read(content[:end])) in (None, expected), end


@pytest.mark.parametrize("kind", WHOLE)
def test_bytes_changed_at_random_never_crash_the_reader(kind):
    chance = random.Random(20261123)
    for _round in range(1500):
        content = bytearray(WHOLE[kind])
        for _change in range(chance.randint(1, 4)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        items = read(bytes(content))
        assert told(items) in (None, items)


def test_attachments_that_unpack_to_far_more_than_they_take_are_refused():
    bomb = zipped({"a.pdf": b"%PDF-" + bytes(19_000_000)})
    assert "compresso in modo anomalo" in refusal(xml(body(attachments=[attachment(bomb)])))


def test_attachments_are_bounded_all_together():
    block = random.Random(1).randbytes(16_000)
    each = attachment(zipped({"a.pdf": b"%PDF-" + block * 190}))  # 3 MB in 40 KB
    assert isinstance(read(xml(body(attachments=[each] * 6)))[0], fatturapa.Invoice)
    assert "troppo grande" in refusal(xml(body(attachments=[each] * 7)))


def understating(content, size):
    """A ZIP whose file says that it has `size` bytes, and unpacks to `content`."""
    packed = bytearray(zipped({"a.pdf": content}))
    for sign, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = packed.index(sign) + place
        packed[at : at + 4] = size.to_bytes(4, "little")
    return bytes(packed)


@pytest.mark.parametrize("where", ["ZIP", "attachment"])
def test_row_20_a_file_that_understates_its_size_is_not_unpacked_beyond_it(where):
    bomb = understating(b"%PDF-" + bytes(60_000_000), size=1000)
    content = bomb.replace(b"a.pdf", b"a.xml") if where == "ZIP" else xml(
        body(attachments=[attachment(bomb)])
    )  # fmt: skip
    tracemalloc.start()
    try:
        assert "danneggiato" in refusal(content)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_row_20_files_packed_in_a_way_that_has_no_limit_are_refused(method):
    assert "in un modo insolito" in refusal(zipped({"a.xml": XML}, method))
    packed = attachment(zipped({"a.pdf": b"%PDF-"}, method))
    assert "compresso in modo anomalo" in refusal(xml(body(attachments=[packed])))
