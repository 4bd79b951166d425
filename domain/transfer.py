"""From SQLite to PostgreSQL: every row, in one transaction that checks its own work.

The source is held for us alone from beginning to end, so there is one state of it to copy.
"""

import datetime as dt
import hashlib
import sqlite3
from contextlib import closing, contextmanager
from decimal import Decimal
from typing import NamedTuple

import peewee as pw
import psycopg

from domain.errors import Refused
from models import TABLES, DayField, JobRun, SearchText, UtcDateTimeField, db

DERIVED = {SearchText}  # the database writes them itself, from what is copied
TOGETHER = 5000  # rows read from PostgreSQL at once


class Content(NamedTuple):
    """How many rows a table has, and a digest of all that is in them, in order."""

    rows: int
    digest: str


def to_postgresql(path, migrations, progress=lambda rows, _table: rows):
    """Copy the SQLite archive `path` into the database in use; return {table: rows}.

    `migrations` (playhouse's Runner on that database) make its tables. Raises Refused, and
    leaves the database as it was, where the archive is in use or of another release, where
    the database holds anything else, or where what is read back differs. Where it holds those
    very rows an earlier run was cut after its commit: then nothing is left to do here.
    """
    with held(path) as source, db.atomic():
        refuse_other_release(source, migrations)
        migrations.up()
        lock_all()
        copied = found_there(source, progress)
        if not copied:
            refuse_unless_empty()
            tables = pw.sort_models(set(TABLES) - DERIVED)
            copied = {model: copy(model, source, progress) for model in tables}
            for model, content in copied.items():
                check(model, content, progress)
                continue_numbers(model)
            db.execute_sql("ANALYZE")
    return {model._meta.table_name: content.rows for model, content in copied.items()}


@contextmanager
def held(path):
    """The archive `path`, with nobody else in it; Refused where somebody is."""
    address = f"{path.resolve().as_uri()}?mode=rw"
    with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as source:
        try:
            # Only the last connection may leave the mode in which the portal works.
            source.execute("PRAGMA journal_mode = DELETE")
            source.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            if "locked" not in str(error):
                raise Refused(f"L'archivio {path} non si legge: {error}") from error
            raise Refused(
                f"L'archivio {path} è in uso: fermare il portale e i lavori, e ripetere il comando."
            ) from error
        yield source


def refuse_other_release(source, migrations):
    try:
        applied = {name for (name,) in source.execute("SELECT name FROM schema_migration")}
    except sqlite3.OperationalError:
        applied = set()
    if applied != {step.name for step in migrations.migrations()}:
        raise Refused(
            "L'archivio SQLite non è di questa versione del portale: eseguire prima "
            "«python -m jobs.migrate», con le impostazioni di prima."
        )


def lock_all():
    names = ", ".join(f'"{model._meta.table_name}"' for model in TABLES)
    db.execute_sql(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")


def found_there(source, progress):
    """{model: Content} where the database holds just what `source` does, and that is something."""
    found = {}
    for model in set(TABLES) - DERIVED:
        there = digested(source.execute(ordered(model)), model)
        if read_back(model, progress) != there:
            return {}
        found[model] = there
    return found if any(content.rows for content in found.values()) else {}


def digested(rows, model):
    found = Digest()
    for row in converted(model, rows):
        found.add(row)
    return found.content()


def refuse_unless_empty():
    """Only tables without rows; that jobs have run there does not count."""
    JobRun.delete().execute()
    for model in TABLES:
        if model.select().exists():
            raise Refused(
                "L'archivio PostgreSQL contiene già dati (tabella "
                f"{model._meta.table_name}): ne serve uno vuoto."
            )


def copy(model, source, progress):
    """Copy one table; return the Content that was read."""
    names = columns(model)
    into = psycopg.sql.SQL("COPY {} ({}) FROM STDIN").format(
        psycopg.sql.Identifier(model._meta.table_name),
        psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, names)),
    )
    found = Digest()
    try:
        with db.connection().cursor() as cursor, cursor.copy(into) as lines:
            rows = converted(model, source.execute(ordered(model)))
            for row in progress(rows, model._meta.table_name):
                found.add(row)
                lines.write_row(row)
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        where = (error.diag.context or "").partition("\n")[0]
        raise Refused(
            f"Nella tabella {model._meta.table_name} c'è un valore che PostgreSQL non accetta: "
            f"{str(error).splitlines()[0]} ({where})"
        ) from error
    return found.content()


def check(model, copied, progress):
    """Refused unless the database gives back what was copied."""
    if read_back(model, progress) != copied:
        raise Refused(
            f"La tabella {model._meta.table_name}, riletta da PostgreSQL, non è come quella di "
            "SQLite: niente è stato trasferito."
        )


def read_back(model, progress):
    found = Digest()
    with db.connection().cursor(name="check") as cursor:
        cursor.itersize = TOGETHER
        cursor.execute(ordered(model))
        for row in progress(cursor, model._meta.table_name):
            found.add(tuple(row))
    return found.content()


def continue_numbers(model):
    """New rows get ids after those that were copied."""
    if isinstance(model._meta.primary_key, pw.AutoField):
        table = model._meta.table_name
        db.execute_sql(
            f"SELECT setval(pg_get_serial_sequence(%s, 'id'), COALESCE(MAX(id), 1), "  # noqa: S608
            f'MAX(id) IS NOT NULL) FROM "{table}"',
            (table,),
        )


class Digest:
    """Adds up the rows of a table."""

    def __init__(self):
        self._rows = 0
        self._sum = hashlib.sha256()

    def add(self, row):
        self._rows += 1
        self._sum.update(repr(row).encode())

    def content(self):
        return Content(self._rows, self._sum.hexdigest())


def columns(model):
    return [field.column_name for field in model._meta.sorted_fields]


def ordered(model):
    """The same rows in the same order from either database."""
    key = model._meta.primary_key
    key = key.field_names if isinstance(key, pw.CompositeKey) else [key.name]
    names = ", ".join(f'"{name}"' for name in columns(model))
    order = ", ".join(f'"{model._meta.fields[name].column_name}"' for name in key)
    return f'SELECT {names} FROM "{model._meta.table_name}" ORDER BY {order}'  # noqa: S608


def converted(model, rows):
    """The rows of SQLite with the values that psycopg gives for the same."""
    converters = [
        (place, convert)
        for place, field in enumerate(model._meta.sorted_fields)
        if (convert := converter(field))
    ]
    for row in rows:
        row = list(row)
        for place, convert in converters:
            if row[place] is not None:
                row[place] = convert(row[place])
        yield tuple(row)


def converter(field):
    """What makes of a value in SQLite the one in PostgreSQL; None where it is the same."""
    if isinstance(field, pw.BooleanField):
        return bool
    if isinstance(field, UtcDateTimeField):
        return dt.datetime.fromisoformat
    if isinstance(field, DayField):
        return dt.date.fromisoformat
    if isinstance(field, pw.DecimalField):
        quantum = Decimal(1).scaleb(-field.decimal_places)
        return lambda value: Decimal(str(value)).quantize(quantum)
    return None
