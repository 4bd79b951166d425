"""Rows 14, 15 and 22: addresses that lead elsewhere, of pages, of the portal and of mail."""

import pytest

from domain.clock import utcnow
from domain.mail import messages
from models import Account, OutgoingMail
from tests.factories import PASSWORD, make_account, make_customer

ELSEWHERE = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "https:evil.example",
    "https://evil.example",
    "HTTPS://evil.example/",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "/a\\b",
    "/a b",
    "/\x00",
    "/\r\nSet-Cookie: x=y",
    "/è",
    "",
]


@pytest.mark.parametrize("target", ELSEWHERE)
def test_row_14_login_leads_nowhere_else(client, sign_in, target):
    account = make_account()
    data = {"username": account.username, "password": PASSWORD, "next": target}
    assert client.post("/login", data=data).location == "/"
    assert sign_in(account).get("/login", query_string={"next": target}).location == "/"


@pytest.mark.parametrize("target", ELSEWHERE)
def test_row_14_the_login_page_does_not_repeat_it(client, target):
    page = client.get("/login", query_string={"next": target}).get_data(as_text=True)
    assert 'name="next" type="hidden" value="/">' in page
    assert "evil.example" not in page


@pytest.mark.parametrize("target", ["/forniture/PR000001/fatture?pag=2&ordine=-data", "/a//b"])
def test_row_14_own_paths_are_kept(client, target):
    data = {"username": make_account().username, "password": PASSWORD, "next": target}
    assert client.post("/login", data=data).location == target


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "x@evil", "\\x"])
def test_row_15_a_poisoned_host_is_refused(client, host):
    account = make_account()
    for path in ("/login", "/password-dimenticata", "/"):
        assert client.get(path, headers={"Host": host}).status_code == 400
    answer = client.post(
        "/password-dimenticata", data={"code": account.username}, headers={"Host": host}
    )
    assert answer.status_code == 400
    assert OutgoingMail.select().count() == 0


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-Host"])
def test_row_15_links_in_mail_come_from_the_settings(app, client, secret_of, header):
    account = make_account()
    headers = {header: "evil.example"}
    answer = client.post("/password-dimenticata", data={"code": account.username}, headers=headers)
    assert answer.location == "/login"
    with app.test_request_context("/", headers=headers):
        message = messages.compose(OutgoingMail.get(), secret_of(account), now=utcnow())
    text = str(message)
    assert "http://localhost" in message.body
    assert "evil.example" not in text


@pytest.mark.parametrize(
    "email",
    [
        "maria@example.it\r\nBcc: tutti@example.it",
        "maria@example.it\nBcc:tutti@example.it",
        "maria@example.it%0aBcc:tutti@example.it",
        "maria@example.it,tutti@example.it",
        "maria@example.it;tutti@example.it",
        "Maria <maria@example.it>",
        '"a\\"\r\n b"@example.it',
        "maria@example.it\x00",
        "maria@[127.0.0.1]",
        "@example.it",
    ],
)
def test_row_22_an_address_that_carries_more_is_refused(client, email):
    customer = make_customer(vat_number="01114601006")
    client.post("/registrazione", data={"code": customer.code, "tax_id": "01114601006"})
    answer = client.post("/registrazione/conferma", data={"email": email})
    assert answer.status_code == 422
    assert OutgoingMail.select().count() == Account.select().count() == 0


def test_row_22_what_a_mail_tells_adds_no_header(app):
    hostile = "ROSSI\r\nBcc: tutti@example.it\r\n\r\ntesto"
    app.config["UTILITY_NAME"] = hostile
    account = make_account(make_customer(name=hostile))
    for kind in ("registration_notice", "registration_attempt", "password_changed"):
        row = OutgoingMail(
            id=1, kind=kind, recipient="x@example.it", account=account, created_at=utcnow()
        )
        message = messages.compose(row, now=utcnow())._message()
        assert message["Bcc"] is None
        assert message["To"] == "x@example.it"
