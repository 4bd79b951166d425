"""The receipt of a complaint on paper: one page of A4 as PDF, in any alphabet."""

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from domain.text import one_line

ROOT = Path(__file__).parents[2]
FONTS = ROOT / "static" / "vendor" / "dejavu-fonts-ttf-2.37.3"
PATIENCE = 60  # seconds that a receipt may take, which is done in one
MARGIN = 22  # mm
LABELS = 54  # mm, the column of the labels
INK, PALE, RULE = (33, 41, 51), (92, 105, 120), (205, 212, 219)


class Receipt(NamedTuple):
    """What a receipt says. `facts` are (label, text) pairs, `notes` paragraphs under them."""

    title: str
    utility: str
    contacts: str
    code: str
    facts: tuple
    notes: tuple
    made_at: dt.datetime  # aware


def write_apart(receipt):
    """What `write` gives, from a process that ends with it.

    fpdf2 brings Pillow and fontTools along: 45 MB, which a process that serves pages would keep.
    """
    told = json.dumps(receipt._replace(made_at=receipt.made_at.isoformat()))
    done = subprocess.run(
        [sys.executable, "-m", "domain.formats.receipt"], input=told.encode(), cwd=ROOT,
        stdout=subprocess.PIPE, check=True, timeout=PATIENCE,
    )  # fmt: skip
    return done.stdout


def main():
    """Read a receipt as JSON from the input, write its PDF to the output."""
    told = Receipt(*json.load(sys.stdin.buffer))
    receipt = told._replace(made_at=dt.datetime.fromisoformat(told.made_at))
    sys.stdout.buffer.write(write(receipt))


def write(receipt):
    """The bytes of the PDF; the same receipt gives the same bytes."""
    from fpdf import FPDF  # only here: it brings Pillow and fontTools along

    page = FPDF(format="A4")
    page.set_creation_date(receipt.made_at)
    page.set_margins(MARGIN, MARGIN)
    page.c_margin = 0  # what is written begins where the rules do
    page.set_auto_page_break(True, MARGIN)
    page.set_title(one_line(f"{receipt.title} {receipt.code}"))
    page.set_author(one_line(receipt.utility))
    page.set_lang("it-IT")
    page.add_font("DejaVu", "", FONTS / "DejaVuSans.ttf")
    page.add_font("DejaVu", "B", FONTS / "DejaVuSans-Bold.ttf")
    page.add_page()
    _letterhead(page, receipt)
    for label, text in receipt.facts:
        _fact(page, label, text)
    page.ln(4)
    _rule(page)
    for note in receipt.notes:
        page.ln(4)
        _words(page, note, 10, colour=PALE)
    return bytes(page.output())


def _letterhead(page, receipt):
    _words(page, receipt.utility, 15, bold=True)
    if receipt.contacts:
        _words(page, receipt.contacts, 9, colour=PALE)
    page.ln(4)
    _rule(page)
    page.ln(14)
    _words(page, receipt.title, 11, colour=PALE)
    _words(page, receipt.code, 22, bold=True)
    page.ln(8)


def _fact(page, label, text):
    """A label and, beside it, its text on as many lines as it needs."""
    top = page.y
    page.set_x(MARGIN)
    _words(page, label, 10, colour=PALE, width=LABELS - 4)
    below, page.y = page.y, top
    page.set_x(MARGIN + LABELS)
    _words(page, text, 10)
    page.set_y(max(below, page.y) + 2.5)


def _words(page, text, size, *, bold=False, colour=INK, width=0):
    page.set_font("DejaVu", "B" if bold else "", size)
    page.set_text_color(*colour)
    page.multi_cell(
        width, size * 0.52, one_line(text), align="L", wrapmode="WORD", new_x="LMARGIN",
        new_y="NEXT",
    )  # fmt: skip


def _rule(page):
    page.set_draw_color(*RULE)
    page.line(MARGIN, page.y, page.w - MARGIN, page.y)


if __name__ == "__main__":
    main()
