"""Row 10: whatever else a form brings, it changes nothing that the form does not name."""

import datetime as dt

import pytest

import models
from domain.clock import rome_day, utcnow
from models import Ticket, TicketMessage
from tests.factories import PASSWORD, make_ticket
from tests.security.owners import OBJECTS, Owner, address, own_values, routes
from tests.security.routes import UNSAFE

STRONG = "lampada fiume orologio tramonto"
# What the forms do name, filled in well.
TYPED = {
    "counter": "120",
    "phone": "0574 123456",
    "fax": "0574 654321",
    "email": "nuova@example.it",
    "password": PASSWORD,
    "new_password": STRONG,
    "repeat_password": STRONG,
    "nickname": "Casa al mare",
    "subject": "Oggetto",
    "category": "complaint",
    "text": "Testo",
}


def columns_that_name(owner):
    """Every column of every table with the id of `owner`'s row that it could refer to."""
    rows = {
        models.Customer: owner.customer,
        models.Account: owner.account,
        models.SupplyPoint: owner.gas,
    }
    named = {}
    for table in models.TABLES:
        for field in table._meta.sorted_fields:
            row = rows.get(getattr(field, "rel_model", table), owner.customer)
            named[field.name] = named[field.column_name] = str(row.id)
    return named


def rows_of(owner):
    """All rows that name `owner`, its login or one of its supplies."""
    ids = {
        models.Customer: {owner.customer.id},
        models.Account: {owner.account.id},
        models.SupplyPoint: {owner.gas.id, owner.electricity.id},
    }
    found = []
    for table in models.TABLES:
        for row in table.select().dicts():
            own = table in ids and row["id"] in ids[table]
            named = table._meta.refs.items()
            if own or any(row[field.name] in ids.get(model, ()) for field, model in named):
                found.append((table, str(row)))
    return found


@pytest.fixture
def owner(app):
    return Owner(app)


@pytest.fixture
def stranger(app):
    return Owner(app)


def test_row_10_no_form_reaches_the_rows_of_another(app, owner, stranger, sign_in):
    hostile = {**columns_that_name(stranger), **TYPED}
    untouched = rows_of(stranger)
    assert len(untouched) >= 5
    tried = 0
    for rule, method in routes(app, *UNSAFE):
        browser = sign_in(owner.account)
        path = address(app, rule, own_values(rule, owner))
        for data in (hostile, {**hostile, "code": "000000", "state": "closed", "role": "admin"}):
            assert browser.open(path, method=method, data=data).status_code < 500, path
            tried += 1
        assert rows_of(stranger) == untouched, path
    assert tried > 2 * len([name for name in OBJECTS if name.startswith("tickets.")])


def test_row_10_a_ticket_is_as_the_portal_makes_it(owner, sign_in):
    today = rome_day(utcnow())
    hostile = {
        **TYPED, "id": "77", "code": "T1", "state": "closed", "due_on": "2099-01-01",
        "opened_at": "2000-01-01", "closed_at": "2000-01-01", "by_customer": "", "author": "Marta",
        "kind": "closed", "at": "2000-01-01",
    }  # fmt: skip
    browser = sign_in(owner.account)
    browser.post(f"/forniture/{owner.gas.code}/ticket/nuovo", data=hostile)
    made = Ticket.get()
    assert (made.state, made.closed_at, made.customer) == ("open", None, owner.customer)
    assert made.code.startswith(f"T{today.year}-")
    assert made.due_on == today + dt.timedelta(days=30)

    theirs = make_ticket(owner.customer, texts=())
    browser.post(f"/forniture/{owner.gas.code}/ticket/{theirs.code}", data=hostile)
    for turn in TicketMessage.select():
        assert (turn.kind, turn.by_customer, turn.author) == ("text", True, None)
        assert turn.account == owner.account
        assert turn.at > utcnow() - dt.timedelta(minutes=5)
    assert TicketMessage.select().count() == 2
