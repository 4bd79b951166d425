"""E-invoices signed, encoded and zipped."""

import base64
import io
import stat
import zipfile

import pytest

from domain.formats import fatturapa
from tests.fatturapa import (
    DATA,
    attachment,
    body,
    detached,
    open_ended,
    pem,
    signed,
    signed_in_pieces,
    tlv,
    xml,
    zipped,
)

XML = xml(body("P7"))
LONG = xml(body("P7", attachments=[attachment(b"%PDF-" + b"x" * 10_000)]))


def read(content, name="fattura.xml.p7m"):
    return list(fatturapa.read(io.BytesIO(content), name))


def one(content):
    (invoice,) = read(content)
    assert isinstance(invoice, fatturapa.Invoice), invoice
    return invoice


def refusal(content):
    *skipped, problem = read(content)
    assert isinstance(problem, fatturapa.Unreadable), problem
    assert all(isinstance(each, fatturapa.Skipped) for each in skipped)
    return str(problem)


SHAPES = {
    "DER": signed,
    "BER of indefinite length": signed_in_pieces,
    "BER in pieces of definite length": lambda content: signed_in_pieces(content, tlv),
    "one piece": lambda content: signed_in_pieces(content, size=10**6),
}
CODES = {
    "raw": bytes,
    "base64": base64.b64encode,
    "base64 in lines": base64.encodebytes,
    "base64 in CRLF lines": lambda c: base64.encodebytes(c).replace(b"\n", b"\r\n"),
    "base64 without its end": lambda c: base64.b64encode(c).rstrip(b"="),
    "base64 after a BOM": lambda c: b"\xef\xbb\xbf" + base64.b64encode(c),
    "PEM": pem,
}


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_signed_invoice_is_unwrapped(shape, code):
    assert one(CODES[code](SHAPES[shape](LONG))) == one(LONG)


def test_a_signed_invoice_may_be_signed_again():
    assert one(signed(base64.encodebytes(signed_in_pieces(signed(XML))))).number == "P7"


def test_signed_over_and_over_is_refused():
    content = XML
    for _signer in range(7):
        content = signed(content)
    assert refusal(content) == "Il file contiene troppe firme, una dentro l'altra."


def test_the_name_says_nothing_about_the_content():
    (invoice,) = read(signed(XML), "fattura.xml")
    assert invoice.number == "P7"


def test_what_follows_the_envelope_is_ignored():
    assert one(signed(XML) + b"\r\n").number == "P7"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (detached(), "La firma è separata dalla fattura"),
        (signed_in_pieces(XML, kind=DATA), "Il file non è una fattura firmata"),
        (signed(b"Buongiorno!"), "Il contenuto non è una fattura elettronica"),
        (signed(b""), "Il contenuto non è una fattura elettronica"),
        (tlv(0x30, b""), "Il file non è una fattura firmata"),
        (b"0123456789", "La busta firmata (p7m) è danneggiata"),
        (signed(XML).replace(b"FatturaElettronicaBody", b"Fattura", 1), "danneggiata"),
        (b"\x30\x80" * 100_000, "La busta firmata (p7m) è danneggiata"),
        (b"\x30\x84\xff\xff\xff\xff" + XML, "La busta firmata (p7m) è danneggiata"),
        (b"\x30\xff" + b"\xff" * 200, "La busta firmata (p7m) è danneggiata"),
    ],
)
def test_a_wrong_envelope_is_told(content, sentence):
    assert sentence in refusal(content)


def test_millions_of_tiny_pieces_are_refused():
    pieces = tlv(0x04, b"<") * 1_000_000
    inner = open_ended(0x30, DATA + open_ended(0xA0, open_ended(0x24, pieces)))
    content = signed_in_pieces(b"").replace(
        open_ended(0x30, DATA + open_ended(0xA0, open_ended(0x24, b""))), inner
    )
    assert len(content) > 3_000_000
    assert "danneggiata" in refusal(content)


# -- ZIP -----------------------------------------------------------------------------------


def test_a_zip_holds_invoices_of_both_kinds():
    content = zipped({"a.xml": xml(body("1")), "sub/b.xml.p7m": signed(xml(body("2")))})
    first, second = read(content, "lotto.zip")
    assert [(each.entry, each.number) for each in (first, second)] == [
        ("a.xml", "1"),
        ("b.xml.p7m", "2"),
    ]


def test_service_files_of_a_zip_are_left_alone_and_told():
    names = ["__MACOSX/._a.xml", "._a.xml", ".DS_Store", "IT01_00001_MT_001.xml", "nota.pdf"]
    *skipped, invoice = read(zipped({**dict.fromkeys(names, b"boh"), "a.xml": XML}))
    assert invoice.number == "P7"
    assert [each.entry for each in skipped] == [
        "._a.xml",
        "._a.xml",
        ".DS_Store",
        "IT01_00001_MT_001.xml",
        "nota.pdf",
    ]
    assert {each.reason for each in skipped} == {
        "file di servizio, non è una fattura",
        "file di metadati del Sistema di Interscambio, non è una fattura",
        "non è un file .xml o .xml.p7m",
    }


def test_a_bad_file_of_a_zip_is_named_and_the_others_are_read():
    first, problem, last = read(zipped({"1.xml": XML, "2.xml": b"<a>", "3.xml": XML}))
    assert (first.entry, problem.entry, last.entry) == ("1.xml", "2.xml", "3.xml")
    assert "danneggiato" in str(problem)


def test_row_20_paths_in_a_zip_are_only_names():
    (invoice,) = read(zipped({"../../../etc/cron.d/x.xml": XML}))
    assert invoice.entry == "x.xml"
    (invoice,) = read(zipped({"C:\\temp\\y.xml": XML}))
    assert invoice.entry == "y.xml"


def link(target="/etc/passwd"):
    info = zipfile.ZipInfo("a.xml")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return zipped({info: target.encode()})


def encrypted():
    content = bytearray(zipped({"a.xml": XML}))
    content[6] |= 1  # flags of the local header, and of the directory
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (zipped({}), "Il file ZIP non contiene fatture elettroniche"),
        (zipped({"leggimi.txt": b"x"}), "Il file ZIP non contiene fatture elettroniche"),
        (zipped({"a.xml": b"<" + b" " * 5_000_000}), "compresso in modo anomalo"),
        (zipped({"a.xml": XML, "b.ZIP": b"x"}), "Il file ZIP contiene un altro ZIP"),
        (link(), "Il file ZIP contiene un collegamento"),
        (encrypted(), "Il file ZIP è protetto da password"),
        (zipped({"a.xml": XML}).replace(b"PK\x01\x02", b"PK\x01\x03"), "Il file ZIP è danneggiato"),
        (zipped({"a.xml": XML}, 0).replace(b"P7", b"P8"), "Il file ZIP è danneggiato"),
        (b"PK", "Il file ZIP è danneggiato"),
        (zipped({"a.xml": XML}).replace(b"a.xml", b"\0.xml"), "non contiene fatture elettroniche"),
        (zipped({f"{n}.txt": b"" for n in range(20_001)}), "Il file ZIP è troppo grande"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_row_20_a_wrong_zip_is_refused(content, sentence):
    assert sentence in refusal(content)
