"""Days, numbers and money as Italians write them."""

import datetime as dt

import pytest

from domain import italian


def test_days_have_two_digits_and_no_day_is_nothing():
    assert italian.day(dt.date(2026, 3, 1)) == "01/03/2026"
    assert italian.day(None) == ""


def test_times_are_those_of_the_clock_in_rome():
    assert italian.time(dt.datetime(2026, 7, 1, 22, 5, tzinfo=dt.UTC)) == "00:05"
    assert italian.time(dt.datetime(2026, 12, 1, 22, 5, tzinfo=dt.UTC)) == "23:05"


@pytest.mark.parametrize(
    ("cents", "written"),
    [(5, "0,05"), (100, "1,00"), (123456, "1.234,56"), (-1234567, "-12.345,67")],
)
def test_money_has_a_comma_and_a_mark_for_thousands(cents, written):
    assert italian.money(cents) == f"{written}\N{NO-BREAK SPACE}€"


def test_an_iban_is_read_in_groups_of_four():
    assert italian.iban("IT60 X0542811101000000123456") == "IT60 X054 2811 1010 0000 0123 456"
