"""A supply's calendar: what it shows, to whom, and until when."""

import datetime as dt

import pytest
from icalendar import Calendar

from domain import agenda, throttle
from domain.language import speaking
from models import Account, CalendarLink, Event, Grant, Instalment, Nickname
from tests.factories import (
    make_account,
    make_customer,
    make_electricity,
    make_gas,
    make_invoice,
    make_window,
)
from tests.together import at_once

NOW = dt.datetime(2026, 11, 23, 8, 30, tzinfo=dt.UTC)
KEY = "una-chiave-di-prova-lunga-abbastanza"


@pytest.fixture
def customer(app):
    return make_customer("000002", name="ROSSI ROSA", email="rosa@example.it")


@pytest.fixture
def supply(customer):
    return make_gas(customer, code="PR000001", distributor_vat="00489490011")


@pytest.fixture
def account(customer):
    return make_account(customer)


def token(account, supply):
    agenda.make(account.id, supply, now=NOW)
    return agenda.token(agenda.link(account.id, supply), key=KEY)


def read(text, *, now=NOW, address="192.0.2.1"):
    utility = {"utility": "Prova Energia", "portal": "https://portale.example"}
    return agenda.read(text, address=address, key=KEY, now=now, **utility)


def events(account, supply, *, now=NOW):
    content = read(token(account, supply), now=now)
    return Calendar.from_ical(content).walk("VEVENT")


def shown(account, supply, **given):
    return sorted(str(event["summary"]) for event in events(account, supply, **given))


def test_an_empty_calendar_opens(account, supply):
    assert events(account, supply) == []


def test_unpaid_invoices_are_whole_days(account, supply, customer):
    make_invoice(customer, supply, number="F77", date=dt.date(2026, 11, 10), amount_cents=123456)
    (event,) = events(account, supply)
    assert event.decoded("dtstart") == dt.date(2026, 11, 30)
    assert str(event["summary"]) == "Fattura da pagare: 1.234,56\N{NO-BREAK SPACE}€"
    assert str(event["description"]) == "Fattura F77, PR000001"
    assert event["url"] == "https://portale.example/forniture/PR000001/fatture"


def test_each_instalment_has_its_day_and_its_amount(account, supply, customer):
    invoice = make_invoice(customer, supply, date=dt.date(2026, 11, 10), amount_cents=10000)
    Instalment.update(amount_cents=4000).execute()
    Instalment.create(invoice=invoice, due_on=dt.date(2027, 1, 31), amount_cents=6000)
    found = {event.decoded("dtstart"): str(event["summary"]) for event in events(account, supply)}
    assert found == {
        dt.date(2026, 11, 30): "Fattura da pagare: 40,00\N{NO-BREAK SPACE}€",
        dt.date(2027, 1, 31): "Fattura da pagare: 60,00\N{NO-BREAK SPACE}€",
    }
    assert len({event["uid"] for event in events(account, supply)}) == 2


def test_an_invoice_without_instalments_has_its_due_date(account, supply, customer):
    make_invoice(customer, supply, date=dt.date(2026, 11, 10))
    Instalment.delete().execute()
    assert shown(account, supply) == ["Fattura da pagare: 123,45\N{NO-BREAK SPACE}€"]


def test_only_what_this_supply_has_to_pay(account, supply, customer):
    other = make_gas(customer)
    make_invoice(customer, other)
    make_invoice(customer, supply, paid=True)
    make_invoice(customer, supply, kind="credit_note", amount_cents=-500)
    make_invoice(customer, supply, due_on=None)
    make_invoice(make_customer(), supply)  # of whoever had the supply before
    assert events(account, supply) == []


def test_reading_windows_open_and_close_at_their_instants(account, supply):
    opens, closes = NOW + dt.timedelta(days=3), NOW + dt.timedelta(days=8)
    window = make_window(opens, closes)
    (event,) = events(account, supply)
    assert (event.decoded("dtstart"), event.decoded("dtend")) == (opens, closes)
    assert str(event["summary"]) == "Autolettura gas: PR000001"
    assert event["uid"] == f"periodo-{window.id}-{supply.id}@portale.example"
    assert "dal 26/11/2026 alle ore 09:30" in event["description"]


def test_windows_of_other_supplies_and_of_long_ago_are_not_there(account, supply):
    make_window(NOW - dt.timedelta(days=200), NOW - dt.timedelta(days=190))
    make_window(NOW, NOW + dt.timedelta(days=1), supply=make_gas())
    make_window(NOW, NOW + dt.timedelta(days=1), distributor_vat="01234567890")
    assert events(account, supply) == []


def test_electricity_and_ended_supplies_have_no_windows(account, customer):
    make_window(NOW, NOW + dt.timedelta(days=1))
    assert events(account, make_electricity(customer)) == []
    assert events(account, make_gas(customer, ended_on=dt.date(2026, 10, 31))) == []


def test_the_name_of_the_supply_is_shown_and_nothing_of_the_person(account, supply, customer):
    Nickname.create(account=account, supply=supply, text="Casa; al mare")
    make_invoice(customer, supply)
    make_window(NOW, NOW + dt.timedelta(days=1))
    content = read(token(account, supply))
    assert b"\r\nNAME:Prova Energia: Casa\\; al mare (PR000001)\r\n" in content
    text = content.decode()
    for personal in ("ROSSI", "rosa@", "000002", "RAVENNA", supply.pdr):
        assert personal not in text


def test_the_bytes_are_the_same_all_day(account, supply, customer):
    make_invoice(customer, supply)
    text = token(account, supply)
    assert read(text) == read(text, now=NOW + dt.timedelta(hours=14))
    assert read(text) != read(text, now=NOW + dt.timedelta(hours=15))  # midnight in Rome


def test_of_many_at_once_one_makes_the_address(app, account, supply):
    at_once(*[lambda: agenda.make(account.id, supply, now=NOW)] * 6)
    assert CalendarLink.select().count() == 1
    assert [event.kind for event in Event.select()] == ["calendar_made"]


# -- Whose address opens -------------------------------------------------------------------


def test_the_archive_alone_opens_nothing(account, supply):
    token(account, supply)
    nonce = CalendarLink.get().nonce
    assert read(nonce) is None
    assert read(f'"{nonce}"') is None
    assert read(agenda.token(CalendarLink.get(), key="un'altra chiave")) is None


@pytest.mark.parametrize("end", ["revoked", "replaced", "disabled", "moved", "not granted"])
def test_the_address_ends(account, supply, end):
    text = token(account, supply)
    assert read(text)
    if end == "revoked":
        agenda.revoke(account.id, supply, now=NOW)
    elif end == "replaced":
        agenda.replace(account.id, supply, now=NOW)
    elif end == "disabled":
        Account.update(disabled_at=NOW).execute()
    elif end == "moved":
        supply.customer = make_customer()
        supply.save()
    else:
        Grant.delete().execute()
    assert read(text) is None


def test_two_logins_have_addresses_of_their_own(account, supply, customer):
    other = make_account(customer, username="altro")
    mine, theirs = token(account, supply), token(other, supply)
    agenda.revoke(account.id, supply, now=NOW)
    assert read(mine) is None
    assert read(theirs)


def test_wrong_addresses_are_limited_and_right_ones_never(account, supply):
    right = token(account, supply)
    for _n in range(throttle.CALENDAR_ADDRESS.most):
        assert read("sbagliato") is None
    with pytest.raises(throttle.TooManyTries):
        read("sbagliato")
    assert read(right)
    assert read("sbagliato", address="192.0.2.2") is None


@pytest.mark.parametrize(
    ("language", "title"),
    [
        (None, "Fattura da pagare: 123,45\xa0€"),
        ("de", "Zu zahlende Rechnung: 123,45\xa0€"),
        ("en", "Invoice to pay: €123.45"),
    ],
)
def test_it_speaks_like_its_owner_whoever_asks(account, supply, customer, language, title):
    Account.update(language=language).execute()
    make_invoice(customer, supply, due_on=dt.date(2026, 12, 1), amount_cents=12_345)
    with speaking("it" if language else "de"):
        assert shown(account, supply) == [title]
