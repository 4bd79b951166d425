"""Another mail address for a login: asked for, confirmed by its link, withdrawn."""

import datetime as dt
import json
from functools import partial

import pytest

from domain import contacts, credentials, email_change, email_links, passwords, throttle, tickets
from domain.errors import Refused
from models import Account, ContactChange, Customer, EmailChange, Event, Grant, OutgoingMail
from tests.factories import PASSWORD, make_account, make_customer
from tests.together import at_once

NOW = dt.datetime(2026, 11, 23, 9, 30, tzinfo=dt.UTC)
KEY = credentials.key("una chiave di prova")
OLD, NEW = "vecchia@example.it", "nuova@example.it"
HERE = "192.0.2.1"


@pytest.fixture
def customer(app):
    return make_customer("000002", email=OLD)


@pytest.fixture
def account(customer):
    return make_account(customer, email=OLD)


def ask(account, address=NEW, *, customer=None, password=PASSWORD, now=NOW):
    customer = customer or account.grants.get().customer
    email_change.ask(account.id, customer.id, address, password, now=now)


def link(account, address=NEW, now=NOW):
    """The token that goes into the mail, as it is made when the mail is sent."""
    return email_links.make(Account.get_by_id(account.id), address, now=now, key=KEY)


def confirm(token, now=NOW, address=HERE):
    email_change.confirm(token, address=address, now=now, key=KEY)


def email_of(account):
    return Account.get_by_id(account.id).email


def mails():
    return [(row.kind, row.recipient) for row in OutgoingMail.select().order_by(OutgoingMail.id)]


def kinds():
    return [row.kind for row in Event.select().order_by(Event.id)]


def test_asking_changes_nothing_yet_and_tells_both_addresses(account):
    ask(account)
    assert email_of(account) == OLD
    assert Customer.get().email == OLD
    assert mails() == [("email_change", NEW), ("email_change_notice", OLD)]
    assert email_change.awaited(account.id, now=NOW).address == NEW
    [event] = Event.select()
    assert event.kind == "email_change_asked"
    assert json.loads(event.details) == {"address": "n•••@example.it"}


def test_no_mail_in_the_queue_holds_the_link(account):
    ask(account)
    token = link(account)
    stored = [str(row) for table in (OutgoingMail, EmailChange) for row in table.select().tuples()]
    assert not any(token in row for row in stored)


def test_the_link_makes_the_change_for_the_login_and_the_customer(account, customer):
    ask(account)
    confirm(link(account))
    assert email_of(account) == NEW
    assert Customer.get_by_id(customer.id).email == NEW
    [change] = ContactChange.select()
    assert (change.field, change.value, change.previous) == ("email", NEW, OLD)
    assert mails()[-1] == ("email_changed", OLD)
    assert kinds() == ["email_change_asked", "contact_changed", "email_changed"]
    assert email_change.awaited(account.id, now=NOW) is None


def test_the_new_address_reaches_billing(app, account):
    ask(account)
    confirm(link(account))
    contacts.hand_over(app.config["DATA_DIR"] / "outbox", now=NOW)
    text = (app.config["DATA_DIR"] / "outbox" / "anagrafiche_000001.csv").read_text()
    assert f";000002;email;{NEW};{OLD};" in text


def test_only_the_customer_whose_record_was_open_gets_it(account, customer):
    other = make_customer(email=OLD)
    Grant.create(account=account, customer=other)
    ask(account, customer=other)
    confirm(link(account))
    assert Customer.get_by_id(other.id).email == NEW
    assert Customer.get_by_id(customer.id).email == OLD


def test_a_second_click_says_that_it_is_done(account):
    ask(account)
    token = link(account)
    confirm(token)
    with pytest.raises(email_links.AlreadyConfirmed, match="già stato confermato"):
        confirm(token)
    assert ContactChange.select().count() == 1
    assert kinds().count("email_changed") == 1


def test_ten_clicks_at_once_make_one_change(account):
    ask(account)
    token = link(account)
    results = at_once(*[lambda: confirm(token)] * 10)
    assert results.count(None) == 1
    assert ContactChange.select().count() == 1
    assert mails().count(("email_changed", OLD)) == 1


def test_the_customer_may_write_meanwhile(account, customer):
    """On PostgreSQL each refers to a row that the other has locked."""
    for number in range(10):
        ask(account, f"{number}@example.it", now=NOW + number * dt.timedelta(days=2))
        now = NOW + number * dt.timedelta(days=2)
        token = link(account, f"{number}@example.it", now)
        written = {"category": "other", "subject": "Oggetto", "text": str(number)}
        results = at_once(
            partial(confirm, token, now),
            partial(tickets.open_ticket, customer.id, None, account.id, **written, deadlines={},
                    now=now),
            partial(contacts.change, customer.id, {"phone": str(number)}, account=account.id,
                    now=now),
        )  # fmt: skip
        assert [each for each in results if isinstance(each, Exception)] == []


def test_a_used_link_does_not_bring_an_address_back(account):
    ask(account)
    first = link(account)
    confirm(first)
    later = NOW + dt.timedelta(hours=1)
    ask(account, "terza@example.it", now=later)
    confirm(link(account, "terza@example.it", later), later)
    with pytest.raises(email_links.Void, match="non vale più"):
        confirm(first, later)
    assert email_of(account) == "terza@example.it"


def test_the_link_lasts_a_day_from_when_its_mail_was_sent(account):
    ask(account)
    sent = NOW + dt.timedelta(hours=30)  # the mail server was down
    token = link(account, now=sent)
    with pytest.raises(email_links.Void, match="scaduto"):
        confirm(token, sent + dt.timedelta(hours=24, seconds=1))
    confirm(token, sent + dt.timedelta(hours=24))
    assert email_of(account) == NEW


@pytest.mark.parametrize("why", ["password", "address", "disabled", "withdrawn", "asked again"])
def test_what_changes_in_between_makes_the_link_void(account, why):
    ask(account)
    token = link(account)
    if why == "password":
        Account.update(password_hash=passwords.hashed("lampada fiume orologio")).execute()
    elif why == "address":
        Account.update(email="terza@example.it").execute()
    elif why == "disabled":
        Account.update(disabled_at=NOW).execute()
    elif why == "withdrawn":
        email_change.withdraw(account.id)
    else:
        ask(account, now=NOW + dt.timedelta(minutes=5))
    with pytest.raises(email_links.Void, match="non vale più"):
        confirm(token)
    assert not ContactChange.select().exists()


@pytest.mark.parametrize(
    "token", ["", "x", ".", "a.b", "\x00", "é.é", "W10.x", "9" * 5000, "../../x", "WyJ4Il0.abc"]
)
def test_a_token_of_nobody_is_void(account, token):
    ask(account)
    with pytest.raises(email_links.Void):
        confirm(token)


def test_a_link_signed_with_another_key_is_void(account):
    ask(account)
    change = EmailChange.get()
    forged = email_links.make(account, change.address, now=NOW, key=credentials.key("altra"))
    with pytest.raises(email_links.Void):
        confirm(forged)


def test_mailed_secrets_become_void(account):
    secret = credentials.issue(account, now=NOW, key=KEY, lifetime=credentials.RECOVERY)
    ask(account)
    assert credentials.find(account.username, secret, now=NOW, key=KEY)
    confirm(link(account))
    assert credentials.find(account.username, secret, now=NOW, key=KEY) is None


def test_a_wrong_password_asks_for_nothing_and_is_counted(account):
    for _n in range(throttle.CHANGE_ACCOUNT.most):
        with pytest.raises(Refused, match="non è corretta"):
            ask(account, password="sbagliata")
    with pytest.raises(throttle.TooManyTries):
        ask(account)
    assert mails() == []
    assert email_change.awaited(account.id, now=NOW) is None


@pytest.mark.parametrize("address", [OLD, OLD.upper()])
def test_the_address_in_use_is_refused(account, address):
    with pytest.raises(email_change.InUse, match="già l'indirizzo in uso"):
        ask(account, address)
    assert mails() == []


def test_the_address_of_the_login_may_become_the_contact(account):
    Customer.update(email="altra@example.it").execute()
    ask(account, OLD)
    confirm(link(account, OLD))
    assert Customer.get().email == OLD
    assert ContactChange.get().previous == "altra@example.it"


def test_pressed_twice_it_is_asked_for_once(account):
    at_once(lambda: ask(account), lambda: ask(account))
    ask(account, now=NOW + dt.timedelta(seconds=30))
    assert mails() == [("email_change", NEW), ("email_change_notice", OLD)]


def test_asked_again_later_another_mail_goes(account):
    ask(account)
    ask(account, now=NOW + dt.timedelta(minutes=10))
    assert mails().count(("email_change", NEW)) == 2
    assert EmailChange.select().count() == 1


def test_nobody_gets_mail_without_end(account):
    """A login that others opened does not become a source of unwanted mail."""
    for n in range(throttle.EMAIL_CHANGE.most):
        ask(account, f"x{n}@example.it")
    with pytest.raises(throttle.TooManyTries):
        ask(account, "un-altro@example.it")


def test_links_of_no_use_are_counted_and_the_right_one_is_not(account):
    ask(account)
    token = link(account)
    for _n in range(throttle.EMAIL_LINK.most):
        with pytest.raises(email_links.Void):
            confirm("x")
    with pytest.raises(throttle.TooManyTries):
        confirm(token)
    confirm(token, address="192.0.2.2")
    assert email_of(account) == NEW


def test_opening_the_link_only_reads(account, count_queries):
    ask(account)
    token = link(account)
    with count_queries() as queries:
        change = email_change.opened(token, address=HERE, now=NOW, key=KEY)
    assert change.address == NEW
    assert {query.split()[0] for query in queries} == {"SELECT"}
    assert email_of(account) == OLD


def test_after_three_days_nobody_waits_any_more(account):
    ask(account)
    assert email_change.awaited(account.id, now=NOW + dt.timedelta(days=2))
    assert email_change.awaited(account.id, now=NOW + dt.timedelta(days=4)) is None
