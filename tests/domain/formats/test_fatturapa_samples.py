"""Public samples of e-invoices: each is read as it should or ends in a clear error.

They are not ours to distribute; the test runs where they lie beside the checkout.
"""

from pathlib import Path

import pytest

from domain.formats import fatturapa

SAMPLES = Path(__file__).parents[4] / "shared" / "samples" / "fatturapa"
BROKEN = "La busta firmata (p7m) è danneggiata o incompleta."

# file: invoices as (number, date, type, total in cents, instalments), or the error
EXPECTED = {
    "IT01234567890_FPA02.xml": [
        ("123", "2014-12-18", "TD01", 4402, [("2015-01-30", 3608)]),
    ],
    "IT01234567890_FPA03.xml": [
        ("12", "2017-01-18", "TD01", 3050, [("2017-02-18", 3050)]),
        ("456", "2017-01-20", "TD01", 244000, [("2017-02-20", 244000)]),
    ],
    "IT01234567890_FPR02.xml": [
        ("123", "2014-12-18", "TD01", 4402, [("2015-01-30", 3608)]),
    ],
    "IT01234567890_FPR03.xml": [
        ("123", "2014-12-18", "TD01", 3295, [("2015-01-30", 3295)]),
        ("456", "2014-12-20", "TD01", 244000, [("2015-01-28", 244000)]),
    ],
    "IT01234567890_FSM10.xml": [("123", "2019-01-01", "TD07", 2500, [])],
    "IT02182030391_31.Base64.CRLF.xml.p7m": [("2", "2018-06-08", "TD01", 12200, [])],
    "IT02182030391_31.Base64.xml.p7m": [("2", "2018-06-08", "TD01", 12200, [])],
    "IT02182030391_31.xml.p7m": [("2", "2018-06-08", "TD01", 12200, [])],
    "IT02182030391_31_tampered.Base64.xml.p7m": BROKEN,
    "IT02182030391_31_tampered.xml.p7m": BROKEN,
    "IT02182030391_32.windows-1252.xml": [
        ("3", "2017-01-27", "TD06", 17480, [("2017-02-28", 11986)]),
        ("4", "2017-01-27", "TD06", 17480, [("2017-02-28", 11986)]),
    ],
    "IT02182030391_32.xml": [
        ("3", "2017-01-27", "TD06", 17480, [("2017-02-28", 11986)]),
        ("4", "2017-01-27", "TD06", 17480, [("2017-02-28", 11986)]),
    ],
    "Schema_del_file_xml_FatturaPA_v1.2.2.xsd": "l'elemento principale è «schema»",
    "dati_trasporto.xml": [("1", "2019-01-01", "TD01", 12345, [])],
    "test.txt.p7m": "Il contenuto non è una fattura elettronica (XML o XML firmato).",
    "unicode.xml": [("1", "2019-02-14", "TD01", 8113, [])],
}

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the public samples are not here")


def read(name):
    with open(SAMPLES / name, "rb") as stream:
        return list(fatturapa.read(stream, name))


@pytest.mark.parametrize("name", [name for name, told in EXPECTED.items() if type(told) is list])
def test_a_sample_is_read_right(name):
    assert [
        (
            invoice.number,
            invoice.date.isoformat(),
            invoice.type_code,
            invoice.total_cents,
            [(due.isoformat(), cents) for due, cents in invoice.instalments],
        )
        for invoice in read(name)
    ] == EXPECTED[name]


@pytest.mark.parametrize("name", [name for name, told in EXPECTED.items() if type(told) is str])
def test_a_sample_that_is_no_invoice_is_told(name):
    (problem,) = read(name)
    assert isinstance(problem, fatturapa.Unreadable)
    assert EXPECTED[name] in str(problem)


def test_no_sample_is_forgotten():
    assert {path.name for path in SAMPLES.iterdir()} == set(EXPECTED)


def test_the_customer_is_not_taken_from_a_representative():
    (invoice,) = read("IT01234567890_FPR02.xml")  # whose RappresentanteFiscale has a VAT number
    assert (invoice.customer_vat, invoice.customer_tax_code) == ("", "09876543210")
