"""The link in a mail of notices that ends them: whoever follows it may be signed in nowhere."""

from flask import Blueprint, current_app, make_response, render_template, request
from flask_babel import gettext as _

from domain import preferences
from domain.clock import utcnow
from domain.errors import Refused
from domain.throttle import TooManyTries
from views.access import by_address_alone

bp = Blueprint("notices", __name__)


def init_app(app):
    app.register_blueprint(bp)


@bp.get("/avvisi/<token>")
def ask(token):
    """Only asks: programs that look for harm in mail open links too."""
    return answer(token)


@bp.post("/avvisi/<token>")
@by_address_alone
def stop(token):
    """From the page, or at once from a mail program (RFC 8058)."""
    return answer(token, preferences.stop)


def answer(token, act=None):
    """Do `act`, if any, on what the token names, and tell how things are then."""
    now, key = utcnow(), current_app.secret_key
    try:
        account, group = preferences.notices_of_link(
            token, address=request.remote_addr, key=key, now=now
        )
    except Refused as refusal:
        return page(429 if isinstance(refusal, TooManyTries) else 404, refusal=refusal)
    if act:
        act(account, group, now=now)
    return page(200, about=preferences.NOTICES[group], stopped=act is not None)


def page(status, **values):
    title = _("Avvisi per posta elettronica")
    response = make_response(
        render_template("preferences/link.html", title=title, **values), status
    )
    response.headers["Referrer-Policy"] = "no-referrer"  # the address of this page is a secret
    return response
