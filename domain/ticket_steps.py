"""What customers and the utility do alike to a ticket, each within the caller's transaction."""

import datetime as dt
import secrets

from flask_babel import gettext as _

from domain import attachments, history, mail, ticket_deadlines
from domain.clock import rome_day
from domain.connections import locking
from domain.errors import Refused
from models import Customer, Ticket, TicketMessage

SENT_TWICE_WITHIN = dt.timedelta(minutes=1)


# -- Before --------------------------------------------------------------------------------


def lock(customer_id):
    """Whoever sends something for the same customer waits: twice is seen, and so is the quota."""
    list(locking(Customer.select(Customer.id).where(Customer.id == customer_id)))


def locked(ticket_id):
    """The ticket as it is now, for this transaction alone."""
    ticket = locking(Ticket.select().where(Ticket.id == ticket_id)).get()
    lock(ticket.customer_id)
    return ticket


def sent_twice(account_id, text, arrived, now, *same):
    """The turn with the same text and files that the same login sent a moment ago, or None."""
    turns = (
        TicketMessage.select(TicketMessage, Ticket)
        .join(Ticket)
        .where(
            TicketMessage.account == account_id,
            TicketMessage.at > now - SENT_TWICE_WITHIN,
            TicketMessage.text == text,
            *same,
        )
    )
    files = sorted(upload.sha256 for upload in arrived)
    return next((turn for turn in turns if files_of(turn) == files), None)


def files_of(turn):
    return sorted(attachment.sha256 for attachment in turn.attachments)


def refuse_closed(ticket):
    if ticket.state == "closed":
        raise Refused(_("Il ticket è già chiuso."))


def refuse_open(ticket):
    if ticket.state != "closed":
        raise Refused(_("Il ticket è già aperto."))


# -- What changes --------------------------------------------------------------------------


def create(customer_id, supply, account_id, category, subject, *, deadlines, now):
    """A ticket with its code, still without a turn."""
    ticket = Ticket.create(
        code=secrets.token_hex(10),  # until its id is known
        customer=customer_id,
        supply=supply,
        account=account_id,
        category=category,
        subject=subject,
        opened_at=now,
        updated_at=now,
        due_on=ticket_deadlines.due_on(category, deadlines=deadlines, now=now),
    )
    ticket.code = f"T{rome_day(now).year}-{ticket.id:06d}"
    ticket.save(only=[Ticket.code])
    return ticket


def add(ticket, text, arrived=(), *, now, **values):
    """A turn, the utility's and a text unless `values` say otherwise."""
    message = TicketMessage.create(
        ticket=ticket, at=now, text=text, **{"by_customer": False, **values}
    )
    attachments.keep(message, arrived, ticket.customer_id)


def move(ticket, state, now):
    """Whose turn it is from now on, or nobody's: see domain/tickets.py for the states."""
    ticket.state, ticket.updated_at = state, now
    ticket.closed_at = now if state == "closed" else None
    ticket.save(only=[Ticket.state, Ticket.updated_at, Ticket.closed_at])


def record(kind, ticket, account, now, delegate=None):
    history.record(
        kind,
        now=now,
        account=account,
        delegate=delegate,
        customer=ticket.customer_id,
        supply=ticket.supply_id,
        code=ticket.code,
    )


# -- Who is told ---------------------------------------------------------------------------


def confirm(ticket, account, now):
    """Tell by mail that the ticket is there, without what it says."""
    if ticket.due_on is None:
        mail.queue_notice("ticket_opened", account, params=told(ticket), now=now)
        return
    send_receipt(ticket, account.email, account, now)


def send_receipt(ticket, address, account, now):
    """To `address`, where there is one."""
    if address:
        params = told(ticket) | {"due": ticket.due_on.isoformat()}
        mail.queue("complaint_receipt", address, account=account, params=params, now=now)


def told(ticket):
    """What mail says of a ticket: neither its subject nor its text."""
    return {"code": ticket.code, "category": ticket.category}
