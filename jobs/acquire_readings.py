"""Hand the customers' pending self-readings to billing, as a file in outbox/.

*/30 * * * *  python -m jobs.acquire_readings
"""

from domain import acquisition
from jobs import runner


def run(app, *, now):
    done = acquisition.acquire(app.config["DATA_DIR"] / "outbox", now=now)
    parts = []
    if done.completed:
        parts.append(f"lotti completati: {done.completed}")
    if done.number:
        parts.append(f"lotto {done.number:06d}, autoletture acquisite: {done.readings}")
    return "; ".join(parts) or "nessuna autolettura da acquisire"


if __name__ == "__main__":
    runner.main("acquire_readings", run)
