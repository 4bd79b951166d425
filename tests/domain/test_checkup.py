"""What monitoring is told of the portal as a whole."""

import datetime as dt
import os
import shutil
from types import SimpleNamespace

import pytest

from domain import checkup, register, schedule
from domain.clock import utcnow
from domain.release import VERSION
from models import (
    ContactBatch,
    ImportedFile,
    JobRun,
    OutgoingMail,
    ReadingBatch,
    RegisterEntry,
    StoredFile,
    db,
)
from tests.factories import make_attachment, make_customer, make_file, make_mail, make_ticket

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def well(app):
    """A portal of which nothing bad can be told."""
    now = utcnow()
    for job in schedule.JOBS:
        JobRun.create(job=job.name, started_at=now, finished_at=now, exit_code=0, summary="fatto")
    (app.config["BACKUP_DIR"] / now.strftime("%Y-%m-%dT%H%M%S")).mkdir(parents=True)
    register.record("signed_in", "anna", key=register.key(app.secret_key), now=now)
    return app


def examined(app, now=None):
    key = register.key(app.secret_key)
    return {each.name: each for each in checkup.examine(app.config, key=key, now=now or utcnow())}


def only_bad(found):
    (bad,) = [each for each in found.values() if not each.ok]
    return bad


def test_all_is_well(well):
    found = examined(well)
    assert [each for each in found.values() if not each.ok] == []
    assert found["register"].data == {"entries": 1, "seal": RegisterEntry.get().seal,
                                      "broken": None}  # fmt: skip
    assert RegisterEntry.get().seal in found["register"].says


def test_a_job_that_is_late_failed_or_never_ran(well):
    now = utcnow()
    JobRun.update(started_at=now - 66 / 60 * HOUR).where(JobRun.job == "acquire_readings").execute()
    bad = only_bad(examined(well, now))
    assert bad.name == "job.acquire_readings"
    assert "In ritardo, da 1 ora e 6 minuti nessuna esecuzione riuscita." in bad.says
    JobRun.update(started_at=now, exit_code=1, summary="manca la cartella").where(
        JobRun.job == "acquire_readings"
    ).execute()
    assert "non riuscita: manca la cartella" in only_bad(examined(well, now)).says
    JobRun.delete().where(JobRun.job == "acquire_readings").execute()
    assert only_bad(examined(well, now)).says == "Mai eseguito."


def test_a_disk_that_is_nearly_full(well, monkeypatch):
    usage = SimpleNamespace(total=100 * checkup.GB, free=4 * checkup.GB, used=0)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage)
    found = examined(well)
    assert (found["disk.data"].ok, found["disk.backup"].ok) == (False, False)
    assert "4 GB liberi" in found["disk.data"].says
    assert "5 GB" in found["disk.data"].todo
    usage.free = 6 * checkup.GB
    assert examined(well)["disk.data"].ok


def test_a_backup_that_is_old_or_not_there(well):
    root = well.config["BACKUP_DIR"]
    (made,) = root.iterdir()
    made.rename(root / (utcnow() - 27 * HOUR).strftime("%Y-%m-%dT%H%M%S"))
    bad = only_bad(examined(well))
    assert (bad.name, "27 ore" in bad.says) == ("backup", True)
    shutil.rmtree(root)
    assert "Nessuna copia di sicurezza" in only_bad(examined(well)).says
    root.mkdir()
    (root / "2026-99-99T999999").mkdir()
    assert "Nessuna copia di sicurezza" in only_bad(examined(well)).says


def test_files_that_stay_in_the_inbox(well):
    path = well.config["DATA_DIR"] / "inbox" / "clienti.csv"
    path.write_text("x")
    (path.parent / "fatture.csv.tmp").write_text("x")
    assert examined(well)["inbox"].data["files"] == 1
    before = (utcnow() - 2 * HOUR).timestamp()
    os.utime(path, (before, before))
    bad = only_bad(examined(well))
    assert (bad.name, "il più vecchio da 2 ore" in bad.says) == ("inbox", True)


def test_a_logo_that_cannot_be_used(well):
    told = ["logo.svg: non è un SVG. Il file non è usato.", "PORTALE_ACCENT: …"]
    well.config["BRANDING"] = well.config["BRANDING"]._replace(warnings=told)
    bad = only_bad(examined(well))
    assert (bad.name, bad.says, bad.data["warnings"]) == ("look", " ".join(told), told)


def test_files_that_were_judged_and_not_moved(well):
    values = {"name": "a.csv", "state": "applied", "sha256": "x", "size": 1}
    ImportedFile.create(at=utcnow(), **values)
    assert examined(well)["imports"].ok
    ImportedFile.create(at=utcnow() - 2 * HOUR, **values)
    assert only_bad(examined(well)).data == {"unsettled": 1}


def test_mail_that_nobody_sends(well):
    make_mail(created_at=utcnow() - 2 * HOUR, due_at=utcnow() - HOUR)
    bad = only_bad(examined(well))
    assert (bad.name, "la più vecchia da 2 ore" in bad.says) == ("mail", True)


def test_much_mail_that_goes_out_slowly_is_well(well):
    make_mail(due_at=utcnow() - HOUR)
    make_mail(state="sent", sent_at=utcnow(), due_at=utcnow())
    make_mail(state="failed")
    found = examined(well)["mail"]
    assert (found.ok, found.data["waiting"], found.data["failed"]) == (True, 1, 1)
    OutgoingMail.update(sent_at=utcnow() - HOUR).where(OutgoingMail.state == "sent").execute()
    assert not examined(well)["mail"].ok


def test_batches_that_reached_no_folder(well):
    for table in (ReadingBatch, ContactBatch):
        table.create(number=7, created_at=utcnow() - 2 * HOUR, content=b"")
    ReadingBatch.create(number=8, created_at=utcnow(), content=b"")
    bad = only_bad(examined(well))
    assert (bad.name, bad.data) == ("batches", {"unplaced": 2})
    assert "autoletture_000007.csv, anagrafiche_000007.csv" in bad.says


def test_a_register_that_somebody_edited(well):
    RegisterEntry.update(operator="bruno").execute()
    bad = only_bad(examined(well))
    assert (bad.name, bad.data["broken"]) == ("register", 1)
    assert "alterato dalla voce 1" in bad.says


def test_documents_that_the_archive_names_and_the_disk_lacks(well):
    make_file(well, "c-e.pdf")
    ticket = make_ticket(make_customer())
    attachment = make_attachment(well, ticket)
    place = well.config["DATA_DIR"] / "documents"
    arriving = place / "ticket" / ".arriving"
    arriving.mkdir(exist_ok=True)
    (place / attachment.path).rename(arriving / attachment.path.rpartition("/")[2])
    assert examined(well)["documents"].data == {"looked_at": 2, "lost": 0}
    StoredFile.create(path="manca.pdf", name="manca.pdf", size=1, sha256="x")
    (place / "c-e.pdf").write_bytes(b"troncato")
    bad = only_bad(examined(well))
    assert (bad.name, bad.data) == ("documents", {"looked_at": 3, "lost": 2})
    assert "manca.pdf" in bad.says


def test_only_the_latest_documents_are_looked_at(well, monkeypatch):
    monkeypatch.setattr(checkup, "LATEST_FILES", 2)
    StoredFile.create(path="manca.pdf", name="manca.pdf", size=1, sha256="x")
    for name in ("a.pdf", "b.pdf"):
        make_file(well, name)
    assert examined(well)["documents"].data == {"looked_at": 2, "lost": 0}


def test_an_archive_of_another_release_is_told_before_its_tables_are_asked(well):
    db.execute_sql("INSERT INTO schema_migration (name, applied) VALUES ('9999_x', '2026-01-01')")
    try:
        found = examined(well)
    finally:
        db.execute_sql("DELETE FROM schema_migration WHERE name = '9999_x'")
    assert only_bad(found).data == {"release": VERSION, "missing": [], "unknown": ["9999_x"]}
    assert "register" not in found
