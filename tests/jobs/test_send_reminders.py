"""The morning's reminders, as cron runs them."""

import datetime as dt
import json

import pytest

from domain.clock import rome_day, utcnow
from models import JobRun, OutgoingMail
from tests.factories import make_account, make_document, make_gas, make_invoice, make_window
from tests.jobs import process

pytestmark = pytest.mark.processes

DAY = dt.timedelta(days=1)


def a_day_of_everything():
    account = make_account(email="rosa@example.it")
    customer, today = account.grants.get().customer, rome_day(utcnow())
    make_gas(customer)
    make_window(utcnow() - dt.timedelta(minutes=1), utcnow() + 9 * DAY)
    make_invoice(customer, due_on=today + 5 * DAY)
    make_document("Vecchio", added_at=utcnow() - 9 * DAY, announced_at=utcnow())
    make_document("Nuove tariffe")


def kinds():
    return sorted(row.kind for row in OutgoingMail.select())


def test_it_puts_mail_into_the_queue_and_says_how_much(app, settings):
    a_day_of_everything()
    done = process.job(settings, "send_reminders")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(
        " Mail in coda: periodi che si aprono 1, periodi che si chiudono 0, scadenze 1, "
        "documenti 1.\n"
    )
    assert kinds() == ["document_published", "invoice_due", "window_opens"]
    assert JobRun.get().exit_code == 0


def test_run_again_it_tells_nothing_twice(app, settings):
    a_day_of_everything()
    for _ in range(2):
        done = process.job(settings, "send_reminders")
    assert "aprono 0, periodi che si chiudono 0, scadenze 0, documenti 0." in done.stdout
    assert len(kinds()) == 3


def test_a_document_is_told_by_the_next_import_too(app, settings):
    a_day_of_everything()
    assert process.job(settings, "import_inbox").returncode == 0
    assert kinds() == ["document_published"]
    assert json.loads(OutgoingMail.get().params)["document"] == "Nuove tariffe"
