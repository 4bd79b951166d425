"""The register of what operators read and change: each row seals the one before.

A seal is an HMAC under a key that is not in the database: who edits, removes or inserts a row
there cannot seal those after it again. Removing the last rows shows in the number and seal that
`jobs.check` prints, and so leaves with its log.
"""

import hashlib
import hmac
import json

from models import RegisterEntry, db, is_sqlite, writing

KINDS = (
    "signed_in",
    "second_factor_failed",
    "second_factor_enrolled",
    "recovery_codes_made",
    "password_changed",
    "sessions_closed",
    "signed_out",
    "customer_read",
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
)
BEFORE_THE_FIRST = "0" * 64


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
    before, expected = BEFORE_THE_FIRST, 1
    for entry in RegisterEntry.select().order_by(RegisterEntry.number).iterator():
        if entry.number != expected or not hmac.compare_digest(
            entry.seal, seal(entry, before, key)
        ):
            return expected
        before, expected = entry.seal, expected + 1
    return None
