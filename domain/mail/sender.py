"""Sending what is due, from the job or from the background thread of a web process."""

import json
import logging
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass

import peewee as pw
from flask import current_app

from domain import credentials, email_links, mandate_links
from domain.clock import utcnow
from domain.mail import messages, outbox, transport
from models import OutgoingMail, db, writing

log = logging.getLogger("portale.mail")

PAUSE = 0.2  # seconds between a kick and the work, which the answer on its way need not share


@dataclass
class Tally:
    """What became of the mails; `trouble` is why the server took no more."""

    sent: int = 0
    postponed: int = 0
    failed: int = 0
    trouble: str = ""


def send_due(*, clock=utcnow, bulk=True):
    """Send every mail that is due, without `bulk` only what one customer waits for.

    Returns a Tally. `clock` gives the time at each step.
    """
    tally = Tally()
    while send_batch(tally, clock, bulk):
        pass
    return tally


def send_batch(tally, clock, bulk=True):
    """Send through one connection until a mail fails; whether to go on with another."""
    rate = current_app.config["MAIL_RATE"]
    row = outbox.claim(now=clock(), rate=rate, bulk=bulk)
    if row is None:
        return False
    try:
        with transport.connect() as connection:
            while row is not None:
                if not attempt(row, connection, tally, clock):
                    return not tally.trouble
                row = outbox.claim(now=clock(), rate=rate, bulk=bulk)
    except transport.ServerTrouble as trouble:  # of connecting: it says nothing of this mail
        outbox.postpone(row, trouble, now=clock(), wait=outbox.SOON)
        tally.postponed += 1
        tally.trouble = outbox.plain(trouble)
    return False


def attempt(row, connection, tally, clock):
    """Try to send `row`, note and count what came of it; whether to go on with the next."""
    try:
        if outbox.withdrawn(row):
            return True
        with fresh_secret(row, now=clock()) as secret:
            connection.send(messages.compose(row, secret, now=clock()))
    except transport.Undeliverable as refusal:
        outbox.give_up(row, refusal)
        tally.failed += 1
    except Exception as error:
        outbox.postpone(row, error, now=clock())
        tally.postponed += 1
        if isinstance(error, transport.ServerTrouble):
            tally.trouble = outbox.plain(error)
        elif not isinstance(error, transport.Deferred):
            log.exception("mail %s (%s)", row.id, row.kind)
    else:
        note_sent(row, clock)
        tally.sent += 1
        return True
    return False


@contextmanager
def fresh_secret(row, *, now):
    """The secret that `row` carries, if any; taken back when the mail surely did not leave."""
    lifetime = messages.LIFETIMES.get(row.kind)
    if lifetime is None:
        yield None
        return
    key = credentials.key(current_app.config["SECRET_KEY"])
    if row.kind in LINKS:
        yield link(row, now=now, key=key)
        return
    with writing():
        if row.account.disabled_at or row.account.email != row.recipient:
            raise transport.Undeliverable("l'accesso è chiuso o ha ora un altro indirizzo")
        secret = credentials.issue(row.account, now=now, key=key, lifetime=lifetime)
    try:
        yield secret
    except transport.Uncertain:
        raise
    except Exception:
        unsent = credentials.find(row.account.username, secret, now=now, key=key)
        if unsent is not None:
            unsent.delete_instance()
        raise


LINKS = {
    "email_change": lambda row, **how: email_links.make(row.account, row.recipient, **how),
    "mandate_invitation": lambda row, **how: mandate_links.make(
        json.loads(row.params)["mandate"], row.recipient, **how
    ),
}


def link(row, *, now, key):
    """The token of a link, which nobody has to take back: it is not kept."""
    token = LINKS[row.kind](row, now=now, key=key)
    if token is None:
        raise transport.Undeliverable("la richiesta è stata annullata o sostituita")
    return token


def note_sent(row, clock):
    """Insist, as long as the lease holds: what is not noted would be sent again."""
    for patience in (1, 5, 10, 30, None):
        try:
            return outbox.mark_sent(row, now=clock())
        except pw.OperationalError:
            if patience is None:
                raise
            log.warning("mail %s was sent, the archive is busy: noting it later", row.id)
            db.close()
            time.sleep(patience)


def send_test(recipient, *, now):
    """Send a test mail at once; return what the server answered, or raise what went wrong."""
    row = OutgoingMail(id=0, kind="test", recipient=recipient, created_at=now)
    with transport.connect() as connection:
        connection.send(messages.compose(row, now=now))
        return connection.answer


class BackgroundSender:
    """The thread of a web process that sends what was just queued; started at the first kick."""

    def __init__(self, app):
        self._app = app
        self._kicked = threading.Event()
        self._starting = threading.Lock()
        self._thread = None

    def kick(self):
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="mail", daemon=True)
                self._thread.start()
        self._kicked.set()

    def _run(self):
        while True:
            self._kicked.wait()
            time.sleep(PAUSE)
            self._kicked.clear()  # before looking: what comes meanwhile is looked for again
            try:
                with self._app.app_context():
                    send_due(bulk=False)  # the rest is for the job: a page waits for nobody
            except Exception:
                log.exception("the mail waits for jobs.send_mail")


def init_app(app):
    transport.init_app(app)
    app.config.setdefault("MAIL_IN_BACKGROUND", True)  # jobs and most tests: False
    app.extensions["background_sender"] = BackgroundSender(app)


def kick():
    """Let the background sender of this process look at the queue; never waits."""
    if current_app and current_app.config["MAIL_IN_BACKGROUND"]:
        current_app.extensions["background_sender"].kick()
