"""Years of billed consumption, or the months of one or two, as lines of a table and as bars."""

import datetime as dt
from functools import partial
from typing import NamedTuple

from flask_babel import format_date
from flask_babel import gettext as _

from domain import consumption, notation
from views.bars import SHORT, BarChart

DRAWN = 15  # years at most in the chart; the table has them all


class Line(NamedTuple):
    """A year or a month; `used` has one `Used`, or None, for each column."""

    label: str
    short: str
    href: str | None
    used: list


class Shown(NamedTuple):
    """`columns` are the years side by side, `faded` the one that is only compared with.

    `compared` is (names of the months, [(band or "total", before, after)]), or None.
    """

    lines: list
    columns: list
    totals: list
    faded: int | None = None
    compared: tuple | None = None

    @property
    def has_bands(self):
        return any(total.has_bands for total in self.totals)

    @property
    def bands(self):
        """Those with something in them; for gas the one that stands for all."""
        return [
            band
            for band in consumption.ALL_BANDS
            if any(total.of_band(band) for total in self.totals)
        ]


def years_shown(years, choice):
    lines = [
        Line(str(year), str(year), choice.href(anno=year), [used]) for year, used in years.items()
    ]
    return Shown(lines, [None], [consumption.total_of(years.values())])


def months_shown(months, choice):
    year, other = choice.filters["anno"], choice.filters["con"]
    columns = sorted({year, other} - {None})
    lines = []
    for month in range(1, 13):
        used = [months.get((column, month)) for column in columns]
        if any(used):
            first = dt.date(year, month, 1)
            names = format_date(first, "LLLL"), format_date(first, "LLL")
            lines.append(Line(*names, None, used))
    totals = [
        consumption.total_of(used for (of, _month), used in months.items() if of == column)
        for column in columns
    ]
    return Shown(lines, columns, totals, other, other and compared(months, columns))


def compared(months, columns):
    """What two years have in the months that both have, for `Shown.compared`."""
    common = consumption.comparable(months, columns)
    if not common:
        return None
    names = [format_date(dt.date(columns[0], month, 1), "LLLL") for month in common]
    if len(names) > 2 and common[-1] - common[0] == len(common) - 1:
        names = [_("da %(first)s a %(last)s", first=names[0], last=names[-1])]
    before, after = (
        consumption.total_of(months[column, month] for month in common) for column in columns
    )
    rows = [
        (band, before.of_band(band), after.of_band(band))
        for band in consumption.ALL_BANDS
        if before.has_bands or after.has_bands
        if before.of_band(band) or after.of_band(band)
    ]
    return ", ".join(names), [*rows, ("total", before.total, after.total)]


def change(before, after):
    """`+120 (+4 %)`; without the percentage where there is nothing to compare with."""
    text = signed(after - before)
    if before > 0:
        text += f" ({signed(round((after - before) * 100 / before) * 1000)}\N{NO-BREAK SPACE}%)"
    return text


def signed(amount):
    return f"{'+' if amount > 0 else ''}{notation.thousandths(amount)}"


# -- The charts ------------------------------------------------------------------------------


def charts(shown, supply):
    """The bars of energy and of power; None where there is nothing to draw."""
    lines = shown.lines[-DRAWN:]
    if not lines:
        return {"energy": None, "power": None}
    unit = "kWh" if supply.service == "EE" else "Smc"
    energy_of = partial(energy_bar, unit=unit, kind_names=consumption.kind_names())
    energy = [(line.short, bars(line, shown, energy_of)) for line in lines]
    power = [(line.short, bars(line, shown, power_bar)) for line in lines]
    some_power = any(bar for _label, group in power for bar in group)
    return {"energy": BarChart(energy), "power": BarChart(power, SHORT) if some_power else None}


def bars(line, shown, bar):
    result = []
    for used, column in zip(line.used, shown.columns, strict=True):
        name = f"{line.label} {column}" if column else line.label
        made = bar(used, name) if used else None
        result.append(made and (made[0], column is not None and column == shown.faded, made[1]))
    return result


def energy_bar(used, name, *, unit, kind_names):
    """(title, parts): kinds one above the other, in each of them the bands."""
    parts = [
        (used.parts[kind, band], band, kind)
        for kind in used.kinds
        for band in consumption.ALL_BANDS
        if (kind, band) in used.parts
    ]
    amounts = [f"{notation.thousandths(used.total)} {unit}"]
    if used.has_bands:
        amounts += [
            f"{band.upper()} {notation.thousandths(used.of_band(band))}"
            for band in consumption.BANDS
        ]
    return f"{name}: {', '.join(amounts)} ({kinds_in_words(used, kind_names)})", parts


def power_bar(used, name):
    if used.power_w is None:
        return None
    return f"{name}: {notation.thousandths(used.power_w)} kW", [(used.power_w, "power", "actual")]


def kinds_in_words(used, kind_names):
    return ", ".join(kind_names[kind] for kind in used.kinds)
