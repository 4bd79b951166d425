"""A copy is whole, private and readable again; it comes back only into an empty place."""

import csv
import datetime as dt
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading

import pytest

import models
from app import create_app
from domain import acquisition, connections, contacts, credentials, handover, sessions
from domain.backups import contents, making, restoring
from domain.clock import utcnow
from domain.errors import Refused
from domain.mail import outbox
from jobs import backup, restore
from models import (
    Attachment,
    ContactChange,
    Customer,
    JobRun,
    MailedSecret,
    OutgoingMail,
    SelfReading,
    Session,
    StoredFile,
    Throttle,
)
from tests import strace
from tests.conftest import ON_POSTGRESQL, required
from tests.factories import (
    make_account,
    make_attachment,
    make_customer,
    make_file,
    make_gas,
    make_self_reading,
    make_ticket,
)
from tests.jobs import process

pytestmark = pytest.mark.processes

NOW = dt.datetime(2026, 11, 23, 1, 30, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 23)
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def programs():
    if ON_POSTGRESQL and not shutil.which("pg_dump"):
        required("no pg_dump: apt-get install postgresql")


@pytest.fixture
def root(app):
    return app.config["BACKUP_DIR"]


@pytest.fixture
def elsewhere(settings, tmp_path):
    """Settings of a place that holds nothing; `to()` makes its archive the one in use."""
    data = tmp_path / "elsewhere"
    data.mkdir()
    empty = settings | {"DATA_DIR": data, "BACKUP_DIR": str(settings["DATA_DIR"] / "backup")}
    if not ON_POSTGRESQL:
        yield empty | {"DATABASE_URL": f"sqlite:///{data / 'portale.db'}"}
        return
    administer(settings, "DROP DATABASE IF EXISTS elsewhere", "CREATE DATABASE elsewhere")
    yield empty | {"DATABASE_URL": f"{settings['DATABASE_URL'].rpartition('/')[0]}/elsewhere"}
    models.db.close_all()
    administer(settings, "DROP DATABASE elsewhere WITH (FORCE)")


def administer(settings, *statements):
    database = connections.connect(settings["DATABASE_URL"])
    for statement in statements:
        database.execute_sql(statement)
    database.close_all()


def copy(app, now=NOW):
    """The folder of a copy made at `now`."""
    backup.run(app, now=now)
    return app.config["BACKUP_DIR"] / now.strftime("%Y-%m-%dT%H%M%S")


def restored(settings, folder):
    """The portal after jobs.restore has put `folder` back; its archive is the one in use."""
    models.db.close_all()
    app = create_app(settings, any_release=True)
    app.config["MAIL_IN_BACKGROUND"] = False
    with app.app_context():
        restore.run(app, now=NOW, folder=folder)
    return app


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


# -- What is in it -------------------------------------------------------------------------


def test_a_copy_holds_the_archive_and_every_document(app, root):
    make_file(app, "bolletta.pdf", b"%PDF una")
    attachment = make_attachment(app, make_ticket(make_customer()))
    (app.config["DATA_DIR"] / "documents" / "in-attesa.pdf").write_bytes(b"%PDF due")
    summary = backup.run(app, now=NOW)
    folder = root / "2026-11-23T013000"
    assert summary == f"Copia fatta in {folder}: documenti 3, di cui nuovi 3."
    archive = "portale.dump" if ON_POSTGRESQL else "portale.db"
    assert names(folder) == sorted([
        "SHA256SUMS", "documents/bolletta.pdf", "documents/in-attesa.pdf",
        f"documents/{attachment.path}", "manifest.json", archive,
    ])  # fmt: skip
    manifest = contents.verify(folder)
    assert manifest["rows"]["stored_file"] == manifest["rows"]["ticket"] == 1
    assert manifest["migrations"][0] == "0001_initial"
    checked = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder)
    assert checked.returncode == 0


def test_a_copy_is_for_its_owner_alone(app, root):
    make_file(app, "bolletta.pdf")
    copy(app)
    for path in [root, *root.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_what_is_still_being_written_is_left_out(app):
    documents = app.config["DATA_DIR"] / "documents"
    (documents / ".incoming-abc").write_bytes(b"half")
    (documents / "ticket" / ".arriving").mkdir()
    (documents / "ticket" / ".arriving" / "x.pdf").write_bytes(b"half")
    (documents / "altrove.pdf").symlink_to("/etc/passwd")
    assert not [name for name in names(copy(app)) if name.startswith("documents")]


def test_an_attachment_that_waits_for_its_place_is_in_the_copy(app):
    attachment = make_attachment(app, make_ticket(make_customer()))
    ticket = app.config["DATA_DIR"] / "documents" / "ticket"
    (ticket / ".arriving").mkdir()
    name = attachment.path.rpartition("/")[2]
    os.replace(ticket / name, ticket / ".arriving" / name)
    assert f"documents/{attachment.path}" in names(copy(app))


def test_documents_are_stored_once_however_many_copies(app):
    make_file(app, "vecchia.pdf", b"%PDF vecchia")
    first = copy(app)
    make_file(app, "nuova.pdf", b"%PDF nuova")
    assert "documenti 2, di cui nuovi 1." in backup.run(app, now=NOW + DAY)
    second = first.with_name("2026-11-24T013000")
    old = [folder / "documents" / "vecchia.pdf" for folder in (first, second)]
    assert os.path.samefile(*old)
    live = app.config["DATA_DIR"] / "documents" / "vecchia.pdf"
    assert not os.path.samefile(live, old[0])


def test_what_the_copy_before_has_spoiled_is_copied_again(app):
    make_file(app, "bolletta.pdf", b"%PDF buona")
    spoiled = copy(app) / "documents" / "bolletta.pdf"
    spoiled.write_bytes(b"%PDF altra")
    good = copy(app, NOW + DAY) / "documents" / "bolletta.pdf"
    assert good.read_bytes() == b"%PDF buona"


def test_a_document_that_is_lost_is_told_and_the_rest_is_copied(app, root):
    make_file(app, "c'è.pdf")
    make_file(app, "persa.pdf")
    make_file(app, "diversa.pdf")
    documents = app.config["DATA_DIR"] / "documents"
    (documents / "persa.pdf").unlink()
    (documents / "diversa.pdf").write_bytes(b"%PDF un'altra")
    with pytest.raises(Refused, match="di 2 documenti") as refusal:
        backup.run(app, now=NOW)
    assert "documents/persa.pdf" in str(refusal.value)
    assert contents.verify(root / "2026-11-23T013000")["documents"] == 2


def test_an_invoice_that_arrives_meanwhile_is_whole_or_absent(app, monkeypatch):
    make_file(app, "prima.pdf", b"%PDF prima")
    listed = contents.listed

    def late(path):
        if not StoredFile.select().where(StoredFile.name == "dopo.pdf").exists():
            make_file(app, "dopo.pdf", b"%PDF dopo")
        return listed(path)

    monkeypatch.setattr(contents, "listed", late)
    folder = copy(app)
    assert contents.verify(folder)["rows"]["stored_file"] == 1
    assert [name for name in names(folder) if name.startswith("documents")] == [
        "documents/dopo.pdf", "documents/prima.pdf"
    ]  # fmt: skip
    assert contents.verify(copy(app, NOW + DAY))["rows"]["stored_file"] == 2


def test_others_write_while_a_copy_is_made(app, monkeypatch):
    """The copy is of one state, and nobody waits for it."""
    fields = {"started_at": NOW, "hits": 1}
    with models.writing():
        rows = [{"key": f"{n:0100d}", **fields} for n in range(20_000)]
        for some in range(0, len(rows), 1000):
            Throttle.insert_many(rows[some : some + 1000]).execute()
    monkeypatch.setattr("domain.backups.sqlite.PAGES", 5)
    stop, waits = threading.Event(), []

    def write():
        while not stop.is_set():
            begun = utcnow()
            with models.writing():
                one = Throttle.create(key=f"writer {len(waits)}", **fields)
                Throttle.update(hits=2).where(Throttle.id == one.id - 20_000).execute()
            waits.append((utcnow() - begun).total_seconds())
        models.db.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        process.until(lambda: len(waits) > 5)
        before = len(waits)
        folder = copy(app)
        during = len(waits) - before
    finally:
        stop.set()
        writer.join()
    assert during > 3
    assert max(waits) < 2
    contents.verify(folder)


# -- How long they are kept ----------------------------------------------------------------


def test_copies_are_kept_for_the_days_of_the_setting(app, root):
    app.config["BACKUP_DAYS"] = 2
    for days in range(5):
        copy(app, NOW + days * DAY)
    kept = sorted(path.name for path in root.iterdir())
    assert kept == ["2026-11-25T013000", "2026-11-26T013000", "2026-11-27T013000"]


def test_two_copies_in_one_second_have_names_of_their_own(app, root):
    copy(app)
    assert "2026-11-23T013001" in backup.run(app, now=NOW)
    assert len(making.finished(root)) == 2


def test_without_a_new_copy_no_old_one_goes(app, root, monkeypatch):
    folder = copy(app)
    monkeypatch.setattr(making.contents, "seal", full)
    with pytest.raises(OSError, match="No space"):
        copy(app, NOW + 400 * DAY)
    assert list(root.iterdir()) == [folder]


def full(*_given, **_told):
    raise OSError(28, "No space left on device")


def test_other_folders_in_the_place_of_the_copies_are_left_alone(app, root):
    (root / "2001-01-01").mkdir(parents=True)
    (root / "note.txt").write_text("di un altro")
    copy(app)
    assert sorted(path.name for path in root.iterdir()) == [
        "2001-01-01", "2026-11-23T013000", "note.txt"
    ]  # fmt: skip


# -- Cut, full, and at the same time -------------------------------------------------------


def test_a_killed_run_leaves_what_the_next_one_removes(app, settings, root):
    make_file(app, "bolletta.pdf")
    body = """
    from jobs import backup
    from domain.backups import making
    making.contents.seal = lambda *given, **told: wait()
    backup.run(app, now=now)
    """
    with process.waiting(settings, body) as running:
        [draft] = root.iterdir()
        running.send_signal(signal.SIGKILL)
        running.wait()
    assert draft.name.startswith(making.UNFINISHED)
    assert making.finished(root) == []
    folder = copy(app)
    assert list(root.iterdir()) == [folder]


def test_a_run_asked_to_stop_leaves_nothing(app, settings, root):
    body = """
    from jobs import backup
    from domain.backups import making
    making.contents.seal = lambda *given, **told: wait()
    backup.run(app, now=now)
    """
    with process.waiting(settings, body) as running:
        running.send_signal(signal.SIGTERM)
        stdout, _stderr = running.communicate()
    assert "exit=75" in stdout
    assert list(root.iterdir()) == []


def test_a_full_disk_is_told_and_nothing_is_half_visible(app, settings, root):
    with models.writing():
        Throttle.create(key="x" * 100, started_at=NOW, hits=1)
    body = """
    import resource, signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    from jobs import backup
    from domain import files
    def full(path, chunks):
        raise OSError(28, "No space left on device", str(path))
    files.write_synced = full
    return backup.run(app, now=now)
    """
    make_file(app, "bolletta.pdf")
    done = process.sample(settings, body)
    assert done.returncode == 1
    assert "Il disco non accetta dati, controllare lo spazio" in done.stdout
    assert done.stderr == ""
    assert list(root.iterdir()) == []


def test_started_by_cron_it_prints_one_line_and_leaves_a_record(app, settings):
    done = process.job(settings, "backup")
    assert (done.returncode, done.stderr) == (0, "")
    [line] = done.stdout.splitlines()
    assert "backup exit=0" in line
    assert JobRun.get().job == "backup"


@pytest.mark.skipif(not ON_POSTGRESQL, reason="programs of PostgreSQL")
def test_a_missing_or_older_pg_dump_is_told(app, tmp_path, monkeypatch):
    tools = tmp_path / "tools"
    tools.mkdir()
    monkeypatch.setenv("PATH", str(tools))
    with pytest.raises(Refused, match="Manca il programma pg_dump"):
        backup.run(app, now=NOW)
    program = tools / "pg_dump"
    program.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.1'\n")
    program.chmod(0o755)
    with pytest.raises(Refused, match="della versione 9"):
        backup.run(app, now=NOW)
    assert list(app.config["BACKUP_DIR"].iterdir()) == []


@pytest.mark.skipif(not ON_POSTGRESQL, reason="programs of PostgreSQL")
def test_the_password_is_no_argument_of_a_program():
    from domain.backups import postgresql

    url = "postgresql://portale:segreta@db.example.it:5433/archivio"
    [address] = postgresql._address(url)
    assert "segreta" not in address
    assert "db.example.it" in address
    assert postgresql._environment(url)["PGPASSWORD"] == "segreta"


# -- Put back ------------------------------------------------------------------------------


def test_a_copy_comes_back_as_it_was(app, elsewhere):
    customer = make_customer("000002", name="ÀCCENTI E «VIRGOLETTE»\\N")
    make_file(app, "bolletta.pdf", b"%PDF una")
    attachment = make_attachment(app, make_ticket(customer), content=b"%PDF due")
    folder = copy(app)
    place = restored(elsewhere, folder).config["DATA_DIR"] / "documents"
    assert Customer.get().name == "ÀCCENTI E «VIRGOLETTE»\\N"
    assert (place / StoredFile.get().path).read_bytes() == b"%PDF una"
    assert (place / Attachment.get().path).read_bytes() == b"%PDF due"
    assert names(place) == ["bolletta.pdf", attachment.path]
    assert not (elsewhere["DATA_DIR"] / restoring.DRAFT).exists()
    assert make_customer().id > customer.id


def test_nobody_is_signed_in_and_nothing_is_mailed_after_a_restore(app, elsewhere):
    account = make_account()
    sessions.open_session(account, now=NOW)
    credentials.issue(account, now=NOW, key=b"k", lifetime=DAY)
    waiting = outbox.queue("recovery", account.email, account=account, now=NOW)
    sent = outbox.queue("recovery", account.email, account=account, now=NOW)
    outbox.mark_sent(sent, now=NOW)
    folder = copy(app)
    restored(elsewhere, folder)
    assert not Session.select().exists()
    assert not MailedSecret.select().exists()
    assert outbox.claim(now=NOW + DAY) is None
    states = {row.id: row.state for row in OutgoingMail.select()}
    assert states == {waiting.id: "failed", sent.id: "sent"}
    assert "copia" in OutgoingMail.get_by_id(waiting.id).last_error


def test_only_an_empty_place_takes_a_copy(app, settings, elsewhere):
    make_customer()
    folder = copy(app)
    with pytest.raises(Refused, match="esiste già"):
        restored(settings, folder)
    documents = elsewhere["DATA_DIR"] / "documents"
    documents.mkdir()
    (documents / "altro.pdf").write_bytes(b"%PDF")
    with pytest.raises(Refused, match="non è vuota"):
        restored(elsewhere, folder)
    assert names(documents) == ["altro.pdf"]
    (documents / "altro.pdf").unlink()
    restored(elsewhere, folder)
    assert Customer.select().count() == 1


@pytest.mark.parametrize("name", ["documents/bolletta.pdf", "SHA256SUMS", "manifest.json", None])
def test_a_spoiled_copy_is_not_put_back(app, elsewhere, name):
    make_file(app, "bolletta.pdf", b"%PDF" + b"x" * 100_000)
    folder = copy(app)
    name = name or ("portale.dump" if ON_POSTGRESQL else "portale.db")
    path = folder / name
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(Refused, match="copia"):
        restored(elsewhere, folder)
    assert names(elsewhere["DATA_DIR"]) == []


def test_the_copy_of_a_later_release_is_not_put_back(app, elsewhere):
    folder = copy(app)
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"migrations": ["9999_later"]}))
    with pytest.raises(Refused, match="più recente"):
        restored(elsewhere, folder)
    path.write_text(json.dumps(manifest | {"layout": 2}))
    with pytest.raises(Refused, match="più recente"):
        restored(elsewhere, folder)


def test_a_restore_that_is_cut_begins_again(app, elsewhere, monkeypatch):
    make_file(app, "bolletta.pdf", b"%PDF una")
    folder = copy(app)
    steps = ["copy_documents", "shutil.rmtree", "os.rename", "files.sync_folder"]
    for step in [f"domain.backups.restoring.{each}" for each in steps]:
        with monkeypatch.context() as patch:
            patch.setattr(step, full)
            with pytest.raises(OSError, match="No space"):
                restored(elsewhere, folder)
    last = "postgresql.shutil.copyfileobj" if ON_POSTGRESQL else "sqlite.os.replace"
    monkeypatch.setattr(f"domain.backups.{last}", full)
    with pytest.raises(OSError, match="No space"):
        restored(elsewhere, folder)
    monkeypatch.undo()
    restored(elsewhere, folder)
    assert StoredFile.select().count() == 1
    assert names(elsewhere["DATA_DIR"] / "documents") == ["bolletta.pdf"]


def test_as_a_command_it_ends_with_one_line(app, settings, elsewhere):
    make_customer()
    folder = copy(app)
    done = process.job(elsewhere, "restore", str(folder))
    assert (done.returncode, done.stderr) == (0, "")
    assert "Ultimi lotti noti: autoletture 000000, anagrafiche 000000." in done.stdout
    again = process.job(elsewhere, "restore", str(folder))
    assert again.returncode == 1
    assert "esiste già" in again.stdout


# -- Batches -------------------------------------------------------------------------------


def test_after_an_older_copy_no_number_is_used_again_and_nothing_goes_out_twice(app, elsewhere):
    """Copy, hand over, lose the machine but not outbox/, put the copy back, hand over."""
    customer = make_customer()
    gas = make_gas(customer)
    make_self_reading(gas, TODAY - DAY, 100)
    contacts.change(customer.id, {"phone": "0574 1"}, account=None, now=NOW)
    hand_over(app)
    make_self_reading(gas, TODAY, 200)
    contacts.change(customer.id, {"fax": "0574 2"}, account=None, now=NOW)
    folder = copy(app)
    hand_over(app)
    real = app.config["DATA_DIR"] / "outbox"
    os.replace(real / "autoletture_000001.csv", real / "presi" / "autoletture_000001.csv")
    os.replace(real / "anagrafiche_000002.csv", real / "presi" / "anagrafiche_000002.csv")
    shutil.copytree(real, elsewhere["DATA_DIR"] / "outbox")
    given = everything_in(real)

    app = restored(elsewhere, folder)
    assert SelfReading.select().where(SelfReading.state == "pending").count() == 1
    make_self_reading(make_gas(customer), TODAY, 300)
    contacts.change(customer.id, {"phone": "0574 3"}, account=None, now=NOW)
    hand_over(app)
    outbox = app.config["DATA_DIR"] / "outbox"
    after = everything_in(outbox)
    assert given.items() < after.items()
    assert sorted(after.keys() - given.keys()) == [
        "anagrafiche_000003.csv",
        "autoletture_000003.csv",
    ]
    for prefix, value in (("autoletture", "lettura_contatore"), ("anagrafiche", "valore")):
        handed = [
            row[value] for name, rows in after.items() if name.startswith(prefix) for row in rows
        ]
        assert len(handed) == len(set(handed)) == 3, handed
    assert not SelfReading.select().where(SelfReading.state == "pending").exists()
    assert not ContactChange.select().where(ContactChange.batch.is_null()).exists()


def hand_over(app):
    for goods in (acquisition.READINGS, contacts.CONTACTS):
        handover.hand_over(goods, app.config["DATA_DIR"] / "outbox", now=NOW)


def everything_in(outbox):
    """{name: rows} of the batches that billing can see or has taken."""
    return {
        path.name: list(csv.DictReader(io.StringIO(path.read_text()), delimiter=";"))
        for path in outbox.rglob("*.csv")
    }


# -- Killed and refused for real ------------------------------------------------------------


@pytest.mark.slow
def test_killed_or_refused_while_it_copies_the_next_run_leaves_only_whole_copies(
    app, settings, root, tmp_path
):
    strace.needed()
    command = [sys.executable, "-m", "jobs.backup"]
    make_file(app, "vecchia.pdf", b"%PDF vecchia")
    copy(app)
    failed = 0
    for where in strace.faults(strace.calls_of(command, settings, tmp_path / "calls"), 3):
        make_file(app, f"{'_'.join(map(str, where))}.pdf", b"%PDF nuova")
        failed += strace.faulty(command, settings, *where).returncode != 0
        if ON_POSTGRESQL:
            process.until(lambda: not advisory_locks())
        for folder in making.finished(root):
            contents.verify(folder)
        done = process.finished(command, settings)
        assert done.returncode == 0, (where, done.stdout + done.stderr)
        assert not list(root.glob(f"{making.UNFINISHED}*")), where
        last = max(making.finished(root))
        assert contents.verify(last)["documents"] == StoredFile.select().count(), where
        for folder in making.finished(root):
            if folder != last:
                shutil.rmtree(folder)
    assert failed > 8


def advisory_locks():
    return models.db.execute_sql("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'").fetchall()


@pytest.mark.slow
@pytest.mark.everywhere
def test_killed_or_refused_while_it_puts_a_copy_back_the_next_run_does(app, elsewhere, tmp_path):
    strace.needed()
    make_file(app, "bolletta.pdf", b"%PDF una")
    command = [sys.executable, "-m", "jobs.restore", str(copy(app))]
    models.db.close_all()  # another archive follows
    calls = strace.calls_of(command, elsewhere, tmp_path / "calls")
    failed = 0
    for where in strace.faults(calls, 3):
        clear(elsewhere)
        failed += strace.faulty(command, elsewhere, *where).returncode != 0
        done = process.finished(command, elsewhere)
        # It was the very last call, which only tidies up, that failed.
        assert done.returncode == 0 or "esiste già" in done.stdout, (where, done)
        connections.connect(elsewhere["DATABASE_URL"])
        assert StoredFile.select().count() == 1, where
        models.db.close_all()
        assert names(elsewhere["DATA_DIR"] / "documents") == ["bolletta.pdf"], where
    assert failed > 5


def clear(elsewhere):
    """Make it a place that holds nothing again."""
    shutil.rmtree(elsewhere["DATA_DIR"])
    elsewhere["DATA_DIR"].mkdir()
    if ON_POSTGRESQL:
        database = connections.connect(elsewhere["DATABASE_URL"])
        database.execute_sql("DROP SCHEMA public CASCADE")
        database.execute_sql("CREATE SCHEMA public")
        database.close_all()
