"""The import job from end to end, with the example files of the documentation."""

import os
import shutil
from pathlib import Path

import pytest

from domain.clock import utcnow
from jobs import import_inbox
from models import (
    Contract,
    Customer,
    ImportedFile,
    Instalment,
    Invoice,
    JobRun,
    MeterReading,
    ReadingWindow,
    SupplyPoint,
)  # fmt: skip
from tests.jobs import process

EXAMPLES = Path(__file__).parents[2] / "docs" / "esempi"
EXAMPLE_FILES = len(list(EXAMPLES.glob("*_esempio.csv")))


@pytest.fixture
def examples(app):
    inbox = app.config["DATA_DIR"] / "inbox"
    for path in EXAMPLES.glob("*_esempio.csv"):
        shutil.copy(path, inbox)
    shutil.copytree(EXAMPLES / "allegati", inbox / "allegati", dirs_exist_ok=True)
    return inbox


def test_the_example_files_import_without_errors_or_warnings(app, examples, capsys):
    summary = import_inbox.run(app, now=utcnow())
    told = capsys.readouterr().out
    assert summary == f"importato: {EXAMPLE_FILES}", told
    assert "avvisi" not in told
    assert "errori" not in told
    counts = [table.select().count() for table in (Customer, SupplyPoint, Contract, Invoice)]
    assert counts == [2, 3, 2, 3]
    assert MeterReading.select().count() == ReadingWindow.select().count() == 3
    assert Instalment.select().count() == 2
    assert not [path for path in examples.iterdir() if path.is_file()]
    assert not list((examples / "allegati").iterdir())
    assert (app.config["DATA_DIR"] / "documents" / "fattura_2026_1042.pdf").is_file()
    assert ImportedFile.select().where(ImportedFile.settled_at.is_null()).count() == 0


def test_a_rejected_file_is_told_row_by_row_in_plain_italian(app, capsys):
    inbox = app.config["DATA_DIR"] / "inbox"
    lines = ["codice_cliente;denominazione;partita_iva", *(f"{n};A;1" for n in range(30))]
    (inbox / "clienti.csv").write_text("\n".join(lines))
    assert import_inbox.run(app, now=utcnow()) == "scartato: 1"
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "clienti.csv: scartato"
    assert told[1] == "  errori: 30"
    assert told[2].startswith("    riga 2, codice_cliente «0»: Il codice cliente ha sei cifre")
    assert told[22] == "    … e altri 10"


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
