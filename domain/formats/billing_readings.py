"""The line of an acquired self-reading in the file for billing."""

from domain import italian
from domain.formats.batch_csv import instant

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
KEY = ("id_lettura", "codice_fornitura", "inserita_il")


def cells(row):
    """The cells after `lotto`.

    `row` has id, customer, supply, pdr, meter_serial, day, counter, corrector, entered_at
    (aware) and confirmed.
    """
    return (
        row.id,
        row.customer,
        row.supply,
        row.pdr,
        row.meter_serial,
        italian.day(row.day),
        row.counter,
        row.corrector,
        instant(row.entered_at),
        "S" if row.confirmed else "N",
    )
