"""Row 24: no password, secret, token or tax code is ever logged, however much is logged."""

import logging
import re
from pathlib import Path

import pytest

from domain import accounts, agenda, credentials, email_links
from domain.clock import utcnow
from models import EmailChange
from tests.factories import PASSWORD, make_account, make_customer, make_gas
from tests.security.owners import BY_SECRET
from tests.security.routes import path_of

ROOT = Path(__file__).parents[2]

STRONG = "canarino lampada fiume orologio"
WRONG = "canarino sbagliato"
TAX_CODE, VAT = "RSSMRA60A41H501X", "01114601006"


@pytest.fixture
def logged(caplog):
    """What every logger of the process wrote, from DEBUG on."""
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


def token_of(browser, path):
    page = browser.get(path).get_data(as_text=True)
    return page.split('name="csrf_token" value="')[1].split('"')[0]


def test_row_24_the_logs_are_watched(client, logged):
    client.post("/password-dimenticata", data={"code": "canarino"})
    assert "canarino" in logged.text  # SQL and its values


def test_row_24_no_secret_is_logged(app, with_csrf, browser_at, secret_of, logged, monkeypatch):
    account = make_account(make_customer(tax_code=TAX_CODE, vat_number=VAT))
    fresh = make_customer(tax_code=TAX_CODE, vat_number=VAT)
    secret = secret_of(account)
    logged.clear()
    canaries = {PASSWORD, STRONG, WRONG, TAX_CODE, VAT, secret}
    browser = browser_at("192.0.2.1")

    def post(path, page=None, **data):
        data["csrf_token"] = token_of(browser, page or path)
        canaries.add(data["csrf_token"])
        answer = browser.post(path, data=data)
        canaries.update(cookie.value for cookie in cookies(browser))
        return answer.status_code

    assert post("/registrazione", code=fresh.code, tax_id="00000000000") == 422
    assert post("/registrazione", code=account.username, tax_id=TAX_CODE) == 422
    assert post("/registrazione", code=fresh.code, tax_id=VAT) == 303
    assert post("/registrazione/conferma", email="canarino") == 422
    assert post("/registrazione/conferma", email="maria@example.it") == 303
    assert post("/password-dimenticata", code=account.username) == 303
    assert post("/login", username=account.username, password=WRONG) == 422
    assert post("/login", username=account.username, password=secret) == 303
    assert post("/password", new_password="canarino", repeat_password="canarino") == 422
    assert post("/password", new_password=STRONG, repeat_password=STRONG) == 303
    page = "/forniture/-/password"
    wrong = {"password": WRONG, "new_password": PASSWORD, "repeat_password": PASSWORD}
    assert post(page, **wrong) == 422
    assert post(page, **{**wrong, "password": STRONG}) == 303
    assert post("/logout", page) == 303
    assert browser.post("/login", data={"password": WRONG}).status_code == 400

    def broken(*_args, **_more):
        raise RuntimeError

    monkeypatch.setattr(accounts, "sign_in", broken)
    assert post("/login", username=account.username, password=WRONG) == 500

    assert logged.records
    for canary in canaries:
        assert canary not in logged.text


def test_row_24_no_address_that_opens_something_is_logged(app, browser_at, sign_in, logged):
    customer = make_customer(email="vecchia@example.it")
    gas = make_gas(customer)
    account = make_account(customer)
    agenda.make(account.id, gas, now=utcnow())
    EmailChange.create(
        account=account, customer=customer, address="nuova@example.it", asked_at=utcnow()
    )
    calendar = agenda.token(agenda.link(account.id, gas), key=app.secret_key)
    key = credentials.key(app.secret_key)
    email = email_links.make(account, "nuova@example.it", now=utcnow(), key=key)
    browser = browser_at("192.0.2.1")
    logged.clear()
    assert browser.get(f"/calendario/{calendar}.ics").status_code == 200
    assert browser.get(f"/conferma-indirizzo/{email}").status_code == 200
    assert browser.post(f"/conferma-indirizzo/{email}").status_code == 303
    assert browser.get(f"/conferma-indirizzo/{email}").status_code == 200
    assert browser.get(f"/calendario/{calendar}x.ics").status_code == 404
    assert sign_in(account).get(f"/forniture/{gas.code}/preferenze").status_code == 200
    assert logged.records
    for canary in (calendar, email, f"{calendar}x"):
        assert canary not in logged.text


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("deploy/nginx*.conf")), ids=lambda path: path.name
)
def test_row_24_nor_does_the_proxy_in_front_log_it(app, path):
    """An address with a token is all that it takes."""
    silent = re.findall(
        r"location ~ (\S+) \{\s+access_log off;\s+proxy_pass http://\w", path.read_text()
    )
    secret = [rule for rule in app.url_map.iter_rules() if "token" in rule.arguments]
    assert {rule.endpoint for rule in secret} >= BY_SECRET
    for rule in secret:
        path = path_of(app, rule, "canarino")
        assert any(re.match(pattern, path) for pattern in silent), path


def cookies(browser):
    return [each for each in (browser.get_cookie(n) for n in ("portale", "portale-noto")) if each]
