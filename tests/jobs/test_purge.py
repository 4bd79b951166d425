"""The nightly purge, as cron runs it."""

import datetime as dt

import pytest

from domain.clock import utcnow
from models import JobRun, OutgoingMail
from tests.factories import make_event, make_mail
from tests.jobs import process

pytestmark = pytest.mark.processes

LONG_AGO = utcnow() - dt.timedelta(days=4000)


def test_it_says_what_it_deleted_and_a_dry_run_only_counts(app, settings):
    make_mail(state="sent", sent_at=LONG_AGO)
    make_event("reading_entered", at=LONG_AGO)
    done = process.job(settings, "purge", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(" Da cancellare: mail 1, altre voci dello Storico 1.\n")
    assert OutgoingMail.select().count() == 1
    assert JobRun.select().count() == 0
    done = process.job(settings, "purge")
    assert done.stdout.endswith(" Cancellati: mail 1, altre voci dello Storico 1.\n")
    assert JobRun.get().exit_code == 0


@pytest.mark.slow
def test_the_times_are_those_of_the_settings(app, settings):
    make_mail(state="sent", sent_at=utcnow() - dt.timedelta(days=40))
    assert process.job(settings, "purge").stdout.endswith(" Cancellati: niente.\n")
    done = process.job(settings, "purge", KEEP_MAIL_DAYS=30)
    assert done.stdout.endswith(" Cancellati: mail 1.\n")
    done = process.job(settings, "purge", KEEP_MAIL_DAYS=3)
    assert done.returncode == 2
    assert "PORTALE_KEEP_MAIL_DAYS: serve un numero da 30 a 3650." in done.stdout
