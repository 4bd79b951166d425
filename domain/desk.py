"""What needs doing at the utility, most urgent first; and how many customers have registered."""

import datetime as dt
from functools import reduce
from typing import NamedTuple

from peewee import SQL, Case, Value, fn

from domain import ticket_queue
from domain.clock import rome_day, rome_instant
from domain.imports import held
from domain.mail import overview
from models import (
    Account,
    Customer,
    ErasureRequest,
    ImportedFile,
    ReadingBatch,
    SelfReading,
    Ticket,
)

SHOWN = 4  # of the tickets, files and requests of a tile
LATELY = dt.timedelta(days=7)  # files that were rejected
LATEST_FILES = 2000  # that are looked at for them
REJECTED_WITHIN = dt.timedelta(days=30)  # readings
MAIL_WAITS = dt.timedelta(hours=1)
ERASED_WITHIN = dt.timedelta(days=30)  # article 12 of Regulation (EU) 2016/679: a month
MONTHS = 12
STATES = LATE, WAITS, FINE = ("late", "waits", "fine")


class Tile(NamedTuple):
    """One thing to tell: `state` of STATES, `about` what is told."""

    state: str
    name: str
    about: object


def tiles(*, now):
    """The tiles of «Oggi», most urgent first."""
    today = rome_day(now)
    found = [_tickets(today), _files(now), _mail(now), _erasures(now), _readings(today)]
    return sorted(filter(None, found), key=lambda tile: STATES.index(tile.state))


# -- Tickets -------------------------------------------------------------------------------


class Tickets(NamedTuple):
    """The open tickets: how many, how many of them overdue or nearly so, the most urgent ones.

    `first` holds pairs of a row and its deadline, as ticket_queue has them.
    """

    open: int
    overdue: int
    soon: int
    first: list


def _tickets(today):
    last = today + dt.timedelta(days=ticket_queue.SOON)
    due = Ticket.awaited_by()
    count = fn.COUNT(Ticket.id)
    numbers = Ticket.select(
        count, count.filter(due < today), count.filter(due.between(today, last))
    ).where(Ticket.state == "open")
    rows = ticket_queue.page(limit=SHOWN)
    first = [(row, ticket_queue.deadline(row, today=today)) for row in rows]
    about = Tickets(*numbers.tuples().get(), first)
    return Tile(LATE if about.overdue else WAITS if about.soon else FINE, "tickets", about)


# -- Files ---------------------------------------------------------------------------------


class Files(NamedTuple):
    """How many were rejected lately and not sent again, the last of them, how many are held."""

    rejected: int
    last: list
    held: int


def _files(now):
    rows = _rejected(now)
    waiting = held.waiting().where(ImportedFile.confirmed_at.is_null()).count()
    about = Files(len(rows), rows[:SHOWN], waiting)
    return Tile(LATE if rows else WAITS if waiting else FINE, "files", about)


def _rejected(now):
    """Rows of the files rejected lately, but those of whose name a later one was taken."""
    query = ImportedFile.select(
        ImportedFile.id, ImportedFile.name, ImportedFile.at, ImportedFile.state
    ).order_by(ImportedFile.id.desc())
    taken, rejected = set(), []
    for row in query.limit(LATEST_FILES).namedtuples():
        if row.state in {"applied", "repeated"}:
            taken.add(row.name)
        elif row.state == "rejected" and row.at > now - LATELY and row.name not in taken:
            rejected.append(row)
    return rejected


# -- Mail, requests ------------------------------------------------------------------------


def _mail(now):
    about = overview.Unsent()
    waits = about.failing or (about.oldest_at and now - about.oldest_at > MAIL_WAITS)
    return Tile(LATE if about.failed else WAITS if waits else FINE, "mail", about)


def _erasures(now):
    """The open requests that personal data be erased, the oldest first, or None."""
    query = (
        ErasureRequest.select(
            ErasureRequest.made_at,
            Customer.code,
            fn.COUNT(ErasureRequest.id).over().alias("total"),
        )
        .join(Customer)
        .where(ErasureRequest.withdrawn_at.is_null(), ErasureRequest.settled_at.is_null())
    )
    rows = list(query.order_by(ErasureRequest.id).limit(SHOWN).namedtuples())
    if not rows:
        return None
    return Tile(LATE if now - rows[0].made_at > ERASED_WITHIN else WAITS, "erasures", rows)


# -- Readings ------------------------------------------------------------------------------


class Readings(NamedTuple):
    """How many self-readings are of today, were acquired today, wait; lately rejected ones."""

    entered: int
    acquired: int
    pending: int
    rejected: int


def _readings(today):
    midnight = rome_instant(today, dt.time())
    queries = (
        _count("entered").where(SelfReading.day == today, SelfReading.state != "cancelled"),
        _count("acquired").join(ReadingBatch).where(ReadingBatch.created_at >= midnight),
        _count("pending").where(SelfReading.state == "pending"),
        _count("rejected").where(
            SelfReading.state == "rejected", SelfReading.day >= today - REJECTED_WITHIN
        ),
    )
    rows = reduce(lambda one, other: one.union_all(other), queries).tuples()
    return Tile(FINE, "readings", Readings(**dict(rows)))


def _count(name):
    return SelfReading.select(Value(name).alias("what"), fn.COUNT(SelfReading.id))


# -- Registered customers ------------------------------------------------------------------


def registered(*, now):
    """[(first day of a month, how many accounts were made in it)], the last of MONTHS now."""
    months = [rome_day(now).replace(day=1)]
    while len(months) < MONTHS:
        months.append((months[-1] - dt.timedelta(days=1)).replace(day=1))
    starts = [(month, rome_instant(month, dt.time())) for month in months]
    place = Case(
        None, [(Account.created_at >= start, n) for n, (_month, start) in enumerate(starts)]
    )
    query = Account.select(place, fn.COUNT(Account.id)).where(Account.created_at >= starts[-1][1])
    counts = dict(query.group_by(SQL("1")).tuples())
    return [(month, counts.get(n, 0)) for n, month in reversed(list(enumerate(months)))]
