"""«Cambio Password»: after a mailed secret, or when the customer chooses to."""

from flask import current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user, login_required

from domain import accounts, mail, passwords
from domain.clock import utcnow
from domain.errors import Refused
from forms import FirstPasswordForm, PasswordForm
from views.auth import bp, enter, leave, status
from views.frame import chosen_supply, default_supply_code


@bp.route("/password", methods=["GET", "POST"])
@login_required
def change_password():
    """After a mailed secret, before anything else."""
    if not current_user.must_change_password:
        return redirect(url_for(".password_page", supply_code=default_supply_code()), 303)
    form = FirstPasswordForm(request.form)
    if request.method == "GET":
        return password_form(form, None)
    if not form.validate():
        return password_form(form, None), 422
    try:
        change(form)
    except Refused as refusal:
        form.new_password.errors.append(str(refusal))
        return password_form(form, None), 422
    mail.kick()
    return redirect("/", 303)


@bp.get("/forniture/<supply_code>/password")
@login_required
def password_page(supply_code):
    return password_form(PasswordForm(), chosen_supply(supply_code))


@bp.post("/forniture/<supply_code>/password")
@login_required
def save_password(supply_code):
    supply = chosen_supply(supply_code)
    form = PasswordForm(request.form)
    if not form.validate():
        return password_form(form, supply), 422
    try:
        accounts.confirm_password(current_user.id, form.password.data, now=utcnow())
        change(form)
    except Refused as refusal:
        weak = isinstance(refusal, passwords.TooWeak)
        (form.new_password if weak else form.password).errors.append(str(refusal))
        return password_form(form, supply), status(refusal)
    mail.kick()
    return redirect(url_for("home.index", supply_code=supply_code), 303)


@bp.post("/sessioni/chiudi")
@login_required
def close_all_sessions():
    """End this session and every other of the same login, wherever they are open."""
    accounts.close_sessions(current_user.id, now=utcnow())
    leave()
    flash(_("Tutti gli accessi aperti sono stati chiusi."))
    return redirect(url_for(".login"), 303)


def password_form(form, supply):
    return render_template(
        "auth/password.html",
        form=form,
        supply=supply,
        page="password",
        title=_("Cambio Password"),
        inert=True,
    )


def change(form):
    token = accounts.change_password(
        current_user.id,
        form.new_password.data,
        token=current_user.token,
        now=utcnow(),
        words=[current_app.config["UTILITY_NAME"]],
    )
    enter(token)
    flash(_("Password cambiata. Gli altri accessi aperti sono stati chiusi."))
