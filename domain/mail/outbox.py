"""The queue: rows of OutgoingMail, and who may send which one when."""

import datetime as dt
import json
import logging

from peewee import chunked

from models import Account, OutgoingMail, is_sqlite, writing

log = logging.getLogger("portale.mail")

KINDS = (
    "first_access",  # with a secret
    "recovery",  # with a secret
    "registration_notice",
    "registration_attempt",
    "password_changed",
    "email_change",  # with a link
    "email_change_notice",
    "email_changed",
    "ticket_opened",
    "complaint_receipt",  # with a PDF
    "ticket_answered",
    "erasure_asked",
    "erasure_withdrawn",
    "reading_validated",
    "reading_rejected",
)
LEASE = dt.timedelta(minutes=5)  # longer than one mail can take, every answer at its slowest
SOON = dt.timedelta(minutes=1)
BACK_OFF = (SOON, *(dt.timedelta(minutes=n) for n in (2, 5, 15, 30, 60)))  # then every hour
GIVE_UP_AFTER = dt.timedelta(days=2)
MANY = 500  # queued with one statement


def queue(kind, recipient, *, account=None, params=None, now):
    """Put a mail in the queue, in the transaction of the caller; return its row.

    `params` is what its template shows besides the account (JSON, no secret). After the
    commit call `kick()`.
    """
    if kind not in KINDS:
        raise ValueError(f"no such mail: {kind}")
    return OutgoingMail.create(
        kind=kind,
        recipient=recipient,
        account=account,
        params=json.dumps(params or {}),
        created_at=now,
        due_at=now,
    )


def queue_notice(kind, account, *, params=None, now):
    """Like `queue`, for mail that tells of something new: only to a login that wants it.

    Returns the row, or None where `account` is closed or its holder wants no such mail.
    """
    if account.disabled_at or not account.notices:
        return None
    return queue(kind, account.email, account=account, params=params, now=now)


def queue_notices(notices, *, now):
    """`queue_notice` for many at once: (kind, id of the account, params)."""
    for some in chunked(notices, MANY):
        wanting = Account.select(Account.id, Account.email).where(
            Account.id.in_({account for _kind, account, _params in some}),
            Account.disabled_at.is_null(),
            Account.notices,
        )
        addresses = dict(wanting.tuples())
        rows = [
            {"kind": kind, "recipient": addresses[account], "account": account,
             "params": json.dumps(params), "created_at": now, "due_at": now}
            for kind, account, params in some
            if account in addresses
        ]  # fmt: skip
        if rows:
            OutgoingMail.insert_many(rows).execute()


def claim(*, now):
    """The mail that is due longest, for this sender alone until its lease runs out; or None."""
    due = (
        OutgoingMail.select()
        .where(OutgoingMail.state == "queued", OutgoingMail.due_at <= now)
        .order_by(OutgoingMail.due_at, OutgoingMail.id)
        .limit(1)
    )
    with writing():  # on SQLite nobody else reads the queue meanwhile
        mail = (due if is_sqlite() else due.for_update(skip_locked=True)).first()
        if mail is not None:
            mail.attempts += 1
            mail.due_at = now + LEASE
            mail.save(only=[OutgoingMail.attempts, OutgoingMail.due_at])
    return mail


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
    log.warning("mail %s (%s) waits %s: %s", mail.id, mail.kind, wait, error)
    _note(mail, due_at=now + wait, last_error=_plain(error))


def give_up(mail, error):
    """Not to be delivered; the operators see it."""
    log.error("mail %s (%s) failed: %s", mail.id, mail.kind, error)
    _note(mail, state="failed", last_error=_plain(error))


def _note(mail, **changes):
    """Unless the lease ran out and somebody else has this mail now."""
    with writing():
        OutgoingMail.update(changes).where(
            OutgoingMail.id == mail.id,
            OutgoingMail.state == "queued",
            OutgoingMail.attempts == mail.attempts,
        ).execute()


def _plain(error):
    """What a server answered, fit for a column of text."""
    return "".join(c if c.isprintable() else " " for c in str(error))[:500]
