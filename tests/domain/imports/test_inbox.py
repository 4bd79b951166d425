"""Which files are read, in which order, and where each goes."""

import datetime as dt
import errno
import itertools
import json
import os
import shutil
import sqlite3
import sys
from contextlib import closing, contextmanager, suppress

import pytest
from peewee import fn

import models
from domain.clock import rome_day, utcnow
from domain.errors import Refused
from domain.imports.inbox import Inbox, kind_of
from domain.imports.upsert import Upsert
from models import (
    Account,
    Customer,
    Document,
    ImportedFile,
    Invoice,
    OutgoingMail,
    ReadingBatch,
    SelfReading,
    StoredFile,
    SupplyPoint,
)
from tests import strace
from tests.domain.imports.conftest import PDF
from tests.factories import make_account, make_customer, make_gas, make_self_reading
from tests.fatturapa import attachment, body, xml, zipped
from tests.jobs import process

CUSTOMERS = "codice_cliente;denominazione;partita_iva"
NOW = dt.datetime(2026, 11, 30, 23, 30, tzinfo=dt.UTC)  # already December in Italy


def names(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def in_inbox(desk):
    return [path.name for path in sorted(desk.inbox.iterdir()) if path.is_file()]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("fatture_2026-11.csv", "fatture"),
        ("FATTURE.CSV", "fatture"),
        ("clienti2026.csv", "clienti"),
        ("misure_2026.csv", "misure"),
        ("esiti_2026.csv", "esiti"),
        ("IT01234567890_1.xml", "fattura elettronica"),
        ("x.xml.P7M", "fattura elettronica"),
        ("fatture.zip", "fattura elettronica"),
        ("fattureNovembre.csv", "fatture"),
        ("fatture 2026.txt", "fatture"),
        ("fatture", "fatture"),
        ("fatture.xlsx", None),
        ("fatture elettroniche.xml", "fattura elettronica"),
        ("fattura elettronica.csv", None),
        ("nuovi_clienti.csv", None),
    ],
)
def test_the_name_tells_the_kind(name, kind):
    assert kind_of(name) == kind


def test_files_are_taken_in_the_order_of_what_they_need(desk):
    desk.put("fatture_1.csv", "numero;data;codice_cliente;importo", "1;01/01/2026;000001;5")
    desk.put("clienti_b.csv", CUSTOMERS, "000001;SECONDA;01234560488")
    desk.put("Clienti_a.csv", CUSTOMERS, "000001;PRIMA;01234560488")
    desk.put("forniture.csv", "codice_fornitura;codice_cliente;servizio;pod_pdr",
             "PR1;000001;GAS;00881234567890")  # fmt: skip
    taken = [outcome.report.name for outcome in desk.run()]
    assert taken == ["Clienti_a.csv", "clienti_b.csv", "forniture.csv", "fatture_1.csv"]
    assert Customer.get().name == "SECONDA"
    assert Invoice.select().count() == 1


def test_files_being_written_are_left_alone(desk):
    for name in (".clienti.csv", "clienti.csv.tmp", "clienti.csv.PART"):
        desk.put(name, CUSTOMERS, "000001;A;01234560488")
    before = desk.files()
    assert desk.run() == []
    assert desk.files() == before


def test_row_20_folders_and_links_are_left_alone(desk):
    (desk.inbox / "clienti.csv").mkdir()
    (desk.inbox / "clienti_2.csv").symlink_to("/etc/passwd")
    os.mkfifo(desk.inbox / "clienti_3.csv")
    assert desk.run() == []


@pytest.mark.parametrize("name", ["clienti\n.csv", "clienti\udcff.csv", "clienti" + "x" * 240])
def test_a_file_with_an_impossible_name_stays_and_is_told(desk, name):
    desk.put(name, CUSTOMERS)
    (outcome,) = desk.run()
    assert outcome.state == "left"
    assert len(list(desk.inbox.iterdir())) == 2  # and allegati


def test_a_good_file_is_archived_by_the_month_in_italy(desk):
    desk.put("clienti.csv", CUSTOMERS, "000001;A;01234560488")
    (outcome,) = desk.run(now=NOW)
    assert outcome.state == "applied"
    assert names(desk.inbox / "archivio/2026/12") == ["clienti.csv"]
    row = ImportedFile.get()
    assert (row.name, row.kind, row.state, row.settled_at) == (
        "clienti.csv", "clienti", "applied", NOW,
    )  # fmt: skip
    assert json.loads(row.report)["added"] == 1


def test_archived_files_of_one_name_do_not_overwrite_each_other(desk):
    for name in "ABC":
        desk.put("clienti.csv", CUSTOMERS, f"000001;{name};01234560488")
        desk.run(now=NOW)
    kept = list((desk.inbox / "archivio/2026/12").iterdir())
    assert len(kept) == 3
    assert {path.read_text().split(";")[3] for path in kept} == set("ABC")


def test_the_same_bytes_again_change_nothing_and_say_so(desk):
    lines = (CUSTOMERS, "000001;A;01234560488")
    desk.take("clienti.csv", *lines)
    Customer.update(name="DOPO").execute()
    desk.put("clienti_ancora.csv", *lines)
    (outcome,) = desk.run(now=NOW)
    assert outcome.state == "repeated"
    assert "niente è cambiato" in outcome.report.notes[0]
    assert Customer.get().name == "DOPO"
    assert names(desk.inbox / "archivio/2026/12") == ["clienti_ancora.csv"]


def test_a_rejected_file_may_come_again_once_its_cause_is_gone(desk):
    lines = ("codice_fornitura;codice_cliente;servizio;pod_pdr", "PR1;000001;GAS;00881234567890")
    desk.reject("forniture.csv", *lines)
    make_customer("000001")
    desk.take("forniture.csv", *lines)
    assert SupplyPoint.select().count() == 1


def test_a_rejected_file_lies_beside_its_errors(desk):
    desk.put("clienti.csv", CUSTOMERS, "000001;A;01234560488", "2;=B();x")
    (outcome,) = desk.run()
    assert outcome.state == "rejected"
    assert names(desk.inbox / "scartati") == ["clienti.csv", "clienti.csv.errori.csv"]
    lines = (desk.inbox / "scartati/clienti.csv.errori.csv").read_text("utf-8-sig").splitlines()
    assert lines[0] == "riga;colonna;valore;errore"
    assert lines[1].startswith("3;codice_cliente;2;Il codice cliente ha sei cifre")
    assert not Customer.select().exists()
    assert ImportedFile.get().state == "rejected"


@pytest.mark.parametrize("content", [b"", b"\n", b"\x00" * 100, b"\xff\xfe\x00", os.urandom(4096)])
def test_a_file_that_is_no_table_is_rejected(desk, content):
    (desk.inbox / "clienti.csv").write_bytes(content)
    (outcome,) = desk.run()
    assert outcome.state == "rejected"
    assert names(desk.inbox / "scartati") == ["clienti.csv", "clienti.csv.errori.csv"]


def test_an_unknown_name_is_rejected_with_what_to_do(desk):
    (error,) = desk.reject("elenco.csv", "a;b")
    assert "il nome deve iniziare con" in error[3]


def test_a_file_that_changes_while_it_is_read_waits_for_the_next_run(desk):
    desk.put("clienti.csv", CUSTOMERS, "000001;A;01234560488")

    def still_writing(rows, name):
        with (desk.inbox / name).open("a") as stream:
            stream.write("000002;B;01234560488\n")
        return rows

    (outcome,) = desk.run(progress=still_writing)
    assert outcome.state == "left"
    assert not Customer.select().exists()
    (outcome,) = desk.run()
    assert outcome.state == "applied"
    assert Customer.select().count() == 2


def test_a_full_disk_leaves_the_file_for_the_next_run(desk, monkeypatch):
    make_customer("000001")
    desk.attach("f1.pdf")
    desk.put("fatture.csv", "numero;data;codice_cliente;importo;documento",
             "1;01/01/2026;000001;5;f1.pdf")  # fmt: skip

    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            desk.run()
    assert in_inbox(desk) == ["fatture.csv"]
    assert not Invoice.select().exists()
    assert [outcome.state for outcome in desk.run()] == ["applied"]
    assert desk.placed() == ["f1.pdf"]


def test_a_document_that_changes_while_it_is_copied_leaves_the_file_waiting(desk, monkeypatch):
    make_customer("000001")
    desk.attach("f1.pdf")
    desk.put("fatture.csv", "numero;data;codice_cliente;importo;documento",
             "1;01/01/2026;000001;5;f1.pdf")  # fmt: skip
    examine = Upsert.examine

    def still_copying(*args):
        examine(*args)
        desk.attach("f1.pdf", PDF + b"more")

    with monkeypatch.context() as patch:
        patch.setattr(Upsert, "examine", still_copying)
        assert [outcome.state for outcome in desk.run()] == ["left"]
    assert desk.placed() == []
    assert [outcome.state for outcome in desk.run()] == ["applied"]
    assert (desk.documents / "f1.pdf").read_bytes() == PDF + b"more"


# -- held ----------------------------------------------------------------------------------


def ending(count):
    header = "codice_cliente;denominazione;partita_iva;attivo"
    return header, *(f"{n:06d};A;01234560488;N" for n in range(count))


@pytest.fixture
def forty_customers(app):
    return [make_customer(f"{n:06d}") for n in range(40)]


def test_a_file_that_ends_five_per_cent_is_taken(desk, forty_customers):
    desk.take("clienti.csv", *ending(2))
    assert Customer.select().where(~Customer.active).count() == 2


def test_a_file_that_ends_more_is_held_until_confirmed(desk, forty_customers):
    desk.put("clienti.csv", *ending(3))
    (outcome,) = desk.run()
    assert outcome.state == "held"
    assert "--confirm clienti.csv" in outcome.report.notes[0]
    assert Customer.select().where(Customer.active).count() == 40
    assert names(desk.inbox / "sospesi") == ["clienti.csv"]
    assert desk.run() == []
    outcome = Inbox(desk.data_dir, utility_vat="").confirm("clienti.csv", now=NOW)
    assert outcome.state == "applied"
    assert Customer.select().where(Customer.active).count() == 37
    assert names(desk.inbox / "sospesi") == []
    assert names(desk.inbox / "archivio/2026/12") == ["clienti.csv"]


def test_a_supply_file_that_ends_too_many_is_held(desk):
    make_gas(make_customer("000001"), "PR1")
    desk.put("forniture.csv", "codice_fornitura;codice_cliente;servizio;pod_pdr;cessata_il",
             "PR1;000001;GAS;00881234567890;30/11/2026")  # fmt: skip
    assert [outcome.state for outcome in desk.run()] == ["held"]
    assert SupplyPoint.get().ended_on is None


@pytest.mark.parametrize("name", ["../clienti.csv", "/etc/passwd", "none.csv", "", "a\x00b"])
def test_only_a_held_file_can_be_confirmed(desk, name):
    with pytest.raises(Refused):
        Inbox(desk.data_dir, utility_vat="").confirm(name, now=NOW)


# -- dry run -------------------------------------------------------------------------------


def snapshot(desk):
    """Every file, and every row of every table."""
    rows = {
        table.__name__: list(table.select().order_by(*table._meta.get_primary_keys()).tuples())
        for table in models.TABLES
    }
    return desk.files(), rows


def test_a_dry_run_tells_what_a_run_would_do_and_writes_nothing(desk, forty_customers):
    desk.put("clienti_1.csv", CUSTOMERS, "000099;NUOVO;01234560488")
    desk.put("clienti_2.csv", *ending(9))
    desk.put("clienti_3.csv", CUSTOMERS, "x;y;z")
    desk.put("fatture.csv", "numero;data;codice_cliente;importo;documento",
             "1;01/01/2026;000099;5;f1.pdf")  # fmt: skip
    desk.put("x.xml", "<x/>")
    desk.attach("f1.pdf")
    before = snapshot(desk)
    told = [(outcome.report.name, outcome.state) for outcome in desk.run(dry_run=True)]
    assert snapshot(desk) == before
    assert told == [(outcome.report.name, outcome.state) for outcome in desk.run()]
    assert [state for _name, state in told] == [
        "applied", "held", "rejected", "applied", "rejected",
    ]  # fmt: skip


def test_nobody_waits_for_a_dry_run(desk, forty_customers, settings):
    if not models.is_sqlite():
        return  # there only writers of the same row wait for each other
    desk.put("clienti_1.csv", CUSTOMERS, "000099;NUOVO;01234560488")
    desk.put("clienti_2.csv", CUSTOMERS, "000098;NUOVO;01234560488")
    run = Inbox(desk.data_dir, utility_vat="", dry_run=True).run(now=NOW)
    next(run)
    other = sqlite3.connect(settings["DATA_DIR"] / "portale.db", timeout=0)
    with closing(other), other:
        other.execute("UPDATE customer SET phone = '0574'")
    assert next(run).state == "applied"
    assert not list(run)
    assert Customer.select().where(Customer.phone == "0574").count() == 40


def test_a_dry_run_of_a_confirmation_writes_nothing(desk, forty_customers):
    desk.put("clienti.csv", *ending(9))
    desk.run()
    before = snapshot(desk)
    inbox = Inbox(desk.data_dir, utility_vat="", dry_run=True)
    assert inbox.confirm("clienti.csv", now=NOW).state == "applied"
    assert snapshot(desk) == before


# -- killed at any step --------------------------------------------------------------------


class Killed(BaseException):
    """The process ended here."""


@pytest.fixture
def killed_at():
    """`with killed_at(n):` the n-th step that leaves a trace is the last, or never happens.

    Gives the list of steps taken. A dead process does nothing more: later steps, such as
    the rollback on the way out, do not happen either.
    """

    @contextmanager
    def _killed_at(n, *, after):
        steps = []

        def mortal(original):
            def step(*args, **kwargs):
                steps.append(original.__name__)
                if len(steps) < n or (len(steps) == n and after):
                    original(*args, **kwargs)
                if len(steps) >= n:
                    raise Killed

            return step

        with pytest.MonkeyPatch.context() as patch:
            for name in ("replace", "link", "unlink", "fsync", "mkdir"):
                patch.setattr(os, name, mortal(getattr(os, name)))
            for name in ("commit", "rollback"):
                patch.setattr(models.db.obj, name, mortal(getattr(models.db.obj, name)))
            with suppress(Killed):
                yield steps
        models.db.close()

    return _killed_at


def world(desk):
    """Files and rows as a clerk sees them: without the times of the runs."""
    rows = ImportedFile.select().order_by(ImportedFile.name)
    return (
        desk.files(),
        [(row.name, row.state, row.report, row.settled_at is None) for row in rows],
        sorted(Customer.select(Customer.code, Customer.name, Customer.active).tuples()),
        sorted(
            Invoice.select(Invoice.number, Invoice.amount_cents, StoredFile.path, StoredFile.sha256)
            .join(StoredFile)
            .tuples()
        ),
        sorted(
            Document.select(Document.title, fn.COALESCE(StoredFile.sha256, ""))
            .left_outer_join(StoredFile)
            .tuples()
        ),
        sorted(SelfReading.select(SelfReading.id, SelfReading.state, SelfReading.reason).tuples()),
        sorted(OutgoingMail.select(OutgoingMail.kind, OutgoingMail.params).tuples()),
    )


E_INVOICES = zipped({
    "1.xml": xml(body("1/A", attachments=[attachment()]), vat="01234560489"),
    "2.xml": xml(body("1-A", attachments=[attachment(PDF + b"%3")]), vat="01234560489"),
})  # fmt: skip


def fill(desk):
    for n in range(10):
        make_customer(f"{n:06d}", name="A", vat_number="01234560488")
    desk.put("clienti_1.csv", CUSTOMERS, "000099;NUOVO;01234560489")
    desk.put("clienti_2.csv", *ending(9))
    desk.put("clienti_3.csv", CUSTOMERS, "x;y;z")
    desk.put("fatture.csv", "numero;data;codice_cliente;importo;documento",
             "1;01/01/2026;000099;5;f1.pdf", "2;01/01/2026;000099;6;f2.pdf")  # fmt: skip
    desk.put("documenti.csv", "categoria;titolo;data;file;testo;codice_cliente",
             "personale;Lettera;01/01/2026;d.pdf;;000099",
             "comunicati;Avviso;01/01/2026;;Testo;")  # fmt: skip
    desk.put("esiti.csv", "lotto;id_lettura;esito;motivo", "1;17;VALIDATA;", "1;18;RESPINTA;No.")
    batch = ReadingBatch.create(number=1, created_at=NOW, content=b"", placed_at=NOW)
    account = make_account(Customer.get(code="000000"))
    for number in (17, 18):
        make_self_reading(make_gas(account.grants.get().customer, f"PR{number}"), NOW.date(), 5,
                          id=number, state="acquired", batch=batch, account=account)  # fmt: skip
    (desk.inbox / "e.zip").write_bytes(E_INVOICES)
    desk.attach("d.pdf", PDF + b"%d\n")
    desk.attach("f1.pdf")
    desk.attach("f2.pdf", PDF + b"%2\n")
    (desk.documents / "f2.pdf").write_bytes(PDF + b"% another\n")


def empty(desk):
    for path in [*desk.inbox.iterdir(), *desk.documents.iterdir()]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (desk.inbox / "allegati").mkdir()
    for table in (Invoice, Document, StoredFile, SelfReading, ReadingBatch, SupplyPoint, Account,
                  Customer, ImportedFile):  # fmt: skip
        table.delete().execute()


@pytest.mark.slow
@pytest.mark.everywhere
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_wherever_a_run_is_killed_the_next_one_ends_the_same(desk, killed_at, after, monkeypatch):
    def fsync(_descriptor):
        """What a process wrote outlives it without reaching the disk."""

    monkeypatch.setattr(os, "fsync", fsync)
    if models.is_sqlite():
        models.db.execute_sql("PRAGMA synchronous = OFF")
    fill(desk)
    desk.run(now=NOW)
    undisturbed = world(desk)
    assert sorted(row[1] for row in undisturbed[1]) == ["applied"] * 5 + ["held", "rejected"]
    for number in itertools.count(1):
        empty(desk)
        fill(desk)
        with killed_at(number, after=after) as steps:
            desk.run(now=NOW)
        desk.run(now=NOW)
        assert world(desk) == undisturbed, f"killed at step {number}: {steps[-1]}"
        if len(steps) < number:
            break
    assert number > 40


@pytest.mark.slow
def test_killed_or_refused_for_real_the_next_run_ends_the_same(desk, settings, tmp_path):
    strace.needed()
    job = [sys.executable, "-m", "jobs.import_inbox"]
    fill(desk)
    calls = strace.calls_of(job, settings, tmp_path / "calls")
    undisturbed, today = world(desk), rome_day(utcnow())
    failed = 0
    for where in strace.faults(calls):
        empty(desk)
        fill(desk)
        failed += strace.faulty(job, settings, *where).returncode != 0
        done = process.finished(job, settings)
        assert done.returncode == 0, (where, done.stdout + done.stderr)
        assert world(desk) == undisturbed or rome_day(utcnow()) != today, where
    assert failed > 30
