"""Sessions of operators: shorter than those of customers, and whatever hangs on them."""

import datetime as dt

import pytest

from domain import operator_sessions, sessions
from models import OperatorSession, Session
from tests.factories import make_account, make_operator

NOW = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


def after(**given):
    return NOW + dt.timedelta(**given)


def test_fifteen_minutes_without_doing_anything_end_it(app):
    token = operator_sessions.open_session(make_operator(), now=NOW)
    assert operator_sessions.load(token, now=after(minutes=14, seconds=59))
    assert operator_sessions.load(token, now=after(minutes=29))
    assert operator_sessions.load(token, now=after(minutes=44)) is None


def test_a_page_that_refreshes_itself_is_nobody(app):
    token = operator_sessions.open_session(make_operator(), now=NOW)
    assert operator_sessions.load(token, now=after(minutes=14), quietly=True)
    assert operator_sessions.load(token, now=after(minutes=15)) is None


def test_eight_hours_end_it_whatever_is_done(app):
    token = operator_sessions.open_session(make_operator(), now=NOW)
    now = NOW
    while now < NOW + operator_sessions.ABSOLUTE:
        assert operator_sessions.load(token, now=now), now
        now += 10 * MINUTE
    assert now == after(hours=8)
    assert operator_sessions.load(token, now=now) is None


def test_a_disabled_operator_has_none(app):
    operator = make_operator()
    token = operator_sessions.open_session(operator, now=NOW)
    operator.disabled_at = NOW
    operator.save()
    assert operator_sessions.load(token, now=NOW) is None


def test_the_token_is_not_in_the_archive(app):
    token = operator_sessions.open_session(make_operator(), now=NOW)
    assert token not in str(list(OperatorSession.select().dicts()))


@pytest.mark.parametrize("all_of_them", [False, True])
def test_who_looks_as_a_customer_stops_with_it(app, all_of_them):
    operator, account = make_operator(), make_account()
    token = operator_sessions.open_session(operator, now=NOW)
    own = sessions.open_session(account, now=NOW)
    seen = sessions.open_session(account, now=NOW)
    row = operator_sessions.load(token, now=NOW)
    Session.update(operator_session=row.session).where(
        Session.digest == sessions.digest(seen)
    ).execute()
    if all_of_them:
        operator_sessions.end_all(operator)
    else:
        operator_sessions.end(token)
    assert sessions.load(seen, now=NOW) is None
    assert sessions.load(own, now=NOW)


def test_the_access_before_is_told(app):
    operator = make_operator(last_access_at=NOW - dt.timedelta(days=1))
    token = operator_sessions.open_session(operator, now=NOW)
    row = operator_sessions.load(token, now=NOW)
    operator_sessions.verified(row.session, now=NOW)
    assert row.previous_access_at == NOW - dt.timedelta(days=1)
    again = operator_sessions.open_session(type(operator).get_by_id(operator.id), now=NOW)
    assert operator_sessions.load(again, now=NOW).previous_access_at == NOW
