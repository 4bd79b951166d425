"""docs/security.md and the tests: every row has its proofs, and what it names is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "security.md").read_text()
ROWS = set(range(1, 27))
NAMED = r"test_row_(\d\d)_\w+"


def table(heading):
    """The cells of the table under a heading, without its first two lines."""
    section = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def written():
    """The names of the tests of rows that there are."""
    files = (ROOT / "tests").rglob("test_*.py")
    return {
        name for path in files for name in re.findall(r"^def (test_\w+)", path.read_text(), re.M)
    }


def test_the_document_tells_of_every_row():
    told = [int(number) for number, _threat, _answer in table("Le ventisei righe")]
    assert told == sorted(ROWS)


def test_every_row_has_a_test_of_its_number():
    found = {int(match[1]) for name in written() if (match := re.fullmatch(NAMED, name))}
    assert found == ROWS


def test_the_tests_that_the_document_names_are_there():
    named, there = {}, written()
    for number, names in table("Le prove"):
        named[int(number)] = re.findall(r"`(\w+)`", names)
        for name in named[int(number)]:
            assert name in there, name
            assert name.startswith(f"test_row_{int(number):02d}_"), name
    assert named.keys() == ROWS
    assert all(named.values())


def test_what_the_attack_explains_is_told_with_its_reason():
    explained = table("L'attacco con strumenti altrui")
    assert {tool for tool, _keys, _reason in explained} == {"bandit", "csp_evaluator", "wapiti"}
    for _tool, keys, reason in explained:
        assert re.findall(r"`[^`]+`", keys)
        assert len(reason) > 20
