"""What a customer changed wins over imports, until billing sends the same."""

import datetime as dt

import pytest

from domain import contacts
from domain.clock import utcnow
from domain.imports import customers
from models import ContactChange, Customer
from tests.factories import make_customer
from tests.together import at_once

HEADER = "codice_cliente;denominazione;partita_iva;telefono;fax;email"


@pytest.fixture
def customer(app):
    return make_customer("000002", phone="0574 1", fax="0574 2", email="vecchia@example.it")


def line(phone="0574 1", fax="0574 2", email="vecchia@example.it", name="A", code="000002"):
    return f"{code};{name};01234560488;{phone};{fax};{email}"


def change(customer, **values):
    contacts.change(customer.id, values, account=None, now=utcnow())


def hand_over(desk):
    contacts.hand_over(desk.data_dir / "outbox", now=utcnow())


def is_open():
    return ContactChange.get().settled_at is None


def test_a_different_value_does_not_replace_it_and_the_report_says_so(desk, customer):
    change(customer, phone="0574 99999")
    hand_over(desk)
    report = desk.take("clienti.csv", HEADER, line(name="NUOVO NOME", fax="0574 3"))
    fresh = Customer.get()
    assert (fresh.name, fresh.phone, fresh.fax) == ("NUOVO NOME", "0574 99999", "0574 3")
    [(row, column, value, message)] = report.warnings
    assert (row, column, value) == (2, "telefono", "0574 1")
    assert "nel portale" in message
    assert is_open()


def test_the_same_value_settles_it_and_imports_rule_again(desk, customer):
    change(customer, phone="0574 99999", email="Nuova@example.it")
    hand_over(desk)
    report = desk.take("clienti_1.csv", HEADER, line("057499999", email="nuova@EXAMPLE.it"))
    assert report.warnings == []
    assert ContactChange.select().where(ContactChange.settled_at.is_null()).count() == 0
    assert Customer.get().phone == "057499999"
    desk.take("clienti_2.csv", HEADER, line("0574 5", email="altra@example.it"))
    assert (Customer.get().phone, Customer.get().email) == ("0574 5", "altra@example.it")


def test_a_row_that_only_confirms_settles_too(desk, customer):
    Customer.update(name="A", vat_number="01234560488").execute()
    change(customer, phone="0574 99999")
    hand_over(desk)
    desk.take("clienti.csv", HEADER, line("0574 99999"))
    assert not is_open()


def test_an_emptied_contact_stays_empty_until_it_is_confirmed(desk, customer):
    change(customer, fax=None)
    hand_over(desk)
    desk.take("clienti_1.csv", HEADER, line())
    assert Customer.get().fax is None
    assert is_open()
    desk.take("clienti_2.csv", HEADER, line(fax=""))
    assert not is_open()


def test_the_same_value_before_the_handing_over_settles_nothing(desk, customer):
    """Billing may not have heard yet of the value in between, which is on its way."""
    change(customer, phone="0574 99999")
    hand_over(desk)
    change(customer, phone="0574 1")
    report = desk.take("clienti.csv", HEADER, line())
    assert report.warnings == []
    assert ContactChange.select().where(ContactChange.settled_at.is_null()).count() == 1
    hand_over(desk)
    last = sorted((desk.data_dir / "outbox").glob("*.csv"))[-1].read_text()
    assert ";telefono;0574 1;0574 99999;" in last


def test_a_file_without_the_column_changes_nothing(desk, customer):
    change(customer, phone="0574 99999")
    hand_over(desk)
    report = desk.take(
        "clienti.csv", "codice_cliente;denominazione;partita_iva", "000002;B;01234560488"
    )
    assert (Customer.get().phone, report.warnings, is_open()) == ("0574 99999", [], True)


def test_others_in_the_same_file_are_imported(desk, customer):
    make_customer("000003", phone="1")
    change(customer, phone="0574 99999")
    desk.take("clienti.csv", HEADER, line(), line("0574 4", code="000003"), line(code="000004"))
    phones = {row.code: row.phone for row in Customer.select()}
    assert phones == {"000002": "0574 99999", "000003": "0574 4", "000004": "0574 1"}


@pytest.mark.parametrize("earlier", [None, "0574 88888"])
def test_a_change_while_the_file_is_read_wins_too(desk, customer, monkeypatch, earlier):
    """After the rows were examined and before they are written."""
    if earlier:
        change(customer, phone=earlier)
        hand_over(desk)
    place = customers.Customers.place

    def meanwhile(kind, entries, documents):
        place(kind, entries, documents)
        change(customer, phone="0574 99999")

    monkeypatch.setattr(customers.Customers, "place", meanwhile)
    desk.take("clienti.csv", HEADER, line(earlier or "0574 4", name="NUOVO NOME"))
    fresh = Customer.get()
    assert (fresh.name, fresh.phone) == ("NUOVO NOME", "0574 99999")
    still_open = ContactChange.select().where(ContactChange.settled_at.is_null())
    assert [row.value for row in still_open] == ["0574 99999"]


@pytest.mark.parametrize("attempt", range(5))
def test_a_change_racing_an_import_wins(desk, customer, attempt):
    desk.put("clienti.csv", HEADER, line("0574 4", name="NUOVO NOME"))
    at_once(lambda: change(customer, phone="0574 99999"), desk.run)
    fresh = Customer.get()
    assert (fresh.name, fresh.phone) == ("NUOVO NOME", "0574 99999")
    assert is_open()


def test_a_dry_run_settles_nothing(desk, customer):
    change(customer, phone="0574 99999")
    hand_over(desk)
    desk.put("clienti.csv", HEADER, line("0574 99999"))
    desk.run(dry_run=True)
    assert is_open()


def test_the_queries_do_not_grow_with_the_changes(desk, app, count_queries):
    rows = [make_customer(f"{n:06d}", phone="1") for n in range(1, 121)]
    for row in rows:
        contacts.change(row.id, {"phone": "0574 77777"}, account=None, now=utcnow())
    desk.put("clienti.csv", HEADER, *(line(code=row.code) for row in rows))
    with count_queries() as queries:
        desk.run(now=utcnow() + dt.timedelta(minutes=1))
    assert len(queries) < 40
    assert {row.phone for row in Customer.select()} == {"0574 77777"}
    hand_over(desk)
    desk.put("clienti.csv", HEADER, *(line("0574 77777", code=row.code) for row in rows))
    with count_queries() as queries:
        desk.run(now=utcnow() + dt.timedelta(minutes=1))
    assert len(queries) < 40
    assert not ContactChange.select().where(ContactChange.settled_at.is_null()).exists()
