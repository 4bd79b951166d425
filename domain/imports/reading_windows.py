"""`periodi`: when self-readings may be entered."""

from domain import windows
from domain.formats import table
from domain.imports import checks
from domain.imports.upsert import UNKNOWN_SUPPLY, Cell, Kind
from models import ReadingWindow, SupplyPoint

SCOPE = {"codice_fornitura": "supply", "distributore_piva": "distributor_vat"}


class ReadingWindows(Kind):
    """Windows may overlap. One that names neither supply nor distributor is for all gas."""

    name = "periodi"
    model = ReadingWindow
    key = (ReadingWindow.key,)
    needs = (ReadingWindow.supply, ReadingWindow.distributor_vat)
    cells = (
        Cell("dal", None, table.day, required=True),
        Cell("dalle_ore", None, table.time, required=True),
        Cell("al", None, table.day, required=True),
        Cell("alle_ore", None, table.closing_time, required=True),
        Cell("codice_fornitura", None, checks.supply_code),
        Cell("distributore_piva", None, checks.vat_number, doubt=checks.odd_vat_number),
        Cell("id", None, table.text(100)),
    )

    def prepare(self, entries, report):
        codes = {entry.cells.get("codice_fornitura") for entry in entries} - {None}
        supplies = self.ids(SupplyPoint, codes, SupplyPoint.id, SupplyPoint.service)
        for entry in entries:
            self._span(entry, report)
            self._scope(entry, report, supplies)
            entry.values["key"] = self._key(entry.cells)

    def _span(self, entry, report):
        cells = entry.cells
        opens_at, closes_at = windows.bounds(
            cells["dal"], cells["dalle_ore"], cells["al"], cells["alle_ore"]
        )
        if opens_at >= closes_at:
            self.refuse(entry, report, "al", "Il periodo finisce prima di iniziare.")
        entry.values.update(opens_at=opens_at, closes_at=closes_at)

    def _scope(self, entry, report, supplies):
        given = {column for column in SCOPE if entry.cells.get(column) is not None}
        if len(given) > 1:
            self.refuse(
                entry, report, "distributore_piva",
                "Indicare la fornitura oppure il distributore, non entrambi.",
            )  # fmt: skip
        for column, field in SCOPE.items():
            if column in entry.cells or given:  # naming one scope ends the other
                entry.values[field] = entry.cells.get(column)
        if "codice_fornitura" in given:
            supply, service = supplies.get(entry.cells["codice_fornitura"], (None, None))
            entry.values["supply"] = supply
            if supply is None:
                self.refuse(entry, report, "codice_fornitura", UNKNOWN_SUPPLY)
            elif service != "GAS":
                report.warn(
                    entry.number, "codice_fornitura", entry.cells["codice_fornitura"],
                    "Le autoletture riguardano solo le forniture di gas: il periodo non serve.",
                )  # fmt: skip

    @staticmethod
    def _key(cells):
        if cells.get("id") is not None:
            return f"id {cells['id']}"
        whose = cells.get("codice_fornitura") or cells.get("distributore_piva")
        return windows.key(cells["dal"], cells["dalle_ore"], cells["al"], cells["alle_ore"], whose)
