"""A customer with one gas supply, and another one who must not see it."""

import pytest

from tests.factories import make_account, make_customer, make_gas


@pytest.fixture
def customer(app):
    return make_customer("000002")


@pytest.fixture
def supply(customer):
    return make_gas(customer, code="PR000001")


@pytest.fixture
def browser(sign_in, customer, supply):
    """The customer's, signed in."""
    return sign_in(make_account(customer))


@pytest.fixture
def stranger(sign_in):
    """The browser of another customer, who has a gas supply too."""
    other = make_customer()
    make_gas(other, code="PR000009")
    return sign_in(make_account(other))
