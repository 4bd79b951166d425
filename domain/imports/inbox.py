"""The files of the inbox: in which order, what becomes of each, and where it goes.

A file is judged, its outcome is committed together with its rows, and only then the file
moves (`settle`). A run that is killed in between leaves an `ImportedFile` that is not
settled; the next run settles it first, so the end is the same.
"""

import hashlib
import json
import os
import time
from contextlib import nullcontext
from pathlib import PurePath
from typing import NamedTuple

from domain import announcements, files, italian
from domain.clock import rome_day
from domain.connections import rehearsing
from domain.errors import Refused
from domain.formats import errors_csv, import_report
from domain.imports import einvoices, held, measure_flows
from domain.imports.consumption import Consumption
from domain.imports.contracts import Contracts
from domain.imports.customers import Customers
from domain.imports.documented import Documented
from domain.imports.documents import Documents
from domain.imports.invoices import Invoices
from domain.imports.measures import Measures
from domain.imports.meter_readings import MeterReadings
from domain.imports.outcomes import Outcomes
from domain.imports.publications import Publications
from domain.imports.reading_windows import ReadingWindows
from domain.imports.report import Rejected, Report
from domain.imports.supplies import Supplies
from domain.imports.upsert import Upsert
from models import ImportedFile, writing

KINDS = {
    kind.name: kind
    for kind in (
        Customers(), Supplies(), Contracts(), ReadingWindows(), Publications(), Invoices(),
        Consumption(), MeterReadings(), Measures(), Outcomes(),
    )
}  # fmt: skip
E_INVOICE = "fattura elettronica"
FLOW = "flusso di misure"  # seen by the content: by their names both are E_INVOICE
INVOICES = {"fatture", E_INVOICE}
ORDER = (
    "clienti", "forniture", "contratti", "periodi", "documenti", "fatture", "prelievi",
    "letture", "misure", "esiti", E_INVOICE,
)  # fmt: skip
TABLES = {".csv", ".txt", ""}
BEING_WRITTEN = (".tmp", ".part")
COUNTS = ("rows", "added", "changed", "unchanged", "warning_count", "error_count")
MOST_ENDED = 5  # per cent of active rows that one file may end unconfirmed


class LeftAlone(Exception):
    """The file stays where it is, with no trace in the archive; the text says why."""


class Outcome(NamedTuple):
    """What became of a file: a state of ImportedFile, or `left` where it lies."""

    state: str
    report: Report


def kind_of(name):
    """The kind that a file's name announces, or None."""
    path = PurePath(name.lower())
    kind = next((kind for kind in KINDS if path.name.startswith(kind)), None)
    if kind and path.suffix in TABLES:
        return kind
    return E_INVOICE if path.suffix in {".xml", ".p7m", ".zip"} else None


def waiting(inbox):
    """The files to read, in order. Folders, links and files being written are left alone."""
    paths = [
        path
        for path in inbox.iterdir()
        if files.is_file(path)
        and not path.name.startswith(".")
        and not path.name.lower().endswith(BEING_WRITTEN)
    ]
    order = {kind: place for place, kind in enumerate(ORDER)}
    return sorted(paths, key=lambda path: (order.get(kind_of(path.name), len(ORDER)), path.name))


def stamp(path):
    """Size and time of the last change."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def write_errors(target, problems):
    """Put `NAME.errori.csv` beside where the rejected file goes."""
    place = target.with_name(f"{target.name}.errori.csv")
    draft = target.with_name(f".{target.name}.errori.tmp")
    files.write_synced(draft, [errors_csv.write(problems)])
    files.move(draft, place)


def write_report(inbox, row):
    """Put what became of the file of `row` in `rapporti/`; done again, it is the same file."""
    day = rome_day(row.at)
    content = import_report.write(row.name, row.state, day, row.size, json.loads(row.report))
    folder = inbox / "rapporti" / f"{day:%Y/%m}"
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{day:%Y-%m-%d}_{row.name}.txt"
    target = files.free_place(folder, name, hashlib.sha256(content).hexdigest())
    draft = target.with_name(f".{target.name}.tmp")
    files.write_synced(draft, [content])
    files.move(draft, target)


class Inbox:
    """One run over `data_dir`/inbox. `utility_vat` is the issuer of the e-invoices.

    With `dry_run` nothing is written, neither rows nor files. `progress(rows, name)` wraps
    the rows of a file while they are read. `clock` gives seconds, to tell how long each took.
    """

    is_trial = False

    def __init__(
        self, data_dir, *, utility_vat, dry_run=False, progress=None, clock=time.monotonic
    ):
        self.folder = data_dir / "inbox"
        self.documents = Documents(data_dir, dry_run=dry_run)
        self.utility_vat = utility_vat
        self.dry_run = dry_run
        self._progress = progress or (lambda rows, _name: rows)
        self._clock = clock
        self._started = None

    def run(self, *, now):
        """Take every file that waits; yield an Outcome for each."""
        with self._rehearsal():
            self.finish_earlier(now=now)
            for path in held.confirmed_files(self.folder):
                yield self.take(path, now=now, confirmed=True)
            for path in waiting(self.folder):
                yield self.take(path, now=now)

    def confirm(self, name, *, now):
        """Take a file that was held, however many rows it ends; return its Outcome."""
        path = self.folder / "sospesi" / name
        if not files.is_plain_name(name) or not files.is_file(path):
            raise Refused(f"In inbox/sospesi non c'è nessun file «{name}».")
        with self._rehearsal():
            self.finish_earlier(now=now)
            return self.take(path, now=now, confirmed=True)

    def _rehearsal(self):
        """A dry run writes rows, because later files may need them, and takes all back."""
        return rehearsing() if self.dry_run else nullcontext()

    def finish_earlier(self, *, now):
        """Complete what a killed run left."""
        if not self.dry_run:
            for row in list(ImportedFile.select().where(ImportedFile.settled_at.is_null())):
                self.settle(row, now=now)
            self.documents.clean_up()

    # -- one file -----------------------------------------------------------------------------

    def take(self, path, *, now, confirmed=False):
        """Judge one file, store what it brings, and move it where it belongs."""
        kind = kind_of(path.name)
        report = Report(path.name, kind)
        self._started = self._clock()
        try:
            self._refuse_to_touch(path)
            if kind == E_INVOICE and measure_flows.is_flow(path):
                kind = report.kind = FLOW
            row = ImportedFile(
                name=path.name, kind=kind, sha256=files.digest(path),
                size=path.stat().st_size, at=now,
            )  # fmt: skip
            self._judge(path, row, report, confirmed)
        except (LeftAlone, Refused) as reason:
            report.tell(reason if self.is_trial else f"{reason} Resta in inbox.")
            return Outcome("left", report)
        except Rejected:
            self._record(row, "rejected", report)
        if not self.dry_run:
            self.settle(row, now=now)
        return Outcome(row.state, report)

    @staticmethod
    def _refuse_to_touch(path):
        if not files.is_plain_name(path.name):
            raise LeftAlone("Il nome del file è troppo lungo o ha segni insoliti: cambiarlo.")
        if not os.access(path, os.R_OK):
            raise LeftAlone("Il portale non ha il permesso di leggere il file: concederlo.")

    def _judge(self, path, row, report, confirmed):
        if row.kind is None:
            report.error(
                None, "", path.name,
                "Tipo di file sconosciuto: il nome deve iniziare con il tipo "
                f"({', '.join(KINDS)}) e finire in .csv, oppure essere una fattura elettronica "
                "(.xml, .p7m, .zip) o un flusso di misure (.xml, .zip).",
            )  # fmt: skip
        elif row.size == 0:
            report.error(None, "", "", "Il file è vuoto: produrlo di nuovo.")
        elif earlier := self._same_bytes(row):
            report.tell(
                f"Già importato il {italian.day(rome_day(earlier.at))} come {earlier.name}: "
                "niente è cambiato."
            )
            return self._record(row, "repeated", report)
        elif row.kind == E_INVOICE:
            return self._load_einvoices(path, row, report)
        elif row.kind == FLOW:
            return self._load_flows(path, row, report)
        else:
            return self._load_table(path, row, report, confirmed)
        raise Rejected(report)

    @staticmethod
    def _same_bytes(row):
        """The file that brought the same bytes before, unless they may bring more today."""
        earlier = (
            ImportedFile.select()
            .where(
                ImportedFile.sha256 == row.sha256,
                ImportedFile.kind == row.kind,
                ImportedFile.state == "applied",
            )
            .order_by(ImportedFile.id.desc())
            .first()
        )
        if earlier and measure_flows.brings_more(json.loads(earlier.report)):
            return None
        return earlier

    def _load_table(self, path, row, report, confirmed):
        upsert = Upsert(KINDS[row.kind], report, self.documents, now=row.at)
        before = stamp(path)
        try:
            with files.open_plain(path) as stream:
                upsert.examine(stream, lambda rows: self._progress(rows, path.name))
            self._refuse_changed(path, row, before)
            if report.errors:
                raise Rejected(report)
            if not confirmed and self._ends_too_many(upsert, row):
                return self._record(row, "held", report)
            upsert.place()
            self._apply(row, report, upsert.write)
        finally:
            upsert.close()

    @staticmethod
    def _refuse_changed(path, row, before):
        if stamp(path) != before or before[0] != row.size:
            raise LeftAlone("Il file è cambiato durante la lettura: è ancora in scrittura?")

    def _ends_too_many(self, upsert, row):
        active = upsert.kind.active()
        if active is None or upsert.ended * 100 <= active * MOST_ENDED:
            return False
        name = files.free_place(self.folder / "sospesi", row.name, row.sha256).name
        upsert.report.tell(
            f"Il file farebbe cessare {upsert.ended} righe attive su {active}, più del "
            f"{MOST_ENDED} %: resta in inbox/sospesi finché non è confermato da «Caricamenti» o "
            f"con «python -m jobs.import_inbox --confirm {name}»."
        )
        return True

    def _load_einvoices(self, path, row, report):
        try:
            changes = einvoices.examine(
                path, report, utility_vat=self.utility_vat, documents=self.documents,
                progress=lambda items: self._progress(items, path.name),
            )  # fmt: skip
            if report.errors:
                raise Rejected(report)
            self.documents.place_attached()
        finally:
            self.documents.discard_attached()
        self._apply(row, report, lambda: einvoices.write(changes, self.documents))

    def _load_flows(self, path, row, report):
        flows = measure_flows.MeasureFlows(report, utility_vat=self.utility_vat, now=row.at)
        before = stamp(path)
        try:
            flows.examine(path, lambda items: self._progress(items, path.name))
            self._refuse_changed(path, row, before)
            if report.errors:
                raise Rejected(report)
            self._apply(row, report, flows.write)
        finally:
            flows.close()

    def _apply(self, row, report, write):
        """Commit what a file brings together with its outcome."""
        with writing():
            if row.kind in INVOICES:
                row.invoices_since = announcements.newest_invoice()
            write()
            self._record(row, "applied", report)

    def _record(self, row, state, report):
        report.size, report.seconds = row.size, self._clock() - self._started
        row.state = state
        row.seconds = report.seconds
        row.report = json.dumps(report.as_dict(), ensure_ascii=False)
        for name in COUNTS:
            setattr(row, name, getattr(report, name))
        self._save(row)

    @staticmethod
    def _save(row):
        with writing():
            row.save(force_insert=True)

    # -- afterwards -----------------------------------------------------------------------------

    def settle(self, row, *, now):
        """Move the file of a committed outcome where it belongs, if it still waits.

        What became of it is told in a file too, which is there before.
        """
        announcements.tell_of_invoices(row)
        write_report(self.folder, row)
        if row.state == "applied" and isinstance(KINDS.get(row.kind), Documented):
            self.documents.clean_up()
        path = self._waiting_file(row)
        if path is not None:
            folder = self._destination(row)
            folder.mkdir(parents=True, exist_ok=True)
            target = files.free_place(folder, row.name, row.sha256)
            if row.state == "rejected":
                write_errors(target, json.loads(row.report)["errors"])
            files.move(path, target)
        row.settled_at = now
        with writing():
            row.save()

    def _waiting_file(self, row):
        folders = ["."] if row.state == "held" else [".", "sospesi"]
        for path in (self.folder / folder / row.name for folder in folders):
            if files.is_file(path) and files.digest(path) == row.sha256:
                return path
        return None

    def _destination(self, row):
        if row.state == "rejected":
            return self.folder / "scartati"
        if row.state == "held":
            return self.folder / "sospesi"
        return self.folder / "archivio" / f"{rome_day(row.at):%Y/%m}"


class Trial(Inbox):
    """What would become of a file, which may lie anywhere, if it came alone: see `take`.

    It only reads, so it may run beside anything and copies no archive; what shows while rows
    are written is not told.
    """

    is_trial = True

    def __init__(self, data_dir, *, utility_vat):
        super().__init__(data_dir, utility_vat=utility_vat, dry_run=True)

    def _apply(self, row, report, write):
        self._record(row, "applied", report)

    def _save(self, row):
        pass
