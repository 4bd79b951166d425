"""A month of quarter-hours as a measure flow, imported, against a bare pass of lxml `iterparse`.

Each import is a process of its own, so that its memory can be told:
`python -m tests.bench.flows FILE PODS` prints the seconds, those of the processor, and the
highest MB.
"""

import datetime as dt
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from lxml import etree
from playhouse.migrations import Runner

import models
from domain import connections
from domain.clock import utcnow
from domain.imports.inbox import Inbox
from tests import flows
from tests.bench import archive

ROUNDS = 5
PODS = 1_000
MORE = 10  # times as many
DAYS = 31
MOST_MB = 300
SHAPES = 2_000  # different days, of a household, a shop and a factory
HIGHEST = (300, 2_000, 9_000)  # Wh in a quarter-hour


def run(root=Path("bench-data")):
    """Rows of (what, values per second, anchor's, ratio, promise)."""
    folder = (root / "flows").resolve()
    small, large = (month(folder, pods) for pods in (PODS, MORE * PODS))
    few, bare, many = [], [], []
    for turn in range(ROUNDS):  # interleaved, so that noise hits all alike
        few.append(imported(small, PODS))
        bare.append(passed(small))
        if turn % 2 == 0:
            many.append(imported(large, MORE * PODS))
    values = PODS * DAYS * 96
    rate, anchor = values / median(run.seconds for run in few), values / median(bare)
    few_rate = values / median(run.processor for run in few)
    many_rate = MORE * values / median(run.processor for run in many)
    highest = max(run.megabytes for run in many)
    return [
        ("Flow of 1,000 PODs / iterparse", rate, anchor, rate / anchor, "0.50 or better"),
        (
            "Flow of 10,000 PODs / 1,000 (CPU)", many_rate, few_rate, many_rate / few_rate,
            f"0.91 or better; {highest:.0f} MB, {MOST_MB} or less",
        ),
    ]  # fmt: skip


class Import(NamedTuple):
    seconds: float
    processor: float
    megabytes: float


def pod(number):
    return f"IT001E{number:08d}"


def month(folder, pods):
    """A flow of May 2026 with as many PODs."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"PDO_{pods}.xml"
    if path.exists():
        return path
    chance = random.Random(1)
    days = [dt.date(2026, 5, n) for n in range(1, DAYS + 1)]
    shapes = [
        flows.row(days[0], [chance.randrange(chance.choice(HIGHEST)) for _n in range(96)])
        for _shape in range(SHAPES)
    ]
    head, tail = flows.flow("\n").split("\n\n\n")
    with path.open("w") as stream:
        stream.write(head)
        for number in range(pods):
            rows = (chance.choice(shapes).replace(">01<", f">{day.day:02d}<") for day in days)
            stream.write(f"\n{flows.point(*rows, pod=pod(number))}")
        stream.write(f"\n{tail}")
    return path


def passed(path):
    """The seconds of a pass that only touches every attribute."""
    start = time.perf_counter()
    for _event, element in etree.iterparse(str(path)):
        for name in element.attrib:
            element.get(name)
        element.clear()
    return time.perf_counter() - start


def imported(path, pods):
    """The Import of a flow into an archive that knows its PODs."""
    command = [sys.executable, "-m", "tests.bench.flows", str(path), str(pods)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return Import(*map(float, told.split()))


def main(path, pods):
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        data = Path(folder)
        database = connections.connect(f"sqlite:///{data / 'portale.db'}")
        Runner(database, archive.MIGRATIONS).up()
        with models.writing():
            fill(database, pods)
        for name in ("documents", "inbox/allegati", "inbox/archivio"):
            (data / name).mkdir(parents=True)
        os.link(path, data / "inbox" / path.name)
        start, began = time.perf_counter(), time.process_time()
        (outcome,) = Inbox(data, utility_vat=flows.UTILITY).run(now=utcnow())
        seconds, processor = time.perf_counter() - start, time.process_time() - began
        if outcome.report.added != pods * DAYS:
            raise SystemExit(f"{outcome.state}: {outcome.report.errors or outcome.report.notes}")
        database.close_all()
    print(seconds, processor, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def fill(database, pods):
    """A customer with a supply for each POD."""
    customer = models.Customer.create(code="000001", name="PROVA S.P.A.", vat_number="01234567897")
    database.execute_sql(
        archive.NUMBERS + "INSERT INTO supply_point (code, customer_id, service, pod, "
        "has_corrector) SELECT printf('PR%06d', i), ?, 'EE', printf('IT001E%08d', i - 1), 0 FROM n",
        (pods, customer.id),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
