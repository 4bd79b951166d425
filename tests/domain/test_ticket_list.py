import pytest

from domain import ticket_list
from models import Ticket
from tests.factories import make_account, make_customer, make_ticket
from tests.ticketing import DAY, NOW


@pytest.fixture
def customer(app):
    return make_customer("000002")


@pytest.fixture
def account(customer):
    return make_account(customer)


def test_tickets_wait_in_the_order_of_their_answers(customer):
    for days, state in ((1, "answered"), (3, "answered"), (2, "answered"), (0, "open")):
        make_ticket(customer, subject=f"{days}", state=state, updated_at=NOW - days * DAY)
    make_ticket(make_customer(), state="answered")
    assert [row.subject for row in ticket_list.waiting_for_customer(customer.id)] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("-aggiornato", "bac"), ("aggiornato", "cab"), ("codice", "abc"), ("-codice", "cba"),
        ("oggetto", "cba"), ("-oggetto", "abc"), ("categoria", "cab"), ("stato", "bac"),
    ],
)  # fmt: skip
def test_orders(customer, sort, expected):
    rows = {
        "a": ("Zeta", "complaint", "open", 2),
        "b": ("beta", "billing", "answered", 1),
        "c": ("Alfa", "information", "closed", 3),
    }
    for subject, category, state, age in rows.values():
        make_ticket(
            customer, subject=subject, category=category, state=state,
            updated_at=NOW - age * DAY,
        )  # fmt: skip
    names = {row[0]: name for name, row in rows.items()}
    found = ticket_list.page(customer.id, sort=sort, state=None, limit=10)
    assert "".join(names[row.subject] for row in found) == expected


@pytest.mark.parametrize("sort", ticket_list.SORTS)
@pytest.mark.parametrize("state", [None, *ticket_list.STATES])
def test_every_order_shows_all_rows_once(customer, sort, state):
    for n in range(7):
        make_ticket(customer, state=ticket_list.STATES[n % 3], closed_at=NOW)
    rows = [
        row
        for offset in range(0, 9, 3)
        for row in ticket_list.page(customer.id, sort=sort, state=state, limit=3, offset=offset)
    ]
    expected = [t.code for t in Ticket.select() if state in (None, t.state)]
    assert sorted(row.code for row in rows) == sorted(expected)
    assert {row.total for row in rows} == {len(expected)}


@pytest.mark.parametrize("code", ["", "\x00", "T2026-\x00", "x" * 50, "è", "T2026-999999", "1"])
def test_a_code_that_does_not_exist_finds_nothing(customer, code):
    make_ticket(customer)
    assert ticket_list.one(customer.id, code) is None
