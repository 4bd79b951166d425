"""The import job from end to end, with the example files of the documentation."""

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
    MeterReading,
    ReadingWindow,
    SupplyPoint,
)  # fmt: skip

EXAMPLES = Path(__file__).parents[2] / "docs" / "esempi"


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
    assert summary == "importato: 6", told
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
