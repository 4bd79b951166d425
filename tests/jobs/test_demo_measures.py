"""The quarter-hours of the demo agree with its invoices."""

import datetime as dt

from domain import bands, measures
from jobs.demo_world import archive, consumption
from jobs.demo_world import measures as world

TODAY = dt.date(2026, 11, 23)
OFFICE = next(
    each for each in archive.all_supplies(TODAY) if each["codice_fornitura"] == "PR002874"
)


def values_of(row):
    return [value for name, value in row.items() if name.startswith("q")]


def test_a_month_adds_up_to_what_is_billed_in_each_band():
    month = dt.date(2026, 10, 1)
    billed = consumption.row(OFFICE, (month,))
    days = list(world.quarter_hours(OFFICE, month))
    assert len(days) == 31
    measured = [bands.totals(day, values) for day, values in days]
    for place, band in enumerate(("f1", "f2", "f3")):
        assert sum(totals[place] for totals in measured) == 1000 * billed[band]


def test_two_years_end_yesterday_with_every_quarter_hour():
    rows = [row for row in world.rows([OFFICE], TODAY) if row["grandezza"] == "attiva"]
    days = [row["data"] for row in rows]
    assert days == [TODAY - dt.timedelta(days=n) for n in range(world.DAYS, 0, -1)]
    assert [len(values_of(row)) for row in rows] == [measures.count(day) for day in days]
    assert {measures.count(day) for day in days} == set(measures.COUNTS)
    assert {row["tipo"] for row in rows} == {"E", "S"}
    assert min(min(values_of(row)) for row in rows) >= 0


def test_the_same_day_gives_the_same_rows():
    assert list(world.rows([OFFICE], TODAY)) == list(world.rows([OFFICE], TODAY))
