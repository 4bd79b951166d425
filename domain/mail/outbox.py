"""The queue: rows of OutgoingMail, and who may send which one when."""

import datetime as dt
import json
import logging
import re
import time
from typing import NamedTuple

from peewee import chunked, fn

from domain import statements, throttle
from models import Account, Operator, OutgoingMail, Param, db, is_sqlite, writing

log = logging.getLogger("portale.mail")

ALWAYS = (  # security, and receipts of what the customer asked for
    "first_access",  # with a secret
    "recovery",  # with a secret
    "registration_notice",
    "registration_attempt",
    "password_changed",
    "second_factor_added",
    "second_factor_removed",
    "email_change",  # with a link
    "email_change_notice",
    "email_changed",
    "email_corrected",
    "access_disabled",
    "access_enabled",
    "complaint_receipt",  # with a PDF
    "erasure_asked",
    "erasure_withdrawn",
    "erasure_declined",
    "erasure_done",
    "mandate_invitation",  # with a link
    "mandate_received",
    "mandate_accepted",
    "mandate_ended",
)
NOTICES = {  # what the customer may prefer not to be told by mail, by what it is about
    "readings": (
        "reading_acquired",
        "reading_validated",
        "reading_rejected",
        "window_opens",
        "window_closes",
    ),
    "invoices": ("invoice_published", "invoice_due"),
    "documents": ("document_published",),
    "tickets": ("ticket_opened", "ticket_answered"),
}
TO_OPERATORS = "undelivered"
KINDS = (*ALWAYS, *(kind for kinds in NOTICES.values() for kind in kinds), TO_OPERATORS)
GROUPS = {kind: group for group, kinds in NOTICES.items() for kind in kinds}
FOR_MANY = {kind for kind, group in GROUPS.items() if group != "tickets"} | {TO_OPERATORS}

LEASE = dt.timedelta(minutes=5)  # longer than one mail can take, every answer at its slowest
SOON = dt.timedelta(minutes=1)
BACK_OFF = (SOON, *(dt.timedelta(minutes=n) for n in (2, 5, 15, 30, 60)))  # then every hour
GIVE_UP_AFTER = dt.timedelta(days=2)
MANY = 1000  # queued in one transaction
TURN = 0.1  # seconds; who waits to write to SQLite asks again as often, and must find it free
RATE = "mail-rate"
RESERVE = 10  # of the mails of a minute, one in so many is kept for what somebody waits for
REASONS = 20  # told to the operators
UNDELIVERED = throttle.Limit("mail-undelivered", 1, throttle.HOUR)


_ADDRESS = re.compile(r"[^\s<>()\"']+@[^\s<>()\"':;,]+")


class Notice(NamedTuple):
    """What `queue_notices` is to tell an account (its id); of the same `once` only the first."""

    kind: str
    account: int
    params: dict
    once: str | None = None


def queue(kind, recipient, *, account=None, params=None, language=None, now):
    """Put a mail in the queue, in the transaction of the caller; return its row.

    `params` is what its template shows besides the account (JSON, no secret), in no language
    yet: days as `aaaa-mm-gg`, amounts in cents. `language` is given where there is no account
    to tell it. After the commit call `kick()`.
    """
    if kind not in KINDS:
        raise ValueError(f"no such mail: {kind}")
    return OutgoingMail.create(
        kind=kind,
        recipient=recipient,
        account=account,
        params=json.dumps(params or {}),
        language=language,
        created_at=now,
        due_at=now,
        bulk=kind in FOR_MANY,
    )


def wants(account, kind):
    """Whether `account`, a row of Account, is open and its holder wants mail of this kind."""
    return bool(
        account.disabled_at is None
        and account.notices
        and getattr(account, f"notices_{GROUPS[kind]}")
    )


def queue_notice(kind, account, *, params=None, now):
    """Like `queue`, for mail that tells of something new: only to a login that wants it.

    Returns the row, or None where `account` is closed or its holder wants no such mail.
    """
    if not wants(account, kind):
        return None
    return queue(kind, account.email, account=account, params=params, now=now)


def queue_notices(notices, *, now):
    """`queue_notice` for many at once: an iterable of `Notice`. Returns how many it queued.

    Each MANY of them are a transaction of their own, unless the caller is in one: of a run
    that was killed the next one tells the rest, where each notice has a `once`.
    """
    queued = 0
    for some in chunked(notices, MANY):
        queued += _queue_some(some, now)
        if len(some) == MANY and is_sqlite() and not db.in_transaction():
            time.sleep(TURN)
    return queued


def _queue_some(notices, now):
    flags = [getattr(Account, f"notices_{group}") for group in NOTICES]
    asked = Account.select(
        Account.id, Account.email, Account.disabled_at, Account.notices, *flags
    ).where(Account.id.in_({each.account for each in notices}))
    with writing():
        accounts = {account.id: account for account in asked.namedtuples()}
        rows = [
            {"kind": each.kind, "recipient": accounts[each.account].email,
             "account": each.account, "params": json.dumps(each.params), "created_at": now,
             "due_at": now, "bulk": each.kind in FOR_MANY, "once": each.once, **UNSENT}
            for each in notices
            if each.account in accounts and wants(accounts[each.account], each.kind)
        ]  # fmt: skip
        return statements.run([statements.of(OutgoingMail, _queued, rows)]) if rows else 0


UNSENT = {"state": "queued", "attempts": 0, "reported": False}
_queued = OutgoingMail.insert(
    {name: Param(name) for name in (
        "kind", "recipient", "account", "params", "created_at", "due_at", "bulk", "once", *UNSENT
    )}
).on_conflict_ignore()  # fmt: skip


# -- Sending -------------------------------------------------------------------------------


def claim(*, now, rate=0, bulk=True):
    """The next mail that is due, for this sender alone until its lease runs out; or None.

    What one customer waits for goes before what is for many, which with `bulk=False` is left
    alone. Of `rate` mails in each minute of the clock, if it is given, for many there are
    only so many that somebody who waits finds some left.
    """
    most = {False: rate, True: rate - rate // RESERVE}
    with writing():  # on SQLite nobody else reads the queue meanwhile
        for for_many in (False, True) if bulk else (False,):
            due = _due(for_many, now)
            mail = (due if is_sqlite() else due.for_update(skip_locked=True)).first()
            if mail is None:
                continue
            if rate and not _count_within(most[for_many], now):
                return None
            mail.attempts += 1
            mail.due_at = now + LEASE
            mail.save(only=[OutgoingMail.attempts, OutgoingMail.due_at])
            return mail
    return None


def _due(for_many, now):
    """The mail that is due longest; an index gives it without sorting."""
    waiting = (OutgoingMail.state == "queued") & (OutgoingMail.bulk == for_many)
    due = OutgoingMail.select().where(waiting, OutgoingMail.due_at <= now)
    return due.order_by(OutgoingMail.due_at, OutgoingMail.id).limit(1)


def _count_within(most, now):
    """Count one more mail in this minute of the clock, unless there were `most`; whether so."""
    tries = [(throttle.Limit(RATE, most, throttle.MINUTE), "all")]
    try:
        throttle.reserve(tries, now=now.replace(second=0, microsecond=0))
    except throttle.TooManyTries:
        return False
    return True


def waits_for_next_minute(rate, *, now):
    """Whether the mails of this minute are used up while others are due."""
    most = throttle.Limit(RATE, rate - rate // RESERVE, throttle.MINUTE)
    try:
        throttle.check([(most, "all")], now=now.replace(second=0, microsecond=0))
    except throttle.TooManyTries:
        return any(_due(for_many, now).exists() for for_many in (False, True))
    return False


def withdrawn(mail):
    """Whether `mail` tells of what its login no longer wants told; then it is forgotten.

    A notice that still goes, goes to the address that the login has by now.
    """
    if mail.kind not in GROUPS or mail.account is None:
        return False
    if not wants(mail.account, mail.kind):
        with writing():
            mail.delete_instance()
        return True
    if mail.recipient != mail.account.email:
        mail.recipient = mail.account.email
        with writing():
            mail.save(only=[OutgoingMail.recipient])
    return False


def mark_sent(mail, *, now):
    changes = {"state": "sent", "sent_at": now, "last_error": None}
    with writing():
        OutgoingMail.update(changes).where(OutgoingMail.id == mail.id).execute()


def postpone(mail, error, *, now, wait=None):
    """Try again after `wait`, or after a time that grows; give up on what is too old."""
    if now - mail.created_at > GIVE_UP_AFTER:
        give_up(mail, error)
        return
    wait = wait or BACK_OFF[min(mail.attempts, len(BACK_OFF)) - 1]
    log.warning("mail %s (%s) waits %s: %s", mail.id, mail.kind, wait, plain(error))
    _note(mail, due_at=now + wait, last_error=plain(error))


def give_up(mail, error):
    """Not to be delivered; the operators see it."""
    log.error("mail %s (%s) failed: %s", mail.id, mail.kind, plain(error))
    _note(mail, state="failed", last_error=plain(error))


def report_undelivered(*, now):
    """Tell the operators, in one mail each and once an hour at most, what could not be sent.

    Returns how many mails they are told of.
    """
    unknown = (OutgoingMail.state == "failed") & ~OutgoingMail.reported
    others = OutgoingMail.kind != TO_OPERATORS  # of itself it would tell for ever
    if not OutgoingMail.select().where(unknown, others).exists():
        return 0
    try:
        with writing():
            throttle.reserve([(UNDELIVERED, "operators")], now=now)
            told = _reasons(unknown & others)
            OutgoingMail.update(reported=True).where(unknown).execute()
            count = sum(each["mails"] for each in told)
            params = {"count": count, "reasons": told[:REASONS], "more": len(told) > REASONS}
            for operator in Operator.select().where(Operator.disabled_at.is_null()):
                _queue_for(operator, params, now)
    except throttle.TooManyTries:
        return 0
    return count


def _queue_for(operator, params, now):
    spoken = operator.language
    queue(TO_OPERATORS, operator.email, params=params, language=spoken, now=now)


def _reasons(condition):
    """Why mails were given up, and how many for the same reason; the most first."""
    error, mails = OutgoingMail.last_error, fn.COUNT(OutgoingMail.id)
    rows = OutgoingMail.select(error, mails).where(condition).group_by(error)
    return [
        {"error": why, "mails": many} for why, many in rows.order_by(mails.desc(), error).tuples()
    ]


def _note(mail, **changes):
    """Unless the lease ran out and somebody else has this mail now."""
    with writing():
        OutgoingMail.update(changes).where(
            OutgoingMail.id == mail.id,
            OutgoingMail.state == "queued",
            OutgoingMail.attempts == mail.attempts,
        ).execute()


def plain(error):
    """What a server answered, fit for a column of text and, without addresses, for a log."""
    text = "".join(c if c.isprintable() else " " for c in str(error))
    return _ADDRESS.sub("•••", text)[:500]
