"""An archive of SQLite as one file."""

import os
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path

from domain import files

NAME = "portale.db"
PAGES = 2000  # copied in one step; between two steps a request to stop is heard


@contextmanager
def snapshot(url, target, query):
    """See engines.

    The reading transaction pins one state; in WAL mode others go on writing beside it. It
    also keeps SQLite from starting over whenever they do.
    """
    with closing(_open(place_of(url), "mode=rw")) as source:
        source.execute("BEGIN")
        rows = _count(source)
        with closing(sqlite3.connect(target)) as copy:
            source.backup(copy, pages=PAGES, progress=lambda *_left: None)
            copy.execute("PRAGMA journal_mode = DELETE")  # all in one file
        files.sync(target)
        yield rows, source.execute(query(rows))


def count(path):
    """{table: rows} of a copy; ValueError where SQLite finds it damaged."""
    try:
        with closing(_open(path, "mode=ro&immutable=1")) as copy:
            [verdict], *_more = copy.execute("PRAGMA integrity_check(1)")
            if verdict != "ok":
                raise ValueError(verdict)
            return _count(copy)
    except sqlite3.DatabaseError as error:
        raise ValueError(str(error)) from error


def is_empty(url):
    """Whether there is no archive yet at `url`: no file, or one without tables."""
    path = place_of(url)
    if not path.exists():
        return True
    # Not for reading only: a run that was killed may have left something to recover.
    with closing(_open(path, "mode=rw")) as found:
        return not _tables(found)


def restore(path, url, statements):
    """Put a copy in place, after running `statements` on it; nobody sees it before."""
    place = place_of(url)
    draft = place.with_name(f".{place.name}.ripristino")
    with files.open_plain(path) as stream:
        files.write_synced(draft, iter(lambda: stream.read(1 << 20), b""))
    with closing(sqlite3.connect(draft)) as archive, archive:
        archive.execute("PRAGMA journal_mode = MEMORY")  # no file that another run would find
        for statement in statements:
            archive.execute(statement)
    files.sync(draft)
    for rest in ("-wal", "-shm"):  # of an empty archive that was there
        place.with_name(place.name + rest).unlink(missing_ok=True)
    os.replace(draft, place)
    files.sync_folder(place.parent)


def size(url):
    """How many bytes the archive takes."""
    return place_of(url).stat().st_size


def version(_url):
    return sqlite3.sqlite_version


def place_of(url):
    return Path(url.removeprefix("sqlite:///"))


def _open(path, mode):
    address = f"{path.resolve().as_uri()}?{mode}"
    return sqlite3.connect(address, uri=True, isolation_level=None)


def _tables(connection):
    names = connection.execute(  # of a virtual one the rows are in others, which are among them
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL %'"
    )
    return sorted(name for (name,) in names if not name.startswith("sqlite_"))


def _count(connection):
    query = 'SELECT COUNT(*) FROM "{}"'
    return {
        table: connection.execute(query.format(table)).fetchone()[0]
        for table in _tables(connection)
    }
