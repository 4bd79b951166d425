"""Who is asking, and whether the row is theirs. Rows of others equal missing rows."""

from functools import cached_property
from urllib.parse import urlencode

from flask import abort, current_app, g, redirect, request, session
from flask_login import LoginManager, UserMixin, current_user

from domain import mandates, operator_sessions, sessions
from domain.clock import utcnow
from models import SupplyPoint
from views import acting, language
from views.errors import ReadOnly

IN_COOKIE = "_operator"  # the key of an operator's token there
UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
LESS_THAN_ALL = {  # what a session may that is not free to go everywhere
    "auth.logout",
    "static",
    "public_pages.privacy",
    "public_pages.accessibility",
    "guide.contents",
    "guide.chapter",
    "guide.whole",
    "guide.picture",
    "language.choose",
    "demo.mails",
    "demo.telephone",
}
CODE_ONLY = {"auth.code", "auth.give_code"} | LESS_THAN_ALL
CHANGE_ONLY = {"auth.change_password"} | LESS_THAN_ALL


class SignedIn(UserMixin):
    """The account behind this browser's session, with the customer it acts for."""

    def __init__(self, token, row):
        self.token = token
        self.session_id = row.session
        self.id = row.account
        self.username = row.username
        self.customer_id = row.customer  # None for who only acts for others
        self.customer_name = row.name
        self.previous_access_at = row.previous_access_at
        self.language = row.language
        self.awaits_code = row.awaits_code
        self.must_change_password = row.must_change_password
        self.is_view = row.operator_session is not None  # an operator, who only reads
        self.holds_mandates = bool(row.holds_mandates) and not self.is_view
        self.mandate = None  # the one under which this request is made; see views/acting.py

    @cached_property
    def received(self):
        """The rows of `mandates.in_force`: what it may do for others."""
        return mandates.in_force(self.id, now=utcnow()) if self.holds_mandates else []

    @property
    def name(self):
        """As the page greets: the customer, else as those who gave a mandate call them."""
        return self.customer_name or (self.received[0].delegate if self.received else self.username)

    @property
    def mandate_id(self):
        return self.mandate.id if self.mandate else None

    @property
    def delegate(self):
        """The name of who acts for the customer of this page, or None for the customer."""
        return self.mandate.delegate if self.mandate else None

    @property
    def writer(self):
        """The id of the login that does what is done here; a delegate is named instead."""
        return None if self.mandate else self.id

    def get_id(self):
        return self.token


def init_app(app):
    manager = LoginManager()
    manager.init_app(app, add_context_processor=False)
    app.jinja_env.globals["current_user"] = current_user
    manager.user_loader(recognised)
    manager.unauthorized_handler(to_login)

    @app.before_request
    def recognise():
        """Look up who is there, once: Flask-Login's own way costs as much as a query more."""
        if request.endpoint == "static":
            return None
        token = session.get("_user_id")
        user = recognised(token) if token else None
        manager._update_request_context_with_user(user)
        language.follow(current_operator() if at_desk() or (user and user.is_view) else user)
        if user and user.awaits_code:
            return None if request.endpoint in CODE_ONLY else go("/codice")
        if user and user.must_change_password and request.endpoint not in CHANGE_ONLY:
            return go("/password")
        if user and user.is_view and request.method in UNSAFE and not of_operators():
            raise ReadOnly
        stop = user and not at_desk() and acting.settle(user)
        return go(stop) if stop else None


def by_address_alone(view):
    """A POST of `view` may come without a form of ours: the secret is in its address.

    In exactly one shape, the one that mail programs send (RFC 8058).
    """
    view.by_address_alone = True
    return view


def recognised(token):
    """Who signed in with `token`, or None when that session has ended."""
    row = sessions.load(token, now=utcnow(), quietly=is_background())
    if row and row.operator_session is not None:
        operator = current_operator()
        if not operator or operator.session != row.operator_session:
            return None
    return SignedIn(token, row) if row else None


def current_operator():
    """The row of `operator_sessions.load` behind this request, or None; read once."""
    if "operator" not in g:
        token = session.get(IN_COOKIE)
        g.operator = token and operator_sessions.load(token, now=utcnow(), quietly=is_background())
    return g.operator


def at_desk():
    return request.path.startswith("/staff")


def of_operators():
    """Whether what is asked is an operator's to do, even one who looks as a customer."""
    return at_desk() or request.endpoint == "language.choose"


def is_background():
    """Whether a table refreshes itself: that is no sign that somebody is there."""
    return request.headers.get("X-Portale-Refresh") == "1"


def to_login():
    target = request.full_path.rstrip("?") if request.method == "GET" else "/"
    query = urlencode({"next": target}) if target != "/" else ""
    return go(f"/login?{query}" if query else "/login")


def go(path):
    """Redirect; htmx is told to load the whole page."""
    if request.headers.get("HX-Request") == "true":
        return current_app.response_class(status=401, headers={"HX-Redirect": path})
    return redirect(path, 303)


def owned_or_404(model, key):
    """The row of `model` with code or id `key` that who is signed in may see at this address."""
    column = model.code if hasattr(model, "code") else model.id
    if column is model.id:
        if not (str(key).isascii() and str(key).isdigit() and len(str(key)) <= 18):
            abort(404)
        key = int(key)
    elif "\x00" in key:
        abort(404)
    mandate = current_user.mandate_id
    rows = model.entrusted(mandate) if mandate else model.of(current_user.id)
    row = rows.where(column == key).first()
    if row is None:
        abort(404)
    if model is SupplyPoint:
        g.supply = row
    return row
