"""Move the archive from SQLite to PostgreSQL, once, with the portal and its jobs stopped.

By hand, after PORTALE_DATABASE_URL was set to an empty database of PostgreSQL:

    python -m jobs.move_to_postgresql

All rows go in one transaction and are read back and compared: they are there to the last
one, or the database is left as it was. The file of SQLite is put aside, not deleted.
Documents and what is exchanged stay where they are.
"""

import os
from pathlib import Path

import models
from domain import files, italian, schema, transfer
from domain.errors import Refused
from jobs import runner

ASIDE = ".trasferito"


def arguments(parser):
    parser.add_argument(
        "--archive", type=Path, metavar="FILE", help="the SQLite archive; portale.db if not told"
    )


def run(app, *, now, archive=None):
    archive = archive or app.config["DATA_DIR"] / "portale.db"
    if models.is_sqlite():
        raise Refused(
            "PORTALE_DATABASE_URL non indica un archivio PostgreSQL: impostarla, poi ripetere."
        )
    if not files.is_file(archive):
        raise Refused(f"L'archivio SQLite {archive} non c'è: indicarlo con --archive.")
    copied = transfer.to_postgresql(archive, schema.migrations(), runner.progress)
    put_aside(archive)
    return (
        f"Trasferite e confrontate {italian.whole(sum(copied.values()))} righe di {len(copied)} "
        f"tabelle. L'archivio SQLite è ora {archive}{ASIDE}."
    )


def put_aside(archive):
    """Whoever still has the old settings must not go on with it."""
    os.replace(archive, f"{archive}{ASIDE}")
    files.sync_folder(archive.parent)


if __name__ == "__main__":
    runner.main("move_to_postgresql", run, arguments, migrated=False, recorded=False)
