"""«Misure elettriche»: the quarter-hours of any interval as a file."""

from flask import Blueprint, abort, flash, redirect, request
from flask_babel import gettext as _
from flask_login import login_required

from domain import intervals, measure_files, measures
from domain.errors import Refused
from domain.intervals import Interval
from forms import IntervalForm
from views import files
from views.frame import listed_supply
from views.measures import QUANTITIES

bp = Blueprint("measure_files", __name__, url_prefix="/forniture/<supply_code>/misure")


def init_app(app):
    app.register_blueprint(bp)


@bp.get("/scarica")
@login_required
def download(supply_code):
    """All there is where no day is given. A slip leads back to the page, which says so."""
    supply = listed_supply(supply_code)
    label, make = FORMATS.get(request.args.get("formato", "csv")) or abort(404)
    quantity = QUANTITIES.get(request.args.get("quantita", "attiva")) or abort(404)
    try:
        since, until = interval(supply, quantity)
    except Refused as refusal:
        flash(str(refusal), "warning")
        return redirect(f"/forniture/{supply_code}/misure", 303)
    days = measures.each_day(supply, since, until, quantity)
    name = f"misure_{supply.code}_{since}_{until}"
    return files.noted(
        make(supply, quantity, days, name),
        "measures_downloaded",
        customer=supply.customer,
        supply=supply.id,
        since=since.isoformat(),
        until=until.isoformat(),
        format=label,
    )


def interval(supply, quantity):
    """The part of what the address asks for that has measures, or Refused."""
    extent = supply and measures.extent(supply, quantity)
    if not extent:
        raise Refused(_("Per questa fornitura non ci sono misure da scaricare."))
    form = IntervalForm(request.args)
    if not form.validate():
        raise Refused(" ".join(error for errors in form.errors.values() for error in errors))
    since, until = form.since.data or extent[0], form.until.data or extent[1]
    asked = intervals.asked(since, until, Interval(*extent))
    since, until = max(asked.since, extent[0]), min(asked.until, extent[1])
    if until < since:
        raise Refused(_("Nei giorni scelti non ci sono misure: sceglierne altri."))
    return since, until


def for_excel(supply, quantity, days, name):
    return files.send_excel_csv(f"{name}_excel.csv", *measure_files.sheet(quantity, days))


def for_programs(supply, quantity, days, name):
    chunks = measure_files.csv(supply.pod, quantity, days)
    return files.send_made(chunks, f"{name}.csv", "text/csv")


def workbook(supply, quantity, days, name):
    return files.send_workbook(f"{name}.xlsx", _("Misure"), *measure_files.sheet(quantity, days))


# By their name in the address: what «Storico» calls them, and what makes them.
FORMATS = {
    "excel": ("CSV per Excel", for_excel),
    "csv": ("CSV", for_programs),
    "xlsx": ("XLSX", workbook),
}
