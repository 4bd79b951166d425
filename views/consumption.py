"""«Prelievi Fatturati»: years and months as chart or table, the periods, the downloads."""

from flask import Blueprint, abort
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import login_required

from domain import consumption
from views import files
from views.consumption_lines import change, charts, kinds_in_words, months_shown, years_shown
from views.frame import listed_supply
from views.htmx import page_or_partial, wants_partial
from views.paging import TableState, number

bp = Blueprint("consumption", __name__, url_prefix="/forniture/<supply_code>/prelievi")

FRAME = {"page": "prelievi", "title": _l("Prelievi Fatturati")}


def init_app(app):
    app.register_blueprint(bp)


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
    table.stay_within(len(periods))
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
    label = {"csv": "CSV per Excel", "xlsx": "XLSX"}[kind]  # as the link says
    details = {"customer": supply.customer, "supply": supply.id, "format": label}
    return files.noted(response, "consumption_downloaded", **details)
