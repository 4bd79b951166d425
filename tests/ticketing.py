"""Tickets as tests open them, and what is seen of them afterwards."""

import datetime as dt
import json
from contextlib import contextmanager

import pytest

from domain import ticket_list, tickets
from domain.errors import Refused
from models import Event, OutgoingMail, Ticket

NOW = dt.datetime(2026, 11, 23, 8, 30, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(minutes=5)
DAY = dt.timedelta(days=1)
DEADLINES = {"complaint": 30, "billing": 60}


def opened(account, *, category="information", subject="Oggetto", text="Testo", now=NOW, **values):
    customer = account.grants.get().customer_id
    return tickets.open_ticket(
        customer,
        values.pop("supply", None),
        account.id,
        category=category,
        subject=subject,
        text=text,
        deadlines=DEADLINES,
        now=now,
        **values,
    )


def again(ticket):
    return Ticket.get_by_id(ticket.id)


def texts(ticket):
    return [turn.text for turn, _files in ticket_list.turns(ticket.id)]


def events():
    return [(row.kind, json.loads(row.details)) for row in Event.select().order_by(Event.id)]


def mails():
    return [(row.kind, row.recipient) for row in OutgoingMail.select().order_by(OutgoingMail.id)]


@contextmanager
def refused(words):
    with pytest.raises(Refused, match=words):
        yield
