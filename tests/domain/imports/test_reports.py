"""What stays of each import: in the archive, and as a text for the clerk."""

import datetime as dt
import json

import pytest

from domain.imports.inbox import Inbox
from models import ImportedFile
from tests.factories import make_customer

CUSTOMERS = "codice_cliente;denominazione;partita_iva"
NOW = dt.datetime(2026, 11, 30, 23, 30, tzinfo=dt.UTC)  # already December in Italy


def reports(desk):
    """Name and text of each report."""
    return {
        path.name: path.read_bytes().decode("utf-8-sig").split("\r\n")
        for path in sorted((desk.inbox / "rapporti").rglob("*"))
        if path.is_file()
    }


def test_a_good_file_leaves_its_counts_its_notes_and_its_warnings(desk):
    make_customer("000002", name="UGUALE", vat_number="01234560488")
    make_customer("000003", name="PRIMA", vat_number="01234560488")
    desk.put("clienti.csv", CUSTOMERS + ";pippo", "000001;NUOVO;1;x", "000002;UGUALE;01234560488;",
             "000003;DOPO;01234560488;")  # fmt: skip
    desk.run(now=NOW)
    assert reports(desk) == {
        "2026-12-01_clienti.csv.txt": [
            "File:         clienti.csv",
            "Esito:        importato il 01/12/2026",
            "Dimensione:   116 byte",
            "Righe lette:  3",
            "              nuove 1, cambiate 1, uguali 1",
            "Avvisi:       1",
            "Errori:       0",
            "",
            "Note",
            "  Colonne sconosciute, ignorate: pippo.",
            "",
            "Avvisi",
            "  riga 2, partita_iva «1»: Partita IVA non corretta: controllare che abbia 11 cifre "
            "e quali.",
            "",
        ]
    }
    assert (desk.inbox / "rapporti/2026/12").is_dir()


def test_the_archive_keeps_counts_bytes_and_seconds(desk):
    ticks = iter([10.0, 12.5])
    desk.put("clienti.csv", CUSTOMERS, "000001;NUOVO;1")
    desk.run(now=NOW, clock=lambda: next(ticks))
    row = ImportedFile.get()
    assert (row.size, row.seconds) == (56, 2.5)
    stored = json.loads(row.report)
    assert [stored[name] for name in ("rows", "added", "changed", "unchanged")] == [1, 1, 0, 0]
    assert [stored[name] for name in ("warning_count", "error_count")] == [1, 0]


def test_a_rejected_file_leaves_a_report_too(desk):
    desk.put("clienti.csv", CUSTOMERS, "x;\x1b[31mA;y")
    desk.run(now=NOW)
    (text,) = reports(desk).values()
    assert "Esito:        scartato il 01/12/2026" in text
    assert text[text.index("Errori") + 1].startswith("  riga 2, codice_cliente «x»: Il codice")
    assert "\x1b" not in "".join(text)


def test_no_more_than_a_thousand_warnings_are_listed_and_all_are_counted(desk):
    desk.put("clienti.csv", CUSTOMERS, *(f"{n:06d};A;1" for n in range(1234)))
    desk.run(now=NOW)
    (text,) = reports(desk).values()
    assert "Avvisi:       1.234" in text
    listed = text[text.index("Avvisi, i primi 1.000 di 1.234") + 1 :]
    assert len(listed) == 1001  # and the end of the last line


def test_each_run_of_a_day_has_its_report_and_none_is_overwritten(desk):
    lines = (CUSTOMERS, "000001;A;01234560488")
    for content in (lines, (CUSTOMERS, "000001;B;01234560488"), lines, lines):
        desk.put("clienti.csv", *content)
        desk.run(now=NOW)
    texts = reports(desk)
    assert len(texts) == 3  # the last two say the same
    assert all(name.startswith("2026-12-01_clienti.csv") for name in texts)
    assert sorted(text[1].split()[1] for text in texts.values()) == [
        "già",
        "importato",
        "importato",
    ]


def test_a_held_file_leaves_a_report_when_it_is_held_and_when_it_is_confirmed(desk):
    make_customer("000001")
    desk.put("clienti.csv", CUSTOMERS + ";attivo", "000001;A;01234560488;N")
    desk.run(now=NOW)
    Inbox(desk.data_dir, utility_vat="").confirm("clienti.csv", now=NOW)
    assert sorted(text[1] for text in reports(desk).values()) == [
        "Esito:        importato il 01/12/2026", "Esito:        sospeso il 01/12/2026",
    ]  # fmt: skip


def test_a_dry_run_leaves_no_report(desk):
    desk.put("clienti.csv", CUSTOMERS, "000001;A;01234560488")
    desk.run(now=NOW, dry_run=True)
    assert reports(desk) == {}


def test_what_stays_in_the_inbox_has_no_report(desk):
    desk.put("clienti\n.csv", CUSTOMERS)
    desk.run(now=NOW)
    assert reports(desk) == {}


@pytest.mark.parametrize("name", ["clienti_" + "x" * 188 + ".csv", "clienti_'; echo è 漢.csv"])
def test_the_longest_and_oddest_names_have_one(desk, name):
    for n in (1, 2):
        desk.put(name, CUSTOMERS, f"00000{n};A{'B' * n};01234560488")
        desk.run(now=NOW)
    assert len(reports(desk)) == 2


def test_a_run_of_an_earlier_release_is_completed(desk):
    ImportedFile.create(
        name="clienti.csv", sha256="0" * 64, size=1, state="applied", at=NOW,
        report='{"rows": 1, "added": 1, "changed": 0, "unchanged": 0, "notes": [], '
        '"warning_count": 0, "warnings": [], "error_count": 0, "errors": []}',
    )  # fmt: skip
    assert desk.run(now=NOW) == []
    assert len(reports(desk)) == 1
