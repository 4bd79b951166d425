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


def recall():
    """The KnownBrowser of this request, or None."""
    try:
        browser, accounts = _signer().loads(
            request.cookies.get(_cookie_name(), ""), max_age=LIFETIME
        )
    except BadData:
        return None
    return KnownBrowser(browser, tuple(accounts))


def remember(response, account):
    """Make this browser known to `account`, beside those to which it is known already."""
    known = recall() or KnownBrowser(secrets.token_urlsafe(16), ())
    accounts = [account.id, *(each for each in known.accounts if each != account.id)]
    response.set_cookie(
        _cookie_name(),
        _signer().dumps([known.id, accounts[:MOST_ACCOUNTS]]),
        max_age=LIFETIME,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )


def _cookie_name():
    return f"{current_app.config['SESSION_COOKIE_NAME']}-noto"


def _signer():
    return URLSafeTimedSerializer(current_app.secret_key, salt="known browser")
