"""The values that docs/security.md tells: headers, cookies, limits, times and parameters."""

import datetime as dt
from pathlib import Path

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type

import models
from app import SECURITY_HEADERS, create_app, read_settings
from domain import attachments, credentials, operator_sessions, sessions
from domain.mail import transport
from models import Account
from tests.factories import PASSWORD, make_account, make_operator
from views import files

DOCUMENT = Path(__file__).parents[2] / "docs" / "security.md"
ADDRESS = "https://portale.example.it"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
KB, MB = 1024, 1024 * 1024


@pytest.fixture
def production(settings):
    """The portal as it is installed, behind one proxy that speaks TLS."""
    app = create_app({**settings, "ENV": "production", "BASE_URL": ADDRESS, "PROXY_HOPS": 1})
    with app.app_context():
        yield app
    models.db.close_all()


def cookies_of(answer):
    """The attributes of each cookie that an answer sets, by its name."""
    parts = [line.split("; ") for line in answer.headers.getlist("Set-Cookie")]
    return {first.partition("=")[0]: set(attributes) for first, *attributes in parts}


@pytest.mark.parametrize(
    "path", ["/login", "/staff/login", "/health", "/nessuna", "/static/x/style.css"]
)
def test_every_answer_carries_the_headers(production, path):
    answer = production.test_client().get(path, base_url=ADDRESS)
    for name, value in HEADERS.items():
        assert answer.headers.getlist(name) == [value], name
    assert set(SECURITY_HEADERS) == HEADERS.keys() - {"Strict-Transport-Security"}


def test_without_tls_nothing_speaks_of_it(client):
    assert "Strict-Transport-Security" not in client.get("/login").headers


@pytest.mark.parametrize(
    ("path", "make"), [("/login", make_account), ("/staff/login", make_operator)]
)
def test_cookies_are_for_this_host_over_tls_and_out_of_reach_of_scripts(production, path, make):
    production.config["WTF_CSRF_ENABLED"] = False
    data = {"username": make().username, "password": PASSWORD}
    cookies = cookies_of(production.test_client().post(path, base_url=ADDRESS, data=data))
    assert "__Host-portale" in cookies
    for name, attributes in cookies.items():
        assert name.startswith("__Host-"), name
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= attributes, name
        assert not [each for each in attributes if each.startswith("Domain")], name


def test_in_development_the_cookie_has_a_plain_name(client):
    (attributes,) = [
        attributes
        for name, attributes in cookies_of(client.get("/login")).items()
        if name == "portale"
    ]
    assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= attributes
    assert "Secure" not in attributes


def test_how_long_sessions_last():
    minute, hour = dt.timedelta(minutes=1), dt.timedelta(hours=1)
    assert (30 * minute, 12 * hour) == (sessions.IDLE, sessions.ABSOLUTE)
    assert (15 * minute, 8 * hour) == (operator_sessions.IDLE, operator_sessions.ABSOLUTE)


def test_how_passwords_are_kept(app):
    kept = extract_parameters(Account.get_by_id(make_account().id).password_hash)
    assert (kept.type, kept.memory_cost, kept.time_cost, kept.parallelism) == (Type.ID, 19456, 2, 1)


def test_how_mailed_secrets_are_kept():
    assert (credentials.LENGTH, credentials.MOST_ALIVE) == (24, 3)
    assert dt.timedelta(hours=6) == credentials.RECOVERY
    key = credentials.key("una-chiave-di-prova")
    assert len(key) == 32  # SHA-256
    assert key != credentials.key("un'altra-chiave-di-prova")


def test_how_much_a_request_may_hold(app):
    config = app.config
    assert (config["MAX_CONTENT_LENGTH"], config["MAX_UPLOAD_LENGTH"]) == (64 * KB, 16 * MB)
    assert config["MAX_FORM_PARTS"] == 50
    assert (attachments.LARGEST, attachments.MOST) == (5 * MB, 3)
    assert attachments.QUOTA == 50 * MB


def test_what_is_larger_is_refused(client):
    assert client.post("/login", data={"username": "x" * 64 * KB}).status_code == 413
    parts = {f"f{n}": "x" for n in range(51)}
    form = {"content_type": "multipart/form-data", "data": parts}
    assert client.post("/login", **form).status_code == 413


def test_a_stranger_never_sends_more_than_a_form(app):
    taking = [view for view in app.view_functions.values() if hasattr(view, "takes_files")]
    assert taking
    with app.test_request_context("/"):
        assert [files.room(view) for view in taking] == [None] * len(taking)


def test_how_long_a_mail_server_is_waited_for():
    assert transport.TIMEOUT == 10


def test_proxies_are_believed_only_where_they_are_configured():
    assert read_settings({"ENV": "development"})["PROXY_HOPS"] == 0


def test_the_document_tells_these_values():
    text = DOCUMENT.read_text()
    assert f"`{POLICY}`" in text
    for name, value in HEADERS.items():
        assert name == "Content-Security-Policy" or f"`{name}: {value}`" in text, name
    for told in (
        "`__Host-portale`", "30 minuti", "12 ore", "15 minuti", "8 ore", "19456", "64 KiB",
        "16 MiB", "50 parti", "10 secondi", "HMAC-SHA256",
    ):  # fmt: skip
        assert told in text, told
