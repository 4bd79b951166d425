"""What anybody may read: the privacy notice and the accessibility statement."""

from flask import Blueprint, current_app, make_response, render_template, request

from domain import public_pages

bp = Blueprint("public_pages", __name__)


def init_app(app):
    app.register_blueprint(bp)


@bp.get("/informativa-privacy")
def privacy():
    return answer("informativa-privacy")


@bp.get("/accessibilita")
def accessibility():
    return answer("accessibilita")


def answer(name):
    page = render_template(
        "public/page.html",
        title=public_pages.TITLES[name],
        text=public_pages.text(name, current_app.config),
    )
    return for_everybody(page)


def for_everybody(page):
    """The same for everybody, so browsers and proxies may keep it a while."""
    response = make_response(page)
    response.cache_control.public = True
    response.cache_control.max_age = 300
    response.add_etag()
    return response.make_conditional(request)
