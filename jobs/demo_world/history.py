"""What PROVA S.P.A. did in the portal in the last year, told by «Storico»."""

import datetime as dt
import json

from domain.clock import rome_instant
from models import Event, Grant, Invoice, SelfReading, SupplyPoint

YEAR = dt.timedelta(days=365)
MINUTE = dt.timedelta(minutes=1)
OFFICE = {"address": "203.0.113.24", "browser": "Firefox", "system": "Windows"}
TELEPHONE = {"address": "198.51.100.71", "browser": "Chrome", "system": "Android"}


def live(account, *, today):
    """Write a year of accesses, readings and downloads, up to the last access of `account`."""
    Event.insert_many(
        {
            "account": account,
            "customer": None,
            "supply": None,
            **event,
            "details": json.dumps(event["details"]),
        }
        for event in [*accesses(account), *readings(today), *downloads(account, today)]
        if event["at"] <= account.last_access_at
    ).execute()


def accesses(account):
    """Every other week in the office, some evenings by telephone; one change of password."""
    last = account.last_access_at
    yield {"at": last, "kind": "access", "details": OFFICE}
    for week in range(1, 52, 2):
        at = last - dt.timedelta(weeks=week) + week * 11 % 90 * MINUTE
        yield {"at": at, "kind": "access", "details": OFFICE}
        if week % 3 == 0:
            evening = at + dt.timedelta(days=2, hours=7, minutes=week)
            yield {"at": evening, "kind": "access", "details": TELEPHONE}
    changed = last - dt.timedelta(weeks=21) + 4 * MINUTE
    yield {"at": changed, "kind": "password_changed", "details": {}}
    yield {"at": changed + MINUTE, "kind": "sessions_closed", "details": {}}
    yield {"at": changed + 9 * MINUTE, "kind": "data_exported", "details": {}}


def readings(today):
    """Those of the last year, as if they had been entered in the portal."""
    own = SelfReading.select(SelfReading, SupplyPoint).join(SupplyPoint)
    for reading in own.where(SelfReading.day > today - YEAR):
        yield {
            "at": reading.entered_at,
            "kind": "reading_entered",
            "customer": reading.supply.customer_id,
            "supply": reading.supply_id,
            "details": {"day": reading.day.isoformat(), "counter": reading.counter},
        }


def downloads(account, today):
    """Most invoices, a few days after they came."""
    invoices = (
        Invoice.select()
        .join(Grant, on=Grant.customer == Invoice.customer)
        .where(
            Grant.account == account,
            Invoice.date > today - YEAR,
            Invoice.document.is_null(False),
        )
    )
    for place, invoice in enumerate(invoices.order_by(Invoice.date, Invoice.id)):
        if place % 4 != 3:
            day = invoice.date + dt.timedelta(days=3 + place % 5)
            yield {
                "at": rome_instant(day, dt.time(9, 5 + place % 50)),
                "kind": "invoice_downloaded",
                "customer": invoice.customer_id,
                "supply": invoice.supply_id,
                "details": {"number": invoice.number},
            }
