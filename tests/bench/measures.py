"""«Misure elettriche»: a year as a file, the page of a month, and what the archive takes."""

import datetime as dt
import random
import time
from pathlib import Path
from statistics import median

from domain import connections, measure_files, measures
from domain.formats.packed import pack
from models import MeasuredDay, SupplyPoint, db
from tests.bench import archive, invoices, server

SUPPLIES = 2_000  # of electricity
FIRST, LAST = dt.date(2024, 11, 1), dt.date(2026, 10, 31)
YEAR = dt.date(2025, 11, 1), LAST
MONTH = "/forniture/PR999999/misure?dal=2026-10-01&al=2026-10-31"
READS = 60
PAGES, SECONDS = 5, 3

# Highest mean power of a quarter-hour in kW, and how many supplies of a hundred have it.
SIZES = ((0.25, 4), (3, 66), (6, 15), (30, 10), (200, 3), (900, 2))
SHAPES = 40  # different days of each size


def build(folder):
    """The archive: every day of two years, month by month as imports bring them."""
    url = archive.build(folder, customers=SUPPLIES - 1)
    database = connections.connect(url)
    if not MeasuredDay.select().exists():
        database.execute_sql("PRAGMA synchronous = off")
        with database.atomic():
            fill(database)
        database.execute_sql("ANALYZE")
        database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close_all()
    return url


def fill(database):
    chance = random.Random(1)
    shapes = {kw: Shapes(kw, chance) for kw, _share in SIZES}
    kws, shares = zip(*SIZES, strict=True)
    supplies = [row.id for row in SupplyPoint.select().where(SupplyPoint.service == "EE")]
    sizes = chance.choices(kws, shares, k=len(supplies))
    days = [FIRST + dt.timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
    for month in sorted({day.replace(day=1) for day in days}):
        ours = [day for day in days if day.replace(day=1) == month]
        database.cursor().executemany(
            'INSERT INTO measured_day (supply_id, quantity, day, estimated, "values") '
            "VALUES (?, 'active', ?, ?, ?)",
            (
                (supply, day, chance.random() < 0.02, shapes[kw].one(day))
                for supply, kw in zip(supplies, sizes, strict=True)
                for day in ours
            ),
        )


class Shapes:
    """Packed days of supplies that take up to `kw`."""

    def __init__(self, kw, chance):
        self._chance = chance
        self._days = {
            number: [pack(self._values(kw, number)) for _shape in range(SHAPES)]
            for number in measures.COUNTS
        }

    def _values(self, kw, number):
        highest = self._chance.uniform(0.5, 1) * kw * 250
        busy = self._chance.randrange(number - 20)
        return [
            round(highest * self._chance.uniform(0.1, 0.3 if abs(n - busy) > 12 else 1))
            for n in range(number)
        ]

    def one(self, day):
        return self._chance.choice(self._days[measures.count(day)])


def run(root=Path("bench-data")):
    """Rows of (what, per second, anchor's per second, ratio, promise)."""
    folder = (root / "measures").resolve()
    url = build(folder)
    return [*files(url), *pages(folder, url), space(folder, url)]


# -- A year as CSV -------------------------------------------------------------------------


def files(url):
    """Each time another supply, so that nothing of it was read before."""
    connections.connect(url)
    supplies = SupplyPoint.select().where(SupplyPoint.service == "EE").order_by(SupplyPoint.id)
    ours, joined = [], []
    for supply in list(supplies)[:: SUPPLIES // READS]:
        start = time.perf_counter()
        content = b"".join(
            measure_files.csv(supply.pod, "active", measures.each_day(supply, *YEAR))
        )
        ours.append(time.perf_counter() - start)
        seconds, same = by_hand(supply)
        joined.append(seconds)
        if same != content:
            raise SystemExit("the join by hand gives other bytes")
    db.close()
    measured, anchor = 1 / median(ours), 1 / median(joined)
    promise = "0.625 or better (1.6 times as long)"
    return [("A year as CSV / joined by hand", measured, anchor, measured / anchor, promise)]


def by_hand(supply):
    """(seconds, bytes) of joining the same year, with all that is needed in plain lists."""
    days = measures.days(supply, *YEAR)
    pod = supply.pod
    values = [value for day in days for value in day.values]
    starts = [each.isoformat() for day in days for each in measures.starts(day.day)]
    kinds = ["S" if day.estimated else "E" for day in days for _value in day.values]
    start = time.perf_counter()
    lines = [
        f"{begin},{pod},attiva,{value},Wh,{kind}\r\n"
        for begin, value, kind in zip(starts, values, kinds, strict=True)
    ]
    content = ("inizio,pod,grandezza,valore,unita,tipo\r\n" + "".join(lines)).encode()
    return time.perf_counter() - start, content


# -- The page of a month -------------------------------------------------------------------


def pages(folder, url):
    named = {f"PORTALE_{key}": str(value) for key, value in invoices.settings(folder, url).items()}
    headers = invoices.cookie(folder, url)
    speeds = {MONTH: [], invoices.PAGE: []}
    with server.granian("app:create_app", **named) as portal:
        size = len(server.fetch(portal + MONTH, headers)[1])
        for _round in range(PAGES):
            for path, rates in speeds.items():
                rates.append(server.requests_per_second(portal + path, headers, seconds=SECONDS))
    measured, anchor = (median(rates) for rates in speeds.values())
    promise = f"{size} bytes; 0.50 or better"
    return [("Misure, a month / Elenco fatture", measured, anchor, measured / anchor, promise)]


# -- What it takes -------------------------------------------------------------------------


def space(folder, url):
    """The whole file, indexes and all else in it, for each quarter-hour."""
    connections.connect(url)
    days = MeasuredDay.select().count()
    db.close()
    taken = (folder / "portale.db").stat().st_size / (days * 96)
    return "Bytes for each quarter-hour", taken, 5.0, taken / 5.0, "5.0 bytes or less"
