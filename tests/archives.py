"""Small archives of earlier releases, as SQL that a person can read.

    python -m tests.archives 0006_accounts

writes tests/files/archives/0006_accounts.sql: the rows of a little world, as the tables of that
migration hold them. Once, when a release is made; then the file stays as it is. Both databases
take it.
"""

import argparse
import datetime as dt
import itertools
import re
import tempfile
from pathlib import Path

import peewee as pw
from playhouse.migrations import Runner

import models
from app import create_app
from domain import connections, register, schema
from domain.clock import rome_day, utcnow
from tests import factories
from tests.security.owners import Owner

FOLDER = Path(__file__).parent / "files" / "archives"
# Made by the migrations and the jobs: their own lists, and what triggers keep for the search.
FILLED = re.compile(r"sqlite_|schema_migration|search_|job_run")
# Columns that a later release has emptied on purpose: 0007.
FORGOTTEN = {("account", "language")}


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.archives")
    parser.add_argument("migration", help="the last one of the release: 0006_accounts")
    last = parser.parse_args().migration
    with tempfile.TemporaryDirectory() as folder:
        world(Path(folder))
        of_then = connections.connect(f"sqlite:///{folder}/then.db")
        Runner(of_then, schema.MIGRATIONS).up(last)
        of_then.execute_sql("ATTACH ? AS now", (f"{folder}/portale.db",))
        text = "\n".join(inserts(of_then))
    (FOLDER / f"{last}.sql").write_text(f"-- {last}: see tests/archives.py\n{text}")


# -- Writing one ---------------------------------------------------------------------------


def world(folder):
    """One of nearly everything that the portal keeps, in an archive of today."""
    factories._counter = itertools.count(90_001)  # far from the numbers of any test
    Runner(connections.connect(f"sqlite:///{folder}/portale.db"), schema.MIGRATIONS).up()
    app = create_app({"ENV": "development", "DATA_DIR": folder, "SECRET_KEY": KEY})
    with app.app_context():
        owner = Owner(app)
        contents(app, owner)
    models.db.close_all()


KEY = "la-chiave-di-un-archivio-di-prova"


def contents(app, owner):
    customer, gas, power = owner.customer, owner.gas, owner.electricity
    today, now = rome_day(utcnow()), utcnow()
    factories.make_customer(name="D'ANCONA «È» & FIGLI", tax_code="RSSMRA80A01H501U", email=None)
    for day in (today, today - dt.timedelta(days=1)):
        factories.make_measured_day(power, day)
        factories.make_meter_reading(gas, day, 950)
    owner.invoice()
    owner.attachment()
    for category in ("personal", "notices", "forms"):
        owner.document(category)
    owner.consumption()
    owner.reading()
    factories.make_contract(power, dt.date(2024, 1, 1))
    factories.make_window()
    factories.make_event("access", account=owner.account, customer=customer)
    factories.make_mail(owner.account, state="sent")
    factories.make_mail(owner.account)
    factories.make_import()
    factories.make_standard_answer()
    factories.make_operator("administrator", username="anna")
    for number in range(2):
        key = register.key(app.secret_key)
        register.record("customer_read", "anna", key=key, now=now, count=number)


def inserts(database):
    """The rows of today in the columns of then, table by table."""
    tables = database.execute_sql(
        "SELECT name FROM main.sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRT%'"
    )
    for (table,) in tables.fetchall():
        if not FILLED.match(table):
            yield from inserts_into(database, table)


def inserts_into(database, table):
    names = [name for name in columns(database, "main", table)
             if name in columns(database, "now", table)]  # fmt: skip
    listed = ", ".join(f'"{name}"' for name in names)
    rows = database.execute_sql(f'SELECT {listed} FROM now."{table}" ORDER BY rowid').fetchall()
    if rows:
        truths = truths_of(table)
        values = [", ".join(map(literal, row, (name in truths for name in names))) for row in rows]
        yield f'\nINSERT INTO "{table}" ({listed}) VALUES'
        yield ",\n".join(f"({each})" for each in values) + ";"


def columns(database, where, table):
    return [row[1] for row in database.execute_sql(f'PRAGMA {where}.table_info("{table}")')]


def truths_of(table):
    """The columns that are true or false, which SQLite keeps as numbers."""
    [model] = [each for each in models.TABLES if each._meta.table_name == table]
    fields = model._meta.sorted_fields
    return {each.column_name for each in fields if isinstance(each, pw.BooleanField)}


def literal(value, is_truth):
    if value is None:
        return "NULL"
    if is_truth:
        return "TRUE" if value else "FALSE"
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


# -- Reading one ---------------------------------------------------------------------------


def load(name):
    """Make the tables of the archive `name` in the database bound, and put its rows in."""
    Runner(models.db.obj, schema.MIGRATIONS).up(name)
    statements = (FOLDER / f"{name}.sql").read_text().split(";\n")
    with models.writing():
        for statement in statements:
            if statement.strip():
                run(statement)


def run(statement):
    """A statement of the file; PostgreSQL writes bytes otherwise, and counts by itself."""
    if models.is_sqlite():
        models.db.execute_sql(statement)
        return
    statement = re.sub(r"X'([0-9a-f]*)'", r"'\\x\1'", statement).replace("%", "%%")
    models.db.execute_sql(statement, ())
    table = re.search(r'INSERT INTO "(\w+)" \("id"', statement)
    if table:
        models.db.execute_sql(
            f"SELECT setval(pg_get_serial_sequence('{table[1]}', 'id'), max(id)) "
            f'FROM "{table[1]}"'
        )


def everything():
    """{table: (columns, rows)} of the archive bound, as it is now."""
    found = {}
    for table in models.db.get_tables():
        if not FILLED.match(table):
            names = [each.name for each in models.db.get_columns(table)
                     if (table, each.name) not in FORGOTTEN]  # fmt: skip
            found[table] = names, rows_of(table, names)
    return found


def rows_of(table, names):
    listed = ", ".join(f'"{name}"' for name in names)
    rows = models.db.execute_sql(f'SELECT {listed} FROM "{table}"').fetchall()
    return sorted(rows, key=repr)


if __name__ == "__main__":
    main()
