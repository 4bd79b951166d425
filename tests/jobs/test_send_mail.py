"""The job that sends what waits, as cron and as an administrator run it."""

import pytest

from domain import mail
from domain.clock import utcnow
from domain.mail import outbox
from models import OutgoingMail
from tests import smtp
from tests.factories import make_account
from tests.jobs import process

pytestmark = pytest.mark.processes


@pytest.fixture
def waiting_mail(app):
    account = make_account(email="rosa@example.it")
    return mail.queue("password_changed", account.email, account=account, now=utcnow())


def test_it_sends_what_waits(waiting_mail, settings):
    with smtp.serving() as server:
        done = process.job(settings, "send_mail", MAIL_PORT=server.port)
        (message,) = server.messages()
    assert message["To"] == "rosa@example.it"
    assert done.returncode == 0
    assert done.stdout.endswith(" Inviate 1, rinviate 0, non recapitabili 0.\n")
    assert OutgoingMail.get().state == "sent"


def test_while_the_server_is_down_it_says_so(waiting_mail, settings):
    done = process.job(settings, "send_mail")
    assert done.returncode == 75
    assert "Inviate 0, rinviate 1" in done.stdout
    assert "server di posta non raggiungibile" in done.stdout
    assert OutgoingMail.get().state == "queued"


def test_a_mail_in_the_hands_of_another_is_left_alone_until_that_one_is_dead(
    waiting_mail, settings, app
):
    with smtp.serving() as server:
        app.extensions["mail"].port = server.port
        server.to_recipient["rosa@example.it"] = server.SILENT
        send = "    from domain import mail\n    wait()\n    mail.send_due()"
        with process.waiting(settings, send, MAIL_PORT=server.port) as portal:
            portal.stdin.write("go on\n")
            portal.stdin.flush()
            process.until(lambda: OutgoingMail.get().attempts == 1)
            done = process.job(settings, "send_mail", MAIL_PORT=server.port)
            assert done.stdout.endswith(" Inviate 0, rinviate 0, non recapitabili 0.\n")
        # leaving the block kills it, in the middle of the conversation with the server
        server.to_recipient.clear()
        assert mail.send_due().sent == 0
        assert mail.send_due(clock=lambda: utcnow() + outbox.LEASE).sent == 1
        assert len(server.messages()) == 1


def test_a_test_mail_tells_what_the_server_answered(app, settings):
    with smtp.serving() as server:
        server.to_text = "250 2.0.0 queued as 4711"
        done = process.job(settings, "send_mail", "--test", "io@example.it", MAIL_PORT=server.port)
        (message,) = server.messages()
    assert message["To"] == "io@example.it"
    assert "mail di prova" in message["Subject"]
    assert done.returncode == 0
    assert "250 2.0.0 queued as 4711" in done.stdout
    assert not OutgoingMail.select().exists()


@pytest.mark.parametrize(
    ("answer", "hint"), [("550 no such user", "550 no such user"), ("451 busy", "451 busy")]
)
def test_a_test_mail_that_is_refused_tells_why(app, settings, answer, hint):
    with smtp.serving() as server:
        server.to_recipient["io@example.it"] = answer
        done = process.job(settings, "send_mail", "--test", "io@example.it", MAIL_PORT=server.port)
    assert done.returncode == 1
    assert hint in done.stdout
    assert f"127.0.0.1:{server.port}" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_test_mail_with_the_server_down_or_a_wrong_address(app, settings):
    done = process.job(settings, "send_mail", "--test", "io@example.it")
    assert done.returncode == 1
    assert "non raggiungibile" in done.stdout
    with smtp.serving() as server:
        done = process.job(settings, "send_mail", "--test", "io", MAIL_PORT=server.port)
    assert done.returncode == 1
    assert "indirizzo non valido" in done.stdout
