"""Who of the utility looks as a customer reads, writes nothing, and not longer than at the desk."""

import datetime as dt

import pytest

from domain import agenda, operator_sessions
from domain.clock import utcnow
from models import Event, Operator, OperatorSession, RegisterEntry, Session
from tests.factories import make_operator
from tests.pages import PARTIAL
from tests.security.owners import RECORDED, Owner, address, own_values, routes
from tests.security.routes import UNSAFE, archive, with_method

OF_THE_VIEW = {Session, OperatorSession}  # how long ago they were seen


@pytest.fixture
def owner(app):
    return Owner(app)


@pytest.fixture
def operator(app):
    return make_operator()


@pytest.fixture
def view(owner, operator, sign_in_operator):
    """The browser of an operator who looks as `owner`."""
    browser = sign_in_operator(operator)
    path = f"/staff/clienti/{owner.customer.code}/accessi/{owner.account.id}/vista"
    assert browser.post(path).location == "/"
    return browser


def stored():
    return {table: rows for table, rows in archive().items() if table not in OF_THE_VIEW}


def test_row_25_who_looks_as_a_customer_writes_nothing(app, owner, view):
    walked = 0
    for rule, method in with_method(app, *UNSAFE):
        # The language is that of the operator who looks: see tests/views/test_switcher.py.
        if rule.endpoint.startswith("staff_") or rule.endpoint in {"static", "language.choose"}:
            continue
        try:
            values = own_values(rule, owner)
        except AssertionError:  # open to all: nothing of a customer's is in its address
            values = dict.fromkeys(rule.arguments, "1")
        path = address(app, rule, values)
        before = stored()
        for headers in ({}, PARTIAL):
            answer = view.open(path, method=method, headers=headers, data={"password": "x"})
            assert answer.status_code == 403, rule
            assert "sola lettura" in answer.text, rule
        assert stored() == before, rule
        walked += 1
    assert walked > 20


def test_row_25_what_is_downloaded_in_a_view_is_the_operator_s(app, owner, view):
    for rule, _method in routes(app, "GET"):
        path = address(app, rule, own_values(rule, owner))
        before = stored()
        answer = view.get(path)
        assert answer.status_code in {200, 303, 403}, rule
        if answer.mimetype == "text/html" and answer.status_code == 200:
            assert "Vista del cliente, sola lettura" in answer.text, rule
        after = stored()
        changed = {table for table in after if after[table] != before[table]}
        if rule.endpoint == "preferences.download":
            assert (answer.status_code, changed) == (403, set())
        elif rule.endpoint in RECORDED:
            assert changed == {Event, RegisterEntry}, rule
            event = Event.select().order_by(Event.id.desc()).get()
            assert (event.account_id, event.customer_id) == (None, owner.customer.id), rule
            entry = RegisterEntry.select().order_by(RegisterEntry.number.desc()).get()
            assert (entry.kind, entry.customer_code) == ("view_downloaded", owner.customer.code)
        else:
            assert changed == set(), rule


def is_open(browser, owner):
    return browser.get(f"/forniture/{owner.gas.code}/home").status_code == 200


def test_the_view_ends_when_the_operator_signs_out(owner, view):
    assert is_open(view, owner)
    kept = view.get_cookie("portale").value
    view.post("/staff/logout")
    assert not is_open(view, owner)
    view.set_cookie("portale", kept)
    assert not is_open(view, owner)
    assert Session.select().count() == 0


def test_the_view_ends_when_the_operator_is_disabled(owner, operator, view):
    Operator.update(disabled_at=utcnow()).where(Operator.id == operator.id).execute()
    assert not is_open(view, owner)


@pytest.mark.parametrize(
    ("column", "passed"),
    [("seen_at", operator_sessions.IDLE), ("created_at", operator_sessions.ABSOLUTE)],
)
def test_the_view_lasts_as_long_as_at_the_desk(owner, view, column, passed):
    then = utcnow() - passed + dt.timedelta(seconds=30)
    OperatorSession.update({column: then}).execute()
    assert is_open(view, owner)
    OperatorSession.update({column: utcnow() - passed}).execute()
    assert not is_open(view, owner)


def test_to_look_is_to_be_there(owner, view):
    OperatorSession.update(seen_at=utcnow() - dt.timedelta(minutes=14)).execute()
    assert is_open(view, owner)
    assert OperatorSession.get().seen_at > utcnow() - dt.timedelta(minutes=1)


def test_the_token_of_a_view_opens_nothing_without_the_operator_s(app, owner, view, operator):
    with view.session_transaction() as cookie:
        token = cookie["_user_id"]
    stolen = app.test_client()
    with stolen.session_transaction() as cookie:
        cookie["_user_id"] = token
    assert not is_open(stolen, owner)
    other = operator_sessions.open_session(operator, now=utcnow())
    with stolen.session_transaction() as cookie:
        cookie["_operator"] = other
    assert not is_open(stolen, owner)


def test_the_secret_address_of_the_customer_s_calendar_is_not_shown(app, owner, sign_in, view):
    """It would open what the customer owes after the view has ended, and in no register."""
    agenda.make(owner.account.id, owner.gas, now=utcnow())
    link = agenda.link(owner.account.id, owner.gas)
    secret = agenda.token(link, key=app.secret_key)
    page = f"/forniture/{owner.gas.code}/preferenze"
    assert secret in sign_in(owner.account).get(page).text
    shown = view.get(page).text
    assert secret not in shown
    assert "qui non si mostra" in shown


def test_the_desk_goes_on_beside_a_view(owner, view):
    assert view.get("/staff/clienti").status_code == 200
    path = f"/staff/clienti/{owner.customer.code}/accessi/{owner.account.id}/invia"
    assert view.post(path).status_code == 303


def test_a_customer_s_request_costs_no_query_more(owner, sign_in, count_queries):
    browser = sign_in(owner.account)
    browser.get(f"/forniture/{owner.gas.code}/home")
    with count_queries() as queries:
        browser.get(f"/forniture/{owner.gas.code}/home")
    assert not [sql for sql in queries if "operator_session" in sql and '"session"' not in sql]
    assert sum("operator_session" in sql for sql in queries) == 1
