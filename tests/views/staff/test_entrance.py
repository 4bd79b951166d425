"""Getting into the desk, as an operator meets it."""

import datetime as dt
import re

import pyotp
import pytest

from domain import operator_sessions, operators, sessions
from domain.clock import utcnow
from models import Operator, OperatorSession, RecoveryCode, RegisterEntry, Session
from tests.factories import PASSWORD, make_account, make_operator
from tests.pages import PARTIAL, text_of

STRONG = "lampada fiume orologio tramonto"
CODE = r"\b\d{4} \d{4} \d{4}\b"


@pytest.fixture
def code_of(app):
    """`code_of(operator)`: what the operator's telephone shows now."""

    def _code_of(operator):
        secret = operators.secret(Operator.get_by_id(operator.id), operators.keys(app.secret_key))
        return pyotp.TOTP(secret).at(utcnow())

    return _code_of


def log_in(browser, operator, password=PASSWORD, **more):
    data = {"username": operator.username, "password": password, **more}
    return browser.post("/staff/login", data=data)


def is_inside(browser):
    return browser.get("/staff").status_code == 200


def kinds():
    return [row.kind for row in RegisterEntry.select().order_by(RegisterEntry.number)]


# -- Sportello operatori -------------------------------------------------------------------


def test_the_door_asks_for_user_and_password(client):
    page = client.get("/staff/login").text
    assert "<h1>Sportello operatori</h1>" in page
    assert '<label class="form-label" for="username">Utente</label>' in page
    assert '<label class="form-label" for="password">Password</label>' in page
    assert '<button class="btn btn-primary">Login</button>' in page
    assert "/registrazione" not in page


def test_the_desk_leads_to_its_door(client):
    answer = client.get("/staff")
    assert (answer.status_code, answer.location) == (303, "/staff/login")
    answer = client.get("/staff", headers=PARTIAL)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/staff/login")


def test_password_and_code_open_the_desk(client, code_of):
    operator = make_operator(name="Marta Verdi")
    assert log_in(client, operator).location == "/staff"
    assert client.get("/staff").location == "/staff/codice"
    assert "Codice di 6 cifre" in client.get("/staff/codice").text
    answer = client.post("/staff/codice", data={"code": code_of(operator)})
    assert (answer.status_code, answer.location) == (303, "/staff")
    assert "Marta Verdi" in client.get("/staff").text
    assert kinds() == ["signed_in"]


def test_the_cookie_from_before_the_code_opens_nothing(app, client, code_of):
    operator = make_operator()
    log_in(client, operator)
    thief = app.test_client()
    thief.set_cookie("portale", client.get_cookie("portale").value)
    client.post("/staff/codice", data={"code": code_of(operator)})
    assert is_inside(client)
    assert thief.get("/staff").location == "/staff/login"


def test_a_wrong_code_is_told_beside_its_field(client, code_of):
    operator = make_operator()
    log_in(client, operator)
    answer = client.post("/staff/codice", data={"code": "000 000"})
    assert answer.status_code == 422
    assert "Questo codice non vale" in answer.text
    assert kinds() == ["second_factor_failed"]
    answer = client.post("/staff/codice", data={"code": ""})
    assert "Inserire il codice." in answer.text
    assert kinds() == ["second_factor_failed"]
    for _try in range(4):
        client.post("/staff/codice", data={"code": "000000"})
    answer = client.post("/staff/codice", data={"code": code_of(operator)})
    assert answer.status_code == 429
    assert "Troppi tentativi" in answer.text
    assert not is_inside(client)


def test_the_page_of_the_code_is_for_who_gave_the_password(client):
    for path in ("/staff/codice", "/staff/secondo-fattore", "/staff/password", "/staff/codici"):
        assert client.get(path).location == "/staff/login"
        assert client.post(path).location == "/staff/login"


def test_a_signed_in_operator_is_sent_on_from_the_door(sign_in_operator):
    browser = sign_in_operator(make_operator())
    assert browser.get("/staff/login").location == "/staff"
    assert browser.get("/staff/codice").location == "/staff"
    assert browser.get("/staff/secondo-fattore").location == "/staff"
    assert browser.post("/staff/secondo-fattore", data={"code": "1"}).location == "/staff"


def test_signing_in_leaves_what_was_open_in_the_browser(client, sign_in_operator):
    browser = sign_in_operator(make_operator())
    token = sessions.open_session(make_account(), now=utcnow())
    with browser.session_transaction() as cookie:
        cookie["_user_id"], cookie["supply"] = token, "PR000001"
    before = OperatorSession.get().id
    log_in(browser, make_operator())
    with browser.session_transaction() as cookie:
        assert set(cookie) == {"_operator"}
    assert not Session.select().exists()
    assert not OperatorSession.select().where(OperatorSession.id == before).exists()


def test_a_customers_login_ends_the_operators_session(sign_in_operator):
    browser = sign_in_operator(make_operator())
    account = make_account()
    browser.post("/login", data={"username": account.username, "password": PASSWORD})
    assert not OperatorSession.select().exists()
    assert browser.get("/staff").status_code == 404


def test_a_new_login_gets_a_new_csrf_token(app, client):
    app.config["WTF_CSRF_ENABLED"] = True
    operator = make_operator()
    old = token_of(client.get("/staff/login").text)
    assert log_in(client, operator, csrf_token=old).status_code == 303
    assert client.post("/staff/codice", data={"csrf_token": old}).status_code == 400
    new = token_of(client.get("/staff/codice").text)
    assert client.post("/staff/codice", data={"csrf_token": new}).status_code == 422


def token_of(page):
    return page.split('name="csrf_token" value="')[1].split('"')[0]


# -- First access --------------------------------------------------------------------------


def test_the_first_access_goes_step_by_step(client, code_of):
    operator = make_operator(must_change_password=True, totp_since=None)
    log_in(client, operator)
    assert client.get("/staff").location == "/staff/password"
    assert client.get("/staff/secondo-fattore").location == "/staff/password"
    answer = client.post(
        "/staff/password", data={"new_password": STRONG, "repeat_password": STRONG}
    )
    assert answer.location == "/staff"
    assert client.get("/staff").location == "/staff/secondo-fattore"
    assert client.get("/staff/codice").location == "/staff/secondo-fattore"

    page = client.get("/staff/secondo-fattore").text
    assert '<svg class="qr" role="img"' in page
    groups = re.findall(r"<span>([A-Z2-7]{4})</span>", page)
    assert pyotp.TOTP("".join(groups)).now() == code_of(operator)

    answer = client.post("/staff/secondo-fattore", data={"code": code_of(operator)})
    assert answer.location == "/staff/codici"
    codes = re.findall(CODE, text_of(client.get("/staff/codici").text))
    assert len(codes) == 10
    saved = client.get("/staff/codici.txt")
    assert saved.headers["Content-Disposition"].startswith("attachment")
    assert re.findall(CODE, saved.text) == codes
    assert client.post("/staff/codici").location == "/staff"
    for path in ("/staff/codici", "/staff/codici.txt"):
        assert client.get(path).location == "/staff"
    assert is_inside(client)
    assert kinds() == ["password_changed", "second_factor_enrolled", "signed_in"]
    assert RecoveryCode.select().count() == 10


def test_a_wrong_first_code_shows_the_same_key_again(client):
    operator = make_operator(totp_since=None)
    log_in(client, operator)
    first = re.findall(r"<span>([A-Z2-7]{4})</span>", client.get("/staff/secondo-fattore").text)
    answer = client.post("/staff/secondo-fattore", data={"code": "000000"})
    assert answer.status_code == 422
    assert re.findall(r"<span>([A-Z2-7]{4})</span>", answer.text) == first
    assert Operator.get().totp_since is None


def test_the_first_code_sent_twice_enrols_once(client, code_of):
    operator = make_operator(totp_since=None)
    log_in(client, operator)
    data = {"code": code_of(operator)}
    client.post("/staff/secondo-fattore", data=data)
    codes = client.get("/staff/codici").text
    assert client.post("/staff/secondo-fattore", data=data).location == "/staff"
    assert client.get("/staff/codici").text == codes
    assert RecoveryCode.select().count() == 10


def test_a_recovery_code_opens_the_desk_once(client, app, code_of):
    operator = make_operator(totp_since=None)
    log_in(client, operator)
    client.post("/staff/secondo-fattore", data={"code": code_of(operator)})
    code = re.findall(CODE, text_of(client.get("/staff/codici").text))[0]
    elsewhere = app.test_client()
    log_in(elsewhere, operator)
    assert elsewhere.get("/staff/codici").location == "/staff/codice"
    assert elsewhere.post("/staff/codice", data={"code": code}).location == "/staff"
    assert elsewhere.get("/staff/codici").location == "/staff"  # they are shown where made
    again = app.test_client()
    log_in(again, operator)
    assert again.post("/staff/codice", data={"code": code}).status_code == 422


@pytest.mark.parametrize(
    ("new", "repeat", "told"),
    [
        ("breve", "breve", "almeno 12 caratteri"),
        ("marta verdi 2026", "marta verdi 2026", "si indovina facilmente"),
        (STRONG, "altro", "non sono uguali"),
        ("", "", "Inserire la nuova password."),
    ],
)
def test_a_weak_first_password_is_refused(client, new, repeat, told):
    operator = make_operator(must_change_password=True, totp_since=None, name="Marta Verdi")
    log_in(client, operator)
    answer = client.post("/staff/password", data={"new_password": new, "repeat_password": repeat})
    assert answer.status_code == 422
    assert told in answer.text
    assert Operator.get().password_hash == operator.password_hash


def test_who_has_a_telephone_gives_its_code_before_a_new_password(client):
    operator = make_operator(must_change_password=True)
    log_in(client, operator)
    data = {"new_password": STRONG, "repeat_password": STRONG}
    assert client.post("/staff/password", data=data).location == "/staff/codice"
    assert Operator.get().password_hash == operator.password_hash


# -- Il mio accesso ------------------------------------------------------------------------


def test_changing_the_password_ends_the_other_sessions(sign_in_operator):
    operator = make_operator()
    here, elsewhere = sign_in_operator(operator), sign_in_operator(operator)
    assert "Il mio accesso" in here.get("/staff/password").text
    data = {"password": PASSWORD, "new_password": STRONG, "repeat_password": STRONG}
    assert here.post("/staff/password", data=data).location == "/staff"
    assert is_inside(here)
    assert not is_inside(elsewhere)
    assert kinds() == ["password_changed"]


def test_the_password_in_use_is_asked_and_tries_are_limited(sign_in_operator):
    browser = sign_in_operator(make_operator())
    data = {"password": "sbagliata", "new_password": STRONG, "repeat_password": STRONG}
    for _try in range(10):
        answer = browser.post("/staff/password", data=data)
        assert answer.status_code == 422
        assert "La password attuale non è corretta." in answer.text
    assert browser.post("/staff/password", data=data).status_code == 429
    assert kinds() == []


def test_new_recovery_codes_want_a_code(sign_in_operator, code_of):
    operator = make_operator()
    browser = sign_in_operator(operator)
    assert "Codici ancora validi: 0." in browser.get("/staff/password").text
    assert browser.post("/staff/password/codici", data={"code": "000000"}).status_code == 422
    assert browser.post("/staff/password/codici").status_code == 422
    assert not RecoveryCode.select().exists()
    answer = browser.post("/staff/password/codici", data={"code": code_of(operator)})
    assert answer.location == "/staff/codici"
    assert len(re.findall(CODE, text_of(browser.get("/staff/codici").text))) == 10
    assert "Codici ancora validi: 10." in browser.get("/staff/password").text


def test_all_sessions_can_be_closed(sign_in_operator):
    operator = make_operator()
    here, elsewhere = sign_in_operator(operator), sign_in_operator(operator)
    other = sign_in_operator(make_operator())
    answer = here.post("/staff/password/chiudi", follow_redirects=True)
    assert "Tutti gli accessi aperti sono stati chiusi." in answer.text
    assert not is_inside(here)
    assert not is_inside(elsewhere)
    assert is_inside(other)
    assert kinds() == ["sessions_closed"]


# -- Leaving -------------------------------------------------------------------------------


def test_logout_ends_the_session_and_leaves_nothing(app, sign_in_operator):
    browser = sign_in_operator(make_operator())
    thief = app.test_client()
    thief.set_cookie("portale", browser.get_cookie("portale").value)
    answer = browser.post("/staff/logout")
    assert (answer.status_code, answer.location) == (303, "/staff/login")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert "Uscita effettuata." in browser.get("/staff/login").text
    assert not is_inside(thief)
    assert kinds() == ["signed_out"]
    assert browser.post("/staff/logout").status_code == 303
    assert kinds() == ["signed_out"]


def test_logout_ends_what_was_seen_as_a_customer(sign_in_operator):
    browser = sign_in_operator(make_operator())
    token = sessions.open_session(make_account(), now=utcnow())
    Session.update(operator_session=OperatorSession.get()).execute()
    browser.post("/staff/logout")
    assert sessions.load(token, now=utcnow()) is None


def test_an_idle_desk_closes(sign_in_operator):
    browser = sign_in_operator(make_operator())
    past = utcnow() - operator_sessions.IDLE
    OperatorSession.update(seen_at=past + dt.timedelta(minutes=1)).execute()
    assert is_inside(browser)
    OperatorSession.update(seen_at=past).execute()
    assert browser.get("/staff").location == "/staff/login"
