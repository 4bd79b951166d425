"""On which days reading windows are, by the rules that operators ask for; no database."""

import calendar
import datetime as dt
from typing import NamedTuple

from flask_babel import gettext as _

from domain.errors import Refused

MOST_MONTHS = 36  # at once


class Hours(NamedTuple):
    """«A partire dalle ore», «Fino alle ore»; the last minute belongs to the window."""

    opening: dt.time
    closing: dt.time


def months(first, last):
    """The first days of the months from that of `first` to that of `last`."""
    if last < first:
        raise Refused(_("L'ultimo mese viene prima del primo: controllarli."))
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    if count > MOST_MONTHS:
        raise Refused(_("Al massimo %(most)s mesi alla volta.", most=MOST_MONTHS))
    return [month_after(first, number) for number in range(count)]


def month_after(day, number):
    """The first day of the month that comes `number` months after that of `day`."""
    year, month = divmod(day.year * 12 + day.month - 1 + number, 12)
    return dt.date(year, month + 1, 1)


def day_of(month, number):
    """The day `number` of a month, or its last one where it is shorter."""
    return month.replace(day=min(number, calendar.monthrange(month.year, month.month)[1]))


def last_days(count, months):
    """[(first day, last day)]: the last `count` days of each month."""
    ends = [day_of(month, 31) for month in months]
    return [(end - dt.timedelta(days=count - 1), end) for end in ends]


def days_of_month(first, last, months):
    """[(first day, last day)]: from one day of each month to another; to one of the next month,
    where that has the smaller number.
    """
    return [
        (day_of(month, first), day_of(month if first <= last else month_after(month, 1), last))
        for month in months
    ]
