"""Bring the tables of the archive to this release.

By hand, after installing and after each update, with the portal stopped. What is already
done is left alone.
"""

from domain import schema
from jobs import runner


def run(app, *, now):
    done = schema.migrations().up()
    if not done:
        return "L'archivio è già aggiornato."
    return f"Archivio aggiornato: {', '.join(done)}."


if __name__ == "__main__":
    runner.main("migrate", run, migrated=False)
