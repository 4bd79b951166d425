"""/health and /ready: whether the portal lives, and whether it can serve.

Asked by monitoring and by what shares out requests, not by people: who they are does not matter,
nor under which name they ask, which is often an address.
"""

import logging
import sqlite3
from urllib.parse import urlsplit

import peewee as pw
from flask import Blueprint, current_app
from playhouse.pool import MaxConnectionsExceeded

from domain import schema

log = logging.getLogger("portale")
bp = Blueprint("health", __name__)

PATHS = {"/health", "/ready"}
UNREACHABLE = (pw.PeeweeException, MaxConnectionsExceeded, sqlite3.Error)


def init_app(app):
    app.register_blueprint(bp)
    host, inner = urlsplit(app.config["BASE_URL"]).hostname, app.wsgi_app

    def answered_to_anybody(environ, start_response):
        """Elsewhere another name is refused (TRUSTED_HOSTS), and a cookie asks the archive."""
        if environ["PATH_INFO"] in PATHS:
            environ = {**environ, "HTTP_HOST": host, "HTTP_COOKIE": ""}
        return inner(environ, start_response)

    app.wsgi_app = answered_to_anybody


@bp.get("/health")
def health():
    """This process answers; it asks nothing of the archive."""
    return plain("ok")


@bp.get("/ready")
def ready():
    """The archive answers and has the tables of this release."""
    try:
        missing = schema.missing()
    except UNREACHABLE as error:
        log.error("not ready: %s", error)
        return plain("archivio non raggiungibile", 503)
    if missing:
        return plain("archivio da aggiornare: eseguire python -m jobs.migrate", 503)
    return plain("ok")


def plain(text, status=200):
    return current_app.response_class(f"{text}\n", status, mimetype="text/plain")
