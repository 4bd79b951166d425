"""Days of quarter-hours: which there are, when they begin, and whose they are."""

import datetime as dt
import itertools
import random

import pytest

from domain import measures
from domain.measures import Day
from models import MeasuredDay
from tests.factories import make_electricity, make_measured_day

MARCH, OCTOBER, NORMAL = dt.date(2026, 3, 29), dt.date(2026, 10, 25), dt.date(2026, 11, 23)
ONE = dt.timedelta(days=1)


# -- The quarter-hours of a day ------------------------------------------------------------


@pytest.mark.parametrize(("day", "number"), [(MARCH, 92), (OCTOBER, 100), (NORMAL, 96)])
def test_quarter_hours_follow_each_other_from_midnight_to_midnight(day, number):
    instants = [start.astimezone(dt.UTC) for start in measures.starts(day)]
    instants.append(measures.starts(day + ONE)[0].astimezone(dt.UTC))
    assert measures.count(day) == len(instants) - 1 == number
    steps = {after - before for before, after in itertools.pairwise(instants)}
    assert steps == {dt.timedelta(minutes=15)}


def test_the_clock_jumps_in_march_and_repeats_in_october():
    march = [start.isoformat() for start in measures.starts(MARCH)]
    assert march[7:9] == ["2026-03-29T01:45:00+01:00", "2026-03-29T03:00:00+02:00"]
    october = [start.isoformat() for start in measures.starts(OCTOBER)]
    assert october[8] == "2026-10-25T02:00:00+02:00"
    assert october[11:13] == ["2026-10-25T02:45:00+02:00", "2026-10-25T02:00:00+01:00"]
    assert october[16] == "2026-10-25T03:00:00+01:00"


def test_every_year_has_one_short_and_one_long_day():
    for year in range(2000, 2060):
        days = [dt.date(year, 1, 1) + n * ONE for n in range(365)]
        odd = [(measures.count(day), day.month) for day in days if measures.count(day) != 96]
        assert odd == [(92, 3), (100, 10)]


# -- What is kept --------------------------------------------------------------------------


def test_days_are_as_they_were_stored_and_missing_ones_are_absent(app):
    supply = make_electricity()
    chance = random.Random(2)
    stored = [
        Day(day, day == MARCH, [chance.randrange(90_000) for _n in range(measures.count(day))])
        for day in (MARCH, OCTOBER, NORMAL)
    ]
    for day, estimated, values in reversed(stored):
        make_measured_day(supply, day, values, estimated=estimated)
    found = measures.days(supply, MARCH, NORMAL)
    assert found == stored
    assert [day.total for day in found] == [sum(day.values) for day in stored]
    assert measures.days(supply, MARCH + ONE, NORMAL - ONE) == stored[1:2]


def test_quantities_and_supplies_are_kept_apart(app, count_queries):
    supply, other = make_electricity(), make_electricity()
    make_measured_day(supply, NORMAL, [1] * 96)
    make_measured_day(supply, NORMAL, [2] * 96, quantity="reactive")
    make_measured_day(other, NORMAL, [3] * 96)
    with count_queries() as queries:
        active = measures.days(supply, NORMAL, NORMAL)
    assert len(queries) == 1
    assert [day.total for day in active] == [96]
    reactive = measures.days(supply, NORMAL, NORMAL, "reactive")
    assert [day.total for day in reactive] == [192]


def test_the_extent_reaches_from_the_first_to_the_last_day(app):
    supply = make_electricity()
    assert measures.extent(supply) is None
    for day in (MARCH, OCTOBER, NORMAL):
        make_measured_day(supply, day)
    assert measures.extent(supply) == (MARCH, NORMAL)
    assert measures.extent(supply, "reactive") is None
    assert measures.last_day(supply) == NORMAL
    assert measures.has(supply, "active")
    assert not measures.has(supply, "reactive")


@pytest.mark.parametrize(
    ("dates", "shown"),
    [
        ({"active_from": OCTOBER}, [OCTOBER, NORMAL]),
        ({"ended_on": OCTOBER}, [MARCH, OCTOBER]),
        ({"active_from": OCTOBER, "ended_on": OCTOBER}, [OCTOBER]),
    ],
)
def test_what_was_measured_for_others_is_never_shown(app, dates, shown):
    supply = make_electricity(**dates)
    for day in (MARCH, OCTOBER, NORMAL):
        make_measured_day(supply, day)
    assert [each.day for each in measures.days(supply, MARCH, NORMAL)] == shown
    assert measures.extent(supply) == (shown[0], shown[-1])


def test_a_supply_that_begins_after_its_last_measure_has_none(app):
    supply = make_electricity(active_from=NORMAL)
    make_measured_day(supply, OCTOBER)
    assert measures.extent(supply) is None
    assert measures.last_day(supply) is None
    assert not measures.has(supply, "active")


def test_the_archive_keeps_two_bytes_for_a_household_quarter_hour(app):
    make_measured_day(make_electricity(), NORMAL, [700] * 96)
    assert len(MeasuredDay.get().values) == 1 + 2 * 96


def test_the_peak_is_four_times_the_greatest_quarter_hour():
    values = [10] * 100
    values[12] = values[40] = 825  # the second time that it is 2 o'clock, and later
    power, began = measures.peak(Day(OCTOBER, False, values))
    assert power == 3300
    assert began.isoformat() == "2026-10-25T02:00:00+01:00"
