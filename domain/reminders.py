"""What customers are told by mail when its day comes: reading windows, payments.

Each thing is told an account once, however often and on however many machines this runs: the
queue takes one mail of the same `once`. What a missed run should have told is told the day after;
later not.
"""

import datetime as dt
from collections import defaultdict
from itertools import groupby

from peewee import fn

from domain import mail, supplies, windows
from domain.clock import rome_day, rome_instant
from domain.invoices import unpaid
from models import Grant, Instalment, Invoice, ReadingWindow, SelfReading, SupplyPoint

DAY = dt.timedelta(days=1)
BEFORE_DUE = 5 * DAY
LISTED = 20  # invoices in one mail


def windows_opening(*, now):
    """Tell of the windows that open today; return how many mails."""
    today = rome_day(now)
    opening = (
        (ReadingWindow.opens_at >= midnight(today - DAY))
        & (ReadingWindow.opens_at < midnight(today + DAY))
        & (ReadingWindow.closes_at > now)
    )
    return _tell_of_windows("window_opens", opening, today, now)


def windows_closing(*, now):
    """Tell of the windows that close tomorrow who has entered no reading; return how many mails.

    One that opened today was told of today.
    """
    today = rome_day(now)
    closing = (
        (ReadingWindow.opens_at < midnight(today))
        & (ReadingWindow.closes_at > now)
        & (ReadingWindow.closes_at <= midnight(today + 2 * DAY))
    )
    return _tell_of_windows("window_closes", closing, today, now)


def midnight(day):
    return rome_instant(day, dt.time())


def _tell_of_windows(kind, condition, today, now):
    """One mail for each account and time, whether its supplies have one window or their own."""
    spans = ReadingWindow.select(ReadingWindow.opens_at, ReadingWindow.closes_at).where(condition)
    told = 0
    for span in list(spans.distinct().order_by(ReadingWindow.opens_at, ReadingWindow.closes_at)):
        from_day, from_time, to_day, to_time = windows.ends(span)
        shown = {"from_day": from_day.isoformat(), "from_time": f"{from_time:%H:%M}",
                 "to_day": to_day.isoformat(), "to_time": f"{to_time:%H:%M}"}  # fmt: skip
        key = f"{kind} {span.opens_at:%Y%m%d%H%M} {span.closes_at:%Y%m%d%H%M}"
        concerned = _concerned(span, today, without_reading=kind == "window_closes")
        notices = (
            mail.Notice(kind, account, {**shown, "supplies": sorted(labels)}, f"{key} {account}")
            for account, labels in sorted(concerned.items())
        )
        told += mail.queue_notices(notices, now=now)
    return told


def _concerned(span, today, *, without_reading):
    """{account id: what its gas supplies are called} that a window of this time concerns."""
    same = (ReadingWindow.opens_at == span.opens_at) & (ReadingWindow.closes_at == span.closes_at)
    general = ReadingWindow.select(ReadingWindow.distributor_vat).where(
        same, ReadingWindow.supply.is_null()
    )
    distributors = {row.distributor_vat for row in general}
    live = _live_gas(today)
    if without_reading:
        live = live.where(SupplyPoint.id.not_in(_read_within(span)))
    # Two queries rather than one with OR, which would compare each window with each supply.
    queries = [live.join_from(SupplyPoint, ReadingWindow).where(same)]
    if None in distributors:
        queries.append(live)
    elif distributors:
        queries.append(live.where(SupplyPoint.distributor_vat.in_(distributors)))
    found = defaultdict(set)
    for query in queries:
        for supply in query.namedtuples().iterator():
            found[supply.account].add(supplies.label(supply))
    return found


def _live_gas(today):
    """The gas supplies of `today`, with the accounts that may see them."""
    point = SupplyPoint
    columns = (point.code, point.service, point.pdr, point.street, point.street_number,
               point.postcode, point.city, point.province)  # fmt: skip
    return (
        point.select(*columns, Grant.account)
        .join(Grant, on=Grant.customer == point.customer)
        .where(
            point.service == "GAS",
            point.ended_on.is_null() | (point.ended_on >= today),
            point.active_from.is_null() | (point.active_from <= today),
        )
    )


def _read_within(span):
    """The ids of the supplies with a reading that counts in a window of this time."""
    first, last = rome_day(span.opens_at), rome_day(span.closes_at - windows.MINUTE)
    return SelfReading.select(SelfReading.supply).where(
        SelfReading.state.in_(SelfReading.LIVE), SelfReading.day.between(first, last)
    )


def payments_due(*, now):
    """Tell of what is to be paid in five days; return how many mails."""
    today = rome_day(now)
    days = [today + BEFORE_DUE, today + BEFORE_DUE - DAY]
    due_on = fn.COALESCE(Instalment.due_on, Invoice.due_on)
    cents = fn.COALESCE(Instalment.amount_cents, Invoice.amount_cents)
    rows = (
        Invoice.select(Grant.account, due_on, Invoice.number, cents)
        .left_outer_join(Instalment, on=Instalment.invoice == Invoice.id)
        .join(Grant, on=Grant.customer == Invoice.customer)
        .where(unpaid(), due_on.in_(days), cents > 0)
        .order_by(Grant.account, due_on, Invoice.id, Instalment.id)
    )
    notices = (
        mail.Notice(
            "invoice_due",
            account,
            {"due": day.isoformat(), **told_of(rest for _account, *rest in some)},
            f"invoice_due {day:%Y%m%d} {account}",
        )
        for (account, day), some in groupby(list(rows.tuples()), key=lambda row: (row[0], row[1]))
    )
    return mail.queue_notices(notices, now=now)


def told_of(rows):
    """What a mail tells of invoices, given as (due day or None, number, cents).

    `credit`: whether it is a credit note.
    """
    rows = [
        {"number": number, "due": due and due.isoformat(), "amount": cents, "credit": cents < 0}
        for due, number, cents in rows
    ]
    return {"invoices": rows[:LISTED], "more": len(rows[LISTED:])}
