"""What the utility does with tickets: it opens, answers, closes, reopens, notes, assigns them.

`author` is who signs for the utility. `seen` is the id of the last turn that the operator had
read, notes counted, or None where nobody else can be writing: see `_refuse_unseen`.
"""

from flask_babel import gettext as _

from domain import mail
from domain import ticket_steps as steps
from domain.errors import Refused
from models import Account, Customer, Operator, Ticket, TicketMessage, writing


class Repeated(Refused):
    """The very same thing was sent to `ticket` a moment ago: nothing was done again."""

    def __init__(self, ticket):
        super().__init__(_("È già stato registrato."))
        self.ticket = ticket


def open_for_customer(
    customer_id, supply, *, category, subject, text, arrived=(), author, deadlines, now
):
    """Open a ticket for who called or wrote, `text` in the operator's words, and return it.

    Sent twice it is opened once: Repeated. What has a deadline gets its receipt by mail at every
    login of the customer, or without one at the address that billing knows.
    """
    with writing():
        steps.lock(customer_id)
        same = (
            Ticket.customer == customer_id, Ticket.subject == subject,
            Ticket.category == category, Ticket.supply == supply, TicketMessage.author == author,
        )  # fmt: skip
        again = steps.sent_twice(None, text, arrived, now, *same)
        if again:
            raise Repeated(again.ticket)
        ticket = steps.create(
            customer_id, supply, None, category, subject, deadlines=deadlines, now=now
        )
        steps.add(ticket, text, arrived, by_customer=True, author=author, now=now)
        steps.record("ticket_opened", ticket, None, now)
        logins = list(Account.open_of(customer_id))
        for account in logins:
            steps.confirm(ticket, account, now)
        if not logins and ticket.due_on:
            steps.send_receipt(ticket, Customer.get_by_id(customer_id).email, None, now)
        return ticket


def answer(ticket_id, text, arrived=(), *, author, seen=None, then_close=False, now):
    """Add the utility's answer: the customer's turn, who is told by mail; or the end of it."""
    with writing():
        ticket = steps.locked(ticket_id)
        _refuse_unseen(ticket, seen, author, now, text=text, files=arrived)
        steps.refuse_closed(ticket)
        steps.add(ticket, text, arrived, author=author, now=now)
        if ticket.answered_at is None:
            ticket.answered_at = now
            ticket.save(only=[Ticket.answered_at])
        steps.move(ticket, "answered", now)
        steps.record("ticket_answered", ticket, None, now)
        for account in Account.open_of(ticket.customer_id):
            mail.queue_notice("ticket_answered", account, params=steps.told(ticket), now=now)
        if then_close:
            _close(ticket, author, now)


def close(ticket_id, *, author, seen=None, now):
    """Close a ticket for the utility; Refused if it is closed already."""
    with writing():
        ticket = steps.locked(ticket_id)
        _refuse_unseen(ticket, seen, author, now, kind="closed")
        steps.refuse_closed(ticket)
        _close(ticket, author, now)


def _close(ticket, author, now):
    steps.add(ticket, "", kind="closed", author=author, now=now)
    steps.move(ticket, "closed", now)
    steps.record("ticket_closed", ticket, None, now)


def reopen(ticket_id, *, author, seen=None, now):
    """Open a closed ticket again, however long it was closed: the utility's turn."""
    with writing():
        ticket = steps.locked(ticket_id)
        _refuse_unseen(ticket, seen, author, now, kind="reopened")
        steps.refuse_open(ticket)
        steps.add(ticket, "", kind="reopened", author=author, now=now)
        steps.move(ticket, "open", now)
        steps.record("ticket_reopened", ticket, None, now)


def note(ticket_id, text, *, author, seen=None, now):
    """Add a note that only operators read: for the customer nothing has changed."""
    with writing():
        ticket = steps.locked(ticket_id)
        _refuse_unseen(ticket, seen, author, now, text=text, internal=True)
        steps.add(ticket, text, author=author, internal=True, now=now)


def assign(ticket_id, operator_id, *, instead_of):
    """Give a ticket to an operator, None for nobody, if it still is `instead_of`'s; else Refused.

    Returns the operator's user name, or None.
    """
    with writing():
        ticket = steps.locked(ticket_id)
        if ticket.assigned_to_id == operator_id:
            raise Repeated(ticket)
        if ticket.assigned_to_id != instead_of:
            raise Refused(_("Nel frattempo il ticket è stato assegnato diversamente."))
        able = Operator.id == operator_id, Operator.disabled_at.is_null()
        operator = Operator.select().where(*able).first()
        if operator_id and not operator:
            raise Refused(_("Questo operatore non può ricevere ticket: sceglierne un altro."))
        ticket.assigned_to = operator
        ticket.save(only=[Ticket.assigned_to])
        return operator and operator.username


def _refuse_unseen(ticket, seen, author, now, *, kind="text", text="", files=(), internal=False):
    """Refused where the ticket went on after the turn `seen`, so that nobody answers it twice.

    Repeated where it went on with just what is sent now.
    """
    if seen is None:
        return
    since = ticket.messages.where(TicketMessage.id > seen).order_by(TicketMessage.id)
    unseen = since.first()
    if unseen is None:
        return
    sent = [upload.sha256 for upload in files]
    if (
        (unseen.kind, unseen.text, unseen.author, unseen.internal) == (kind, text, author, internal)
        and not unseen.by_customer
        and unseen.at > now - steps.SENT_TWICE_WITHIN
        and steps.files_of(unseen) == sorted(sent)
    ):
        raise Repeated(ticket)
    raise Refused(
        _(
            "Nel frattempo il ticket è cambiato e non è stato registrato nulla: leggere che cosa "
            "c'è di nuovo e, se va ancora bene, inviare di nuovo."
        )
    )
