"""What customers are told by mail when its day comes, and that they are told once."""

import datetime as dt
import json

import pytest

from domain import reminders
from domain.clock import rome_instant
from domain.mail import outbox
from models import Account, OutgoingMail, ReadingBatch, SelfReading, SupplyPoint
from tests.factories import (
    make_account,
    make_customer,
    make_electricity,
    make_gas,
    make_invoice,
    make_self_reading,
    make_window,
)
from tests.together import at_once

TODAY = dt.date(2026, 11, 23)
DAY = dt.timedelta(days=1)
VAT = "09999010979"


def at(day, hour=7, minute=15):
    return rome_instant(day, dt.time(hour, minute))


def window(first, last, **values):
    """From 8 of the first day to the end of the last."""
    return make_window(at(first, 8, 0), rome_instant(last + DAY, dt.time()), **values)


def told(kind):
    """{user name: what the mail of `kind` says}."""
    mails = OutgoingMail.select().where(OutgoingMail.kind == kind).order_by(OutgoingMail.id)
    found = [(mail.account.username, json.loads(mail.params)) for mail in mails]
    assert len(dict(found)) == len(found), "somebody was told twice"
    return dict(found)


@pytest.fixture
def rosa(app):
    """A customer with a gas supply, and a login."""
    customer = make_customer("000002")
    make_gas(customer, "PR000002", distributor_vat=VAT, pdr="00000000000002")
    return make_account(customer, email="rosa@example.it")


# -- A window opens ------------------------------------------------------------------------


def test_a_window_that_opens_today_is_told_to_whom_it_concerns(rosa):
    make_electricity(make_account().grants.get().customer)  # nobody asks them
    window(TODAY, TODAY + 4 * DAY)
    assert reminders.windows_opening(now=at(TODAY)) == 1
    assert told("window_opens") == {
        "000002": {
            "from_day": "2026-11-23", "from_time": "08:00",
            "to_day": "2026-11-27", "to_time": "23:59",
            "supplies": ["PR000002 (Pdr: 00000000000002); VIA PROVA 5 - 48124 RAVENNA (RA)"],
        }
    }  # fmt: skip
    mail = OutgoingMail.get()
    assert (mail.recipient, mail.bulk, mail.state) == ("rosa@example.it", True, "queued")


@pytest.mark.parametrize(("days", "mails"), [(-2, 0), (-1, 0), (0, 1), (1, 1), (2, 0)])
def test_it_is_told_on_its_day_or_a_day_late(rosa, days, mails):
    window(TODAY, TODAY + 4 * DAY)
    assert reminders.windows_opening(now=at(TODAY + days * DAY)) == mails


def test_one_that_was_over_before_it_could_be_told_is_not(rosa):
    make_window(at(TODAY, 1, 0), at(TODAY, 6, 0))
    assert reminders.windows_opening(now=at(TODAY)) == 0


def test_day_after_day_nobody_is_told_twice(rosa):
    window(TODAY, TODAY + 4 * DAY)
    for hour in (0, 1, 24, 25):
        reminders.windows_opening(now=at(TODAY) + dt.timedelta(hours=hour))
    assert len(told("window_opens")) == 1


def test_a_window_whose_hours_were_corrected_is_told_again(rosa):
    row = window(TODAY, TODAY + 4 * DAY)
    reminders.windows_opening(now=at(TODAY))
    row.closes_at += DAY
    row.save()
    assert reminders.windows_opening(now=at(TODAY, 9)) == 1


def test_a_window_concerns_one_supply_one_distributor_or_all(app):
    supplies = [
        make_gas(make_customer(f"00000{n}"), f"PR{n}", distributor_vat=vat)
        for n, vat in enumerate((VAT, VAT, "01111111111", None))
    ]
    for supply in supplies:
        make_account(supply.customer)
    window(TODAY, TODAY + 4 * DAY, supply=supplies[3])
    assert reminders.windows_opening(now=at(TODAY)) == 1
    assert list(told("window_opens")) == ["000003"]
    window(TODAY, TODAY + 5 * DAY, distributor_vat=VAT)
    assert reminders.windows_opening(now=at(TODAY)) == 2
    window(TODAY, TODAY + 6 * DAY)
    assert reminders.windows_opening(now=at(TODAY)) == 4


def test_all_supplies_of_an_account_are_in_one_mail(rosa):
    customer = rosa.grants.get().customer
    other = make_gas(customer, "PR000001")
    window(TODAY, TODAY + 4 * DAY)
    window(TODAY, TODAY + 4 * DAY, supply=other)
    window(TODAY, TODAY + 4 * DAY, distributor_vat=VAT)
    assert reminders.windows_opening(now=at(TODAY)) == 1
    labels = told("window_opens")["000002"]["supplies"]
    assert [label[:8] for label in labels] == ["PR000001", "PR000002"]


@pytest.mark.parametrize(
    "dates", [{"ended_on": TODAY - DAY}, {"active_from": TODAY + DAY}], ids=["ended", "to come"]
)
def test_a_supply_that_is_not_active_is_left_alone(rosa, dates):
    SupplyPoint.update(dates).execute()
    window(TODAY, TODAY + 4 * DAY)
    assert reminders.windows_opening(now=at(TODAY)) == 0


@pytest.mark.parametrize(
    "wish", [{"notices": False}, {"notices_readings": False}, {"disabled_at": at(TODAY)}]
)
def test_who_wants_no_such_mail_gets_none(rosa, wish):
    Account.update(wish).execute()
    window(TODAY, TODAY + 4 * DAY)
    assert reminders.windows_opening(now=at(TODAY)) == 0


@pytest.mark.parametrize("day", [dt.date(2026, 3, 29), dt.date(2026, 10, 25)])
def test_the_day_the_clock_changes_is_a_day(rosa, day):
    make_window(rome_instant(day, dt.time(23)), rome_instant(day + 5 * DAY, dt.time()))
    assert reminders.windows_opening(now=at(day - DAY, 23)) == 0
    assert reminders.windows_opening(now=at(day, 0)) == 1


# -- A window closes -----------------------------------------------------------------------


@pytest.mark.parametrize(("days", "mails"), [(1, 0), (2, 0), (3, 1), (4, 1), (5, 0)])
def test_the_end_is_told_the_day_before_or_on_the_last_day(rosa, days, mails):
    window(TODAY, TODAY + 4 * DAY)
    assert reminders.windows_closing(now=at(TODAY + days * DAY)) == mails


@pytest.mark.parametrize("state", SelfReading.LIVE)
def test_who_has_entered_a_reading_is_not_reminded(rosa, state):
    other = make_account()
    make_gas(other.grants.get().customer)
    window(TODAY, TODAY + 4 * DAY)
    supply = SupplyPoint.get(code="PR000002")
    batch = ReadingBatch.create(number=1, created_at=at(TODAY), content=b"")
    batch = None if state == "pending" else batch
    make_self_reading(supply, TODAY, 100, state=state, batch=batch)
    assert reminders.windows_closing(now=at(TODAY + 3 * DAY)) == 1
    assert list(told("window_closes")) == [other.username]


@pytest.mark.parametrize("values", [{"state": "cancelled"}, {"day": TODAY - DAY}])
def test_a_reading_that_does_not_count_is_none(rosa, values):
    window(TODAY, TODAY + 4 * DAY)
    values = {"day": TODAY, "counter": 100, **values}
    make_self_reading(SupplyPoint.get(code="PR000002"), **values)
    assert reminders.windows_closing(now=at(TODAY + 3 * DAY)) == 1


def test_a_window_of_two_days_is_told_once(rosa):
    window(TODAY, TODAY + DAY)
    assert reminders.windows_opening(now=at(TODAY)) == 1
    assert reminders.windows_closing(now=at(TODAY)) == 0


# -- Payments ------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "mails"), [(6, 0), (5, 1), (4, 1), (3, 0), (0, 0)])
def test_what_is_due_in_five_days_is_told_or_a_day_late(rosa, days, mails):
    make_invoice(rosa.grants.get().customer, number="2026/1", due_on=TODAY + days * DAY)
    assert reminders.payments_due(now=at(TODAY)) == mails


def test_the_mail_tells_number_amount_and_day(rosa):
    make_invoice(rosa.grants.get().customer, number="2026/1", due_on=TODAY + 5 * DAY)
    reminders.payments_due(now=at(TODAY))
    invoice = {"number": "2026/1", "due": "2026-11-28", "amount": 12_345, "credit": False}
    assert told("invoice_due") == {
        "000002": {"due": "2026-11-28", "invoices": [invoice], "more": 0}
    }


@pytest.mark.parametrize(
    "values", [{"paid": True}, {"kind": "credit_note"}, {"amount_cents": -1}, {"amount_cents": 0}]
)
def test_what_is_not_to_be_paid_is_not_told(rosa, values):
    make_invoice(rosa.grants.get().customer, due_on=TODAY + 5 * DAY, **values)
    assert reminders.payments_due(now=at(TODAY)) == 0


def test_many_invoices_of_a_day_are_one_mail(rosa):
    for n in range(23):
        make_invoice(rosa.grants.get().customer, number=f"{n:02d}", due_on=TODAY + 5 * DAY)
    assert reminders.payments_due(now=at(TODAY)) == 1
    assert reminders.payments_due(now=at(TODAY + DAY)) == 0
    said = told("invoice_due")["000002"]
    assert (len(said["invoices"]), said["more"]) == (20, 3)


# -- Twice, killed, at once ----------------------------------------------------------------


def test_a_run_that_was_killed_is_completed_by_the_next(app, monkeypatch):
    for _ in range(7):
        make_gas(make_account().grants.get().customer)
    window(TODAY, TODAY + 4 * DAY)
    monkeypatch.setattr(outbox, "MANY", 3)
    queue_some, calls = outbox._queue_some, iter([1, 1, 0])

    def killed(*given):
        return queue_some(*given) if next(calls) else 1 / 0

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "_queue_some", killed)
        with pytest.raises(ZeroDivisionError):
            reminders.windows_opening(now=at(TODAY))
    assert len(told("window_opens")) == 6
    assert reminders.windows_opening(now=at(TODAY)) == 1
    assert len(told("window_opens")) == 7


def test_two_runs_at_once_tell_each_thing_once(app):
    for _ in range(40):
        account = make_account()
        make_gas(account.grants.get().customer)
        make_invoice(account.grants.get().customer, due_on=TODAY + 5 * DAY)
    window(TODAY, TODAY + 4 * DAY)
    for tell, kind in (
        (reminders.windows_opening, "window_opens"), (reminders.payments_due, "invoice_due"),
    ):  # fmt: skip
        counts = at_once(*[lambda tell=tell: tell(now=at(TODAY))] * 4)
        assert sum(counts) == len(told(kind)) == 40
