import csv
import datetime as dt
import io
import os
import re
import shutil
import subprocess
import sys
import threading

import peewee as pw
import pytest

from domain import acquisition, handover, readings
from domain.errors import Refused
from domain.formats.billing_readings import COLUMNS
from models import ReadingBatch, SelfReading, db
from tests.conftest import ON_POSTGRESQL, required
from tests.factories import make_customer, make_gas, make_self_reading

NOW = dt.datetime(2026, 11, 23, 9, 30, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 23)


@pytest.fixture
def outbox(app):
    return app.config["DATA_DIR"] / "outbox"


def make_pending(number=1):
    """That many pending readings, each of its own supply."""
    return [make_self_reading(make_gas(), TODAY, 100 + n) for n in range(number)]


def files(outbox):
    """Name and text of what billing sees, also of what it has taken."""
    found = [*outbox.glob("[!.]*.csv"), *outbox.glob("presi/*.csv")]
    return {path.name: path.read_bytes().decode() for path in found}


def rows(text):
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))


def handed_over(outbox):
    """The id of every reading in every file."""
    return sorted(int(row["id_lettura"]) for text in files(outbox).values() for row in rows(text))


def states():
    return [row.state for row in SelfReading.select().order_by(SelfReading.id)]


def is_finished(outbox):
    """Whether each acquired reading is in exactly one file, and each batch is placed as stored."""
    acquired = SelfReading.select().where(SelfReading.state == "acquired").order_by(SelfReading.id)
    placed = {
        batch.file_name: bytes(batch.content).decode()
        for batch in ReadingBatch.select().where(ReadingBatch.placed_at.is_null(False))
    }
    return handed_over(outbox) == [row.id for row in acquired] and files(outbox) == placed


# -- The file -------------------------------------------------------------------------------


def test_the_file_is_what_the_contract_says(outbox):
    supply = make_gas(make_customer("000002"), code="PR000001", pdr="00880000000001",
                      meter_serial="AB12", has_corrector=True)  # fmt: skip
    reading = make_self_reading(
        supply, TODAY, 12_345, corrector=678, confirmed=True,
        entered_at=dt.datetime(2026, 11, 23, 9, 12, 5, 999, tzinfo=dt.UTC),
    )  # fmt: skip
    done = acquisition.acquire(outbox, now=NOW)
    assert done == (0, 1, 1)
    assert files(outbox) == {
        "autoletture_000001.csv": ";".join(COLUMNS) + "\r\n"
        f"000001;{reading.id};000002;PR000001;00880000000001;AB12;23/11/2026;12345;678;"
        "2026-11-23T10:12:05+01:00;S\r\n"
    }


def test_the_hour_of_entry_has_the_offset_of_its_day(outbox):
    entered_at = dt.datetime(2026, 7, 1, 22, 30, tzinfo=dt.UTC)
    make_self_reading(make_gas(), dt.date(2026, 7, 2), 5, entered_at=entered_at)
    acquisition.acquire(outbox, now=NOW)
    [row] = rows(files(outbox)["autoletture_000001.csv"])
    assert row["inserita_il"] == "2026-07-02T00:30:00+02:00"
    assert (row["lettura_correttore"], row["confermata"]) == ("", "N")


def test_cells_are_quoted_where_needed_and_never_changed(outbox):
    make_self_reading(make_gas(meter_serial='=1;"A"'), TODAY, 5)
    acquisition.acquire(outbox, now=NOW)
    text = files(outbox)["autoletture_000001.csv"]
    assert ';"=1;""A""";' in text
    assert rows(text)[0]["matricola"] == '=1;"A"'


def test_only_pending_readings_are_handed_over(outbox):
    [first, second] = make_pending(2)
    readings.cancel(second, account=None, now=NOW)
    acquisition.acquire(outbox, now=NOW)
    assert handed_over(outbox) == [first.id]
    assert states() == ["acquired", "cancelled"]


def test_without_pending_readings_there_is_no_file(outbox):
    assert acquisition.acquire(outbox, now=NOW) == (0, None, 0)
    assert files(outbox) == {}
    assert ReadingBatch.select().count() == 0


def test_a_second_run_hands_over_only_what_came_since(outbox):
    make_pending(2)
    acquisition.acquire(outbox, now=NOW)
    first = files(outbox)
    [late] = make_pending()
    acquisition.acquire(outbox, now=NOW)
    assert first.items() < files(outbox).items()
    assert [row["id_lettura"] for row in rows(files(outbox)["autoletture_000002.csv"])] == [
        str(late.id)
    ]


def test_no_temporary_file_stays_behind(outbox):
    make_pending()
    acquisition.acquire(outbox, now=NOW)
    assert sorted(path.name for path in outbox.iterdir()) == ["autoletture_000001.csv", "presi"]


# -- Batch numbers --------------------------------------------------------------------------


@pytest.mark.parametrize("folder", [".", "presi"])
def test_a_number_that_a_restored_backup_forgot_is_not_used_again(outbox, folder):
    (outbox / folder / "autoletture_000041.csv").write_text("")
    make_pending()
    assert acquisition.acquire(outbox, now=NOW).number == 42


@pytest.mark.parametrize("folder", [".", "presi"])
def test_after_a_restored_backup_nothing_is_handed_over_twice(outbox, folder):
    [old, lost] = make_pending(2)
    acquisition.acquire(outbox, now=NOW)
    first = (outbox / "autoletture_000001.csv").read_bytes()
    os.replace(outbox / "autoletture_000001.csv", outbox / folder / "autoletture_000001.csv")
    # The backup was made when one of them was waiting and the other not yet entered; since
    # then somebody else's reading has got the id of the latter.
    SelfReading.update(state="pending", batch=None).execute()
    SelfReading.update(supply=make_gas(), entered_at=lost.entered_at + dt.timedelta(hours=1)).where(
        SelfReading.id == lost.id
    ).execute()
    ReadingBatch.delete().execute()
    assert acquisition.acquire(outbox, now=NOW).number == 2
    assert states() == ["acquired", "acquired"]
    assert bytes(ReadingBatch.get(number=1).content) == first
    assert [row.id for row in ReadingBatch.get(number=1).readings] == [old.id]
    assert [row.id for row in ReadingBatch.get(number=2).readings] == [lost.id]


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"lotto\r\n1\r\n", b";;;\r\n;\r\n", b"x" * 200_000]
)
def test_a_file_that_nobody_understands_only_keeps_its_number(outbox, content):
    (outbox / "autoletture_000007.csv").write_bytes(content)
    make_pending()
    assert acquisition.acquire(outbox, now=NOW) == (0, 8, 1)
    assert (outbox / "autoletture_000007.csv").read_bytes() == content


def test_a_number_is_not_used_again_when_billing_has_cleared_its_folder(outbox):
    make_pending()
    acquisition.acquire(outbox, now=NOW)
    (outbox / "autoletture_000001.csv").unlink()
    make_pending()
    assert acquisition.acquire(outbox, now=NOW).number == 2
    assert list(files(outbox)) == ["autoletture_000002.csv"]


def test_a_batch_that_billing_has_taken_is_never_written_again(outbox):
    make_pending()
    acquisition.acquire(outbox, now=NOW)
    os.replace(outbox / "autoletture_000001.csv", outbox / "presi" / "autoletture_000001.csv")
    ReadingBatch.update(placed_at=None).execute()  # cut before it was noted as placed
    assert acquisition.acquire(outbox, now=NOW) == (1, None, 0)
    assert not (outbox / "autoletture_000001.csv").exists()
    assert is_finished(outbox)


# -- Cut anywhere ---------------------------------------------------------------------------


class Cut(BaseException):
    """The process ends here."""


STEPS = [
    (handover, "place"),
    (handover, "assign"),
    (handover, "adopt"),
    (handover, "last_number"),
    (acquisition.Readings, "rows_where"),
    (handover.files, "sync_folder"),
    (ReadingBatch, "save"),
    (pw.ModelUpdate, "execute"),
    (os, "fsync"),
    (os, "replace"),
]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(("place", "name"), STEPS, ids=[name for _place, name in STEPS])
def test_cut_at_any_step_the_next_run_ends_as_if_nothing_had_happened(
    outbox, monkeypatch, place, name, moment
):
    make_pending(3)
    step = getattr(place, name)

    def cut(*args, **values):
        if moment == "after":
            step(*args, **values)
        raise Cut

    with monkeypatch.context() as patch:
        patch.setattr(place, name, cut)
        with pytest.raises(Cut):
            acquisition.acquire(outbox, now=NOW)
    acquisition.acquire(outbox, now=NOW)
    assert states() == ["acquired"] * 3
    assert list(files(outbox)) == ["autoletture_000001.csv"]
    assert is_finished(outbox)


def test_a_half_written_temporary_file_is_completed_with_the_same_bytes(outbox):
    make_pending()
    acquisition.acquire(outbox, now=NOW)
    before = files(outbox)
    os.replace(outbox / "autoletture_000001.csv", outbox / ".autoletture_000001.csv")
    os.truncate(outbox / ".autoletture_000001.csv", 10)
    ReadingBatch.update(placed_at=None).execute()
    make_self_reading(make_gas(), TODAY, 999)
    acquisition.acquire(outbox, now=NOW + dt.timedelta(minutes=30))
    assert files(outbox)["autoletture_000001.csv"] == before["autoletture_000001.csv"]
    assert is_finished(outbox)


def test_bytes_reach_the_disk_before_the_name_and_the_name_before_the_note(outbox, monkeypatch):
    make_pending()
    steps = []
    fsync, replace = os.fsync, os.replace

    def note_fsync(handle):
        path = os.readlink(f"/proc/self/fd/{handle}")
        steps.append(("fsync", os.path.basename(path), ReadingBatch.get().placed_at))
        fsync(handle)

    def note_replace(source, target):
        steps.append(("replace", target.name, ReadingBatch.get().placed_at))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(os, "replace", note_replace)
    acquisition.acquire(outbox, now=NOW)
    assert steps == [
        ("fsync", ".autoletture_000001.csv", None),
        ("replace", "autoletture_000001.csv", None),
        ("fsync", "outbox", None),
    ]
    assert ReadingBatch.get().placed_at == NOW


def test_when_the_disk_is_full_nothing_is_half_visible_and_later_all_is_there(outbox, monkeypatch):
    make_pending(2)

    def full(_handle):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            acquisition.acquire(outbox, now=NOW)
    assert files(outbox) == {}
    acquisition.acquire(outbox, now=NOW)
    assert is_finished(outbox)


# -- At the same time -----------------------------------------------------------------------


def at_once(*calls):
    """Run `calls` in threads that start together; return their results or errors."""
    barrier = threading.Barrier(len(calls))
    results = [None] * len(calls)

    def one(place, call):
        barrier.wait()
        try:
            results[place] = call()
        except Exception as error:
            results[place] = error
        finally:
            db.close()

    threads = [threading.Thread(target=one, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_twenty_at_once_make_one_file_with_each_reading_once(outbox):
    make_pending(30)
    done = at_once(*[lambda: acquisition.acquire(outbox, now=NOW)] * 20)
    assert sorted(result.rows for result in done) == [0] * 19 + [30]
    assert list(files(outbox)) == ["autoletture_000001.csv"]
    assert is_finished(outbox)


@pytest.mark.parametrize("attempt", range(5))
def test_a_cancel_racing_the_acquisition_has_exactly_one_winner(outbox, attempt):
    pending = make_pending(6)
    cancels = [lambda reading=reading: readings.cancel(reading, account=None, now=NOW) for reading in pending]
    *cancelled, _acquired = at_once(*cancels, lambda: acquisition.acquire(outbox, now=NOW))
    for answer, reading in zip(
        cancelled, SelfReading.select().order_by(SelfReading.id), strict=True
    ):
        if reading.state == "cancelled":
            assert answer is None
            assert reading.batch is None
        else:
            assert isinstance(answer, Refused)
            assert "appena stata acquisita" in str(answer)
    assert is_finished(outbox)


# -- Killed for real ------------------------------------------------------------------------


def run_job(settings, *before):
    """The job as cron starts it; `before` is a command in front of it."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
        **{f"PORTALE_{name}": str(value) for name, value in settings.items()},
    }
    return subprocess.run(
        [*before, sys.executable, "-m", "jobs.acquire_readings"],
        env=environment, capture_output=True, text=True, check=False,
        cwd=os.path.join(os.path.dirname(__file__), "..", ".."),
    )  # fmt: skip


# What leaves a trace on the disk or in the other database's socket.
WRITING_CALLS = "write,pwrite64,fsync,fdatasync,rename,ftruncate,unlink" + (
    ",sendto" if ON_POSTGRESQL else ""
)


def calls_of(settings, tmp_path):
    """How often an undisturbed run makes each system call that writes."""
    log = tmp_path / "calls"
    done = run_job(settings, "strace", "-f", "-qq", "-e", f"trace={WRITING_CALLS}", "-o", str(log))
    assert done.returncode == 0, done.stdout + done.stderr
    counted = {}
    for name in re.findall(r"^\d+ +(\w+)\(", log.read_text(), re.MULTILINE):
        counted[name] = counted.get(name, 0) + 1
    return counted


@pytest.mark.slow
def test_killed_at_every_system_call_that_writes_the_next_run_completes_it(
    settings, outbox, tmp_path
):
    if shutil.which("strace") is None:
        required("no strace: apt-get install strace")
    make_pending(2)
    kills = 0
    for name, times in calls_of(settings, tmp_path).items():
        for nth in range(1, times + 1):
            make_pending(2)
            killed = run_job(
                settings, "strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={name}",
                "-e", f"inject={name}:signal=KILL:when={nth}",
            )  # fmt: skip
            kills += killed.returncode != 0
            done = run_job(settings)
            assert done.returncode == 0, (name, nth, done.stdout + done.stderr)
            assert set(states()) == {"acquired"}, (name, nth)
            assert is_finished(outbox), (name, nth)
    assert kills > 10


@pytest.mark.slow
def test_twenty_processes_at_once_make_one_file(settings, outbox):
    make_pending(30)
    done = at_once(*[lambda: run_job(settings)] * 20)
    assert {result.returncode for result in done} <= {0, 75}, [r.stdout for r in done]
    assert list(files(outbox)) == ["autoletture_000001.csv"]
    assert len(handed_over(outbox)) == 30
    assert is_finished(outbox)
