"""Instants are UTC; days and reading windows are those of Europe/Rome."""

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo

ROME = ZoneInfo("Europe/Rome")
QUARTER_HOUR = dt.timedelta(minutes=15)


def utcnow():
    """Now, aware, without what a database would not keep."""
    return dt.datetime.now(dt.UTC)


def rome_day(instant):
    """The calendar day in Italy at `instant`."""
    return instant.astimezone(ROME).date()


def rome_instant(day, time):
    """The instant of a wall-clock time in Italy, in UTC.

    In the hour that happens twice it is the first; in the hour that does not happen it is
    as many minutes after the change.
    """
    return dt.datetime.combine(day, time, tzinfo=ROME).astimezone(dt.UTC)


def during_days(column, since, until):
    """The conditions that the instant in `column` is on the days from `since` to `until` in Italy.

    Both are days; None sets no bound.
    """
    if since:
        yield column >= rome_instant(since, dt.time())
    if until:
        yield column < rome_instant(until + dt.timedelta(days=1), dt.time())


@lru_cache(10_000)
def quarter_hours(day):
    """How many quarter-hours `day` has in Italy."""
    first, last = (rome_instant(each, dt.time()) for each in (day, day + dt.timedelta(days=1)))
    return (last - first) // QUARTER_HOUR
