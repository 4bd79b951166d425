"""E-invoices of the inbox: whose they are, and what the archive holds afterwards."""

import datetime as dt
from pathlib import Path

import pytest

import models
from domain.imports import einvoices
from domain.imports.documents import Documents
from domain.imports.report import Report
from models import Instalment, Invoice, InvoiceSupply, StoredFile
from tests.factories import make_customer, make_electricity, make_file, make_gas, make_invoice
from tests.fatturapa import (
    PDF,
    UTILITY,
    attachment,
    body,
    line,
    payment,
    signed,
    xml,
    zipped,
)

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT.parent / "shared" / "samples" / "fatturapa"

VAT = "09876543210"
CODE = "RSSMRA80A01H501U"


@pytest.fixture
def load(app, tmp_path):
    """`load(content)`: the report of taking a file as the inbox does."""

    def _load(content, name="fattura.xml", utility_vat=UTILITY):
        path = tmp_path / name
        path.write_bytes(content)
        report = Report(name)
        documents = Documents(app.config["DATA_DIR"])
        changes = einvoices.examine(path, report, utility_vat=utility_vat, documents=documents)
        if report.errors:
            documents.discard_attached()
        else:
            documents.place_attached()
            with models.writing():
                einvoices.write(changes, documents)
        return report

    return _load


def counts(report):
    assert report.errors == []
    return report.rows, report.added, report.changed, report.unchanged


def error(report):
    (problem,) = report.errors
    assert Invoice.select().count() == 0
    return problem


def noted(*notes):
    return {"lines": [line(notes=notes)]}


def instalments(invoice):
    query = Instalment.select(Instalment.due_on, Instalment.amount_cents)
    return sorted(query.where(Instalment.invoice == invoice).tuples())


def linked(invoice):
    query = InvoiceSupply.select(InvoiceSupply.supply).where(InvoiceSupply.invoice == invoice)
    return {supply for (supply,) in query.tuples()}


# -- What is stored ----------------------------------------------------------------------------


def test_an_invoice_comes_in_whole(app, load):
    customer = make_customer(vat_number=VAT)
    supply = make_electricity(customer, pod="IT001E12345678")
    make_gas(customer)
    report = load(
        xml(
            body(
                "12/A",
                payments=[
                    payment("2026-12-20", "61.00"),
                    payment("2026-11-20", "61.00", IBAN="IT60X0542811101000000123456",
                            CodicePagamento="RF18"),
                ],
                attachments=[attachment(b"x", "dati.csv"), attachment()],
                **noted(("POD", "IT001E12345678")),
            )
        )
    )  # fmt: skip
    assert counts(report) == (1, 1, 0, 0)
    assert report.warnings == []
    invoice = Invoice.get()
    assert (invoice.number, invoice.year, invoice.date) == ("12/A", 2026, dt.date(2026, 10, 31))
    assert (invoice.customer_id, invoice.kind, invoice.paid) == (customer.id, "invoice", False)
    assert (invoice.amount_cents, invoice.due_on) == (12200, dt.date(2026, 11, 20))
    assert (invoice.iban, invoice.payment_code) == ("IT60X0542811101000000123456", "RF18")
    assert instalments(invoice) == [(dt.date(2026, 11, 20), 6100), (dt.date(2026, 12, 20), 6100)]
    assert invoice.names_supplies
    assert linked(invoice) == {supply.id}
    assert invoice.document.name == "fattura_2026_12-A.pdf"
    assert (app.config["DATA_DIR"] / "documents" / invoice.document.path).read_bytes() == PDF


def test_the_documented_example_comes_in(load):
    supply = make_gas(make_customer(vat_number="01234560488"), pdr="00881234567890")
    content = (ROOT / "docs" / "esempi" / "fattura_elettronica_esempio.xml").read_bytes()
    report = load(content)
    assert counts(report) == (1, 1, 0, 0)
    assert report.warnings == []
    invoice = Invoice.get()
    assert (invoice.number, invoice.amount_cents) == ("2026/1044", 24400)
    assert (invoice.due_on, invoice.payment_code) == (dt.date(2026, 11, 25), "RF18 2026 1044")
    assert linked(invoice) == {supply.id}


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the public samples are not here")
@pytest.mark.parametrize(
    ("name", "issuer", "customer", "numbers"),
    [
        ("IT01234567890_FPA02.xml", UTILITY, VAT, {"123": 4402}),
        ("IT01234567890_FPA03.xml", UTILITY, VAT, {"12": 3050, "456": 244000}),
        ("IT01234567890_FPR02.xml", UTILITY, VAT, {"123": 4402}),
        ("IT01234567890_FPR03.xml", UTILITY, VAT, {"123": 3295, "456": 244000}),
        ("IT01234567890_FSM10.xml", UTILITY, VAT, {"123": 2500}),
        ("IT02182030391_31.xml.p7m", "02182030391", "01180680397", {"2": 12200}),
        ("IT02182030391_31.Base64.CRLF.xml.p7m", "02182030391", "01180680397", {"2": 12200}),
        ("IT02182030391_32.xml", "12345678901", "01180680397", {"3": 17480, "4": 17480}),
        ("dati_trasporto.xml", "09876543210", "01234567891", {"1": 12345}),
        ("unicode.xml", UTILITY, "76543210987", {"1": 8113}),
    ],
)
def test_public_samples_come_in(load, name, issuer, customer, numbers):
    make_customer(vat_number=customer)
    report = load((SAMPLES / name).read_bytes(), name, utility_vat=issuer)
    assert counts(report) == (len(numbers), len(numbers), 0, 0)
    assert {row.number: row.amount_cents for row in Invoice.select()} == numbers


def test_a_credit_note_without_date_nor_document_comes_in(load):
    make_customer(vat_number=VAT)
    assert counts(load(xml(body(kind="TD04", payments=())))) == (1, 1, 0, 0)
    note = Invoice.get()
    assert (note.kind, note.amount_cents, note.due_on) == ("credit_note", -12200, None)
    assert (note.document, note.names_supplies, instalments(note)) == (None, False, [])


def test_a_zip_brings_its_invoices_and_tells_what_it_left(app, load):
    make_customer(vat_number=VAT)
    report = load(
        zipped(
            {
                "a.xml": xml(body("1", attachments=[attachment()])),
                "a_MT_001.xml": b"<x/>",
                "b.xml.p7m": signed(xml(body("2", attachments=[attachment()]))),
                "b_MT_002.xml": b"<x/>",
            }
        ),
        "lotto.zip",
    )
    assert counts(report) == (2, 2, 0, 0)
    (note,) = report.notes
    assert note.startswith("File ignorati nello ZIP: 2 (il primo è a_MT_001.xml)")
    for invoice in Invoice.select():  # the same bytes twice are two documents
        assert (app.config["DATA_DIR"] / "documents" / invoice.document.path).read_bytes() == PDF
    assert StoredFile.select().count() == 2


def test_the_same_invoice_twice_in_a_file_is_taken_once(load):
    make_customer(vat_number=VAT)
    report = load(zipped({"a.xml": xml(), "a.xml.p7m": signed(xml())}), "lotto.zip")
    assert counts(report) == (2, 1, 0, 0)
    assert report.warnings[0][3] == "Fattura ripetuta nel file: presa una volta."


def test_two_different_invoices_with_one_number_are_refused(load):
    make_customer(vat_number=VAT)
    assert error(load(xml(body("1"), body("1", total="5.00")))) == [
        2,
        "Numero",
        "1",
        "fattura n. 2 del file: Nel file ci sono due fatture diverse con lo stesso numero e lo "
        "stesso anno.",
    ]


def test_the_same_number_in_another_year_is_another_invoice(load):
    make_customer(vat_number=VAT)
    assert counts(load(xml(body("1"), body("1", date="2025-10-31")))) == (2, 2, 0, 0)


# -- Again -------------------------------------------------------------------------------------


def test_the_same_invoice_again_changes_nothing(load):
    make_electricity(make_customer(vat_number=VAT), pod="IT001E12345678")
    content = xml(body(attachments=[attachment()], **noted(("POD", "IT001E12345678"))))
    load(content)
    before = Invoice.get().__data__
    assert counts(load(content)) == (1, 0, 0, 1)
    assert Invoice.get().__data__ == before
    assert StoredFile.select().count() == 1


@pytest.mark.parametrize(
    "options",
    [
        {"total": "123.00"},
        {"date": "2026-10-30"},
        {"kind": "TD04"},
        {"payments": [payment("2026-11-21")]},
        {"payments": [payment(amount="100.00"), payment("2026-12-31", "22.00")]},
        {"payments": [payment(IBAN="IT60X0542811101000000123456")]},
        {"payments": [payment(CodicePagamento="RF18")]},
        {"attachments": [attachment(PDF + b"\n")]},
        noted(("PDR", "00000000000007")),
    ],
    ids=lambda options: next(iter(options)),
)
def test_what_an_invoice_says_otherwise_is_changed(load, options):
    make_gas(make_customer(vat_number=VAT), pdr="00000000000007")
    load(xml(body(attachments=[attachment()])))
    assert counts(load(xml(body(**options)))) == (1, 0, 1, 0)


def test_an_invoice_known_from_a_table_keeps_what_the_e_invoice_does_not_say(app, load):
    customer = make_customer(vat_number=VAT)
    supply = make_gas(customer)
    document = make_file(app, "bolletta.pdf")
    make_invoice(
        customer, supply, number="F1", date=dt.date(2026, 10, 31), paid=True, document=document,
        iban="IT60X0542811101000000123456", amount_cents=1,
    )  # fmt: skip
    due = Invoice.get().due_on
    assert counts(load(xml(body(payments=())))) == (1, 0, 1, 0)
    invoice = Invoice.get()
    assert (invoice.paid, invoice.amount_cents, invoice.due_on) == (True, 12200, due)
    assert (invoice.iban, invoice.document_id) == ("IT60X0542811101000000123456", document.id)
    assert linked(invoice) == {supply.id}


def test_an_invoice_that_is_another_customers_takes_nothing_along(app, load):
    other = make_customer()
    make_invoice(
        other, make_gas(other), number="F1", date=dt.date(2026, 10, 31),
        document=make_file(app, "bolletta.pdf"),
    )  # fmt: skip
    customer = make_customer(vat_number=VAT)
    assert counts(load(xml())) == (1, 0, 1, 0)
    invoice = Invoice.get()
    assert (invoice.customer_id, invoice.document_id) == (customer.id, None)
    assert (invoice.names_supplies, linked(invoice)) == (False, set())


# -- Whose it is -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stored", "who"),
    [
        ({"vat_number": VAT}, {"vat": VAT}),
        ({"vat_number": f"IT{VAT}"}, {"vat": VAT}),
        ({"vat_number": VAT}, {"vat": f"IT {VAT}"}),
        ({"tax_code": CODE}, {"tax_code": CODE.lower()}),
        ({"tax_code": CODE}, {"vat": VAT, "tax_code": CODE}),
        ({"vat_number": VAT, "tax_code": "80012345678"}, {"vat": VAT, "tax_code": CODE}),
        ({"vat_number": VAT}, {"tax_code": VAT}),
        ({"tax_code": VAT}, {"vat": VAT}),
        ({"vat_number": "DE123456789"}, {"vat": "123456789", "country": "DE"}),
    ],
)
def test_the_customer_is_found_by_vat_number_or_tax_code(load, stored, who):
    customer = make_customer(**{"vat_number": None, "tax_code": None, **stored})
    make_customer()
    assert counts(load(xml(**who))) == (1, 1, 0, 0)
    assert Invoice.get().customer_id == customer.id


def test_the_vat_number_counts_more_than_the_tax_code(load):
    make_customer(tax_code=CODE)
    firm = make_customer(vat_number=VAT)
    load(xml(vat=VAT, tax_code=CODE))
    assert Invoice.get().customer_id == firm.id


def test_in_a_vat_group_the_tax_code_tells(load):
    make_customer(vat_number=VAT, tax_code="11111111111")
    customer = make_customer(vat_number=VAT, tax_code="22222222222")
    load(xml(vat=VAT, tax_code="22222222222"))
    assert Invoice.get().customer_id == customer.id


@pytest.mark.parametrize(
    "options",
    [
        noted(("CODICECLIENTE", "000002")),
        noted(("CODICECLIE", "000002")),
        noted(("Cod. cliente", " 000002 ")),
        noted(("POD", "IT001E12345678")),
        noted(("pod", "it 001 e 12345678")),
        noted(("POD", "IT001E123456789")),
        noted(("PDR", "00880000000012")),
        noted(("CODICECLIENTE", "000002"), ("POD", "IT001E99999999")),
        {"causale": ["Bolletta di luglio", "Cliente: 000002."]},
        {"causale": ["POD IT001E12345678"]},
        {"causale": ["PDR:00880000000012;"]},
        {"causale": ["F 000001 del 2026"], **noted(("PDR", "00880000000012"))},
    ],
)
def test_among_several_the_invoice_says_which(load, options):
    other = make_customer("000001", vat_number=VAT)
    make_electricity(other, pod="IT001E87654321")
    customer = make_customer("000002", vat_number=VAT)
    make_electricity(customer, pod="IT001E12345678")
    make_gas(customer, pdr="00880000000012")
    load(xml(body(**options)))
    assert Invoice.get().customer_id == customer.id


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({}, "nessuno"),
        (noted(("CODICECLIENTE", "000009")), "000009"),
        (noted(("POD", "IT001E99999999")), "IT001E99999999"),
        (noted(("CODICECLIENTE", "000001"), ("CODICECLIENTE", "000002")), "000001, 000002"),
        ({"causale": ["clienti 000001 e 000002"]}, "nessuno"),
        (noted(("ALTRO", "000002")), "nessuno"),
    ],
)
def test_among_several_an_invoice_that_does_not_say_is_refused(load, options, found):
    make_customer("000001", vat_number=VAT)
    make_customer("000002", vat_number=VAT)
    row, column, value, message = error(load(xml(body(**options))))
    assert (row, column, value) == (1, "CessionarioCommittente", VAT)
    assert message == (
        "Più clienti hanno la partita IVA o il codice fiscale del destinatario (000001, 000002) "
        "e la fattura non dice quale: cercati CODICECLIENTE, POD e PDR in AltriDatiGestionali "
        f"(trovati: {found}) e nella Causale."
    )


@pytest.mark.parametrize(
    ("who", "message"),
    [
        ({"vat": VAT}, f"Nessun cliente ha la partita IVA {VAT}: importare"),
        ({"tax_code": CODE}, f"Nessun cliente ha il codice fiscale {CODE}: importare"),
        ({"vat": VAT, "tax_code": CODE},
         f"Nessun cliente ha la partita IVA {VAT} o il codice fiscale {CODE}: importare"),
        ({"issuer": UTILITY}, "La fattura non dice né la partita IVA né il codice fiscale"),
        ({"vat": "9" * 29}, "IdCodice è più lungo di 28 caratteri."),
    ],
)  # fmt: skip
def test_an_unknown_customer_is_refused(load, who, message):
    make_customer()
    assert error(load(xml(**who)))[3].startswith(message)


# -- Which supplies ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        noted(("POD", "IT001E12345678")),
        noted(("PDR", "00880000000012"), ("POD", "IT001E12345678")),
        {"causale": ["POD IT001E12345678 via Prova 5"]},
        {"causale": ["fornitura PR002874"]},
        {"contract": "IT001E12345678"},
    ],
)
def test_an_invoice_is_linked_to_the_supplies_it_names(load, options):
    customer = make_customer(vat_number=VAT)
    light = make_electricity(customer, "PR002874", pod="IT001E12345678")
    gas = make_gas(customer, pdr="00880000000012")
    load(xml(body(**options)))
    invoice = Invoice.get()
    assert linked(invoice) == {light.id} | ({gas.id} if "0088" in str(options) else set())
    assert invoice.names_supplies


def test_a_supply_of_somebody_else_is_not_linked(load):
    make_customer(vat_number=VAT, code="000002")
    make_electricity(make_customer(), pod="IT001E12345678")
    report = load(xml(body(**noted(("POD", "IT001E12345678")))))
    assert report.warnings == [
        [
            1,
            "AltriDatiGestionali",
            "IT001E12345678",
            "Nessuna fornitura del cliente 000002 ha questo POD o PDR.",
        ]
    ]
    assert (linked(Invoice.get()), Invoice.get().names_supplies) == (set(), False)


def test_a_customer_code_that_is_not_the_receivers_is_told(load):
    make_customer("000002", vat_number=VAT)
    report = load(xml(body(**noted(("CODICECLIENTE", "000009")))))
    assert report.warnings[0][1:3] == ["AltriDatiGestionali", "000009"]
    assert counts(report) == (1, 1, 0, 0)


def test_an_iban_with_wrong_check_digits_is_told(load):
    make_customer(vat_number=VAT)
    report = load(xml(body(payments=[payment(IBAN="IT61X0542811101000000123456")])))
    assert report.warnings[0][1:3] == ["IBAN", "IT61X0542811101000000123456"]


def test_attachments_without_a_pdf_are_told(load):
    make_customer(vat_number=VAT)
    report = load(xml(body(attachments=[attachment(b"<html>", "falso.pdf")])))
    assert report.warnings[0][1:3] == ["Allegati", "falso.pdf"]
    assert Invoice.get().document is None


# -- Refused -----------------------------------------------------------------------------------


@pytest.mark.parametrize("configured", [UTILITY, f"IT{UTILITY}", f" it {UTILITY}"])
def test_the_country_of_the_issuer_does_not_matter(load, configured):
    make_customer(vat_number=VAT)
    assert counts(load(xml(), utility_vat=configured)) == (1, 1, 0, 0)


def test_an_invoice_of_another_issuer_is_refused(load):
    make_customer(vat_number=VAT)
    assert error(load(xml(issuer="11111111111", vat=VAT))) == [
        1,
        "CedentePrestatore",
        "11111111111",
        "La fattura non è emessa dall'utility: la partita IVA dell'emittente è 11111111111, "
        "quella configurata è 01234567890.",
    ]


@pytest.mark.parametrize("configured", ["", None, " ", "IT"])
def test_without_the_utilitys_vat_number_nothing_is_taken(load, configured):
    make_customer(vat_number=VAT)
    row, _column, _value, message = error(load(xml(), utility_vat=configured))
    assert row is None
    assert "PORTALE_UTILITY_VAT" in message


def test_one_bad_invoice_rejects_its_whole_file(app, load):
    make_customer(vat_number=VAT)
    good = xml(body("1", attachments=[attachment()]))
    bad = xml(body("2"), body("3", date="domani"))
    report = load(zipped({"a.xml": good, "b.xml": bad, "c.xml": b"<", "d.xml": good}), "lotto.zip")
    assert [(row, column, value) for row, column, value, _message in report.errors] == [
        (3, "Data", "domani"),
        (4, "", ""),
    ]
    assert report.errors[0][3].startswith("file b.xml, fattura n. 2 del file: Data non è")
    assert report.errors[1][3].startswith("file c.xml: Il file XML è danneggiato")
    assert Invoice.select().count() == StoredFile.select().count() == 0
    assert not list((app.config["DATA_DIR"] / "documents").glob("*.pdf"))


def test_a_file_cut_short_leaves_the_archive_as_it_was(load):
    make_customer(vat_number=VAT)
    content = signed(xml(body(attachments=[attachment()])))
    for end in range(0, len(content), 97):
        assert len(load(content[:end]).errors) == 1
    assert Invoice.select().count() == 0
