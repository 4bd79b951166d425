"""What anybody may read: the privacy notice and the accessibility statement."""

from functools import wraps

from flask import Blueprint, current_app, make_response, render_template, request

from domain import public_pages
from domain.language import LANGUAGES, speak
from views import compression

bp = Blueprint("public_pages", __name__)


def init_app(app):
    app.register_blueprint(bp)
    app.jinja_env.globals["addition"] = lambda name: public_pages.addition(name, app.config)


def for_everybody(view):
    """The same for everybody of one language, so browsers may keep it a while.

    The language may stand in the address too: who is sent there reads it in that one.
    """

    @wraps(view)
    def answer(**named):
        if request.args.get("lingua") in LANGUAGES:
            speak(request.args["lingua"])
        response = make_response(view(**named))
        response.cache_control.public = True
        response.cache_control.max_age = 300
        response.vary.update(("Accept-Language", "Cookie", *compression.DECIDED_BY))
        response.add_etag(weak=True)  # it is the same compressed or not
        return response.make_conditional(request)

    return answer


@bp.get("/informativa-privacy")
@for_everybody
def privacy():
    return page("informativa-privacy")


@bp.get("/accessibilita")
@for_everybody
def accessibility():
    return page("accessibilita")


def page(name):
    return render_template(
        "public/page.html",
        title=public_pages.TITLES[name],
        text=public_pages.text(name, current_app.config),
    )
