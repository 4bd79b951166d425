"""One statement for many rows: peewee builds it once, the driver runs it for each of them."""

from typing import NamedTuple

import peewee as pw

from models import DayField, UtcDateTimeField, db, is_sqlite


class Statement(NamedTuple):
    """SQL, and the values of each row that it is run for, as the driver takes them."""

    sql: str
    rows: list


def of(model, query, rows):
    """The Statement that runs `query`, built once with Params, for each row ({name: value})."""
    sql, params = query.sql()
    columns = []
    for name in (param.name for param in params):
        convert = converter_of(model._meta.fields.get(name))
        values = [row[name] for row in rows]
        columns.append([convert(value) for value in values] if convert else values)
    return Statement(sql, list(zip(*columns, strict=True)))


def run(statements):
    """Run Statements; return how many rows they changed."""
    cursor, changed = db.cursor(), 0
    for sql, rows in statements:
        cursor.executemany(sql, rows)
        changed += cursor.rowcount
    return changed


def converter_of(field):
    """What makes of a value what the driver takes; None where it is that already."""
    if isinstance(field, DayField) and is_sqlite():
        return lambda value: None if value is None else value.isoformat()
    if isinstance(field, pw.DecimalField | UtcDateTimeField):  # of bytes, either driver takes them
        return field.db_value
    return None
