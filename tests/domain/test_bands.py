"""F1, F2 and F3 by ARERA's calendar."""

import datetime as dt
import random

import pytest

from domain import bands
from domain.measures import count

MONDAY, SATURDAY, SUNDAY = (dt.date(2026, 11, day) for day in (23, 28, 29))
# Holy days that move, as almanacs have them.
EASTER_MONDAYS = [
    "2014-04-21", "2015-04-06", "2016-03-28", "2017-04-17", "2018-04-02", "2019-04-22",
    "2020-04-13", "2021-04-05", "2022-04-18", "2023-04-10", "2024-04-01", "2025-04-21",
    "2026-04-06", "2027-03-29", "2028-04-17", "2029-04-02", "2030-04-22",
]  # fmt: skip
OTHERS = [
    "01-01", "01-06", "04-25", "05-01", "06-02", "08-15", "11-01", "12-08", "12-25", "12-26",
]  # fmt: skip


def names(day):
    """The bands of a day and the hours from which they hold."""
    found, previous = [], None
    for place, band in enumerate(bands.of(day)):
        if band != previous:
            found.append(f"{bands.NAMES[band]} {place // 4}")
        previous = band
    return ", ".join(found)


def test_a_working_day():
    assert names(MONDAY) == "F3 0, F2 7, F1 8, F2 19, F3 23"


def test_every_working_day_is_alike_and_saturday_and_sunday_are_not():
    week = [MONDAY + dt.timedelta(days=n) for n in range(5)]
    assert len({names(day) for day in week}) == 1
    assert names(SATURDAY) == "F3 0, F2 7, F3 23"
    assert names(SUNDAY) == "F3 0"


@pytest.mark.parametrize("day", EASTER_MONDAYS)
def test_easter_monday_is_a_holiday_and_its_tuesday_is_none(day):
    day = dt.date.fromisoformat(day)
    assert names(day) == "F3 0"
    assert names(day + dt.timedelta(days=1)) == names(MONDAY)


@pytest.mark.parametrize("year", [2014, 2024, 2026, 2031])
def test_the_other_holidays_are_those_listed_and_no_more(year):
    days = [dt.date(year, 1, 1) + dt.timedelta(days=n) for n in range(365)]
    holidays = [f"{day:%m-%d}" for day in days if bands.is_holiday(day)]
    assert len(holidays) == 11
    assert set(OTHERS) < set(holidays)


def test_saint_francis_is_a_national_holiday_that_the_bands_do_not_know():
    assert names(dt.date(2027, 10, 4)) == "F3 0, F2 7, F1 8, F2 19, F3 23"


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_days_of_clock_change_are_sundays(day):
    day = dt.date.fromisoformat(day)
    assert set(bands.of(day)) == {bands.F3}
    assert len(bands.of(day)) == count(day) != 96


def test_totals_go_by_quarter_hours():
    values = [0] * 96
    values[27], values[28], values[31], values[32] = 1, 20, 300, 4000  # 6:45, 7:00, 7:45, 8:00
    values[75], values[76], values[91], values[92] = 4, 50, 600, 7000  # 18:45, 19:00, 22:45, 23:00
    assert bands.totals(MONDAY, values) == (4004, 970, 7001)
    assert bands.totals(SATURDAY, values) == (0, 4974, 7001)
    assert bands.totals(SUNDAY, values) == (0, 0, 11_975)


def test_totals_lose_nothing_on_any_day_of_a_year():
    chance = random.Random(1)
    for n in range(366):
        day = dt.date(2026, 1, 1) + dt.timedelta(days=n)
        values = [chance.randrange(3000) for _place in range(count(day))]
        assert sum(bands.totals(day, values)) == sum(values)
