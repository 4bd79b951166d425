"""static/style.css and the pages that use it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
STYLE = (ROOT / "static" / "style.css").read_text()
MADE_UP = {"badge-": "badge-{{", "alert-": "alert-{{", "bar-": "bar-{{"}  # written in pieces
OTHERS = {  # of htmx and uPlot
    "htmx-request", "uplot", "u-wrap", "u-under", "u-over", "u-select", "u-cursor-x",
}  # fmt: skip


def class_names():
    without_urls = re.sub(r"url\([^)]*\)", "", STYLE)
    return sorted(set(re.findall(r"\.([a-z][\w-]*)", without_urls)) - OTHERS)


@pytest.fixture(scope="module")
def pages():
    files = [*ROOT.glob("templates/**/*.html"), *ROOT.glob("static/*.js"), *ROOT.glob("views/*.py")]
    return "".join(file.read_text() for file in files)


@pytest.mark.parametrize("name", class_names())
def test_no_rule_is_left_over(pages, name):
    in_pieces = any(name.startswith(start) and made in pages for start, made in MADE_UP.items())
    assert in_pieces or re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", pages)


def test_every_value_that_is_used_is_declared():
    used = set(re.findall(r"var\((--(?!bs-)[\w-]+)", STYLE))
    assert used <= set(re.findall(r"(--[\w-]+):", STYLE))
