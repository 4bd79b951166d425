"""The register of what operators read and change: each row seals the one before.

A seal is an HMAC under a key that is not in the database: who edits, removes or inserts a row
there cannot seal those after it again. Only removing the last rows leaves a chain that is whole:
it shows against what `verify` kept, and against the number and seal (`head`) in a log that has
left this machine.
"""

import hashlib
import hmac
import json

from domain.clock import during_days
from domain.pieces import in_pieces
from models import Operator, RegisterCheck, RegisterEntry, db, is_sqlite, writing

KINDS = (
    "signed_in",
    "second_factor_failed",
    "second_factor_enrolled",
    "recovery_codes_made",
    "password_changed",
    "sessions_closed",
    "signed_out",
    "operator_created",
    "operator_role_changed",
    "operator_disabled",
    "operator_enabled",
    "operator_reset",
    "operator_sessions_closed",
    "register_downloaded",
    "customer_read",
    "customer_viewed",
    "customer_erased",
    "erasure_declined",
    "view_downloaded",
    "login_resent",
    "login_email_corrected",
    "login_disabled",
    "login_enabled",
    "login_sessions_closed",
    "login_factor_removed",
    "readings_read",
    "readings_exported",
    "reading_entered",
    "reading_cancelled",
    "windows_created",
    "window_changed",
    "window_deleted",
    "ticket_read",
    "ticket_file_read",
    "ticket_opened",
    "ticket_answered",
    "ticket_noted",
    "ticket_closed",
    "ticket_reopened",
    "ticket_assigned",
    "complaints_exported",
    "standard_answer_saved",
    "standard_answer_removed",
    "mail_retried",
    "mails_retried",
    "mail_given_up",
    "document_read",
    "document_published",
    "document_changed",
    "document_withdrawn",
    "document_deleted",
    "file_uploaded",
    "file_loaded",
    "file_confirmed",
    "file_discarded",
)
BEFORE_THE_FIRST = "0" * 64
ROWS_AT_ONCE = 1000
COMMAND_LINE = "riga di comando"  # who did it, where nobody had signed in; no user name is like it


def key(secret_key):
    """The key of the seals (bytes), derived from the portal's SECRET_KEY."""
    return hmac.digest(secret_key.encode(), b"portale: register of activity", "sha256")


def record(kind, operator, *, key, now, customer=None, **details):
    """Add an entry, in the transaction of the caller where there is one.

    `operator` is the user name, `customer` the code of whom it concerns; `details` whatever its
    sentence needs, fit for JSON, without secrets and without what one would have to erase.
    """
    if kind not in KINDS:
        raise ValueError(f"no such entry of the register: {kind}")
    with writing():
        if not is_sqlite():  # there nobody else writes; here one entry at a time
            db.execute_sql("SELECT pg_advisory_xact_lock(hashtextextended('portale register', 0))")
        last = RegisterEntry.select().order_by(RegisterEntry.number.desc()).first()
        entry = RegisterEntry(
            number=last.number + 1 if last else 1,
            at=now,
            operator=operator,
            kind=kind,
            customer_code=customer,
            details=json.dumps(details, ensure_ascii=False, sort_keys=True),
        )
        entry.seal = seal(entry, last.seal if last else BEFORE_THE_FIRST, key)
        entry.save(force_insert=True)


def seal(entry, before, key):
    """The seal of `entry` after the seal `before`: 64 hexadecimal digits."""
    at = entry.at.isoformat(timespec="microseconds")
    told = [before, entry.number, at, entry.operator, entry.kind, entry.customer_code,
            entry.details]  # fmt: skip
    return hmac.new(key, json.dumps(told).encode(), hashlib.sha256).hexdigest()


def first_broken(key):
    """The number of the first entry that is not as it was written, or None."""
    return _walked(key)[1]


def _walked(key):
    """(number of the last entry in order, of the first broken or None)."""
    before, expected = BEFORE_THE_FIRST, 1
    rows = RegisterEntry.select().order_by(RegisterEntry.number).namedtuples()
    for entry in rows.iterator():
        if entry.number != expected or not hmac.compare_digest(
            entry.seal, seal(entry, before, key)
        ):
            return expected - 1, expected
        before, expected = entry.seal, expected + 1
    return expected - 1, None


def verify(key, *, now):
    """Verify all seals, keep the outcome for the desk's page and return it (a RegisterCheck).

    It takes about a second for each 30,000 entries. That there were more entries at an earlier
    time breaks the register too: its last ones were removed.
    """
    before = last_check()  # ahead of the walk, which then cannot find fewer: entries only grow
    number, broken = _walked(key)
    if before and before.number > number:  # it stays known how many there were
        number, broken = before.number, broken or number + 1
    with writing():
        RegisterCheck.delete().execute()
        return RegisterCheck.create(at=now, number=number, broken=broken)


def last_check():
    """What `verify` found the last time, or None."""
    return RegisterCheck.select().first()


def head():
    """(number, seal) of the last entry, for a log that is kept elsewhere; (0, "") of none."""
    last = RegisterEntry.select().order_by(RegisterEntry.number.desc()).first()
    return (last.number, last.seal) if last else (0, "")


# -- To be read ----------------------------------------------------------------------------


def entries(*, operator=None, kind=None, customer=None, since=None, until=None):
    """The entries that these ask for, the latest first; a query. The days are those of Rome."""
    query = RegisterEntry.select().order_by(RegisterEntry.number.desc())
    if operator:
        query = query.where(RegisterEntry.operator == operator)
    if kind:
        query = query.where(RegisterEntry.kind == kind)
    if customer:
        query = query.where(RegisterEntry.customer_code == customer)
    for condition in during_days(RegisterEntry.at, since, until):
        query = query.where(condition)
    return query


def operators():
    """Whom the register may name, in alphabetical order."""
    names = Operator.select(Operator.username).order_by(Operator.username)
    return [*(row.username for row in names), COMMAND_LINE]


def up_to(query, last):
    """The entries of `query` up to the number `last`, read while they are sent."""

    def following(entry):
        below = entry.number if entry else last + 1
        return query.where(RegisterEntry.number < below)

    return in_pieces(following, ROWS_AT_ONCE)
