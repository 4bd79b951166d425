"""The frame of every page: menu, supply selector, theme."""

from functools import cache

from flask import (
    Blueprint,
    abort,
    current_app,
    g,
    get_template_attribute,
    redirect,
    request,
    session,
)
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user, login_required

from domain import guide, language, notation, supplies, theme
from domain.clock import rome_day, utcnow
from models import SupplyPoint
from views import acting
from views.access import owned_or_404
from views.acting import NO_SUPPLY

bp = Blueprint("frame", __name__)

# (path under the supply, label, group); the page of each path is in a module of its own.
MENU = (
    ("home", _l("Home Page"), "general"),
    ("fatture", _l("Elenco fatture"), "general"),
    ("password", _l("Cambio Password"), "general"),
    ("autolettura", _l("Autolettura Contatore"), "general"),
    ("anagrafica", _l("Dati Anagrafici"), "general"),
    ("prelievi", _l("Prelievi Fatturati"), "general"),
    ("ticket", _l("Ticket"), "general"),
    ("dati-tecnici", _l("Dati Tecnici"), "general"),
    ("contratti", _l("Dati Contrattuali"), "general"),
    ("misure", _l("Misure elettriche"), "general"),
    ("documenti", _l("I miei documenti"), "general"),
    ("modulistica", _l("Modulistica"), "papers"),
    ("normative", _l("Normative"), "papers"),
    ("comunicati", _l("Comunicati"), "papers"),
    ("informazioni", _l("Informazioni"), "papers"),
    ("storico", _l("Storico"), "history"),
)
ELECTRICITY_ONLY = {"misure"}

# Pages of a supply that are reached from another, not from the menu.
WITHIN = {"preferenze", "secondo-fattore", "deleghe", "guida"} | {
    f"guida/{chapter.name}" for chapter in guide.chapters(guide.CUSTOMERS)
}


def init_app(app):
    app.register_blueprint(bp)
    app.jinja_env.globals["frame"] = Frame
    wear(app.config["BRANDING"], app.extensions["assets"])


def wear(branding, assets):
    """Give the utility's colours, style and pictures their addresses."""
    assets.add("theme.css", theme.stylesheet(branding.palette) + branding.style)
    for picture in filter(None, (branding.logo, branding.favicon)):
        assets.add_picture(picture.name, picture.content)


def own_supplies():
    """The supplies of the signed-in account, as rows, read once a request.

    Those of the mandate instead, where it acts under one.
    """
    if "own_supplies" not in g:
        mandate = current_user.mandate_id
        g.own_supplies = (
            supplies.entrusted(mandate) if mandate else supplies.of_login(current_user.id)
        )
    return g.own_supplies


class Frame:
    """What base.html shows around a page. `page` is the path of the menu entry open now."""

    def __init__(self, page, supply):
        self.page = page
        self.code = supply.code if supply else NO_SUPPLY
        self.has_electricity = bool(supply) and supply.service == "EE"
        self.scope = scope_of(current_user)
        self.supplies = own_supplies()
        previous = current_user.previous_access_at
        self.last_access = notation.short_day(rome_day(previous)) if previous else None

    def menu(self, inert):
        """The entries as HTML, without links while `inert`."""
        shown = self.page, self.has_electricity, bool(inert), self.scope
        menu = _menu(*shown, language.current())
        return menu.replace(_CODE, self.code)

    @staticmethod
    def label(supply):
        """What it is called, with its own name before and its end after."""
        label = supplies.label(supply)
        if supply.nickname:
            label = f"{supply.nickname} – {label}"
        if supplies.has_ended(supply, rome_day(utcnow())):
            label += _(" (cessata il %(day)s)", day=notation.day(supply.ended_on))
        return label


_CODE = "CODICE-FORNITURA"  # where the supply's code goes in the menu made once


def scope_of(user):
    """The scope of the mandate under which the page is shown; None: the customer's own."""
    if user.mandate:
        return user.mandate.scope
    return None if user.customer_id else acting.NONE


def is_reached(path, scope):
    """Whether the menu entry of that path is for who acts with that scope."""
    if scope is None:
        return True
    endpoint, _values = current_app.url_map.bind("").match(f"/forniture/x/{path}")
    return acting.reaches(scope, endpoint)


@cache
def _menu(page, electricity, inert, scope, _language):
    """The menu for any supply; it is the same for all customers, and half of a page's texts."""
    groups = [
        [
            (path, label)
            for path, label, group in MENU
            if group == of_group
            and (electricity or path not in ELECTRICITY_ONLY)
            and is_reached(path, scope)
        ]
        for of_group in ("general", "papers", "history")
    ]
    menu = get_template_attribute("frame/_menu.html", "menu")
    return menu(groups, code=_CODE, page=page, inert=inert)


def default_supply_code():
    """The supply chosen last in this browser, if it is still the customer's; else the first."""
    codes = [supply.code for supply in own_supplies()]
    if session.get("supply") in codes:
        return session["supply"]
    return codes[0] if codes else NO_SUPPLY


def listed_supply(code):
    """The row of the supply in the address, or None for `-` when the customer has none.

    Costs no query of its own, since the selector lists these rows anyway.
    """
    row = next((supply for supply in own_supplies() if supply.code == code), None)
    if row is None and (code != NO_SUPPLY or own_supplies()):
        abort(404)
    if row and session.get("supply") != code:
        session["supply"] = code
    return row


def customer_of(supply):
    """The id of the customer whose data a page shows: one without supplies has some too."""
    return supply.customer if supply else current_user.customer_id


def chosen_supply(code):
    """Like `listed_supply`, with all that is known of the supply."""
    return owned_or_404(SupplyPoint, code) if listed_supply(code) else None


@bp.get("/")
@login_required
def home_of_default():
    return redirect(first_page(), 303)


def first_page():
    """Where who signed in begins: the supply chosen last, else one's own, else another's."""
    received = current_user.received
    chosen = next((row for row in received if row.supply == session.get("supply")), None)
    if chosen:
        return acting.first_address(chosen)
    if current_user.customer_id is not None:
        return f"/forniture/{default_supply_code()}/home"
    return acting.first_address(received[0]) if received else "/deleghe"


@bp.get("/forniture/vai")
@login_required
def choose():
    """The supply selector: the same page for another supply."""
    page = request.args.get("pagina", "home")
    if page not in WITHIN | {path for path, _label, _group in MENU}:
        page = "home"
    code = request.args.get("fornitura", "")
    listed_supply(code)
    return redirect(f"/forniture/{code}/{page}", 303)
