"""How long things are kept, and how what is older goes: a few rows at a time, each night.

Article 5, paragraph 1, letter e of Regulation (EU) 2016/679: no longer than is needed. The times
are settings; docs/privacy.md says why. Each part is a short transaction of its own, so that
whoever writes meanwhile waits for one part, and a run that is killed leaves the rest to the next.
The register of activity is not touched: its chain would break.
"""

import datetime as dt
import json
import logging
import time
from functools import reduce
from operator import or_
from typing import NamedTuple

from domain import email_links, files, history, operator_sessions, sessions
from domain.clock import rome_day, rome_instant
from domain.imports import held
from models import (
    ContactBatch,
    ContactChange,
    EmailChange,
    Event,
    ImportedFile,
    MailedSecret,
    Mandate,
    MeasuredDay,
    OperatorSession,
    OutgoingMail,
    SelfReading,
    Session,
    Throttle,
    any_of,
    is_sqlite,
    writing,
)

log = logging.getLogger("portale.privacy")

PART = 500  # rows in one transaction
TURN = 0.1  # seconds between two, in which others may write to SQLite
A_DAY = dt.timedelta(days=1)  # after its end, nobody's clock says that something still counts
COUNTED = 2 * A_DAY  # no limit of tries is longer
LONG = (*history.READINGS, *history.TICKETS, *history.PUBLISHED)  # and what concerns erasures
FOLDERS = ("inbox/archivio", "inbox/scartati", "inbox/rapporti", "outbox/presi")
STRIPPED = "stripped"  # in a report: its rows are gone


class Times(NamedTuple):
    """The settings KEEP_…; 0 years of measures: for ever."""

    mail_days: int
    files_days: int
    accesses_months: int
    history_years: int
    measures_years: int

    @classmethod
    def of(cls, config):
        return cls(*(config[f"KEEP_{name.upper()}"] for name in cls._fields))


def months_ago(months, *, now):
    """The instant in which, so many months ago, the day began in Italy."""
    today = rome_day(now)
    year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    return rome_instant(dt.date(year, month + 1, min(today.day, 28)), dt.time())


# -- Rows ----------------------------------------------------------------------------------


def expired(times, *, now):
    """(what, table, condition) of the rows whose time is over."""
    yesterday = now - A_DAY
    accesses = months_ago(times.accesses_months, now=now)
    long_ago = months_ago(12 * times.history_years, now=now)
    mail = now - dt.timedelta(days=times.mail_days)
    to_keep = Event.kind.in_(LONG) | Event.kind.startswith("erasure_")
    yield (
        "password e collegamenti scaduti",
        MailedSecret,
        (MailedSecret.expires_at < yesterday) | (MailedSecret.used_at < yesterday),
    )
    yield (
        "cambi di indirizzo non confermati",
        EmailChange,
        EmailChange.asked_at < yesterday - email_links.LIFETIME,
    )
    for what, table, rules in (
        ("sessioni", Session, sessions),
        ("sessioni di operatori", OperatorSession, operator_sessions),
    ):
        idle = table.seen_at < yesterday - rules.IDLE
        yield what, table, idle | (table.created_at < yesterday - rules.ABSOLUTE)
    yield "tentativi contati", Throttle, Throttle.started_at < now - COUNTED
    yield "mail", OutgoingMail, _gone(mail, now - 2 * dt.timedelta(days=times.mail_days))
    yield "accessi e modifiche", Event, (Event.at < accesses) & ~to_keep
    yield "altre voci dello Storico", Event, (Event.at < long_ago) & to_keep
    yield "deleghe finite", Mandate, _over(accesses)
    yield "contatti cambiati", ContactChange, ContactChange.settled_at < accesses
    yield (
        "autoletture cancellate",
        SelfReading,
        (SelfReading.state == "cancelled") & (SelfReading.cancelled_at < accesses),
    )
    if times.measures_years:
        first = rome_day(months_ago(12 * times.measures_years, now=now))
        yield "giorni di misure", MeasuredDay, MeasuredDay.day < first


def _over(before):
    """Mandates that ended, or invitations that nobody accepted, before that instant."""
    return (Mandate.ended_at < before) | (Mandate.account.is_null() & (Mandate.given_at < before))


def _gone(sent_before, failed_before):
    """Mail that arrived, or never will; of who was erased no address waits for its time."""
    sent = OutgoingMail.state == "sent"
    return reduce(
        or_,
        (
            sent & (OutgoingMail.sent_at < sent_before),
            sent & (OutgoingMail.kind == "erasure_done"),
            (OutgoingMail.state == "failed") & (OutgoingMail.created_at < failed_before),
        ),
    )


def purge_rows(table, condition):
    """Delete the rows that `condition` names; return how many."""
    return _by_parts(
        table,
        condition,
        lambda ids: table.delete().where(any_of(table.id, ids), condition).execute(),
    )


def _by_parts(table, condition, act):
    """Let `act` do a part of the rows, by their ids, in each transaction; the sum of its counts."""
    count = last = 0
    while ids := _next_ids(table, condition, last):
        with writing():
            count += act(ids)
        last = ids[-1]
        if len(ids) == PART and is_sqlite():
            time.sleep(TURN)
    return count


def _next_ids(table, condition, last):
    some = table.select(table.id).where(table.id > last, condition)
    return [row for (row,) in some.order_by(table.id).limit(PART).tuples()]


# -- What imports and billing were told ----------------------------------------------------


def told(times, *, now):
    """(what, table, condition) of the rows that stay, without what they say of customers."""
    before = now - dt.timedelta(days=times.files_days)
    undecided = held.waiting().select(ImportedFile.id)
    yield (
        "rapporti",
        ImportedFile,
        (ImportedFile.at < before)
        & ImportedFile.settled_at.is_null(False)
        & ~ImportedFile.report.contains(f'"{STRIPPED}"')
        & ImportedFile.id.not_in(undecided),
    )
    yield (
        "lotti di contatti",
        ContactBatch,
        (ContactBatch.placed_at < before) & (ContactBatch.content != b""),
    )


def strip_rows(table, condition):
    """Take out of the rows what they say of customers; return of how many."""
    return _by_parts(table, condition, {ImportedFile: _strip, ContactBatch: _empty}[table])


def _strip(ids):
    for row in ImportedFile.select(ImportedFile.id, ImportedFile.report).where(
        any_of(ImportedFile.id, ids)
    ):
        own = ImportedFile.id == row.id
        ImportedFile.update(report=stripped(row.report)).where(own).execute()
    return len(ids)


def _empty(ids):
    return ContactBatch.update(content=b"").where(any_of(ContactBatch.id, ids)).execute()


def stripped(report):
    """The JSON of a report with its counts, but without the cells that it lists."""
    kept = json.loads(report or "{}")
    return json.dumps({**kept, "errors": [], "warnings": [], STRIPPED: True}, ensure_ascii=False)


# -- Files ---------------------------------------------------------------------------------


def old_files(data_dir, times, *, now):
    """The exchanged files that came where they lie so long ago that they are not kept."""
    before = now.timestamp() - times.files_days * 24 * 3600
    for folder in FOLDERS:
        for path in sorted((data_dir / folder).rglob("*"), reverse=True):  # folders come last
            if path.lstat().st_ctime < before:
                yield path


def remove(paths):
    """Remove files, and folders that are empty; return (how many files, those that stay)."""
    removed, stay = 0, []
    for path in list(paths):
        try:
            if files.is_file(path):
                path.unlink()
                removed += 1
            elif path.is_dir() and not any(path.iterdir()):
                path.rmdir()
        except FileNotFoundError:
            continue
        except OSError as error:
            log.error("an old file could not be removed: %s", error.strerror)
            stay.append(path)
    return removed, stay
