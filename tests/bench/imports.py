"""Files of customers, supplies and invoices, against `.import` of the sqlite3 command line.

Each run is a process of its own, so that its time and its memory can be told:
`python -m tests.bench.imports take FOLDER` imports what waits in the inbox of FOLDER. A whole
bench of fewer rows: `python -m tests.bench.imports 0.1` has a tenth of them.
"""

import csv
import json
import random
import resource
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from playhouse.migrations import Runner
from stdnum import luhn

from domain import connections
from domain.clock import utcnow
from domain.imports import inbox
from tests.bench.archive import MIGRATIONS

ROWS = {"clienti": 100_000, "forniture": 300_000, "fatture": 1_000_000}
TOWNS = (("59100", "PRATO", "PO"), ("50100", "FIRENZE", "FI"), ("48121", "RAVENNA", "RA"))
IBAN = "IT60X0542811101000000123456"
CHANGED = 100  # one row of so many is another in the second files
MOST_MB = 300

# The columns of the files in their order, with the same indexes as the archive has.
TABLES = """
PRAGMA journal_mode = wal;
PRAGMA synchronous = full;
CREATE TABLE clienti (codice VARCHAR(16) NOT NULL, denominazione VARCHAR(200) NOT NULL,
  codice_fiscale VARCHAR(16), partita_iva VARCHAR(16), via VARCHAR(200), civico VARCHAR(40),
  cap VARCHAR(20), comune VARCHAR(100), provincia VARCHAR(40), telefono VARCHAR(100),
  email VARCHAR(254), attivo VARCHAR(1) NOT NULL);
CREATE UNIQUE INDEX c1 ON clienti (codice);
CREATE INDEX c2 ON clienti (codice_fiscale);
CREATE INDEX c3 ON clienti (partita_iva);
CREATE TABLE forniture (codice VARCHAR(32) NOT NULL, cliente VARCHAR(16) NOT NULL,
  servizio VARCHAR(3) NOT NULL, pod_pdr VARCHAR(20), via VARCHAR(200), civico VARCHAR(40),
  cap VARCHAR(20), comune VARCHAR(100), provincia VARCHAR(40), attiva_dal DATE, matricola
  VARCHAR(40), cifre INTEGER, distributore VARCHAR(200), consumo_annuo INTEGER);
CREATE UNIQUE INDEX f1 ON forniture (codice);
CREATE INDEX f2 ON forniture (cliente);
CREATE INDEX f3 ON forniture (pod_pdr);
CREATE INDEX f4 ON forniture (pod_pdr, servizio);
CREATE TABLE fatture (numero VARCHAR(40) NOT NULL, data DATE NOT NULL, cliente VARCHAR(16)
  NOT NULL, fornitura VARCHAR(32), tipo VARCHAR(12) NOT NULL, scadenza DATE, importo BIGINT
  NOT NULL, stato VARCHAR(10) NOT NULL, iban VARCHAR(34), documento INTEGER);
CREATE UNIQUE INDEX i1 ON fatture (numero, data);
CREATE INDEX i2 ON fatture (cliente, data, fornitura, stato, documento);
CREATE INDEX i3 ON fatture (documento);
"""


def run(root=Path("bench-data"), share=1.0):
    """Rows of (what, rows per second, anchor's, ratio, promise)."""
    if shutil.which("sqlite3") is None:
        sys.exit("make bench misura con sqlite3: apt-get install sqlite3")
    folder = (root / "imports").resolve()
    shutil.rmtree(folder, ignore_errors=True)
    counts = {kind: int(rows * share) for kind, rows in ROWS.items()}
    write_files(folder / "first", counts, changed=0)
    write_files(folder / "second", counts, changed=CHANGED)
    prepare(folder)
    bare = {kind: imported(folder, kind) for kind in ROWS}
    first = taken(folder, "first")
    again = taken(folder, "first")
    second = taken(folder, "second")
    lines = [
        line(f"Import of {kind} / sqlite3", counts[kind], first[kind], bare[kind], "0.50 or better")
        for kind in ROWS
    ]
    lines.append(
        (
            "Import of all / sqlite3", *rates(sum(counts.values()), total(first), total(bare)),
            f"0.50 or better; {first['mb']:.0f} MB, {MOST_MB} or less; under lock "
            + ", ".join(f"{each['locked']:.1f} s" for each in kinds(first)),
        )
    )  # fmt: skip
    lines.append(
        (
            "Import of 1 % changed / first", *rates(sum(counts.values()), total(second),
            total(first)), "1.00 or better; under lock "
            + ", ".join(f"{each['locked']:.1f} s" for each in kinds(second)),
        )
    )  # fmt: skip
    slowest = max(each["seconds"] for each in kinds(again))
    lines.append(("Import of the same, files/s", 1 / slowest, 1.0, 1 / slowest, "1.00 or better"))
    return lines


def kinds(times):
    return [times[kind] for kind in ROWS]


def total(times):
    return {"cpu": sum(each["cpu"] for each in kinds(times))}


def rates(rows, ours, anchor):
    """By CPU time, which other work on the machine does not stretch."""
    measured, bare = rows / ours["cpu"], rows / anchor["cpu"]
    return measured, bare, measured / bare


def line(what, rows, ours, anchor, promise):
    return (what, *rates(rows, ours, anchor), f"{promise}; {ours['seconds']:.1f} s")


# -- The files -----------------------------------------------------------------------------


def write_files(folder, counts, *, changed):
    """The three files; with `changed`, one row of so many differs from what it was."""
    folder.mkdir(parents=True)
    for kind, rows in (("clienti", customers), ("forniture", supplies), ("fatture", invoices)):
        with (folder / f"{kind}.csv").open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream, delimiter=";").writerows(rows(counts, changed))


def customers(counts, changed):
    yield (
        "codice_cliente", "denominazione", "codice_fiscale", "partita_iva", "via", "civico",
        "cap", "comune", "provincia", "telefono", "email", "attivo",
    )  # fmt: skip
    for n in range(counts["clienti"]):
        number = f"{n + 1:07d}048"
        vat = number + luhn.calc_check_digit(number)
        phone = f"0574 {n + (changed and n % changed == 0):06d}"
        town = TOWNS[n % len(TOWNS)]
        yield (
            f"{n:06d}", f"CLIENTE {n} S.R.L.", vat, vat, f"VIA DI PROVA {n % 997}", n % 200 + 1,
            *town, phone, f"cliente{n}@example.it", "S",
        )  # fmt: skip


def supplies(counts, changed):
    yield (
        "codice_fornitura", "codice_cliente", "servizio", "pod_pdr", "via", "civico", "cap",
        "comune", "provincia", "attiva_dal", "matricola", "cifre", "distributore",
        "consumo_annuo",
    )  # fmt: skip
    for n in range(counts["forniture"]):
        gas = n % 2
        use = 1000 + n % 3000 + (changed and n % changed == 0)
        yield (
            f"PR{n:06d}", f"{n % counts['clienti']:06d}", "GAS" if gas else "EE",
            f"{n:014d}" if gas else f"IT001E{n:08d}", f"VIA DI PROVA {n % 997}", n % 200 + 1,
            *TOWNS[n % len(TOWNS)], f"{n % 28 + 1:02d}/{n % 12 + 1:02d}/{2010 + n % 15}",
            f"M{n:09d}", 5 if gas else 6, "DISTRIBUTORE DI PROVA", use,
        )  # fmt: skip


def invoices(counts, changed):
    yield (
        "numero", "data", "codice_cliente", "codice_fornitura", "tipo", "scadenza", "importo",
        "stato", "iban", "documento",
    )  # fmt: skip
    chance = random.Random(1)
    for n in range(counts["fatture"]):
        supply = n % counts["forniture"]
        month, year = n // 1000 % 12 + 1, 2018 + n // 12_000 % 9
        cents = chance.randrange(1_000, 90_000)
        paid = n % 9 > 0 if not (changed and n % changed == 0) else n % 9 == 0
        yield (
            f"{n}/E", f"15/{month:02d}/{year}", f"{supply % counts['clienti']:06d}",
            f"PR{supply:06d}", "fattura", f"28/{month:02d}/{year}",
            f"{cents // 100},{cents % 100:02d}", "pagata" if paid else "da_pagare", IBAN, "",
        )  # fmt: skip


# -- The runs ------------------------------------------------------------------------------


def prepare(folder):
    """An empty archive and its folders."""
    for name in ("inbox/allegati", "documents"):
        (folder / name).mkdir(parents=True)
    database = connections.connect(f"sqlite:///{folder}/portale.db")
    Runner(database, MIGRATIONS).up()
    database.close_all()


def taken(folder, files):
    """Let the portal take those files; what `take` tells of each kind, and the highest `mb`."""
    for kind in ROWS:
        shutil.copy(folder / files / f"{kind}.csv", folder / "inbox")
    command = [sys.executable, "-m", "tests.bench.imports", "take", str(folder)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(output)


def take(folder):
    """Import what waits; print its times in seconds as JSON."""
    connections.connect(f"sqlite:///{folder}/portale.db")
    times = {}
    with lock_timed() as locked:
        start = time.perf_counter(), cpu(resource.RUSAGE_SELF)
        for outcome in inbox.Inbox(folder, utility_vat="01234567890").run(now=utcnow()):
            if outcome.state not in {"applied", "repeated"}:
                sys.exit(f"{outcome.report.name}: {outcome.state} {outcome.report.errors[:3]}")
            end = time.perf_counter(), cpu(resource.RUSAGE_SELF)
            times[outcome.report.kind] = {
                "seconds": end[0] - start[0], "cpu": end[1] - start[1], "locked": max(locked),
            }  # fmt: skip
            start = end
            locked.clear()
    times["mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(times))


@contextmanager
def lock_timed():
    """Inside, the seconds of each transaction of the imports are added to the list it gives."""
    locked, writing = [], inbox.writing

    @contextmanager
    def timed():
        with writing():
            start = time.perf_counter()
            yield
        locked.append(time.perf_counter() - start)

    inbox.writing = timed
    try:
        yield locked
    finally:
        inbox.writing = writing


def imported(folder, kind):
    """Seconds of CPU that the sqlite3 command line takes for the file."""
    database = folder / "bare.db"
    if not database.exists():
        subprocess.run(["sqlite3", database], input=TABLES, text=True, check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
    script = (
        "PRAGMA synchronous = full;\n.mode csv\n.separator ;\n"
        f".import --skip 1 {folder}/first/{kind}.csv {kind}\n"
    )
    before = time.perf_counter(), cpu(resource.RUSAGE_CHILDREN)
    subprocess.run(["sqlite3", database], input=script, text=True, check=True)
    after = time.perf_counter(), cpu(resource.RUSAGE_CHILDREN)
    return {"seconds": after[0] - before[0], "cpu": after[1] - before[1]}


def cpu(who):
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    if sys.argv[1] == "take":
        take(Path(sys.argv[2]))
    else:
        for what, *figures, promise in run(share=float(sys.argv[1])):
            print(f"{what:34}{figures[0]:12.1f}{figures[1]:12.1f}{figures[2]:8.3f}  {promise}")
