"""The migrations make exactly the tables that models.py describes."""

import re

from playhouse.migrations import Runner

import models
from tests.conftest import MIGRATIONS


def schema(database):
    """The statements behind every table and index, without spacing."""
    rows = database.execute_sql(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name <> 'schema_migration' "
        "AND tbl_name <> 'schema_migration'"
    )
    return {name: re.sub(r"\s+", " ", sql) for name, sql in rows}


def test_migrated_and_described_tables_are_the_same(tmp_path):
    described = models.connect(f"sqlite:///{tmp_path / 'described.db'}")
    described.create_tables(models.TABLES)
    wanted = schema(described)
    described.close_all()
    migrated = models.connect(f"sqlite:///{tmp_path / 'migrated.db'}")
    assert Runner(migrated, MIGRATIONS).up() != []
    assert schema(migrated) == wanted
    assert Runner(migrated, MIGRATIONS).up() == []
    migrated.close_all()
