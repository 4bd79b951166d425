"""Take the files that wait in the inbox; tell what became of each.

*/15 * * * *  python -m jobs.import_inbox

Every file leaves a report in inbox/rapporti/YYYY/MM: what was read, added, changed and left as
it was, the warnings and errors by row. The last lines are the same as a table, with how long
each file took.

Afterwards files that operators sent and that are too large for a browser to wait are tried,
and those on which nobody decided for some days are removed.

With --dry-run nothing is written: it only tells what would happen. On SQLite it works on a
copy of the archive, in a temporary folder, so that nobody waits for it. A file that was held
because it ends too many rows is taken with --confirm NAME.
"""

import sys
from collections import Counter

from domain import announcements
from domain.formats import import_report
from domain.formats.import_report import STATES
from domain.imports import uploads
from domain.imports.inbox import Inbox
from domain.imports.report import LISTED
from jobs import runner

SHOWN = 20  # problems printed of each kind; the rest are in the report


def arguments(parser):
    parser.add_argument("--dry-run", action="store_true", help="tell, write nothing")
    parser.add_argument("--confirm", metavar="NAME", help="take this file of inbox/sospesi")


def run(app, *, now, dry_run=False, confirm=None):
    inbox = Inbox(
        app.config["DATA_DIR"],
        utility_vat=app.config["UTILITY_VAT"],
        dry_run=dry_run,
        progress=runner.progress,
    )
    outcomes = [inbox.confirm(confirm, now=now)] if confirm else inbox.run(now=now)
    counts, rows = Counter(), []
    for outcome in outcomes:
        counts[outcome.state] += 1
        rows.append(import_report.cells(outcome.state, outcome.report))
        tell(outcome)
    if not dry_run:
        announcements.tell_of_documents(now=now)
    if rows:
        print("", *import_report.table(rows), "", sep="\n")
    summary = ", ".join(f"{STATES[state]}: {n}" for state, n in sorted(counts.items()))
    summary = summary or "nessun file da importare"
    if not (dry_run or confirm):
        summary += look_after_uploads(app, now)
    return f"prova, niente è stato scritto; {summary}" if dry_run else summary


def look_after_uploads(app, now):
    """Try what waits to be tried, remove what is old; what the summary says of it."""
    data_dir, utility_vat = app.config["DATA_DIR"], app.config["UTILITY_VAT"]
    tried = uploads.try_waiting(data_dir, utility_vat=utility_vat, now=now)
    uploads.clean_up(data_dir, now=now)
    return f"; caricamenti provati: {tried}" if tried else ""


def tell(outcome):
    """Print what became of one file, for the clerk."""
    report = outcome.report
    print(f"{report.name}: {STATES[outcome.state]}")
    if outcome.state in {"applied", "held"}:
        print(
            f"  righe {report.rows}: nuove {report.added}, cambiate {report.changed}, "
            f"uguali {report.unchanged}"
        )
    for note in report.notes:
        print(f"  {note}")
    tell_problems("errori", report.error_count, report.errors)
    tell_problems("avvisi", report.warning_count, report.warnings)


def tell_problems(title, count, problems):
    if not count:
        return
    listed = f", elencati i primi {LISTED}" if count > LISTED else ""
    print(f"  {title}: {count}{listed}")
    if not sys.stdout.isatty():  # a log, which keeps no cells: they are in the report
        return
    for problem in problems[:SHOWN]:
        print(f"    {import_report.sentence(problem)}")
    if len(problems) > SHOWN:
        print(f"    … e altri {count - SHOWN}")


if __name__ == "__main__":
    runner.main("import_inbox", run, arguments)
