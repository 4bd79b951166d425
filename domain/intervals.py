"""Which days of interval measures are shown together, and what they add up to."""

import calendar
import datetime as dt
from operator import attrgetter
from typing import NamedTuple

from flask_babel import gettext as _

from domain import bands, measures
from domain.errors import Refused

LONGEST = 366  # days at once on a page; a file has no limit
DAY = dt.timedelta(days=1)
SORTED_BY = {"giorno": "day", "totale": "total", "f1": "f1", "f2": "f2", "f3": "f3",
             "picco": "peak", "tipo": "estimated"}  # fmt: skip


class Interval(NamedTuple):
    """From one day to another, both included."""

    since: dt.date
    until: dt.date

    @property
    def days(self):
        return (self.until - self.since).days + 1


# -- Which days ----------------------------------------------------------------------------


def asked(since, until, extent):
    """The interval between two days, or Refused where the second comes before the first.

    Either may be None. Without the first it is a month, without the second it reaches to
    the last day that has measures. `extent` is the Interval of those days.
    """
    until = until or max(extent.until, since or extent.until)
    since = since or months_before(until, 1)
    if until < since:
        raise Refused(_("La data «Al» viene prima della data «Dal»: cambiarne una."))
    return Interval(since, until)


def shown(interval, extent):
    """The part of `interval` that has measures, at most the last year of it."""
    since, until = max(interval.since, extent.since), min(interval.until, extent.until)
    if until < since:
        since, until = interval
    return Interval(max(since, until - (LONGEST - 1) * DAY), until)


def months_before(until, number):
    """The first day of the `number` months that end with `until`."""
    year, month = divmod(until.year * 12 + until.month - 1 - number, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return dt.date(year, month + 1, min(until.day, last)) + DAY


def shortcuts(extent, today):
    """(name, Interval) of the usual ones. Yesterday is what it says; the others end with the
    last day that has measures, since the distributor sends them days or weeks later."""
    last, yesterday = extent.until, today - DAY
    found = [("yesterday", Interval(yesterday, yesterday))]
    if last != yesterday:
        found.append(("last_day", Interval(last, last)))
    return [
        *found,
        ("week", Interval(last - 6 * DAY, last)),
        ("month", Interval(months_before(last, 1), last)),
        ("year", Interval(months_before(last, 12), last)),
    ]


def neighbours(interval, extent):
    """The intervals of the same length before and after; None where no measures are there.

    From beyond the measures a step leads to the nearest of them.
    """
    more = (interval.days - 1) * DAY
    last = min(interval.since - DAY, extent.until)
    first = max(interval.until + DAY, extent.since)
    before, after = Interval(last - more, last), Interval(first, first + more)
    return (
        before if interval.since > extent.since else None,
        after if interval.until < extent.until else None,
    )


def years(extent):
    """The years that have measures, the latest first."""
    return range(extent.until.year, extent.since.year - 1, -1)


# -- What they add up to -------------------------------------------------------------------


class Line(NamedTuple):
    """A day: energy in Wh, in all and by band; `peak`, the greatest mean power of a
    quarter-hour in W, and when it began."""

    day: dt.date
    total: int
    f1: int
    f2: int
    f3: int
    peak: int
    peak_at: dt.datetime
    estimated: bool


class Totals(NamedTuple):
    """Of an interval: energy in Wh, the line with the highest peak, and numbers of days."""

    energy: int
    bands: tuple
    highest: Line
    estimated: int
    missing: int


def lines(days):
    """A Line for each `measures.Day`."""
    result = []
    for day in days:
        by_band = bands.totals(day.day, day.values)
        result.append(
            Line(day.day, sum(by_band), *by_band, *measures.peak(day), bool(day.estimated))
        )
    return result


def arranged(lines, sort):
    """`lines` in the order `sort`, a key of SORTED_BY, with `-` turned round."""
    key = attrgetter(SORTED_BY[sort.removeprefix("-")])
    return sorted(lines, key=key, reverse=sort.startswith("-"))


def totals(lines, interval):
    """What the `lines` of `interval` add up to; there must be one."""
    by_band = tuple(sum(values) for values in zip(*(line[2:5] for line in lines), strict=True))
    return Totals(
        energy=sum(by_band),
        bands=by_band,
        highest=max(lines, key=attrgetter("peak")),
        estimated=sum(line.estimated for line in lines),
        missing=interval.days - len(lines),
    )
