"""Getting in and out: login, registration, recovery, change of password."""

from flask import Blueprint, session

from domain import operator_sessions, sessions, throttle
from views.staff.access import IN_COOKIE

bp = Blueprint("auth", __name__)


def init_app(app):
    from views.auth import login, password, recovery, registration, second_factor  # noqa: F401

    app.register_blueprint(bp)


def enter(token):
    """Begin the session with `token` in a cookie that keeps nothing from before."""
    leave()
    session["_user_id"] = token  # where Flask-Login looks
    session["_fresh"] = True


def leave():
    """End the session of this browser, and forget whatever its cookie holds."""
    if "_user_id" in session:
        sessions.end(session["_user_id"])
    if IN_COOKIE in session:
        operator_sessions.end(session[IN_COOKIE])
    session.clear()


def status(refusal):
    return 429 if isinstance(refusal, throttle.TooManyTries) else 422
