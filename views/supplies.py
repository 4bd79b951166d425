"""«Dati Tecnici» and «Dati Contrattuali»: what is known of a supply, to read only."""

from flask import Blueprint, render_template
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import login_required

from domain import contracts as rules
from domain.clock import rome_day, utcnow
from domain.supplies import has_ended
from views.frame import chosen_supply

bp = Blueprint("supplies", __name__, url_prefix="/forniture/<supply_code>")

# What gas is used for, as TISG (ARERA) names it.
USES = {
    "C1": _l("riscaldamento"),
    "C2": _l("cottura di cibi e acqua calda"),
    "C3": _l("riscaldamento, cottura di cibi e acqua calda"),
    "C4": _l("condizionamento"),
    "C5": _l("condizionamento e riscaldamento"),
    "T1": _l("lavorazioni artigianali o industriali"),
    "T2": _l("lavorazioni artigianali o industriali e riscaldamento"),
}


def init_app(app):
    app.register_blueprint(bp)


@bp.get("/dati-tecnici")
@login_required
def technical(supply_code):
    supply = chosen_supply(supply_code)
    return render_template(
        "supplies/technical.html",
        page="dati-tecnici",
        title=_("Dati Tecnici"),
        supply=supply,
        use=supply and USES.get((supply.use_category or "").upper()),
    )


@bp.get("/contratti")
@login_required
def contracts(supply_code):
    supply, today = chosen_supply(supply_code), rome_day(utcnow())
    return render_template(
        "supplies/contracts.html",
        page="contratti",
        title=_("Dati Contrattuali"),
        supply=supply,
        ended=supply and has_ended(supply, today),
        contracts=supply and rules.of(supply, today=today),
    )
