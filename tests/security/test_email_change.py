"""Rows 9, 10, 11 and 22 for «Dati Anagrafici» and the change of the mail address."""

import logging

import pytest

from domain import credentials, email_links, mail
from domain.clock import utcnow
from domain.mail import messages
from models import Account, ContactChange, Customer, EmailChange, MailedSecret, OutgoingMail
from tests.factories import PASSWORD, make_account, make_customer, make_gas
from tests.pages import PARTIAL

PAGE = "/forniture/PR000001/anagrafica"
OLD, NEW = "vecchia@example.it", "nuova@example.it"


@pytest.fixture
def account(app):
    customer = make_customer("000002", email=OLD, phone="0574 11111")
    make_gas(customer, code="PR000001")
    return make_account(customer, email=OLD)


@pytest.fixture
def browser(sign_in, account):
    return sign_in(account)


@pytest.fixture
def link(app, account):
    """`link()`: the address that the mail would bring now."""

    def _link(address=NEW):
        fresh = Account.get_by_id(account.id)
        key = credentials.key(app.secret_key)
        return "/conferma-indirizzo/" + email_links.make(fresh, address, now=utcnow(), key=key)

    return _link


def ask(browser, email=NEW, password=PASSWORD, **more):
    return browser.post(f"{PAGE}/email", data={"email": email, "password": password, **more})


def texts_of(message):
    parts = [part for part in message.walk() if not part.is_multipart()]
    return "".join(part.get_payload(decode=True).decode() for part in parts)


def mails():
    return [(row.kind, row.recipient) for row in OutgoingMail.select().order_by(OutgoingMail.id)]


# -- Row 11 -----------------------------------------------------------------------------------


def test_row_11_without_the_password_nothing_is_asked(browser, argon2_calls):
    for password in ("", "sbagliata"):
        assert ask(browser, password=password).status_code == 422
    assert argon2_calls == ["verify"]
    assert mails() == []
    assert not EmailChange.select().exists()


def test_row_11_the_link_goes_to_the_new_address_and_a_notice_to_the_old(app, browser, mail_server):
    ask(browser)
    assert mails() == [("email_change", NEW), ("email_change_notice", OLD)]
    mail.send_due()
    sent = {message["To"]: texts_of(message) for message in mail_server.messages()}
    assert "/conferma-indirizzo/" in sent[NEW]
    assert "/conferma-indirizzo/" not in sent[OLD]
    assert NEW not in sent[OLD]


def test_row_11_until_the_link_is_opened_the_old_address_counts(browser, client, link):
    ask(browser)
    assert client.get(link()).status_code == 200
    client.post("/password-dimenticata", data={"code": "000002"})
    assert mails()[-1] == ("recovery", OLD)


def test_row_11_on_confirmation_pending_secrets_are_void(browser, client, link, account, secret_of):
    secret = secret_of(account)
    ask(browser)
    path = link()
    assert client.post(path).status_code == 303
    assert MailedSecret.select().where(MailedSecret.used_at.is_null()).count() == 0
    answer = client.post("/login", data={"username": "000002", "password": secret})
    assert answer.status_code == 422
    assert mails()[-1] == ("email_changed", OLD)
    client.post("/password-dimenticata", data={"code": "000002"})
    assert mails()[-1] == ("recovery", NEW)


def test_row_11_a_secret_waiting_to_be_mailed_does_not_reach_the_old_address(
    app, browser, client, link, mail_server
):
    client.post("/password-dimenticata", data={"code": "000002"})
    ask(browser)
    client.post(link())
    mail.send_due()
    assert MailedSecret.select().count() == 0
    assert OutgoingMail.get(OutgoingMail.kind == "recovery").state == "failed"


def test_row_11_a_link_of_a_withdrawn_request_is_never_mailed(app, browser, mail_server):
    ask(browser)
    browser.post(f"{PAGE}/email/annulla")
    mail.send_due()
    assert [message["To"] for message in mail_server.messages()] == [OLD]


def test_row_11_a_changed_password_makes_the_link_void(browser, client, link):
    ask(browser)
    path = link()
    strong = "lampada fiume orologio tramonto"
    browser.post(
        "/forniture/PR000001/password",
        data={"password": PASSWORD, "new_password": strong, "repeat_password": strong},
    )
    assert client.post(path).status_code == 410
    assert Account.get(username="000002").email == OLD
    assert "In attesa di conferma" not in browser.get(PAGE).text


def test_row_11_the_link_changes_no_other_account(browser, client, link):
    other = make_account(email="altri@example.it")
    ask(browser)
    client.post(link(), data={"account": other.id, "email": "ladro@example.it"})
    assert Account.get_by_id(other.id).email == "altri@example.it"
    assert Account.get(username="000002").email == NEW


# -- Rows 9 and 10 ------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("headers", [{}, PARTIAL], ids=["page", "htmx"])
def test_row_09_nobody_else_sees_the_record(app, sign_in, account, method, headers):
    stranger = make_customer()
    make_gas(stranger, code="PR000009")
    other = sign_in(make_account(stranger))
    closed = sign_in(account)
    mine = closed.open(PAGE, method=method, headers=headers)
    assert mine.status_code == 200
    theirs = other.open(PAGE, method=method, headers=headers)
    missing = other.open("/forniture/XX/anagrafica", method=method, headers=headers)
    assert theirs.status_code == missing.status_code == 404
    assert theirs.data == missing.data
    Account.update(disabled_at=utcnow()).where(Account.id == account.id).execute()
    for browser in (app.test_client(), closed):
        answer = browser.open(PAGE, method=method, headers=headers)
        to = answer.headers.get("HX-Redirect") or answer.location
        assert (answer.status_code, to.startswith("/login")) == (401 if headers else 303, True)


def test_row_10_extra_fields_change_nothing(browser, account):
    other = make_customer(phone="1")
    before = Customer.get(code="000002")
    extra = {
        "customer_id": other.id, "customer": other.id, "id": other.id, "code": "000009",
        "name": "LADRO", "tax_code": "X", "vat_number": "X", "street": "X", "active": "",
        "email": "ladro@example.it", "account": "1", "state": "x",
    }  # fmt: skip
    browser.post(PAGE, data={**extra, "phone": "0574 22222"})
    after = Customer.get(code="000002")
    assert after.phone == "0574 22222"
    names = ("name", "code", "tax_code", "vat_number", "street", "active", "email")
    assert [getattr(after, name) for name in names] == [getattr(before, name) for name in names]
    assert Customer.get_by_id(other.id).phone == "1"
    assert {row.field for row in ContactChange.select()} == {"phone"}
    ask(browser, customer=other.id, customer_id=other.id, account=99)
    assert (EmailChange.get().customer_id, EmailChange.get().account_id) == (before.id, account.id)


# -- Row 22 -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "email",
    [
        "maria@example.it\r\nBcc: tutti@example.it",
        "maria@example.it\nBcc:tutti@example.it",
        "maria@example.it%0aBcc:tutti@example.it",
        "maria@example.it,tutti@example.it",
        "Maria <maria@example.it>",
        "maria@example.it\x00",
        "maria@[127.0.0.1]",
        "@example.it",
        "x" * 300 + "@example.it",
    ],
)
def test_row_22_an_address_that_carries_more_is_refused(browser, email):
    answer = ask(browser, email)
    assert answer.status_code == 422
    assert "non è scritto come un indirizzo" in answer.text
    assert mails() == []


def test_row_24_neither_link_nor_password_is_logged(browser, client, link, caplog):
    for name in list(logging.root.manager.loggerDict):
        caplog.set_level(logging.DEBUG, logger=name)
    ask(browser)
    path = link()
    client.get(path)
    client.post(path)
    assert NEW in caplog.text  # SQL and its values
    assert path.rpartition("/")[2] not in caplog.text
    assert PASSWORD not in caplog.text


def test_row_24_the_link_holds_neither_address_nor_hash(browser, link, account):
    ask(browser)
    path = link()
    assert NEW not in path
    assert Account.get_by_id(account.id).password_hash not in path
    assert messages.masked(NEW) == "n•••@example.it"
