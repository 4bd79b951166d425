"""A portal to begin from again and again: its archive and its files as they once were."""

import shutil
from contextlib import contextmanager

import psycopg

import models
from domain import connections
from tests.conftest import ON_POSTGRESQL

# Counted on also by a transaction that is undone: which number a new row has says nothing.
NUMBERS = {"id", "batch_id"}
ARCHIVE = "portale.db"
CUT = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s "
    "AND backend_type = 'client backend'"
)


@contextmanager
def database_of_its_own(settings):
    """`settings` of a portal whose database may be thrown away; in the end it is."""
    if not ON_POSTGRESQL:
        yield settings
        return
    base, _slash, empty = settings["DATABASE_URL"].rpartition("/")
    own = {**settings, "DATABASE_URL": f"{base}/work"}
    ask(own, CUT, [empty])  # no other connection may be there to what is copied
    ask(own, f"CREATE DATABASE work TEMPLATE {empty}")
    try:
        yield own
    finally:
        models.db.close_all()
        for name in ("work", "kept"):
            ask(own, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def ask(settings, statement, values=None):
    """Let the server of PostgreSQL do something, through none of the portal's connections."""
    base = settings["DATABASE_URL"].rpartition("/")[0]
    with psycopg.connect(f"{base}/template1", autocommit=True) as connection:
        connection.execute(statement, values)


class Kept:
    """What the portal of `settings` is now; `back()` makes it so again."""

    def __init__(self, settings):
        self.settings = settings
        self.data = settings["DATA_DIR"]
        self._copy = self.data.parent / "kept"
        models.db.close_all()  # with the last connection SQLite's journal goes
        shutil.copytree(self.data, self._copy)
        if ON_POSTGRESQL:
            ask(settings, "CREATE DATABASE kept TEMPLATE work")

    def back(self):
        models.db.close_all()
        shutil.rmtree(self.data)
        shutil.copytree(self._copy, self.data)
        if ON_POSTGRESQL:
            ask(self.settings, "DROP DATABASE work WITH (FORCE)")
            ask(self.settings, "CREATE DATABASE work TEMPLATE kept STRATEGY file_copy")
        connections.connect(self.settings["DATABASE_URL"])

    def seen(self):
        """All rows and files, but for what runs of jobs leave about themselves."""
        return rows(), self.files()

    def files(self):
        return {
            str(path.relative_to(self.data)): path.read_bytes() if path.is_file() else None
            for path in self.data.rglob("*")
            if not path.name.startswith(ARCHIVE) and ".locks" not in path.parts
        }


def rows():
    """{table: rows} of the archive bound, without the numbers that they were given."""
    return {
        table: sorted(table.select(*told_fields(table)).tuples(), key=repr)
        for table in models.TABLES
        if table is not models.JobRun
    }


def told_fields(table):
    return [each for each in table._meta.sorted_fields if each.column_name not in NUMBERS]
