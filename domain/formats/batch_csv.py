"""Files for billing, one for each batch: `;`, CRLF, UTF-8, as docs/formati.md says."""

import csv
import io

from domain.clock import ROME


def write(columns, number, lines):
    """The bytes of batch `number`.

    `lines` have a cell for each of `columns` but the first, which is the batch. Cells are
    data for a program: nothing is put before a formula.
    """
    text = io.StringIO(newline="")
    table = csv.writer(text, delimiter=";", lineterminator="\r\n")
    table.writerow(columns)
    table.writerows((f"{number:06d}", *cells) for cells in lines)
    return text.getvalue().encode()


def read(content):
    """The rows of a batch's bytes, as dicts of text by column; none of a file like no batch."""
    lines = csv.reader(io.StringIO(content.decode("utf-8", "replace"), newline=""), delimiter=";")
    try:
        columns = next(lines, [])
        return [dict(zip(columns, line, strict=False)) for line in lines if line]
    except csv.Error:
        return []


def instant(at):
    """ISO 8601 with the offset of Rome on that day, to the second."""
    return at.astimezone(ROME).isoformat(timespec="seconds")
