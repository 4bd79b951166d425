"""Intervals of measures: which days are meant, and what they add up to."""

import datetime as dt

import pytest

from domain import intervals, measures
from domain.errors import Refused
from domain.intervals import Interval
from domain.measures import Day


def date(text):
    return dt.date.fromisoformat(text)


def span(text):
    """`2026-01-01/2026-01-31` as an Interval."""
    return Interval(*map(date, text.split("/")))


EXTENT = span("2024-06-10/2026-11-20")


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (None, None, "2026-10-21/2026-11-20"),
        ("2026-11-01", None, "2026-11-01/2026-11-20"),
        ("2027-02-03", None, "2027-02-03/2027-02-03"),
        (None, "2026-03-31", "2026-03-01/2026-03-31"),
        ("2026-02-01", "2026-02-01", "2026-02-01/2026-02-01"),
    ],
)
def test_what_is_not_typed_follows_from_the_rest(since, until, expected):
    typed = (since and date(since), until and date(until))
    assert intervals.asked(*typed, EXTENT) == span(expected)


def test_an_interval_does_not_run_backwards():
    with pytest.raises(Refused, match="viene prima"):
        intervals.asked(date("2026-02-02"), date("2026-02-01"), EXTENT)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("2026-01-01/2026-01-31", "2026-01-01/2026-01-31"),
        ("2020-01-01/2024-06-30", "2024-06-10/2024-06-30"),  # before the first measure
        ("2026-11-01/2030-01-01", "2026-11-01/2026-11-20"),  # after the last
        ("2000-01-01/2099-12-31", "2025-11-20/2026-11-20"),  # the last year of all
        ("2024-07-01/2025-07-01", "2024-07-01/2025-07-01"),  # 366 days
        ("2024-07-01/2025-07-02", "2024-07-02/2025-07-02"),  # 367
        ("2027-01-01/2027-01-31", "2027-01-01/2027-01-31"),  # nothing there: as asked
    ],
)
def test_a_page_shows_what_has_measures_and_at_most_a_year(asked, expected):
    found = intervals.shown(span(asked), EXTENT)
    assert found == span(expected)
    assert found.days <= intervals.LONGEST


@pytest.mark.parametrize(
    ("until", "number", "expected"),
    [
        ("2026-11-20", 1, "2026-10-21"),
        ("2026-01-31", 1, "2026-01-01"),
        ("2026-03-30", 1, "2026-03-01"),
        ("2026-11-20", 12, "2025-11-21"),
        ("2024-02-29", 12, "2023-03-01"),
        ("2026-12-31", 12, "2026-01-01"),
    ],
)
def test_months_end_with_a_day(until, number, expected):
    assert intervals.months_before(date(until), number) == date(expected)


def test_shortcuts_end_with_the_last_measure_and_yesterday_is_yesterday():
    late = dict(intervals.shortcuts(EXTENT, date("2026-11-23")))
    assert late == {
        "yesterday": span("2026-11-22/2026-11-22"),
        "last_day": span("2026-11-20/2026-11-20"),
        "week": span("2026-11-14/2026-11-20"),
        "month": span("2026-10-21/2026-11-20"),
        "year": span("2025-11-21/2026-11-20"),
    }
    assert "last_day" not in dict(intervals.shortcuts(EXTENT, date("2026-11-21")))


def test_neighbours_have_the_same_length_and_end_with_the_measures():
    week = span("2026-11-02/2026-11-08")
    assert intervals.neighbours(week, EXTENT) == (
        span("2026-10-26/2026-11-01"),
        span("2026-11-09/2026-11-15"),
    )
    assert intervals.neighbours(EXTENT, EXTENT) == (None, None)


def test_from_beyond_the_measures_a_step_leads_to_them():
    before, after = intervals.neighbours(span("2030-01-01/2030-01-07"), EXTENT)
    assert (before, after) == (span("2026-11-14/2026-11-20"), None)
    before, after = intervals.neighbours(span("2000-01-01/2000-01-07"), EXTENT)
    assert (before, after) == (None, span("2024-06-10/2024-06-16"))


def test_years_of_the_measures():
    assert list(intervals.years(EXTENT)) == [2026, 2025, 2024]


# -- What they add up to -------------------------------------------------------------------


def day(text, *, estimated=False, energy=100, peak=None):
    """A Day of `energy` Wh a quarter-hour, and `peak` in that which begins at 19:15."""
    values = [energy] * measures.count(date(text))
    if peak:
        values[measures.clock(date(text)).index(dt.time(19, 15))] = peak
    return Day(date(text), estimated, values)


def test_days_of_92_96_and_100_quarter_hours_add_up():
    days = [day("2026-03-28"), day("2026-03-29"), day("2026-10-25", peak=900)]
    lines = intervals.lines(days)
    assert [line.total for line in lines] == [9600, 9200, 10800]
    assert all(line.total == line.f1 + line.f2 + line.f3 for line in lines)
    assert (lines[0].f1, lines[0].f2, lines[0].f3) == (0, 16 * 400, 8 * 400)  # a Saturday
    assert (lines[2].peak, f"{lines[2].peak_at:%H:%M}") == (3600, "19:15")


def test_totals_of_an_interval():
    days = [day("2026-11-16"), day("2026-11-17", estimated=True, peak=500), day("2026-11-19")]
    lines = intervals.lines(days)
    totals = intervals.totals(lines, span("2026-11-16/2026-11-20"))
    assert totals.energy == sum(each.total for each in days) == 29200
    assert totals.bands == (3 * 4400, 3 * 2000 + 400, 3 * 3200)
    assert totals.highest.day == date("2026-11-17")
    assert (totals.estimated, totals.missing) == (1, 2)


@pytest.mark.parametrize(
    ("sort", "expected"),
    [("giorno", [16, 17, 18]), ("-giorno", [18, 17, 16]), ("totale", [18, 17, 16]),
     ("-picco", [17, 16, 18]), ("-tipo", [18, 16, 17])],
)  # fmt: skip
def test_lines_in_any_order(sort, expected):
    lines = intervals.lines([
        day("2026-11-16", energy=300),
        day("2026-11-17", energy=200, peak=900),
        day("2026-11-18", energy=100, estimated=True),
    ])  # fmt: skip
    assert [line.day.day for line in intervals.arranged(lines, sort)] == expected
