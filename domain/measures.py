"""Interval measures: what passed in each quarter-hour of a day, in whole Wh (or varh).

A day is one of Europe/Rome, so it has 96 quarter-hours, 92 when the clocks go forward and 100
when they go back. Kept as one row for each supply, day and quantity (`MeasuredDay`), packed.
"""

import datetime as dt
from functools import lru_cache
from typing import NamedTuple

from domain import supplies
from domain.clock import ROME
from domain.clock import quarter_hours as count
from domain.formats.packed import unpack
from models import MeasuredDay, Prepared

COUNTS = (92, 96, 100)  # in a day


class Day(NamedTuple):
    """The `values` are in time order, from the quarter-hour that begins at midnight."""

    day: dt.date
    estimated: bool
    values: list

    @property
    def total(self):
        return sum(self.values)


# -- The quarter-hours of a day ------------------------------------------------------------


@lru_cache(3)
def _clock(number):
    """What the clock shows in a day of `number` quarter-hours; see `clock`."""
    normal = [dt.time(n // 4, n % 4 * 15) for n in range(96)]
    if number == 92:
        return (*normal[:8], *normal[12:])
    if number == 100:
        again = [each.replace(fold=1) for each in normal[8:12]]
        return (*normal[:12], *again, *normal[12:])
    return tuple(normal)


def clock(day):
    """The times on the clock at which the quarter-hours of `day` begin.

    Clocks go from 2 to 3 in March, and from 3 back to 2 in October: the second time that
    they show 2 o'clock has `fold=1`.
    """
    return _clock(count(day))


def starts(day):
    """When the quarter-hours of `day` begin, as aware datetimes of Europe/Rome."""
    combine = dt.datetime.combine
    return [combine(day, time, ROME) for time in clock(day)]


# -- What is kept --------------------------------------------------------------------------

_between = Prepared(
    "supply quantity since until",
    lambda supply, quantity, since, until: (
        MeasuredDay.select(MeasuredDay.day, MeasuredDay.estimated, MeasuredDay.values)
        .where(
            MeasuredDay.supply == supply,
            MeasuredDay.quantity == quantity,
            MeasuredDay.day >= since,
            MeasuredDay.day <= until,
        )
        .order_by(MeasuredDay.day)
    ),
)


def _edge(order):
    """The first or the last day of a supply's measures."""
    return Prepared(
        "supply quantity since until",
        lambda supply, quantity, since, until: (
            MeasuredDay.select(MeasuredDay.day)
            .where(
                MeasuredDay.supply == supply,
                MeasuredDay.quantity == quantity,
                MeasuredDay.day >= since,
                MeasuredDay.day <= until,
            )
            .order_by(order)
            .limit(1)
        ),
    )


_first, _last = _edge(MeasuredDay.day), _edge(MeasuredDay.day.desc())


def _own(supply, quantity):
    """All of the present customer's measures of a supply."""
    return {"supply": supply.id, "quantity": quantity, **supplies.own_days(supply)}


def each_day(supply, since, until, quantity="active"):
    """The `Day`s from `since` to `until` that have measures, unpacked one by one.

    The archive is read at once, before the first day is given.
    """
    own = _own(supply, quantity)
    since, until = max(since, own["since"]), min(until, own["until"])
    rows = _between(**{**own, "since": since, "until": until})
    return (Day(day, estimated, unpack(values)) for day, estimated, values in rows)


def days(supply, since, until, quantity="active"):
    """Like `each_day`, as a list."""
    return list(each_day(supply, since, until, quantity))


def extent(supply, quantity="active"):
    """The first and the last day that have measures, or None without any."""
    own = _own(supply, quantity)
    first = _first.first(**own)
    return (first.day, _last.first(**own).day) if first else None


def last_day(supply, quantity="active"):
    """The last day that has measures, or None without any."""
    last = _last.first(**_own(supply, quantity))
    return last and last.day


def has(supply, quantity):
    """Whether the supply has measures of `quantity`."""
    return _first.first(**_own(supply, quantity)) is not None


def peak(day):
    """Of a `Day`: the greatest mean power of a quarter-hour in W, and when it began."""
    highest = max(day.values)
    began = clock(day.day)[day.values.index(highest)]
    return 4 * highest, dt.datetime.combine(day.day, began, ROME)
