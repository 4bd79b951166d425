"""The import job from end to end, with the example files of the documentation."""

import datetime as dt
import os
import shutil
import sys
from pathlib import Path

import pytest

from domain.clock import utcnow
from domain.formats import batch_csv, import_report
from jobs import import_inbox
from models import (
    Contract,
    Customer,
    ImportedFile,
    Instalment,
    Invoice,
    JobRun,
    MeterReading,
    ReadingBatch,
    ReadingWindow,
    SelfReading,
    SupplyPoint,
)  # fmt: skip
from tests.jobs import process

pytestmark = pytest.mark.processes

EXAMPLES = Path(__file__).parents[2] / "docs" / "esempi"
OUTCOMES = "esiti_esempio.csv"  # answers what the others do not bring
EXAMPLE_FILES = len(list(EXAMPLES.glob("*_esempio.csv"))) - 1


@pytest.fixture
def examples(app):
    inbox = app.config["DATA_DIR"] / "inbox"
    for path in EXAMPLES.glob("*_esempio.csv"):
        if path.name != OUTCOMES:
            shutil.copy(path, inbox)
    shutil.copytree(EXAMPLES / "allegati", inbox / "allegati", dirs_exist_ok=True)
    return inbox


def test_the_example_files_import_without_errors_or_warnings(app, examples, capsys):
    summary = import_inbox.run(app, now=utcnow())
    told = capsys.readouterr().out
    assert summary == f"importato: {EXAMPLE_FILES}", told
    assert "avvisi:" not in told
    assert "errori:" not in told
    counts = [table.select().count() for table in (Customer, SupplyPoint, Contract, Invoice)]
    assert counts == [2, 3, 2, 3]
    assert MeterReading.select().count() == ReadingWindow.select().count() == 3
    assert Instalment.select().count() == 2
    assert not [path for path in examples.iterdir() if path.is_file()]
    assert not list((examples / "allegati").iterdir())
    assert (app.config["DATA_DIR"] / "documents" / "fattura_2026_1042.pdf").is_file()
    assert ImportedFile.select().where(ImportedFile.settled_at.is_null()).count() == 0


def test_the_example_of_a_report_is_that_of_the_example_of_customers(app, examples):
    import_inbox.run(app, now=dt.datetime(2026, 11, 23, 9, 30, tzinfo=dt.UTC))
    name = "2026-11-23_clienti_esempio.csv.txt"
    made = (examples / "rapporti" / "2026" / "11" / name).read_bytes()
    assert made == (EXAMPLES / name).read_bytes()


def test_the_example_of_outcomes_answers_the_example_of_readings(app, examples):
    import_inbox.run(app, now=utcnow())
    content = (EXAMPLES / "autoletture_000001.csv").read_bytes()
    batch = ReadingBatch.create(number=1, created_at=utcnow(), content=content)
    lines = batch_csv.read(content)
    for line in lines:
        SelfReading.create(
            id=int(line["id_lettura"]), batch=batch, state="acquired", entered_at=utcnow(),
            supply=SupplyPoint.get(code=line["codice_fornitura"]), day=dt.date(2026, 11, 26),
            counter=int(line["lettura_contatore"]),
        )  # fmt: skip
    shutil.copy(EXAMPLES / OUTCOMES, examples)
    assert import_inbox.run(app, now=utcnow()) == "importato: 1"
    states = [row.state for row in SelfReading.select().order_by(SelfReading.id)]
    assert states == ["validated", "rejected"]


def test_a_rejected_file_is_told_row_by_row_in_plain_italian(app, capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    inbox = app.config["DATA_DIR"] / "inbox"
    lines = ["codice_cliente;denominazione;partita_iva", *(f"{n};A;1" for n in range(30))]
    (inbox / "clienti.csv").write_text("\n".join(lines))
    assert import_inbox.run(app, now=utcnow()) == "scartato: 1"
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "clienti.csv: scartato"
    assert told[1] == "  errori: 30"
    assert told[2].startswith("    riga 2, codice_cliente «0»: Il codice cliente ha sei cifre")
    assert told[22] == "    … e altri 10"


def test_a_table_at_the_end_tells_counts_and_speed(app, capsys):
    (app.config["DATA_DIR"] / "inbox" / "clienti.csv").write_text(
        "codice_cliente;denominazione;partita_iva\n000001;A;01234560488\n000002;B;1\n"
    )
    (app.config["DATA_DIR"] / "inbox" / f"fatture_{'x' * 60}.csv").write_text("")
    for dry_run in (True, False):
        import_inbox.run(app, now=utcnow(), dry_run=dry_run)
        heading, first, second = capsys.readouterr().out.rstrip("\n").splitlines()[-3:]
        assert heading.split() == list(import_report.HEADINGS)
        assert first.split()[:9] == [
            "clienti.csv", "importato", "2", "2", "0", "0", "1", "0", "73",
        ]  # fmt: skip
        assert second.split()[:9] == [
            f"fatture_{'x' * 31}…", "scartato", "0", "0", "0", "0", "0", "1", "0",
        ]  # fmt: skip
        speeds = [int(cell.replace(".", "")) for cell in first.split()[10:]]
        assert speeds[1] > speeds[0] > 0


def test_help_tells_of_the_reports(app, settings):
    assert "inbox/rapporti" in process.job(settings, "import_inbox", "--help").stdout


def test_the_job_as_cron_runs_it(app, settings, examples):
    done = process.job(settings, "import_inbox", "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")  # no progress bar: nobody watches
    assert f"prova, niente è stato scritto; importato: {EXAMPLE_FILES}" in done.stdout
    assert not Customer.select().exists()
    assert not JobRun.select().exists()
    assert (examples / "clienti_esempio.csv").exists()
    done = process.job(settings, "import_inbox")
    assert done.returncode == 0
    assert "clienti_esempio.csv: importato\n  righe 2: nuove 2, cambiate 0, uguali 0" in done.stdout
    assert Customer.select().count() == 2


def test_confirming_a_file_that_is_not_held_is_refused(app, settings):
    done = process.job(settings, "import_inbox", "--confirm", "../x.csv")
    assert done.returncode == 1
    assert "non c'è nessun file «../x.csv»" in done.stdout


def test_a_name_that_is_no_text_is_told_without_harm(app, settings):
    inbox = os.fsencode(app.config["DATA_DIR"] / "inbox")
    with open(inbox + b"/clienti\xff\n.csv", "wb"):
        pass
    done = process.job(settings, "import_inbox")
    assert done.returncode == 0
    assert "clienti\ufffd\ufffd.csv: lasciato in inbox" in done.stdout
