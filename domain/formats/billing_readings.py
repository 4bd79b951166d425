"""The file of acquired self-readings for billing: `;`, CRLF, UTF-8, as docs/formati.md says."""

import csv
import io

from domain.clock import ROME

COLUMNS = (
    "lotto",
    "id_lettura",
    "codice_cliente",
    "codice_fornitura",
    "pdr",
    "matricola",
    "data_lettura",
    "lettura_contatore",
    "lettura_correttore",
    "inserita_il",
    "confermata",
)


def write(number, rows):
    """The bytes of batch `number`.

    `rows` have id, customer, supply, pdr, meter_serial, day, counter, corrector, entered_at
    (aware) and confirmed. Cells are data for a program: nothing is put before a formula.
    """
    text = io.StringIO(newline="")
    table = csv.writer(text, delimiter=";", lineterminator="\r\n")
    table.writerow(COLUMNS)
    for row in rows:
        table.writerow(
            (
                f"{number:06d}",
                row.id,
                row.customer,
                row.supply,
                row.pdr,
                row.meter_serial,
                f"{row.day:%d/%m/%Y}",
                row.counter,
                row.corrector,
                entered(row),
                "S" if row.confirmed else "N",
            )
        )
    return text.getvalue().encode()


def entered(row):
    """`inserita_il` of a reading: ISO 8601 with the offset of Rome on that day."""
    return row.entered_at.astimezone(ROME).isoformat(timespec="seconds")


def read(content):
    """The rows of a batch's bytes, as dicts of text by column; none of a file like no batch."""
    text = io.StringIO(content.decode("utf-8", "replace"), newline="")
    try:
        return list(csv.DictReader(text, delimiter=";"))
    except csv.Error:
        return []
