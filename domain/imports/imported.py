"""What became of imported files, for lists and pages."""

import json

import peewee as pw

from models import ImportedFile

STATES = ("applied", "rejected", "held", "repeated")
SORTS = ("-quando", "nome", "righe", "errori")
_COLUMNS = {
    "quando": ImportedFile.id,
    "nome": ImportedFile.name,
    "righe": ImportedFile.rows,
    "errori": ImportedFile.error_count,
}
_SHOWN = (
    ImportedFile.id, ImportedFile.name, ImportedFile.kind, ImportedFile.state, ImportedFile.at,
    ImportedFile.size, ImportedFile.seconds, ImportedFile.rows, ImportedFile.added,
    ImportedFile.changed, ImportedFile.unchanged, ImportedFile.warning_count,
    ImportedFile.error_count,
)  # fmt: skip


def page(*, sort, state, kind, since, limit, offset=0):
    """Rows without their reports, each with `total`, the number of rows on all pages."""
    query = ImportedFile.select(*_SHOWN, pw.fn.COUNT(ImportedFile.id).over().alias("total"))
    for field, wanted in ((ImportedFile.state, state), (ImportedFile.kind, kind)):
        if wanted:
            query = query.where(field == wanted)
    if since:
        query = query.where(ImportedFile.at >= since)
    column = _COLUMNS[sort.removeprefix("-")]
    order = column.desc(nulls="last") if sort.startswith("-") else column.asc(nulls="last")
    return list(query.order_by(order, ImportedFile.id.desc()).limit(limit).offset(offset))


def told(report):
    """What a stored report says; nothing where there is none yet."""
    return json.loads(report or "{}")


def problems(report, which=None):
    """("errors" or "warnings", row or None, column, value, message) of what a report says.

    Errors come first; `which` leaves only one of the two.
    """
    return [
        (name, *problem)
        for name in ("errors", "warnings")
        if which in (None, name)
        for problem in report.get(name, ())
    ]
