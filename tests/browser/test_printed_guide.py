"""The guide walked from its first chapter to its last, and printed.

In processes of their own: one stops the clock, both have a portal of their own.
"""

import os
import re
import subprocess
import sys

import pytest
from pypdf import PdfReader

from domain import guide
from tests.browser.conftest import CHROMIUM
from tests.browser.portal import ROOT
from tests.conftest import required
from tests.guide import rendering

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PRINT = "import sys, pathlib; from tests.guide import printing; "
PRINT += "printing.write(pathlib.Path(sys.argv[1]))"
SETTINGS = {
    "PORTALE_UTILITY_NAME": "Luce & Gas di Prova",
    "PORTALE_UTILITY_CONTACTS": "telefono 0574 123456",
    "PORTALE_BASE_URL": "https://portale.prova.example",
}
A4 = (595, 842)  # points


def run(*command, **environment):
    if not os.path.exists(CHROMIUM):
        required("no browser: apt-get install chromium")
    own = {key: value for key, value in os.environ.items() if not key.startswith("PORTALE_")}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT, env={**own, **environment}, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_step_can_be_taken_and_shows_what_the_guide_names(tmp_path):
    run("-m", "tests.guide.pictures", "--into", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == rendering.pictures()


def test_it_is_printed_with_the_utilitys_name_and_the_numbers_of_its_pages(tmp_path):
    run("-c", PRINT, tmp_path, **SETTINGS)
    for audience in guide.AUDIENCES:
        path = tmp_path / f"guida-{audience}.pdf"
        assert path.stat().st_size < 5_000_000  # what «Documenti e avvisi» takes
        pages = PdfReader(path).pages
        assert {tuple(round(side) for side in page.mediabox[2:]) for page in pages} == {A4}
        words = [" ".join(page.extract_text().split()) for page in pages]
        assert "Luce & Gas di Prova" in words[0]
        assert "telefono 0574 123456" in words[0]
        numbers = map(int, re.match(r"2 ([\d ]+) Indice", words[1])[1].split())
        for number, chapter in zip(numbers, guide.chapters(audience), strict=True):
            assert words[number - 1].startswith(f"{number} {chapter.title}"), chapter.title
