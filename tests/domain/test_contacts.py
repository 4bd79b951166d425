"""Contacts that customers change: what holds, what billing gets, what imports may not undo."""

import datetime as dt

import pytest

from domain import accounts, contacts
from domain.formats import batch_csv
from models import ContactBatch, ContactChange, Customer, Event
from tests.factories import make_account, make_customer
from tests.together import at_once

NOW = dt.datetime(2026, 11, 23, 9, 30, tzinfo=dt.UTC)
HALF_AN_HOUR = dt.timedelta(minutes=30)


@pytest.fixture
def outbox(app):
    return app.config["DATA_DIR"] / "outbox"


@pytest.fixture
def customer(app):
    return make_customer("000002", phone="0574 1", fax=None, email="vecchia@example.it")


def change(customer, now=NOW, account=None, **values):
    contacts.change(customer.id, values, account=account, now=now)


def open_values():
    rows = ContactChange.select().where(ContactChange.settled_at.is_null())
    return {row.field: (row.value, row.previous) for row in rows}


def lines(outbox):
    """What billing was told, in the order of the files: (field, value, previous)."""
    found = sorted(outbox.glob("anagrafiche_*.csv"))
    told = [line for path in found for line in batch_csv.read(path.read_bytes())]
    return [(line["campo"], line["valore"], line["valore_precedente"]) for line in told]


# -- A change -------------------------------------------------------------------------------


def test_a_change_holds_at_once_and_waits_for_billing(customer):
    account = make_account(customer)
    change(customer, account=account, phone="0574 22222", fax="0574 3")
    fresh = Customer.get_by_id(customer.id)
    assert (fresh.phone, fresh.fax) == ("0574 22222", "0574 3")
    assert open_values() == {"phone": ("0574 22222", "0574 1"), "fax": ("0574 3", None)}
    assert {row.account_id for row in ContactChange.select()} == {account.id}
    events = [(row.kind, row.customer_id, row.account_id) for row in Event.select()]
    assert events == [("contact_changed", customer.id, account.id)] * 2


def test_what_is_the_same_is_no_change(customer):
    change(customer, phone="0574 1", fax=None)
    assert not ContactChange.select().exists()
    assert not Event.select().exists()


def test_a_contact_can_be_taken_away(customer, outbox):
    change(customer, phone=None)
    assert Customer.get().phone is None
    contacts.hand_over(outbox, now=NOW)
    assert lines(outbox) == [("telefono", "", "0574 1")]


def test_many_changes_at_once_leave_one_that_is_open(customer):
    at_once(*[lambda n=n: change(customer, phone=f"0574 {n}00000") for n in range(8)])
    assert ContactChange.select().count() == 8
    assert open_values() == {"phone": (Customer.get().phone, "0574 1")}


# -- To billing -----------------------------------------------------------------------------


def test_the_file_is_what_the_contract_says(customer, outbox):
    change(customer, phone='+39 0574 "2";3', now=dt.datetime(2026, 7, 1, 22, 30, 5, 9, dt.UTC))
    assert contacts.hand_over(outbox, now=NOW) == (0, 1, 1)
    made = ContactChange.get().id
    assert (outbox / "anagrafiche_000001.csv").read_bytes() == (
        "lotto;id_modifica;codice_cliente;campo;valore;valore_precedente;modificata_il\r\n"
        f'000001;{made};000002;telefono;"+39 0574 ""2"";3";0574 1;2026-07-02T00:30:05+02:00\r\n'
    ).encode()


def test_of_two_changes_before_the_handing_over_the_last_goes_out(customer, outbox):
    change(customer, phone="0574 22222")
    change(customer, phone="0574 33333")
    assert contacts.hand_over(outbox, now=NOW).rows == 1
    assert lines(outbox) == [("telefono", "0574 33333", "0574 1")]
    assert contacts.hand_over(outbox, now=NOW).rows == 0


def test_a_change_after_the_handing_over_goes_out_in_the_next_file(customer, outbox):
    change(customer, phone="0574 22222")
    contacts.hand_over(outbox, now=NOW)
    change(customer, phone="0574 33333")
    contacts.hand_over(outbox, now=NOW)
    assert lines(outbox) == [
        ("telefono", "0574 22222", "0574 1"),
        ("telefono", "0574 33333", "0574 22222"),
    ]
    assert open_values() == {"phone": ("0574 33333", "0574 22222")}


def test_a_change_taken_back_before_the_handing_over_still_tells_the_right_value(customer, outbox):
    change(customer, phone="0574 22222")
    change(customer, phone="0574 1")
    contacts.hand_over(outbox, now=NOW)
    assert lines(outbox) == [("telefono", "0574 1", "0574 1")]


@pytest.mark.parametrize("attempt", range(5))
def test_a_change_racing_the_handing_over_ends_with_the_right_value(customer, outbox, attempt):
    change(customer, phone="0574 22222")
    at_once(
        lambda: change(customer, phone="0574 33333"),
        lambda: contacts.hand_over(outbox, now=NOW),
    )
    contacts.hand_over(outbox, now=NOW)
    told = lines(outbox)
    assert told[-1][:2] == ("telefono", "0574 33333")
    if len(told) == 2:
        assert told == [
            ("telefono", "0574 22222", "0574 1"),
            ("telefono", "0574 33333", "0574 22222"),
        ]
    else:
        assert told == [("telefono", "0574 33333", "0574 1")]
    assert Customer.get().phone == "0574 33333"


def test_the_address_given_at_registration_is_a_change_too(customer, outbox):
    accounts.register(customer.id, "nuova@example.it", keep=True, address="192.0.2.1", now=NOW)
    contacts.hand_over(outbox, now=NOW)
    assert lines(outbox) == [("email", "nuova@example.it", "vecchia@example.it")]
    assert Customer.get().email == "nuova@example.it"


def test_an_address_not_to_be_kept_is_no_change(customer):
    accounts.register(customer.id, "nuova@example.it", keep=False, address="192.0.2.1", now=NOW)
    assert not ContactChange.select().exists()


# -- What billing sends back ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "changed", "sent"),
    [
        ("phone", "+39 0574 123456", "0574123456"),
        ("phone", "0574 / 123.456", "0039-0574 123456"),
        ("fax", None, ""),
        ("email", "Maria@Example.it", " maria@example.IT "),
    ],
)
def test_programs_write_the_same_contact_in_different_ways(field, changed, sent):
    assert contacts.same(field, changed, sent)


@pytest.mark.parametrize(
    ("field", "changed", "sent"),
    [
        ("phone", "0574 123456", "0574 123457"),
        ("phone", "0574 123456", None),
        ("phone", "+33 0574 123456", "0574 123456"),
        ("email", "maria@example.it", "mario@example.it"),
    ],
)
def test_other_contacts_are_not_the_same(field, changed, sent):
    assert not contacts.same(field, changed, sent)


def test_a_batch_number_of_contacts_is_one_of_their_own(customer, outbox):
    change(customer, phone="0574 22222")
    contacts.hand_over(outbox, now=NOW)
    assert ContactBatch.get().file_name == "anagrafiche_000001.csv"
