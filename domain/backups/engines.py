"""Who keeps the archive: SQLite or PostgreSQL. Each takes it into one file and back.

Both have: NAME of that file; `snapshot(url, target, query)`, a context that writes one state
of the archive while others write and yields its {table: rows} and, in the same state, the rows
of the SQL that `query` makes of those tables; `count(path)`, the {table: rows} of such a file,
ValueError where it is damaged; `is_empty(url)`; `restore(path, url, statements)`, which puts
such a file in place together with what the SQL `statements` change, or nothing of it;
`size(url)` in bytes; `version(url)`.
"""

from domain.backups import postgresql, sqlite

ENGINES = {"sqlite": sqlite, "postgresql": postgresql}


def name_of(url):
    """Which of ENGINES keeps the archive at `url`."""
    return "sqlite" if url.startswith("sqlite:///") else "postgresql"
