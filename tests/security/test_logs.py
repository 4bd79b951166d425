"""Row 24: no password, secret, token or tax code is ever logged, however much is logged."""

import logging

import pytest

from domain import accounts
from tests.factories import PASSWORD, make_account, make_customer

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


def cookies(browser):
    return [each for each in (browser.get_cookie(n) for n in ("portale", "portale-noto")) if each]
