"""How a job ends: exit code, log line, record, lock; each in a process of its own."""

import re
import signal
import sys
from pathlib import Path

import pytest

import models
from domain import connections
from domain.clock import utcnow
from domain.release import VERSION
from jobs import runner
from models import JobRun, Throttle
from tests import smtp
from tests.conftest import ON_POSTGRESQL
from tests.jobs import process

pytestmark = pytest.mark.processes

JOBS = sorted(
    path.stem
    for path in Path(runner.__file__).parent.glob("*.py")
    if path.stem not in {"__init__", "runner"}
)
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (\w+) exit=(\d+) seconds=\d+\.\d\d (.+)\n")


def ended(done):
    """(exit code, summary) from the one log line, which must agree with the process."""
    _job, code, summary = LINE.fullmatch(done.stdout).groups()
    assert int(code) == done.returncode
    return done.returncode, summary


# -- Codes ---------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", JOBS)
def test_every_job_explains_itself(settings, name):
    done = process.job(settings, name, "--help")
    assert done.returncode == 0
    assert f"usage: python -m jobs.{name}" in done.stdout
    assert len(done.stdout.splitlines()) > 5


@pytest.mark.slow
@pytest.mark.parametrize("name", JOBS)
def test_every_job_refuses_what_it_does_not_know(settings, name):
    done = process.job(settings, name, "qualcosa", "--senza-senso")
    assert done.returncode == 2
    assert "--senza-senso" in done.stderr


def test_a_job_that_is_done(app, settings):
    done = process.sample(settings, "    return 'Fatte 3 cose.'")
    assert ended(done) == (0, "Fatte 3 cose.")
    assert done.stderr == ""
    row = JobRun.get()
    assert (row.job, row.exit_code, row.summary) == ("sample", 0, "Fatte 3 cose.")
    assert row.started_at <= row.finished_at <= utcnow()


def test_a_job_that_refuses_says_why_without_a_trace(app, settings):
    done = process.sample(
        settings, "    from domain.errors import Refused\n    raise Refused('Manca il file.')"
    )
    assert ended(done) == (1, "Manca il file.")
    assert done.stderr == ""
    assert JobRun.get().exit_code == 1


def test_a_job_that_breaks_leaves_a_trace_and_one_line(app, settings):
    done = process.sample(settings, "    raise ValueError('a\\nb\\0c')")
    assert ended(done) == (1, "ValueError: a bc")
    assert "Traceback" in done.stderr
    assert (JobRun.get().exit_code, JobRun.get().summary) == (1, "ValueError: a bc")


@pytest.mark.parametrize(
    "error",
    [
        "OSError(28, 'No space left on device', 'outbox/x')",
        "PermissionError(13, 'Permission denied', 'outbox/x')",
        "OSError(30, 'Read-only file system', 'outbox/x')",
        "peewee.OperationalError('database or disk is full')",
        "peewee.OperationalError('could not extend file: No space left on device')",
        "peewee.OperationalError('attempt to write a readonly database')",
    ],
)
def test_a_disk_that_refuses_is_told_without_a_trace(app, settings, error):
    done = process.sample(settings, f"    import peewee\n    raise {error}")
    code, summary = ended(done)
    assert code == 1
    assert summary.startswith("Il disco non accetta dati, controllare lo spazio e i permessi: ")
    assert done.stderr == ""
    assert JobRun.get().exit_code == 1


def test_a_job_that_must_wait(app, settings):
    done = process.sample(settings, "    raise runner.TryLater('Il disco è pieno.')")
    assert ended(done) == (75, "Il disco è pieno.")
    assert JobRun.get().exit_code == 75


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"ENV": "production", "SECRET_KEY": ""}, "PORTALE_SECRET_KEY"),
        ({"MAIL_PORT": "venticinque"}, "PORTALE_MAIL_PORT"),
        ({"DATA_DIR": "/dev/null/portale"}, "/dev/null"),
        ({"DATABASE_URL": "mysql://localhost/portale"}, "mysql"),
    ],
)
def test_wrong_settings(settings, changes, hint):
    code, summary = ended(process.job(settings, "send_mail", **changes))
    assert code == 2
    assert hint in summary


# -- The archive ---------------------------------------------------------------------------


@pytest.fixture
def empty_archive(settings, tmp_path):
    """Settings of a portal just unpacked, without tables."""
    data = tmp_path / "new"
    data.mkdir()
    empty = {**settings, "DATA_DIR": data, "DATABASE_URL": f"sqlite:///{data / 'portale.db'}"}
    if not ON_POSTGRESQL:
        yield empty
        return
    database = connections.connect(settings["DATABASE_URL"])
    database.execute_sql("CREATE DATABASE just_unpacked")
    server = settings["DATABASE_URL"].rpartition("/")[0]
    yield {**empty, "DATABASE_URL": f"{server}/just_unpacked"}
    database.execute_sql("DROP DATABASE just_unpacked")
    database.close_all()


def test_an_archive_without_tables_asks_for_migrate(empty_archive):
    code, summary = ended(process.job(empty_archive, "send_mail"))
    assert code == 1
    assert "eseguire prima «python -m jobs.migrate»" in summary
    assert ended(process.job(empty_archive, "migrate"))[0] == 0
    assert ended(process.job(empty_archive, "send_mail"))[0] == 0
    code, summary = ended(process.job(empty_archive, "migrate"))
    assert (code, summary) == (0, f"L'archivio è già aggiornato alla versione {VERSION}.")


@pytest.mark.slow
@pytest.mark.everywhere
def test_a_locked_archive_means_later(app, settings):
    with models.writing():
        if ON_POSTGRESQL:
            models.db.execute_sql("LOCK TABLE job_run")
        code, summary = ended(process.job(settings, "send_mail"))
    assert code == 75
    assert "Archivio occupato" in summary
    assert ended(process.job(settings, "send_mail"))[0] == 0


def test_a_database_server_that_is_down_means_later(settings):
    url = f"postgresql://postgres@127.0.0.1:{smtp.free_port()}/postgres"
    code, summary = ended(process.job(settings, "send_mail", DATABASE_URL=url))
    assert code == 75
    assert "non raggiungibile" in summary


def test_only_the_last_runs_of_each_job_are_kept(app, settings):
    now = utcnow()
    with models.writing():
        old = [{"job": "sample", "started_at": now} for _ in range(runner.RUNS_KEPT + 20)]
        JobRun.insert_many([*old, {"job": "another", "started_at": now}]).execute()
    process.sample(settings, "    return 'ok'")
    kept = JobRun.select().where(JobRun.job == "sample").order_by(JobRun.id.desc())
    assert kept.count() == runner.RUNS_KEPT
    assert kept.first().summary == "ok"
    assert JobRun.select().where(JobRun.job == "another").exists()


# -- One at a time -------------------------------------------------------------------------


def test_a_second_run_gives_way(app, settings):
    with process.waiting(settings) as first:
        code, summary = ended(process.sample(settings, "    return 'ok'"))
        assert (code, summary.rstrip(".").partition(",")[0]) == (75, "Già in esecuzione")
        assert JobRun.select().count() == 1
        first.communicate("go on\n")
        assert first.returncode == 0
    assert process.sample(settings, "    return 'ok'").returncode == 0


def test_another_job_does_not_wait(settings):
    with process.waiting(settings):
        assert process.job(settings, "send_mail").returncode == 0


def test_a_killed_run_leaves_no_lock_behind(app, settings):
    with process.waiting(settings) as first:
        first.send_signal(signal.SIGKILL)
        first.wait()
        if ON_POSTGRESQL:
            process.until(lambda: not advisory_locks())
        assert ended(process.sample(settings, "    return 'ok'")) == (0, "ok")
    first, second = JobRun.select().order_by(JobRun.id)
    assert (first.finished_at, first.exit_code) == (None, None)
    assert second.exit_code == 0


def advisory_locks():
    return models.db.execute_sql("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'").fetchall()


@pytest.mark.skipif(not ON_POSTGRESQL, reason="SQLite has one machine")
def test_two_machines_on_one_database_give_way_to_each_other(app, settings, tmp_path):
    with process.waiting(settings):
        done = process.sample(settings, "    return 'ok'", DATA_DIR=tmp_path / "other")
        assert ended(done) == (75, "Già in esecuzione, qui o su un'altra macchina.")


@pytest.mark.skipif(not ON_POSTGRESQL, reason="SQLite has no server")
def test_a_server_that_stops_in_the_middle_means_later(app, settings):
    body = """
    import models
    wait()
    models.JobRun.select().count()
    """
    with process.waiting(settings, body) as running:
        models.db.execute_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        stdout, stderr = running.communicate("go on\n")
    _job, code, _summary = LINE.fullmatch(stdout).groups()
    assert (running.returncode, code) == (75, "75")
    assert "Traceback" not in stderr
    assert JobRun.get().exit_code == 75
    assert process.sample(settings, "    return 'ok'").returncode == 0


def test_a_run_asked_to_stop_undoes_what_it_had_begun(app, settings):
    body = """
    import models
    with models.writing():
        models.Throttle.create(key="half done", started_at=now, hits=1)
        wait()
    """
    with process.waiting(settings, body) as running:
        running.send_signal(signal.SIGTERM)
        stdout, stderr = running.communicate()
    _job, code, summary = LINE.fullmatch(stdout).groups()
    assert (running.returncode, code) == (75, "75")
    assert summary.startswith("Interrotto")
    assert "Traceback" not in stderr
    assert not Throttle.select().exists()
    assert JobRun.get().exit_code == 75
    assert process.sample(settings, "    return 'ok'").returncode == 0


# -- Progress ------------------------------------------------------------------------------


@pytest.mark.parametrize(("person", "shown"), [(True, True), (False, False)])
def test_a_bar_is_drawn_only_for_a_person(monkeypatch, capsys, person, shown):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: person, raising=False)
    assert list(runner.progress([1, 2, 3], "righe")) == [1, 2, 3]
    with runner.progress(3, "righe") as bar:
        bar.update(3)
    assert ("righe" in capsys.readouterr().err) is shown
