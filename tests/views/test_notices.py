"""The link in a mail that ends its notices, from a browser and from a mail program."""

import pytest

from domain import mail, throttle
from domain.clock import utcnow
from domain.mail import links, messages
from models import Account, Event, OutgoingMail
from tests.factories import make_account, make_customer
from tests.pages import text_of

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
KEY = "una-chiave-di-prova-lunga-abbastanza"


@pytest.fixture
def account(app):
    return make_account(make_customer("000002"), email="rosa@example.it")


@pytest.fixture
def link(account):
    """The path that a mail of a ticket carries."""
    row = mail.queue_notice("ticket_answered", account, params={}, now=utcnow())
    return messages.unsubscribe(row).removeprefix("http://localhost")


@pytest.fixture
def with_csrf(app):
    app.config["WTF_CSRF_ENABLED"] = True


def flags(account):
    row = Account.get_by_id(account.id)
    names = ("notices", "notices_readings", "notices_invoices", "notices_documents")
    return {*(name for name in (*names, "notices_tickets") if not getattr(row, name))}


def token_of(page):
    return page.text.split('name="csrf_token" value="')[1].split('"')[0]


def test_opening_the_link_only_asks(client, account, link):
    page = client.get(link)
    assert page.status_code == 200
    assert "Non ricevere più per posta elettronica gli avvisi «Ticket»?" in text_of(page.text)
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    assert flags(account) == set()


def test_the_button_ends_that_group_and_no_other(with_csrf, client, account, link):
    token = token_of(client.get(link))
    page = client.post(link, data={"csrf_token": token})
    assert "non arriveranno più gli avvisi «Ticket»" in text_of(page.text)
    assert flags(account) == {"notices_tickets"}
    assert mail.queue_notice("ticket_answered", Account.get_by_id(account.id), now=utcnow()) is None
    event = Event.get()
    assert (event.kind, event.account_id) == ("preferences_changed", account.id)


def test_a_mail_program_needs_no_session_and_no_token(with_csrf, client, account, link):
    answer = client.post(link, data=ONE_CLICK)
    assert (answer.status_code, answer.location) == (200, None)
    assert flags(account) == {"notices_tickets"}


def test_twice_is_as_once(client, account, link):
    for _ in range(2):
        assert client.post(link, data=ONE_CLICK).status_code == 200
    assert flags(account) == {"notices_tickets"}
    assert Event.select().count() == 1


@pytest.mark.parametrize(
    "data", [{}, {"List-Unsubscribe": "Two-Clicks"}, {"csrf_token": "x"}, {"x": "One-Click"}]
)
def test_no_other_request_does_without_the_token(with_csrf, client, account, link, data):
    assert client.post(link, data=data).status_code == 400
    assert flags(account) == set()


def test_no_other_site_does_it_with_a_browser(with_csrf, client, account, link):
    answer = client.post(link, data=ONE_CLICK, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 400
    assert flags(account) == set()


def test_elsewhere_its_form_opens_nothing(with_csrf, client, account):
    data = {**ONE_CLICK, "username": "000002", "password": "x"}
    assert client.post("/login", data=data).status_code == 400


def bad_links(account):
    good = links.make(account, "tickets", key=KEY)
    yield from ("x", "x.y", good[:-1], good + "x", "%00", "é", "A" * 5000)
    yield links.make(account, "tickets", key="un'altra chiave")
    yield links.make(account, "notices", key=KEY)
    yield links.make(account, "id", key=KEY)
    yield links._signer(KEY).dumps("tickets")
    yield links._signer(KEY).dumps([None, {}, []])


def test_a_wrong_link_ends_nothing(client, account):
    for bad in bad_links(account):
        for ask in (client.get, lambda path: client.post(path, data=ONE_CLICK)):
            page = ask(f"/avvisi/{bad}")
            assert page.status_code == 404, bad
            assert "Questo collegamento non vale più" in text_of(page.text)
    assert flags(account) == set()


@pytest.mark.parametrize(
    "change", [{"email": "nuova@example.it"}, {"disabled_at": utcnow()}], ids=["address", "closed"]
)
def test_the_link_in_an_old_mailbox_ends_nothing(client, account, link, change):
    Account.update(change).execute()
    assert client.post(link, data=ONE_CLICK).status_code == 404
    assert flags(account) == set()


def test_wrong_links_are_counted_and_good_ones_always_work(client, account, link):
    statuses = [
        client.get("/avvisi/x").status_code for _ in range(throttle.NOTICES_ADDRESS.most + 2)
    ]
    assert statuses[-2:] == [429, 429]
    assert client.post(link, data=ONE_CLICK).status_code == 200
    assert flags(account) == {"notices_tickets"}


def test_what_waits_already_does_not_go_any_more(mail_server, client, account, link):
    client.post(link, data=ONE_CLICK)
    assert mail.send_due().sent == 0
    assert mail_server.messages() == []
    assert not OutgoingMail.select().exists()
