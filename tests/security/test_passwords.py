"""Row 23: no weak password gets in, and no good one is kept out."""

import re
from pathlib import Path

import pytest

from models import Account
from tests.factories import PASSWORD, make_account, make_customer

STATIC = Path(__file__).parents[2] / "static"


@pytest.fixture
def owner(app):
    customer = make_customer("000002", name="PROVA COSTRUZIONI S.P.A.", vat_number="01114601006")
    return make_account(customer, email="amministrazione@provacostruzioni.example.it")


def choose(browser, password):
    data = {"password": PASSWORD, "new_password": password, "repeat_password": password}
    return browser.post("/forniture/-/password", data=data)


@pytest.mark.parametrize(
    "weak",
    [
        "Zx8!mQ2#vL5",  # 11 characters
        "password1234",
        "123456789012",
        "provacostruzioni",
        "prova costruzioni 000002",
        "01114601006prato",
        "amministrazione@provacostruzioni.example.it",
        "prova energia prova energia",  # the utility
        "x" * 201,
    ],
)
def test_row_23_weak_passwords_are_refused(owner, sign_in, secret_of, app, weak):
    answer = choose(sign_in(owner), weak)
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert 'id="new_password-error"' in page
    assert weak not in page.split('<form method="post">')[1]
    forced = app.test_client()
    forced.post("/login", data={"username": "000002", "password": secret_of(owner)})
    answer = forced.post("/password", data={"new_password": weak, "repeat_password": weak})
    assert answer.status_code == 422
    assert Account.get_by_id(owner.id).password_hash == owner.password_hash


@pytest.mark.parametrize(
    "good",
    [
        "lampada fiume orologio tramonto",
        "però perciò quaggiù laggiù 🐝🐝",
        "молоко ёжик подсолнух",
        "  spazi in principio e in fondo  ",
        "tab\te altri caratteri \u2003 strani",
        "Xq7" + "frase molto lunga da incollare " * 6,
    ],
)
def test_row_23_any_unicode_is_welcome(owner, sign_in, client, good):
    assert choose(sign_in(owner), good).status_code == 303
    answer = client.post("/login", data={"username": "000002", "password": good})
    assert answer.status_code == 303


def test_row_23_nothing_keeps_a_password_from_being_pasted(client, sign_in, owner):
    pages = [client.get("/login"), sign_in(owner).get("/forniture/-/password")]
    for page in pages:
        fields = re.findall(r'<input[^>]*type="password"[^>]*>', page.get_data(as_text=True))
        assert fields
        for field in fields:
            assert "maxlength" not in field
            assert 'autocomplete="off"' not in field
    assert "paste" not in (STATIC / "portal.js").read_text()
