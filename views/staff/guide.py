"""«Guida»: how to work at the desk."""

from flask import Blueprint

from domain import guide
from views.guide import chapter_page, contents_page, whole_page
from views.staff.access import operator_required

bp = Blueprint("staff_guide", __name__, url_prefix="/staff/guida")
FRAME = {"here": "/staff/guida", "layout": "staff/base.html", "page": "guida"}


def init_app(app):
    app.register_blueprint(bp)


@bp.get("")
@operator_required
def contents():
    return contents_page(guide.DESK, **FRAME)


@bp.get("/<name>")
@operator_required
def chapter(name):
    return chapter_page(guide.DESK, name=name, **FRAME)


@bp.get("/intera")
@operator_required
def whole():
    return whole_page(guide.DESK)
