"""Beside «Dati Anagrafici»: preferences, a supply's name and calendar, one's own data."""

from flask import (
    Blueprint,
    abort,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user, login_required

from domain import agenda, erasure, export, language, mail, preferences
from domain.clock import rome_day, utcnow
from domain.errors import Refused
from domain.throttle import TooManyTries
from forms import NicknameForm, PreferencesForm
from models import SupplyPoint
from views.access import owned_or_404
from views.errors import ReadOnly
from views.files import documents_folder, send_made_zip
from views.frame import customer_of, listed_supply
from views.htmx import page_or_partial

bp = Blueprint("preferences", __name__)

FRAME = {
    "page": "anagrafica",
    "within": "preferenze",
    "title": _l("Preferenze e dati personali"),
}


def init_app(app):
    app.register_blueprint(bp)


@bp.get("/forniture/<supply_code>/preferenze")
@login_required
def index(supply_code):
    return answer(listed_supply(supply_code))


def answer(supply, *, nickname_form=None, form=None):
    """The page, with the form that could not be read as it was typed."""
    calendar = agenda.link(current_user.id, supply) if supply else None
    return render_template(
        "preferences/index.html",
        **FRAME,
        supply=supply,
        form=form or preferences_form(None, obj=preferences.of(current_user.id)),
        nickname_form=nickname_form
        or NicknameForm(None, nickname=supply.nickname if supply else ""),
        calendar=calendar,
        calendar_address=address_of(calendar) if calendar and not current_user.is_view else None,
        erasure=erasure.open_request(customer_of(supply)),
    )


def preferences_form(*given, **options):
    """The form; who has chosen no language finds the one that is spoken."""
    form = PreferencesForm(*given, **options)
    form.language.choices = list(language.LANGUAGES.items())
    form.language.data = form.language.data or language.current()
    return form


def address_of(calendar):
    path = url_for(".feed", token=agenda.token(calendar, key=current_app.secret_key))
    return current_app.config["BASE_URL"] + path


def back(supply_code, anchor=None):
    return redirect(url_for(".index", supply_code=supply_code, _anchor=anchor), 303)


@bp.post("/forniture/<supply_code>/preferenze")
@login_required
def save(supply_code):
    supply = listed_supply(supply_code)
    form = preferences_form(request.form)
    if not form.validate():
        return answer(supply, form=form), 422
    flags = {name: form[name].data for name in preferences.FLAGS}
    chosen = form.language.data if form.language.data != language.current() else None
    preferences.save(current_user.id, language=chosen, now=utcnow(), **flags)
    language.speak(form.language.data)
    flash(_("Preferenze salvate."))
    return back(supply_code)


@bp.post("/forniture/<supply_code>/preferenze/nome")
@login_required
def name_supply(supply_code):
    supply = owned_or_404(SupplyPoint, supply_code)
    form = NicknameForm(request.form)
    if not form.validate():
        return answer(listed_supply(supply_code), nickname_form=form), 422
    preferences.name_supply(current_user.id, supply, form.nickname.data or "", now=utcnow())
    flash(_("Nome della fornitura salvato.") if form.nickname.data else _("Nome tolto."))
    return back(supply_code)


# -- One's own data ------------------------------------------------------------------------


@bp.get("/forniture/<supply_code>/preferenze/dati")
@login_required
def download(supply_code):
    if current_user.is_view:
        raise ReadOnly
    customer_id, now = customer_of(listed_supply(supply_code)), utcnow()
    if request.method == "GET":
        try:
            export.begin(current_user.id, customer_id, now=now)
        except Refused as refusal:
            flash(str(refusal), "warning")
            return back(supply_code)
    return send_made_zip(
        export.parts(current_user.id, documents_folder(), now=now),
        f"dati_{current_user.username}_{rome_day(now):%Y-%m-%d}.zip",
    )


@bp.get("/forniture/<supply_code>/preferenze/cancellazione")
@login_required
def ask_for_erasure(supply_code):
    supply = listed_supply(supply_code)
    return page_or_partial(
        "preferences/erase.html",
        "preferences/_erase.html",
        **FRAME,
        supply=supply,
        erasure=erasure.open_request(customer_of(supply)),
    )


@bp.post("/forniture/<supply_code>/preferenze/cancellazione")
@login_required
def erase(supply_code):
    return changed(
        supply_code,
        erasure.ask,
        _("Richiesta di cancellazione registrata: la ricevuta arriva anche per posta elettronica."),
    )


@bp.post("/forniture/<supply_code>/preferenze/cancellazione/ritira")
@login_required
def withdraw(supply_code):
    return changed(supply_code, erasure.withdraw, _("Richiesta di cancellazione ritirata."))


def changed(supply_code, act, done):
    """Do `act` on the request for erasure and go back to the page, which says what happened."""
    try:
        act(customer_of(listed_supply(supply_code)), current_user.id, now=utcnow())
    except Refused as refusal:
        flash(str(refusal), "warning")
    else:
        mail.kick()
        flash(done)
    return back(supply_code)


# -- The calendar --------------------------------------------------------------------------


@bp.post("/forniture/<supply_code>/preferenze/calendario")
@login_required
def make_calendar(supply_code):
    agenda.make(current_user.id, owned_or_404(SupplyPoint, supply_code), now=utcnow())
    flash(_("Collegamento creato: copiarlo e aggiungerlo al proprio calendario."))
    return back(supply_code, "calendario")


@bp.post("/forniture/<supply_code>/preferenze/calendario/nuovo")
@login_required
def replace_calendar(supply_code):
    agenda.replace(current_user.id, owned_or_404(SupplyPoint, supply_code), now=utcnow())
    flash(_("Nuovo collegamento creato: quello di prima non vale più."))
    return back(supply_code, "calendario")


@bp.post("/forniture/<supply_code>/preferenze/calendario/revoca")
@login_required
def revoke_calendar(supply_code):
    agenda.revoke(current_user.id, owned_or_404(SupplyPoint, supply_code), now=utcnow())
    flash(_("Collegamento revocato: non apre più nulla."))
    return back(supply_code, "calendario")


@bp.get("/calendario/<token>.ics")
def feed(token):
    """For calendar programs, which cannot sign in: the address itself is the secret."""
    try:
        content = agenda.read(
            token,
            address=request.remote_addr,
            utility=current_app.config["UTILITY_NAME"],
            portal=current_app.config["BASE_URL"],
            key=current_app.secret_key,
            now=utcnow(),
        )
    except TooManyTries:
        abort(429)
    if content is None:
        abort(404)
    response = make_response(content)
    response.headers["Content-Type"] = "text/calendar; charset=utf-8"
    response.cache_control.private = response.cache_control.no_cache = True
    response.add_etag()
    return response.make_conditional(request)
