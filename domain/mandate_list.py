"""Mandates as they are listed: those that a customer gave, those that a login holds."""

import datetime as dt
from itertools import groupby
from typing import NamedTuple

import peewee as pw

from domain import mandate_links
from domain.clock import rome_day
from models import Customer, Mandate, MandateSupply, Prepared, SupplyPoint

STATES = ("active", "invited", "lapsed", "ended")
ENDED = 50  # on a page, the latest; those that have not ended are all there, to be ended
EVERY = 2**31 - 1


class Listed(NamedTuple):
    """A mandate as it is listed; `state` is of STATES, `supplies` are codes."""

    id: int
    other: str  # the delegate for the customer, the customer for the delegate
    email: str
    scope: str
    ends_on: dt.date
    given_at: dt.datetime
    accepted_at: dt.datetime | None
    ended_at: dt.datetime | None
    ended_by: str | None
    used_on: dt.date | None
    supplies: tuple
    state: str


_COLUMNS = (
    Mandate.id, Mandate.name, Mandate.email, Mandate.scope, Mandate.ends_on, Mandate.given_at,
    Mandate.accepted_at, Mandate.ended_at, Mandate.ended_by, Mandate.used_on,
    Customer.name.alias("customer_name"), SupplyPoint.code.alias("supply"),
)  # fmt: skip


def _listing(field):
    def build(whose, ended):
        past = Mandate.alias()
        ids = past.select(past.id).where(
            getattr(past, field) == whose, past.ended_at.is_null(False)
        )
        latest = pw.Select([ids.order_by(past.id.desc()).limit(ended)], [pw.SQL("id")])
        return (
            Mandate.select(*_COLUMNS)
            .join(Customer, on=Mandate.customer == Customer.id)
            .join(MandateSupply, pw.JOIN.LEFT_OUTER, on=MandateSupply.mandate == Mandate.id)
            .join(SupplyPoint, pw.JOIN.LEFT_OUTER, on=MandateSupply.supply == SupplyPoint.id)
            .where(
                getattr(Mandate, field) == whose,
                Mandate.ended_at.is_null() | Mandate.id.in_(latest),
            )
            .order_by(Mandate.id.desc(), SupplyPoint.code)
        )

    return Prepared("whose ended", build)


_given, _received = _listing("customer"), _listing("account")


def given(customer_id, *, ended=ENDED, now):
    """The customer's mandates, those that count first, and the latest `ended`."""
    return _listed(_given(whose=customer_id, ended=ended), "name", now)


def received(account_id, *, ended=ENDED, now):
    """The same of those that the login holds or held."""
    return _listed(_received(whose=account_id, ended=ended), "customer_name", now)


def _listed(rows, other, now):
    each = (list(some) for _id, some in groupby(rows, key=lambda row: row.id))
    listed = [_one(some, getattr(some[0], other), now) for some in each]
    return sorted(listed, key=lambda one: STATES.index(one.state))


def _one(rows, other, now):
    """Of the rows of a mandate, one for each of its supplies."""
    row = rows[0]
    return Listed(
        row.id, other, row.email, row.scope, row.ends_on, row.given_at, row.accepted_at,
        row.ended_at, row.ended_by, row.used_on,
        tuple(each.supply for each in rows if each.supply), _state(row, now),
    )  # fmt: skip


def _state(row, now):
    """One of STATES; `lapsed` is an invitation that nobody followed in time."""
    if row.ended_at or row.ends_on < rome_day(now):
        return "ended"
    if row.accepted_at:
        return "active"
    return "invited" if now < row.given_at + mandate_links.LIFETIME else "lapsed"
