"""`NAME.errori.csv`: the bad rows of a rejected file, for a person with a spreadsheet."""

import csv
import io

from domain.formats.sheets import FORMULA

COLUMNS = ("riga", "colonna", "valore", "errore")


def write(problems):
    """The bytes of the file; `problems` are (row or None, column, value, message).

    UTF-8 with BOM and CRLF, as Excel expects.
    """
    text = io.StringIO(newline="")
    table = csv.writer(text, delimiter=";", lineterminator="\r\n")
    table.writerow(COLUMNS)
    for row, *cells in problems:
        table.writerow(["" if row is None else row, *(harmless(cell) for cell in cells)])
    return text.getvalue().encode("utf-8-sig")


def harmless(cell):
    """`cell` so that a spreadsheet shows it and does not run it (OWASP CSV injection)."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell
