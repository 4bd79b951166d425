"""Whatever is cut, repeated or restored, billing gets each thing once: readings and contacts."""

import csv
import datetime as dt
import io
import os
import sys

import peewee as pw
import pytest

from domain import acquisition, contacts, handover
from domain.formats import tal0050
from models import BatchFile, ContactBatch, ContactChange, ReadingBatch, SelfReading
from tests import strace
from tests.factories import make_customer, make_gas, make_self_reading
from tests.jobs import process
from tests.strace import KILL
from tests.together import at_once

NOW = dt.datetime(2026, 11, 23, 9, 30, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 23)


class Readings:
    goods, row, batch, id_column = (
        acquisition.READINGS, SelfReading, ReadingBatch, "id_lettura",
    )  # fmt: skip

    @staticmethod
    def make(number):
        """Of the supplies of two distributors, and of one whose distributor nobody knows."""
        distributors = ["09999010979", "01234560488", None]
        return [
            make_self_reading(make_gas(distributor_vat=distributors[n % 3]), TODAY, 100 + n)
            for n in range(number)
        ]

    @staticmethod
    def forget():
        """As a backup was, made before anything was handed over."""
        SelfReading.update(state="pending", batch=None).execute()
        BatchFile.delete().execute()
        ReadingBatch.delete().execute()

    @staticmethod
    def replace(row):
        """Another reading, entered after the backup, has the id of `row`."""
        later = row.entered_at + dt.timedelta(hours=1)
        SelfReading.update(supply=make_gas(), entered_at=later).where(
            SelfReading.id == row.id
        ).execute()


class Requests(Readings):
    """Readings that distributors are told of too."""

    goods = acquisition.Readings("01234567890")


class Contacts:
    goods, row, batch, id_column = (
        contacts.CONTACTS, ContactChange, ContactBatch, "id_modifica",
    )  # fmt: skip

    @staticmethod
    def make(number):
        customers = [make_customer() for _n in range(number)]
        for n, customer in enumerate(customers):
            contacts.change(customer.id, {"phone": f"0574 {n:06d}"}, account=None, now=NOW)
        return list(ContactChange.select().where(ContactChange.customer.in_(customers)))

    @staticmethod
    def forget():
        ContactChange.update(batch=None).execute()
        ContactBatch.delete().execute()

    @staticmethod
    def replace(row):
        later = row.made_at + dt.timedelta(hours=1)
        ContactChange.update(customer=make_customer(), made_at=later).where(
            ContactChange.id == row.id
        ).execute()


@pytest.fixture(params=[Readings, Requests, Contacts], ids=["readings", "requests", "contacts"])
def kind(request):
    return request.param


@pytest.fixture
def outbox(app):
    return app.config["DATA_DIR"] / "outbox"


@pytest.fixture
def hand_over(kind, outbox):
    return lambda now=NOW: handover.hand_over(kind.goods, outbox, now=now)


def name_of(kind, number):
    return f"{kind.goods.prefix}_{number:06d}.csv"


def files(kind, outbox):
    """Name and text of what billing sees, also of what it has taken."""
    pattern = f"{kind.goods.prefix}_*.csv"
    found = [*outbox.glob(pattern), *outbox.glob(f"presi/{pattern}")]
    return {path.name: path.read_bytes().decode() for path in found}


def rows(text):
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))


def requests_in(outbox):
    """Name and bytes of what distributors are sent, also of what billing has taken."""
    found = [*outbox.glob("TAL0050_*.xml"), *outbox.glob("presi/TAL0050_*.xml")]
    return {path.name: path.read_bytes() for path in found}


def requests_of(kind):
    """What should be in `requests_in`: the stored files of batches, made from their readings."""
    expected = {}
    if kind is Requests:
        acquired = kind.goods.rows_where(SelfReading.batch.is_null(False))
        batches = dict(SelfReading.select(SelfReading.id, SelfReading.batch).tuples())
        numbers = dict(ReadingBatch.select(ReadingBatch.id, ReadingBatch.number).tuples())
        for row in acquired:
            if row.distributor_vat:
                name = tal0050.file_name(numbers[batches[row.id]], row.distributor_vat)
                expected.setdefault(name, []).append(row)
    return {
        name: tal0050.write("01234567890", theirs[0].distributor_vat, theirs)
        for name, theirs in expected.items()
    }


def handed_over(kind, outbox):
    """The id of every row in every file."""
    texts = files(kind, outbox).values()
    return sorted(int(row[kind.id_column]) for text in texts for row in rows(text))


def all_is_handed_over(kind):
    return not kind.row.select().where(kind.goods.waiting()).exists()


def is_finished(kind, outbox):
    """Whether what has a batch is in exactly one file, and each batch is placed as stored."""
    given = kind.row.select().where(kind.row.batch.is_null(False)).order_by(kind.row.id)
    placed = {
        batch.file_name: bytes(batch.content).decode()
        for batch in kind.batch.select().where(kind.batch.placed_at.is_null(False))
    }
    given_ids = [row.id for row in given]
    return (
        handed_over(kind, outbox) == given_ids
        and files(kind, outbox) == placed
        and (kind is Contacts or requests_in(outbox) == requests_of(kind))
        and not BatchFile.select().where(BatchFile.placed_at.is_null()).exists()
    )


def test_without_anything_that_waits_there_is_no_file(kind, outbox, hand_over):
    assert hand_over() == (0, None, 0)
    assert files(kind, outbox) == {}
    assert kind.batch.select().count() == 0


def test_a_second_run_hands_over_only_what_came_since(kind, outbox, hand_over):
    kind.make(2)
    hand_over()
    first = files(kind, outbox)
    [late] = kind.make(1)
    assert hand_over() == (0, 2, 1)
    assert first.items() < files(kind, outbox).items()
    [row] = rows(files(kind, outbox)[name_of(kind, 2)])
    assert row[kind.id_column] == str(late.id)


def test_the_kinds_have_numbers_and_files_of_their_own(outbox):
    Readings.make(1)
    Contacts.make(1)
    for kind in (Readings, Contacts):
        assert handover.hand_over(kind.goods, outbox, now=NOW) == (0, 1, 1)
    assert all(is_finished(kind, outbox) for kind in (Readings, Contacts))


def test_the_distributors_files_come_beside_the_batch_each_by_itself(outbox):
    Requests.make(5)
    handover.hand_over(Requests.goods, outbox, now=NOW)
    names = ["TAL0050_000001_01234560488.xml", "TAL0050_000001_09999010979.xml"]
    assert sorted(requests_in(outbox)) == names
    assert is_finished(Requests, outbox)
    assert acquisition.requested(1) == (2, 4)  # that of no known distributor is in the CSV only


def test_what_was_handed_over_without_requests_gets_none_later(outbox):
    Readings.make(3)
    handover.hand_over(Readings.goods, outbox, now=NOW)
    handover.hand_over(Requests.goods, outbox, now=NOW)
    assert requests_in(outbox) == {}
    ReadingBatch.update(placed_at=None).execute()
    handover.hand_over(Requests.goods, outbox, now=NOW)
    assert requests_in(outbox) == {}


def test_requests_that_were_made_are_placed_even_if_they_are_switched_off(outbox, monkeypatch):
    Requests.make(2)
    with monkeypatch.context() as patch:
        patch.setattr(handover, "place", cut)
        with pytest.raises(Cut):
            handover.hand_over(Requests.goods, outbox, now=NOW)
    handover.hand_over(Readings.goods, outbox, now=NOW)
    assert is_finished(Requests, outbox)
    assert len(requests_in(outbox)) == 2


@pytest.mark.parametrize("taken", ["TAL0050_000001_09999010979.xml", "autoletture_000001.csv"])
def test_a_file_that_billing_has_taken_is_not_written_again_with_the_others(outbox, taken):
    Requests.make(2)
    handover.hand_over(Requests.goods, outbox, now=NOW)
    os.replace(outbox / taken, outbox / "presi" / taken)
    others = sorted(path.name for path in outbox.iterdir() if path.is_file())
    for name in others:
        (outbox / name).unlink()  # the disk lost them: they were not noted as placed
    for table in (ReadingBatch, BatchFile):
        table.update(placed_at=None).execute()
    handover.hand_over(Requests.goods, outbox, now=NOW)
    assert sorted(path.name for path in outbox.iterdir() if path.is_file()) == others
    assert is_finished(Requests, outbox)


@pytest.mark.parametrize("folder", [".", "presi"])
def test_the_number_of_a_request_alone_is_not_used_again(outbox, folder):
    name = "TAL0050_000007_09999010979.xml"
    (outbox / folder / name).write_bytes(b"of a batch that a restored backup forgot")
    [waiting] = Requests.make(1)
    assert handover.hand_over(Requests.goods, outbox, now=NOW) == (0, 8, 1)
    assert requests_in(outbox)[name] == b"of a batch that a restored backup forgot"
    assert SelfReading.get_by_id(waiting.id).batch.number == 8


def test_no_temporary_file_stays_behind(kind, outbox, hand_over):
    kind.make(1)
    hand_over()
    names = sorted(path.name for path in outbox.iterdir())
    assert names == sorted([*requests_of(kind), name_of(kind, 1), "presi"])


# -- Batch numbers --------------------------------------------------------------------------


@pytest.mark.parametrize("folder", [".", "presi"])
def test_a_number_that_a_restored_backup_forgot_is_not_used_again(kind, outbox, hand_over, folder):
    (outbox / folder / name_of(kind, 41)).write_text("")
    kind.make(1)
    assert hand_over().number == 42


@pytest.mark.parametrize("folder", [".", "presi"])
def test_after_a_restored_backup_nothing_is_handed_over_twice(kind, outbox, hand_over, folder):
    [old, lost] = kind.make(2)
    hand_over()
    name = name_of(kind, 1)
    first = (outbox / name).read_bytes()
    os.replace(outbox / name, outbox / folder / name)
    # The backup was made when one of them was waiting and the other not yet there; since
    # then somebody else's has got the id of the latter.
    kind.forget()
    kind.replace(lost)
    assert hand_over().number == 2
    assert all_is_handed_over(kind)
    adopted, fresh = kind.batch.select().order_by(kind.batch.number)
    assert bytes(adopted.content) == first
    assert [row.id for row in kind.row.select().where(kind.row.batch == adopted)] == [old.id]
    assert [row.id for row in kind.row.select().where(kind.row.batch == fresh)] == [lost.id]


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"lotto\r\n1\r\n", b";;;\r\n;\r\n", b"x" * 200_000]
)
def test_a_file_that_nobody_understands_only_keeps_its_number(kind, outbox, hand_over, content):
    (outbox / name_of(kind, 7)).write_bytes(content)
    kind.make(1)
    assert hand_over() == (0, 8, 1)
    assert (outbox / name_of(kind, 7)).read_bytes() == content


def test_a_number_is_not_used_again_when_billing_has_cleared_its_folder(kind, outbox, hand_over):
    kind.make(1)
    hand_over()
    (outbox / name_of(kind, 1)).unlink()
    kind.make(1)
    assert hand_over().number == 2
    assert list(files(kind, outbox)) == [name_of(kind, 2)]


def test_a_batch_that_billing_has_taken_is_never_written_again(kind, outbox, hand_over):
    kind.make(1)
    hand_over()
    os.replace(outbox / name_of(kind, 1), outbox / "presi" / name_of(kind, 1))
    kind.batch.update(placed_at=None).execute()  # cut before it was noted as placed
    assert hand_over() == (1, None, 0)
    assert not (outbox / name_of(kind, 1)).exists()
    assert is_finished(kind, outbox)


# -- Cut anywhere ---------------------------------------------------------------------------


class Cut(BaseException):
    """The process ends here."""


def cut(*_args, **_values):
    raise Cut


STEPS = [
    (handover, "place"),
    (handover, "complete"),
    (handover, "assign"),
    (handover, "adopt"),
    (handover, "last_number"),
    (handover.files, "sync_folder"),
    (handover.batch_csv, "write"),
    (pw.Model, "save"),
    (pw.ModelUpdate, "execute"),
    (os, "fsync"),
    (os, "replace"),
]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(("place", "name"), STEPS, ids=[name for _place, name in STEPS])
def test_cut_at_any_step_the_next_run_ends_as_if_nothing_had_happened(
    kind, outbox, hand_over, monkeypatch, place, name, moment
):
    kind.make(3)
    step = getattr(place, name)

    def last(*args, **values):
        if moment == "after":
            step(*args, **values)
        raise Cut

    with monkeypatch.context() as patch:
        patch.setattr(place, name, last)
        with pytest.raises(Cut):
            hand_over()
    hand_over()
    assert all_is_handed_over(kind)
    assert list(files(kind, outbox)) == [name_of(kind, 1)]
    assert is_finished(kind, outbox)


@pytest.mark.parametrize(("place", "name"), [(acquisition.tal0050, "write"), (BatchFile, "create")])
def test_cut_while_requests_are_made_nothing_is_acquired(outbox, monkeypatch, place, name):
    Requests.make(3)
    with monkeypatch.context() as patch:
        patch.setattr(place, name, cut)
        with pytest.raises(Cut):
            handover.hand_over(Requests.goods, outbox, now=NOW)
    assert not ReadingBatch.select().exists()
    handover.hand_over(Requests.goods, outbox, now=NOW)
    assert is_finished(Requests, outbox)


def test_a_half_written_temporary_file_is_completed_with_the_same_bytes(kind, outbox, hand_over):
    kind.make(1)
    hand_over()
    before, name = files(kind, outbox), name_of(kind, 1)
    os.replace(outbox / name, outbox / f".{name}")
    os.truncate(outbox / f".{name}", 10)
    kind.batch.update(placed_at=None).execute()
    kind.make(1)
    hand_over(NOW + dt.timedelta(minutes=30))
    assert files(kind, outbox)[name] == before[name]
    assert is_finished(kind, outbox)


def test_bytes_reach_the_disk_before_the_name_and_the_name_before_the_note(
    kind, hand_over, monkeypatch
):
    kind.make(1)
    steps = []
    fsync, replace = os.fsync, os.replace

    def note_fsync(handle):
        path = os.readlink(f"/proc/self/fd/{handle}")
        steps.append(("fsync", os.path.basename(path), kind.batch.get().placed_at))
        fsync(handle)

    def note_replace(source, target):
        steps.append(("replace", target.name, kind.batch.get().placed_at))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(os, "replace", note_replace)
    hand_over()
    assert steps == [
        step
        for name in (*requests_of(kind), name_of(kind, 1))  # what is beside a batch comes first
        for step in (
            ("fsync", f".{name}", None),
            ("replace", name, None),
            ("fsync", "outbox", None),
        )
    ]
    assert kind.batch.get().placed_at == NOW


def test_when_the_disk_is_full_nothing_is_half_visible_and_later_all_is_there(
    kind, outbox, hand_over, monkeypatch
):
    kind.make(2)

    def full(_handle):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            hand_over()
    assert files(kind, outbox) == requests_in(outbox) == {}
    hand_over()
    assert is_finished(kind, outbox)


# -- At the same time -----------------------------------------------------------------------


def test_twenty_at_once_make_one_file_with_each_row_once(kind, outbox, hand_over):
    kind.make(30)
    done = at_once(*[hand_over] * 20)
    assert sorted(result.rows for result in done) == [0] * 19 + [30]
    assert list(files(kind, outbox)) == [name_of(kind, 1)]
    assert is_finished(kind, outbox)


# -- Killed and refused for real ------------------------------------------------------------

JOB = [sys.executable, "-m", "jobs.acquire_readings"]
KINDS = (Requests, Contacts)


def make_of_each():
    for kind in KINDS:
        kind.make(2)


def assert_ends_well(settings, outbox, where):
    """One more run, undisturbed."""
    done = process.finished(JOB, settings)
    assert done.returncode == 0, (where, done.stdout + done.stderr)
    for kind in KINDS:
        assert all_is_handed_over(kind), where
        assert is_finished(kind, outbox), where


@pytest.fixture
def calls(settings, tmp_path):
    """How often an undisturbed run makes each system call that writes."""
    strace.needed()
    settings["TAL_0050"] = "S"
    make_of_each()
    return strace.calls_of(JOB, settings, tmp_path / "calls")


@pytest.mark.slow
@pytest.mark.everywhere
def test_killed_or_refused_at_every_system_call_that_writes_the_next_run_completes_it(
    settings, outbox, calls
):
    failed = 0
    for where in strace.faults(calls):
        make_of_each()
        failed += strace.faulty(JOB, settings, *where).returncode != 0
        assert_ends_well(settings, outbox, where)
    assert failed > 20


@pytest.mark.slow
def test_killed_or_refused_while_it_recovers_the_next_run_completes_it(settings, outbox, calls):
    failed = 0
    for first in strace.spread((fault for fault in strace.faults(calls) if KILL in fault), 4):
        for second in strace.spread(strace.faults(calls), 5):
            make_of_each()
            strace.faulty(JOB, settings, *first)
            failed += strace.faulty(JOB, settings, *second).returncode != 0
            assert_ends_well(settings, outbox, (first, second))
    assert failed > 5


@pytest.mark.slow
def test_twenty_processes_at_once_make_one_file_of_each_kind(settings, outbox):
    for kind in (Readings, Contacts):
        kind.make(30)
    done = at_once(*[lambda: process.finished(JOB, settings)] * 20)
    assert {result.returncode for result in done} <= {0, 75}, [r.stdout for r in done]
    for kind in (Readings, Contacts):
        assert list(files(kind, outbox)) == [name_of(kind, 1)]
        assert len(handed_over(kind, outbox)) == 30
        assert is_finished(kind, outbox)
