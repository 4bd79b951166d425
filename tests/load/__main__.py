"""`make load`: two hundred customers at once on an archive of 50,000, while an import runs.

    LOAD_SECONDS=120 make load        (900 unless told otherwise; loopback only)

In the first third 5 logins, 50 pages and 5 PDF a second; in the second 20 self-readings a
second besides, as in the last hour of a window; in the last 100 logins with wrong passwords
besides. At the end the archive itself tells whether a reading was lost or doubled.
"""

import csv
import json
import os
import secrets
import shlex
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from pathlib import Path

import models
from domain import connections
from models import Invoice, SelfReading
from tests.bench.server import free_port
from tests.load import watch, world

FOLDER = Path("load-data").resolve()
DATA = FOLDER / "run"
HOST = "portale.example.it"
SERVICE = Path("deploy/portale.service")
ROWS = 5_000  # of invoices, in one import
BETWEEN = 30  # seconds between two acquisitions: in production half an hour
READY_WITHIN = 90  # seconds
WARM = 30  # seconds before the memory counts
PROMISED = {"pagina": 300, "accesso": 1000}  # milliseconds, p95
PHASES = ("clienti", "+ letture", "+ accessi a caso")


def main():
    seconds = int(os.environ.get("LOAD_SECONDS") or 900)
    settings = {
        "ENV": "production", "DATA_DIR": DATA, "SECRET_KEY": secrets.token_urlsafe(48),
        "BASE_URL": f"https://{HOST}", "PROXY_HOPS": 1, "UTILITY_VAT": "01234567890",
        "DATABASE_URL": f"sqlite:///{DATA / 'portale.db'}", "MAIL_PORT": 1,
    }  # fmt: skip
    print(f"Archivio di {world.CUSTOMERS} clienti …", flush=True)
    plan = world.make(FOLDER, settings, seconds)
    environment = {
        **os.environ, **{f"PORTALE_{name}": str(value) for name, value in settings.items()}
    }  # fmt: skip
    with_portal(plan, environment, seconds)


def with_portal(plan, environment, seconds):
    port = free_port()
    with (FOLDER / "portal.log").open("w") as log:
        portal = subprocess.Popen(command(port), env=environment, stdout=log, stderr=log)
    try:
        wait_for(port)
        workers = watch.children(portal.pid)
        plan |= {"address": f"http://127.0.0.1:{port}", "host": HOST, "seconds": seconds,
                 "result": str(FOLDER / "result.json")}  # fmt: skip
        world.save(plan, FOLDER / "plan.json")
        told = run(workers, environment, seconds)
    finally:
        portal.terminate()
        portal.wait(30)
    sys.exit(0 if tell(told, seconds) else 1)


def command(port):
    """How the portal is started in production, on another port and for this computer alone."""
    text = SERVICE.read_text().replace("\\\n", " ")
    start = next(line for line in text.splitlines() if line.startswith("ExecStart="))
    parts = shlex.split(start.removeprefix("ExecStart="))
    parts[parts.index("--port") + 1] = str(port)
    return [sys.executable, "-m", "granian", "--host", "127.0.0.1", *parts[1:]]


def wait_for(port):
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/ready", headers={"Host": HOST})
    end = time.monotonic() + READY_WITHIN
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(asked, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    sys.exit(f"Il portale non parte: {FOLDER / 'portal.log'}")


# -- The run -------------------------------------------------------------------------------


def run(workers, environment, seconds):
    """Let the customers come, an import and the acquisition beside them; tell what happened."""
    over = threading.Event()
    jobs = Jobs(environment, over)
    memory = watch.Memory(workers)
    before = time.monotonic(), watch.busy(), watch.cpu(workers), os.times()
    locust = subprocess.Popen(
        [FOLDER / "venv/bin/locust", "--headless", "--only-summary", "-f",
         str(Path(__file__).with_name("customers.py")), "--exit-code-on-error", "0"],
        env={**environment, "LOAD_PLAN": str(FOLDER / "plan.json")},
        stdout=(FOLDER / "locust.log").open("w"), stderr=subprocess.STDOUT,
    )  # fmt: skip
    threads = [threading.Thread(target=each) for each in (jobs.imports, jobs.acquisitions)]
    for thread in threads:
        thread.start()
    while locust.poll() is None:
        memory.look()
        drivers = watch.cpu([locust.pid])
        over.wait(min(60, max(1, seconds / 10)))
    memory.look()
    over.set()
    for thread in threads:
        thread.join()
    passed = time.monotonic() - before[0]
    taken = {
        "tutto": watch.busy() - before[1],
        "portale": watch.cpu(workers) - before[2],
        "locust": drivers,
        "lavori": os.times().children_user + os.times().children_system
        - before[3].children_user - before[3].children_system,
    }  # fmt: skip
    taken["lavori"] -= drivers
    jobs.acquire()
    return {
        **json.loads((FOLDER / "result.json").read_text()), "memory": memory, "cpu": taken,
        "seconds": passed, "jobs": jobs, "started": before[0],
    }  # fmt: skip


class Jobs:
    """The cron of the run: one import after the other, an acquisition now and then."""

    def __init__(self, environment, over):
        self._environment = environment
        self._over = over
        self.codes = Counter()  # (job, exit code)
        self.imported = 0

    def imports(self):
        while not self._over.is_set():
            self.imported += 1
            world.write_invoices(
                DATA / "inbox" / f"fatture_{self.imported}.csv", self.imported, ROWS
            )
            self._run("import_inbox")

    def acquisitions(self):
        while not self._over.wait(BETWEEN):
            self.acquire()

    def acquire(self):
        self._run("acquire_readings")

    def _run(self, job):
        done = subprocess.run(
            [sys.executable, "-m", f"jobs.{job}"], env=self._environment, capture_output=True
        )
        self.codes[job, done.returncode] += 1


# -- What it says --------------------------------------------------------------------------


def tell(told, seconds):
    """Print everything; whether what is promised held."""
    print_answers(told["asked"], seconds)
    memory = told["memory"]
    print("\nMemoria dei processi del portale (MB)")
    for at, each in memory.seen:
        print(f"  {at:6.0f} s  " + "  ".join(f"{mb:7.1f}" for mb in each))
    print(f"  crescita dopo i primi {WARM} s: {memory.growth(min(WARM, seconds / 2)):+.1%}")
    print_cpu(told["cpu"], told["seconds"])
    for (job, code), count in sorted(told["jobs"].codes.items()):
        print(f"{job}: {count} volte con codice {code}")
    statuses = Counter(status for *_what, status in told["asked"])
    broken = sum(count for status, count in statuses.items() if status >= 500 or not status)
    print(f"\nRisposte per codice: {dict(sorted(statuses.items()))}; 5xx o nessuna: {broken}")
    faults = [*archive_faults(told["readings"]), *job_faults(told["jobs"])]
    faults += [f"Errore di chi prova: {each}" for each in sorted(set(told["mistakes"]))]
    print(*faults or ["Nessuna lettura persa o doppia, nessuna fattura persa."], sep="\n")
    return not (broken or faults)


def print_answers(asked, seconds):
    print(f"\n{'':18}{'':20}{'al s':>7}{'p50 ms':>9}{'p95 ms':>9}{'max ms':>9}{'5xx':>6}")
    for place, phase in enumerate(PHASES):
        of_phase = [each for each in asked if each[0] == place]
        for kind in sorted({kind for _phase, kind, *_more in of_phase}):
            rows = [(ms, status) for _phase, name, ms, status in of_phase if name == kind]
            times = sorted(ms for ms, _status in rows)
            broken = sum(status >= 500 or not status for _ms, status in rows)
            most = PROMISED.get(kind)
            print(
                f"{phase:18}{kind:20}{len(rows) / (seconds / 3):7.1f}"
                f"{at(times, 0.5):9.0f}{at(times, 0.95):9.0f}{times[-1]:9.0f}{broken:6}"
                + (f"  (p95: {most} ms o meno)" if most else "")
            )


def at(times, share):
    return times[min(int(len(times) * share), len(times) - 1)]


def print_cpu(taken, seconds):
    cores = os.cpu_count()
    own = sum(value for name, value in taken.items() if name != "tutto")
    shares = {"altri programmi": taken["tutto"] - own, **taken}
    print(
        f"\nProcessore: {cores} nuclei, in media occupati al {taken['tutto'] / seconds / cores:.0%}"
    )
    for name in ("portale", "lavori", "locust", "altri programmi"):
        print(f"  {name:16}{shares[name] / seconds:6.2f} nuclei")
    bound = taken["tutto"] / seconds / cores > 0.9
    print("  limite: il processore" if bound else "  il processore non era il limite")


def archive_faults(sent):
    """Sentences about readings that were lost or doubled; none if all is well."""
    connections.connect(f"sqlite:///{DATA / 'portale.db'}")
    stored = [(row.supply.code, row.counter, row.id) for row in SelfReading.select()]
    models.db.close_all()
    delivered = list(batch_ids())
    accepted = [each for each in sent if each[2] == 303]
    print(f"Letture: {len(sent)} inviate, {len(accepted)} accettate, {len(stored)} in archivio, "
          f"{len(delivered)} consegnate")  # fmt: skip
    return reading_faults(sent, stored, delivered)


def reading_faults(sent, stored, delivered):
    """What is wrong with readings that were `sent`, (supply, counter, status).

    `stored` are (supply, counter, id), `delivered` the ids in the files for billing.
    """
    tried = {(supply, counter) for supply, counter, _status in sent}
    accepted = Counter((supply, counter) for supply, counter, status in sent if status == 303)
    kept = {(supply, counter) for supply, counter, _id in stored}
    ids = {each[2] for each in stored}
    faults = {
        "perse": set(accepted) - kept,
        "accettate due volte": twice(accepted),
        "doppie": twice(Counter(supply for supply, *_more in stored)),
        "mai inviate": kept - tried,
        "non consegnate": ids - set(delivered),
        "consegnate due volte": twice(Counter(delivered)),
        "consegnate e non in archivio": set(delivered) - ids,
    }
    return [f"Letture {what}: {sorted(which)[:5]}" for what, which in faults.items() if which]


def twice(counts):
    return {what for what, count in counts.items() if count > 1}


def batch_ids():
    """The id of each reading in the files for billing."""
    for path in sorted((DATA / "outbox").glob("autoletture_*.csv")):
        with path.open(newline="") as stream:
            yield from (int(row["id_lettura"]) for row in csv.DictReader(stream, delimiter=";"))


def job_faults(jobs):
    connections.connect(f"sqlite:///{DATA / 'portale.db'}")
    imported = Invoice.select().where(Invoice.number.startswith("C")).count()
    waiting = len(list((DATA / "inbox").glob("*.csv")))
    models.db.close_all()
    expected = (jobs.imported - waiting) * ROWS
    print(f"Fatture importate: {imported} di {expected}")
    if imported != expected:
        yield f"Fatture: ne sono attese {expected}."
    failed = {job: code for job, code in jobs.codes if code not in {0, 75}}
    if failed:
        yield f"Lavori non riusciti: {failed}"


if __name__ == "__main__":
    main()
