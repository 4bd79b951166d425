"""To the SMTP server; in the demonstration, to a folder.

Flask-Mail's connection with what it lacks: a limit to every wait, a server whose
certificate is verified, and an account of what a failure means for the mail.
"""

import contextlib
import os
import smtplib
import ssl
from urllib.parse import urlsplit

import flask_mail
from flask import current_app

TIMEOUT = 10.0  # seconds, for each answer of the server


class Undeliverable(Exception):
    """This mail will never be taken."""


class Deferred(Exception):
    """This mail was not taken now."""


class ServerTrouble(Exception):
    """The server takes no mail now, neither this one nor the next."""


class Uncertain(ServerTrouble):
    """The text had left when the connection broke: it may have been taken."""


def init_app(app):
    security = app.config["MAIL_SECURITY"]
    app.config.update(
        MAIL_USE_TLS=security == "starttls",
        MAIL_USE_SSL=security == "tls",
        MAIL_DEFAULT_SENDER=app.config["MAIL_SENDER"],
        MAIL_SUPPRESS_SEND=False,
        MAIL_DEBUG=0,  # it would print the secrets
    )
    flask_mail.Mail(app)


def connect():
    """A context: something with `send(message)`, `answer`; ServerTrouble if it cannot be."""
    kind = FolderConnection if current_app.config["DEMO"] else Connection
    return kind(current_app.extensions["mail"])


class Smtp(smtplib.SMTP):
    """Tells a text that was refused from one that was cut off; keeps the last answer."""

    answer = ""

    def data(self, text):
        try:
            code, reply = super().data(text)
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            raise Uncertain(f"nessuna risposta dopo l'invio del testo ({error})") from error
        self.answer = described(code, reply)
        return code, reply


class SmtpTls(Smtp, smtplib.SMTP_SSL):
    """The same inside TLS from the first byte."""


class Connection(flask_mail.Connection):
    def __enter__(self):
        try:
            return super().__enter__()
        except smtplib.SMTPNotSupportedError as error:
            raise ServerTrouble(f"il server non offre quanto richiesto: {error}") from error
        except smtplib.SMTPResponseException as error:
            raise ServerTrouble(described(error.smtp_code, error.smtp_error)) from error
        except (OSError, smtplib.SMTPException) as error:
            raise ServerTrouble(f"server di posta non raggiungibile: {error}") from error

    def __exit__(self, *reason):
        with contextlib.suppress(OSError, smtplib.SMTPException):  # it was only a good-bye
            super().__exit__(*reason)
        self.host.close()

    def configure_host(self):
        settings = self.mail
        kind, options = Smtp, {}
        if settings.use_ssl:
            kind, options = SmtpTls, {"context": ssl.create_default_context()}
        host = kind(
            settings.server,
            settings.port,
            local_hostname=urlsplit(current_app.config["BASE_URL"]).hostname,
            timeout=TIMEOUT,
            **options,
        )
        try:
            if settings.use_tls:
                host.starttls(context=ssl.create_default_context())
            if settings.username:
                host.login(settings.username, settings.password)
        except BaseException:
            host.close()
            raise
        return host

    @property
    def answer(self):
        """What the server said to the last mail that it took."""
        return self.host.answer

    def send(self, message, envelope_from=None):
        """Hand over `message`, or raise one of this module's exceptions."""
        try:
            super().send(message, envelope_from or message.sender[1])
        except smtplib.SMTPRecipientsRefused as error:
            ((code, reply),) = error.recipients.values()
            raise meaning(code)(described(code, reply)) from error
        except smtplib.SMTPSenderRefused as error:  # ours: it would be refused for every mail
            raise ServerTrouble(described(error.smtp_code, error.smtp_error)) from error
        except smtplib.SMTPResponseException as error:
            raise meaning(error.smtp_code)(described(error.smtp_code, error.smtp_error)) from error
        except (smtplib.SMTPException, OSError) as error:
            raise ServerTrouble(f"connessione interrotta: {error}") from error


def meaning(code):
    """The exception for a refusal with `code` (RFC 5321, 4.2.1)."""
    if code == 421:  # the server is about to leave
        return ServerTrouble
    return Undeliverable if code >= 500 else Deferred


def described(code, reply):
    return f"{code} {reply.decode('utf-8', 'replace') if isinstance(reply, bytes) else reply}"


class FolderConnection:
    """Keeps each message as a file that the demonstration shows."""

    def __init__(self, _mail):
        self.folder = current_app.config["DATA_DIR"] / "posta"
        self.answer = ""

    def __enter__(self):
        self.folder.mkdir(exist_ok=True)
        return self

    def __exit__(self, *reason):
        pass

    def send(self, message, envelope_from=None):
        name = message.msgId.strip("<>").partition("@")[0]
        unfinished = self.folder / f".{name}"
        unfinished.write_bytes(message.as_bytes())
        os.replace(unfinished, self.folder / f"{name}.eml")
        self.answer = f"posta/{name}.eml"
