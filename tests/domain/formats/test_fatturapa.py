"""E-invoices as files: what is read from them."""

import base64
import datetime as dt
import io

import pytest

from domain.formats import fatturapa
from tests.fatturapa import (
    PDF,
    attachment,
    body,
    element,
    line,
    payment,
    text,
    xml,
    zipped,
)


def read(content, name="fattura.xml"):
    return list(fatturapa.read(io.BytesIO(content), name))


def one(content):
    (invoice,) = read(content)
    assert isinstance(invoice, fatturapa.Invoice), invoice
    return invoice


def refusal(content):
    (problem,) = read(content)
    assert isinstance(problem, fatturapa.Unreadable), problem
    return str(problem)


def test_an_invoice_is_read_whole():
    invoice = one(
        xml(
            body(
                "12/A",
                causale=["Fornitura di energia", "cliente 000002"],
                contract="C-77",
                lines=[line(notes=[("POD", "IT001E12345678"), ("CODICECLIENTE", "000002")])],
                payments=[payment(IBAN="IT60 X054 2811 1010 0000 0123 456", CodicePagamento="X9")],
                attachments=[attachment()],
            ),
            vat="09876543210",
            tax_code="RSSMRA80A01H501U",
        )
    )
    assert (invoice.entry, invoice.body) == ("fattura.xml", 1)
    assert (invoice.number, invoice.date) == ("12/A", dt.date(2026, 10, 31))
    assert (invoice.type_code, invoice.is_credit_note) == ("TD01", False)
    assert invoice.total_cents == 12200
    assert invoice.instalments == ((dt.date(2026, 11, 20), 12200),)
    assert invoice.iban == "IT60X0542811101000000123456"
    assert invoice.payment_code == "X9"
    assert invoice.issuer_vat == "01234567890"
    assert (invoice.customer_country, invoice.customer_vat) == ("IT", "09876543210")
    assert invoice.customer_tax_code == "RSSMRA80A01H501U"
    assert invoice.notes == (("POD", "IT001E12345678"), ("CODICECLIENTE", "000002"))
    assert invoice.causale == ("Fornitura di energia", "cliente 000002")
    assert invoice.contracts == ("C-77",)
    assert invoice.attachments == (fatturapa.Attachment("fattura.pdf", PDF),)


def test_every_body_is_an_invoice():
    first, second = read(xml(body("1"), body("2", total="5.00")))
    assert [(first.number, first.body), (second.number, second.body)] == [("1", 1), ("2", 2)]
    assert second.total_cents == 500


@pytest.mark.parametrize("options", [{"prefix": ""}, {"prefix": "ns7:"}, {"namespace": "urn:x"}])
def test_the_namespace_does_not_matter(options):
    assert one(xml(**options)).number == "F1"


@pytest.mark.parametrize("kind", [*(f"TD{n:02d}" for n in range(1, 30)), "TD99"])
def test_every_type_is_read_and_credit_notes_are_negative(kind):
    invoice = one(xml(body(kind=kind)))
    credit = kind in {"TD04", "TD08"}
    assert invoice.type_code == kind
    assert invoice.is_credit_note == credit
    assert invoice.total_cents == (-12200 if credit else 12200)
    assert invoice.instalments[0][1] == invoice.total_cents


def test_a_credit_note_that_is_negative_already_stays_so():
    assert one(xml(body(kind="TD04", total="-122.00"))).total_cents == -12200


def test_an_invoice_in_the_customers_favour_is_negative_and_no_credit_note():
    invoice = one(xml(body(total="-10.05", payments=())))
    assert (invoice.total_cents, invoice.is_credit_note) == (-1005, False)


STAMP = element("DatiBollo", BolloVirtuale="SI", ImportoBollo="2.00")


@pytest.mark.parametrize(
    ("options", "cents"),
    [
        ({"total": "0.10"}, 10),
        ({"total": "1234567890.5"}, 123456789050),
        ({"total": "7"}, 700),
        ({"total": "122.0000"}, 12200),
        ({"total": None}, 12200),
        ({"total": ""}, 12200),
        ({"total": None, "summaries": [("100.00", "22.00"), ("0.10", "0.20")]}, 12230),
        ({"total": None, "extra": STAMP}, 12400),
        ({"total": None, "extra": STAMP, "lines": [line(), line("Imposta di BOLLO", "2.00")],
          "summaries": [("100.00", "22.00"), ("2.00", "0.00")]}, 12400),
        ({"total": "122.00", "extra": STAMP}, 12200),
        ({"total": None, "extra": "<Arrotondamento>-0.40</Arrotondamento>"}, 12160),
    ],
)  # fmt: skip
def test_the_total_is_stated_or_summed_exactly(options, cents):
    assert one(xml(body(**options))).total_cents == cents


@pytest.mark.parametrize(
    ("payments", "instalments"),
    [
        ([], ()),
        ([payment(None)], ()),
        ([payment("2026-12-20", "61.00"), payment("2026-11-20", "61.00")],
         ((dt.date(2026, 11, 20), 6100), (dt.date(2026, 12, 20), 6100))),
        ([payment(None, DataRiferimentoTerminiPagamento="2026-10-31", GiorniTerminiPagamento="30")],
         ((dt.date(2026, 11, 30), 12200),)),
        ([payment(None, GiorniTerminiPagamento="0")], ((dt.date(2026, 10, 31), 12200),)),
        ([payment("2026-11-20", GiorniTerminiPagamento="90")], ((dt.date(2026, 11, 20), 12200),)),
        ([payment("2026-11-20+01:00")], ((dt.date(2026, 11, 20), 12200),)),
    ],
)  # fmt: skip
def test_due_dates_are_stated_or_counted(payments, instalments):
    assert one(xml(body(payments=payments))).instalments == instalments


def test_the_simplified_invoice_is_read():
    goods = [
        element("DatiBeniServizi", element("DatiIVA", Aliquota="22.00"), Importo=amount)
        for amount in ("25.00", "0.50")
    ]
    general = element("DatiGeneraliDocumento", TipoDocumento="TD08", Data="2026-01-02", Numero="S1")
    fiscal = element("IdFiscaleIVA", IdPaese="IT", IdCodice="01234567890")
    content = element(
        "FatturaElettronicaSemplificata",
        element(
            "FatturaElettronicaHeader",
            element("CedentePrestatore", fiscal),
            element(
                "CessionarioCommittente",
                element("IdentificativiFiscali", CodiceFiscale="RSSMRA80A01H501U"),
            ),
        ),
        element("FatturaElettronicaBody", element("DatiGenerali", general), *goods),
    )
    invoice = one(content.encode())
    assert (invoice.number, invoice.date) == ("S1", dt.date(2026, 1, 2))
    assert invoice.total_cents == -2550
    assert invoice.issuer_vat == "01234567890"
    assert (invoice.customer_vat, invoice.customer_tax_code) == ("", "RSSMRA80A01H501U")


@pytest.mark.parametrize(
    ("encoding", "codec"),
    [
        ("UTF-8", "utf-8"),
        ("UTF-8", "utf-8-sig"),
        ("windows-1252", "cp1252"),
        ("ISO-8859-1", "latin-1"),
        ("UTF-16", "utf-16"),
    ],
)
def test_every_usual_encoding_is_read(encoding, codec):
    content = text(body(causale=["Perché è così"]), encoding=encoding).encode(codec)
    assert one(content).causale == ("Perché è così",)


def test_blank_lines_before_the_declaration_do_no_harm():
    assert one(b"\r\n " + xml()).number == "F1"


def test_comments_and_instructions_inside_do_no_harm():
    content = xml().replace(b"<Numero>F1", b"<?xml-stylesheet href='http://x'?><Numero>F<!-- -->1")
    assert one(content).number == "F1"


def test_a_zipped_pdf_is_unpacked():
    packed = zipped({"leggimi.txt": b"...", "a/b.pdf": PDF})
    content = xml(body(attachments=[attachment(packed, "b.zip", AlgoritmoCompressione="ZIP")]))
    assert one(content).attachments == (fatturapa.Attachment("a/b.pdf", PDF),)


def test_several_attachments_keep_their_order():
    files = [attachment(b"dati", "dati.csv"), attachment(PDF, "1.pdf"), attachment(PDF, "2.pdf")]
    names = [each.name for each in one(xml(body(attachments=files))).attachments]
    assert names == ["dati.csv", "1.pdf", "2.pdf"]


@pytest.mark.parametrize(
    ("options", "element_named", "sentence"),
    [
        ({"number": ""}, "Numero", "Manca Numero."),
        ({"number": "9" * 41}, "Numero", "Numero è più lungo di 40 caratteri."),
        ({"date": None}, "Data", "Manca Data."),
        ({"date": "31/10/2026"}, "Data", "Data non è una data (aaaa-mm-gg)."),
        ({"date": "2026-02-30"}, "Data", "Data non è una data (aaaa-mm-gg)."),
        ({"kind": ""}, "TipoDocumento", "Manca TipoDocumento."),
        ({"Divisa": "USD"}, "Divisa", "La fattura non è in euro."),
        ({"total": "12,50"}, "ImportoTotaleDocumento",
         "ImportoTotaleDocumento non è un importo come 1234.56."),
        ({"total": "1e9"}, "ImportoTotaleDocumento",
         "ImportoTotaleDocumento non è un importo come 1234.56."),
        ({"total": "9" * 20}, "ImportoTotaleDocumento",
         "ImportoTotaleDocumento non è un importo come 1234.56."),
        ({"total": "1.005"}, "ImportoTotaleDocumento",
         "ImportoTotaleDocumento ha più di due decimali."),
        ({"total": None, "summaries": ()}, "ImportoTotaleDocumento",
         "Manca il totale: non c'è né ImportoTotaleDocumento né DatiRiepilogo."),
        ({"total": None, "summaries": [("1.00", "")]}, "Imposta", "Manca Imposta."),
        ({"payments": [payment("2026-13-01")]}, "DataScadenzaPagamento",
         "DataScadenzaPagamento non è una data (aaaa-mm-gg)."),
        ({"payments": [payment(amount="")]}, "ImportoPagamento", "Manca ImportoPagamento."),
        ({"payments": [payment(None, GiorniTerminiPagamento="99999999999")]},
         "GiorniTerminiPagamento", "I giorni dei termini di pagamento non sono un numero."),
        ({"date": "9999-12-31", "payments": [payment(None, GiorniTerminiPagamento="1")]},
         "GiorniTerminiPagamento", "La scadenza non è una data possibile."),
        ({"payments": [payment(IBAN="IT1")]}, "IBAN", "L'IBAN non ha la forma prevista."),
        ({"payments": [payment(CodicePagamento="9" * 61)]}, "CodicePagamento",
         "CodicePagamento è più lungo di 60 caratteri."),
        ({"attachments": [attachment("%%%")]}, "Attachment",
         "L'allegato è danneggiato: non è in base64."),
        ({"attachments": [attachment(zipped({"a.pdf": PDF})[:60])]}, "Attachment",
         "L'allegato compresso è danneggiato."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_invoice(options, element_named, sentence):
    good, problem = read(xml(body("1"), body(**options)))
    assert good.number == "1"
    assert (problem.entry, problem.body) == ("fattura.xml", 2)
    assert (problem.element, str(problem)) == (element_named, sentence)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "Il file è vuoto."),
        (b" \r\n", "Il file è vuoto."),
        (b"ciao, mondo", "Il contenuto non è una fattura elettronica (XML o XML firmato)."),
        (b"%PDF-1.4 x", "Il contenuto non è una fattura elettronica (XML o XML firmato)."),
        (b"<html><body/></html>", "l'elemento principale è «html»"),
        (b"<FatturaElettronica/>", "manca FatturaElettronicaBody"),
        (b"<a><b></a>", "Il file XML è danneggiato o incompleto (riga 1, colonna 9)."),
        (b'<?xml version="1.0" encoding="boh"?><a/>', "una codifica dei caratteri"),
        (b'<?xml version="1.0" encoding="utf-7"?><a/>', "una codifica dei caratteri"),
        (base64.b64encode(b"Buon giorno!"), "Il contenuto non è una fattura elettronica"),
    ],
)
def test_what_is_no_invoice_is_told(content, sentence):
    assert sentence in refusal(content)
