"""The quarter-hours of a supply as files: tables for people, and a CSV for programs.

The `days` are those of `domain.measures`, one after the other; files are made as they go, so
that many years take no more memory than a day.
"""

import datetime as dt
from decimal import Decimal

from flask_babel import gettext as _

from domain import bands
from domain.clock import ROME
from domain.formats.sheets import Column
from domain.measures import clock, count, starts

UNITS = {"active": "Wh", "reactive": "varh"}
NAMES = {"active": "attiva", "reactive": "reattiva"}
COLUMNS = ("inizio", "pod", "grandezza", "valore", "unita", "tipo")
THOUSANDTH = Decimal("0.001")


# -- For people ----------------------------------------------------------------------------


def sheet(quantity, days):
    """(columns, rows) of a table with a row for each quarter-hour, for `formats.sheets`."""
    unit = f"k{UNITS[quantity]}"
    columns = [
        Column(_("Data")),
        Column(_("Ora (dalle)")),
        # The hour that comes twice in October is told apart by this.
        Column(_("Orario")),
        Column(unit, places=3),
        Column(_("Fascia")),
        Column(_("Tipo")),
    ]
    offsets, kinds = (_("solare"), _("legale")), (_("effettiva"), _("stimata"))
    rows = (
        (day, time, offsets[summer], value * THOUSANDTH, bands.NAMES[band], kinds[estimated])
        for day, estimated, values in days
        for time, summer, value, band in zip(
            clock(day), _summer(day), values, bands.of(day), strict=True
        )
    )
    return columns, rows


def _summer(day):
    """For each quarter-hour whether summer time is in force."""
    return [bool(start.dst()) for start in starts(day)]


# -- For programs --------------------------------------------------------------------------


def csv(pod, quantity, days):
    """Bytes of a CSV with commas and CRLF: a line for each quarter-hour, a chunk for each day.

    `inizio` is ISO 8601 with the offset of that moment, `valore` is in whole `unita`, `tipo`
    is `E` (actual) or `S` (estimated). What follows the date is the same on most days, so it
    is written once for them all.
    """
    yield f"{','.join(COLUMNS)}\r\n".encode()
    patterns = {}
    for day, estimated, values in days:
        midnight = dt.datetime.combine(day, dt.time(), ROME)
        like = count(day), midnight.utcoffset(), estimated
        if like not in patterns:
            patterns[like] = ["", *_after_the_date(day, pod, quantity, estimated)]
        text = day.isoformat().join(patterns[like])
        yield (text % tuple(values)).encode()


def _after_the_date(day, pod, quantity, estimated):
    """The lines of `day` without its date, `%d` where the value goes."""
    pod = _quoted(pod).replace("%", "%%")
    kind = "S" if estimated else "E"
    for start in starts(day):
        time = start.isoformat().removeprefix(day.isoformat())
        yield f"{time},{pod},{NAMES[quantity]},%d,{UNITS[quantity]},{kind}\r\n"


def _quoted(text):
    """A cell of a CSV: a POD of odd shape may hold a comma."""
    return '"{}"'.format(text.replace('"', '""')) if set(text) & {",", '"'} else text
