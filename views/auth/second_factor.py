"""The second factor: its code on the way in, and the page where it is added and removed."""

from flask import current_app, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user, login_required

from domain import accounts, customer_factor, mail, second_factor
from domain.clock import utcnow
from domain.errors import Refused
from domain.formats import epc
from domain.second_factor import OF_CUSTOMERS
from forms import AccessCodeForm, SecondFactorForm
from models import Account
from views.auth import bp, enter, known_browser, status
from views.auth.login import own_path
from views.files import send_made
from views.frame import listed_supply

SHOWN_BY = "codes_shown_by"  # in the cookie, until the codes are put away
FRAME = {"page": "password", "within": "secondo-fattore", "title": _l("Secondo fattore")}


def key():
    return customer_factor.key(current_app.secret_key)


def who_gives():
    """What wrong codes are counted and told by."""
    return {
        "address": request.remote_addr,
        "browser": known_browser.recall(),
        "now": utcnow(),
        "key": key(),
    }


# -- On the way in -------------------------------------------------------------------------


@bp.get("/codice")
@login_required
def code():
    target = own_path(request.args.get("next"))
    if not current_user.awaits_code:
        return redirect(target, 303)
    return code_page(AccessCodeForm(None, next=target))


@bp.post("/codice")
@login_required
def give_code():
    form = AccessCodeForm(request.form)
    if not current_user.awaits_code:
        return redirect(own_path(form.next.data), 303)
    if not form.validate():
        return code_page(form), 422
    who = current_user.id
    try:
        token = customer_factor.give_code(
            who,
            form.code.data,
            token=current_user.token,
            agent=request.user_agent.string,
            **who_gives(),
        )
    except Refused as refusal:
        form.code.errors.append(str(refusal))
        return code_page(form), status(refusal)
    enter(token)
    response = redirect(own_path(form.next.data), 303)
    known_browser.remember(response, who)
    return response


def code_page(form):
    return render_template("auth/code.html", form=form)


# -- The page ------------------------------------------------------------------------------


@bp.get("/forniture/<supply_code>/secondo-fattore")
@login_required
def factor(supply_code):
    return factor_page(listed_supply(supply_code), SecondFactorForm(None))


def factor_page(supply, form):
    account = Account.get_by_id(current_user.id)
    if account.totp_since:
        left = OF_CUSTOMERS.codes_left(account.id)
        facts = {"since": account.totp_since, "codes_left": left}
    else:
        proposed = customer_factor.proposed(account.id, token=current_user.token, key=key())
        issuer = current_app.config["UTILITY_NAME"]
        address = second_factor.address_of_secret(proposed, key(), issuer=issuer)
        facts = {"secret": second_factor.secret(proposed, key()), "drawing": epc.drawing(address)}
    return render_template("auth/second_factor.html", **FRAME, supply=supply, form=form, **facts)


def with_password(supply_code, act):
    """What `act(code)` answers, after the password and beside the right code; or the page."""
    supply = listed_supply(supply_code)
    form = SecondFactorForm(request.form)
    if not form.validate():
        return factor_page(supply, form), 422
    wrong = form.password
    try:
        accounts.confirm_password(current_user.id, form.password.data, now=utcnow())
        wrong = form.code
        return act(form.code.data)
    except Refused as refusal:
        wrong.errors.append(str(refusal))
        return factor_page(supply, form), status(refusal)


@bp.post("/forniture/<supply_code>/secondo-fattore")
@login_required
def add_factor(supply_code):
    def add(typed):
        token, shown_by = customer_factor.add(
            current_user.id, typed, token=current_user.token, now=utcnow(), key=key()
        )
        enter(token)
        session[SHOWN_BY] = shown_by
        mail.kick()
        flash(_("Secondo fattore attivo. Gli altri accessi aperti sono stati chiusi."))
        return redirect(url_for(".recovery_codes", supply_code=supply_code), 303)

    return with_password(supply_code, add)


@bp.post("/forniture/<supply_code>/secondo-fattore/togli")
@login_required
def remove_factor(supply_code):
    def remove(typed):
        token = customer_factor.remove(
            current_user.id, typed, token=current_user.token, **who_gives()
        )
        enter(token)
        mail.kick()
        flash(_("Secondo fattore tolto: per entrare basta la password."))
        return redirect(url_for(".factor", supply_code=supply_code), 303)

    return with_password(supply_code, remove)


# -- Recovery codes ------------------------------------------------------------------------


@bp.post("/forniture/<supply_code>/secondo-fattore/nuovi-codici")
@login_required
def renew_recovery_codes(supply_code):
    def renew(typed):
        session[SHOWN_BY] = customer_factor.renew_codes(current_user.id, typed, **who_gives())
        return redirect(url_for(".recovery_codes", supply_code=supply_code), 303)

    return with_password(supply_code, renew)


@bp.get("/forniture/<supply_code>/secondo-fattore/codici")
@login_required
def recovery_codes(supply_code):
    supply, codes = listed_supply(supply_code), shown_codes()
    if not codes:
        return redirect(url_for(".factor", supply_code=supply_code), 303)
    title = _("Codici di recupero")
    frame = {**FRAME, "title": title, "supply": supply}
    return render_template("auth/recovery_codes.html", **frame, codes=codes)


@bp.get("/forniture/<supply_code>/secondo-fattore/codici.txt")
@login_required
def recovery_codes_as_text(supply_code):
    listed_supply(supply_code)
    codes = shown_codes()
    if not codes:
        return redirect(url_for(".factor", supply_code=supply_code), 303)
    text = render_template("auth/recovery_codes.txt", codes=codes)
    return send_made(text, _("codici di recupero.txt"), "text/plain")


@bp.post("/forniture/<supply_code>/secondo-fattore/codici")
@login_required
def put_codes_away(supply_code):
    listed_supply(supply_code)
    session.pop(SHOWN_BY, None)
    return redirect(url_for(".factor", supply_code=supply_code), 303)


def shown_codes():
    """The recovery codes just made in this browser, until they are put away."""
    shown_by = session.get(SHOWN_BY)
    return OF_CUSTOMERS.shown_codes(current_user.id, shown_by, key()) if shown_by else []
