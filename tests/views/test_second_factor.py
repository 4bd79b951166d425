"""«Secondo fattore», as a customer meets it: adding, coming in, the telephone that is lost."""

import datetime as dt
import html
import re

import pyotp
import pytest

from domain import customer_factor, second_factor
from domain.clock import utcnow
from models import Account, AccountRecoveryCode, Event, OutgoingMail, Session
from tests.factories import PASSWORD, make_account
from tests.pages import PARTIAL

PAGE = "/forniture/PR000001/secondo-fattore"
CODES = rf"{PAGE}/codici"
STEP = dt.timedelta(seconds=second_factor.STEP)
CODE = r"\b\d{4} \d{4} \d{4}\b"


@pytest.fixture
def shows(app):
    """`shows(account, steps)`: what the telephone of `account` shows so many steps from now."""

    def _shows(account, steps=0):
        row = Account.get_by_id(account.id)
        secret = second_factor.secret(row, customer_factor.key(app.secret_key))
        return pyotp.TOTP(secret).at(utcnow() + steps * STEP)

    return _shows


@pytest.fixture
def account(customer, supply):
    return make_account(customer, totp_nonce="n" * 32, totp_since=utcnow())


def log_in(browser, account, **more):
    data = {"username": account.username, "password": PASSWORD, **more}
    return browser.post("/login", data=data)


def is_inside(browser):
    return browser.get("/forniture/PR000001/home").status_code == 200


def mails():
    return [row.kind for row in OutgoingMail.select().order_by(OutgoingMail.id)]


# -- Adding --------------------------------------------------------------------------------


def secret_on(page):
    key = page.split('<dd class="key">')[1].split("</dd>")[0]
    return re.sub(r"<[^>]+>|\s", "", html.unescape(key))


def test_it_is_offered_beside_the_password_and_says_why(browser):
    page = browser.get("/forniture/PR000001/password").text
    assert f'href="{PAGE}">Secondo fattore</a>' in page
    page = browser.get(PAGE).text
    assert "<h1>Secondo fattore</h1>" in page
    assert "chi scoprisse la password non potrebbe entrare. È facoltativo" in page
    assert "Se il telefono si perde o si rompe" in page
    assert '<svg class="qr"' in page


def test_adding_it_shows_the_recovery_codes_once(app, browser):
    secret = secret_on(browser.get(PAGE).text)
    assert secret_on(browser.get(PAGE).text) == secret
    code = pyotp.TOTP(secret).now()
    answer = browser.post(PAGE, data={"password": PASSWORD, "code": code})
    assert (answer.status_code, answer.location) == (303, CODES)
    page = browser.get(CODES).text
    assert "Secondo fattore attivo." in page
    codes = re.findall(CODE, page)
    assert len(codes) == 10
    text = browser.get(f"{CODES}.txt")
    assert text.headers["Content-Disposition"].startswith("attachment")
    assert re.findall(CODE, text.text) == codes
    assert browser.post(CODES).location == PAGE
    assert browser.get(CODES).location == browser.get(f"{CODES}.txt").location == PAGE
    page = browser.get(PAGE).text
    assert "Attivo dal" in page
    assert "<dd>10</dd>" in page
    assert secret not in page
    assert mails() == ["second_factor_added"]
    assert "Aggiunto il secondo fattore" in browser.get("/forniture/PR000001/storico").text
    answer = browser.post(PAGE, data={"password": PASSWORD, "code": code})
    assert "Il secondo fattore è già attivo." in answer.text


def test_adding_it_wants_the_password_and_the_code(browser):
    code = pyotp.TOTP(secret_on(browser.get(PAGE).text)).now()
    for data, told in (
        ({"password": "sbagliata", "code": code}, "La password attuale non è corretta."),
        ({"password": PASSWORD, "code": "000000"}, "Questo codice non vale"),
        ({"password": PASSWORD}, "Inserire il codice."),
        ({"code": code}, "Inserire la password attuale."),
    ):
        answer = browser.post(PAGE, data=data)
        assert answer.status_code == 422
        assert told in answer.text
    assert Account.get().totp_since is None
    assert not AccountRecoveryCode.select().exists()


# -- Coming in -----------------------------------------------------------------------------


def test_password_and_code_open_what_was_asked_for(app, client, account, shows):
    target = "/forniture/PR000001/fatture"
    answer = log_in(client, account, next=target)
    assert answer.location == "/codice?next=/forniture/PR000001/fatture"
    assert client.get_cookie("portale-noto") is None
    page = client.get(answer.location).text
    assert "<h1>Codice di accesso</h1>" in page
    assert "Chi non ha più né il telefono né i codici di recupero" in page
    thief = app.test_client()
    thief.set_cookie("portale", client.get_cookie("portale").value)
    answer = client.post("/codice", data={"code": shows(account), "next": target})
    assert (answer.status_code, answer.location) == (303, target)
    assert client.get_cookie("portale-noto")
    assert is_inside(client)
    assert not is_inside(thief)
    assert Event.get().kind == "access"
    assert client.get("/codice").location == client.post("/codice").location == "/"


@pytest.mark.parametrize("target", ["//example.org", "/\\x", "https:x"])
def test_row_14_the_code_leads_to_own_paths_only(client, account, shows, target):
    log_in(client, account)
    assert client.post("/codice", data={"code": shows(account), "next": target}).location == "/"


def test_a_wrong_code_is_told_beside_its_field_until_there_were_too_many(client, account, shows):
    log_in(client, account)
    for _try in range(5):
        answer = client.post("/codice", data={"code": "000 000"})
        assert answer.status_code == 422
        assert "Questo codice non vale" in answer.text
    answer = client.post("/codice", data={"code": shows(account)})
    assert answer.status_code == 429
    assert "Troppi tentativi" in answer.text
    assert "Inserire il codice." in client.post("/codice", data={"code": ""}).text
    assert client.get("/").location == "/codice"


def test_giving_up_ends_the_session(client, account):
    log_in(client, account)
    assert client.post("/logout").location == "/login"
    assert not Session.select().exists()
    assert client.get("/codice").location.startswith("/login")


# -- Changing ------------------------------------------------------------------------------


@pytest.fixture
def inside(client, account, shows):
    log_in(client, account)
    client.post("/codice", data={"code": shows(account)})
    return client


def test_removing_it_wants_the_password_and_a_code(inside, account, shows):
    code = shows(account, 1)
    for data in ({"password": "no", "code": code}, {"password": PASSWORD, "code": "000000"}):
        assert inside.post(f"{PAGE}/togli", data=data).status_code == 422
    assert Account.get().totp_since
    answer = inside.post(
        f"{PAGE}/togli", data={"password": PASSWORD, "code": code}, follow_redirects=True
    )
    assert "Secondo fattore tolto: per entrare basta la password." in answer.text
    assert '<svg class="qr"' in answer.text
    assert mails() == ["second_factor_removed"]
    answer = inside.post(f"{PAGE}/togli", data={"password": PASSWORD, "code": code})
    assert answer.status_code == 422
    inside.post("/logout")
    assert log_in(inside, account).location == "/"
    assert is_inside(inside)


def test_new_recovery_codes_replace_those_from_before(inside, account, shows):
    answer = inside.post(
        f"{PAGE}/nuovi-codici", data={"password": PASSWORD, "code": shows(account, 1)}
    )
    assert answer.location == CODES
    fresh = re.findall(CODE, inside.get(CODES).text)
    inside.post("/logout")
    log_in(inside, account)
    assert inside.post("/codice", data={"code": fresh[4]}).status_code == 303
    assert is_inside(inside)
    page = inside.get("/forniture/PR000001/storico").text
    assert "Accesso al portale (con un codice di recupero)" in page


def test_the_page_is_not_there_for_the_supply_of_another(stranger, inside):
    for path in (PAGE, CODES, f"{CODES}.txt"):
        assert stranger.get(path).status_code == 404
    for path in (PAGE, CODES, f"{PAGE}/togli", f"{PAGE}/nuovi-codici"):
        assert stranger.post(path).status_code == 404
    assert inside.get(PAGE, headers=PARTIAL).status_code == 200
