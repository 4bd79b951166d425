"""By which day a ticket must be answered."""

import datetime as dt

from domain.clock import rome_day


def of(settings):
    """{category: calendar days within which it must be answered}."""
    return {"complaint": settings["COMPLAINT_DAYS"], "billing": settings["BILLING_CORRECTION_DAYS"]}


def due_on(category, *, deadlines, now):
    """The last day for an answer, or None where no rule sets one.

    `deadlines` is {category: calendar days}. They are counted from the day after the opening,
    in Italy (TIQV, annex A to ARERA's 413/2016/R/com, articles 4 and 5: calendar days from
    the one on which the request was received).
    """
    days = deadlines.get(category)
    return rome_day(now) + dt.timedelta(days=days) if days else None
