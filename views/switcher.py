"""The three names under every page: the same page in another language."""

from urllib.parse import urlsplit

from flask import Blueprint, abort, current_app, redirect, request
from flask_login import current_user
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from domain import operators, preferences
from domain.clock import utcnow
from domain.language import LANGUAGES
from views.access import current_operator
from views.language import COOKIE

bp = Blueprint("language", __name__)
LIFETIME = 400 * 24 * 3600  # seconds; browsers keep no cookie longer


def init_app(app):
    app.register_blueprint(bp)


@bp.post("/lingua")
def choose():
    chosen = request.form.get("lingua")
    if chosen not in LANGUAGES:
        abort(400)
    came_from = where_from()
    note(chosen, at_desk=came_from.startswith("/staff"))
    response = redirect(came_from, 303)
    response.set_cookie(
        COOKIE,
        chosen,
        max_age=LIFETIME,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )
    return response


def note(chosen, *, at_desk):
    """Remember the choice of who is wholly signed in: the operator, at the desk and in a view."""
    if at_desk or (current_user.is_authenticated and current_user.is_view):
        operator = current_operator()
        if operator and operator.verified_at:
            operators.choose_language(operator.operator, chosen)
    elif current_user.is_authenticated and not current_user.awaits_code:
        preferences.save(current_user.id, language=chosen, now=utcnow())


def where_from():
    """The page of ours that asked, if it can be opened again; else the home page."""
    try:
        came_from = urlsplit(request.referrer or "")
        if came_from.netloc != request.host:
            return "/"
        current_app.create_url_adapter(request).match(came_from.path, method="GET")
    except (HTTPException, RequestRedirect, ValueError):
        return "/"
    path = "/" + came_from.path.lstrip("/\\")
    return f"{path}?{came_from.query}" if came_from.query else path
