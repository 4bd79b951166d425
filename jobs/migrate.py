"""Bring the tables of the archive to this release, after a copy of it as it was.

By hand, after installing and after each update, with the portal stopped:

    python -m jobs.migrate

The copy is one of jobs.backup; where it cannot be made nothing is changed. Each numbered step
is a transaction: after a run that was cut short the same command goes on from there.
"""

import shutil

from domain import italian, schema
from domain.backups.engines import ENGINES, name_of
from domain.backups.making import private
from domain.errors import Refused
from domain.release import VERSION
from jobs import backup, runner

ROOM = 2  # times the archive: for the copy, and for SQLite once more while tables change


def arguments(parser):
    parser.add_argument(
        "--no-backup", action="store_true", help="make no copy: only after one made by other means"
    )


def run(app, *, now, no_backup=False):
    schema.refuse_later_release()
    if not schema.missing():
        return f"L'archivio è già aggiornato alla versione {VERSION}."
    is_new = not schema.applied()
    told = "" if is_new or no_backup else f" La copia di prima è in {copied(app, now)}."
    done = schema.migrations().up()
    return f"Archivio aggiornato alla versione {VERSION}: {', '.join(done)}.{told}"


def copied(app, now):
    """The folder of a copy that is made now; without one, Refused."""
    try:
        with runner.locked(app, "backup"):
            refuse_without_room(app.config)
            return backup.make(app.config, now=now).folder
    except runner.TryLater:
        raise runner.TryLater("jobs.backup è in corso: ripetere quando ha finito.") from None
    except (Refused, OSError) as error:
        raise Refused(
            "L'archivio non è stato toccato, perché la copia di sicurezza non è riuscita: "
            f"{error} Rimediare e ripetere (con --no-backup si aggiorna senza copia)."
        ) from error


def refuse_without_room(config):
    """Before anything is written; documents take room too, but most are in an earlier copy."""
    url, root = config["DATABASE_URL"], config["BACKUP_DIR"]
    with private():
        root.mkdir(parents=True, exist_ok=True)
    free, wanted = shutil.disk_usage(root).free, ROOM * ENGINES[name_of(url)].size(url)
    if free < wanted:
        raise Refused(
            f"in {root} restano {megabytes(free)} e ne servono almeno {megabytes(wanted)}."
        )


def megabytes(size):
    return f"{italian.whole(size // 1_000_000)} MB"


if __name__ == "__main__":
    runner.main("migrate", run, arguments, migrated=False)
