"""Mailed secrets: one use, short life, at most three."""

import datetime as dt
import re

from domain import credentials
from domain.clock import utcnow
from models import MailedSecret
from tests.factories import make_account

KEY = credentials.key("una-chiave-di-prova-lunga-abbastanza")


def issue(account, now=None, lifetime=credentials.RECOVERY):
    return credentials.issue(account, now=now or utcnow(), key=KEY, lifetime=lifetime)


def redeem(account, secret, now=None, key=KEY):
    return credentials.redeem(account.username, secret, now=now or utcnow(), key=key)


def test_a_secret_is_24_characters_without_look_alikes_and_is_not_kept(app):
    account = make_account()
    secret = issue(account)
    assert re.fullmatch(r"[a-hjkmnp-z2-9]{24}", secret)
    assert secret not in str(list(MailedSecret.select().dicts()))


def test_a_secret_works_once(app):
    account = make_account()
    secret = issue(account)
    assert redeem(account, secret) == account
    assert redeem(account, secret) is None


def test_a_secret_may_be_typed_with_capitals_and_blanks(app):
    account = make_account()
    secret = issue(account)
    typed = " ".join((secret[:6].upper(), secret[6:12], secret[12:])) + " "
    assert redeem(account, typed) == account


def test_a_secret_is_of_one_login_and_of_one_key(app):
    account, other = make_account(), make_account()
    secret = issue(account)
    assert redeem(other, secret) is None
    assert redeem(account, secret, key=credentials.key("un'altra chiave")) is None
    assert redeem(account, "") is None
    assert redeem(account, secret[:-1]) is None
    assert redeem(account, secret) == account


def test_a_secret_lives_until_its_time_is_over(app):
    account = make_account()
    made = utcnow()
    first, second = issue(account, made), issue(account, made)
    last = made + credentials.RECOVERY
    assert redeem(account, first, last - dt.timedelta(seconds=1)) == account
    assert redeem(account, second, last) is None


def test_a_secret_of_a_disabled_login_is_no_good(app):
    account = make_account()
    secret = issue(account)
    account.disabled_at = utcnow()
    account.save()
    assert redeem(account, secret) is None


def test_the_fourth_secret_ends_the_oldest(app):
    account, other = make_account(), make_account()
    of_other = issue(other)
    oldest, *kept = (issue(account) for _ in range(4))
    assert redeem(account, oldest) is None
    assert [redeem(account, secret) for secret in kept] == [account] * 3
    assert redeem(other, of_other) == other


def test_voided_secrets_are_no_good(app):
    account = make_account()
    secret = issue(account)
    credentials.void(account, now=utcnow())
    assert redeem(account, secret) is None
