"""How the portal speaks to the SMTP server: verified TLS or nothing, and never for ever."""

import datetime as dt
import shutil

import pytest
from aiosmtpd.smtp import AuthResult

from domain import mail
from domain.mail import transport
from models import OutgoingMail
from tests import smtp
from tests.conftest import required
from tests.factories import make_account

NOW = dt.datetime(2026, 11, 23, 8, 30, tzinfo=dt.UTC)


@pytest.fixture
def tls(tmp_path):
    """(path, context) of a certificate for `localhost` that nobody trusts yet."""
    if shutil.which("openssl") is None:
        required("no openssl program: apt-get install openssl")
    return smtp.certificate(tmp_path)


@pytest.fixture
def trusted(tls, monkeypatch):
    """The same, trusted by this machine."""
    path, context = tls
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return context


@pytest.fixture
def send_through(app):
    """`send_through(server, …)`: queue a mail and try it with these settings; the Tally."""

    def _send(server, **changes):
        app.config.update({"MAIL_SERVER": "localhost", "MAIL_PORT": server.port, **changes})
        transport.init_app(app)
        account = make_account()
        mail.queue("password_changed", account.email, account=account, now=NOW)
        return mail.send_due(clock=lambda: NOW)

    return _send


def test_starttls_with_a_certificate_that_holds(trusted, send_through):
    with smtp.serving(tls_context=trusted, require_starttls=True) as server:
        assert send_through(server, MAIL_SECURITY="starttls").sent == 1


def test_tls_with_a_certificate_that_holds(trusted, send_through):
    with smtp.serving(ssl_context=trusted) as server:
        assert send_through(server, MAIL_SECURITY="tls").sent == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_for_another_name_is_refused(trusted, send_through, security):
    options = {"tls": {"ssl_context": trusted}, "starttls": {"tls_context": trusted}}[security]
    with smtp.serving(**options) as server:
        tally = send_through(server, MAIL_SECURITY=security, MAIL_SERVER="127.0.0.1")
        assert tally.sent == 0
        assert "certificate" in tally.trouble
        assert server.taken.empty()


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_vouches_for_is_refused(tls, send_through, security):
    _path, context = tls
    options = {"tls": {"ssl_context": context}, "starttls": {"tls_context": context}}[security]
    with smtp.serving(**options) as server:
        assert "certificate" in send_through(server, MAIL_SECURITY=security).trouble
        assert server.taken.empty()


def test_without_the_starttls_that_was_asked_for_nothing_is_sent(send_through):
    with smtp.serving() as server:
        tally = send_through(server, MAIL_SECURITY="starttls")
        assert tally.sent == 0
        assert "STARTTLS" in tally.trouble
        assert server.taken.empty()


def only(user, password):
    def check(_server, _session, _envelope, _mechanism, given):
        right = (given.login, given.password) == (user.encode(), password.encode())
        return AuthResult(success=right, handled=False)

    return check


@pytest.mark.parametrize(("password", "sent"), [("gatto-verde", 1), ("sbagliata", 0)])
def test_user_and_password_at_the_server(trusted, send_through, caplog, password, sent):
    options = {"authenticator": only("portale", "gatto-verde"), "auth_required": True}
    with smtp.serving(tls_context=trusted, require_starttls=True, **options) as server:
        tally = send_through(
            server, MAIL_SECURITY="starttls", MAIL_USERNAME="portale", MAIL_PASSWORD=password
        )
    assert tally.sent == sent
    assert bool(tally.trouble) is not bool(sent)
    assert password not in f"{tally.trouble}{caplog.text}"
    if not sent:
        assert OutgoingMail.get().state == "queued"  # the settings are wrong, not the mail


def test_a_server_that_wants_a_password_we_do_not_have(trusted, send_through):
    options = {"authenticator": only("portale", "gatto-verde"), "auth_required": True}
    with smtp.serving(tls_context=trusted, require_starttls=True, **options) as server:
        assert "530" in send_through(server, MAIL_SECURITY="starttls").trouble
    assert OutgoingMail.get().state == "queued"


def test_a_server_that_never_starts_tls_is_left_after_the_timeout(send_through, monkeypatch):
    monkeypatch.setattr(transport, "TIMEOUT", 0.2)
    with smtp.silent() as port:
        tally = send_through(type("Server", (), {"port": port}), MAIL_SECURITY="tls")
    assert "non raggiungibile" in tally.trouble


def test_each_answer_may_take_ten_seconds():
    assert transport.TIMEOUT == 10


def test_the_envelope_carries_the_bare_sender(app, send_through):
    with smtp.serving() as server:
        send_through(server, UTILITY_NAME='Luce, "Gas"', MAIL_SENDER="portale@example.it")
        (message,) = server.messages()
    assert message.envelope_from == "portale@example.it"


def test_in_the_demonstration_mail_goes_to_a_folder(settings, send_through):
    with smtp.serving() as server:
        assert send_through(server, DEMO=True).sent == 1
        assert server.taken.empty()
    (kept,) = (settings["DATA_DIR"] / "posta").iterdir()
    assert kept.suffix == ".eml"
    assert b"Password cambiata" in kept.read_bytes()
