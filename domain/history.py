"""What happened on an account, for «Storico»: written where it happens, never changed."""

import json
import logging

import peewee as pw

from models import Event, waiting_at_most, writing

log = logging.getLogger("portale.history")

PATIENCE = 200  # milliseconds that a download waits for another writer of the archive

ACCESSES = ("access", "password_changed", "sessions_closed")
READINGS = ("reading_entered", "reading_cancelled")
CHANGES = (
    "contact_changed",
    "email_change_asked",
    "email_changed",
    "preferences_changed",
    "data_exported",
    "erasure_asked",
    "erasure_withdrawn",
    "calendar_made",
    "calendar_revoked",
)
DOWNLOADS = (
    "invoice_downloaded",
    "document_downloaded",
    "consumption_downloaded",
    "measures_downloaded",
    "attachment_downloaded",
)
TICKETS = ("ticket_opened", "ticket_answered", "ticket_closed", "ticket_reopened")
KINDS = (*ACCESSES, *READINGS, *CHANGES, *DOWNLOADS, *TICKETS)


def record(kind, *, now, account=None, customer=None, supply=None, **details):
    """Write an event in the transaction of the caller.

    `account`, `customer` and `supply` are rows or ids; `details` what its sentence needs,
    fit for JSON and without secrets.
    """
    if kind not in KINDS:
        raise ValueError(f"no such event: {kind}")
    Event.insert(
        at=now,
        kind=kind,
        account=account,
        customer=customer,
        supply=supply,
        details=json.dumps(details, ensure_ascii=False),
    ).execute()


def note(kind, **given):
    """Like `record`, in a transaction of its own; a busy archive keeps nobody from a download."""
    try:
        with waiting_at_most(PATIENCE), writing():
            record(kind, **given)
    except pw.OperationalError as error:
        log.warning("%s not recorded: %s", kind, error)
