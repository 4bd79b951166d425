"""CSV files as billing systems, spreadsheets and accidents write them."""

import contextlib
import datetime as dt
import io
import tracemalloc
from decimal import Decimal

import pytest

from domain.formats import errors_csv, table
from domain.formats.table import Column, Series, Table, Unreadable

COLUMNS = (
    Column("nome", table.text(10), required=True),
    Column("giorno", table.day),
    Column("importo", table.cents),
)


def read(content, columns=COLUMNS):
    content = content.encode() if isinstance(content, str) else content
    return Table(io.BytesIO(content), columns)


def rows(content, columns=COLUMNS):
    return list(read(content, columns))


def refusal(content):
    with pytest.raises(Unreadable) as refused:
        read(content)
    return str(refused.value)


def only_problem(content):
    (row,) = [row for row in rows(content) if row.problems]
    (problem,) = row.problems
    return row.number, *problem


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_columns_come_in_any_order_and_case(end, bom):
    found = read(f"{bom}IMPORTO;Nome{end}1,5;MARIA{end}")
    assert [row.values for row in found] == [{"importo": 150, "nome": "MARIA"}]
    assert found.encoding == "utf-8"


def test_quotes_hold_separators_quotes_and_line_ends():
    (row,) = rows('nome;giorno\r\n"A;""B""\r\nC";\r\n')
    assert row.values == {"nome": 'A;"B" C', "giorno": None}


def test_rows_are_numbered_as_a_spreadsheet_shows_them():
    content = 'nome\n"A\nB"\n\nC\n'
    assert [row.number for row in rows(content)] == [2, 4]


def test_a_text_that_comes_again_is_told_again():
    columns = (Column("nome", table.text(100), doubt=lambda value: "Strano."), COLUMNS[1])
    long = "A" * 90
    found = rows(
        f"nome;giorno\n{long};32/1/2026\n{long};32/1/2026\nB;1/1/2026\nB;1/1/2026", columns
    )
    assert [len(row.problems) for row in found] == [1, 1, 0, 0]
    assert found[0].problems == found[1].problems
    assert [row.doubts for row in found[:2]] == [[("nome", long, "Strano.")]] * 2
    assert [row.values for row in found[2:]] == [{"nome": "B", "giorno": dt.date(2026, 1, 1)}] * 2


def test_rows_without_any_content_are_skipped():
    assert [row.number for row in rows("nome;giorno\n;\nA;\n; \n\n\x1a")] == [3]


def test_empty_cells_beyond_the_header_are_no_cells():
    assert [row.values for row in rows("nome\nA;;\nB\nC; ;\n")] == [
        {"nome": "A"}, {"nome": "B"}, {"nome": "C"},
    ]  # fmt: skip


def test_what_is_not_utf8_is_windows_1252():
    found = read("nome\nCITTÀ €\n".encode("cp1252"))
    assert found.encoding == "cp1252"
    assert next(iter(found)).values == {"nome": "CITTÀ €"}


def test_a_byte_that_windows_1252_does_not_have_is_an_error_of_its_row():
    assert only_problem(b"nome\nA\x81\xe0\nB\n")[0] == 2


def test_utf16_is_refused_with_the_way_out():
    assert "CSV UTF-8" in refusal("nome\nA".encode("utf-16"))


def test_an_empty_file_is_refused():
    assert "vuoto" in refusal("")


def test_another_separator_is_refused():
    assert "punto e virgola" in refusal("nome,giorno\nA,B\n")


def test_a_column_twice_is_refused():
    assert "due volte" in refusal("nome;NOME\nA;B\n")


def test_a_required_column_that_is_missing_is_refused():
    assert "«nome»" in refusal("giorno\n2026-01-01\n")


def test_unknown_columns_are_told_and_ignored():
    found = read("altro;nome;\nx;A;y\n")
    assert found.unknown == ["altro"]
    assert [row.values for row in found] == [{"nome": "A"}]


def test_an_empty_required_cell_is_an_error():
    assert only_problem("nome;giorno\n;2026-01-01\n")[:2] == (2, "nome")


@pytest.mark.parametrize("line", ["A", "A;2026-01-01;x"])
def test_too_few_and_too_many_cells_are_an_error(line):
    number, column, _value, message = only_problem(f"nome;giorno\n{line}\nB;\n")
    assert (number, column) == (2, None)
    assert "celle" in message


def test_row_20_a_nul_byte_is_an_error_of_its_row():
    number, column, _value, message = only_problem(b"nome\nA\x00B\nC\n")
    assert (number, column) == (2, "nome")
    assert "non leggibili" in message


def test_row_20_a_line_of_ten_megabytes_is_never_held_in_memory():
    content = b"nome\n" + b"z" * 10_000_000 + b"\nB\n"
    tracemalloc.start()
    found = rows(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(row.number, bool(row.problems)) for row in found] == [(2, True), (3, False)]
    assert peak < 30_000_000  # one copy is the BytesIO's own


def test_a_quote_never_closed_ends_the_reading_with_one_error():
    number, _column, _value, message = only_problem('nome\nA\n"B\n' + "C\n" * 100_000)
    assert number == 3
    assert "Virgolette non chiuse" in message


def test_a_stray_quote_spoils_only_its_row():
    found = rows('nome\n"A"x\nB\n')
    assert [(row.number, bool(row.problems)) for row in found] == [(2, True), (3, False)]


def test_quotes_inside_an_unquoted_cell_are_text():
    assert rows('nome\nA "B"\n')[0].values == {"nome": 'A "B"'}


def test_every_truncation_is_read_or_refused():
    content = '\ufeffnome;giorno\r\n"A;""È";31/12/2026\r\nB;\r\n'.encode()
    for end in range(len(content)):
        with contextlib.suppress(Unreadable):
            assert all(row.number > 1 for row in rows(content[:end]))


SERIES = [Column("nome", table.text(10), required=True), Series("q", table.whole(), 2, 4)]


def test_numbered_columns_are_one_value_up_to_the_last_that_is_filled():
    content = b"q2;nome;q1;q3;q4\n2;A;1;3;4\n5;B;6;;\n;C;;;\n"
    assert [row.values for row in rows(content, SERIES)] == [
        {"nome": "A", "q": [1, 2, 3, 4]},
        {"nome": "B", "q": [6, 5]},
        {"nome": "C", "q": []},
    ]


def test_numbered_columns_name_the_bad_cell():
    (row,) = rows(b"nome;q1;q2;q3\nA;1;;x\n", SERIES)
    assert [(column, text) for column, text, _sentence in row.problems] == [("q2", ""), ("q3", "x")]


@pytest.mark.parametrize(
    ("header", "missing"), [(b"nome", "q1"), (b"nome;q1", "q2"), (b"nome;q1;q2;q4", "q3")]
)
def test_numbered_columns_have_no_gap(header, missing):
    with pytest.raises(Unreadable) as caught:
        read(header + b"\n", SERIES)
    assert caught.value.column == missing


def test_a_numbered_column_beyond_the_last_is_unknown():
    assert read(b"nome;q1;q2;q3;q4;q5;q01\n", SERIES).unknown == ["q5", "q01"]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows():
    content = b"nome\n" + b"MARIA\n" * 200_000
    stream = io.BytesIO(content)
    tracemalloc.start()
    assert sum(1 for _row in Table(stream, COLUMNS)) == 200_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < len(content) + 4_000_000


@pytest.mark.parametrize(
    ("parse", "cell", "value"),
    [
        (table.day, "31/12/2026", dt.date(2026, 12, 31)),
        (table.day, "2026-12-31", dt.date(2026, 12, 31)),
        (table.day, "1/2/2026", dt.date(2026, 2, 1)),
        (table.day, "2026-12-31 00:00:00.000", dt.date(2026, 12, 31)),
        (table.day, "31/12/2026 0.00.00", dt.date(2026, 12, 31)),
        (table.last_day, "31/12/2026", dt.date(2026, 12, 31)),
        (table.last_day, "31/12/9999", None),
        (table.time, "08:05", dt.time(8, 5)),
        (table.time, "8:05", dt.time(8, 5)),
        (table.time, "18.30", dt.time(18, 30)),
        (table.time, "08:05:00", dt.time(8, 5)),
        (table.closing_time, "24:00", dt.time(23, 59)),
        (table.closing_time, "24.00.00", dt.time(23, 59)),
        (table.closing_time, "23:59", dt.time(23, 59)),
        (table.cents, "1234,56", 123456),
        (table.cents, "1234.5", 123450),
        (table.cents, "-0,01", -1),
        (table.cents, "0.10", 10),
        (table.cents, "12,340", 1234),
        (table.cents, ",5", 50),
        (table.decimal(9, 3), "16,5", Decimal("16.5")),
        (table.decimal(9, 6), "1.025", Decimal("1.025")),
        (table.units, "44012", 44012),
        (table.units, "44012,5", 44012),
        (table.units, "44012.567", 44012),
        (table.whole(), "45000", 45000),
        (table.whole(), "45000,00", 45000),
        (table.whole(), "45000.000", 45000),
        (table.yes_no, "s", True),
        (table.yes_no, "N", False),
        (table.choice({"pagata": 1}), "PAGATA", 1),
        (table.choice({"da_pagare": 1}), "Da  pagare", 1),
    ],
)
def test_cells_are_read(parse, cell, value):
    assert parse(cell) == value


@pytest.mark.parametrize(
    ("parse", "cell"),
    [
        (table.day, "31/02/2026"),
        (table.day, "31/12/26"),
        (table.day, "20261231"),
        (table.day, "01/01/0001"),
        (table.day, "31/12/9999"),
        (table.day, "31/12/2026 10:30"),
        (table.last_day, "01/01/0001"),
        (table.day, "٣١/١٢/٢٠٢٦"),
        (table.time, "24:00"),
        (table.time, "8"),
        (table.time, "08:60"),
        (table.time, "25:00"),
        (table.time, "08:00:30"),
        (table.closing_time, "24:01"),
        (table.cents, "1.234,56"),
        (table.cents, "1.234"),
        (table.cents, "1.000"),
        (table.cents, "12,345"),
        (table.cents, ","),
        (table.units, "45.000"),
        (table.units, "1.234,5"),
        (table.units, "-1,5"),
        (table.cents, "1e3"),
        (table.cents, "NaN"),
        (table.cents, "=1+1"),
        (table.cents, "9" * 20),
        (table.decimal(9, 3), "1000000"),
        (table.whole(), "45.000"),
        (table.whole(), "-1"),
        (table.whole(), "12345678901234567890"),
        (table.whole(), "1,5"),
        (table.yes_no, "sì"),
        (table.choice({"pagata": 1}), "saldata"),
        (table.text(3), "ABCD"),
    ],
)
def test_cells_that_say_something_else_are_refused_with_a_sentence(parse, cell):
    with pytest.raises(ValueError, match=r"[a-z]\.$|\d\.$|[A-Z]\.$"):
        parse(cell)


def test_the_errors_file_opens_in_a_spreadsheet_and_runs_nothing():
    content = errors_csv.write([
        [2, "nome", "=cmd|' /C calc'!A0", "Sbagliato."],
        [None, "", "@x", "Tutto."],
        [4, "a", "-1", "b;c"],
    ])  # fmt: skip
    assert content.startswith(b"\xef\xbb\xbfriga;colonna;valore;errore\r\n")
    lines = content.decode("utf-8-sig").split("\r\n")
    assert lines[1:] == [
        "2;nome;'=cmd|' /C calc'!A0;Sbagliato.", ";;'@x;Tutto.", '4;a;\'-1;"b;c"', "",
    ]  # fmt: skip
