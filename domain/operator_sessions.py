"""Operators' signed-in browsers: rows like those of customers, but shorter, and in two steps.

A session opens with the password and opens nothing until the second factor is given.
"""

import datetime as dt
import secrets

from domain.sessions import digest, touch
from models import Operator, OperatorSession, Prepared, writing

IDLE = dt.timedelta(minutes=15)
ABSOLUTE = dt.timedelta(hours=8)

_load = Prepared(
    "digest seen_after created_after",
    lambda digest, seen_after, created_after: (
        OperatorSession.select(
            OperatorSession.id.alias("session"),
            OperatorSession.seen_at,
            OperatorSession.previous_access_at,
            OperatorSession.verified_at,
            Operator.id.alias("operator"),
            Operator.username,
            Operator.name,
            Operator.role,
            Operator.language,
            Operator.must_change_password,
            Operator.totp_since,
        )
        .join(Operator)
        .where(
            OperatorSession.digest == digest,
            OperatorSession.seen_at > seen_after,
            OperatorSession.created_at > created_after,
            Operator.disabled_at.is_null(),
        )
    ),
)


def open_session(operator, *, now):
    """Begin a session of `operator`, the second factor still to come; return its token."""
    token = secrets.token_urlsafe(32)
    with writing():
        OperatorSession.create(
            operator=operator,
            digest=digest(token),
            created_at=now,
            seen_at=now,
            previous_access_at=operator.last_access_at,
        )
    return token


def verified(session_id, *, now):
    """The second factor was right: return the new token; the one from before is no good."""
    with writing():
        fresh = renew(session_id)
        OperatorSession.update(verified_at=now, seen_at=now).where(
            OperatorSession.id == session_id
        ).execute()
        operator = Operator.select(Operator.id).join(OperatorSession)
        own = operator.where(OperatorSession.id == session_id)
        Operator.update(last_access_at=now).where(Operator.id.in_(own)).execute()
    return fresh


def renew(session_id):
    """Give the session a new token and return it; the one from before is no good."""
    fresh = secrets.token_urlsafe(32)
    OperatorSession.update(digest=digest(fresh)).where(OperatorSession.id == session_id).execute()
    return fresh


def load(token, *, now, quietly=False):
    """The live session behind `token`, or None. `quietly`: it does not count as activity."""
    row = _load.first(digest=digest(token), seen_after=now - IDLE, created_after=now - ABSOLUTE)
    if row and not quietly:
        touch(OperatorSession, row, now=now)
    return row


def end(token):
    """Whatever looks as a customer ends with it."""
    OperatorSession.delete().where(OperatorSession.digest == digest(token)).execute()


def end_all(operator, *, but=None):
    """End every session of `operator`, except the one with the id `but`."""
    ended = OperatorSession.delete().where(OperatorSession.operator == operator)
    if but is not None:
        ended = ended.where(OperatorSession.id != but)
    ended.execute()
