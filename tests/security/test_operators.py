"""Rows 18 and 25: the desk is for operators with a second factor, and it remembers what they do."""

import datetime as dt
import logging
import re

import pyotp
import pytest

from domain import operator_sessions, operators, register, throttle
from domain.clock import utcnow
from models import Operator, RegisterEntry, Session
from tests.factories import PASSWORD, make_account, make_operator
from tests.pages import PARTIAL
from tests.security.desk import ADMINISTRATORS, DOOR, ENTRANCE, routes, values_of
from tests.security.owners import Owner, address
from tests.security.routes import UNSAFE, archive, with_method

LEAVING = {"staff_entrance.close_all_sessions"}
KINDS = {"page": {}, "partial": PARTIAL}


@pytest.fixture
def owner(app):
    return Owner(app)


def paths(app, owner):
    for rule, method in routes(app, "GET", *UNSAFE):
        yield rule, address(app, rule, values_of(rule, owner)), method


def test_row_18_operators_find_every_page(app, owner, sign_in_operator):
    administrator = make_operator("administrator")
    for rule, path, method in paths(app, owner):
        answer = sign_in_operator(administrator).open(path, method=method)
        assert answer.status_code in {200, 303, 400, 413, 422}, rule
        assert rule.endpoint in LEAVING or "/login" not in (answer.location or ""), rule


def test_row_18_customers_find_nothing(app, owner, sign_in):
    for rule, method in with_method(app, "GET", *UNSAFE):
        if not rule.endpoint.startswith("staff_"):
            continue
        path = address(app, rule, dict.fromkeys(rule.arguments, "1"))
        for headers in KINDS.values():
            answer = sign_in(owner.account).open(path, method=method, headers=headers)
            assert answer.status_code == 404, rule


def test_row_18_whose_session_as_a_customer_has_ended_finds_the_door(app, owner, sign_in):
    """An operator may be a customer too, in the same browser."""
    browser = sign_in(owner.account)
    assert browser.get("/staff/login").status_code == 404
    Session.delete().execute()
    assert browser.get("/staff/login").status_code == 200
    assert browser.get("/staff").location == "/staff/login"


def test_row_18_nobody_else_gets_in(app, owner, sign_in_operator):
    disabled = make_operator()
    locked_out = sign_in_operator(disabled)
    Operator.update(disabled_at=utcnow()).where(Operator.id == disabled.id).execute()
    half_way = sign_in_operator(make_operator(), verified=False)
    first_time = sign_in_operator(make_operator(must_change_password=True))
    doors = (
        (app.test_client(), "/staff/login"),
        (locked_out, "/staff/login"),
        (half_way, "/staff/codice"),
        (first_time, "/staff/password"),
    )
    for rule, path, method in paths(app, owner):
        for browser, door in doors:
            answer = browser.open(path, method=method)
            assert (answer.status_code, answer.location) == (303, door), rule
            answer = browser.open(path, method=method, headers=PARTIAL)
            assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, door), rule


def test_row_18_what_is_for_administrators_does_not_exist_for_operators(
    app, owner, sign_in_operator
):
    operator = make_operator()
    for rule, path, method in paths(app, owner):
        answer = sign_in_operator(operator).open(path, method=method)
        assert (answer.status_code == 404) == (rule.endpoint in ADMINISTRATORS), rule


def test_row_18_every_route_of_the_desk_is_told_of(app):
    known = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert known >= DOOR | ENTRANCE | ADMINISTRATORS
    for rule in app.url_map.iter_rules():  # those that walk the desk know it by its name
        assert rule.endpoint.startswith("staff_") == rule.rule.startswith("/staff"), rule


# -- The door ------------------------------------------------------------------------------

GUESS = {"password": "Estate2026!!"}


@pytest.fixture
def usernames(app):
    """A user name of each sort."""
    return {
        "unknown": "nessuno",
        "active": make_operator().username,
        "disabled": make_operator(disabled_at=utcnow()).username,
        "new": make_operator(must_change_password=True, totp_since=None).username,
        "administrator": make_operator("administrator").username,
    }


def test_row_18_nobody_learns_who_is_an_operator(browser_at, usernames, argon2_calls):
    answers = {}
    for sort, username in usernames.items():
        browser = browser_at("192.0.2.1")
        answer = browser.post("/staff/login", data={"username": username, **GUESS})
        lines = answer.text.replace(username, "UTENTE").splitlines()
        answers[sort] = answer.status_code, [each for each in lines if "csrf" not in each]
        assert argon2_calls == ["verify"], sort
        argon2_calls.clear()
    assert answers["unknown"][0] == 422
    assert all(answer == answers["unknown"] for answer in answers.values())


def test_row_18_a_disabled_operator_with_the_right_password_is_told_the_same(browser_at, usernames):
    pages = []
    for password in (PASSWORD, "Estate2026!!"):
        data = {"username": usernames["disabled"], "password": password}
        pages.append(browser_at("192.0.2.1").post("/staff/login", data=data).text)
    assert "Utente o password non corretti." in pages[0]
    assert without_token(pages[0]) == without_token(pages[1])


def without_token(page):
    return [line for line in page.splitlines() if "csrf_token" not in line]


def test_row_18_guesses_at_one_user_name_have_a_limit(browser_at, usernames, argon2_calls):
    most = throttle.OPERATOR_NAME.most
    data = {"username": usernames["active"], **GUESS}
    statuses = [
        browser_at(f"198.51.100.{n}").post("/staff/login", data=data).status_code
        for n in range(most + 3)
    ]
    assert statuses == [422] * most + [429] * 3
    assert len(argon2_calls) == most


def test_row_18_guesses_from_elsewhere_lock_no_operator_out(app, browser_at, usernames):
    operator = Operator.get(Operator.username == usernames["active"])
    right = {"username": operator.username, "password": PASSWORD}
    own = browser_at("192.0.2.1")
    assert own.post("/staff/login", data=right).status_code == 303
    secret = operators.secret(operator, operators.keys(app.secret_key))
    assert own.post("/staff/codice", data={"code": pyotp.TOTP(secret).now()}).status_code == 303
    own.post("/staff/logout")
    for n in range(throttle.OPERATOR_NAME.most + 3):
        address = f"198.51.100.{n}" if n % 2 else "192.0.2.1"
        browser_at(address).post("/staff/login", data=right | GUESS)
    assert browser_at("203.0.113.1").post("/staff/login", data=right).status_code == 429
    assert own.post("/staff/login", data=right).status_code == 303


def test_row_18_a_known_browser_guesses_no_more_than_any(app, browser_at, usernames):
    """Nor is one known to the desk that is known to a customer with the same id."""
    operator = Operator.get(Operator.username == usernames["active"])
    customer = make_account(id=operator.id)
    browser = browser_at("192.0.2.1")
    browser.post("/login", data={"username": customer.username, "password": PASSWORD})
    browser.post("/logout")
    browser.set_cookie("portale-noto-sportello", browser.get_cookie("portale-noto").value)
    data = {"username": operator.username, **GUESS}
    statuses = [browser.post("/staff/login", data=data).status_code for _n in range(12)]
    assert statuses == [422] * throttle.OPERATOR_ADDRESS.most + [429] * 2
    assert browser_at("192.0.2.1").post("/staff/login", data=data).status_code == 429


def test_row_18_the_password_alone_opens_nothing(app, owner, sign_in_operator):
    """Nor does it with a code of the past, or one guessed until the limit."""
    operator = make_operator("administrator")
    browser = sign_in_operator(operator, verified=False)
    secret = operators.secret(operator, operators.keys(app.secret_key))
    old = pyotp.TOTP(secret).at(utcnow() - dt.timedelta(minutes=5))
    statuses = [
        browser.post("/staff/codice", data={"code": code}).status_code
        for code in (old, *(f"{n:06d}" for n in range(throttle.OPERATOR_CODE.most + 1)))
    ]
    assert statuses == [422] * throttle.OPERATOR_CODE.most + [429] * 2
    for _rule, path, method in paths(app, owner):
        assert browser.open(path, method=method).location == "/staff/codice"


def test_row_18_an_operators_cookie_opens_no_customers_page(owner, sign_in_operator):
    browser = sign_in_operator(make_operator("administrator"))
    answer = browser.get(f"/forniture/{owner.gas.code}/fatture")
    assert answer.location.startswith("/login")


def test_row_18_stolen_tables_hold_no_second_factor(app):
    operator = make_operator(totp_since=None)
    keys = operators.keys(app.secret_key)
    token = operator_sessions.open_session(operator, now=utcnow())
    session = operator_sessions.load(token, now=utcnow()).session
    secret = operators.secret(operator, keys)
    _token, shown_by = operators.give_code(
        operator.id, session, pyotp.TOTP(secret).now(), address="x", now=utcnow(), keys=keys
    )
    tables = str(archive())
    for canary in (secret, token, *operators.recovery_codes(operator.id, shown_by, keys)):
        assert canary not in tables


def test_row_18_no_secret_of_an_operator_is_logged(app, caplog, browser_at):
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        caplog.set_level(logging.DEBUG, logger=name)
    operator = make_operator(totp_since=None)
    secret = operators.secret(operator, operators.keys(app.secret_key))
    browser = browser_at("192.0.2.1")
    caplog.clear()
    data = {"username": operator.username, "password": PASSWORD}
    assert browser.post("/staff/login", data=data).status_code == 303
    assert browser.get("/staff/secondo-fattore").status_code == 200
    code = pyotp.TOTP(secret).now()
    assert browser.post("/staff/secondo-fattore", data={"code": code}).status_code == 303
    codes = re.findall(r"\b\d{4} \d{4} \d{4}\b", browser.get("/staff/codici").text)
    assert len(codes) == 10
    assert caplog.records
    for canary in (PASSWORD, secret, *codes, *("".join(each.split()) for each in codes)):
        assert canary not in caplog.text


# -- The register --------------------------------------------------------------------------

# Routes that an administrator changes something with, and what the forms want.
TYPED = {
    "staff_operators.create": {
        "username": "m.verdi",
        "name": "Mara Verdi",
        "email": "m@example.it",
        "role": "operator",
    },
    "staff_operators.set_role": {"role": "administrator"},
}


def test_row_25_what_is_done_with_operators_is_written(app, owner, sign_in_operator):
    administrator = make_operator("administrator", username="capo")
    key = register.key(app.secret_key)
    for rule, path, method in paths(app, owner):
        if method != "POST" or not rule.endpoint.startswith("staff_operators."):
            continue
        before = register.head()[0]
        browser = sign_in_operator(administrator)
        assert browser.open(path, method=method, data=TYPED.get(rule.endpoint)).status_code < 400
        assert register.head()[0] == before + 1, rule
    assert {entry.operator for entry in RegisterEntry.select()} == {"capo"}
    assert register.first_broken(key) is None


def test_row_25_an_edited_row_breaks_the_chain(app, sign_in_operator):
    browser = sign_in_operator(make_operator())
    for _n in range(3):
        browser.get("/staff/registro/csv")
    key = register.key(app.secret_key)
    assert register.first_broken(key) is None
    RegisterEntry.update(operator="nessuno").where(RegisterEntry.number == 2).execute()
    assert register.first_broken(key) == 2


def test_row_25_no_route_edits_the_register(app, owner, sign_in_operator):
    """Whatever an administrator does, the rows that are there stay as they are."""
    administrator = make_operator("administrator")
    sign_in_operator(administrator).get("/staff/registro/csv")
    first = RegisterEntry.select().dicts().get()
    for _rule, path, method in paths(app, owner):
        sign_in_operator(administrator).open(path, method=method)
    assert RegisterEntry.select().where(RegisterEntry.number == 1).dicts().get() == first
    assert register.first_broken(register.key(app.secret_key)) is None


def test_row_25_what_fails_to_be_written_is_not_done(app, sign_in_operator, monkeypatch):
    other = make_operator(username="anna")
    browser = sign_in_operator(make_operator("administrator"))

    def broken(*_args, **_more):
        raise RuntimeError

    monkeypatch.setattr(register, "record", broken)
    assert browser.post("/staff/operatori/anna/disabilita").status_code == 500
    assert Operator.get_by_id(other.id).disabled_at is None
