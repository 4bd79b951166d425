import datetime as dt

import pytest

from domain import window_rules
from domain.errors import Refused


def day(text):
    return dt.date.fromisoformat(text)


def months(first, last):
    return window_rules.months(day(f"{first}-01"), day(f"{last}-01"))


def test_the_last_days_of_each_month_whatever_its_length():
    spans = window_rules.last_days(5, months("2027-12", "2028-03"))
    assert spans == [
        (day("2027-12-27"), day("2027-12-31")),
        (day("2028-01-27"), day("2028-01-31")),
        (day("2028-02-25"), day("2028-02-29")),
        (day("2028-03-27"), day("2028-03-31")),
    ]
    assert window_rules.last_days(28, months("2027-02", "2027-02")) == [
        (day("2027-02-01"), day("2027-02-28"))
    ]


def test_from_one_day_of_each_month_to_another():
    assert window_rules.days_of_month(20, 25, months("2026-12", "2027-01")) == [
        (day("2026-12-20"), day("2026-12-25")),
        (day("2027-01-20"), day("2027-01-25")),
    ]


def test_in_a_shorter_month_its_last_day_counts():
    assert window_rules.days_of_month(29, 31, months("2027-01", "2027-04"))[1:] == [
        (day("2027-02-28"), day("2027-02-28")),
        (day("2027-03-29"), day("2027-03-31")),
        (day("2027-04-29"), day("2027-04-30")),
    ]


def test_to_a_smaller_day_is_into_the_next_month():
    assert window_rules.days_of_month(28, 3, months("2026-12", "2027-01")) == [
        (day("2026-12-28"), day("2027-01-03")),
        (day("2027-01-28"), day("2027-02-03")),
    ]


@pytest.mark.parametrize(("first", "last"), [("2027-02", "2027-01"), ("2027-01", "2030-01")])
def test_months_that_go_back_or_are_too_many_are_refused(first, last):
    with pytest.raises(Refused):
        months(first, last)
