"""docs/dipendenze.md: each library that the portal runs on, its reason, and what it weighs."""

import re
from importlib.metadata import requires
from pathlib import Path

import pytest

from tests import test_memory
from tests.views import test_weight

ROOT = Path(__file__).parent.parent
DOCUMENT = (ROOT / "docs" / "dipendenze.md").read_text()
USED, WANTED = re.findall(r"^## (?:Usate|Volute).*?(?=^## )", DOCUMENT, re.M | re.S)


def rows(section):
    """The cells of each row of its table, without the head."""
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [tuple(line.strip("| ").split(" | ")) for line in lines[1:]]


def pinned():
    """The names in requirements.txt: those of our own code, those that they need."""
    text = (ROOT / "requirements.txt").read_text()
    parts = text.partition("# -- Needed by those")
    return [re.findall(r"^([\w.-]+)(?:\[\w+\])?==", part, re.M) for part in (parts[0], parts[2])]


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_library_has_its_reason_and_no_other():
    assert [[row[0] for row in rows(section)] for section in (USED, WANTED)] == pinned()
    assert all(len(row) == 4 and all(row) for row in rows(USED))


@pytest.mark.parametrize(("name", "by"), [row[:2] for row in rows(WANTED)])
def test_what_comes_along_is_wanted_by_who_is_named(name, by):
    wanted = {normal(re.match(r"[\w.-]+", each)[0]) for each in requires(by)}
    assert normal(name) in wanted


def test_the_weights_are_those_told():
    told = [int(number) * 1000 for number in re.findall(r"\| (\d+) kB \|", DOCUMENT)]
    assert told == [test_weight.FIRST, test_weight.LATER, test_weight.CHART]
    assert f"meno di {test_memory.MOST} MB" in DOCUMENT
