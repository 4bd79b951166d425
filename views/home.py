"""«Home Page»: a welcome, and what matters now."""

from flask import Blueprint, render_template
from flask_babel import gettext as _
from flask_login import current_user, login_required

from domain import home, supplies
from domain.clock import rome_day, utcnow
from views.frame import customer_of, listed_supply

bp = Blueprint("home", __name__)


def init_app(app):
    app.register_blueprint(bp)


@bp.get("/forniture/<supply_code>/home")
@login_required
def index(supply_code):
    supply, now = listed_supply(supply_code), utcnow()
    since = current_user.previous_access_at
    return render_template(
        "home/index.html",
        supply=supply,
        page="home",
        title=_("Home Page"),
        address=f"/forniture/{supply_code}",
        ended=supply and supplies.has_ended(supply, rome_day(now)),
        tiles=home.tiles(
            customer_of(supply), supply, current_user.mandate_id, since=since, now=now
        ),
    )
