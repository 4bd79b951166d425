"""The signed cookie, at little cost: what was verified once is not verified again.

Checking a signature and making a CSRF token cost Flask more than all queries of a page. Both
depend on nothing but the text of the cookie, so each is done once and remembered.
"""

import time
from functools import lru_cache

from flask import current_app, session
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import generate_csrf
from itsdangerous import BadSignature, URLSafeTimedSerializer

REMEMBERED = 10_000  # browsers; some hundred bytes each
TOKEN_SECONDS = 1800  # how long one CSRF token is handed out again


class SignedCookies(SecureCookieSessionInterface):
    """Flask's session cookie, its signature checked once per cookie and process."""

    def __init__(self, app):
        self._serializer = super().get_signing_serializer(app)
        self._max_age = app.permanent_session_lifetime.total_seconds()
        self._verified = lru_cache(REMEMBERED)(self._verify)

    def _verify(self, value):
        content, signed_at = self._serializer.loads(value, return_timestamp=True)
        return content, signed_at.timestamp()

    def get_signing_serializer(self, app):
        return self._serializer

    def open_session(self, app, request):
        value = request.cookies.get(app.config["SESSION_COOKIE_NAME"])
        if not value:
            return self.session_class()
        try:
            content, signed_at = self._verified(value)
        except BadSignature:
            return self.session_class()
        if time.time() - signed_at > self._max_age:
            return self.session_class()
        return self.session_class(copied(content))

    def save_session(self, app, session, response):
        """Send what has changed; without Flask's `Vary: Cookie`, dear to write.

        No shared cache keeps an answer that knows the session: all are `no-store` or `private`.
        """
        if session.modified:
            super().save_session(app, session, response)


def copied(content):
    """A session's content that may be changed: Flask appends to its list of messages."""
    return {key: value[:] if type(value) is list else value for key, value in content.items()}


def csrf_token():
    """The CSRF token of this browser, for the hidden field of each form."""
    raw = session.get("csrf_token")
    if raw is None:
        return generate_csrf()
    return _signed_token(current_app.secret_key, raw, int(time.time() // TOKEN_SECONDS))


@lru_cache(REMEMBERED)
def _signed_token(secret_key, raw, _period):
    """What Flask-WTF expects for `raw`; a new one every TOKEN_SECONDS."""
    return URLSafeTimedSerializer(secret_key, salt="wtf-csrf-token").dumps(raw)


def init_app(app):
    app.session_interface = SignedCookies(app)
    app.jinja_env.globals["csrf_token"] = csrf_token
    app.context_processor(lambda: {"csrf_token": csrf_token})  # Flask-WTF has one of its own
