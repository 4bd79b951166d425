"""What customers ask the utility, and its evolution: opened, answered, closed, reopened."""

from models import Prepared, Ticket

_waiting = Prepared(
    "customer",
    lambda customer: (
        Ticket.select(Ticket.code, Ticket.subject, Ticket.updated_at)
        .where(Ticket.customer == customer, Ticket.state == "answered")
        .order_by(Ticket.updated_at.desc(), Ticket.id.desc())
    ),
)


def waiting_for_customer(customer_id):
    """Rows (code, subject, updated_at) of the tickets that wait for the customer, latest first."""
    return _waiting(customer=customer_id)
