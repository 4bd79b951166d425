"""The queue: rows of OutgoingMail, and who may send which one when."""

import json

from models import OutgoingMail

KINDS = (
    "first_access",
    "recovery",
    "registration_notice",
    "registration_attempt",
    "password_changed",
)


def queue(kind, recipient, *, account=None, params=None, now):
    """Put a mail in the queue, in the transaction of the caller; return its row.

    `params` is what its template shows (JSON, no secret). After the commit call `kick()`.
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
