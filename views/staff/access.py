"""Who of the utility is asking. Customers and strangers find nothing under /staff but its door."""

from contextlib import contextmanager
from functools import wraps

from flask import abort, current_app, session
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from domain import register
from domain.clock import utcnow
from domain.release import VERSION
from models import Operator, writing
from views.access import IN_COOKIE, at_desk, current_operator, go

# (path under /staff, label, icon, administrators only)
MENU = (
    ("", _l("Oggi"), "home", False),
    ("clienti", _l("Clienti"), "anagrafica", False),
    ("autoletture", _l("Autoletture"), "autolettura", False),
    ("periodi", _l("Periodi di lettura"), "periodi", False),
    ("documenti", _l("Documenti e avvisi"), "documenti", False),
    ("ticket", _l("Ticket"), "ticket", False),
    ("caricamenti", _l("Caricamenti"), "upload", False),
    ("posta", _l("Posta"), "mail", False),
    ("operatori", _l("Operatori"), "operators", True),
    ("registro", _l("Registro attività"), "register", False),
    ("guida", _l("Guida"), "informazioni", False),
)


def init_app(app):
    app.jinja_env.globals["release"] = VERSION
    app.jinja_env.globals["desk_menu"] = menu
    app.jinja_env.globals["current_operator"] = current_operator

    @app.before_request
    def hide_from_customers():
        """A customer who is signed in finds no desk at all."""
        if at_desk() and current_user.is_authenticated and IN_COOKIE not in session:
            abort(404)


def operator_required(view):
    """Only for an operator who gave the second factor and has a password of one's own."""

    @wraps(view)
    def guarded(*args, **kwargs):
        stop = next_stop()
        return go(stop) if stop else view(*args, **kwargs)

    return guarded


def next_stop():
    """The page that who asks has to pass before the desk opens, or None once inside.

    Who has a second factor gives it before anything else; who has none gets it last, when only
    the operator knows the password.
    """
    row = current_operator()
    if not row:
        return "/staff/login"
    if row.totp_since and not row.verified_at:
        return "/staff/codice"
    if row.must_change_password:
        return "/staff/password"
    return None if row.verified_at else "/staff/secondo-fattore"


def administrator_required(view):
    """Only for administrators; for other operators the page does not exist."""

    @operator_required
    @wraps(view)
    def guarded(*args, **kwargs):
        if current_operator().role != "administrator":
            abort(404)
        return view(*args, **kwargs)

    return guarded


def operator():
    """The row of the operator who is signed in, to refer to it in others."""
    return Operator.get_by_id(current_operator().operator)


@contextmanager
def noting(kind, *, customer=None, **details):
    """What an operator does inside and the entry in the register are written together.

    `details` are those of domain/register.py; yields them, for what is known only inside.
    """
    with writing():
        yield details
        register.record(
            kind,
            current_operator().username,
            key=register.key(current_app.secret_key),
            now=utcnow(),
            customer=customer,
            **details,
        )


def noted(kind, **given):
    """What an operator reads, written in the register; see `noting`."""
    with noting(kind, **given):
        pass


def menu():
    """The entries that this operator may open."""
    is_administrator = current_operator().role == "administrator"
    return [entry for entry in MENU if is_administrator or not entry[3]]
