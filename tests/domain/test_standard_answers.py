import datetime as dt

import pytest

from domain import standard_answers
from domain.errors import Refused
from tests.factories import make_customer, make_ticket


@pytest.fixture
def ticket(app):
    customer = make_customer(name="ROSA {codice} \\g<0>")
    return make_ticket(customer, "T2026-000001", due_on=dt.date(2026, 12, 1))


def test_places_are_filled_in_once(ticket):
    text = "{cliente}: {codice}, {codice}, {scadenza}, {operatore}, {altro}, {"
    assert standard_answers.filled(text, ticket, "Marta") == (
        "ROSA {codice} \\g<0>: T2026-000001, T2026-000001, 01/12/2026, Marta, {altro}, {"
    )


def test_without_a_deadline_its_place_stays_and_is_not_sent(ticket):
    ticket.due_on = None
    text = standard_answers.filled("Entro il {scadenza}.", ticket, "Marta")
    assert text == "Entro il {scadenza}."
    with pytest.raises(Refused, match=r"\{scadenza\}"):
        standard_answers.check(text)


def test_other_braces_may_be_sent():
    standard_answers.check("{altro} {} { cliente }")
