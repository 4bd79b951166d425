"""A browser that logged in before is known by a signed, long-lived cookie of its own.

It opens nothing. It keeps a budget of tries apart, so that whoever guesses at a login
from elsewhere cannot shut its owner out.
"""

import secrets

from flask import current_app, request
from itsdangerous import BadData, URLSafeTimedSerializer

from domain.accounts import KnownBrowser

LIFETIME = 400 * 24 * 3600  # seconds; browsers keep no cookie longer
MOST_ACCOUNTS = 5  # logins used in one browser, such as a household's and a firm's
CUSTOMERS, OPERATORS = "noto", "noto-sportello"  # whose logins: each have ids of their own
SALTS = {CUSTOMERS: "known browser", OPERATORS: "known browser of the desk"}


def recall(whose=CUSTOMERS):
    """The KnownBrowser of this request, or None."""
    try:
        browser, accounts = _signer(whose).loads(
            request.cookies.get(_cookie_name(whose), ""), max_age=LIFETIME
        )
    except BadData:
        return None
    return KnownBrowser(browser, tuple(accounts))


def remember(response, login, whose=CUSTOMERS):
    """Make this browser known to the login with that id, beside those that know it already."""
    known = recall(whose) or KnownBrowser(secrets.token_urlsafe(16), ())
    accounts = [login, *(each for each in known.accounts if each != login)]
    response.set_cookie(
        _cookie_name(whose),
        _signer(whose).dumps([known.id, accounts[:MOST_ACCOUNTS]]),
        max_age=LIFETIME,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )


def _cookie_name(whose):
    return f"{current_app.config['SESSION_COOKIE_NAME']}-{whose}"


def _signer(whose):
    return URLSafeTimedSerializer(current_app.secret_key, salt=SALTS[whose])
