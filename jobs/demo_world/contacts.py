"""The telephone that PROVA S.P.A. changed in the portal: billing has been told, and knows it."""

import datetime as dt

from domain import contacts, handover
from domain.clock import rome_instant
from models import ContactChange

BEFORE = dt.timedelta(days=94)
MORNING = dt.time(9, 12)
HALF_AN_HOUR, A_WEEK = dt.timedelta(minutes=30), dt.timedelta(weeks=1)
PHONE, FAX = "+39 0574 000022", "0574 000023"


def live(account, customer, *, today):
    """Change the contacts of `customer`; return the batch that took the change."""
    at = rome_instant(today - BEFORE, MORNING)
    contacts.change(customer.id, {"phone": PHONE, "fax": FAX}, account=account, now=at)
    batch, _changes = handover.assign(contacts.CONTACTS, now=at + HALF_AN_HOUR)
    batch.placed_at = at + HALF_AN_HOUR
    batch.save()
    contacts.settle(ContactChange.batch == batch, now=at + A_WEEK)
    return batch
