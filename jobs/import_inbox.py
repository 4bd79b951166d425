"""Take the files that wait in the inbox; tell what became of each.

*/15 * * * *  python -m jobs.import_inbox

With --dry-run nothing is written: it only tells what would happen. On SQLite it works on a
copy of the archive, in a temporary folder, so that nobody waits for it. A file that was held
because it ends too many rows is taken with --confirm NAME.
"""

from collections import Counter

from domain.imports.inbox import Inbox
from domain.imports.report import LISTED
from jobs import runner

SHOWN = 20  # problems printed of each kind; the rest are in the errors file
STATES = {
    "applied": "importato",
    "rejected": "scartato",
    "held": "sospeso",
    "repeated": "già importato",
    "left": "lasciato in inbox",
}


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
    counts = Counter()
    for outcome in outcomes:
        counts[outcome.state] += 1
        tell(outcome)
    summary = ", ".join(f"{STATES[state]}: {n}" for state, n in sorted(counts.items()))
    summary = summary or "nessun file da importare"
    return f"prova, niente è stato scritto; {summary}" if dry_run else summary


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
    for row, column, value, message in problems[:SHOWN]:
        place = ", ".join(part for part in (row and f"riga {row}", column) if part)
        shown = f" «{value}»" if value else ""
        print(f"    {place}{shown}: {message}" if place else f"    {message}{shown}")
    if len(problems) > SHOWN:
        print(f"    … e altri {count - SHOWN}")


if __name__ == "__main__":
    runner.main("import_inbox", run, arguments)
