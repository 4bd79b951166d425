"""Measure flows of the inbox: `.xml`, and `.zip` of them, to measures and register readings.

As with tables a file is examined first, which only reads the archive; writing is short. The
flows of a ZIP are taken one after the other by name, as if each had come by itself.
"""

from domain import files, italian
from domain.clock import rome_day
from domain.formats import flusso_misure, zips
from domain.formats.packed import pack
from domain.imports import checks
from domain.imports.measures import days_outside, supplies_with, whose
from domain.imports.ranked import Ranked, Waiting
from domain.imports.report import LISTED
from domain.imports.upsert import batched
from models import MeasuredDay, RegisterReading

AT_ONCE = 25  # DatiPod in memory
NAMED = 5  # unknown PODs told by name
SHORT_POD = 14  # a fifteenth character, which some leave out, only checks the others
CHECK_CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def is_flow(path):
    """Whether the file at `path` is a flow, or a ZIP whose first XML is one."""
    with files.open_plain(path) as stream:
        try:
            for _entry, source in sources(stream, []):
                return flusso_misure.is_flow(source)
        except zips.BadArchive:
            pass
    return False


def sources(stream, skipped):
    """Yield (name in the ZIP or "", stream) of each XML; add to `skipped` what is none."""
    if not zips.is_zip(stream):
        yield "", stream
        return
    archive, infos = zips.opened(stream)
    for info in sorted(infos, key=lambda info: info.filename):
        name = zips.name_of(info)
        if zips.is_left_by_a_system(info) or not name.lower().endswith(".xml"):
            skipped.append(name)
            continue
        with zips.member(archive, info) as source:
            yield name, source


def brings_more(report):
    """Whether a file imported with this `report` (a dict) named PODs that are known by now.

    So it may also where it named more than the report lists.
    """
    unknown = report.get("unknown", ())
    return len(unknown) >= LISTED or bool(find_supplies(unknown))


def find_supplies(pods):
    """{POD: supplies that have or had it}, with or without its fifteenth character."""
    found = supplies_with(pods)
    near = {other: pod for pod in pods if pod not in found for other in written_otherwise(pod)}
    for other, supplies in supplies_with(near).items():
        found.setdefault(near[other], []).extend(supplies)
    return found


def written_otherwise(pod):
    if not checks.POD.fullmatch(pod):
        return []
    if len(pod) == SHORT_POD:
        return [pod + character for character in CHECK_CHARACTERS]
    return [pod[:SHORT_POD]]


def placed(point, row):
    """Where a Day or Register stands, as errors tell it."""
    return f"{point.pod} {italian.day(row.day)}"


class MeasureFlows:
    """One file: `examine` it, look at the report, then `write`, and `close` in any case."""

    def __init__(self, report, *, utility_vat, now):
        self._report = report
        self._utility_vat = checks.compact(utility_vat or "").removeprefix("IT")
        self._today = rome_day(now)
        self._waiting = Waiting()
        self._waiting.file.execute("CREATE TABLE unknown (pod PRIMARY KEY)")
        self._days = Ranked(
            self._waiting,
            MeasuredDay,
            (MeasuredDay.supply, MeasuredDay.quantity, MeasuredDay.day),
            MeasuredDay.values,
        )
        self._registers = Ranked(
            self._waiting,
            RegisterReading,
            (RegisterReading.supply, RegisterReading.day, RegisterReading.kind,
             RegisterReading.register),
            RegisterReading.value,
        )  # fmt: skip
        self._rectifies = False  # whether the present flow does
        self._entry = ""
        self._member = 0  # which flow of the file

    def close(self):
        self._waiting.close()

    def examine(self, path, progress=iter):
        """Read the flows in the file at `path`; fill the report; write nothing."""
        skipped = []
        with files.open_plain(path) as stream:
            for some in batched(progress(self._items(stream, skipped)), AT_ONCE):
                self._take(some)
        if skipped:
            self._report.tell(
                f"File ignorati nello ZIP, perché non sono .xml: {len(skipped)} (il primo è "
                f"{skipped[0]})."
            )
        self._tell_unknown()
        if not self._report.errors:
            self._compare()

    def write(self):
        """Write what `examine` found; inside a transaction."""
        self._days.write()
        self._registers.write()

    @staticmethod
    def _items(stream, skipped):
        """(name in the ZIP, Flow or Point or exception) of all that `stream` holds."""
        try:
            for entry, source in sources(stream, skipped):
                try:
                    for item in flusso_misure.read(source):
                        yield entry, item
                except (flusso_misure.Unreadable, zips.BadArchive) as problem:
                    yield entry, problem
        except zips.BadArchive as problem:
            yield "", problem

    def _take(self, items):
        points = {item.pod for _entry, item in items if isinstance(item, flusso_misure.Point)}
        supplies = find_supplies(points)
        for self._entry, item in items:
            match item:
                case flusso_misure.Point():
                    self._take_point(item, supplies.get(item.pod))
                case flusso_misure.Flow():
                    self._begin(item)
                case flusso_misure.Unreadable():
                    self._error(item.line, item.element, item.value, item)
                case zips.BadArchive():
                    self._error(None, "ZIP", item.member, item)

    def _begin(self, flow):
        self._rectifies = flow.rectifies
        self._member += 1
        if not flow.is_known:
            self._warn(flow.line, "CodFlusso", flow.code, "Flusso insolito: letto come gli altri.")
        user = checks.compact(flow.user_vat).removeprefix("IT")
        if self._utility_vat and user and user != self._utility_vat:
            self._warn(
                flow.line, "PIvaUtente", flow.user_vat,
                "Il flusso è destinato a un'altra partita IVA: sono prese solo le misure dei POD "
                "che sono nel portale.",
            )  # fmt: skip

    def _take_point(self, point, supplies):
        self._report.rows += len(point.days) + len(point.registers)
        for problem in point.problems:
            self._error(*problem)
        if not supplies:
            self._waiting.file.execute("INSERT OR IGNORE INTO unknown VALUES (?)", (point.pod,))
            return
        hidden = [self._keep_day(point, day, supplies) for day in point.days]
        hidden += [self._keep_register(point, each, supplies) for each in point.registers]
        if any(hidden):
            self._warn(
                point.line, point.pod, "",
                f"Misure di giorni in cui la fornitura non era attiva: {sum(hidden)}. Sono "
                "conservate, ma il cliente non le vede.",
            )  # fmt: skip

    def _keep_day(self, point, day, supplies):
        """Put the day with the rest; whether the customer does not see it."""
        if day.day > self._today:
            self._error(
                day.line, placed(point, day), "",
                "Il giorno deve ancora venire: controllare la data.",
            )  # fmt: skip
        supply = whose(supplies, day.day)
        clash = self._days.add(
            (supply.id, day.quantity, day.day), pack(day.values), day.estimated,
            self._rectifies, self._member, day.line,
        )  # fmt: skip
        self._refuse_clash(clash, point, day)
        return days_outside(supply, day.day) > 0

    def _keep_register(self, point, register, supplies):
        supply = whose(supplies, register.day)
        clash = self._registers.add(
            (supply.id, register.day, register.kind, register.name), register.value,
            register.estimated, self._rectifies, self._member, register.line,
        )  # fmt: skip
        self._refuse_clash(clash, point, register)
        return days_outside(supply, register.day) > 0

    def _refuse_clash(self, clash, point, row):
        if clash is not None:
            self._error(
                row.line, placed(point, row), "",
                f"È già alla riga {clash} con altri valori: il distributore deve dire quali "
                "valgono.",
            )  # fmt: skip

    def _compare(self):
        beaten = self._days.compare(self._report) + self._registers.compare(self._report)
        if beaten:
            self._report.tell(
                "Misure non prese perché ci sono già quelle effettive o rettificate: "
                f"{italian.whole(beaten)}."
            )

    def _tell_unknown(self):
        query = "SELECT pod FROM unknown ORDER BY rowid LIMIT ?"
        pods = [pod for (pod,) in self._waiting.file.execute(query, (LISTED,))]
        if not pods:
            return
        self._report.unknown = pods
        (count,) = self._waiting.file.execute("SELECT count(*) FROM unknown").fetchone()
        first = ", ".join(pods[:NAMED]) + (", …" if count > NAMED else "")
        self._report.tell(
            f"POD che nessuna fornitura ha, ignorati: {italian.whole(count)} ({first})."
        )

    # -- in the report, with the file of the ZIP --------------------------------------------------

    def _error(self, line, column, value, message):
        self._report.error(line, column, value, self._located(message))

    def _warn(self, line, column, value, message):
        self._report.warn(line, column, value, self._located(message))

    def _located(self, message):
        return f"{self._entry}: {message}" if self._entry else str(message)
