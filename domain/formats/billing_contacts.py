"""The line of a contact that a customer changed in the file for billing."""

from domain.formats.batch_csv import instant

COLUMNS = (
    "lotto",
    "id_modifica",
    "codice_cliente",
    "campo",
    "valore",
    "valore_precedente",
    "modificata_il",
)
KEY = ("id_modifica", "codice_cliente", "campo", "modificata_il")
FIELDS = {"phone": "telefono", "fax": "fax", "email": "email"}


def cells(row):
    """The cells after `lotto`.

    `row` has id, customer, field, value and previous (None: no contact), made_at (aware).
    """
    return (
        row.id,
        row.customer,
        FIELDS[row.field],
        row.value,
        row.previous,
        instant(row.made_at),
    )
