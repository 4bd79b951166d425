"""Counters of tries: exact, shared, and forgiving to who was right."""

import datetime as dt

import pytest

from domain import throttle
from domain.clock import utcnow
from domain.throttle import Limit, TooManyTries
from models import Throttle

NOW = utcnow()
FEW = Limit("few", 3, dt.timedelta(minutes=5))
OTHER = Limit("other", 1, dt.timedelta(hours=1))


def after(**time):
    return NOW + dt.timedelta(**time)


def hits(key):
    return Throttle.get(Throttle.key == key).hits


def test_tries_pass_up_to_the_limit(app):
    for _ in range(3):
        throttle.reserve([(FEW, "a")], now=NOW)
    with pytest.raises(TooManyTries):
        throttle.reserve([(FEW, "a")], now=NOW)
    throttle.reserve([(FEW, "b")], now=NOW)


def test_beyond_the_limit_nothing_is_written(app, count_queries):
    for _ in range(3):
        throttle.reserve([(FEW, "a")], now=NOW)
    with count_queries() as queries, pytest.raises(TooManyTries):
        throttle.reserve([(FEW, "a")], now=NOW)
    assert [query.split()[0] for query in queries] == ["SELECT"]
    assert hits("few:a") == 3


def test_the_period_starts_with_the_first_try(app):
    throttle.reserve([(FEW, "a")], now=NOW)
    throttle.reserve([(FEW, "a")], now=after(minutes=4))
    throttle.reserve([(FEW, "a")], now=after(minutes=4))
    with pytest.raises(TooManyTries, match=r"tra un minuto\."):
        throttle.reserve([(FEW, "a")], now=after(minutes=4, seconds=59))
    throttle.reserve([(FEW, "a")], now=after(minutes=5))
    assert hits("few:a") == 1


def test_the_sentence_says_when_to_try_again(app):
    throttle.reserve([(OTHER, "a")], now=NOW)
    with pytest.raises(TooManyTries, match=r"Riprovare tra 59 minuti\."):
        throttle.reserve([(OTHER, "a")], now=after(seconds=61))


def test_tries_are_counted_all_or_none(app):
    throttle.count([(OTHER, "a")], now=NOW)
    with pytest.raises(TooManyTries):
        throttle.count([(FEW, "a"), (OTHER, "a")], now=NOW)
    assert Throttle.get_or_none(Throttle.key == "few:a") is None
    assert hits("other:a") == 1


def test_who_was_right_gets_the_try_back(app):
    for _ in range(50):
        throttle.reserve([(FEW, "a")], now=NOW)
        throttle.give_back([(FEW, "a")], now=NOW)
    assert hits("few:a") == 0


def test_nothing_is_given_back_into_a_later_period(app):
    throttle.reserve([(FEW, "a")], now=NOW)
    throttle.give_back([(FEW, "a")], now=after(minutes=5))
    assert hits("few:a") == 1


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        (None, "unknown"),
        ("\x00'; --", "unknown"),
    ],
)
def test_an_address_is_counted_as_its_place(address, place):
    assert throttle.place(address) == place


def test_a_clock_put_back_does_not_prolong_a_wait(app):
    for _ in range(3):
        throttle.reserve([(FEW, "a")], now=after(hours=1))
    throttle.reserve([(FEW, "a")], now=NOW)
    assert hits("few:a") == 1


def test_a_try_that_overtakes_another_counts_with_it(app):
    for seconds in (1, 0, 1):
        throttle.reserve([(FEW, "a")], now=after(seconds=seconds))
    with pytest.raises(TooManyTries):
        throttle.reserve([(FEW, "a")], now=NOW)


def test_period_after_period_begins_anew_at_the_very_instant(app):
    tries = [(throttle.Limit("test", 1, throttle.MINUTE), "x")]
    for minute in range(4):
        throttle.reserve(tries, now=NOW + minute * throttle.MINUTE)
        assert hits("test:x") == 1
