"""Instants are UTC; days and reading windows are those of Europe/Rome."""

import datetime as dt
from zoneinfo import ZoneInfo

ROME = ZoneInfo("Europe/Rome")


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
