"""Autolettura Contatore: the list, the windows, a new reading, its cancellation."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user, login_required

from domain import notation, readings, supplies, windows
from domain.clock import rome_day, utcnow
from domain.errors import Refused
from forms import ReadingForm
from models import SelfReading, SupplyPoint
from views.access import owned_or_404
from views.charts import ReadingsChart
from views.frame import chosen_supply, own_supplies
from views.htmx import page_or_partial, wants_partial
from views.paging import TableState, last_page

bp = Blueprint("readings", __name__)

FRAME = {"page": "autolettura", "title": _l("Autolettura Contatore")}
REFRESH_SECONDS = 20  # how often the list looks whether a pending reading was acquired


def init_app(app):
    app.register_blueprint(bp)


@bp.get("/forniture/<supply_code>/autolettura")
@login_required
def index(supply_code):
    supply = chosen_supply(supply_code)
    if supply is None or not supply.is_gas:
        return no_gas(supply)
    table = TableState(url_for(".index", supply_code=supply.code), readings.SORTS)
    rows = readings.page(supply, sort=table.sort, limit=table.rows, offset=table.offset)
    if not rows and table.page > 1:
        return last_page(table, readings.page(supply, sort=table.sort, limit=1, offset=0))
    return page_or_partial(
        "readings/index.html",
        "readings/_readings.html",
        **FRAME,
        supply=supply,
        table=table,
        rows=rows,
        refresh_seconds=REFRESH_SECONDS,
        **({} if wants_partial() else around_the_list(supply)),
    )


def around_the_list(supply):
    """What the page shows beside its list."""
    now = utcnow()
    windows_table = table_of_windows(supply, args={})
    coming = windows.coming(supply, now=now, limit=windows_table.rows)
    history = readings.shown(supply)
    current = history[-1] if history else []
    return {
        "windows_table": windows_table,
        "windows": [(windows.shown(window), window.total) for window in coming],
        "ended": supplies.has_ended(supply, rome_day(now)),
        "closed": readings.closed(supply, coming[0] if coming else None, now=now),
        "open_until": windows.shown(coming[0])[2:] if coming else None,
        "meters": history,
        "chart": (
            ReadingsChart(current, readings.rising(current, supply), supply.digits)
            if len(current) > 1
            else None
        ),
    }


def table_of_windows(supply, **options):
    path = url_for(".reading_windows", supply_code=supply.code)
    return TableState(path, ("dal",), rows=10, **options)


def no_gas(supply):
    """The page of an electricity supply: where self-readings can be entered instead."""
    gas = [each for each in own_supplies() if each.service == "GAS"]
    return render_template("readings/no_gas.html", **FRAME, supply=supply, gas=gas)


@bp.get("/forniture/<supply_code>/autolettura/periodi")
@login_required
def reading_windows(supply_code):
    supply = owned_or_404(SupplyPoint, supply_code)
    table = table_of_windows(supply)
    coming = windows.coming(supply, now=utcnow(), limit=table.rows, offset=table.offset)
    if not coming and table.page > 1:
        return last_page(table, windows.coming(supply, now=utcnow()))
    return page_or_partial(
        "readings/windows.html",
        "readings/_windows.html",
        **FRAME,
        supply=supply,
        windows_table=table,
        windows=[(windows.shown(window), window.total) for window in coming],
    )


@bp.get("/forniture/<supply_code>/autolettura/nuova")
@login_required
def new(supply_code):
    supply = owned_or_404(SupplyPoint, supply_code)
    try:
        readings.refuse_unless_open(supply, now=utcnow())
    except Refused as refusal:
        return entry_form(supply, None, refusal)
    return entry_form(supply, ReadingForm())


@bp.post("/forniture/<supply_code>/autolettura/nuova")
@login_required
def submit(supply_code):
    supply = owned_or_404(SupplyPoint, supply_code)
    form = ReadingForm(request.form)
    if not form.validate():
        return entry_form(supply, form), 422
    values = form.counter.data, form.corrector.data
    try:
        readings.submit(supply, *values, **who(), confirmed=form.is_confirmed, now=utcnow())
    except Refused as refusal:
        return entry_form(supply, form, refusal), 422
    flash(_("Lettura registrata: sarà acquisita entro circa mezz'ora."))
    return redirect(url_for(".index", supply_code=supply.code), 303)


def who():
    """Who enters or cancels a reading, as the domain takes it."""
    return {"account": current_user.writer, "delegate": current_user.delegate}


def entry_form(supply, form, refusal=None):
    """The form with what was typed, or without `form` only why there is none now."""
    return render_template("readings/new.html", **FRAME, supply=supply, form=form, refusal=refusal)


def own_reading_or_404(supply, reading_id):
    reading = owned_or_404(SelfReading, reading_id)
    if reading.supply_id != supply.id:
        abort(404)
    return reading


@bp.get("/forniture/<supply_code>/autolettura/<reading_id>/cancella")
@login_required
def ask_to_cancel(supply_code, reading_id):
    supply = owned_or_404(SupplyPoint, supply_code)
    return page_or_partial(
        "readings/cancel.html",
        "readings/_cancel.html",
        **FRAME,
        supply=supply,
        reading=own_reading_or_404(supply, reading_id),
    )


@bp.post("/forniture/<supply_code>/autolettura/<reading_id>/cancella")
@login_required
def cancel(supply_code, reading_id):
    supply = owned_or_404(SupplyPoint, supply_code)
    reading = own_reading_or_404(supply, reading_id)
    try:
        readings.cancel(reading, **who(), now=utcnow())
    except Refused as refusal:
        flash(str(refusal), "warning")
    else:
        flash(_("Lettura del %(day)s cancellata.", day=notation.day(reading.day)))
    return redirect(url_for(".index", supply_code=supply.code), 303)
