"""What each kind of CSV file brings into the archive, and which rows it refuses."""

import datetime as dt
import os
from decimal import Decimal

import pytest

from domain import windows
from models import (
    Contract,
    Customer,
    Instalment,
    Invoice,
    InvoiceSupply,
    MeterReading,
    ReadingWindow,
    StoredFile,
    SupplyPoint,
)  # fmt: skip
from tests.domain.imports.conftest import PDF
from tests.factories import make_customer, make_electricity, make_gas, make_invoice

CUSTOMERS = "codice_cliente;denominazione;partita_iva"
SUPPLIES = "codice_fornitura;codice_cliente;servizio;pod_pdr"
INVOICES = "numero;data;codice_cliente;importo"
IBAN = "IT60X0542811101000000123456"
WINDOWS = "dal;dalle_ore;al;alle_ore"


def said(errors):
    """(row, column) of each error."""
    return [(row, column) for row, column, _value, _message in errors]


# -- every kind ----------------------------------------------------------------------------


def test_a_known_key_updates_and_absent_columns_stay(desk):
    make_customer("000002", name="PRIMA", phone="0574", email="a@b.it")
    report = desk.take("clienti.csv", f"{CUSTOMERS};email", "000002;DOPO;01234560488;")
    row = Customer.get()
    assert (row.name, row.phone, row.email) == ("DOPO", "0574", None)
    assert (report.added, report.changed, report.unchanged) == (0, 1, 0)


def test_added_changed_and_unchanged_rows_are_counted(desk):
    desk.take("clienti_1.csv", CUSTOMERS, "000001;A;01234560488", "000002;B;01234560488")
    report = desk.take(
        "clienti_2.csv", CUSTOMERS,
        "000001;A;01234560488", "000002;C;01234560488", "000003;D;01234560488",
    )  # fmt: skip
    assert (report.rows, report.added, report.changed, report.unchanged) == (3, 1, 1, 1)


def test_missing_rows_delete_nothing(desk):
    make_customer("000001")
    desk.take("clienti.csv", CUSTOMERS, "000002;B;01234560488")
    assert Customer.select().count() == 2


def test_a_key_twice_in_a_file_is_an_error_that_names_the_first_row(desk):
    errors = desk.reject("clienti.csv", CUSTOMERS, "000001;A;1", "000002;B;1", "000001;C;1")
    assert said(errors) == [(4, "codice_cliente")]
    assert "della 2" in errors[0][3]


def test_the_same_row_twice_is_taken_once_with_a_warning(desk):
    row = "000001;A;01234560488"
    report = desk.take("clienti.csv", CUSTOMERS, row, "000002;B;01234560488", row)
    assert said(report.warnings) == [(4, "codice_cliente")]
    assert (report.rows, report.added) == (3, 2)


def test_one_bad_row_rejects_the_file_and_every_bad_row_is_listed(desk):
    errors = desk.reject(
        "clienti.csv", CUSTOMERS, "000001;A;01234560488", "2;B;01234560488", "000003;;-"
    )
    assert said(errors) == [(3, "codice_cliente"), (4, "denominazione"), (4, "partita_iva")]
    assert not Customer.select().exists()


def test_no_more_than_a_thousand_errors_are_listed(desk):
    errors = desk.reject("clienti.csv", CUSTOMERS, *(f"{n};A;1" for n in range(1500)))
    assert len(errors) == 1000


def test_rows_beyond_one_chunk_are_taken_with_few_queries(desk, count_queries):
    lines = [f"{n:06d};CLIENTE {n};01234560488" for n in range(1700)]
    with count_queries() as queries:
        report = desk.take("clienti.csv", CUSTOMERS, *lines)
    assert report.added == Customer.select().count() == 1700
    assert len(queries) < 40


def test_texts_are_stored_as_written_whatever_they_hold(desk):
    payload = "<script>alert(1)</script> ' OR 1=1 --"
    desk.take("clienti.csv", CUSTOMERS, f"000001;{payload};01234560488")
    assert Customer.get().name == payload


@pytest.mark.parametrize("kind", ["clienti", "forniture", "contratti", "fatture", "letture"])
def test_hostile_cells_are_errors_of_their_row(desk, kind):
    columns = "codice_cliente;codice_fornitura;codice_contratto;numero;denominazione;partita_iva;"
    columns += "servizio;pod_pdr;offerta;decorrenza;data;importo;contatore;fonte"
    hostile = ["\x00", "9" * 20, "-1", "x" * 5000, "../../etc/passwd", "\ud7ff\u202e", "=1+1"]
    lines = [";".join([cell] * 14) for cell in hostile]
    errors = desk.reject(f"{kind}.csv", columns, *lines)
    assert {row for row, *_rest in errors} == set(range(2, len(hostile) + 2))


# -- clienti -------------------------------------------------------------------------------


def test_a_customer_needs_a_tax_code_or_a_vat_number(desk):
    header = "codice_cliente;denominazione;codice_fiscale;partita_iva"
    errors = desk.reject("clienti.csv", header, "000001;A;;")
    assert said(errors) == [(2, "codice_fiscale")]


def test_a_customer_file_needs_one_of_the_two_columns(desk):
    errors = desk.reject("clienti.csv", "codice_cliente;denominazione", "000001;A")
    assert said(errors) == [(1, "codice_fiscale")]


def test_a_customer_keeps_the_tax_code_when_the_vat_number_is_cleared(desk):
    make_customer("000001", tax_code="RSSMRA80A41D612C")
    desk.take("clienti.csv", CUSTOMERS, "000001;A;")
    assert Customer.get().vat_number is None


def test_wrong_check_digits_are_warnings(desk):
    header = "codice_cliente;denominazione;codice_fiscale;partita_iva"
    report = desk.take("clienti.csv", header, "000001;A;RSSMRA80A41D612X;IT01234560489")
    assert said(report.warnings) == [(2, "codice_fiscale"), (2, "partita_iva")]
    row = Customer.get()
    assert (row.tax_code, row.vat_number) == ("RSSMRA80A41D612X", "01234560489")


@pytest.mark.parametrize("code", ["2", "00002", "0000022", "00000A", "../../", "００００02"])
def test_a_customer_code_has_six_digits(desk, code):
    assert said(desk.reject("clienti.csv", CUSTOMERS, f"{code};A;1")) == [(2, "codice_cliente")]


@pytest.mark.parametrize("email", ["n.d.", "a@b.it c@d.it", "a@b.it, c@d.it", "@x.it"])
def test_an_odd_email_is_a_warning(desk, email):
    report = desk.take("clienti.csv", f"{CUSTOMERS};email", f"000001;A;01234560488;{email}")
    assert said(report.warnings) == [(2, "email")]
    assert Customer.get().email == email


def test_an_email_where_the_portal_is_tried_out_is_not_odd(desk):
    header = f"{CUSTOMERS};email"
    assert not desk.take("clienti.csv", header, "000001;A;01234560488;a@posta.test").warnings


def test_tax_codes_and_vat_numbers_of_any_shape_are_warnings(desk):
    header = "codice_cliente;denominazione;codice_fiscale;partita_iva"
    report = desk.take("clienti.csv", header, "000001;A;RSS/MRA?;CHE-123.456.788")
    assert said(report.warnings) == [(2, "codice_fiscale"), (2, "partita_iva")]
    assert (Customer.get().tax_code, Customer.get().vat_number) == ("RSS/MRA?", "CHE123456788")


def test_a_province_by_its_name_is_a_warning(desk):
    header = f"{CUSTOMERS};provincia"
    report = desk.take(
        "clienti.csv", header, "000001;A;01234560488;ra", "000002;B;01234560488;Ravenna"
    )
    assert said(report.warnings) == [(3, "provincia")]
    assert [row.province for row in Customer.select().order_by(Customer.code)] == ["RA", "Ravenna"]


# -- forniture -----------------------------------------------------------------------------


def test_a_city_is_also_kept_as_it_is_compared(desk):
    make_customer("000001")
    desk.take(
        "forniture.csv", f"{SUPPLIES};comune",
        "PR1;000001;GAS;00881234567890;Forlì", "PR2;000001;GAS;00881234567891;",
    )  # fmt: skip
    known = SupplyPoint.select(SupplyPoint.city, SupplyPoint.town).order_by(SupplyPoint.code)
    assert list(known.tuples()) == [("Forlì", "forli"), (None, None)]
    desk.take("forniture_2.csv", f"{SUPPLIES};comune", "PR1;000001;GAS;00881234567890;CESENA")
    desk.take("forniture_3.csv", SUPPLIES, "PR1;000001;GAS;00881234567890")
    assert known.tuples().first() == ("CESENA", "cesena")


def test_a_supply_has_a_pod_or_a_pdr_by_its_service(desk):
    make_customer("000001")
    desk.take(
        "forniture.csv", f"{SUPPLIES};potenza_impegnata_kw;correttore;classe_misuratore",
        "PR1;000001;EE;it001e12345678;3,5;;", "PR2;000001;gas;00881234567890;;S;g4",
    )  # fmt: skip
    power, gas = SupplyPoint.select().order_by(SupplyPoint.code)
    assert (power.service, power.pod, power.pdr) == ("EE", "IT001E12345678", None)
    assert (power.committed_power_kw, power.has_corrector) == (Decimal("3.5"), False)
    assert (gas.service, gas.pod, gas.pdr) == ("GAS", None, "00881234567890")
    assert (gas.has_corrector, gas.meter_class) == (True, "G4")


def test_odd_pods_and_pdrs_are_warnings(desk):
    make_customer("000001")
    report = desk.take(
        "forniture.csv", SUPPLIES, "PR1;000001;EE;?", "PR2;000001;GAS;881234567890/1"
    )
    assert said(report.warnings) == [(2, "pod_pdr"), (3, "pod_pdr")]
    assert SupplyPoint.get(code="PR2").pdr == "881234567890/1"


@pytest.mark.parametrize(
    ("written", "kept"), [("g 4", "G4"), ("G0006", "G6"), ("G1,6", "G1.6"), ("G1000", "G1000")]
)
def test_the_class_of_a_meter_is_known_however_it_is_written(desk, written, kept):
    make_customer("000001")
    header = f"{SUPPLIES};classe_misuratore"
    report = desk.take("forniture.csv", header, f"PR1;000001;GAS;00881234567890;{written}")
    assert SupplyPoint.get().meter_class == kept
    assert not report.warnings


def test_an_unknown_class_of_meter_is_a_warning(desk):
    make_customer("000001")
    header = f"{SUPPLIES};classe_misuratore"
    report = desk.take("forniture.csv", header, "PR1;000001;GAS;00881234567890;turbina")
    assert said(report.warnings) == [(2, "classe_misuratore")]


def test_what_an_old_archive_writes_for_unknown_and_for_never(desk):
    make_customer("000001")
    desk.take(
        "forniture.csv", f"{SUPPLIES};cifre;cifre_correttore;consumo_annuo;cessata_il",
        "PR1;000001;GAS;00881234567890;5;0;1200,50;31/12/9999",
    )  # fmt: skip
    row = SupplyPoint.get()
    assert (row.digits, row.corrector_digits, row.annual_use) == (5, 0, 1200)
    assert row.ended_on is None


def test_a_meter_of_one_or_two_digits_is_an_error(desk):
    make_customer("000001")
    errors = desk.reject("forniture.csv", f"{SUPPLIES};cifre", "PR1;000001;GAS;00881234567890;2")
    assert said(errors) == [(2, "cifre")]


def test_a_supply_of_an_unknown_customer_is_an_error(desk):
    assert said(desk.reject("forniture.csv", SUPPLIES, "PR1;000009;EE;IT001E12345678")) == [
        (2, "codice_cliente")
    ]


@pytest.mark.parametrize("code", ["-", "a b", "A/B", "..", "è12", "<b>", "A" * 33, "PR%2e"])
def test_a_supply_code_is_safe_in_an_address(desk, code):
    make_customer("000001")
    errors = desk.reject("forniture.csv", SUPPLIES, f"{code};000001;EE;IT001E12345678")
    assert said(errors) == [(2, "codice_fornitura")]


def test_a_supply_moves_to_another_customer(desk):
    make_gas(make_customer("000001"), "PR1")
    make_customer("000002")
    desk.take("forniture.csv", SUPPLIES, "PR1;000002;GAS;00881234567890")
    assert SupplyPoint.get().customer.code == "000002"


def test_importing_decimals_again_changes_nothing(desk):
    make_customer("000001")
    header = f"{SUPPLIES};coefficiente_c;attiva_dal;consumo_annuo"
    desk.take("forniture_1.csv", header, "PR1;000001;GAS;00881234567890;1,023456;01/02/2020;900")
    report = desk.take(
        "forniture_2.csv", header, "PR1;000001;GAS;00881234567890;1.0234560;2020-02-01;900"
    )
    assert report.unchanged == 1


# -- contratti -----------------------------------------------------------------------------


def test_of_a_contract_only_the_ends_of_the_iban_are_kept(desk):
    make_gas(code="PR1")
    desk.take(
        "contratti.csv", "codice_contratto;codice_fornitura;offerta;decorrenza;iban;deposito",
        "C/1;PR1;CASA;01/01/2020;IT60 X054 2811 1010 0000 0123 456;77,47",
    )  # fmt: skip
    row = Contract.get()
    assert row.masked_iban == "IT60*******************3456"
    assert row.deposit_cents == 7747


def test_contracts_that_differ_in_what_is_not_kept_of_the_iban_are_two(desk):
    make_gas(make_customer(), code="PR1")
    header = "codice_contratto;codice_fornitura;offerta;decorrenza;iban"
    one, other = (f"1;PR1;CASA;1/1/2020;IT60X05428{digit}1101000000123456" for digit in "13")
    errors = desk.reject("contratti.csv", header, one, other)
    assert [error[:2] for error in errors] == [[3, "codice_contratto"]]


@pytest.mark.parametrize(
    ("address", "odd"),
    [
        ("a.b+c@example.it", False), ("è@example.it", False), ("a@example", True),
        ("a..b@example.it", True), ("a@b@example.it", True), ("@example.it", True),
        ("a@x.it,b@x.it", True), ("a@-example.it", True),
    ],
)  # fmt: skip
def test_what_is_no_address_of_mail_is_a_warning(desk, address, odd):
    header = "codice_cliente;denominazione;partita_iva;email"
    report = desk.take("clienti.csv", header, f"000002;A;01234560488;{address}")
    assert said(report.warnings) == ([(2, "email")] if odd else [])


def test_amounts_of_one_and_two_cents_are_not_the_same(desk):
    make_customer("000002")
    row = "1;01/01/2026;000002;0,0"
    errors = desk.reject("fatture.csv", "numero;data;codice_cliente;importo", f"{row}1", f"{row}2")
    assert [error[:2] for error in errors] == [[3, "numero"]]


@pytest.mark.parametrize(
    ("iban", "kept"), [("IT60****3456", "IT60****3456"), ("IT60", "IT60"), ("X" * 10, "XXXX**XXXX")]
)
def test_an_iban_of_odd_length_is_a_warning(desk, iban, kept):
    make_gas(code="PR1")
    header = "codice_contratto;codice_fornitura;offerta;decorrenza;scadenza;iban"
    report = desk.take("contratti.csv", header, f"N° 1;PR1;CASA;1/1/2020;31/12/9999;{iban}")
    assert said(report.warnings) == [(2, "iban")]
    row = Contract.get()
    assert (row.code, row.masked_iban, row.ends_on) == ("N° 1", kept, None)


# -- periodi -------------------------------------------------------------------------------


def test_a_window_includes_its_closing_minute(desk):
    desk.take("periodi.csv", WINDOWS, "25/11/2026;08:00;05/12/2026;18:30")
    row = ReadingWindow.get()
    assert row.opens_at == dt.datetime(2026, 11, 25, 7, 0, tzinfo=dt.UTC)
    assert row.closes_at == dt.datetime(2026, 12, 5, 17, 31, tzinfo=dt.UTC)


@pytest.mark.parametrize("hour", ["23:59", "24:00"])
def test_a_window_until_the_end_of_the_day(desk, hour):
    desk.take("periodi.csv", WINDOWS, f"25/03/2026;00:00;29/03/2026;{hour}")
    assert windows.shown(ReadingWindow.get())[3] == "23:59"
    assert ReadingWindow.get().closes_at == dt.datetime(2026, 3, 29, 22, 0, tzinfo=dt.UTC)


def test_a_window_may_concern_a_supply_or_a_distributor_but_not_both(desk):
    supply = make_gas(code="PR1")
    header = f"{WINDOWS};codice_fornitura;distributore_piva"
    day = "25/11/2026;08:00;05/12/2026;18:30"
    desk.take("periodi.csv", header, f"{day};PR1;", f"{day};;01234560488", f"{day};;")
    kept = {(row.supply_id, row.distributor_vat) for row in ReadingWindow.select()}
    assert kept == {(supply.id, None), (None, "01234560488"), (None, None)}
    errors = desk.reject("periodi_2.csv", header, f"{day};PR1;01234560488")
    assert said(errors) == [(2, "distributore_piva")]


def test_a_window_with_an_id_is_moved_and_given_another_scope(desk):
    supply = make_gas(code="PR1")
    day = "25/11/2026;08:00;05/12/2026;18:30"
    desk.take("periodi_1.csv", f"{WINDOWS};id;distributore_piva", f"{day};A1;01234560488")
    desk.take(
        "periodi_2.csv",
        f"{WINDOWS};id;codice_fornitura",
        "26/11/2026;08:00;05/12/2026;18:30;A1;PR1",
    )
    row = ReadingWindow.get()
    assert (row.supply_id, row.distributor_vat) == (supply.id, None)
    assert row.opens_at.day == 26


def test_a_window_for_electricity_is_a_warning(desk):
    make_electricity(code="PR1")
    report = desk.take(
        "periodi.csv", f"{WINDOWS};codice_fornitura", "25/11/2026;08:00;05/12/2026;18:30;PR1"
    )
    assert said(report.warnings) == [(2, "codice_fornitura")]


def test_a_window_that_ends_before_it_starts_is_an_error(desk):
    errors = desk.reject("periodi.csv", WINDOWS, "05/12/2026;08:00;25/11/2026;18:30")
    assert said(errors) == [(2, "al")]


def test_windows_may_overlap_and_the_same_window_is_known_again(desk):
    desk.take(
        "periodi_1.csv", WINDOWS,
        "25/11/2026;08:00;05/12/2026;18:30", "26/11/2026;08:00;06/12/2026;18:30",
    )  # fmt: skip
    report = desk.take("periodi_2.csv", WINDOWS, "2026-11-25;8:00;2026-12-05;18:30")
    assert (report.added, report.unchanged) == (0, 1)


# -- letture -------------------------------------------------------------------------------


def test_readings_are_known_by_supply_day_and_source(desk):
    make_gas(code="PR1")
    header = "codice_fornitura;data;contatore;fonte"
    desk.take(
        "letture_1.csv", header,
        "PR1;31/10/2026;45120;Distributore", "PR1;31/10/2026;0;cambio_misuratore",
    )  # fmt: skip
    report = desk.take("letture_2.csv", header, "PR1;2026-10-31;45121;distributore")
    assert (report.added, report.changed) == (0, 1)
    assert {(row.source, row.counter) for row in MeterReading.select()} == {
        ("distributore", 45121), ("cambio_misuratore", 0),
    }  # fmt: skip


def test_a_reading_is_kept_without_its_decimals(desk):
    make_gas(code="PR1")
    desk.take(
        "letture.csv", "codice_fornitura;data;contatore;correttore;fonte",
        "PR1;31/10/2026;45120,987;51000.0;distributore",
    )  # fmt: skip
    assert (MeterReading.get().counter, MeterReading.get().corrector) == (45120, 51000)


def test_a_reading_with_a_thousands_mark_is_an_error(desk):
    make_gas(code="PR1")
    errors = desk.reject(
        "letture.csv", "codice_fornitura;data;contatore;fonte", "PR1;31/10/2026;45.120;distributore"
    )
    assert said(errors) == [(2, "contatore")]


# -- fatture -------------------------------------------------------------------------------


@pytest.fixture
def customer(app):
    customer = make_customer("000001")
    make_gas(customer, "PR1")
    make_electricity(customer, "PR2")
    return customer


def test_an_invoice_with_its_supplies_and_its_instalment(desk, customer):
    report = desk.take(
        "fatture.csv", f"{INVOICES};codice_fornitura;scadenza;stato;iban",
        f"12/A;05/11/2026;000001;1234,56;PR1  PR2 PR1;25/11/2026;da_pagare;{IBAN}",
    )  # fmt: skip
    row = Invoice.get()
    assert (row.number, row.year, row.amount_cents, row.paid) == ("12/A", 2026, 123456, False)
    assert (row.kind, row.names_supplies, row.iban) == (
        "invoice", True, IBAN,
    )  # fmt: skip
    assert InvoiceSupply.select().count() == 2
    assert list(Instalment.select(Instalment.due_on, Instalment.amount_cents).tuples()) == [
        (dt.date(2026, 11, 25), 123456)
    ]
    assert not report.warnings


def test_the_same_number_in_another_year_is_another_invoice(desk, customer):
    desk.take("fatture.csv", INVOICES, "1;05/11/2025;000001;10", "1;05/11/2026;000001;20")
    assert Invoice.select().count() == 2


@pytest.mark.parametrize("amount", ["12,00", "-12,00"])
def test_a_credit_note_is_negative_whatever_sign_the_file_uses(desk, customer, amount):
    desk.take("fatture.csv", f"{INVOICES};tipo", f"1;05/11/2026;000001;{amount};nota_credito")
    assert (Invoice.get().amount_cents, Invoice.get().kind) == (-1200, "credit_note")
    desk.take("fatture_2.csv", INVOICES, "1;05/11/2026;000001;13")
    assert Invoice.get().amount_cents == -1300


def test_an_amount_with_three_decimals_is_an_error(desk, customer):
    errors = desk.reject("fatture.csv", INVOICES, "1;05/11/2026;000001;12,345")
    assert said(errors) == [(2, "importo")]


def test_a_supply_of_another_customer_is_an_error(desk, customer):
    make_gas(make_customer("000002"), "PR9")
    errors = desk.reject(
        "fatture.csv", f"{INVOICES};codice_fornitura",
        "1;05/11/2026;000001;12;PR1 PR9", "2;05/11/2026;000001;12;PR8",
    )  # fmt: skip
    assert said(errors) == [(2, "codice_fornitura"), (3, "codice_fornitura")]
    assert "PR9" in errors[0][3]


def test_an_invoice_that_changes_customer_must_tell_its_supplies(desk, customer):
    make_invoice(customer, SupplyPoint.get(code="PR1"), number="1", date=dt.date(2026, 11, 5))
    make_customer("000002")
    errors = desk.reject("fatture.csv", INVOICES, "1;05/11/2026;000002;123,45")
    assert said(errors) == [(2, "codice_cliente")]


def test_paying_an_invoice_leaves_its_other_data_and_its_instalments(desk, customer):
    invoice = make_invoice(customer, SupplyPoint.get(code="PR1"), number="1", amount_cents=3000)
    Instalment.delete().execute()
    for day in (21, 30):
        Instalment.create(invoice=invoice, due_on=dt.date(2026, 10, day), amount_cents=1500)
    report = desk.take("fatture.csv", f"{INVOICES};stato", "1;01/10/2026;000001;30;pagata")
    assert report.changed == 1
    assert Invoice.get().paid
    assert Instalment.select().count() == 2
    assert InvoiceSupply.select().count() == 1


def test_another_due_date_replaces_the_instalments(desk, customer):
    make_invoice(customer, number="1", amount_cents=3000)
    header = f"{INVOICES};scadenza"
    desk.take("fatture.csv", header, "1;01/10/2026;000001;30;31/12/2026")
    assert [row.due_on for row in Instalment.select()] == [dt.date(2026, 12, 31)]
    desk.take("fatture_2.csv", header, "1;01/10/2026;000001;30;")
    assert not Instalment.select().exists()


def test_other_supplies_replace_those_of_the_invoice(desk, customer):
    make_invoice(customer, SupplyPoint.get(code="PR1"), number="1", amount_cents=3000)
    header = f"{INVOICES};codice_fornitura"
    desk.take("fatture.csv", header, "1;01/10/2026;000001;30;PR2")
    assert [row.supply.code for row in InvoiceSupply.select()] == ["PR2"]
    desk.take("fatture_2.csv", header, "1;01/10/2026;000001;30;")
    assert not InvoiceSupply.select().exists()
    assert not Invoice.get().names_supplies


# -- documents of invoices -----------------------------------------------------------------

WITH_DOCUMENT = f"{INVOICES};documento"


def test_a_document_moves_with_the_file_that_names_it(desk, customer):
    desk.attach("f1.pdf")
    desk.attach("other.pdf")
    desk.take("fatture.csv", WITH_DOCUMENT, "1;05/11/2026;000001;12;f1.pdf")
    row = Invoice.get().document
    assert (row.path, row.name, row.size) == ("f1.pdf", "f1.pdf", len(PDF))
    assert (desk.documents / "f1.pdf").read_bytes() == PDF
    assert sorted(path.name for path in (desk.inbox / "allegati").iterdir()) == ["other.pdf"]


def test_a_different_document_of_the_same_name_overwrites_nothing(desk, customer):
    desk.attach("f1.pdf")
    desk.take("fatture.csv", WITH_DOCUMENT, "1;05/11/2026;000001;12;f1.pdf")
    desk.attach("f1.pdf", PDF + b"% second\n")
    report = desk.take(
        "fatture_2.csv", WITH_DOCUMENT, "1;05/11/2026;000001;12;f1.pdf", "2;05/11/2026;000001;5;"
    )
    assert (report.added, report.changed) == (1, 1)
    row = Invoice.get(number="1").document
    assert row.name == "f1.pdf"
    assert row.path == f"f1~{row.sha256[:8]}.pdf"
    assert (desk.documents / row.path).read_bytes() == PDF + b"% second\n"
    assert (desk.documents / "f1.pdf").read_bytes() == PDF


def test_a_document_that_is_stored_already_may_be_named_again(desk, customer):
    desk.attach("f1.pdf")
    desk.take("fatture.csv", WITH_DOCUMENT, "1;05/11/2026;000001;12;f1.pdf")
    report = desk.take("fatture_2.csv", WITH_DOCUMENT, "1;05/11/2026;000001;13;f1.pdf")
    assert report.changed == 1
    assert Invoice.get().document.path == "f1.pdf"
    assert StoredFile.select().count() == 1


def test_a_document_that_lies_in_documents_by_hand_may_be_named(desk, customer):
    (desk.documents / "f1.pdf").write_bytes(PDF)
    desk.take("fatture.csv", WITH_DOCUMENT, "1;05/11/2026;000001;12;f1.pdf")
    assert Invoice.get().document.path == "f1.pdf"


def test_an_empty_cell_takes_the_document_away_from_the_invoice(desk, customer):
    desk.attach("f1.pdf")
    desk.take("fatture.csv", WITH_DOCUMENT, "1;05/11/2026;000001;12;f1.pdf")
    desk.take("fatture_2.csv", WITH_DOCUMENT, "1;05/11/2026;000001;12;")
    assert Invoice.get().document is None
    assert (desk.documents / "f1.pdf").exists()


def test_a_document_of_another_customers_invoice_is_an_error(desk, customer):
    make_customer("000002")
    desk.attach("f1.pdf")
    desk.take("fatture.csv", WITH_DOCUMENT, "1;05/11/2026;000001;12;f1.pdf")
    errors = desk.reject("fatture_2.csv", WITH_DOCUMENT, "2;05/11/2026;000002;12;f1.pdf")
    assert said(errors) == [(2, "documento")]


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../portale.db", "..", ".", ".x.pdf", "a/b.pdf", "a\\b.pdf", "a\x00.pdf",
     "x" * 300 + ".pdf", "missing.pdf", "folder.pdf", "link.pdf", "fifo.pdf", "page.pdf",
     "empty.pdf", "~"],
)  # fmt: skip
def test_row_20_a_document_name_that_leads_elsewhere_is_an_error(desk, customer, name):
    attachments = desk.inbox / "allegati"
    (attachments / "folder.pdf").mkdir()
    (attachments / "link.pdf").symlink_to("/etc/passwd")
    os.mkfifo(attachments / "fifo.pdf")
    desk.attach("page.pdf", b"<html>%PDF</html>")
    desk.attach("empty.pdf", b"")
    errors = desk.reject("fatture.csv", WITH_DOCUMENT, f"1;05/11/2026;000001;12;{name}")
    assert said(errors) == [(2, "documento")]
    assert desk.placed() == []
    assert not Invoice.select().exists()


def test_a_rejected_file_leaves_its_documents_in_place(desk, customer):
    desk.attach("f1.pdf")
    desk.reject(
        "fatture.csv", WITH_DOCUMENT, "1;05/11/2026;000001;12;f1.pdf", "2;x;000001;12;f1.pdf"
    )
    assert (desk.inbox / "allegati" / "f1.pdf").exists()
    assert desk.placed() == []
