"""Rows 7, 8 and 16: sessions end where they should, and leave nothing behind."""

import datetime as dt

import pytest

import models
from app import create_app
from domain import sessions
from domain.clock import utcnow
from models import Account, Session
from tests.factories import PASSWORD, make_account, make_customer, make_gas
from tests.security.routes import path_of, with_method

FOR_ALL = {
    "static",
    "public_pages.privacy",
    "public_pages.accessibility",
    "guide.contents",
    "guide.chapter",
    "guide.whole",
    "guide.picture",
}
STRONG = "lampada fiume orologio tramonto"


def log_in(browser, account, password=PASSWORD):
    return browser.post("/login", data={"username": account.username, "password": password})


@pytest.fixture
def copied(app, client):
    """(browser, account, thief): signed in, and another browser with a copy of its cookie."""
    customer = make_customer()
    make_gas(customer, code="PR000001")
    account = make_account(customer)
    log_in(client, account)
    thief = app.test_client()
    thief.set_cookie("portale", client.get_cookie("portale").value)
    assert thief.get("/").location == "/forniture/PR000001/home"
    return client, account, thief


def asks_to_sign_in(browser, path="/forniture/PR000001/fatture"):
    answer = browser.get(path)
    return answer.status_code == 303 and answer.location.startswith("/login")


def test_row_07_a_copied_cookie_ends_with_logout(copied):
    browser, _account, thief = copied
    browser.post("/logout")
    assert asks_to_sign_in(thief)
    assert asks_to_sign_in(thief, "/")


def test_row_07_a_copied_cookie_ends_with_a_change_of_password(copied):
    browser, _account, thief = copied
    browser.post(
        "/forniture/PR000001/password",
        data={"password": PASSWORD, "new_password": STRONG, "repeat_password": STRONG},
    )
    assert not asks_to_sign_in(browser)
    assert asks_to_sign_in(thief)


def test_row_07_a_copied_cookie_ends_with_all_the_others(copied):
    browser, _account, thief = copied
    assert "Chiudi tutti gli accessi" in browser.get("/forniture/PR000001/password").text
    answer = browser.post("/sessioni/chiudi", follow_redirects=True)
    assert "Tutti gli accessi aperti sono stati chiusi." in answer.text
    assert asks_to_sign_in(browser)
    assert asks_to_sign_in(thief)
    assert not Session.select().exists()


def test_closing_all_sessions_leaves_those_of_others_open(copied, sign_in):
    browser, _account, _thief = copied
    other = make_customer()
    make_gas(other, code="PR000002")
    stranger = sign_in(make_account(other))
    browser.post("/sessioni/chiudi")
    assert not asks_to_sign_in(stranger, "/forniture/PR000002/fatture")


def test_closing_all_sessions_is_for_those_who_signed_in(client, copied):
    assert client.application.test_client().post("/sessioni/chiudi").status_code == 303
    assert Session.select().count() == 1


def test_row_07_a_copied_cookie_ends_when_the_login_is_disabled(copied):
    _browser, account, thief = copied
    Account.update(disabled_at=utcnow()).where(Account.id == account).execute()
    assert asks_to_sign_in(thief)


def test_row_07_a_copied_cookie_ends_with_the_next_login_of_its_browser(copied):
    browser, account, thief = copied
    log_in(browser, account)
    assert not asks_to_sign_in(browser)
    assert asks_to_sign_in(thief)
    assert Session.select().count() == 1


@pytest.mark.parametrize(
    ("limit", "column"), [(sessions.IDLE, "seen_at"), (sessions.ABSOLUTE, "created_at")]
)
def test_row_07_a_session_ends_by_itself(copied, limit, column):
    browser, _account, _thief = copied
    past = utcnow() - limit
    Session.update({column: past + dt.timedelta(minutes=1)}).execute()
    assert not asks_to_sign_in(browser)
    Session.update({column: past}).execute()
    assert asks_to_sign_in(browser)


def test_row_08_the_cookie_from_before_login_opens_nothing(app, client):
    account = make_account()
    client.get("/login")
    fixed = client.get_cookie("portale").value
    attacker, victim = app.test_client(), client
    attacker.set_cookie("portale", fixed)
    log_in(victim, account)
    assert victim.get_cookie("portale").value != fixed
    assert asks_to_sign_in(attacker, "/")


def test_row_08_the_csrf_token_from_before_login_is_refused(with_csrf, client):
    account = make_account()
    old = csrf_token(client, "/login")
    data = {"username": account.username, "password": PASSWORD, "csrf_token": old}
    assert client.post("/login", data=data).status_code == 303
    assert client.post("/logout", data={"csrf_token": old}).status_code == 400
    assert not asks_to_sign_in(client, "/")
    new = csrf_token(client, "/forniture/-/password")
    assert client.post("/logout", data={"csrf_token": new}).status_code == 303


def test_row_08_login_forgets_what_the_cookie_held(client):
    with client.session_transaction() as cookie:
        cookie["registration"] = [1, 9e9]
        cookie["supply"] = "PR000001"
    log_in(client, make_account())
    with client.session_transaction() as cookie:
        assert set(cookie) == {"_user_id", "_fresh"}


def csrf_token(browser, path):
    page = browser.get(path).get_data(as_text=True)
    return page.split('name="csrf_token" value="')[1].split('"')[0]


def test_row_16_private_pages_are_kept_nowhere(app, sign_in):
    customer = make_customer()
    make_gas(customer, code="PR000001")
    browser = sign_in(make_account(customer))
    for rule, _method in with_method(app, "GET"):
        answer = browser.get(path_of(app, rule, supply_code="PR000001"))
        if rule.endpoint not in FOR_ALL:
            assert answer.headers["Cache-Control"] == "no-store", rule


def test_row_16_logout_clears_what_the_browser_kept(sign_in):
    answer = sign_in(make_account()).post("/logout")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert answer.headers["Cache-Control"] == "no-store"


def test_row_16_cookies_of_production_are_for_this_host_over_tls_only(settings):
    app = create_app(
        {
            **settings,
            "ENV": "production",
            "BASE_URL": "https://portale.example",
            "MAIL_SENDER": "portale@example.it",
        }
    )
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        account = make_account()
    answer = app.test_client().post(
        "/login",
        base_url="https://portale.example",
        data={"username": account.username, "password": PASSWORD},
    )
    cookies = answer.headers.getlist("Set-Cookie")
    assert [each.split("=")[0] for each in cookies] == ["__Host-portale-noto", "__Host-portale"]
    for cookie in cookies:
        attributes = cookie.split("; ")[1:]
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(attributes)
        assert "Domain" not in cookie
    models.db.close_all()
