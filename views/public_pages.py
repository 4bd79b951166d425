"""What anybody may read: the privacy notice and the accessibility statement."""

from flask import Blueprint, current_app, make_response, render_template, request

from domain import public_pages
from domain.language import LANGUAGES, speak

bp = Blueprint("public_pages", __name__)


def init_app(app):
    app.register_blueprint(bp)
    app.jinja_env.globals["addition"] = lambda name: public_pages.addition(name, app.config)


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
    """The same for everybody of one language, so browsers may keep it a while.

    The language may stand in the address too: who is sent there reads it in that one.
    """
    if request.args.get("lingua") in LANGUAGES:
        speak(request.args["lingua"])
    response = make_response(page)
    response.cache_control.public = True
    response.cache_control.max_age = 300
    response.vary.update(("Accept-Language", "Cookie"))
    response.add_etag()
    return response.make_conditional(request)
