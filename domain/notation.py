"""How days, instants, numbers and money are written in the language spoken now.

What a person reads is written like this; files and their reports like domain/italian.py.
Germans of South Tyrol count like Italians, the English the other way round; either begins a
date with the day, and the clock is that of Rome.
"""

from functools import lru_cache

from flask_babel import gettext as _
from flask_babel import ngettext

from domain import italian
from domain.clock import rome_day
from domain.italian import time
from domain.language import current

NAMES = (
    "day", "short_day", "moment", "decimal", "file_size", "kilo", "money", "seconds",
    "thousandths", "whole",
)  # fmt: skip
_ITALIAN_MARKS = str.maketrans(".,", ",.")


def span(delta):
    """How long, as one would say it: `20 minuti`, `1 ora e 5 minuti`, `3 giorni`."""
    minutes = max(int(delta.total_seconds()), 0) // 60
    if minutes < 1:
        return _("meno di un minuto")
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return _("%(count)s giorni", count=hours // 24)
    some_hours = ngettext("%(num)s ora", "%(num)s ore", hours)
    some_minutes = ngettext("%(num)s minuto", "%(num)s minuti", minutes)
    if hours and minutes:
        return _("%(hours)s e %(minutes)s", hours=some_hours, minutes=some_minutes)
    return some_hours if hours else some_minutes


def at(instant):
    """In a sentence: `23/11/2026 alle 10:15`."""
    return _("%(day)s alle %(time)s", day=day(rome_day(instant)), time=time(instant))


# -- German and English ----------------------------------------------------------------------


@lru_cache(10_000)
def _german_day(value):
    return f"{value.day:02d}.{value.month:02d}.{value.year:04d}" if value else ""


def _german_short_day(value):
    return f"{value:%d.%m.%y}"


def _german_moment(instant):
    return f"{_german_day(rome_day(instant))}, {time(instant)}"


def _english(write):
    return lambda value: write(value).translate(_ITALIAN_MARKS)


def _english_money(cents):
    amount = italian.money(abs(cents)).translate(_ITALIAN_MARKS)
    return f"{'-' if cents < 0 else ''}€{amount.removesuffix(chr(0xA0) + '€')}"


_ITALIAN = {name: getattr(italian, name) for name in NAMES} | {"span": span}
_NUMBERS = ("decimal", "file_size", "kilo", "seconds", "thousandths", "whole")
_WRITTEN = {
    "it": _ITALIAN,
    "de": _ITALIAN | {"day": _german_day, "short_day": _german_short_day, "moment": _german_moment},
    "en": _ITALIAN
    | {name: _english(_ITALIAN[name]) for name in _NUMBERS}
    | {"money": _english_money},
}


def of(language):
    """What writes in one language, by name."""
    return _WRITTEN[language]


def _spoken_now(name):
    def write(value):
        return _WRITTEN[current()][name](value)

    return write


day, short_day, moment = _spoken_now("day"), _spoken_now("short_day"), _spoken_now("moment")
decimal, kilo, money = _spoken_now("decimal"), _spoken_now("kilo"), _spoken_now("money")
file_size, seconds = _spoken_now("file_size"), _spoken_now("seconds")
thousandths, whole = _spoken_now("thousandths"), _spoken_now("whole")
