"""Signed-in browsers are rows: ending the row ends the session, wherever its cookie is."""

import datetime as dt
import hashlib
import secrets
from contextlib import suppress

import peewee as pw

from domain import language
from domain.connections import locking, without_waiting
from models import Account, Customer, Grant, Mandate, Prepared, Session, writing

IDLE = dt.timedelta(minutes=30)
ABSOLUTE = dt.timedelta(hours=12)
TOUCH = dt.timedelta(minutes=1)  # how stale `seen_at` may be, to spare writes


def digest(token):
    return hashlib.sha256(token.encode()).hexdigest()


def _holds_mandates(account):
    """Whether it is worth looking for mandates in force: for most it is not."""
    open_ones = Mandate.select(Mandate.id).where(
        Mandate.account == account, Mandate.ended_at.is_null()
    )
    return pw.fn.EXISTS(open_ones)


_load = Prepared(
    "digest seen_after created_after",
    lambda digest, seen_after, created_after: (
        Session.select(
            Session.id.alias("session"),
            Session.seen_at,
            Session.previous_access_at,
            Session.must_change_password,
            Session.awaits_code,
            Session.operator_session,
            Account.id.alias("account"),
            Account.username,
            Account.language,
            Customer.id.alias("customer"),
            Customer.name,
            _holds_mandates(Account.id).alias("holds_mandates"),
        )
        .join(Account)
        # Who only acts for others has no customer.
        .left_outer_join(Grant, on=Grant.account == Account.id)
        .left_outer_join(Customer, on=Grant.customer == Customer.id)
        .where(
            Session.digest == digest,
            Session.seen_at > seen_after,
            Session.created_at > created_after,
            Account.disabled_at.is_null(),
        )
        .order_by(Grant.id)
        .limit(1)
    ),
)


def open_session(account, *, now, must_change_password=False):
    """Sign `account` in; return the token for its cookie.

    Where it has a second factor the session opens nothing until `verified`.
    """
    with writing():
        account = locking(Account.select().where(Account.id == account.id)).get()
        values = {"must_change_password": must_change_password}
        if account.totp_since:
            return _open(account, now, awaits_code=True, **values)
        _note_access(account, now)
        return _open(account, now, **values)


def open_view(account, operator_session, *, now):
    """Let an operator read what `account` sees: no access of the customer's own.

    `account` is as it is now, `operator_session` the id of the session with which this one ends.
    """
    with writing():
        return _open(account, now, operator_session=operator_session)


def _open(account, now, **values):
    token = secrets.token_urlsafe(32)
    Session.create(
        account=account.id,
        digest=digest(token),
        created_at=now,
        seen_at=now,
        previous_access_at=account.last_access_at,
        **values,
    )
    return token


def load(token, *, now, quietly=False):
    """The live session behind `token`, or None. `quietly`: it does not count as activity."""
    row = _load.first(digest=digest(token), seen_after=now - IDLE, created_after=now - ABSOLUTE)
    if row and not quietly:
        touch(Session, row, now=now)
    return row


def touch(table, row, *, now):
    """Note that a session of `table` is in use, unless that was noted a moment ago."""
    if now - row.seen_at > TOUCH:
        with suppress(pw.OperationalError), without_waiting():  # a later request will do
            table.update(seen_at=now).where(table.id == row.session).execute()


def verified(token, account, *, now):
    """The second factor was right: return the new token; the one from before is no good."""
    fresh = secrets.token_urlsafe(32)
    changes = {"digest": digest(fresh), "awaits_code": False, "seen_at": now}
    with writing():
        Session.update(changes).where(Session.digest == digest(token)).execute()
        _note_access(account, now)
    return fresh


def _note_access(account, now):
    changes = {"last_access_at": now, "last_language": language.current()}
    Account.update(changes).where(Account.id == account.id).execute()


def renew(token):
    """Give the session a new token, free to go everywhere; return it. The old one is no good."""
    fresh = secrets.token_urlsafe(32)
    Session.update(digest=digest(fresh), must_change_password=False).where(
        Session.digest == digest(token)
    ).execute()
    return fresh


def end(token):
    Session.delete().where(Session.digest == digest(token)).execute()


def end_all(account, *, but=None):
    """End every session of `account`, except the one with token `but`."""
    ended = Session.delete().where(Session.account == account)
    if but is not None:
        ended = ended.where(Session.digest != digest(but))
    ended.execute()
