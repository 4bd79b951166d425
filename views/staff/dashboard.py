"""«Oggi»: what needs doing."""

from flask import Blueprint, render_template
from flask_babel import lazy_gettext as _l

from views.staff.access import operator_required

bp = Blueprint("staff_dashboard", __name__, url_prefix="/staff")

FRAME = {"page": "", "title": _l("Oggi")}


def init_app(app):
    app.register_blueprint(bp)


@bp.get("")
@operator_required
def index():
    return render_template("staff/dashboard/index.html", **FRAME)
