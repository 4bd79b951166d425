"""Which numbered changes of the tables (jobs/migrations) this archive has."""

from pathlib import Path

from playhouse.migrations import Runner

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
