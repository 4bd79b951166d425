"""Tickets as the desk sees them: the queue by deadline, one of them with its notes."""

import peewee as pw
from flask_babel import gettext as _
from peewee import fn

from domain import attachments
from domain.ticket_list import is_code
from models import Customer, Operator, SupplyPoint, Ticket, TicketMessage

SORTS = (
    "scadenza", "-scadenza", "aperto", "-aperto", "cliente", "-cliente", "oggetto", "-oggetto",
    "assegnato", "-assegnato",
)  # fmt: skip
STATES = {"risposti": "answered", "chiusi": "closed"}  # as the address names them
ALL = "tutti"  # beside them: without either, the open ones
NOBODY = "nessuno"
SOON = 5  # days before a deadline

_COLUMNS = {
    "scadenza": Ticket.awaited_by(),
    "aperto": Ticket.opened_at,
    "cliente": Customer.code,
    "oggetto": fn.LOWER(Ticket.subject),
    "assegnato": fn.LOWER(Operator.name),
}


# -- The queue -----------------------------------------------------------------------------


def page(*, sort="scadenza", limit, offset=0, **asked):
    """Rows of the queue; `sort` of SORTS, the rest as `_narrowed` has it.

    By deadline the overdue ones come first, what has none last, and of two the older one.
    """
    return list(_page(sort, **asked).limit(limit).offset(offset).namedtuples())


def _page(sort, **asked):
    column = _COLUMNS[sort.removeprefix("-")]
    order = column.desc(nulls="last") if sort.startswith("-") else column.asc(nulls="last")
    query = (
        Ticket.select(
            Ticket.code,
            Ticket.category,
            Ticket.subject,
            Ticket.state,
            Ticket.opened_at,
            Ticket.due_on,
            Ticket.answered_at,
            Customer.code.alias("customer_code"),
            Customer.name.alias("customer_name"),
            Operator.name.alias("operator_name"),
        )
        .join_from(Ticket, Customer)
        .join_from(Ticket, Operator, pw.JOIN.LEFT_OUTER)
    )
    return _narrowed(query, **asked).order_by(order, Ticket.id)


def total(**asked):
    """How many rows the queue has on all pages."""
    return _narrowed(Ticket.select(Ticket.id), **asked).count()


def _narrowed(query, *, state=None, category=None, assigned=None, customer=None, text=None):
    """`query` with only the tickets that are asked for.

    `state` is a key of STATES, ALL, or None for the open ones; `assigned` the id of an operator
    or NOBODY; `customer` a code; `text` part of a subject or of a code.
    """
    if state != ALL:
        query = query.where(Ticket.state == STATES.get(state, "open"))
    if category:
        query = query.where(Ticket.category == category)
    if assigned:
        whose = Ticket.assigned_to
        query = query.where(whose.is_null() if assigned == NOBODY else whose == assigned)
    if customer:
        coded = Customer.select(Customer.id).where(Customer.code == customer)
        query = query.where(Ticket.customer.in_(coded))
    if text:
        query = query.where(Ticket.subject.contains(text) | Ticket.code.contains(text))
    return query


def operators():
    """Rows (id, name) of who may be given a ticket."""
    return list(
        Operator.select(Operator.id, Operator.name)
        .where(Operator.disabled_at.is_null())
        .order_by(fn.LOWER(Operator.name), Operator.id)
        .namedtuples()
    )


def deadline(row, *, today):
    """(kind of badge, words) of how much time is left for the first answer, or None.

    `today` is the day in Italy.
    """
    if row.due_on is None or row.answered_at or row.state == "closed":
        return None
    days = (row.due_on - today).days
    if days < 0:
        return "late", _overdue(-days)
    return "wait" if days <= SOON else "info", _left(days)


def _overdue(days):
    return _("scaduto ieri") if days == 1 else _("scaduto da %(days)s giorni", days=days)


def _left(days):
    if days < 2:
        return (_("scade oggi"), _("scade domani"))[days]
    return _("scade tra %(days)s giorni", days=days)


# -- One ticket ----------------------------------------------------------------------------


def one(code):
    """The ticket with `code`, its customer, supply and operator read along; or None."""
    if not is_code(code):
        return None
    return (
        Ticket.select(Ticket, Customer, SupplyPoint, Operator)
        .join_from(Ticket, Customer)
        .join_from(Ticket, SupplyPoint, pw.JOIN.LEFT_OUTER)
        .join_from(Ticket, Operator, pw.JOIN.LEFT_OUTER)
        .where(Ticket.code == code)
        .first()
    )


def turns(ticket):
    """[(turn, rows of its attachments)], notes among operators too, in order."""
    found = {}
    for row in attachments.of_ticket(ticket.id):
        found.setdefault(row.message, []).append(row)
    return [(turn, found.get(turn.id, [])) for turn in ticket.messages.order_by(TicketMessage.id)]
