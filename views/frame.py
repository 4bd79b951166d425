"""The frame of every page: menu, supply selector, theme; and pages still in preparation."""

from flask import Blueprint, abort, redirect, render_template, request, session
from flask_babel import lazy_gettext as _l
from flask_login import current_user, login_required


from models import Grant, Prepared, SupplyPoint, postal_address
from views.access import owned_or_404

bp = Blueprint("frame", __name__)

# (path under the supply, label, group); the page of that path is in a module of its own,
# or in preparation.
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
IN_PREPARATION = {
    "anagrafica", "prelievi", "ticket", "dati-tecnici", "contratti", "misure", "documenti",
    "modulistica", "normative", "comunicati", "informazioni", "storico",
}  # fmt: skip

_supplies = Prepared(
    "account",
    lambda account: SupplyPoint.select(
        SupplyPoint.code,
        SupplyPoint.service,
        SupplyPoint.pod,
        SupplyPoint.pdr,
        SupplyPoint.street,
        SupplyPoint.street_number,
        SupplyPoint.postcode,
        SupplyPoint.city,
        SupplyPoint.province,
        SupplyPoint.ended_on,
    )
    .join(Grant, on=Grant.customer == SupplyPoint.customer)
    .where(Grant.account == account)
    .order_by(SupplyPoint.code),
)

NO_SUPPLY = "-"  # stands in the address of a customer who has no supply yet


def init_app(app):
    app.register_blueprint(bp)
    app.jinja_env.globals["frame"] = Frame


class Frame:
    """What base.html shows around a page. `page` is the path of the menu entry open now."""

    def __init__(self, page, supply):
        self.page = page
        self.code = supply.code if supply else NO_SUPPLY
        self.supplies = _supplies(account=current_user.id)

    def menu(self, group):
        """(path, label, address) of the entries of a group."""
        electricity = any(supply.service == "EE" for supply in self.supplies)
        return [
            (path, label, f"/forniture/{self.code}/{path}")
            for path, label, of_group in MENU
            if of_group == group and (electricity or path not in ELECTRICITY_ONLY)
        ]

    @staticmethod
    def label(supply):
        """`PR002874 (Pod: IT001E…); VIA PROVA 5 - 48124 RAVENNA (RA)`."""
        point = f"Pod: {supply.pod}" if supply.service == "EE" else f"Pdr: {supply.pdr}"
        return f"{supply.code} ({point}); {postal_address(supply)}"


def default_supply_code():
    """The supply chosen last in this browser, if it is still the customer's; else the first."""
    codes = [supply.code for supply in _supplies(account=current_user.id)]
    if session.get("supply") in codes:
        return session["supply"]
    return codes[0] if codes else NO_SUPPLY


def chosen_supply(code):
    """The supply of the address, or None for `-` when the customer has none."""
    if code == NO_SUPPLY and not _supplies(account=current_user.id):
        return None
    supply = owned_or_404(SupplyPoint, code)
    if session.get("supply") != code:
        session["supply"] = code
    return supply


@bp.get("/")
@login_required
def home_of_default():
    return redirect(f"/forniture/{default_supply_code()}/home", 303)


@bp.get("/forniture/vai")
@login_required
def choose():
    """The supply selector: the same page for another supply."""
    page = request.args.get("pagina", "home")
    if page not in {path for path, _label, _group in MENU}:
        page = "home"
    code = request.args.get("fornitura", "")
    if code != NO_SUPPLY:
        owned_or_404(SupplyPoint, code)
    return redirect(f"/forniture/{code}/{page}", 303)


@bp.get("/forniture/<supply_code>/home")
@login_required
def home(supply_code):
    return render_template("home/index.html", supply=chosen_supply(supply_code))


@bp.get("/forniture/<supply_code>/<page>")
@login_required
def in_preparation(supply_code, page):
    labels = {path: label for path, label, _group in MENU if path in IN_PREPARATION}
    if page not in labels:
        abort(404)
    return render_template(
        "frame/in_preparation.html",
        supply=chosen_supply(supply_code),
        page=page,
        title=labels[page],
    )
