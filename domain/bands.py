"""The time bands of electricity: F1 peak hours, F2 in between, F3 nights and holidays.

ARERA (then AEEG), deliberation of 2 August 2006, no. 181/06, as amended: F1 Monday to Friday
from 8 to 19; F2 Monday to Friday from 7 to 8 and from 19 to 23, Saturday from 7 to 23; F3
Monday to Saturday from 23 to 7, Sundays and holidays all day. Hours are those on the clock.
"""

import datetime as dt
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from dateutil.easter import easter

from domain.measures import clock

F1, F2, F3 = range(3)
NAMES = ("F1", "F2", "F3")

# The deliberation lists them one by one. A national holiday that the law adds, such as
# 4 October from 2026 (law 151/2025), is no holiday of the bands until ARERA's list has it.
HOLIDAYS = {
    (1, 1), (1, 6), (4, 25), (5, 1), (6, 2), (8, 15), (11, 1), (12, 8), (12, 25), (12, 26),
}  # fmt: skip


def is_holiday(day):
    """Whether `day` is one of the HOLIDAYS or the Monday after Easter."""
    return (day.month, day.day) in HOLIDAYS or day == easter(day.year) + dt.timedelta(days=1)


def _band(weekday, hour):
    """The band of an hour; `weekday` from 0 (Monday) to 6 (Sunday, and every holiday)."""
    if weekday < 5 and 8 <= hour < 19:
        return F1
    return F2 if weekday < 6 and 7 <= hour < 23 else F3


class Pattern(NamedTuple):
    """The band of each quarter-hour, and where (band, from, to) it stays the same."""

    bands: tuple
    runs: tuple


@lru_cache(21)  # 7 weekdays × 3 lengths
def _pattern(weekday, times):
    bands = tuple(_band(weekday, time.hour) for time in times)
    runs, end = [], 0
    for band, same in groupby(bands):
        begin, end = end, end + len(tuple(same))
        runs.append((band, begin, end))
    return Pattern(bands, tuple(runs))


@lru_cache(10_000)
def _pattern_of(day):
    return _pattern(6 if is_holiday(day) else day.weekday(), clock(day))


def of(day):
    """F1, F2 or F3 for each quarter-hour of `day`."""
    return _pattern_of(day).bands


def totals(day, values):
    """(F1, F2, F3): how much of the `values` of `day` each band has."""
    sums = [0, 0, 0]
    for band, begin, end in _pattern_of(day).runs:
        sums[band] += sum(values[begin:end])
    return tuple(sums)
