"""«Prelievi Fatturati»: years and months as chart or table, the periods, the downloads."""

import datetime as dt
from functools import partial
from typing import NamedTuple

from flask import Blueprint, abort
from flask_babel import format_date
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import login_required

from domain import consumption, italian
from views import files
from views.bars import SHORT, BarChart
from views.frame import listed_supply
from views.htmx import page_or_partial, wants_partial
from views.paging import TableState, number

bp = Blueprint("consumption", __name__, url_prefix="/forniture/<supply_code>/prelievi")

FRAME = {"page": "prelievi", "title": _l("Prelievi Fatturati")}
DRAWN = 15  # years at most in the chart; the table has them all


def init_app(app):
    app.register_blueprint(bp)
    app.jinja_env.filters["thousandths"] = italian.thousandths


@bp.get("")
@login_required
def index(supply_code):
    supply = listed_supply(supply_code)
    periods = consumption.periods(supply) if supply else []
    return page_or_partial(
        "consumption/index.html",
        "consumption/_consumption.html",
        **FRAME,
        supply=supply,
        kind_names=consumption.kind_names(),
        **overview(supply, supply_code, periods),
        **({} if wants_partial() else list_of(supply_code, periods, args={})),
    )


def overview(supply, supply_code, periods):
    """What _consumption.html needs."""
    months = consumption.by_month(periods)
    years = consumption.by_year(months)
    choice = chosen(supply_code, years)
    shown = months_shown(months, choice) if choice.filters["anno"] else years_shown(years, choice)
    return {
        "choice": choice,
        "years": sorted(years, reverse=True),
        "shown": shown,
        "span": consumption.span(periods),
        "kinds_in_words": kinds_in_words,
        "change": change,
        **charts(shown, supply),
    }


def chosen(supply_code, years):
    """What the address asks for: a year, another to compare it with, chart or table."""

    def known(text):
        year = number(text, None)
        return year if year in years else None

    choice = TableState(
        f"/forniture/{supply_code}/prelievi",
        ("",),  # nothing to sort
        filters={
            "anno": known,
            "con": known,
            "vista": lambda text: "tabella" if text == "tabella" else None,
        },
    )
    if choice.filters["con"] == choice.filters["anno"] or not choice.filters["anno"]:
        choice.filters["con"] = None
    return choice


# -- Years, and the months of one or two of them ---------------------------------------------


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
        bands = (*consumption.BANDS, consumption.REST)
        return [band for band in bands if any(total.of_band(band) for total in self.totals)]


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
        for band in (*consumption.BANDS, consumption.REST)
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
    return f"{'+' if amount > 0 else ''}{italian.thousandths(amount)}"


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
    bands = (*consumption.BANDS, consumption.REST)
    parts = [
        (used.parts[kind, band], band, kind)
        for kind in used.kinds
        for band in bands
        if (kind, band) in used.parts
    ]
    amounts = [f"{italian.thousandths(used.total)} {unit}"]
    if used.has_bands:
        amounts += [
            f"{band.upper()} {italian.thousandths(used.of_band(band))}"
            for band in consumption.BANDS
        ]
    return f"{name}: {', '.join(amounts)} ({kinds_in_words(used, kind_names)})", parts


def power_bar(used, name):
    if used.power_w is None:
        return None
    return f"{name}: {italian.thousandths(used.power_w)} kW", [(used.power_w, "power", "actual")]


def kinds_in_words(used, kind_names):
    return ", ".join(kind_names[kind] for kind in used.kinds)


# -- The periods as billed -------------------------------------------------------------------


@bp.get("/periodi")
@login_required
def billed_periods(supply_code):
    supply = listed_supply(supply_code)
    periods = consumption.periods(supply) if supply else []
    return page_or_partial(
        "consumption/periods.html",
        "consumption/_periods.html",
        **FRAME,
        supply=supply,
        kind_names=consumption.kind_names(),
        **list_of(supply_code, periods),
    )


def list_of(supply_code, periods, **options):
    """What _periods.html needs."""
    path = f"/forniture/{supply_code}/prelievi/periodi"
    table = TableState(path, consumption.SORTS, rows=10, **options)
    table.page = min(table.page, table.pages(len(periods)))
    rows = consumption.ordered(periods, table.sort)[table.offset : table.offset + table.rows]
    return {
        "table": table,
        "total": len(periods),
        "rows": rows,
        "with_bands": any(row.f1 is not None or row.f2 is not None or row.f3 is not None
                          for row in periods),
    }  # fmt: skip


@bp.get("/csv")
@login_required
def as_csv(supply_code):
    return download(supply_code, "csv")


@bp.get("/xlsx")
@login_required
def as_xlsx(supply_code):
    return download(supply_code, "xlsx")


def download(supply_code, kind):
    """All periods of the supply as a file of `kind`."""
    supply = listed_supply(supply_code) or abort(404)
    table = consumption.sheet(supply, consumption.periods(supply))
    name = f"prelievi_{supply.code}.{kind}"
    if kind == "csv":
        response = files.send_excel_csv(name, *table)
    else:
        response = files.send_workbook(name, _("Prelievi"), *table)
    details = {"customer": supply.customer, "supply": supply.id, "format": kind}
    return files.noted(response, "consumption_downloaded", **details)
