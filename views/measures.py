"""«Misure elettriche»: days and quarter-hours of an interval, their totals, their curve."""

import datetime as dt
import json

from flask import Blueprint, abort, current_app, render_template, request
from flask_login import login_required

from domain import intervals, measures
from domain.clock import rome_day, rome_instant, utcnow
from domain.errors import Refused
from domain.intervals import Interval
from domain.notation import day, kilo
from forms import IntervalForm
from views.frame import listed_supply, own_supplies
from views.htmx import page_or_partial
from views.paging import TableState

bp = Blueprint("measures", __name__, url_prefix="/forniture/<supply_code>/misure")

SORTS = ("-giorno", "totale", "f1", "f2", "f3", "picco", "tipo")
ROWS = 50  # a month at once
QUANTITIES = {"attiva": "active", "reattiva": "reactive"}


def init_app(app):
    app.register_blueprint(bp)


@bp.get("")
@login_required
def index(supply_code):
    supply = listed_supply(supply_code)
    if supply is None or supply.service != "EE":
        return no_electricity(supply)
    chosen = Chosen(supply)
    status = 200 if chosen.interval or not chosen.extent else 422
    table = chosen.table(f"/forniture/{supply_code}/misure")
    response = page_or_partial(
        "measures/index.html",
        "measures/_measures.html",
        supply=supply,
        page="misure",
        chosen=chosen,
        table=table,
        links=links(chosen, table),
        **(daily(supply, chosen, table) if chosen.interval else {}),
    )
    response.status_code = status
    return response


class Chosen:
    """What the address asks for: quantity and interval, as far as they can be shown.

    `extent` are the days that have measures, or None. `interval` is what was asked for, None
    where `form` says what is wrong with it; `shown` is the part of it that a page has.
    """

    def __init__(self, supply):
        self.form = IntervalForm(request.args)
        self.has_reactive = measures.has(supply, "reactive")
        wanted = request.args.get("quantita")
        self.name = wanted if self.has_reactive and wanted in QUANTITIES else "attiva"
        self.quantity = QUANTITIES[self.name]
        extent = measures.extent(supply, self.quantity)
        self.extent = extent and Interval(*extent)
        self.interval = self.extent and self._interval()
        self.shown = self.interval and intervals.shown(self.interval, self.extent)

    def _interval(self):
        form = self.form
        if not form.validate():
            return None
        try:
            return intervals.asked(form.since.data, form.until.data, self.extent)
        except Refused as refusal:
            form.until.errors.append(str(refusal))
            return None

    def table(self, path):
        """The daily table; its addresses keep what was asked for."""
        table = TableState(path, SORTS, rows=ROWS)
        table.filters = {
            "dal": self.form.since.data,
            "al": self.form.until.data,
            "quantita": self.name if self.quantity != "active" else None,
        }
        return table

    @property
    def is_cut(self):
        """Whether measures were asked for that the page does not show."""
        return self.shown.since > max(self.interval.since, self.extent.since)


def no_electricity(supply):
    """The page of a gas supply: where measures can be seen instead."""
    electricity = [each for each in own_supplies() if each.service == "EE"]
    return render_template(
        "measures/no_electricity.html", supply=supply, page="misure", electricity=electricity
    )


def daily(supply, chosen, table):
    """The daily table of the interval and what it adds up to."""
    lines = intervals.lines(measures.days(supply, *chosen.shown, chosen.quantity))
    if not lines:
        return {"totals": None}
    table.stay_within(len(lines))
    rows = intervals.arranged(lines, table.sort)[table.offset : table.offset + table.rows]
    return {
        "total": len(lines),
        "totals": intervals.totals(lines, chosen.shown),
        "years": intervals.years(chosen.extent),
        "rows": [written(line) for line in rows],
    }


def written(line):
    """A day as the table writes it: a tuple of text, since templates unpack it fastest."""
    hours = measures.count(line.day) // 4
    return (
        day(line.day),
        hours if hours != 24 else None,
        kilo(line.total),
        kilo(line.f1),
        kilo(line.f2),
        kilo(line.f3),
        kilo(line.peak),
        f"{line.peak_at.hour:02d}:{line.peak_at.minute:02d}",
        line.estimated,
    )


def links(chosen, table):
    """Addresses of the intervals that are a step away: (name, address, whether it was asked for)
    of the usual ones, and those before and after."""
    if not chosen.extent:
        return {}
    base = table.href(dal=None, al=None, pag=1)
    base += "&" if "?" in base else "?"

    def address(interval):
        return interval and f"{base}dal={interval.since}&al={interval.until}"

    usual = intervals.shortcuts(chosen.extent, rome_day(utcnow()))
    around = intervals.neighbours(chosen.shown, chosen.extent) if chosen.shown else (None, None)
    return {
        "usual": [(name, address(each), each == chosen.interval) for name, each in usual],
        "before": address(around[0]),
        "after": address(around[1]),
    }


@bp.get("/curva")
@login_required
def curve(supply_code):
    """The quarter-hours of an interval: for each day when it begins (seconds since 1970),
    whether it is estimated (1), and its Wh or varh."""
    supply = listed_supply(supply_code)
    if supply is None or supply.service != "EE":
        abort(404)
    chosen = Chosen(supply)
    if chosen.interval is None:
        abort(404)
    found = measures.each_day(supply, *chosen.shown, chosen.quantity)
    days = [
        (int(rome_instant(each.day, dt.time()).timestamp()), int(each.estimated), each.values)
        for each in found
    ]
    content = json.dumps(days, separators=(",", ":"))
    return current_app.response_class(content, mimetype="application/json")
