"""The migrations make exactly the tables that models.py describes."""

import re

import pytest
from playhouse.migrations import Runner

import models
from domain import connections, text
from tests.conftest import MIGRATIONS, ON_POSTGRESQL


def schema(database):
    """What SQLite knows of every table: columns, keys, checks and indexes, in any order."""
    rows = database.execute_sql(
        "SELECT tbl_name, type, sql FROM sqlite_master WHERE sql IS NOT NULL "
        "AND tbl_name <> 'schema_migration' AND type <> 'trigger' "
        "AND (tbl_name NOT LIKE 'search%' OR tbl_name = 'search_text')"
    )
    known = set()
    for table, kind, sql in rows.fetchall():
        sql = re.sub(r"\s+", " ", sql)
        known.add((table, sql) if kind == "index" else (table, *sorted(CHECK.findall(sql))))
        for what in ("table_info", "foreign_key_list"):
            columns = database.execute_sql(f'PRAGMA {what}("{table}")').fetchall()
            known.update((table, what, *places[-PLACELESS[what] :]) for places in columns)
    return known


# The columns of a PRAGMA's answer after those that only number its rows.
PLACELESS = {"table_info": 5, "foreign_key_list": 6}
CHECK = re.compile(r"CHECK (?:\([^()]*(?:\([^()]*\)[^()]*)*\))")


def test_migrated_and_described_tables_are_the_same(tmp_path):
    described = connections.connect(f"sqlite:///{tmp_path / 'described.db'}")
    described.create_tables(models.TABLES)
    wanted = schema(described)
    described.close_all()
    migrated = connections.connect(f"sqlite:///{tmp_path / 'migrated.db'}")
    assert Runner(migrated, MIGRATIONS).up() != []
    assert schema(migrated) == wanted
    assert Runner(migrated, MIGRATIONS).up() == []
    migrated.close_all()


@pytest.mark.skipif(not ON_POSTGRESQL, reason="PostgreSQL's own way of describing tables")
def test_on_postgresql_they_are_the_same_too(app):
    run = models.db.execute_sql
    run("DROP SCHEMA IF EXISTS described CASCADE")
    run("CREATE SCHEMA described")
    run("SET search_path TO described")
    models.db.create_tables(models.TABLES)
    run("SET search_path TO public")
    try:
        assert described_in("public") == described_in("described")
    finally:
        run("DROP SCHEMA described CASCADE")


def described_in(schema):
    """Columns, indexes and constraints of all tables there, in words without the schema."""
    queries = (
        "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable "
        "FROM information_schema.columns WHERE table_schema = %s",
        "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = %s",
        "SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = %s::regnamespace",
    )
    return {
        tuple(str(part).replace(f"{schema}.", "") for part in row)
        for query in queries
        for row in models.db.execute_sql(query, (schema,)).fetchall()
        if "schema_migration" not in str(row) and "search_text_trigrams" not in str(row)
    }


def test_an_archive_of_the_first_release_keeps_its_rows(tmp_path):
    database = connections.connect(f"sqlite:///{tmp_path / 'portale.db'}")
    Runner(database, MIGRATIONS).up("0001_initial")
    run = database.execute_sql
    run("INSERT INTO customer VALUES (1, '000001', 'UNO', NULL, '1', NULL, NULL, NULL, NULL, NULL,"
        " NULL, NULL, NULL, 1)")  # fmt: skip
    run(
        "INSERT INTO account VALUES (1, '000001', 'uno@example.it', NULL, '2026-01-01', NULL, NULL)"
    )
    run("INSERT INTO account_grant VALUES (1, 1, 1)")
    Runner(database, MIGRATIONS).up()
    assert run("SELECT username, language, notices FROM account").fetchall() == [
        ("000001", None, 1)
    ]
    assert run("SELECT count(*) FROM account_grant").fetchone() == (1,)
    database.close_all()


def test_the_supplies_of_an_earlier_release_are_found_by_their_city(tmp_path):
    database = connections.connect(f"sqlite:///{tmp_path / 'portale.db'}")
    Runner(database, MIGRATIONS).up("0003_exchange")
    run = database.execute_sql
    run("INSERT INTO customer (id, code, name, vat_number, active) VALUES (1, '1', 'UNO', '1', 1)")
    for code, city in (("PR1", "FORLI'"), ("PR2", "Reggio nell’Emilia"), ("PR3", None)):
        run("INSERT INTO supply_point (code, customer_id, service, city, has_corrector) "
            "VALUES (?, 1, 'EE', ?, 0)", (code, city))  # fmt: skip
    Runner(database, MIGRATIONS).up()
    known = run("SELECT city, town FROM supply_point ORDER BY code").fetchall()
    assert known == [(city, text.town(city)) for city, _town in known]
    assert known[0] == ("FORLI'", "forli")
    database.close_all()
