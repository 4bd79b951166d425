import datetime as dt

import pytest

import models
from domain import ticket_queue
from models import Ticket
from tests.factories import make_customer, make_operator, make_ticket

NOW = dt.datetime(2026, 11, 23, 8, 30, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 23)
DAY = dt.timedelta(days=1)


@pytest.fixture
def customer(app):
    return make_customer("000002")


def subjects(**asked):
    return "".join(row.subject for row in ticket_queue.page(limit=50, **asked))


@pytest.mark.parametrize(
    ("days", "kind", "words"),
    [
        (-2, "late", "scaduto da 2 giorni"),
        (-1, "late", "scaduto ieri"),
        (0, "wait", "scade oggi"),
        (1, "wait", "scade domani"),
        (2, "wait", "scade tra 2 giorni"),
        (5, "wait", "scade tra 5 giorni"),
        (6, "info", "scade tra 6 giorni"),
    ],
)
def test_the_clock_of_a_deadline_in_words(customer, days, kind, words):
    ticket = make_ticket(customer, due_on=TODAY + days * DAY)
    assert ticket_queue.deadline(ticket, today=TODAY) == (kind, words)


@pytest.mark.parametrize(
    "values",
    [
        {"due_on": None},
        {"due_on": TODAY, "answered_at": NOW},
        {"due_on": TODAY, "state": "closed", "closed_at": NOW},
    ],
    ids=str,
)
def test_the_clock_stops_with_the_first_answer_and_with_the_end(customer, values):
    assert ticket_queue.deadline(make_ticket(customer, **values), today=TODAY) is None


def test_by_deadline_then_by_age_and_what_follows_an_answer_last(customer):
    for subject, values in (
        ("e", {}),
        ("c", {"due_on": TODAY}),
        ("d", {"due_on": TODAY}),
        ("f", {"due_on": TODAY - 9 * DAY, "answered_at": NOW}),
        ("b", {"due_on": TODAY - DAY}),
        ("a", {"due_on": TODAY - 2 * DAY}),
        ("x", {"due_on": TODAY - 3 * DAY, "state": "closed", "closed_at": NOW}),
    ):
        make_ticket(customer, subject=subject, **values)
    assert subjects() == "abcdef"


@pytest.mark.parametrize("sort", ticket_queue.SORTS)
@pytest.mark.parametrize("state", [None, "risposti", "chiusi", "tutti"])
def test_every_order_shows_all_rows_once(customer, sort, state):
    names = ("open", "answered", "closed")
    for n in range(9):
        make_ticket(
            customer if n % 2 else make_customer(),
            state=names[n % 3],
            closed_at=NOW,
            due_on=TODAY + n * DAY if n % 4 else None,
            assigned_to=make_operator() if n % 2 else None,
        )
    asked = {"sort": sort, "state": state}
    rows = [
        row.code
        for offset in (0, 4, 8)
        for row in ticket_queue.page(limit=4, offset=offset, **asked)
    ]
    wanted = {"tutti": names}.get(state, (ticket_queue.STATES.get(state, "open"),))
    assert sorted(rows) == sorted(t.code for t in Ticket.select() if t.state in wanted)
    assert len(rows) == ticket_queue.total(state=state)


@pytest.mark.parametrize("sort", ["oggetto", "cliente", "assegnato"])
def test_orders_turn_round(customer, sort):
    for letter in "bac":
        owner, operator = make_customer(f"00{letter}"), make_operator(name=letter.upper())
        make_ticket(owner, subject=letter, assigned_to=operator)
    assert subjects(sort=sort) == "abc"
    assert subjects(sort=f"-{sort}") == "cba"


def test_the_queue_is_read_from_its_index(customer):
    for n in range(300):
        make_ticket(customer, due_on=TODAY + n * DAY, state="open" if n % 10 == 0 else "closed")
    sql, values = ticket_queue._page("scadenza").limit(20).sql()
    if models.is_sqlite():
        plan = models.db.execute_sql(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
        steps = [step[3] for step in plan]
    else:
        with models.db.atomic():  # of so few rows it would read the whole table
            for other in ("seqscan", "sort", "bitmapscan"):
                models.db.execute_sql(f"SET LOCAL enable_{other} = off")
            plan = models.db.execute_sql(f"EXPLAIN {sql}", values).fetchall()
        steps = [step for (step,) in plan]
    assert "ticket_queue" in " ".join(steps)
    assert not any("B-TREE" in step or "Sort" in step for step in steps)


def test_nobody_who_is_disabled_is_offered(app):
    make_operator(name="Via", disabled_at=NOW)
    make_operator(name="bruno")
    make_operator(name="Anna")
    assert [row.name for row in ticket_queue.operators()] == ["Anna", "bruno"]
