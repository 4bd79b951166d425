"""«Periodi di lettura»: the windows, new ones by a rule with their preview, changes."""

from flask import Blueprint, abort, flash, redirect, render_template, request
from flask_babel import format_date
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from domain import window_rules, window_scopes, windows, windows_planning
from domain.clock import rome_day, utcnow
from domain.errors import Refused
from domain.window_rules import Hours
from forms import DaysOfMonthForm, LastDaysForm, WindowForm
from views.filters import among
from views.htmx import page_or_partial
from views.paging import TableState, number
from views.staff.access import noting, operator_required

bp = Blueprint("staff_windows", __name__, url_prefix="/staff/periodi")

HERE = "/staff/periodi"
FRAME = {"page": "periodi", "title": _l("Periodi di lettura")}
FILTERS = {"quali": among({"passati"})}
# How windows are made: (label, form, the days that it means).
WAYS = {
    "uno": (
        _l("Un periodo"),
        WindowForm,
        lambda form: [(form.since.data, form.until.data)],
    ),
    "ultimi": (
        _l("Gli ultimi giorni di ogni mese"),
        LastDaysForm,
        lambda form: window_rules.last_days(int(form.days.data), months_of(form)),
    ),
    "giorni": (
        _l("Da un giorno a un altro di ogni mese"),
        DaysOfMonthForm,
        lambda form: window_rules.days_of_month(
            int(form.first_day.data), int(form.last_day.data), months_of(form)
        ),
    ),
}


def init_app(app):
    app.register_blueprint(bp)


@bp.get("")
@operator_required
def index():
    table = TableState(HERE, ("dal",), filters=FILTERS)
    which, now = table.filters["quali"], utcnow()
    total = windows_planning.count(which, now=now)
    table.stay_within(total)
    rows = windows_planning.page(which, now=now, limit=table.rows, offset=table.offset)
    named = any(row.distributor_vat for row in rows)
    return page_or_partial(
        "staff/windows/index.html",
        "staff/windows/_windows.html",
        **FRAME,
        table=table,
        total=total,
        rows=list(zip(rows, windows_planning.counts(rows), strict=True)),
        is_open=lambda window: windows.is_open(window, now=now),
        names=window_scopes.distributors() if named else {},
        **WORDS,
    )


def whom(window, names=None):
    return window_scopes.told(window_scopes.scope_of(window), names)


WORDS = {"shown": windows.shown, "span": windows.span, "whom": whom}  # for templates


# -- New ones ------------------------------------------------------------------------------


def asked_form(given):
    """(how they are made, the form, whether it was filled in yet)."""
    how = given.get("come") if given.get("come") in WAYS else "uno"
    filled = "per_chi" in given
    form = with_choices(WAYS[how][1](given if filled else None))
    if how != "uno":
        form.first_month.choices = form.last_month.choices = months_to_choose()
        if not filled:
            form.last_month.data = form.last_month.choices[11][0]
    return how, form, filled


def with_choices(form, also=None):
    """`form` that knows the distributors, and the one that a window is for already."""
    known = window_scopes.distributors()
    if also:
        known.setdefault(also, "")
    form.whom.choices = [
        ("tutte", _("tutte le forniture di gas")),
        *((vat, _("distributore %(name)s", name=f"{known[vat]} {vat}".strip())) for vat in known),
        ("fornitura", _("una sola fornitura, indicata sotto")),
    ]
    return form


def months_to_choose():
    first = rome_day(utcnow()).replace(day=1)
    coming = (window_rules.month_after(first, each) for each in range(window_rules.MOST_MONTHS))
    return [(f"{month:%Y-%m}", format_date(month, "LLLL yyyy")) for month in coming]


def months_of(form):
    return window_rules.months(*form.months)


def scope_of(form):
    return window_scopes.scope(form.whom.data, form.supply.data or "")


def meant(how, form):
    """(days, hours, scope) of what was filled in."""
    return WAYS[how][2](form), Hours(form.opening.data, form.closing.data), scope_of(form)


@bp.get("/nuovo")
@operator_required
def new():
    how, form, filled = asked_form(request.args)
    if not filled:
        return new_page(how, form)
    if not form.validate():
        return new_page(how, form), 422
    try:
        return new_page(how, form, windows_planning.plan(*meant(how, form), now=utcnow()))
    except Refused as refusal:
        return new_page(how, form, refusal=refusal), 422


@bp.post("/nuovo")
@operator_required
def create():
    how, form, filled = asked_form(request.form)
    if not filled or not form.validate():
        return new_page(how, form), 422
    seal = request.form.get("sigillo")
    try:
        asked = meant(how, form)
        with noting("windows_created") as entry:
            made = windows_planning.create(*asked, seal=seal, now=utcnow())
            entry["windows"] = made
    except windows_planning.NothingNew as nothing:
        flash(str(nothing), "info")
    except Refused as refusal:
        return new_page(how, form, getattr(refusal, "plan", None), refusal), 422
    else:
        flash(_("Periodi stabiliti: %(count)s.", count=len(made)))
    return redirect(HERE, 303)


def new_page(how, form, plan=None, refusal=None):
    return render_template(
        "staff/windows/new.html",
        **FRAME,
        how=how,
        ways={key: label for key, (label, *_rest) in WAYS.items()},
        form=form,
        plan=plan,
        refusal=refusal,
        given=[(field.name, request.values.get(field.name, "")) for field in form],
        **WORDS,
    )


# -- One of them ---------------------------------------------------------------------------


def window_or_404(key):
    return windows_planning.one(number(key, 0)) or abort(404)


@bp.get("/<key>/cambia")
@operator_required
def edit(key):
    window = window_or_404(key)
    return edit_page(window, edit_form(window, None))


@bp.post("/<key>/cambia")
@operator_required
def change(key):
    window = window_or_404(key)
    form = edit_form(window, request.form)
    if not form.validate():
        return edit_page(window, form), 422
    span = form.since.data, form.opening.data, form.until.data, form.closing.data
    try:
        with noting("window_changed", before=windows_planning.named(window)) as entry:
            scope, asked = scope_of(form), {"confirmed": form.is_confirmed, "now": utcnow()}
            windows_planning.change(window, span, scope, **asked)
            entry["after"] = windows_planning.named(windows_planning.one(window.id))
    except Refused as refusal:
        return edit_page(window, form, refusal), 422
    flash(_("Periodo cambiato."))
    return redirect(HERE, 303)


def edit_form(window, given):
    first, opening, last, closing = windows.ends(window)
    data = {
        "since": first,
        "opening": opening,
        "until": last,
        "closing": closing,
        "whom": "fornitura" if window.supply else window.distributor_vat or "tutte",
        "supply": window.supply_code,
    }
    return with_choices(WindowForm(given, data=data), also=window.distributor_vat)


def edit_page(window, form, refusal=None):
    return render_template(
        "staff/windows/edit.html",
        **FRAME,
        window=window,
        form=form,
        refusal=refusal,
        imported=windows_planning.import_id(window),
        readings=windows_planning.counts([window])[0],
        **WORDS,
    )


@bp.get("/<key>/elimina")
@operator_required
def ask_to_delete(key):
    window = window_or_404(key)
    return page_or_partial(
        "staff/windows/delete.html",
        "staff/windows/_delete.html",
        **FRAME,
        window=window,
        consequences=windows_planning.consequences(window, now=utcnow()),
        **WORDS,
    )


@bp.post("/<key>/elimina")
@operator_required
def delete(key):
    window = windows_planning.one(number(key, 0))
    if window is None:
        flash(_("Il periodo era già stato eliminato."), "info")
        return redirect(HERE, 303)
    with noting("window_deleted", window=windows_planning.named(window)):
        windows_planning.delete(window)
    flash(_("Periodo eliminato."))
    return redirect(HERE, 303)
