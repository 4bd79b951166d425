"""The sheet of one customer at the desk, in a fixed number of queries; lists are cut."""

import datetime as dt

import peewee as pw

from domain import erasure, mandate_list
from models import (
    Account,
    ContactChange,
    Customer,
    Document,
    Event,
    Grant,
    Invoice,
    Prepared,
    RegisterEntry,
    SelfReading,
    Session,
    SupplyPoint,
    Ticket,
)

LATEST = 10  # rows of a list
MOST_SUPPLIES = 100
EVENTS = 20
READ_AGAIN = dt.timedelta(minutes=5)

find = Prepared("code", lambda code: Customer.select().where(Customer.code == code))

_pending = Prepared(
    "customer",
    lambda customer: (
        ContactChange.select(ContactChange.field, ContactChange.made_at, ContactChange.batch)
        .where(ContactChange.customer == customer, ContactChange.settled_at.is_null())
        .order_by(ContactChange.id)
    ),
)


def _open_sessions():
    own = Session.select(pw.fn.COUNT(Session.id)).where(Session.account == Account.id)
    return own.where(Session.operator_session.is_null(), ~Session.awaits_code)


_logins = Prepared(
    "customer",
    lambda customer: (
        Account.select(
            Account.id,
            Account.username,
            Account.email,
            Account.created_at,
            Account.last_access_at,
            Account.disabled_at,
            Account.totp_since,
            Account.language,
            Account.notices,
            Account.password_hash.is_null(False).alias("is_used"),
            pw.Alias(_open_sessions(), "open_sessions"),
        )
        .join(Grant)
        .where(Grant.customer == customer)
        .order_by(Account.username)
    ),
)
_supplies = Prepared(
    "customer limit",
    lambda customer, limit: (
        SupplyPoint.select(
            SupplyPoint.code,
            SupplyPoint.service,
            SupplyPoint.pod,
            SupplyPoint.pdr,
            SupplyPoint.street,
            SupplyPoint.street_number,
            SupplyPoint.postcode,
            SupplyPoint.city,
            SupplyPoint.province,
            SupplyPoint.ended_on,
            pw.fn.COUNT(SupplyPoint.id).over().alias("total"),
        )
        .where(SupplyPoint.customer == customer)
        .order_by(SupplyPoint.code)
        .limit(limit)
    ),
)
_invoices = Prepared(
    "customer limit",
    lambda customer, limit: (
        Invoice.select(
            Invoice.number,
            Invoice.date,
            Invoice.due_on,
            Invoice.amount_cents,
            Invoice.paid,
            Invoice.kind,
        )
        .where(Invoice.customer == customer)
        .order_by(Invoice.year.desc(), Invoice.date.desc(), Invoice.id.desc())
        .limit(limit)
    ),
)
_readings = Prepared(
    "customer limit",
    lambda customer, limit: (
        SelfReading.select(
            SelfReading.day,
            SelfReading.counter,
            SelfReading.corrector,
            SelfReading.state,
            SelfReading.confirmed,
            SelfReading.delegate,
            SupplyPoint.code.alias("supply"),
        )
        .join(SupplyPoint)
        .where(SupplyPoint.customer == customer, SelfReading.entered_for(SupplyPoint.customer))
        .order_by(SelfReading.day.desc(), SelfReading.id.desc())
        .limit(limit)
    ),
)
_tickets = Prepared(
    "customer limit",
    lambda customer, limit: (
        Ticket.select(Ticket.code, Ticket.subject, Ticket.category, Ticket.state, Ticket.updated_at)
        .where(Ticket.customer == customer)
        .order_by(Ticket.updated_at.desc(), Ticket.id.desc())
        .limit(limit)
    ),
)
_documents = Prepared(
    "customer limit",
    lambda customer, limit: (
        Document.select(Document.id, Document.title, Document.date)
        .where(Document.customer == customer)
        .order_by(Document.date.desc(), Document.id.desc())
        .limit(limit)
    ),
)


def _of_all(customer):
    """The events of the customer, and those of its logins, as two index scans."""
    logins = Grant.select(Grant.account).where(Grant.customer == customer)
    own = Event.select(Event.id).where(Event.customer == customer)
    return own | Event.select(Event.id).where(Event.account.in_(logins))


_events = Prepared(
    "customer limit",
    lambda customer, limit: (
        Event.select(
            Event.at,
            Event.kind,
            Event.details,
            Account.username.alias("login"),
            SupplyPoint.code.alias("supply"),
        )
        .left_outer_join(Account, on=Event.account == Account.id)
        .left_outer_join(SupplyPoint, on=Event.supply == SupplyPoint.id)
        .where(Event.id.in_(_of_all(customer)))
        .order_by(Event.at.desc(), Event.id.desc())
        .limit(limit)
    ),
)


def lists(customer_id, *, now):
    """What the sheet shows beside the record, by name; `logins`, `supplies` … as rows."""
    latest = {"customer": customer_id, "limit": LATEST}
    return {
        "pending": _pending(customer=customer_id),
        "logins": _logins(customer=customer_id),
        "supplies": _supplies(customer=customer_id, limit=MOST_SUPPLIES),
        "invoices": _invoices(**latest),
        "readings": _readings(**latest),
        "tickets": _tickets(**latest),
        "documents": _documents(**latest),
        "events": _events(customer=customer_id, limit=EVENTS),
        "mandates": mandate_list.given(customer_id, now=now),
        "erasure": erasure.open_request(customer_id),
    }


_read = Prepared(
    "operator code since",
    lambda operator, code, since: (
        RegisterEntry.select(RegisterEntry.id)
        .where(
            RegisterEntry.customer_code == code,
            RegisterEntry.operator == operator,
            RegisterEntry.kind == "customer_read",
            RegisterEntry.at > since,
        )
        .limit(1)
    ),
)


def was_just_read(operator, code, *, now):
    """Whether the register says already that the operator (user name) reads this sheet."""
    return _read.first(operator=operator, code=code, since=now - READ_AGAIN) is not None
