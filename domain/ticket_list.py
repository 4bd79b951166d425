"""Tickets as their customer sees them: the list, what waits, one of them with its turns."""

import peewee as pw
from peewee import fn

from domain import attachments
from domain.receipts import CATEGORIES
from models import Prepared, PreparedUnder, SupplyPoint, Ticket, TicketMessage

STATES = ("open", "answered", "closed")
SORTS = (
    "-aggiornato", "aggiornato", "codice", "-codice", "oggetto", "-oggetto", "categoria",
    "-categoria", "stato", "-stato",
)  # fmt: skip


def _rank(column, values):
    """The place of a column's value among `values`, for sorting as they are listed."""
    return pw.Case(column, [(value, place) for place, value in enumerate(values)])


_COLUMNS = {
    "aggiornato": Ticket.updated_at,
    "codice": Ticket.id,
    "oggetto": fn.LOWER(Ticket.subject),
    "categoria": _rank(Ticket.category, CATEGORIES),
    "stato": _rank(Ticket.state, ("answered", "open", "closed")),
}


def _of(customer, only):
    """The condition that a ticket is the customer's and, unless None, about the supply `only`:
    who acts under a mandate sees no others."""
    own = Ticket.customer == customer
    return own if only is None else own & (Ticket.supply == only)


def _page(sort, state):
    column = _COLUMNS[sort.removeprefix("-")]

    def build(customer, limit, offset, only):
        query = Ticket.select(
            Ticket.code,
            Ticket.subject,
            Ticket.category,
            Ticket.state,
            Ticket.updated_at,
            Ticket.due_on,
            fn.COUNT(Ticket.id).over().alias("total"),
        ).where(_of(customer, only))
        if state:
            query = query.where(Ticket.state == state)
        order = column.desc() if sort.startswith("-") else column.asc()
        return query.order_by(order, Ticket.id.desc()).limit(limit).offset(offset)

    return PreparedUnder("customer limit offset", build, "only")


_pages = {(sort, state): _page(sort, state) for sort in SORTS for state in (None, *STATES)}


def page(customer_id, only=None, *, sort, state, limit, offset=0):
    """Rows of the customer's tickets; `sort` of SORTS, `state` of STATES or None for all.

    `only` is the id of the supply that they are about, None: whatever. Rows carry `total`, the
    number of rows on all pages.
    """
    return _pages[sort, state](customer=customer_id, only=only, limit=limit, offset=offset)


_waiting = PreparedUnder(
    "customer",
    lambda customer, only: (
        Ticket.select(Ticket.code, Ticket.subject, Ticket.updated_at)
        .where(_of(customer, only), Ticket.state == "answered")
        .order_by(Ticket.updated_at.desc(), Ticket.id.desc())
    ),
    "only",
)


def waiting_for_customer(customer_id, only=None):
    """Rows (code, subject, updated_at) of the tickets that wait for the customer, latest first."""
    return _waiting(customer=customer_id, only=only)


# -- One ticket -------------------------------------------------------------------------------

_one = PreparedUnder(
    "customer code",
    lambda customer, code, only: (
        Ticket.select(
            Ticket.id,
            Ticket.code,
            Ticket.customer,
            Ticket.category,
            Ticket.subject,
            Ticket.state,
            Ticket.opened_at,
            Ticket.closed_at,
            Ticket.due_on,
            SupplyPoint.code.alias("supply_code"),
        )
        .join(SupplyPoint, pw.JOIN.LEFT_OUTER)
        .where(_of(customer, only), Ticket.code == code)
    ),
    "only",
)


def one(customer_id, code, only=None):
    """The customer's ticket with that code as a row, or None; `only` as of `page`."""
    rows = _one(customer=customer_id, code=code, only=only) if is_code(code) else []
    return rows[0] if rows else None


def is_code(text):
    """Whether any ticket might have it: databases refuse to look for the rest."""
    return len(text) <= Ticket.code.max_length and text.isascii() and text.isprintable()


_turns = Prepared(
    "ticket",
    lambda ticket: (
        TicketMessage.select(
            TicketMessage.id,
            TicketMessage.at,
            TicketMessage.kind,
            TicketMessage.by_customer,
            TicketMessage.author,
            TicketMessage.delegate,
            TicketMessage.text,
        )
        .where(TicketMessage.ticket == ticket, ~TicketMessage.internal)
        .order_by(TicketMessage.id)
    ),
)


def turns(ticket_id):
    """[(row of a turn, rows of its attachments)] as the customer reads them, in order."""
    found = {}
    for row in attachments.of_ticket(ticket_id):
        found.setdefault(row.message, []).append(row)
    return [(turn, found.get(turn.id, [])) for turn in _turns(ticket=ticket_id)]
