"""Row 26: erasure keeps only what the law keeps, and survives the next import."""

import datetime as dt
import json

import pytest

from domain import accounts, erasing, erasure, own_data
from domain.clock import rome_day, utcnow
from domain.errors import Refused
from domain.imports.inbox import Inbox
from models import (
    TABLES,
    Account,
    Customer,
    ErasureRequest,
    Grant,
    Invoice,
    LeftoverFile,
    MeasuredDay,
    OutgoingMail,
    SelfReading,
    StoredFile,
    SupplyPoint,
    Ticket,
)
from tests.factories import (
    make_account,
    make_attachment,
    make_consumption,
    make_contract,
    make_customer,
    make_document,
    make_electricity,
    make_event,
    make_file,
    make_gas,
    make_invoice,
    make_mail,
    make_measured_day,
    make_self_reading,
    make_ticket,
)
from tests.security.routes import archive

TODAY = rome_day(utcnow())
YESTERDAY = TODAY - dt.timedelta(days=1)
CANARIES = (
    "canarino@example.it", "altro@example.it", "0574 123456", "Testo segreto", "Casa al mare",
    "segreto.pdf", "LETTERA PERSONALE", "192.0.2.77",
)  # fmt: skip


@pytest.fixture
def customer(app):
    """One who has left, with one of each thing."""
    customer = make_customer(
        "000777", phone="0574 123456", fax="0574 123456", email="altro@example.it"
    )
    account = make_account(customer, email="canarino@example.it")
    gas = make_gas(customer, ended_on=YESTERDAY)
    power = make_electricity(customer, ended_on=YESTERDAY)
    for year in (TODAY.year, TODAY.year - 10, TODAY.year - 11):
        day = dt.date(year, 1, 1)
        make_invoice(customer, power, date=day, document=make_file(app, f"f{year}.pdf"))
        make_consumption(power, day, day, total=year)
        make_self_reading(gas, day, year, state="cancelled", account=account)
    make_measured_day(power, YESTERDAY)
    make_contract(power, YESTERDAY)
    file = make_file(app, "lettera.pdf")
    make_document("LETTERA PERSONALE", customer=customer, text="Testo segreto", file=file)
    closed = {"state": "closed", "closed_at": utcnow(), "category": "complaint", "account": account}
    ticket = make_ticket(customer, subject="Testo segreto", texts=["Testo segreto"], **closed)
    make_attachment(app, ticket, "segreto.pdf")
    make_event("access", account=account, address="192.0.2.77")
    make_event("preferences_changed", account=account, customer=customer, nickname="Casa al mare")
    make_mail(account)
    make_mail(recipient="Altro@example.it", params=json.dumps({"x": "Testo segreto"}))
    return customer


def erase(customer, documents=None):
    erasing.erase(customer.id, now=utcnow())
    if documents:
        return erasing.remove_files(documents)


def stored():
    """Everything that is stored, without the mail that still has to go."""
    return {table: rows for table, rows in archive().items() if table is not OutgoingMail}


def files(app):
    documents = app.config["DATA_DIR"] / "documents"
    return sorted(path.name for path in documents.rglob("*") if path.is_file())


def test_row_26_nothing_stays_but_what_the_law_keeps(app, customer):
    assert all(canary in str(archive()) for canary in CANARIES)
    erase(customer, app.config["DATA_DIR"] / "documents")
    for canary in CANARIES:
        assert canary not in str(stored()), canary
    kept = [TODAY.year, TODAY.year - 10]
    assert sorted(row.year for row in Invoice.select()) == sorted(kept)
    assert files(app) == sorted(f"f{year}.pdf" for year in kept)
    assert {row.path for row in StoredFile.select()} == set(files(app))
    left = Customer.get()
    assert (left.name, left.phone, left.fax, left.email) == (customer.name, None, None, None)
    assert left.tax_code == customer.tax_code
    assert left.erased_at
    ticket = Ticket.get()
    assert (ticket.category, ticket.subject, ticket.messages.count()) == (
        "complaint", "(cancellato)", 0,
    )  # fmt: skip
    for table in (SelfReading, MeasuredDay, Grant, LeftoverFile):
        assert table.select().count() == 0, table


def test_row_26_the_customer_is_told_before_the_address_goes(app, customer):
    erase(customer)
    [mail] = OutgoingMail.select()
    assert (mail.kind, mail.recipient, mail.account_id) == (
        "erasure_done", "canarino@example.it", None,
    )  # fmt: skip
    assert ErasureRequest.get().settled_at


def test_row_26_who_never_signed_in_is_told_at_the_contact(app):
    customer = make_customer(email="uno@example.it; due@example.it")
    erase(customer)
    told = sorted(mail.recipient for mail in OutgoingMail.select())
    assert told == ["due@example.it", "uno@example.it"]


def test_row_26_with_nothing_to_keep_only_the_code_stays(app):
    customer = make_customer("000778", name="ROSSI MARIA", tax_code="RSSMRA60A41H501X")
    supply = make_gas(customer, ended_on=YESTERDAY, pdr="09990000000001", street="VIA SEGRETA")
    make_invoice(customer, supply, date=dt.date(TODAY.year - 11, 12, 31))
    erase(customer)
    everything = str(stored())
    for canary in ("ROSSI", "RSSMRA", "09990000000001", "SEGRETA"):
        assert canary not in everything
    assert (Customer.get().code, SupplyPoint.get().ended_on) == ("000778", YESTERDAY)


@pytest.mark.parametrize(
    ("hinder", "sentence"),
    [
        (lambda own: make_gas(own), "fornitura attiva"),
        (lambda own: make_gas(own, ended_on=TODAY), "fornitura attiva"),
        (
            lambda own: make_self_reading(make_gas(own, ended_on=YESTERDAY), YESTERDAY, 7),
            "prossima acquisizione",
        ),
        (lambda own: make_ticket(own), "ticket del cliente"),
    ],
)
def test_row_26_what_is_still_needed_keeps_a_customer(app, hinder, sentence):
    customer = make_customer(phone="0574 1")
    make_account(customer)
    hinder(customer)
    before = archive()
    with pytest.raises(Refused, match=sentence):
        erase(customer)
    assert archive() == before


def test_erased_twice_is_erased_once(app, customer):
    erase(customer)
    before = archive()
    with pytest.raises(Refused, match="già stati cancellati"):
        erase(customer)
    assert archive() == before


def test_others_keep_what_is_theirs(app, customer):
    other = make_customer()
    both = make_account(other)
    Grant.create(account=both, customer=customer)
    make_event("access", account=both)
    make_ticket(other)
    shared = StoredFile.get(StoredFile.path == "lettera.pdf")
    make_document("Per tutti", file=shared)
    passed_on = make_electricity(other, active_from=TODAY)
    make_invoice(customer, passed_on, date=TODAY)
    make_measured_day(passed_on, YESTERDAY)
    make_measured_day(passed_on, TODAY)
    untouched = {table: rows for table, rows in archive().items() if table is Account}
    erase(customer, app.config["DATA_DIR"] / "documents")
    assert [grant.customer_id for grant in both.grants] == [other.id]
    assert Account.get_by_id(both.id).email == both.email
    assert str(both.email) in str(untouched)
    assert other.id in {ticket.customer_id for ticket in Ticket.select() if ticket.messages}
    assert "lettera.pdf" in files(app)
    assert [row.day for row in MeasuredDay.select()] == [TODAY]


def test_the_next_customer_of_the_supply_sees_no_reading_of_the_erased(app):
    former, following = make_customer(), make_customer()
    account = make_account(former)
    supply = make_gas(following, active_from=TODAY)
    make_self_reading(supply, YESTERDAY, 42, state="cancelled", account=account)
    erase(former)
    seen = SelfReading.of(make_account(following).id)
    assert list(seen) == []


def test_the_number_of_a_login_goes_to_nobody_else(app, customer):
    """Links that end notices and the cookies of known browsers name it."""
    number = Account.get().id
    erase(customer)
    assert make_account().id > number
    assert Account.get_by_id(number).disabled_at


def test_whatever_belongs_to_a_login_goes_with_it(app, customer):
    account = Account.get()
    erase(customer)
    for table in TABLES:
        for field, target in table._meta.refs.items():
            if target is Account:
                assert not table.select().where(field == account.id).exists(), field


# -- Files ---------------------------------------------------------------------------------


def test_a_process_killed_before_the_files_are_removed_leaves_them_to_the_next(
    app, customer, monkeypatch
):
    documents = app.config["DATA_DIR"] / "documents"
    erase(customer)
    assert "lettera.pdf" in files(app)
    monkeypatch.setattr(erasing, "_remove", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        erasing.remove_files(documents)
    monkeypatch.undo()
    assert erasing.remove_files(documents) == 3
    assert "lettera.pdf" not in files(app)
    assert erasing.remove_files(documents) == 0


def test_a_file_that_nobody_may_remove_waits(app, customer, monkeypatch):
    erase(customer)

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(erasing, "_remove", refuse)
    assert erasing.remove_files(app.config["DATA_DIR"] / "documents") == 0
    assert LeftoverFile.select().count() == 3


# -- What imports bring --------------------------------------------------------------------


def take(app, name, *lines):
    (app.config["DATA_DIR"] / "inbox" / name).write_text("\n".join(lines) + "\n")
    inbox = Inbox(app.config["DATA_DIR"], utility_vat="01234567890")
    [outcome] = inbox.run(now=utcnow())
    assert outcome.state == "applied", outcome.report.errors
    return [warning[3] for warning in outcome.report.warnings]


CUSTOMERS = "codice_cliente;denominazione;partita_iva;telefono;email"
ROW = "000777;ROSSI MARIA;01234560488;0574 123456;altro@example.it"


def test_row_26_the_next_import_brings_no_contact_back(app, customer):
    erase(customer)
    [warning] = take(app, "clienti.csv", CUSTOMERS, ROW)
    assert "cancellati su sua richiesta" in warning
    assert (Customer.get().phone, Customer.get().email) == (None, None)
    documents = "categoria;titolo;data;file;testo;codice_cliente"
    row = "personale;LETTERA;01/02/2026;lettera.pdf;Testo segreto;000777"
    [warning] = take(app, "documenti.csv", documents, row)
    assert "cancellati su sua richiesta" in warning
    old = f"F9;31/12/{TODAY.year - 11};000777;12,00;f{TODAY.year - 11}.pdf"
    [warning] = take(app, "fatture.csv", "numero;data;codice_cliente;importo;documento", old)
    assert "Testo segreto" not in str(stored())


def test_row_26_erased_while_an_import_reads(app, customer, monkeypatch):
    place = Inbox._apply

    def late(self, *args):
        erase(customer)
        place(self, *args)

    monkeypatch.setattr(Inbox, "_apply", late)
    take(app, "clienti.csv", CUSTOMERS, ROW)
    assert Customer.get().email is None


def test_row_26_what_is_brought_back_goes_the_next_night(app, customer):
    erase(customer)
    power = SupplyPoint.get(SupplyPoint.service == "EE")
    make_measured_day(power, YESTERDAY)
    make_contract(power, YESTERDAY)
    make_consumption(power, dt.date(2010, 1, 1), dt.date(2010, 1, 31))
    before = str(archive())
    assert erasing.again(now=utcnow()) == 1
    after = str(archive())
    assert len(after) < len(before)
    assert "LUCE SERENA" not in after
    assert MeasuredDay.select().count() == 0


def test_who_has_a_supply_again_is_a_customer_again(app, customer):
    erase(customer)
    make_electricity(customer)
    assert take(app, "clienti.csv", CUSTOMERS, ROW) == []
    assert Customer.get().phone == "0574 123456"
    assert erasing.again(now=utcnow()) == 0
    assert Customer.get().erased_at is None


def test_after_ten_years_the_rest_goes_too(app, customer):
    erase(customer)
    erasing.again(now=utcnow().replace(year=TODAY.year + 11))
    assert Invoice.select().count() == 0
    assert Customer.get().name == "(cancellato)"


def test_nobody_registers_with_the_invoice_of_an_erased_customer(app, customer):
    erase(customer)
    customer = Customer.get()
    with pytest.raises(Refused):
        accounts.claim(customer.code, customer.vat_number, address="192.0.2.1", now=utcnow())
    with pytest.raises(Refused):
        accounts.register(
            customer.id, "x@example.it", keep=False, address="192.0.2.1", now=utcnow()
        )


# -- Declined ------------------------------------------------------------------------------


def test_a_request_is_declined_with_its_reason(app):
    account = make_account()
    customer = account.grants.get().customer
    erasure.ask(customer.id, account.id, now=utcnow())
    erasing.decline(customer.id, "Il contratto è in corso.", now=utcnow())
    request = ErasureRequest.get()
    assert request.settled_at
    assert request.refusal == "Il contratto è in corso."
    mail = OutgoingMail.get(OutgoingMail.kind == "erasure_declined")
    assert json.loads(mail.params)["reason"] == "Il contratto è in corso."
    [told] = own_data.customer(customer, utcnow())["richieste_di_cancellazione"]
    assert told["non_accolta_perche"] == "Il contratto è in corso."
    with pytest.raises(Refused):
        erasing.decline(customer.id, "Ancora.", now=utcnow())
