"""Starting the portal: what the settings allow, and what every answer carries."""

from pathlib import Path

import pytest

from app import ConfigurationError, create_app, read_settings

PRODUCTION = {
    "ENV": "production",
    "SECRET_KEY": "x" * 48,
    "BASE_URL": "https://portale.example.it",
}


def refusal(**changes):
    with pytest.raises(ConfigurationError) as refused:
        read_settings({**PRODUCTION, **changes})
    return str(refused.value)


def test_production_is_the_default(monkeypatch):
    monkeypatch.delenv("PORTALE_ENV", raising=False)
    settings = read_settings({key: value for key, value in PRODUCTION.items() if key != "ENV"})
    assert settings["ENV"] == "production"


@pytest.mark.parametrize("key", ["", "breve", "x" * 31])
def test_production_refuses_a_short_secret_key(key):
    assert "PORTALE_SECRET_KEY" in refusal(SECRET_KEY=key)


@pytest.mark.parametrize(
    "address", ["", "http://portale.example.it", "https://127.0.0.1", "https://localhost", "https:"]
)
def test_production_refuses_an_address_that_is_not_public(address):
    assert "PORTALE_BASE_URL" in refusal(BASE_URL=address)


def test_production_refuses_the_demo():
    assert "dimostrazione" in refusal(DEMO=True).lower()


@pytest.mark.parametrize("name", ["COMPLAINT_DAYS", "BILLING_CORRECTION_DAYS"])
@pytest.mark.parametrize("days", [0, -1, 366])
def test_a_deadline_is_a_number_of_days(name, days):
    assert f"PORTALE_{name}" in refusal(**{name: days})
    assert read_settings({**PRODUCTION, name: 1})[name] == 1


@pytest.mark.parametrize(
    ("text", "followed"),
    [("", ()), ("de", ("de",)), (" DE, en ", ("de", "en")), ("de en", ("de", "en"))],
)
def test_the_languages_of_browsers_that_are_followed(text, followed):
    assert read_settings({**PRODUCTION, "BROWSER_LANGUAGES": text})["BROWSER_LANGUAGES"] == followed


@pytest.mark.parametrize("text", ["fr", "de;en", "*", "de-DE"])
def test_other_languages_cannot_be_followed(text):
    assert "PORTALE_BROWSER_LANGUAGES" in refusal(BROWSER_LANGUAGES=text)


@pytest.mark.parametrize("name", ["BACKUP_DAYS", "DATABASE_CONNECTIONS"])
def test_what_is_counted_is_one_at_least(name):
    assert f"PORTALE_{name}" in refusal(**{name: 0})
    assert read_settings({**PRODUCTION, name: 1})[name] == 1


def test_backups_go_to_the_data_folder_unless_told_otherwise(tmp_path):
    given = {**PRODUCTION, "DATA_DIR": tmp_path}
    assert read_settings(given)["BACKUP_DIR"] == tmp_path / "backup"
    assert read_settings({**given, "BACKUP_DIR": "/altrove"})["BACKUP_DIR"] == Path("/altrove")


def test_requests_to_distributors_need_the_number_of_who_asks():
    assert "PORTALE_UTILITY_VAT" in refusal(TAL_0050=True, UTILITY_VAT="")
    assert read_settings({**PRODUCTION, "TAL_0050": True, "UTILITY_VAT": "01234567890"})["TAL_0050"]


def test_a_remote_mail_server_needs_a_choice_of_security():
    assert "PORTALE_MAIL_SECURITY" in refusal(MAIL_SERVER="smtp.example.it")
    allowed = read_settings(
        {**PRODUCTION, "MAIL_SERVER": "smtp.example.it", "MAIL_SECURITY": "tls"}
    )
    assert allowed["MAIL_SECURITY"] == "tls"


def test_mail_on_loopback_needs_no_security():
    assert read_settings(PRODUCTION)["MAIL_SECURITY"] == "none"


def test_settings_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("PORTALE_UTILITY_NAME", "Energia di Prova")
    monkeypatch.setenv("PORTALE_MAIL_PORT", "2525")
    settings = read_settings(PRODUCTION)
    assert settings["UTILITY_NAME"] == "Energia di Prova"
    assert settings["MAIL_PORT"] == 2525


def test_a_number_that_is_none_is_refused_by_name(monkeypatch):
    monkeypatch.setenv("PORTALE_MAIL_PORT", "venticinque")
    with pytest.raises(ConfigurationError, match="PORTALE_MAIL_PORT"):
        read_settings(PRODUCTION)


def test_every_answer_is_protected(client):
    for path in ("/login", "/static/x/style.css", "/non-esiste", "/"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"], path
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Referrer-Policy"] == "same-origin", path
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin", path
        assert len(headers.getlist("Cache-Control")) == 1, path


def test_pages_are_never_stored(client):
    assert client.get("/login").headers["Cache-Control"] == "no-store"


def test_cookies_in_production_are_bound_to_the_host(settings):
    app = create_app({**settings, **PRODUCTION})
    answer = app.test_client().get("/login", base_url="https://portale.example.it")
    cookie = next(
        c for c in answer.headers.getlist("Set-Cookie") if c.startswith("__Host-portale=")
    )
    for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert word in cookie
    assert "Domain" not in cookie
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]
