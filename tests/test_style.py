"""static/style.css and static/bootstrap.css, and the pages that use them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import required

ROOT = Path(__file__).parent.parent
STYLE = (ROOT / "static" / "style.css").read_text()
WHOLE = (ROOT / "static" / "vendor" / "bootstrap-5.3.8" / "bootstrap.min.css").read_text()
CUT = (ROOT / "static" / "bootstrap.css").read_text()
MADE_UP = {"badge-": "badge-{{", "alert-": "alert-{{", "bar-": "bar-{{"}  # written in pieces
OTHERS = {  # of htmx and uPlot
    "htmx-request", "uplot", "u-wrap", "u-under", "u-over", "u-select", "u-cursor-x",
}  # fmt: skip


def class_names(style):
    rules = re.sub(r"url\([^)]*\)|/\*.*?\*/", "", style, flags=re.S)
    return set(re.findall(r"\.([a-z][\w-]*)", rules)) - OTHERS


@pytest.fixture(scope="module")
def pages():
    files = [*ROOT.glob("templates/**/*.html"), *ROOT.glob("static/*.js"), *ROOT.glob("views/*.py")]
    return "".join(file.read_text() for file in files)


@pytest.mark.parametrize("name", sorted(class_names(STYLE)))
def test_no_rule_is_left_over(pages, name):
    in_pieces = any(name.startswith(start) and made in pages for start, made in MADE_UP.items())
    assert in_pieces or re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", pages)


def test_every_value_that_is_used_is_declared():
    used = set(re.findall(r"var\((--(?!bs-)[\w-]+)", STYLE))
    assert used <= set(re.findall(r"(--[\w-]+):", STYLE))


def test_what_pages_use_of_bootstrap_is_in_its_cut():
    """Where it is not: `make bootstrap`."""
    files = [
        *ROOT.glob("templates/**/*.html"), *ROOT.glob("static/*.js"), *ROOT.glob("views/**/*.py"),
        ROOT / "forms.py",
    ]  # fmt: skip
    words = set(re.findall(r"[\w-]+", "".join(file.read_text() for file in files)))
    assert class_names(WHOLE) & words <= class_names(CUT)


@pytest.mark.slow
def test_the_cut_is_what_the_tool_makes():
    if not shutil.which("node") or not (ROOT / "tests/npm/node_modules/purgecss").exists():
        required("no npm: apt-get install npm; make tests/npm/.installed")
    made = subprocess.run(
        ["node", "tests/npm/bootstrap.mjs"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert made.stdout == CUT
