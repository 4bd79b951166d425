"""Put a copy made by jobs.backup back, into a place that holds nothing.

By hand, with the portal and its jobs stopped:

    python -m jobs.restore /var/backups/portale/2026-11-23T013000

The settings say where: an archive without tables and an empty folder documents/; outbox/ and
inbox/ stay as they are. The copy is read in full before anything is written. Nobody is
signed in afterwards, mailed passwords and links are void, and mail that waited is not sent.
"""

from pathlib import Path

from domain import handover, italian, schema
from domain.acquisition import READINGS
from domain.backups import restoring
from domain.contacts import CONTACTS
from jobs import runner


def arguments(parser):
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the copy to put back")


def run(app, *, now, folder):
    done = restoring.restore(
        folder, app.config["DATA_DIR"], app.config["DATABASE_URL"],
        migrations=[step.name for step in schema.migrations().migrations()],
        progress=lambda paths: runner.progress(paths, "file"),
    )  # fmt: skip
    told = (
        f"Ripristinate {italian.whole(done.rows)} righe e {italian.whole(done.documents)} "
        "documenti."
    )
    if done.outdated:
        return f"{told} Ora eseguire «python -m jobs.migrate»."
    last = (f"{goods.prefix} {handover.last_number(goods):06d}" for goods in (READINGS, CONTACTS))
    return f"{told} Ultimi lotti noti: {', '.join(last)}."


if __name__ == "__main__":
    runner.main("restore", run, arguments, migrated=False, recorded=False)
