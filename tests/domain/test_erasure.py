"""The request for erasure: one open for each customer, however many ask for it."""

import datetime as dt

import pytest

from domain import erasure
from domain.errors import Refused
from models import ErasureRequest, OutgoingMail
from tests.factories import make_account, make_customer
from tests.together import at_once

NOW = dt.datetime(2026, 11, 23, 8, 30, tzinfo=dt.UTC)


@pytest.fixture
def customer(app):
    return make_customer("000002")


@pytest.fixture
def account(customer):
    return make_account(customer)


def test_of_many_at_once_one_is_registered(app, customer, account):
    outcomes = at_once(*[lambda: erasure.ask(customer.id, account.id, now=NOW)] * 6)
    assert sorted(map(type, outcomes), key=str) == [type(None)] + [Refused] * 5
    assert ErasureRequest.select().count() == 1
    assert OutgoingMail.select().count() == 1


def test_of_many_at_once_one_withdraws(app, customer, account):
    erasure.ask(customer.id, account.id, now=NOW)
    outcomes = at_once(*[lambda: erasure.withdraw(customer.id, account.id, now=NOW)] * 6)
    assert outcomes.count(None) == 1
    assert erasure.open_request(customer.id) is None


def test_another_login_of_the_customer_sees_and_withdraws_it(customer, account):
    other = make_account(customer, username="altro", email="altro@example.it")
    erasure.ask(customer.id, account.id, now=NOW)
    with pytest.raises(Refused, match="già stata registrata"):
        erasure.ask(customer.id, other.id, now=NOW)
    erasure.withdraw(customer.id, other.id, now=NOW)
    told = [mail.recipient for mail in OutgoingMail.select().order_by(OutgoingMail.id)]
    assert told == [account.email, other.email]


def test_requests_of_other_customers_are_their_own(customer, account):
    other = make_customer()
    erasure.ask(customer.id, account.id, now=NOW)
    assert erasure.open_request(other.id) is None
    with pytest.raises(Refused):
        erasure.withdraw(other.id, account.id, now=NOW)
    assert erasure.open_request(customer.id).made_at == NOW
