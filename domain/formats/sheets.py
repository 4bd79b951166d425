"""Tables for people, as CSV for Excel and as XLSX, row after row."""

import datetime as dt
import re
from decimal import Decimal
from itertools import chain
from typing import NamedTuple

from domain.text import one_line

BOM = "\N{BYTE ORDER MARK}"
ROWS_AT_ONCE = 1000
# What a spreadsheet may take for a formula (OWASP ASVS 5.0, V1.2.10; the wide ones in Asia).
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
LONGEST_CELL, LONGEST_TITLE = 32_767, 31  # characters, in Excel
DAY, INSTANT, TIME = "dd/mm/yyyy", "dd/mm/yyyy hh:mm", "hh:mm"


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Column(NamedTuple):
    """`places` are the decimals of its numbers, `width` is in characters."""

    title: str
    width: int = 12
    places: int = 0


def excel_csv(columns, rows):
    """Bytes of a CSV that Excel opens in Italian: BOM, `;`, decimal comma, CRLF.

    Cells are text, numbers (int, Decimal), days, times, naive datetimes (shown as they are)
    or None. Text that a spreadsheet would take for a formula is made harmless.
    """
    yield BOM.encode()
    lines = []
    for row in chain([[column.title for column in columns]], rows):
        lines.append(";".join(map(_csv_cell, row)))
        if len(lines) == ROWS_AT_ONCE:
            yield _joined(lines)
            lines = []
    if lines:
        yield _joined(lines)


def _joined(lines):
    return "".join(f"{line}\r\n" for line in lines).encode()


def _csv_cell(value):
    if value is None:
        return ""
    if isinstance(value, str):
        text = f"'{value}" if value.startswith(FORMULA) else value
        quoted = any(sign in text for sign in ';"\r\n')
        return '"{}"'.format(text.replace('"', '""')) if quoted else text
    if isinstance(value, dt.datetime):
        return f"{value:%d/%m/%Y %H:%M}"
    if isinstance(value, dt.date):
        return f"{value:%d/%m/%Y}"
    if isinstance(value, dt.time):
        return f"{value:%H:%M}"
    return f"{value:f}".replace(".", ",") if isinstance(value, Decimal) else str(value)


def xlsx(target, title, columns, rows):
    """Write a workbook of one sheet into the binary file `target`, one row at a time in memory.

    Cells as for `excel_csv`; each keeps its type, and text stays text.
    """
    import xlsxwriter  # only here: few processes ever write one

    book = xlsxwriter.Workbook(target, {"constant_memory": True})
    sheet = book.add_worksheet(sheet_name(title))
    heading = book.add_format({"bold": True, "bottom": 1})
    day, instant, time = (book.add_format({"num_format": each}) for each in (DAY, INSTANT, TIME))
    numbers = [
        book.add_format({"num_format": f"#,##0.{'0' * each.places}" if each.places else "0"})
        for each in columns
    ]
    for place, column in enumerate(columns):
        sheet.set_column(place, place, column.width)
        sheet.write_string(0, place, column.title, heading)
    sheet.freeze_panes(1, 0)
    for line, row in enumerate(rows, 1):
        for place, value in enumerate(row):
            if value is None:
                continue
            if isinstance(value, str):
                sheet.write_string(line, place, value[:LONGEST_CELL])
            elif isinstance(value, dt.datetime):
                sheet.write_datetime(line, place, value, instant)
            elif isinstance(value, dt.date):
                sheet.write_datetime(line, place, value, day)
            elif isinstance(value, dt.time):
                sheet.write_datetime(line, place, value, time)
            else:
                sheet.write_number(line, place, value, numbers[place])
    book.close()


def sheet_name(title):
    """`title` as Excel takes it for the name of a sheet."""
    return re.sub(r"[\[\]:*?/\\]", " ", one_line(title))[:LONGEST_TITLE].strip(" '") or "Dati"
