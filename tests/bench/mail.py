"""Mail for 50,000 customers: putting it into the queue, and taking one out with all waiting."""

import datetime as dt
import time
from pathlib import Path
from statistics import median

from playhouse.migrations import Runner

import models
from domain import connections, mail
from domain.mail import outbox
from models import OutgoingMail, db
from tests.bench import archive

ACCOUNTS = 50_000
ROUNDS = 3
CLAIMS = 200
NOW = dt.datetime(2026, 11, 23, 9, 30, tzinfo=dt.UTC)
TOLD = {
    "due": "28/11/2026",
    "invoices": [
        {"number": "2026/1042", "due": "28/11/2026", "amount": "123,45 €", "credit": False}
    ],
    "more": 0,
}


def build(folder):
    """An archive with as many logins."""
    folder.mkdir(parents=True, exist_ok=True)
    fresh = not (folder / "portale.db").exists()
    database = connections.connect(f"sqlite:///{folder / 'portale.db'}")
    Runner(database, archive.MIGRATIONS).up()
    if fresh:
        with database.atomic():
            database.execute_sql(
                archive.NUMBERS + "INSERT INTO account (id, username, email, created_at) "
                "SELECT i, printf('%06d', i), 'cliente' || i || '@example.it', "
                "'2026-01-01 00:00:00' FROM n",
                (ACCOUNTS,),
            )


def run(root=Path("bench-data")):
    """Rows of (what, per second, anchor's per second, ratio, promise)."""
    build((root / "mail").resolve())
    ours, bare = [], []
    for _round in range(ROUNDS):
        empty()
        bare.append(seconds(by_hand))
        empty()
        ours.append(seconds(queue_all))
    alone = claims_a_second(1 + CLAIMS)
    queue_all()
    among_many = claims_a_second(ACCOUNTS)
    db.close()
    queued, anchor = ACCOUNTS / median(ours), ACCOUNTS / median(bare)
    return [
        ("Queueing mail / bare inserts", queued, anchor, queued / anchor, "50,000 in 10 s"),
        ("Claim of 50,000 / of 200", among_many, alone, among_many / alone, "0.5 or better"),
    ]


def empty():
    with models.writing():
        OutgoingMail.delete().execute()
    db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def queue_all():
    notices = (
        mail.Notice("invoice_due", number, TOLD, f"invoice_due 20261128 {number}")
        for number in range(1, ACCOUNTS + 1)
    )
    mail.queue_notices(notices, now=NOW)


def by_hand():
    """The same rows by one statement run again and again, in one transaction."""
    sql = (
        "INSERT INTO outgoing_mail (kind, recipient, account_id, params, state, attempts, "
        "created_at, due_at, bulk, once) VALUES (?, ?, ?, ?, 'queued', 0, ?, ?, 1, ?)"
    )
    instant, text = NOW.replace(tzinfo=None), str(TOLD)
    with models.writing():
        db.cursor().executemany(
            sql,
            (
                ("invoice_due", f"cliente{n}@example.it", n, text, instant, instant, f"due {n}")
                for n in range(1, ACCOUNTS + 1)
            ),
        )


def claims_a_second(waiting):
    """How many mails a second are claimed while `waiting` wait; each is a commit to the disk."""
    with models.writing():
        first = OutgoingMail.select(OutgoingMail.id).order_by(OutgoingMail.id).limit(waiting)
        OutgoingMail.delete().where(OutgoingMail.id.not_in(first)).execute()
        OutgoingMail.update(due_at=NOW, attempts=0).execute()
    started = time.perf_counter()
    for _ in range(CLAIMS):
        assert outbox.claim(now=NOW) is not None
    return CLAIMS / (time.perf_counter() - started)


def seconds(act):
    started = time.perf_counter()
    act()
    return time.perf_counter() - started
