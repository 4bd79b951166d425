"""The application: settings in one table, database open and close, headers, error pages."""

import logging
import os
import secrets
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from dotenv import dotenv_values
from flask import Flask, request
from flask_wtf import CSRFProtect
from werkzeug.exceptions import BadRequest, UnsupportedMediaType
from werkzeug.middleware.proxy_fix import ProxyFix

import models
import views
from domain import branding, connections, mail, schema, theme
from domain.errors import Refused
from domain.language import LANGUAGES
from domain.language import current as current_language
from views import access, compiling, cookies, errors, files, health, language

log = logging.getLogger("portale")

LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class ConfigurationError(Exception):
    """The settings do not allow the portal to start; the text says what to change."""


class Setting(NamedTuple):
    """One `PORTALE_…` variable. `kind` turns its text into the value used."""

    name: str
    default: object
    kind: type
    meaning: str


SETTINGS = (
    Setting("ENV", "production", str, "`production` or `development` (no TLS, plain cookie)"),
    Setting("DATA_DIR", "data", Path, "folder of the archive and of what is exchanged"),
    Setting("DATABASE_URL", "", str, "`postgresql://…`; empty: SQLite in the data folder"),
    Setting("DATABASE_CONNECTIONS", 20, int, "most connections of one process to PostgreSQL"),
    Setting("SECRET_KEY", "", str, "signs cookies and mailed secrets; 32 characters or more"),
    Setting("BASE_URL", "", str, "public address, for links in mail; `https://…`"),
    Setting("PROXY_HOPS", 0, int, "reverse proxies in front that set X-Forwarded-…"),
    Setting("UTILITY_NAME", "La tua utility", str, "name shown in the header and in mail"),
    Setting("UTILITY_VAT", "", str, "VAT number, issuer of the e-invoices (11 digits)"),
    Setting("TAL_0050", False, bool, "whether distributors get TAL.0050 requests (`S`)"),
    Setting("UTILITY_CONTACTS", "", str, "telephone or address to write to, shown in the footer"),
    Setting("COLOR", theme.OURS, str, "the utility's main colour, `#rrggbb`: the header"),
    Setting("ACCENT", "", str, "colour of links and buttons; empty: the main colour"),
    Setting("COLOR_DARK", "", str, "main colour in dark mode; empty: the same"),
    Setting("ACCENT_DARK", "", str, "of links and buttons in dark mode; empty: from the others"),
    Setting("OVERRIDES_DIR", "", str, "folder of the utility's logo and texts; empty: in the data"),
    Setting("BROWSER_LANGUAGES", "", str, "languages followed from the browser, such as `de,en`"),
    Setting("MAIL_SERVER", "127.0.0.1", str, "SMTP server"),
    Setting("MAIL_PORT", 25, int, "its port"),
    Setting("MAIL_SECURITY", "", str, "`starttls`, `tls` or `none` (the default on loopback only)"),
    Setting("MAIL_USERNAME", "", str, "user at the SMTP server, if it wants one"),
    Setting("MAIL_PASSWORD", "", str, "its password"),
    Setting("MAIL_RATE", 0, int, "most mails in a minute, of all processes; 0: no limit"),
    Setting("MAIL_SENDER", "", str, "address that the portal writes from"),
    Setting("COMPLAINT_DAYS", 30, int, "calendar days to answer a complaint (TIQV)"),
    Setting("BILLING_CORRECTION_DAYS", 60, int, "calendar days to correct a bill (TIQV)"),
    Setting("UPLOAD_MB", 256, int, "most MiB that an operator may send at once to «Caricamenti»"),
    Setting("BACKUP_DIR", "", str, "folder of the backups; empty: `backup` in the data folder"),
    Setting("BACKUP_DAYS", 14, int, "days after which a backup is removed"),
    Setting("KEEP_MAIL_DAYS", 90, int, "days that mail is kept once sent; undelivered twice that"),
    Setting("KEEP_FILES_DAYS", 180, int, "days that exchanged files and their reports are kept"),
    Setting("KEEP_ACCESSES_MONTHS", 24, int, "months that accesses and changes are remembered"),
    Setting("KEEP_HISTORY_YEARS", 10, int, "years that the rest of «Storico» is kept"),
    Setting("KEEP_MEASURES_YEARS", 0, int, "years that measures are kept; 0: for ever"),
    Setting("DEMO", False, bool, "internal: set by `make demo`, refused in production"),
)


KEPT = {  # the least that the portal itself needs, and the most
    "KEEP_MAIL_DAYS": (30, 3650),
    "KEEP_FILES_DAYS": (30, 3650),
    "KEEP_ACCESSES_MONTHS": (1, 120),
    "KEEP_HISTORY_YEARS": (2, 30),
    "KEEP_MEASURES_YEARS": (0, 30),
}


def read_settings(overrides=None):
    """The settings by name: `overrides`, else the environment, else `.env`, else the default."""
    given = {**dotenv_values(Path(__file__).with_name(".env")), **os.environ}
    values = {}
    for setting in SETTINGS:
        text = given.get(f"PORTALE_{setting.name}")
        if overrides and setting.name in overrides:
            values[setting.name] = overrides[setting.name]
        elif text is None or text.strip() == "":
            values[setting.name] = setting.kind(setting.default)
        elif setting.kind is bool:
            values[setting.name] = text.strip().lower() in {"1", "true", "yes", "s"}
        else:
            try:
                values[setting.name] = setting.kind(text.strip())
            except ValueError:
                raise ConfigurationError(
                    f"PORTALE_{setting.name}: {text!r} non è un numero."
                ) from None
    return complete(values)


def complete(values):
    """Fill in what follows from other settings, and refuse what must not run."""
    development = values["ENV"] == "development"
    if values["ENV"] not in {"production", "development"}:
        raise ConfigurationError("PORTALE_ENV: scegli «production» o «development».")
    if values["PROXY_HOPS"] < 0:
        raise ConfigurationError("PORTALE_PROXY_HOPS: serve un numero da 0 in su.")
    for name in ("COMPLAINT_DAYS", "BILLING_CORRECTION_DAYS"):
        if not 1 <= values[name] <= 365:
            raise ConfigurationError(f"PORTALE_{name}: serve un numero di giorni da 1 a 365.")
    if values["DATABASE_CONNECTIONS"] < 1:
        raise ConfigurationError("PORTALE_DATABASE_CONNECTIONS: serve un numero da 1 in su.")
    if values["MAIL_RATE"] < 0:
        raise ConfigurationError("PORTALE_MAIL_RATE: serve un numero da 0 in su.")
    if not 16 <= values["UPLOAD_MB"] <= 4096:
        raise ConfigurationError("PORTALE_UPLOAD_MB: serve un numero da 16 a 4096.")
    if values["BACKUP_DAYS"] < 1:
        raise ConfigurationError("PORTALE_BACKUP_DAYS: serve un numero di giorni da 1 in su.")
    for name, (least, most) in KEPT.items():
        if not least <= values[name] <= most:
            raise ConfigurationError(f"PORTALE_{name}: serve un numero da {least} a {most}.")
    if values["TAL_0050"] and not values["UTILITY_VAT"]:
        raise ConfigurationError("PORTALE_TAL_0050: serve anche PORTALE_UTILITY_VAT.")
    values["DATA_DIR"] = Path(values["DATA_DIR"]).resolve()
    values["BACKUP_DIR"] = Path(values["BACKUP_DIR"] or values["DATA_DIR"] / "backup").resolve()
    overrides = values["OVERRIDES_DIR"] or values["DATA_DIR"] / "personalizza"
    values["OVERRIDES_DIR"] = Path(overrides).resolve()
    if not values["DATABASE_URL"]:
        values["DATABASE_URL"] = f"sqlite:///{values['DATA_DIR'] / 'portale.db'}"
    if development:
        values["SECRET_KEY"] = values["SECRET_KEY"] or secrets.token_urlsafe(32)
        values["BASE_URL"] = values["BASE_URL"] or "http://127.0.0.1:8000"
    address = urlsplit(values["BASE_URL"])
    if not development:
        if values["DEMO"]:
            raise ConfigurationError("La dimostrazione non si avvia in produzione.")
        if len(values["SECRET_KEY"]) < 32:
            raise ConfigurationError(
                "PORTALE_SECRET_KEY: servono almeno 32 caratteri casuali, ad esempio da "
                "«python3 -c 'import secrets; print(secrets.token_urlsafe(48))'»."
            )
        if address.scheme != "https" or not address.hostname or address.hostname in LOOPBACK:
            raise ConfigurationError(
                "PORTALE_BASE_URL: serve l'indirizzo pubblico del portale, «https://…»."
            )
    values["BASE_URL"] = values["BASE_URL"].rstrip("/")
    if not values["MAIL_SECURITY"]:
        if values["MAIL_SERVER"] not in LOOPBACK:
            raise ConfigurationError(
                "PORTALE_MAIL_SECURITY: con un server di posta remoto scegli «starttls» o «tls» "
                "(«none» solo se la rete fino al server è fidata)."
            )
        values["MAIL_SECURITY"] = "none"
    if values["MAIL_SECURITY"] not in {"starttls", "tls", "none"}:
        raise ConfigurationError("PORTALE_MAIL_SECURITY: scegli «starttls», «tls» o «none».")
    values["BROWSER_LANGUAGES"] = followed_languages(values["BROWSER_LANGUAGES"])
    values["MAIL_SENDER"] = values["MAIL_SENDER"] or f"portale@{address.hostname or 'localhost'}"
    return values


def followed_languages(text):
    """`de, en` as a tuple; Italian goes without saying."""
    codes = tuple(text.replace(",", " ").lower().split())
    if not LANGUAGES.keys() >= set(codes):
        raise ConfigurationError("PORTALE_BROWSER_LANGUAGES: scegli tra «de» e «en».")
    return codes


def create_app(overrides=None, *, any_release=False):
    """The WSGI application. `overrides` replaces settings by name (tests, demo).

    It starts only on an archive of this release, unless it is for a job, which asks by itself.
    """
    app = Flask(__name__, static_folder=None)
    app.request_class = files.Request
    app.config.update(read_settings(overrides))
    dress(app.config)
    production = app.config["ENV"] == "production"
    app.config.update(
        SESSION_COOKIE_NAME="__Host-portale" if production else "portale",
        SESSION_COOKIE_SECURE=production,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=64 * 1024,
        MAX_UPLOAD_LENGTH=16 * 1024 * 1024,  # of the views that take files
        MAX_FORM_MEMORY_SIZE=64 * 1024,
        MAX_FORM_PARTS=50,
        WTF_CSRF_TIME_LIMIT=12 * 3600,
        WTF_CSRF_SSL_STRICT=False,  # Sec-Fetch-Site is checked below, by every browser we serve
        TRUSTED_HOSTS=trusted_hosts(app.config),
        BABEL_DEFAULT_TIMEZONE="Europe/Rome",
    )
    app.ensure_sync = lambda view: view  # none is a coroutine; looking each time costs
    app.jinja_environment = compiling.PortalEnvironment
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    if app.config["PROXY_HOPS"]:
        hops = app.config["PROXY_HOPS"]
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)
    language.init_app(app)
    open_archive(app)
    if not any_release:
        refuse_another_release()
        for warning in app.config["BRANDING"].warnings:  # a job leaves them to jobs.check
            log.warning("%s", warning)
    mail.init_app(app)
    guard_requests(app)
    access.init_app(app)
    errors.init_app(app)
    views.init_app(app)
    add_headers(app)
    return app


def dress(config):
    """Add what the utility puts in place of the portal's own."""
    config["BRANDING"] = found = branding.read(config)
    config["UTILITY_CONTACTS"] = config["UTILITY_CONTACTS"] or branding.summary(found)


def trusted_hosts(config):
    """Host names that requests may carry; the others are answered with 400."""
    host = urlsplit(config["BASE_URL"]).hostname
    return [host, *LOOPBACK] if config["ENV"] == "development" else [host]


def open_archive(app):
    """Bind the database, and hand connections back after each request."""
    bind_archive(app.config)

    @app.teardown_appcontext
    def hand_back(_exception):
        if not models.db.is_closed():
            models.db.close()


def refuse_another_release():
    """Rather than fail page by page. An archive that does not answer may do so in a minute."""
    try:
        schema.refuse_another_release()
    except Refused as refusal:
        raise ConfigurationError(str(refusal)) from None
    except health.UNREACHABLE as error:
        log.error("starting without the archive: %s", error)
    finally:
        models.db.close_all()  # the first visitor may be a minute away


def bind_archive(config):
    """Make the folders of the archive and bind its database."""
    for folder in ("inbox/allegati", "outbox/presi", "documents/ticket", "uploads"):
        (config["DATA_DIR"] / folder).mkdir(parents=True, exist_ok=True)
    connections.connect(config["DATABASE_URL"], connections=config["DATABASE_CONNECTIONS"])


def guard_requests(app):
    """CSRF token on every unsafe request, none that another site started, no body but a form's."""
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False  # checked here, so that reading costs nothing
    csrf = CSRFProtect(app)
    cookies.init_app(app)

    @app.before_request
    def refuse_what_no_form_of_ours_sent():
        if request.method not in access.UNSAFE:
            return
        if request.is_json:  # Flask-WTF would read it as a form, and fail at any other shape
            raise UnsupportedMediaType
        view = app.view_functions.get(request.endpoint)
        room = files.room(view)
        if room:
            make_room_for_files(room, app.config["MAX_FORM_MEMORY_SIZE"])
        if app.config["WTF_CSRF_ENABLED"]:
            if request.headers.get("Sec-Fetch-Site") == "cross-site":
                raise BadRequest
            if not (getattr(view, "by_address_alone", False) and is_one_click()):
                csrf.protect()


def is_one_click():
    """Whether this is what a mail program sends to end the notices of a mail (RFC 8058)."""
    return request.form.get("List-Unsubscribe") == "One-Click"


def make_room_for_files(limit, usual):
    """Let this request have `limit` bytes; read past what is larger still."""
    request.max_content_length = limit
    # Werkzeug reads 64 KiB at a time and counts what is left from before: with no more room
    # than that a good file fails wherever its bytes happen to look like a boundary.
    request.max_form_memory_size = 2 * usual
    # A browser that is still sending shows no answer, only that the connection was cut.
    if limit < (request.content_length or 0) <= 4 * limit:
        while request.environ["wsgi.input"].read(64 * 1024):
            pass


PAGE = ("Content-Type", "text/html; charset=utf-8")
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def add_headers(app):
    """Headers of every answer; a view that sets one of them itself keeps its own.

    Around the app rather than in it: Flask's header lists search themselves for each name,
    which costs more than a query.
    """
    headers = dict(SECURITY_HEADERS)
    if app.config["ENV"] == "production":
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    private = [*headers.items(), ("Cache-Control", "no-store")]
    names = {name.lower() for name, _value in private}
    inner = app.wsgi_app

    def protected(environ, start_response):
        def start(status, given, exc_info=None):
            own = {name.lower() for name, _value in given} & names
            added = [pair for pair in private if pair[0].lower() not in own] if own else private
            if PAGE in given:
                added = [*added, ("Content-Language", current_language())]
            return start_response(status, [*given, *added], exc_info)

        return inner(environ, start)

    app.wsgi_app = protected


if __name__ == "__main__":  # asked by systemd before it starts the server's processes
    try:
        create_app()
    except ConfigurationError as problem:
        raise SystemExit(f"Il portale non parte. {problem}") from None
