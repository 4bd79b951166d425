"""The connection to the archive, and who waits for whom there.

SQLite has one writer at a time; on PostgreSQL writers of the same row wait for each other.
"""

import threading
import time
from contextlib import contextmanager
from tempfile import TemporaryDirectory

import peewee as pw
import psycopg
from playhouse.pool import (
    MaxConnectionsExceeded,
    PooledPostgresqlDatabase,
    PooledSqliteDatabase,
)

from models import db, is_sqlite, writing

SQLITE_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "full",
    "foreign_keys": 1,
    # KiB of each connection, of which a web process has dozens; the system's own cache is behind.
    "cache_size": -2_000,
}


# A machine that vanished keeps its locks until the server asks after it: not in two hours,
# as is usual, but in one minute.
SOON_KNOWN_DEAD = "tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"


NOTICEABLE = 0.05  # seconds


class SqliteArchive(PooledSqliteDatabase):
    """One writer at a time, of all threads and processes.

    SQLite does not queue who waits for it: each asks again and again, and of many some never
    get it. So only one thread of a process asks, and the others stand in line for that.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._turn = threading.RLock()
        self._own = threading.local()

    @property
    def patience(self):
        """The seconds that a writer of this thread waits for the others."""
        return getattr(self._own, "patience", self.timeout)

    @patience.setter
    def patience(self, seconds):
        self._own.patience = seconds
        self.execute_sql(f"PRAGMA busy_timeout = {int(seconds * 1000)}")

    @contextmanager
    def writing(self):
        asked = time.monotonic()
        if not self._turn.acquire(timeout=self.patience):
            raise pw.OperationalError("database is locked")
        self._own.waited = time.monotonic() - asked
        try:
            with self.atomic("IMMEDIATE") as transaction:
                yield transaction
        finally:
            self._turn.release()

    def begin(self, lock_type=None):
        """Who has stood in line waits for other processes only as long as is left."""
        waited, self._own.waited = getattr(self._own, "waited", 0), 0
        if waited < NOTICEABLE:
            return super().begin(lock_type)
        usual, self.patience = self.patience, max(self.patience - waited, 0)
        try:
            return super().begin(lock_type)
        finally:
            self.patience = usual

    def rollback(self):
        """Where the disk is full SQLite has rolled back by itself: that is no second error."""
        if self.connection().in_transaction:
            super().rollback()


class PostgresqlArchive(PooledPostgresqlDatabase):
    def writing(self):
        return self.atomic()

    def _connect(self):
        """Where the server takes no more connections, wait for one of ours to come free."""
        try:
            return super()._connect()
        except psycopg.OperationalError as error:
            if not self._in_use:
                raise
            raise MaxConnectionsExceeded(str(error)) from error


def connect(url, *, timeout=5.0, connections=20):
    """Bind `db` to `url` and return the database.

    `url` is `sqlite:///absolute/path` or `postgresql://…`. `timeout` (seconds) is how
    long a statement waits for another writer before it raises OperationalError.
    Connections are kept in a pool: closing one hands it back. On PostgreSQL there are at
    most `connections`, and a thread beyond them waits `timeout` for one.
    """
    if url.startswith("sqlite:///"):
        database = SqliteArchive(
            url.removeprefix("sqlite:///"),
            pragmas=SQLITE_PRAGMAS,
            timeout=timeout,  # of the pool, as below; it does not hand it on to SQLite
            max_connections=64,
            check_same_thread=False,  # the pool lends a connection to one thread at a time
        )
        database.timeout = timeout
    elif url.startswith(("postgresql://", "postgres://")):
        milliseconds = int(timeout * 1000)
        database = PostgresqlArchive(
            url,
            timeout=timeout,  # of the pool
            max_connections=connections,
            prefer_psycopg3=True,
            options=f"-c lock_timeout={milliseconds} -c timezone=UTC -c {SOON_KNOWN_DEAD}",
            connect_timeout=5,
        )
    else:
        raise ValueError(f"not a sqlite:/// or postgresql:// address: {url.split(':', 1)[0]}")
    db.initialize(database)
    return database


@contextmanager
def rehearsing():
    """Inside, whatever is written is forgotten afterwards, and no other writer waits for it.

    SQLite has one writer at a time: there the work is done on a copy, in a temporary folder.
    """
    if not is_sqlite():
        with writing() as transaction:
            yield
            transaction.rollback()
        return
    archive = db.obj
    with TemporaryDirectory() as folder:
        copy = connect(f"sqlite:///{folder}/copy.db")
        try:
            archive.connection().backup(copy.connection())
            yield
        finally:
            copy.close_all()
            db.initialize(archive)


@contextmanager
def waiting_at_most(milliseconds):
    """Inside, a statement that another writer keeps from running fails after as long."""
    if is_sqlite():
        usual, db.obj.patience = db.obj.patience, milliseconds / 1000
    else:  # there only writers of the same row wait for each other; 0 would be for ever
        db.execute_sql(f"SET lock_timeout = {max(milliseconds, 1)}")
    try:
        yield
    finally:
        if is_sqlite():
            db.obj.patience = usual
        else:
            db.execute_sql("RESET lock_timeout")


def without_waiting():
    """Inside, a statement that another writer keeps from running fails at once."""
    return waiting_at_most(0)


def locking(query):
    """`query`, whose rows nobody else changes before the transaction ends.

    On SQLite nobody else writes at all. On PostgreSQL new rows may go on referring to them: for
    those `FOR UPDATE` would wait too, and two who lock a login and its customer in turn for each
    other.
    """
    return query if is_sqlite() else query.for_update("FOR NO KEY UPDATE")


@contextmanager
def alone_on_server(what):
    """Wait, at most ten minutes, until nobody else is inside with the same `what` (text).

    PostgreSQL keeps the lock for this thread's connection: who loses it writes no more.
    """
    with waiting_at_most(10 * 60 * 1000):
        db.execute_sql("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (f"portale {what}",))
    try:
        yield
    finally:
        db.execute_sql("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", (f"portale {what}",))
