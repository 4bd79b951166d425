"""The receipt on paper: whatever is written in it stays text, and it is always the same file."""

import datetime as dt
import re
import subprocess
import zlib

import pytest

from domain.formats import receipt
from domain.formats.receipt import write_apart
from domain.text import one_line

NOON = dt.datetime(2026, 11, 23, 11, 0, tzinfo=dt.UTC)


def made(subject="Bolletta sbagliata", **values):
    return receipt.Receipt(
        **{
            "title": "Ricevuta di reclamo",
            "utility": "Prova Energia",
            "contacts": "Tel. 0574 000000",
            "code": "T2026-000123",
            "facts": (("Oggetto", subject),),
            "notes": ("Una nota.",),
            "made_at": NOON,
            **values,
        }
    )


STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.S)
STRING = re.compile(rb"\(((?:\\.|[^\\()])*)\)", re.S)


def alphabets(pdf):
    """{font's name: {glyph: letter}}, as a reader needs them for searching and copying."""
    maps = [found[1] for found in STREAM.finditer(pdf) if b"begincmap" in found[1]]
    pair = re.compile(rb"<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]{4,8})>\n")
    return {
        b"F%d" % number: {
            int(glyph, 16): bytes.fromhex(letter.decode()).decode("utf-16-be")
            for glyph, letter in pair.findall(each)
        }
        for number, each in enumerate(maps, start=1)
    }


def lines(pdf):
    """What stands on the page, line by line."""
    page, fonts = zlib.decompress(STREAM.search(pdf)[1]), alphabets(pdf)
    found, font = [], None
    for name, shown in re.findall(rb"/(F\d) |\(((?:\\.|[^\\()])*)\) Tj", page, re.S):
        font = name or font
        if not name:
            plain = re.sub(rb"\\(.)", lambda m: {b"r": b"\r"}.get(m[1], m[1]), shown, flags=re.S)
            glyphs = [plain[n : n + 2] for n in range(0, len(plain), 2)]
            found.append("".join(fonts[font].get(int.from_bytes(g), "") for g in glyphs))
    return found


def skeleton(pdf):
    """The PDF without its streams and strings: what a reader may act upon."""
    return STRING.sub(b"", STREAM.sub(b"", pdf))


def pages(pdf):
    return len(re.findall(rb"/Type /Page\b", pdf))


def test_another_process_makes_the_same_file():
    told = made("Lettura “stimata” ЖЖ 漢字")
    assert write_apart(told) == receipt.write(told)


def test_a_receipt_that_cannot_be_made_says_so(monkeypatch):
    monkeypatch.setattr(receipt, "PATIENCE", 0.001)
    with pytest.raises(subprocess.TimeoutExpired):
        write_apart(made())


def test_the_same_receipt_is_the_same_file():
    first = receipt.write(made())
    assert first == receipt.write(made())
    assert first.startswith(b"%PDF-")
    assert first.rstrip().endswith(b"%%EOF")
    assert b"/CreationDate (D:20261123110000Z" in first
    assert first != receipt.write(made("Un'altra cosa"))


def test_letters_of_any_alphabet_are_printed():
    words = "Perché? Ελλάδα Київ Łódź ₤ € →"
    assert words in lines(receipt.write(made(words)))


@pytest.mark.parametrize(
    "subject",
    [
        "<b>grassetto</b> **due** __tre__",
        ") Tj ET /JS (app.alert(1)) (",
        "\\) \\( \\\\",
        "a\x00b\nc\td\u202ee\x1b[0m",
        "{{ 7 * 7 }} %s %(name)s ${x}",
        "\U0001f41d \U0010ffff \ufdd0",
        "",
    ],
)
def test_hostile_text_is_printed_as_text(subject):
    pdf = receipt.write(made(subject, contacts=subject, utility=subject))
    assert pages(pdf) == 1
    assert not re.search(rb"/(JS|JavaScript|URI|Launch|AA)\b", skeleton(pdf))
    shown = one_line(subject)
    if shown and max(shown) < "\u2000":  # for the rest the font has no shapes
        assert lines(pdf).count(shown) == 3


def test_a_subject_without_blanks_wraps():
    pdf = receipt.write(made("W" * 120))
    assert pages(pdf) == 1
    wrapped = [line for line in lines(pdf) if set(line) == {"W"}]
    assert len(wrapped) > 1
    assert sum(map(len, wrapped)) == 120


def test_control_characters_and_line_ends_become_blanks():
    assert one_line("a\x00b\r\nc\t d\u202e") == "a b c d"
