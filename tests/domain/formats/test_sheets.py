"""Tables that people take away, as Excel and other spreadsheets read them."""

import csv
import datetime as dt
import io
import tracemalloc
import zipfile
from decimal import Decimal
from xml.etree import ElementTree

import pytest

from domain.formats.sheets import ROWS_AT_ONCE, Column, excel_csv, xlsx

XML = {"s": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
COLUMNS = [Column("Testo", 20), Column("Numero", 10, 3), Column("Giorno")]
FORMULAS = [
    "=1+1", "+39 0574", "-2+3+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\0=1",
    "＝1+1", "＋1", "－1", "＠A1",
]  # fmt: skip


def written(*rows, columns=COLUMNS):
    return b"".join(excel_csv(columns, rows))


def first_cell(value):
    """What stands in the file for a row with that one cell."""
    return written([value], columns=[Column("T")]).decode("utf-8-sig").split("\r\n", 1)[1]


# -- CSV for Excel -------------------------------------------------------------------------


def test_a_csv_is_what_excel_opens_in_italian():
    day = dt.date(2026, 3, 9)
    content = written(["città", Decimal("1234.5"), day], [None, 7, None])
    assert content == "\ufeffTesto;Numero;Giorno\r\ncittà;1234,5;09/03/2026\r\n;7;\r\n".encode()


def test_there_is_never_a_line_that_names_the_separator():
    assert b"sep=" not in written(["x", 1, None])


@pytest.mark.parametrize("text", FORMULAS)
def test_row_21_a_text_that_looks_like_a_formula_is_made_harmless(text):
    (row,) = csv.reader(io.StringIO(first_cell(text), newline=""), delimiter=";")
    assert row == [f"'{text}"]


@pytest.mark.parametrize("text", ["1=1", "a+b", "IT-1", "info@example.it", "'=1", " x", ""])
def test_other_texts_stay_as_they_are(text):
    assert first_cell(text) == f"{text}\r\n"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (-5, "-5"),
        (Decimal("-0.250"), "-0,250"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-1E-3"), "-0,001"),
        (10**18, "1" + "0" * 18),
        (0, "0"),
    ],
)
def test_numbers_stay_numbers_even_below_zero(value, shown):
    assert first_cell(value) == f"{shown}\r\n"


@pytest.mark.parametrize(
    "text", ['una "fonte"', "a;b", "due\nrighe", "due\r\nrighe", '"', '=HYPERLINK("http://x";"y")']
)
def test_quotes_separators_and_line_ends_stay_in_their_cell(text):
    (row,) = csv.reader(io.StringIO(first_cell(text), newline=""), delimiter=";")
    assert row[0].removeprefix("'") == text


def test_instants_are_shown_to_the_minute():
    assert first_cell(dt.datetime.fromisoformat("2026-10-25T02:45")) == "25/10/2026 02:45\r\n"


def test_times_are_shown_to_the_minute_and_are_times_in_a_workbook():
    assert first_cell(dt.time(6, 30)) == "06:30\r\n"
    kind, value, shown = cells(workbook([dt.time(6, 30)], columns=[Column("Ora")]))["A2"]
    assert (kind, shown) == (None, "hh:mm")
    assert float(value) == pytest.approx(6.5 / 24)


def test_headings_are_texts_like_the_others():
    assert written(columns=[Column("=1")]).decode("utf-8-sig") == "'=1\r\n"


@pytest.mark.parametrize("many", [0, 1, ROWS_AT_ONCE - 1, ROWS_AT_ONCE, 3 * ROWS_AT_ONCE])
def test_no_piece_is_empty_and_no_row_is_lost(many):
    # An empty piece would end an answer that is sent in chunks.
    pieces = list(excel_csv([Column("N")], ([number] for number in range(many))))
    assert all(pieces)
    assert b"".join(pieces).count(b"\r\n") == many + 1


def peak(work):
    """The bytes that `work()` has in memory at most."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def rows(many):
    return (["x" * 50, Decimal(number), None] for number in range(many))


def test_a_csv_needs_no_more_memory_for_more_rows():
    def read(many):
        for _piece in excel_csv(COLUMNS, rows(many)):
            pass

    assert peak(lambda: read(20_000)) < 1.2 * peak(lambda: read(5_000))


# -- XLSX ----------------------------------------------------------------------------------


def workbook(*rows, columns=COLUMNS, title="Prova"):
    target = io.BytesIO()
    xlsx(target, title, columns, rows)
    return zipfile.ZipFile(target)


def part(book, name):
    return ElementTree.fromstring(book.read(name))


def cells(book):
    """{address: (type, text or value, number format)}."""
    styles = part(book, "xl/styles.xml")
    formats = {
        each.get("numFmtId"): each.get("formatCode") for each in styles.iterfind(".//s:numFmt", XML)
    }
    used = [formats.get(each.get("numFmtId")) for each in styles.find("s:cellXfs", XML)]
    found = {}
    for cell in part(book, "xl/worksheets/sheet1.xml").iter(f"{{{XML['s']}}}c"):
        inline, value = cell.find("s:is/s:t", XML), cell.find("s:v", XML)
        text = inline.text if inline is not None else value.text
        found[cell.get("r")] = cell.get("t"), text, used[int(cell.get("s", 0))]
    return found


def test_each_cell_has_its_type():
    instant = dt.datetime.fromisoformat("2026-03-09T06:30")
    columns = [*COLUMNS, Column("Ora")]
    found = cells(
        workbook(["città", Decimal("-1234.5"), dt.date(2026, 3, 9), instant], columns=columns)
    )
    assert found["A2"][:2] == ("inlineStr", "città")
    assert found["B2"] == (None, "-1234.5", "#,##0.000")
    assert found["C2"] == (None, "46090", "dd/mm/yyyy")
    kind, value, shown = found["D2"]
    assert (kind, shown) == (None, "dd/mm/yyyy hh:mm")
    assert float(value) == pytest.approx(46090 + 6.5 / 24)


@pytest.mark.parametrize("text", [*FORMULAS, "http://example.it", "00123", "1e5", "{=1}", "<b>&"])
def test_row_21_a_text_is_never_a_formula_a_link_or_a_number(text):
    book = workbook([text, None, None])
    assert cells(book)["A2"][0] == "inlineStr"
    sheet = book.read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in sheet
    assert b"hyperlink" not in sheet


def test_missing_values_are_empty_cells():
    assert set(cells(workbook([None, 1, None]))) == {"A1", "B1", "C1", "B2"}


def test_the_headings_stay_in_sight():
    sheet = part(workbook([None, 1, None]), "xl/worksheets/sheet1.xml")
    assert sheet.find(".//s:pane", XML).get("state") == "frozen"
    assert [float(column.get("width")) for column in sheet.iterfind(".//s:col", XML)] == [
        pytest.approx(each.width, abs=1) for each in COLUMNS
    ]


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Prelievi PR002874", "Prelievi PR002874"),
        ("a/b:c*d?[e]\\f", "a b c d  e  f"),
        ("x" * 40, "x" * 31),
        ("'apici'", "apici"),
        ("", "Dati"),
    ],
)
def test_any_title_makes_a_sheet(title, name):
    book = part(workbook(title=title), "xl/workbook.xml")
    assert book.find(".//s:sheet", XML).get("name") == name


def test_a_text_longer_than_a_cell_is_cut():
    assert len(cells(workbook(["x" * 40_000, None, None]))["A2"][1]) == 32_767


def test_a_workbook_needs_no_more_memory_for_more_rows(tmp_path):
    def write(many):
        xlsx(tmp_path / "prova.xlsx", "Prova", COLUMNS, rows(many))

    assert peak(lambda: write(8_000)) < 1.2 * peak(lambda: write(2_000))


@pytest.mark.parametrize("title", ["a\x01b", "\ufffe", "[a]/b", "x" * 50, "'"])
def test_any_title_makes_a_sheet_that_can_be_opened(title):
    target = io.BytesIO()
    xlsx(target, title, [Column("A")], [["x"]])
    with zipfile.ZipFile(target) as book:
        root = ElementTree.fromstring(book.read("xl/workbook.xml"))
    (sheet,) = root.iterfind("s:sheets/s:sheet", XML)
    assert 1 <= len(sheet.get("name")) <= 31
