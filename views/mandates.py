"""«Deleghe»: those that a customer gives, those that a login holds, the invitation in a mail."""

from flask import (
    Blueprint,
    abort,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
)
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user, login_required

from domain import credentials, mail, mandate_links, mandate_list, mandates
from domain.clock import rome_day, utcnow
from domain.errors import Refused
from domain.passwords import TooWeak
from forms import FirstPasswordForm, MandateForm
from views import acting
from views.auth import enter, known_browser, status
from views.errors import ReadOnly
from views.frame import Frame, customer_of, default_supply_code, listed_supply, own_supplies
from views.paging import number

bp = Blueprint("mandates", __name__)

FRAME = {"page": "anagrafica", "within": "deleghe", "title": _l("Deleghe")}


def init_app(app):
    app.register_blueprint(bp)
    app.jinja_env.globals["acting_choices"] = acting_choices


# -- Those that the customer gives ---------------------------------------------------------


@bp.get("/forniture/<supply_code>/deleghe")
@login_required
def index(supply_code):
    return given_page(listed_supply(supply_code), mandate_form(None))


@bp.post("/forniture/<supply_code>/deleghe")
@login_required
def give(supply_code):
    supply, form = listed_supply(supply_code), mandate_form(request.form)
    if not form.validate():
        return given_page(supply, form), 422
    wanted = mandates.Wanted(
        form.name.data, form.email.data, form.scope.data, tuple(form.supplies.data),
        form.ends_on.data,
    )  # fmt: skip
    whose = customer_of(supply), current_user.id
    try:
        mandates.give(*whose, wanted, form.password.data, now=utcnow())
    except Refused as refusal:
        return given_page(supply, form, refusal), status(refusal)
    mail.kick()
    flash(_("Delega registrata: l'invito parte per posta elettronica e vale 7 giorni."))
    return redirect(f"/forniture/{supply_code}/deleghe", 303)


@bp.post("/forniture/<supply_code>/deleghe/<key>/revoca")
@login_required
def revoke(supply_code, key):
    customer, now = customer_of(listed_supply(supply_code)), utcnow()
    mandate = next((m for m in mandate_list.given(customer, now=now) if str(m.id) == key), None)
    if mandate is None:
        abort(404)
    if mandates.revoke(customer, mandate.id, account=current_user.id, now=now):
        mail.kick()
    flash(_("Delega revocata: da questo momento non apre più nulla."))
    return redirect(f"/forniture/{supply_code}/deleghe", 303)


def mandate_form(typed):
    form = MandateForm(typed)
    form.scope.choices = [("", _("scegliere")), *mandates.SCOPE_NAMES.items()]
    form.supplies.choices = [(each.code, Frame.label(each)) for each in own_supplies()]
    return form


def given_page(supply, form, refusal=None):
    now = utcnow()
    return render_template(
        "mandates/index.html",
        **FRAME,
        supply=supply,
        form=form,
        refusal=refusal,
        given=mandate_list.given(customer_of(supply), now=now),
        scopes=mandates.SCOPE_NAMES,
        today=rome_day(now),
        last_day=mandates.last_day(rome_day(now)),
    )


# -- Those that a login holds --------------------------------------------------------------


@bp.get("/deleghe")
@login_required
def received():
    only_the_holder()
    now = utcnow()
    return render_template(
        "mandates/received.html",
        title=_("Deleghe ricevute"),
        received=mandate_list.received(current_user.id, now=now),
        addresses={row.id: acting.first_address(row) for row in reversed(current_user.received)},
        scopes=mandates.SCOPE_NAMES,
        password=f"/forniture/{default_supply_code()}/password",
    )


@bp.get("/deleghe/agisci")
@login_required
def act():
    """«Si agisce per»: begin at the pages of another customer, or of one's own."""
    only_the_holder()
    asked = request.args.get("per", "")
    if asked == acting.OWN and current_user.customer_id is not None:
        return redirect(f"/forniture/{default_supply_code()}/home", 303)
    row = next((row for row in current_user.received if str(row.id) == asked), None)
    return redirect(acting.first_address(row), 303) if row else abort(404)


@bp.post("/deleghe/<key>/restituisci")
@login_required
def give_back(key):
    now, mandate = utcnow(), number(key, 0)
    held = mandate_list.received(current_user.id, now=now)
    if not any(each.id == mandate for each in held):
        abort(404)
    if mandates.give_back(current_user.id, mandate, now=now):
        mail.kick()
    flash(_("Delega restituita."))
    return redirect("/deleghe", 303)


def only_the_holder():
    """What others entrusted to a login is nothing for an operator who looks as a customer."""
    if current_user.is_view:
        raise ReadOnly


def acting_choices():
    """What «Si agisce per» offers: (value, name, whether it is so now)."""
    mandate = current_user.mandate
    choices = {row.id: row.customer_name for row in current_user.received}
    if current_user.customer_id is not None:
        choices = {acting.OWN: current_user.customer_name, **choices}
    now = mandate.id if mandate else acting.OWN
    return [(value, name, value == now) for value, name in choices.items()]


# -- The invitation: whoever opens it may be signed in nowhere ------------------------------


@bp.get("/delega/<token>")
def invitation(token):
    """Only asks: programs that look for harm in mail open links too."""
    try:
        mandate = mandates.opened(token, **opening())
    except Refused as refusal:
        return invitation_page(token, refusal=refusal)
    return invitation_page(token, mandate, FirstPasswordForm(None))


@bp.post("/delega/<token>/accetta")
def accept(token):
    """With the login that is signed in, or signs in first."""
    try:
        if not current_user.is_authenticated or current_user.is_view:
            mandates.opened(token, **opening())
            return redirect(f"/login?next=/delega/{token}", 303)
        mandates.accept(token, current_user.id, **opening())
    except Refused as refusal:
        return invitation_page(token, refusal=refusal)
    return accepted()


@bp.post("/delega/<token>")
def register(token):
    """With a new login, which is signed in at once."""
    form = FirstPasswordForm(request.form)
    try:
        mandate = mandates.opened(token, **opening())
        if not form.validate():
            return invitation_page(token, mandate, form, code=422)
        words = [current_app.config["UTILITY_NAME"]]
        account, session = mandates.accept_newly(
            token, form.new_password.data, words=words, agent=request.user_agent.string, **opening()
        )
    except TooWeak as refusal:
        form.new_password.errors = [str(refusal)]
        return invitation_page(token, mandate, form, code=422)
    except Refused as refusal:
        return invitation_page(token, refusal=refusal)
    enter(session)
    response = accepted()
    known_browser.remember(response, account.id)
    flash(_("Per entrare d'ora in poi lo User è %(user)s.", user=account.username))
    return response


def accepted():
    mail.kick()
    flash(_("Delega accettata."))
    return redirect("/deleghe", 303)


def opening():
    """Who opens the link, when, and the key that it is signed with."""
    key = credentials.key(current_app.secret_key)
    return {"address": request.remote_addr, "now": utcnow(), "key": key}


def invitation_page(token, mandate=None, form=None, refusal=None, code=200):
    page = render_template(
        "mandates/invitation.html",
        title=_("Invito a una delega"),
        token=token,
        mandate=mandate,
        supplies=mandates.supplies_of(mandate) if mandate else [],
        form=form,
        refusal=refusal,
        scopes=mandates.SCOPE_NAMES,
    )
    response = make_response(page, code)
    if isinstance(refusal, mandate_links.Void):
        response.status_code = 200 if isinstance(refusal, mandate_links.Accepted) else 410
    elif refusal:
        response.status_code = status(refusal)
    response.headers["Referrer-Policy"] = "no-referrer"  # the address of this page is a secret
    return response
