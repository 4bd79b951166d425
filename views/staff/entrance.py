"""Getting in and out of the desk: password, second factor, recovery codes."""

from functools import wraps

from flask import Blueprint, current_app, flash, redirect, render_template, request, session
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from domain import operator_sessions, operators, passwords, second_factor
from domain.clock import utcnow
from domain.errors import Refused
from domain.formats import epc
from domain.second_factor import OF_OPERATORS
from forms import CodeForm, FirstPasswordForm, OperatorLoginForm, PasswordForm
from views.access import go
from views.auth import known_browser, leave, status
from views.auth.login import LEAVE_NOTHING
from views.files import send_made
from views.staff.access import (
    IN_COOKIE,
    current_operator,
    noted,
    noting,
    operator,
    operator_required,
)
from views.staff.access import next_stop as stop_of_who_asks

bp = Blueprint("staff_entrance", __name__, url_prefix="/staff")

SHOWN_BY = "recovery_codes"  # in the cookie, until the codes are put away
OWN_ACCESS = {"page": "password", "title": _l("Il mio accesso")}


def init_app(app):
    app.register_blueprint(bp)


def step_of_the_way(view):
    """For an operator who has to pass this very page; others are sent to theirs."""

    @wraps(view)
    def guarded():
        stop = stop_of_who_asks()
        return view() if stop == request.path else go(stop or "/staff")

    return guarded


def enter(token):
    """Go on with the session `token`, in a cookie that keeps nothing from before."""
    leave()
    session[IN_COOKIE] = token


def keys():
    return operators.keys(current_app.secret_key)


# -- Login ---------------------------------------------------------------------------------


@bp.get("/login")
def login():
    if current_operator():
        return redirect(stop_of_who_asks() or "/staff", 303)
    return render_template("staff/entrance/login.html", form=OperatorLoginForm())


@bp.post("/login")
def sign_in():
    form = OperatorLoginForm(request.form)
    page = "staff/entrance/login.html"
    if not form.validate():
        return render_template(page, form=form), 422
    try:
        token = operators.sign_in(
            form.username.data,
            form.password.data,
            address=request.remote_addr,
            browser=known_browser.recall(known_browser.OPERATORS),
            now=utcnow(),
        )
    except Refused as refusal:
        form.password.errors.append(str(refusal))
        return render_template(page, form=form), status(refusal)
    enter(token)
    return redirect("/staff", 303)


@bp.post("/logout")
def logout():
    who = current_operator()
    if who and who.verified_at:
        noted("signed_out")
    leave()
    flash(_("Uscita effettuata."))
    response = redirect("/staff/login", 303)
    response.headers["Clear-Site-Data"] = LEAVE_NOTHING
    return response


# -- Second factor -------------------------------------------------------------------------


@bp.get("/codice")
@step_of_the_way
def code():
    return code_page(CodeForm())


@bp.post("/codice")
@step_of_the_way
def give_code():
    return try_code(code_page)


@bp.get("/secondo-fattore")
@step_of_the_way
def enrolment():
    return enrolment_page(CodeForm())


@bp.post("/secondo-fattore")
@step_of_the_way
def enrol():
    return try_code(enrolment_page)


def try_code(page):
    """Go in with the code that was typed, or show `page` again."""
    form = CodeForm(request.form)
    if not form.validate():
        return page(form), 422
    who = current_operator()
    try:
        token, shown_by = operators.give_code(
            who.operator,
            who.session,
            form.code.data,
            address=request.remote_addr,
            now=utcnow(),
            keys=keys(),
        )
    except Refused as refusal:
        form.code.errors.append(str(refusal))
        return page(form), status(refusal)
    enter(token)
    if shown_by:
        session[SHOWN_BY] = shown_by
    response = redirect("/staff/codici" if shown_by else "/staff", 303)
    known_browser.remember(response, who.operator, known_browser.OPERATORS)
    return response


def code_page(form):
    return render_template("staff/entrance/code.html", form=form)


def enrolment_page(form):
    row, known = operator(), keys()
    issuer = current_app.config["UTILITY_NAME"]
    address = second_factor.address_of_secret(row, known.second_factor, issuer=issuer)
    return render_template(
        "staff/entrance/enrolment.html",
        form=form,
        username=row.username,
        secret=operators.secret(row, known),
        code=epc.drawing(address),
    )


# -- Recovery codes ------------------------------------------------------------------------


@bp.get("/codici")
@operator_required
def recovery_codes():
    codes = shown_codes()
    return render_template("staff/entrance/codes.html", codes=codes) if codes else go("/staff")


@bp.get("/codici.txt")
@operator_required
def recovery_codes_as_text():
    codes = shown_codes()
    if not codes:
        return go("/staff")
    text = render_template("staff/entrance/codes.txt", codes=codes)
    return send_made(text, _("codici di recupero.txt"), "text/plain")


@bp.post("/codici")
@operator_required
def put_codes_away():
    session.pop(SHOWN_BY, None)
    return redirect("/staff", 303)


def shown_codes():
    """The recovery codes just made in this browser, until they are put away."""
    shown_by = session.get(SHOWN_BY)
    who = current_operator().operator
    return operators.recovery_codes(who, shown_by, keys()) if shown_by else []


# -- Own password and sessions -------------------------------------------------------------


@bp.get("/password")
def password():
    stop = stop_of_who_asks()
    if stop == "/staff/password":
        return render_template("staff/entrance/password.html", form=FirstPasswordForm())
    return go(stop) if stop else own_access()


@bp.post("/password")
def change_password():
    stop = stop_of_who_asks()
    if stop not in (None, "/staff/password"):
        return go(stop)
    form = (FirstPasswordForm if stop else PasswordForm)(request.form)
    if not form.validate():
        return password_form(form), 422
    try:
        if not stop:
            operators.confirm_password(operator(), form.password.data, now=utcnow())
        change(form)
    except Refused as refusal:
        weak = stop or isinstance(refusal, passwords.TooWeak)
        (form.new_password if weak else form.password).errors.append(str(refusal))
        return password_form(form), status(refusal)
    return redirect("/staff", 303)


def password_form(form):
    """The page of `form`: on the way in, or when the operator chooses to change."""
    if isinstance(form, PasswordForm):
        return own_access(password_form=form)
    return render_template("staff/entrance/password.html", form=form)


def change(form):
    token = operators.change_password(
        operator(),
        form.new_password.data,
        session_id=current_operator().session,
        now=utcnow(),
        keys=keys(),
        words=[current_app.config["UTILITY_NAME"]],
    )
    enter(token)
    flash(_("Password cambiata. Gli altri accessi aperti sono stati chiusi."))


@bp.post("/password/codici")
@operator_required
def renew_codes():
    form = CodeForm(request.form)
    if not form.validate():
        return own_access(code_form=form), 422
    try:
        session[SHOWN_BY] = operators.renew_codes(
            current_operator().operator,
            form.code.data,
            address=request.remote_addr,
            now=utcnow(),
            keys=keys(),
        )
    except Refused as refusal:
        form.code.errors.append(str(refusal))
        return own_access(code_form=form), status(refusal)
    return redirect("/staff/codici", 303)


@bp.post("/password/chiudi")
@operator_required
def close_all_sessions():
    """End this session and every other of the same operator, wherever they are open."""
    with noting("sessions_closed"):
        operator_sessions.end_all(current_operator().operator)
    leave()
    flash(_("Tutti gli accessi aperti sono stati chiusi."))
    return redirect("/staff/login", 303)


def own_access(password_form=None, code_form=None):
    return render_template(
        "staff/entrance/own_access.html",
        password_form=password_form or PasswordForm(None),
        code_form=code_form or CodeForm(None),
        codes_left=OF_OPERATORS.codes_left(current_operator().operator),
        **OWN_ACCESS,
    )
