"""Hand what customers gave to billing, as files in outbox/: self-readings, changed contacts.

*/30 * * * *  python -m jobs.acquire_readings
"""

from domain import acquisition, contacts
from jobs import runner


def run(app, *, now):
    outbox = app.config["DATA_DIR"] / "outbox"
    parts = [
        *told(acquisition.acquire(outbox, now=now), "autoletture acquisite"),
        *told(contacts.hand_over(outbox, now=now), "contatti modificati"),
    ]
    return "; ".join(parts) or "nessuna autolettura da acquisire, nessun contatto modificato"


def told(done, what):
    """The parts of the summary for one kind of thing."""
    if done.completed:
        yield f"lotti completati: {done.completed}"
    if done.number:
        yield f"lotto {done.number:06d}, {what}: {done.rows}"


if __name__ == "__main__":
    runner.main("acquire_readings", run)
