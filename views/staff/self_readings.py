"""«Autoletture» at the desk: all of them, one taken by telephone, its cancellation, the file."""

from flask import Blueprint, abort, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from domain import notation, readings, self_readings, supplies
from domain.clock import rome_day, utcnow
from domain.errors import Refused
from forms import ReadingForm, compact
from models import SelfReading
from views import files, filters
from views.htmx import page_or_partial
from views.paging import TableState, number
from views.staff.access import noted, noting, operator, operator_required

bp = Blueprint("staff_readings", __name__, url_prefix="/staff/autoletture")

HERE = "/staff/autoletture"
FRAME = {"page": "autoletture", "title": _l("Autoletture")}
LATEST = 6  # readings of the meter beside the form


def code(text):
    """A code or a PDR as it is searched: people type it in groups."""
    return filters.words(compact(text))


FILTERS = {
    "stato": filters.among(self_readings.STATES),
    "dal": filters.day,
    "al": filters.day,
    "fornitura": code,
    "da": filters.among({"cliente", "operatore"}),
    "lotto": lambda text: number(text, None),
    "motivo": filters.words,
    "insolite": filters.among({"1"}),
}


def init_app(app):
    app.register_blueprint(bp)


# -- The list ------------------------------------------------------------------------------


def asked_table():
    return TableState(HERE, self_readings.SORTS, filters=FILTERS)


def choice_of(asked, found):
    """What the filters ask for; `found` are the supplies that one of them named."""
    return self_readings.Choice(
        state=asked["stato"],
        since=asked["dal"],
        until=asked["al"],
        supplies=tuple(each.id for each in found) if asked["fornitura"] else None,
        odd=bool(asked["insolite"]),
        by_telephone=asked["da"] and asked["da"] == "operatore",
        batch=asked["lotto"],
        reason=asked["motivo"],
    )


def called(text):
    return self_readings.supplies_called(text) if text else []


@bp.get("")
@operator_required
def index():
    table = asked_table()
    found = called(table.filters["fornitura"])
    choice = choice_of(table.filters, found)
    counted = self_readings.count(choice)
    total = min(counted, self_readings.MOST)
    table.stay_within(total)
    rows = self_readings.page(choice, sort=table.sort, limit=table.rows, offset=table.offset)
    note_reading(found)
    return page_or_partial(
        "staff/self_readings/index.html",
        "staff/self_readings/_self_readings.html",
        **FRAME,
        table=table,
        rows=rows,
        total=total,
        more=counted > total,
        oddities=self_readings.oddities(rows),
        states=self_readings.STATES,
        filtered=any(table.filters.values()),
        query=table.href()[len(HERE) :],
    )


def note_reading(found):
    """Who looks for one customer's readings reads them."""
    for customer in {each.customer_code for each in found}:
        noted("readings_read", customer=customer)


@bp.get("/csv")
@operator_required
def as_csv():
    table = asked_table()
    found = called(table.filters["fornitura"])
    customers = {each.customer_code for each in found}
    noted("readings_exported", customer=customers.pop() if len(customers) == 1 else None)
    sheet = self_readings.sheet(choice_of(table.filters, found))
    return files.send_excel_csv("autoletture.csv", *sheet)


# -- One taken by telephone ----------------------------------------------------------------


@bp.get("/nuova")
@operator_required
def new():
    asked = asked_code()
    found = called(asked)
    if len(found) != 1:
        choice = {"asked": asked, "found": found, "label": supplies.label}
        return render_template("staff/self_readings/find.html", **FRAME, **choice)
    (supply,) = found
    note_reading(found)
    try:
        readings.refuse_unless_open(supply, now=utcnow())
    except Refused as refusal:
        return entry_page(supply, None, refusal)
    return entry_page(supply, ReadingForm(None))


def asked_code():
    return code(request.args.get("fornitura", ""))


@bp.post("/nuova")
@operator_required
def submit():
    found = called(asked_code())
    if len(found) != 1:
        abort(404)
    (supply,) = found
    form = ReadingForm(request.form)
    if not form.validate():
        return entry_page(supply, form), 422
    values = form.counter.data, form.corrector.data
    told = {"operator": operator(), "confirmed": form.is_confirmed, "now": utcnow()}
    try:
        with noting("reading_entered", customer=supply.customer.code, supply=supply.code) as entry:
            entry["reading"] = readings.submit(supply, *values, **told).id
    except Refused as refusal:
        return entry_page(supply, form, refusal), 422
    flash(_("Lettura registrata: sarà acquisita entro circa mezz'ora."))
    return redirect(f"{HERE}?fornitura={supply.code}", 303)


def entry_page(supply, form, refusal=None):
    """The form with what was typed, or without `form` only why there is none now."""
    history = readings.shown(supply)
    return render_template(
        "staff/self_readings/new.html",
        **FRAME,
        supply=supply,
        form=form,
        refusal=refusal,
        today=rome_day(utcnow()),
        latest=list(reversed(history[-1]))[:LATEST] if history else [],
    )


# -- Cancelling ----------------------------------------------------------------------------


def reading_or_404(key):
    return SelfReading.get_or_none(SelfReading.id == number(key, 0)) or abort(404)


@bp.get("/<key>/cancella")
@operator_required
def ask_to_cancel(key):
    return page_or_partial(
        "staff/self_readings/cancel.html",
        "staff/self_readings/_cancel.html",
        **FRAME,
        reading=reading_or_404(key),
    )


@bp.post("/<key>/cancella")
@operator_required
def cancel(key):
    reading = reading_or_404(key)
    supply = reading.supply
    whose = {"customer": supply.customer.code, "supply": supply.code}
    try:
        with noting("reading_cancelled", **whose, reading=reading.id):
            readings.cancel(reading, now=utcnow())
    except Refused as refusal:
        flash(str(refusal), "warning")
    else:
        flash(_("Lettura del %(day)s cancellata.", day=notation.day(reading.day)))
    return redirect(f"{HERE}?fornitura={supply.code}", 303)
