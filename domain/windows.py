"""Reading windows: when self-readings may be entered, by the clock of Europe/Rome."""

import datetime as dt

from flask_babel import gettext as _
from peewee import fn

from domain import italian, notation
from domain.clock import ROME, rome_day, rome_instant
from models import Prepared, ReadingWindow

MINUTE = dt.timedelta(minutes=1)


def bounds(from_day, from_time, to_day, to_time):
    """(opens_at, closes_at) of a window given as «Dal», «A partire dalle ore», «Al», «Fino
    alle ore».

    The last minute belongs to the window, so it closes when that minute ends. In the hour
    that comes twice in October a window opens the first time and closes the second: on the
    customer's clock it is never shut between its two ends.
    """
    closes = dt.datetime.combine(to_day, to_time, tzinfo=ROME)
    latest = max(closes.replace(fold=fold).astimezone(dt.UTC) for fold in (0, 1))
    return rome_instant(from_day, from_time), latest + MINUTE


def key(from_day, from_time, to_day, to_time, whose=None):
    """The key of a window that has no id: all columns of its row; `whose` is a supply's code or
    a distributor's VAT number, None for all gas supplies.
    """
    return f"{from_day} {from_time:%H:%M} {to_day} {to_time:%H:%M} {whose or '-'}"


def for_supply(supply, distributor_vat):
    """The condition that a window concerns a gas supply: its own, its distributor's, or all."""
    return (ReadingWindow.supply == supply) | (
        ReadingWindow.supply.is_null()
        & (
            ReadingWindow.distributor_vat.is_null()
            | (ReadingWindow.distributor_vat == distributor_vat)
        )
    )


_coming = Prepared(
    "supply distributor now limit offset",
    lambda supply, distributor, now, limit, offset: (
        ReadingWindow.select(
            ReadingWindow.id,
            ReadingWindow.opens_at,
            ReadingWindow.closes_at,
            fn.COUNT(ReadingWindow.id).over().alias("total"),
        )
        .where(for_supply(supply, distributor), ReadingWindow.closes_at > now)
        .order_by(ReadingWindow.opens_at, ReadingWindow.closes_at, ReadingWindow.id)
        .limit(limit)
        .offset(offset)
    ),
)


def coming(supply, *, now, limit=1, offset=0):
    """Windows of `supply` that are open or still to come, the earliest first.

    Rows have `id`, `opens_at`, `closes_at` and `total`, the number of such windows.
    """
    return _coming(
        supply=supply.id,
        distributor=supply.distributor_vat or "",
        now=now,
        limit=limit,
        offset=offset,
    )


def first_coming(supply, *, now):
    """The window of `supply` that is open or comes next, or None."""
    return next(iter(coming(supply, now=now)), None)


def is_open(window, *, now):
    return window.opens_at <= now < window.closes_at


def refusal(window, *, now):
    """None while `window`, the first one coming, is open; else why a reading must wait."""
    if window is None:
        return _(
            "In questo momento non è possibile inserire autoletture e il prossimo periodo non è "
            "ancora stato stabilito: sarà pubblicato in questa pagina."
        )
    if is_open(window, now=now):
        return None
    return _(
        "In questo momento non è possibile inserire autoletture. Il prossimo periodo va %(span)s.",
        span=span(window),
    )


def span(window):
    """`dal 01/12/2026 alle ore 08:00 al 05/12/2026 alle ore 23:59`"""
    from_day, from_time, to_day, to_time = shown(window)
    return _(
        "dal %(from_day)s alle ore %(from_time)s al %(to_day)s alle ore %(to_time)s",
        from_day=from_day,
        from_time=from_time,
        to_day=to_day,
        to_time=to_time,
    )


def ends(window):
    """The first day and hour, the last day and hour of a window: what `bounds` was given."""
    first, last = window.opens_at.astimezone(ROME), (window.closes_at - MINUTE).astimezone(ROME)
    return first.date(), first.time(), last.date(), last.time()


def shown(window):
    """The four columns of a window as the customer reads them, the last minute included."""
    ends = (window.opens_at, window.closes_at - MINUTE)
    return tuple(part for end in ends for part in (notation.day(rome_day(end)), italian.time(end)))
