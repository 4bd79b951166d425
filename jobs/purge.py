"""Delete what is not kept any longer: retention times are settings (docs/privacy.md).

Cron, each night:

    20 3 * * *  python -m jobs.purge

A few rows at a time: customers and other jobs go on meanwhile. Killed anywhere, the next run
goes on from there. With --dry-run it only counts.
"""

from domain import attachments, erasing, mandates, retention
from domain.errors import Refused
from domain.retention import Times
from jobs import runner


def run(app, *, now, dry_run=False):
    times, data = Times.of(app.config), app.config["DATA_DIR"]
    if dry_run:
        return f"Da cancellare: {summary(counted(data, times, now=now))}"
    documents = data / "documents"
    mandates.end_past(now=now)
    counts = {
        what: retention.purge_rows(table, condition)
        for what, table, condition in retention.expired(times, now=now)
    } | {
        what: retention.strip_rows(table, condition)
        for what, table, condition in retention.told(times, now=now)
    }
    erasing.again(now=now)
    counts["accessi di delegati"] = erasing.forget_delegates(now=now)
    attachments.sweep(documents, now=now)
    counts["file"], stay = retention.remove(retention.old_files(data, times, now=now))
    counts["file"] += erasing.remove_files(documents)
    if stay:
        raise Refused(
            f"Non si possono cancellare {len(stay)} file scaduti: controllare i permessi di "
            f"{stay[0].parent}."
        )
    return f"Cancellati: {summary(counts)}"


def counted(data, times, *, now):
    """How much a run would delete, by what."""
    rules = [*retention.expired(times, now=now), *retention.told(times, now=now)]
    counts = {what: table.select().where(condition).count() for what, table, condition in rules}
    old = retention.old_files(data, times, now=now)
    return counts | {"file": sum(not path.is_dir() for path in old)}


def summary(counts):
    found = [f"{what} {count}" for what, count in counts.items() if count]
    return f"{', '.join(found) or 'niente'}."


def arguments(parser):
    parser.add_argument("--dry-run", action="store_true", help="conta soltanto, non cancella nulla")


if __name__ == "__main__":
    runner.main("purge", run, arguments)
