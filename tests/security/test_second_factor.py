"""Rows 2 to 5, 8 and 18 for customers with a second factor: half a session is none."""

import datetime as dt

import pyotp
import pytest

from domain import customer_factor, second_factor
from domain.clock import utcnow
from models import Account, Session
from tests.factories import PASSWORD, make_account, make_customer
from tests.pages import PARTIAL
from tests.security.owners import Owner, address, own_values
from tests.security.routes import UNSAFE, archive, with_method
from views.access import CODE_ONLY

STEP = dt.timedelta(seconds=second_factor.STEP)
FOR_MACHINES = {"health.health", "health.ready"}  # they look at nobody
STRONG = "lampada fiume orologio tramonto"


@pytest.fixture
def owner(app):
    owner = Owner(app)
    values = {"totp_nonce": "n" * 32, "totp_since": utcnow()}
    Account.update(values).where(Account.id == owner.account.id).execute()
    return owner


@pytest.fixture
def code(app, owner):
    """`code(steps)`: what the owner's telephone shows so many steps from now."""

    def _code(steps=0):
        account = Account.get_by_id(owner.account.id)
        secret = second_factor.secret(account, customer_factor.key(app.secret_key))
        return pyotp.TOTP(secret).at(utcnow() + steps * STEP)

    return _code


def log_in(browser, account, password=PASSWORD):
    return browser.post("/login", data={"username": account.username, "password": password})


def is_inside(browser, owner):
    return browser.get(f"/forniture/{owner.gas.code}/home").status_code == 200


def test_a_half_open_session_reaches_nothing(app, owner, sign_in):
    half = sign_in(owner.account)
    walked = 0
    for rule, method in with_method(app, "GET", *UNSAFE):
        if rule.endpoint in CODE_ONLY | FOR_MACHINES:
            continue
        try:
            values = own_values(rule, owner)
        except AssertionError:  # of the desk, or open to all
            values = dict.fromkeys(rule.arguments, "1")
        before = archive()
        for headers in ({}, PARTIAL):
            answer = half.open(address(app, rule, values), method=method, headers=headers)
            to = answer.location or answer.headers.get("HX-Redirect")
            assert (answer.status_code, to) in {(303, "/codice"), (401, "/codice")}, rule
            assert owner.customer.name not in answer.text
        assert archive() == before, rule
        walked += 1
    assert walked > 150


def test_what_a_half_open_session_may_open_shows_nothing_of_the_customer(app, owner, sign_in):
    half = sign_in(owner.account)
    page = half.get("/codice").text
    assert owner.customer.name not in page
    assert owner.account.username not in page


def test_row_02_a_mailed_secret_does_not_stand_in_for_the_code(client, owner, code, secret_of):
    secret = secret_of(owner.account)
    log_in(client, owner.account, secret)
    assert client.get("/password").location == "/codice"
    data = {"new_password": STRONG, "repeat_password": STRONG}
    assert client.post("/password", data=data).location == "/codice"
    assert client.post("/codice", data={"code": code()}).status_code == 303
    assert client.get("/").location == "/password"
    assert client.post("/password", data=data).location == "/"
    assert is_inside(client, owner)
    assert Account.get_by_id(owner.account.id).totp_since


def test_row_03_who_knows_the_password_shuts_the_owner_s_browser_out_of_nothing(
    browser_at, owner, code
):
    own = browser_at("192.0.2.1")
    log_in(own, owner.account)
    own.post("/codice", data={"code": code()})
    thief = browser_at("192.0.2.66")
    log_in(thief, owner.account)
    for _try in range(20):
        thief.post("/codice", data={"code": "000000"})
    assert thief.post("/codice", data={"code": code(1)}).status_code == 429
    own.post("/logout")
    log_in(own, owner.account)
    assert own.post("/codice", data={"code": code(1)}).status_code == 303
    assert is_inside(own, owner)


def test_a_browser_that_was_used_before_gives_the_code_too(client, owner, code):
    log_in(client, owner.account)
    client.post("/codice", data={"code": code()})
    assert client.get_cookie("portale-noto")
    client.post("/logout")
    log_in(client, owner.account)
    assert not is_inside(client, owner)
    assert client.get("/").location == "/codice"


def test_row_04_a_wrong_password_tells_nothing_of_a_second_factor(browser_at, owner, argon2_calls):
    answers = []
    for account in (owner.account, make_account(make_customer())):
        answer = log_in(browser_at("192.0.2.1"), account, "Estate2026!!")
        assert argon2_calls == ["verify"]
        argon2_calls.clear()
        cookies = sorted(each.split("=")[0] for each in answer.headers.getlist("Set-Cookie"))
        body = answer.text.replace(account.username, "CODE")
        lines = [line for line in body.splitlines() if "csrf_token" not in line]
        answers.append((answer.status_code, cookies, lines))
    assert answers[0] == answers[1]


def test_row_08_the_code_begins_a_session_and_a_csrf_token_anew(with_csrf, client, owner, code):
    def token_of(path):
        return client.get(path).text.split('name="csrf_token" value="')[1].split('"')[0]

    data = {"username": owner.account.username, "password": PASSWORD}
    client.post("/login", data={**data, "csrf_token": token_of("/login")})
    half, old = client.get_cookie("portale").value, token_of("/codice")
    assert client.post("/codice", data={"code": code(), "csrf_token": old}).status_code == 303
    assert client.get_cookie("portale").value != half
    assert client.post("/logout", data={"csrf_token": old}).status_code == 400
    assert is_inside(client, owner)
    assert Session.select().count() == 1
