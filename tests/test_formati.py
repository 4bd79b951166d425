"""docs/formati.md and the code say the same."""

import csv
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from lxml import etree

from domain.formats import (
    batch_csv,
    billing_contacts,
    billing_readings,
    errors_csv,
    table,
    tal0050,
)
from domain.imports.inbox import KINDS
from domain.imports.publications import LONGEST_TEXT
from domain.imports.upsert import Cells
from domain.italian import whole

DOCS = Path(__file__).parent.parent / "docs"
TEXT = (DOCS / "formati.md").read_text()


def columns_told(title):
    """The first column of the table under a heading."""
    section = re.search(rf"^## {re.escape(title)}$(.*?)(?=^## |\Z)", TEXT, re.M | re.S)[1]
    return re.findall(r"^\| ([a-z0-9_…]+\*?) +\|", section.split("|---|---|")[1], re.M)


def names(cell):
    return cell.names if isinstance(cell, Cells) else [cell.name]


def told(cell):
    """A column as the table has it; the first and the last of several that are one value."""
    return "…".join(names(cell)[::99]) + "*" * getattr(cell, "required", False)


def header_of(name):
    with (DOCS / "esempi" / name).open(newline="") as stream:
        return next(csv.reader(stream, delimiter=";"))


@pytest.mark.parametrize("kind", KINDS)
def test_the_columns_told_are_those_read(kind):
    assert columns_told(f"`{kind}`") == [told(cell) for cell in KINDS[kind].cells]


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_of_each_kind_has_every_column(kind):
    columns = [name for cell in KINDS[kind].cells for name in names(cell)]
    assert header_of(f"{kind}_esempio.csv") == columns


def test_the_longest_text_of_a_document_is_told():
    assert f"fino a {whole(LONGEST_TEXT)} caratteri, con i suoi a capo" in TEXT


def test_what_goes_out_is_told_and_has_an_example():
    told = columns_told("Che cosa esce: le autoletture acquisite")
    assert told == list(billing_readings.COLUMNS) == header_of("autoletture_000001.csv")


def test_the_request_to_a_distributor_is_told_and_its_example_is_that_of_the_readings():
    example = (DOCS / "esempi" / "TAL0050_000001_01234560488.xml").read_bytes()
    told = re.search(r"^## Che cosa esce: le richieste TAL.*?(?=^## )", TEXT, re.M | re.S)[0]
    elements = {each.tag for each in etree.fromstring(example).iter()}
    assert set(re.findall(r"^\| (\w+) \| ", told, re.M)) - {"elemento"} == (
        elements - {"IdentificativiRichiesta"}
    )
    with (DOCS / "esempi" / "forniture_esempio.csv").open(newline="") as stream:
        supplies = {row["codice_fornitura"]: row for row in csv.DictReader(stream, delimiter=";")}
    lines = batch_csv.read((DOCS / "esempi" / "autoletture_000001.csv").read_bytes())
    rows = [
        SimpleNamespace(
            pdr=line["pdr"],
            meter_serial=line["matricola"],
            day=table.day(line["data_lettura"]),
            counter=int(line["lettura_contatore"]),
            corrector=int(line["lettura_correttore"]) if line["lettura_correttore"] else None,
            corrector_serial=supplies[line["codice_fornitura"]]["matricola_correttore"],
        )
        for line in lines
    ]
    assert tal0050.write("01234567890", "01234560488", rows) == example


def test_the_contacts_that_go_out_are_told_and_have_an_example():
    told = columns_told("Che cosa esce: i contatti cambiati dai clienti")
    assert told == list(billing_contacts.COLUMNS) == header_of("anagrafiche_000001.csv")


def test_the_errors_file_is_told():
    assert f"`{';'.join(errors_csv.COLUMNS)}`" in TEXT


def test_every_link_leads_to_a_file():
    for target in re.findall(r"\]\((esempi/[^)]*)\)", TEXT):
        assert (DOCS / target).exists(), target
