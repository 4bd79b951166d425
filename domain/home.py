"""What matters now to a customer, most urgent first."""

from typing import NamedTuple

from domain import documents, invoices, measures, supplies, ticket_list, windows
from domain.clock import rome_day

# From what must not wait to what is good to know.
STATES = OVERDUE, ASKED, OPEN, DUE, NEW, FINE = ("overdue", "asked", "open", "due", "new", "fine")


class Tile(NamedTuple):
    """One thing to tell. `about` is what it tells of, or None where there is nothing."""

    state: str
    name: str
    about: object


def tiles(customer_id, supply, mandate=None, *, since, now):
    """The tiles of «Home Page»; `supply` is one of the frame's rows, or None.

    `mandate` is the id of the one under which somebody acts for the customer. `since` is the
    last access, or None.
    """
    today = rome_day(now)
    found = [
        _invoice(customer_id, supply, mandate, today),
        _tickets(customer_id, supply.id if mandate else None),
        _window(supply, today, now),
        _measures(supply),
        *_papers(customer_id, mandate, since, today),
    ]
    return sorted(filter(None, found), key=lambda tile: STATES.index(tile.state))


def _invoice(customer_id, supply, mandate, today):
    row = invoices.next_to_pay(customer_id, supply.id if supply else None, mandate)
    if row is None:
        return Tile(FINE, "invoice", None)
    overdue = invoices.state(row, today) == invoices.OVERDUE
    return Tile(OVERDUE if overdue else DUE, "invoice", row)


def _tickets(customer_id, only):
    waiting = ticket_list.waiting_for_customer(customer_id, only)
    return Tile(ASKED, "tickets", waiting) if waiting else None


def _window(supply, today, now):
    if supply is None or supply.service != "GAS" or supplies.has_ended(supply, today):
        return None
    row = windows.first_coming(supply, now=now)
    if row is None:
        return Tile(FINE, "window", None)
    return Tile(OPEN if windows.is_open(row, now=now) else FINE, "window", windows.span(row))


def _measures(supply):
    if supply is None or supply.service != "EE":
        return None
    return Tile(FINE, "measures", measures.last_day(supply))


def _papers(customer_id, mandate, since, today):
    """The latest notice; a document of the customer's own, for its eyes alone, while it is new."""
    for row in documents.latest(customer_id, today=today):
        if mandate and row.category == documents.PERSONAL:
            continue
        if documents.is_new(row, since):
            yield Tile(NEW, "paper", row)
        elif row.category == documents.NOTICES:
            yield Tile(FINE, "paper", row)
