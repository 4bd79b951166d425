"""What happened on an account, for «Storico»: written where it happens, never changed."""

import datetime as dt
import json
import logging
from functools import cache

import peewee as pw

from domain.clock import rome_instant
from domain.connections import waiting_at_most
from models import Account, Event, Grant, Prepared, SupplyPoint, writing

log = logging.getLogger("portale.history")

PATIENCE = 200  # milliseconds that a download waits for another writer of the archive
NAMED = 5  # of many invoices downloaded at once, as many are named

ACCESSES = (
    "access",
    "second_factor_failed",
    "operator_access",
    "password_changed",
    "sessions_closed",
    "login_resent",
    "login_disabled",
    "login_enabled",
    "login_sessions_closed",
    "second_factor_added",
    "second_factor_removed",
    "recovery_codes_made",
    "login_factor_removed",
)
READINGS = ("reading_entered", "reading_cancelled")
CHANGES = (
    "contact_changed",
    "email_change_asked",
    "email_changed",
    "email_corrected",
    "preferences_changed",
    "erasure_asked",
    "erasure_withdrawn",
    "erasure_declined",
    "calendar_made",
    "calendar_revoked",
)
DOWNLOADS = (
    "invoice_downloaded",
    "invoices_downloaded",
    "document_downloaded",
    "consumption_downloaded",
    "measures_downloaded",
    "attachment_downloaded",
    "data_exported",
)
PUBLISHED = ("document_published", "document_withdrawn")
MANDATES = (
    "mandate_given",
    "mandate_accepted",
    "mandate_used",
    "mandate_revoked",
    "mandate_returned",
    "mandate_closed",
    "mandate_ended",
)
OF_DELEGATES = ("mandate_accepted", "mandate_used", "mandate_returned", "mandate_ended")
TICKETS = ("ticket_opened", "ticket_answered", "ticket_closed", "ticket_reopened")
GROUPS = {  # as the address names them
    "accessi": ACCESSES,
    "letture": READINGS,
    "modifiche": CHANGES,
    "documenti": (*DOWNLOADS, *PUBLISHED),
    "ticket": TICKETS,
    "deleghe": MANDATES,
}
KINDS = tuple(kind for kinds in GROUPS.values() for kind in kinds)

ALWAYS = dt.datetime(1, 1, 2, tzinfo=dt.UTC), dt.datetime(9999, 12, 30, tzinfo=dt.UTC)


def record(kind, *, now, account=None, customer=None, supply=None, delegate=None, **details):
    """Write an event in the transaction of the caller.

    `account`, `customer` and `supply` are rows or ids; `details` what its sentence needs,
    fit for JSON and without secrets. What is done under a mandate is no deed of a login that is
    the customer's: `delegate` names who did it.
    """
    if kind not in KINDS:
        raise ValueError(f"no such event: {kind}")
    if delegate:
        details["delegate"] = delegate
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


def group_of(kind):
    """The key in GROUPS of a kind, or None for one that only a later version knows."""
    return next((group for group, kinds in GROUPS.items() if kind in kinds), None)


@cache
def _page(group):
    def build(account, since, until, limit, offset):
        # Two index scans joined by their ids: neither database finds them behind an OR.
        own = Event.select(Event.id).where(Event.account == account)
        customers = (
            Event.select(Event.id)
            .join(Grant, on=Grant.customer == Event.customer)
            .where(Grant.account == account)
        )
        query = (
            Event.select(
                Event.at,
                Event.kind,
                Event.details,
                Event.account,
                Account.username.alias("login"),
                SupplyPoint.code.alias("supply"),
                pw.fn.COUNT(Event.id).over().alias("total"),
            )
            .left_outer_join(Account, on=Event.account == Account.id)
            .left_outer_join(SupplyPoint, on=Event.supply == SupplyPoint.id)
            .where(Event.id.in_(own | customers), Event.at >= since, Event.at < until)
        )
        if group:
            query = query.where(Event.kind.in_(GROUPS[group]))
        return query.order_by(Event.at.desc(), Event.id.desc()).limit(limit).offset(offset)

    return Prepared("account since until limit offset", build)


def page(account_id, *, group=None, since=None, until=None, limit, offset=0):
    """What happened on a login and to its customers, whoever did it, the latest first.

    `since` and `until` are days in Italy, both included. Rows carry `login`, the user name of
    who did it, `supply`, a code, and `total`, the number of rows on all pages.
    """
    earliest, latest = ALWAYS
    return _page(group)(
        account=account_id,
        since=rome_instant(since, dt.time()) if since else earliest,
        until=rome_instant(until + dt.timedelta(days=1), dt.time()) if until else latest,
        limit=limit,
        offset=offset,
    )
