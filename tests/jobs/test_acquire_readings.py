import datetime as dt
import os
import subprocess
import sys

import pytest

from domain.clock import utcnow
from jobs import acquire_readings
from models import JobRun, ReadingBatch, SelfReading
from tests.factories import make_gas, make_self_reading

pytestmark = pytest.mark.processes

NOW = dt.datetime(2026, 11, 23, 9, 30, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 23)


def start(settings, *arguments):
    """The job as cron starts it."""
    environment = {
        "PATH": os.environ["PATH"],
        **{f"PORTALE_{name}": str(value) for name, value in settings.items()},
    }
    return subprocess.run(
        [sys.executable, "-m", "jobs.acquire_readings", *arguments],
        env=environment, capture_output=True, text=True, check=False,
        cwd=os.path.join(os.path.dirname(__file__), "..", ".."),
    )  # fmt: skip


def test_the_summary_names_the_batch_and_counts_its_readings(app):
    make_self_reading(make_gas(), TODAY, 1)
    make_self_reading(make_gas(), TODAY, 2)
    assert acquire_readings.run(app, now=NOW) == "lotto 000001, autoletture acquisite: 2"
    batch = ReadingBatch.get()
    assert (batch.created_at, batch.placed_at) == (NOW, NOW)
    assert (app.config["DATA_DIR"] / "outbox" / "autoletture_000001.csv").read_bytes() == bytes(
        batch.content
    )


def test_the_summary_tells_which_readings_no_distributor_is_told_of(app):
    app.config["TAL_0050"] = True
    for vat in ("09999010979", "09999010979", "//ETC/PASSWD", None):
        make_self_reading(make_gas(distributor_vat=vat), TODAY, 1)
    assert acquire_readings.run(app, now=NOW) == (
        "lotto 000001, autoletture acquisite: 4; "
        "TAL.0050: 1 file, autoletture senza partita IVA del distributore: 2"
    )
    (request,) = (app.config["DATA_DIR"] / "outbox").glob("*.xml")
    assert request.name == "TAL0050_000001_09999010979.xml"
    assert b"<piva_utente>01234567890</piva_utente>" in request.read_bytes()
    assert acquire_readings.run(app, now=NOW).startswith("nessuna autolettura")


def test_requests_are_made_only_where_they_are_switched_on(app):
    make_self_reading(make_gas(distributor_vat="09999010979"), TODAY, 1)
    acquire_readings.run(app, now=NOW)
    assert not list((app.config["DATA_DIR"] / "outbox").glob("*.xml"))


def test_the_summary_says_that_there_was_nothing(app):
    assert acquire_readings.run(app, now=NOW) == (
        "nessuna autolettura da acquisire, nessun contatto modificato"
    )


def test_the_summary_tells_batches_that_an_earlier_run_left_unfinished(app):
    make_self_reading(make_gas(), TODAY, 1)
    acquire_readings.run(app, now=NOW)
    ReadingBatch.update(placed_at=None).execute()
    assert acquire_readings.run(app, now=utcnow()) == "lotti completati: 1"


def test_started_by_cron_it_prints_one_line_and_leaves_a_record(app, settings):
    make_self_reading(make_gas(), TODAY, 1)
    done = start(settings)
    assert done.returncode == 0, done.stderr
    [line] = done.stdout.splitlines()
    assert "acquire_readings exit=0" in line
    assert "lotto 000001" in line
    assert done.stderr == ""
    assert SelfReading.get().state == "acquired"
    assert (JobRun.get().job, JobRun.get().exit_code) == ("acquire_readings", 0)


def test_help_tells_purpose_and_cron_line(settings):
    done = start(settings, "--help")
    assert done.returncode == 0
    assert "billing" in done.stdout
    assert "*/30 * * * *" in done.stdout
