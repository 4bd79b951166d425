"""Tell customers by mail what its day has come for: reading windows, payments, documents.

Cron, every morning:

    15 7 * * *  python -m jobs.send_reminders

It puts mails into the queue, jobs.send_mail sends them. Run twice, or on two machines at once,
it tells nothing twice; what a day without a run has missed is told the day after.
"""

from domain import announcements, reminders
from jobs import runner

TOLD = (
    ("periodi che si aprono", reminders.windows_opening),
    ("periodi che si chiudono", reminders.windows_closing),
    ("scadenze", reminders.payments_due),
    ("documenti", announcements.tell_of_documents),
)


def run(app, *, now):
    counts = {what: tell(now=now) for what, tell in TOLD}
    return "Mail in coda: " + ", ".join(f"{what} {count}" for what, count in counts.items()) + "."


if __name__ == "__main__":
    runner.main("send_reminders", run)
