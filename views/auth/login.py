"""«Autenticazione» and logout."""

import re

from flask import current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from domain import accounts, credentials
from domain.clock import utcnow
from domain.errors import Refused
from forms import LoginForm
from views.auth import bp, enter, known_browser, leave, status

OWN_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")  # no host, no blank, no backslash
LEAVE_NOTHING = '"cache", "storage"'  # "cookies" would reach the utility's other sites too


@bp.get("/login")
def login():
    target = own_path(request.args.get("next"))
    if current_user.is_authenticated:
        return redirect(target, 303)
    return render_template("auth/login.html", form=LoginForm(next=target))


@bp.post("/login")
def sign_in():
    form = LoginForm(request.form)
    if not form.validate():
        return render_template("auth/login.html", form=form), 422
    try:
        account, token = accounts.sign_in(
            form.username.data,
            form.password.data,
            address=request.remote_addr,
            browser=known_browser.recall(),
            agent=request.user_agent.string,
            now=utcnow(),
            key=credentials.key(current_app.secret_key),
        )
    except Refused as refusal:
        form.password.errors.append(str(refusal))
        return render_template("auth/login.html", form=form), status(refusal)
    enter(token)
    target = own_path(form.next.data)
    if account.totp_since:
        return redirect(url_for(".code", next=target), 303)
    response = redirect(target, 303)
    known_browser.remember(response, account.id)
    return response


@bp.post("/logout")
def logout():
    leave()
    flash(_("Uscita effettuata."))
    response = redirect(url_for(".login"), 303)
    response.headers["Clear-Site-Data"] = LEAVE_NOTHING
    return response


def own_path(target):
    """`target` if it is a path of this portal, else the home page."""
    return target if OWN_PATH.fullmatch(target or "") else "/"
