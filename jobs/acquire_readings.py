"""Hand what customers gave to billing, as files in outbox/: self-readings, changed contacts.

With PORTALE_TAL_0050 the distributors' requests go beside the self-readings.

*/30 * * * *  python -m jobs.acquire_readings
"""

from domain import acquisition, contacts
from jobs import runner


def run(app, *, now):
    outbox = app.config["DATA_DIR"] / "outbox"
    requester = app.config["UTILITY_VAT"] if app.config["TAL_0050"] else None
    readings = acquisition.acquire(outbox, now=now, requester=requester)
    parts = [
        *told(readings, "autoletture acquisite"),
        *(told_requests(readings) if requester else ()),
        *told(contacts.hand_over(outbox, now=now), "contatti modificati"),
    ]
    return "; ".join(parts) or "nessuna autolettura da acquisire, nessun contatto modificato"


def told(done, what):
    """The parts of the summary for one kind of thing."""
    if done.completed:
        yield f"lotti completati: {done.completed}"
    if done.number:
        yield f"lotto {done.number:06d}, {what}: {done.rows}"


def told_requests(readings):
    """The part of the summary for the requests to distributors."""
    if readings.number:
        files, asked = acquisition.requested(readings.number)
        yield f"TAL.0050: {files} file, autoletture senza partita IVA del distributore: " + str(
            readings.rows - asked
        )


if __name__ == "__main__":
    runner.main("acquire_readings", run)
