"""«Operatori»: who works at the desk, for administrators."""

from flask import Blueprint, abort, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from domain import operator_sessions, operators
from domain.clock import utcnow
from domain.errors import Refused
from forms import OPERATOR_ROLES, OperatorForm, RoleForm
from models import Operator
from views.staff.access import administrator_required, noting

bp = Blueprint("staff_operators", __name__, url_prefix="/staff/operatori")

FRAME = {"page": "operatori", "title": _l("Operatori"), "roles": OPERATOR_ROLES}


def init_app(app):
    app.register_blueprint(bp)


@bp.get("")
@administrator_required
def index():
    return render_template("staff/operators/index.html", operators=operators.listed(), **FRAME)


@bp.get("/nuovo")
@administrator_required
def new():
    return form_page(OperatorForm())


@bp.post("/nuovo")
@administrator_required
def create():
    form = OperatorForm(request.form)
    if not form.validate():
        return form_page(form), 422
    given = [form.username.data, form.name.data, form.email.data, form.role.data]
    try:
        with noting("operator_created") as told:
            row, password = operators.create(*given, now=utcnow())
            told |= {"whom": row.username, "role": row.role}
    except Refused as refusal:
        form.username.errors.append(str(refusal))
        return form_page(form), 422
    return first_password(row, password)


@bp.get("/<username>")
@administrator_required
def operator(username):
    return operator_page(found(username))


@bp.post("/<username>/ruolo")
@administrator_required
def set_role(username):
    row, form = found(username), RoleForm(request.form)
    if not form.validate():
        return operator_page(row, form), 422
    try:
        with noting("operator_role_changed", whom=row.username, role=form.role.data):
            operators.set_role(row.id, form.role.data)
    except Refused as refusal:
        form.role.errors = [str(refusal)]
        return operator_page(row, form), 422
    flash(_("Ruolo cambiato."))
    return back_to(row)


@bp.post("/<username>/disabilita")
@administrator_required
def disable(username):
    row = found(username)
    try:
        with noting("operator_disabled", whom=row.username):
            operators.disable(row.id, now=utcnow())
    except Refused as refusal:
        flash(str(refusal), "warning")
    else:
        flash(_("Operatore disabilitato: i suoi accessi aperti sono stati chiusi."))
    return back_to(row)


@bp.post("/<username>/riabilita")
@administrator_required
def enable(username):
    row = found(username)
    with noting("operator_enabled", whom=row.username):
        operators.enable(row.id)
    flash(_("Operatore riabilitato."))
    return back_to(row)


@bp.post("/<username>/accessi")
@administrator_required
def close_sessions(username):
    row = found(username)
    with noting("operator_sessions_closed", whom=row.username):
        operator_sessions.end_all(row.id)
    flash(_("Gli accessi aperti dell'operatore sono stati chiusi."))
    return back_to(row)


@bp.post("/<username>/azzera")
@administrator_required
def reset(username):
    row = found(username)
    with noting("operator_reset", whom=row.username):
        password = operators.reset(row.id)
    return first_password(row, password)


def found(username):
    row = None if "\x00" in username else Operator.get_or_none(Operator.username == username)
    return row or abort(404)


def back_to(row):
    return redirect(f"/staff/operatori/{row.username}", 303)


def form_page(form):
    return render_template("staff/operators/new.html", form=form, **FRAME)


def operator_page(row, form=None):
    form = form or RoleForm(None, role=row.role)
    return render_template("staff/operators/operator.html", row=row, form=form, **FRAME)


def first_password(row, password):
    """The page that shows it, this once: it is kept nowhere, not even for a redirect."""
    return render_template("staff/operators/password.html", row=row, password=password, **FRAME)
