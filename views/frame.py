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
    send_file,
    session,
)
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user, login_required

from domain import italian, supplies
from domain import theme as theming
from domain.clock import rome_day, utcnow
from models import Grant, Nickname, Prepared, SupplyPoint
from views.access import owned_or_404

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
WITHIN = {"preferenze", "secondo-fattore"}

_supplies = Prepared(
    "account",
    lambda account: (
        SupplyPoint.select(
            SupplyPoint.id,
            SupplyPoint.code,
            SupplyPoint.customer,
            SupplyPoint.service,
            SupplyPoint.pod,
            SupplyPoint.pdr,
            SupplyPoint.street,
            SupplyPoint.street_number,
            SupplyPoint.postcode,
            SupplyPoint.city,
            SupplyPoint.province,
            SupplyPoint.active_from,
            SupplyPoint.ended_on,
            SupplyPoint.distributor_vat,
            Nickname.text.alias("nickname"),
        )
        .join(Grant, on=Grant.customer == SupplyPoint.customer)
        .left_outer_join(
            Nickname,
            on=(Nickname.supply == SupplyPoint.id) & (Nickname.account == Grant.account),
        )
        .where(Grant.account == account)
        .order_by(SupplyPoint.code)
    ),
)

NO_SUPPLY = "-"  # stands in the address of a customer who has no supply yet


def init_app(app):
    app.register_blueprint(bp)
    app.jinja_env.globals["frame"] = Frame
    app.extensions["assets"].add("theme.css", theming.stylesheet(app.config["COLOR"]))


def own_supplies():
    """The supplies of the signed-in account, as rows, read once a request."""
    if "own_supplies" not in g:
        g.own_supplies = _supplies(account=current_user.id)
    return g.own_supplies


class Frame:
    """What base.html shows around a page. `page` is the path of the menu entry open now."""

    def __init__(self, page, supply):
        self.page = page
        self.code = supply.code if supply else NO_SUPPLY
        self.has_electricity = bool(supply) and supply.service == "EE"
        self.supplies = own_supplies()
        previous = current_user.previous_access_at
        self.last_access = f"{rome_day(previous):%d/%m/%y}" if previous else None

    def menu(self, inert):
        """The entries as HTML, without links while `inert`."""
        menu = _menu(self.page, self.has_electricity, bool(inert))
        return menu.replace(_CODE, self.code)

    @staticmethod
    def label(supply):
        """What it is called, with its own name before and its end after."""
        label = supplies.label(supply)
        if supply.nickname:
            label = f"{supply.nickname} – {label}"
        if supplies.has_ended(supply, rome_day(utcnow())):
            label += _(" (cessata il %(day)s)", day=italian.day(supply.ended_on))
        return label


_CODE = "CODICE-FORNITURA"  # where the supply's code goes in the menu made once


@cache
def _menu(page, electricity, inert):
    """The menu for any supply; it is the same for all customers, and half of a page's texts."""
    groups = [
        [
            (path, label)
            for path, label, group in MENU
            if group == of_group and (electricity or path not in ELECTRICITY_ONLY)
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
    return redirect(f"/forniture/{default_supply_code()}/home", 303)


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


@bp.get("/logo")
def logo():
    """The one file that the LOGO setting names; as an SVG it must not run anything."""
    path = current_app.config["LOGO"]
    if not path:
        abort(404)
    response = send_file(path, max_age=300)
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    )
    return response
