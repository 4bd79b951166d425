"""Which numbered changes of the tables (jobs/migrations) this archive has."""

from pathlib import Path

from playhouse.migrations import Runner

from domain.errors import Refused
from domain.release import VERSION
from models import db

MIGRATIONS = Path(__file__).parent.parent / "jobs" / "migrations"


def migrations():
    """What applies them, and knows which have been."""
    return Runner(db.obj, MIGRATIONS)


def applied():
    """The names of those that this archive has."""
    return sorted(migrations().applied())


def missing():
    """The names of those that this release needs and the archive has not."""
    return [step.name for step in migrations().status() if not step.applied]


def unknown():
    """The names of those that the archive has of a later release."""
    return [step.name for step in migrations().status() if not step.path]


def refuse_another_release():
    """Raise Refused unless the archive has the tables of this release, no more and no fewer."""
    refuse_later_release()
    if missing():
        raise Refused(
            f"L'archivio non è pronto per questa versione del portale ({VERSION}): "
            "eseguire prima «python -m jobs.migrate»."
        )


def refuse_later_release():
    """Raise Refused where the archive has tables that this release knows nothing of."""
    if unknown():
        raise Refused(
            f"L'archivio è di una versione del portale più recente di questa ({VERSION}): "
            "aggiornare il programma, oppure ripristinare una copia fatta da questa versione."
        )
