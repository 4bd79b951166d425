"""What customers do with tickets: they open, answer, close, reopen them.

A ticket is `open`: the utility's turn; `answered`: the customer's; `closed` by either. What the
utility does is in domain/ticket_desk.py. Attachments are `received` (see domain/attachments.py)
by the caller, around the call that keeps them. `account_id` is the login that does it; None
where `delegate`, a name, does it under a mandate.
"""

import datetime as dt

from flask_babel import gettext as _

from domain import ticket_steps as steps
from domain.errors import Refused
from models import Account, Ticket, TicketMessage, writing

REOPENED_WITHIN = dt.timedelta(days=90)


def open_ticket(
    customer_id, supply, account_id, *, category, subject, text, arrived=(), delegate=None,
    deadlines, now,
):  # fmt: skip
    """Open a ticket and return it; the very same one sent twice is opened once.

    `supply` is the row or id of the supply that it concerns, or None; `arrived` are the
    Uploads that come with it. What has a deadline gets a receipt by mail, the rest a notice.
    """
    if delegate and category == "data_change":
        raise Refused(_("La delega non permette di chiedere la modifica dei dati del cliente."))
    with writing():
        steps.lock(customer_id)
        same = (
            Ticket.subject == subject, Ticket.category == category, Ticket.supply == supply,
            TicketMessage.delegate == delegate,
        )  # fmt: skip
        again = steps.sent_twice(account_id, text, arrived, now, *same)
        if again:
            return again.ticket
        ticket = steps.create(
            customer_id, supply, account_id, category, subject, deadlines=deadlines, now=now
        )
        steps.add(ticket, text, arrived, **_by(account_id, delegate), now=now)
        steps.record("ticket_opened", ticket, account_id, now, delegate)
        told = [Account.get_by_id(account_id)] if account_id else list(Account.open_of(customer_id))
        for account in told:
            steps.confirm(ticket, account, now)
        return ticket


def _by(account_id, delegate):
    """Who writes a turn for the customer, as it keeps it."""
    return {"by_customer": True, "account": account_id, "delegate": delegate}


def answer(ticket_id, account_id, text, arrived=(), *, delegate=None, now):
    """Add the customer's answer: the utility's turn again. Raises Refused once it is closed."""
    with writing():
        ticket = steps.locked(ticket_id)
        if steps.sent_twice(account_id, text, arrived, now, *_turn_of(ticket, "text", delegate)):
            return
        if ticket.state == "closed":
            raise Refused(_("Il ticket è chiuso: per scrivere ancora occorre riaprirlo."))
        steps.add(ticket, text, arrived, **_by(account_id, delegate), now=now)
        steps.move(ticket, "open", now)
        steps.record("ticket_answered", ticket, account_id, now, delegate)


def close(ticket_id, account_id, *, delegate=None, now):
    """Close a ticket for the customer; Refused if it is closed already."""
    with writing():
        ticket = steps.locked(ticket_id)
        steps.refuse_closed(ticket)
        steps.add(ticket, "", kind="closed", **_by(account_id, delegate), now=now)
        steps.move(ticket, "closed", now)
        steps.record("ticket_closed", ticket, account_id, now, delegate)


def reopen(ticket_id, account_id, text, arrived=(), *, delegate=None, now):
    """Open a closed ticket again, `text` says why; Refused if it is open or closed too long."""
    with writing():
        ticket = steps.locked(ticket_id)
        if ticket.state != "closed" and steps.sent_twice(
            account_id, text, arrived, now, *_turn_of(ticket, "reopened", delegate)
        ):
            return
        steps.refuse_open(ticket)
        if not can_be_reopened(ticket, now=now):
            raise Refused(
                _(
                    "Il ticket è chiuso da più di %(days)s giorni e non si può più riaprire: "
                    "aprirne uno nuovo.",
                    days=REOPENED_WITHIN.days,
                )
            )
        steps.add(ticket, text, arrived, kind="reopened", **_by(account_id, delegate), now=now)
        steps.move(ticket, "open", now)
        steps.record("ticket_reopened", ticket, account_id, now, delegate)


def can_be_reopened(ticket, *, now):
    return ticket.state == "closed" and now <= ticket.closed_at + REOPENED_WITHIN


def _turn_of(ticket, kind, delegate):
    """The conditions that a turn is one of that kind in `ticket`, by that delegate or by none."""
    return (
        Ticket.id == ticket.id, TicketMessage.kind == kind, TicketMessage.delegate == delegate,
    )  # fmt: skip
