"""The acquisition of many readings, against writing their lines and marking their rows."""

import csv
import datetime as dt
import time
from pathlib import Path
from statistics import median

from playhouse.migrations import Runner

import models
from domain import acquisition, connections
from domain.formats import batch_csv
from models import BatchFile, ReadingBatch, SelfReading, db
from tests.bench import archive

READINGS = 20_000
ROUNDS = 7
NOW = dt.datetime(2026, 11, 23, 9, 30, tzinfo=dt.UTC)


def build(folder):
    """An archive in which as many readings of as many supplies wait."""
    folder.mkdir(parents=True, exist_ok=True)
    fresh = not (folder / "portale.db").exists()
    database = connections.connect(f"sqlite:///{folder / 'portale.db'}")
    Runner(database, archive.MIGRATIONS).up()
    if fresh:
        with database.atomic():
            fill(database.execute_sql)
        database.execute_sql("ANALYZE")
        database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    (folder / "outbox").mkdir(exist_ok=True)


def fill(run):
    run(
        archive.NUMBERS + "INSERT INTO customer (id, code, name, vat_number, active) "
        "SELECT i, printf('%06d', i), 'CLIENTE ' || i, printf('%011d', i), 1 FROM n",
        (READINGS,),
    )
    run(
        archive.NUMBERS + "INSERT INTO supply_point (id, code, customer_id, service, pdr, "
        "meter_serial, distributor_vat, has_corrector) SELECT i, printf('PR%06d', i), i, 'GAS', "
        "printf('%014d', i), 'M' || i, '09999010979', 0 FROM n",
        (READINGS,),
    )
    run(
        archive.NUMBERS + "INSERT INTO self_reading (supply_id, day, counter, confirmed, "
        "meter_serial, entered_at, state) SELECT i, '2026-11-23', 1000 + i, i % 20 = 0, 'M' || i, "
        "datetime('2026-11-23 06:00', '+' || (i % 9000) || ' seconds'), 'pending' FROM n",
        (READINGS,),
    )


def run(root=Path("bench-data")):
    """Rows of (what, per second, anchor's per second, ratio, promise)."""
    folder = (root / "acquisition").resolve()
    build(folder)
    outbox = folder / "outbox"
    ours, bare = [], []
    for _round in range(ROUNDS):
        wait_again(outbox)
        ours.append(seconds(acquisition.acquire, outbox, now=NOW))
        lines = lines_of(ReadingBatch.get().content)
        wait_again(outbox)
        bare.append(seconds(by_hand, outbox, lines))
    db.close()
    measured, anchor = READINGS / median(ours), READINGS / median(bare)
    promise = "0.20 or better (under 5 times as long)"
    return [("Acquisition / lines and one UPDATE", measured, anchor, measured / anchor, promise)]


def wait_again(outbox):
    """As before any acquisition."""
    with models.writing():
        SelfReading.update(state="pending", batch=None).execute()
        BatchFile.delete().execute()
        ReadingBatch.delete().execute()
    db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    for path in outbox.glob("*.csv"):
        path.unlink()


def lines_of(content):
    lines = [list(line.values()) for line in batch_csv.read(bytes(content))]
    if len(lines) != READINGS:
        raise SystemExit(f"{len(lines)} readings were acquired, expected {READINGS}")
    return lines


def by_hand(outbox, lines):
    """The same lines, and the same rows marked as theirs."""
    with (outbox / "by_hand.csv").open("w", newline="") as stream:
        table = csv.writer(stream, delimiter=";", lineterminator="\r\n")
        for line in lines:
            table.writerow(line)
    with models.writing():
        batch = ReadingBatch.create(number=1, created_at=NOW, content=b"")
        SelfReading.update(state="acquired", batch=batch).execute()


def seconds(work, *arguments, **options):
    start = time.perf_counter()
    work(*arguments, **options)
    return time.perf_counter() - start
