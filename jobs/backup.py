"""Copy the archive and the documents, while the portal is in use, and keep the last days.

30 2 * * *  python -m jobs.backup

The copy is read again before it gets its name: a folder of PORTALE_BACKUP_DIR, called after
the instant (UTC) it was made. Copies older than PORTALE_BACKUP_DAYS go afterwards. The
settings (.env) are not in it: keep them elsewhere.
"""

from domain import italian, schema
from domain.backups import making
from domain.errors import Refused
from jobs import runner

SHOWN = 5


def run(app, *, now):
    made = make(app.config, now=now)
    summary = (
        f"Copia fatta in {made.folder}: documenti {italian.whole(made.documents)}, "
        f"di cui nuovi {italian.whole(made.copied)}."
    )
    if made.lost:
        shown = ", ".join(made.lost[:SHOWN]) + (", …" if len(made.lost) > SHOWN else "")
        raise Refused(
            f"{summary} Ma di {len(made.lost)} documenti che l'archivio nomina il file manca o "
            f"è cambiato: {shown}"
        )
    return summary


def make(config, *, now):
    """The copy that the settings ask for."""
    return making.make(
        config["BACKUP_DIR"], config["DATA_DIR"], config["DATABASE_URL"],
        migrations=schema.applied(), days=config["BACKUP_DAYS"], now=now,
        progress=lambda paths: runner.progress(paths, "documenti"),
    )  # fmt: skip


if __name__ == "__main__":
    runner.main("backup", run)
