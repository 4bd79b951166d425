"""A customer's second factor: added and removed by its owner, asked for once, used once."""

import datetime as dt
import re
from functools import partial

import pyotp
import pytest

from domain import (
    accounts,
    customer_factor,
    logins,
    operator_sessions,
    operators,
    second_factor,
    sessions,
    throttle,
)
from domain.accounts import KnownBrowser
from domain.errors import Refused
from domain.second_factor import OF_CUSTOMERS
from models import Account, AccountRecoveryCode, Event, OutgoingMail, Session
from tests.factories import PASSWORD, make_account, make_customer, make_operator
from tests.together import at_once

KEY = customer_factor.key("una-chiave-di-prova-lunga-abbastanza")
NOW = dt.datetime(2026, 11, 23, 8, 0, 10, tzinfo=dt.UTC)
HERE = "192.0.2.1"


def later(steps):
    return NOW + dt.timedelta(seconds=steps * second_factor.STEP)


def code_of(account, now=NOW):
    row = Account.get_by_id(account.id)
    return pyotp.TOTP(second_factor.secret(row, KEY)).at(now)


@pytest.fixture
def account(app):
    return make_account(totp_nonce="n" * 32, totp_since=NOW)


def give(account, code, *, token=None, now=NOW, browser=None):
    token = token or sessions.open_session(account, now=now)
    return customer_factor.give_code(
        account.id, code, token=token, address=HERE, browser=browser, agent="", now=now, key=KEY
    )


def add(account, *, now=NOW):
    """(token, recovery codes) after the second factor was added."""
    token = sessions.open_session(account, now=now)
    row = customer_factor.proposed(account.id, token=token, key=KEY)
    code = pyotp.TOTP(second_factor.secret(row, KEY)).at(now)
    token, shown_by = customer_factor.add(account.id, code, token=token, now=now, key=KEY)
    return token, OF_CUSTOMERS.shown_codes(account.id, shown_by, KEY)


def change(act, account, code, *, now=NOW, **given):
    return act(account.id, code, address=HERE, browser=None, now=now, key=KEY, **given)


def events():
    return [(row.kind, row.details) for row in Event.select().order_by(Event.id)]


def mails():
    return [(row.kind, row.recipient) for row in OutgoingMail.select().order_by(OutgoingMail.id)]


# -- Getting in ----------------------------------------------------------------------------


def test_a_session_of_who_has_one_waits_until_the_code_is_right(account):
    token = sessions.open_session(account, now=NOW)
    assert sessions.load(token, now=NOW).awaits_code
    assert Account.get_by_id(account.id).last_access_at is None
    fresh = give(account, code_of(account), token=token)
    assert sessions.load(token, now=NOW) is None
    assert not sessions.load(fresh, now=NOW).awaits_code
    assert Account.get_by_id(account.id).last_access_at == NOW


def test_neither_a_session_of_who_has_none_waits_nor_an_operators_view(account):
    assert not sessions.load(sessions.open_session(make_account(), now=NOW), now=NOW).awaits_code
    token = operator_sessions.open_session(make_operator(), now=NOW)
    desk = operator_sessions.load(token, now=NOW).session
    assert not sessions.load(sessions.open_view(account, desk, now=NOW), now=NOW).awaits_code


def test_it_is_an_access_when_the_code_is_right_and_not_before(account):
    signed_in = partial(
        accounts.sign_in, account.username, PASSWORD,
        address=HERE, browser=None, agent="", now=NOW, key=b"key",
    )  # fmt: skip
    _account, token = signed_in()
    assert events() == []
    with pytest.raises(Refused, match="non vale"):
        give(account, "000000", token=token)
    give(account, code_of(account), token=token)
    (failed, told), (access, _details) = events()
    assert (failed, access) == ("second_factor_failed", "access")
    assert HERE in told


def test_no_code_works_twice_nor_one_from_before_it(account):
    give(account, code_of(account))
    for now in (NOW, later(-1)):
        with pytest.raises(Refused, match="non vale"):
            give(account, code_of(account, now))
    assert give(account, code_of(account, later(1)))


def test_of_two_with_the_same_code_one_gets_in(account):
    code = code_of(account)
    tokens = [sessions.open_session(account, now=NOW) for _each in range(2)]
    results = at_once(*(partial(give, account, code, token=token) for token in tokens))
    assert sum(isinstance(each, Refused) for each in results) == 1
    assert Session.select().where(~Session.awaits_code).count() == 1


def test_of_two_with_the_same_recovery_code_one_gets_in(app):
    account = make_account()
    _token, codes = add(account)
    tokens = [sessions.open_session(account, now=NOW) for _each in range(2)]
    results = at_once(*(partial(give, account, codes[0], token=token) for token in tokens))
    assert sum(isinstance(each, Refused) for each in results) == 1
    assert OF_CUSTOMERS.codes_left(account.id) == second_factor.RECOVERY_CODES - 1
    assert events()[-1][0] in {"access", "second_factor_failed"}
    assert any('"recovery": true' in details for _kind, details in events())


def test_a_session_that_was_ended_in_between_is_not_let_in_and_uses_no_code_up(account):
    token = sessions.open_session(account, now=NOW)
    sessions.end_all(account)
    with pytest.raises(Refused, match="chiuso nel frattempo"):
        give(account, code_of(account), token=token)
    assert give(account, code_of(account))


def test_wrong_codes_are_limited_but_not_for_a_browser_known_from_before(account):
    for _try in range(throttle.CUSTOMER_CODE.most):
        with pytest.raises(Refused, match="non vale"):
            give(account, "000000")
    with pytest.raises(throttle.TooManyTries):
        give(account, code_of(account))
    other = KnownBrowser("elsewhere", (account.id + 1,))
    with pytest.raises(throttle.TooManyTries):
        give(account, code_of(account), browser=other)
    known = KnownBrowser("own", (account.id,))
    assert give(account, code_of(account), browser=known)


def test_right_codes_are_never_too_many(account):
    for n in range(throttle.CUSTOMER_CODE.most + 2):
        assert give(account, code_of(account, later(n)), now=later(n))


def test_operators_and_customers_of_the_same_number_have_other_secrets(account):
    keys = operators.keys("una-chiave-di-prova-lunga-abbastanza")
    operator = make_operator(totp_nonce=account.totp_nonce)
    assert operators.secret(operator, keys) != second_factor.secret(account, KEY)


# -- Adding --------------------------------------------------------------------------------


def test_adding_asks_from_now_on_ends_other_sessions_and_tells(app):
    account = make_account(email="maria@example.it")
    elsewhere = sessions.open_session(account, now=NOW)
    token, codes = add(account)
    assert sessions.load(elsewhere, now=NOW) is None
    assert not sessions.load(token, now=NOW).awaits_code
    assert Account.get_by_id(account.id).totp_since == NOW
    assert len({*codes}) == second_factor.RECOVERY_CODES
    assert all(re.fullmatch(r"\d{12}", code) for code in codes)
    assert not set(codes) & {row.digest for row in AccountRecoveryCode.select()}
    assert mails() == [("second_factor_added", "maria@example.it")]
    assert [kind for kind, _details in events()] == ["second_factor_added"]
    with pytest.raises(Refused):  # the first code is used up
        give(account, code_of(account))


def test_nothing_is_kept_of_what_was_only_proposed(app):
    account = make_account()
    token = sessions.open_session(account, now=NOW)
    secrets = {
        second_factor.secret(customer_factor.proposed(account.id, token=each, key=KEY), KEY)
        for each in (token, token, sessions.open_session(account, now=NOW))
    }
    assert len(secrets) == 2
    with pytest.raises(Refused, match="non vale"):
        customer_factor.add(account.id, "000000", token=token, now=NOW, key=KEY)
    assert Account.get_by_id(account.id).totp_nonce is None
    assert (events(), mails()) == ([], [])


def test_of_two_pages_that_add_at_once_one_does(app):
    account = make_account()
    token = sessions.open_session(account, now=NOW)
    row = customer_factor.proposed(account.id, token=token, key=KEY)
    code = pyotp.TOTP(second_factor.secret(row, KEY)).at(NOW)
    again = partial(customer_factor.add, account.id, code, token=token, now=NOW, key=KEY)
    results = at_once(again, again)
    assert sum(isinstance(each, Refused) for each in results) == 1
    assert AccountRecoveryCode.select().count() == second_factor.RECOVERY_CODES


def test_who_signs_in_while_it_is_added_waits_or_is_out(app):
    account = make_account()
    token = sessions.open_session(account, now=NOW)
    row = customer_factor.proposed(account.id, token=token, key=KEY)
    code = pyotp.TOTP(second_factor.secret(row, KEY)).at(NOW)
    for result in at_once(
        partial(customer_factor.add, account.id, code, token=token, now=NOW, key=KEY),
        partial(sessions.open_session, account, now=NOW),
    ):
        assert not isinstance(result, Exception)
    assert Session.select().where(~Session.awaits_code).count() == 1


# -- Removing ------------------------------------------------------------------------------


def test_removing_asks_no_more_ends_other_sessions_and_tells(account):
    token = give(account, code_of(account))
    waits = sessions.open_session(account, now=NOW)
    fresh = change(
        customer_factor.remove, account, code_of(account, later(1)), now=later(1), token=token
    )
    row = Account.get_by_id(account.id)
    assert (row.totp_nonce, row.totp_since, row.totp_step) == (None, None, None)
    assert sessions.load(waits, now=NOW) is None
    assert sessions.load(token, now=NOW) is None
    assert sessions.load(fresh, now=NOW)
    assert mails() == [("second_factor_removed", account.email)]
    assert events()[-1][0] == "second_factor_removed"
    with pytest.raises(Refused):
        change(customer_factor.remove, account, "000000", token=fresh)


def test_removing_takes_the_recovery_codes_along(app):
    account = make_account()
    token, codes = add(account)
    change(customer_factor.remove, account, codes[0], token=token)
    assert not AccountRecoveryCode.select().exists()


def test_a_wrong_code_removes_nothing(account):
    token = give(account, code_of(account))
    with pytest.raises(Refused, match="non vale"):
        change(customer_factor.remove, account, "000000", token=token)
    assert Account.get_by_id(account.id).totp_since


def test_new_recovery_codes_void_the_old_ones(app):
    account = make_account()
    _token, codes = add(account)
    shown_by = change(
        customer_factor.renew_codes, account, code_of(account, later(1)), now=later(1)
    )
    fresh = OF_CUSTOMERS.shown_codes(account.id, shown_by, KEY)
    with pytest.raises(Refused):
        give(account, codes[0], now=later(1))
    assert give(account, fresh[0], now=later(1))
    assert OF_CUSTOMERS.shown_codes(make_account().id, shown_by, KEY) == []
    assert "recovery_codes_made" in [kind for kind, _details in events()]


def test_the_desk_removes_it_once_and_the_customer_is_told(app):
    customer = make_customer()
    account = make_account(customer)
    token, codes = add(account)
    for _press in range(2):
        logins.remove_factor(account, customer.id, now=NOW)
    assert Account.get_by_id(account.id).totp_since is None
    assert sessions.load(token, now=NOW) is None
    assert [kind for kind, _address in mails()] == ["second_factor_added", "second_factor_removed"]
    assert (
        '"by_utility": true' in OutgoingMail.select().order_by(OutgoingMail.id.desc()).get().params
    )
    assert [kind for kind, _details in events()][1:] == ["login_factor_removed"]
    token = sessions.open_session(account, now=NOW)
    assert not sessions.load(token, now=NOW).awaits_code
    assert codes
