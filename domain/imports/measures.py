"""`misure`: what passed in each quarter-hour of a day, for a POD."""

import datetime as dt
from functools import lru_cache

from domain import italian, measures
from domain.clock import rome_day
from domain.formats import table
from domain.formats.packed import pack
from domain.imports import checks
from domain.imports.upsert import Cell, Cells, Kind, batched
from domain.supplies import first_day, last_day
from models import MeasuredDay, SupplyPoint

UNKNOWN_POD = "POD sconosciuto: importare prima il file forniture che lo contiene."
FIRST_DAY = dt.date(2000, 1, 1)  # since 1996 clocks change when they do now: see measures.clock

# At most 99,999,999 Wh in a quarter-hour, which is 400 MW. Most values come again and again.
watt_hours = lru_cache(20_000)(table.whole(0, 99_999_999))


def day(cell):
    value = table.day(cell)
    if value < FIRST_DAY:
        raise ValueError(f"Le misure cominciano dal {italian.day(FIRST_DAY)}: controllare la data.")
    return value


class Measures(Kind):
    name = "misure"
    model = MeasuredDay
    key = (MeasuredDay.supply, MeasuredDay.quantity, MeasuredDay.day)
    needs = (MeasuredDay.estimated,)
    cells = (
        Cell("pod", None, checks.point_code, required=True),
        Cell("data", MeasuredDay.day, day, required=True),
        Cell("grandezza", None, table.choice({"attiva": "active", "reattiva": "reactive"})),
        Cell("tipo", None, table.choice({"E": False, "S": True})),
        Cells("q", watt_hours, least=min(measures.COUNTS), most=max(measures.COUNTS)),
    )

    def prepare(self, entries, report):
        supplies = supplies_with({entry.cells["pod"] for entry in entries})
        for entry in entries:
            entry.values["quantity"] = entry.cells.get("grandezza") or "active"
            entry.values["estimated"] = entry.cells.get("tipo") or False
            entry.values["rectified"] = False
            entry.values["values"] = pack(entry.cells["q"])
            if entry.cells["pod"] in supplies:
                supply = whose(supplies[entry.cells["pod"]], entry.values["day"])
                entry.values["supply"] = supply.id
                self._warn_if_hidden(entry, supply, report)
            else:
                self.refuse(entry, report, "pod", UNKNOWN_POD)
            self._check_day(entry, report)
            self._check_count(entry, report)

    @staticmethod
    def _warn_if_hidden(entry, supply, report):
        if days_outside(supply, entry.values["day"]):
            report.warn(
                entry.number, "data", italian.day(entry.values["day"]),
                f"Quel giorno la fornitura {supply.code} non era attiva: la misura è conservata, "
                "ma il cliente non la vede.",
            )  # fmt: skip

    def _check_day(self, entry, report):
        if entry.values["day"] > rome_day(entry.at):
            self.refuse(entry, report, "data", "Il giorno deve ancora venire: controllare la data.")

    def _check_count(self, entry, report):
        given, expected = len(entry.cells["q"]), measures.count(entry.values["day"])
        if given != expected:
            column = f"q{min(given, expected) + 1}"
            self.refuse(
                entry, report, column,
                f"Il giorno ha {expected} quarti d'ora e la riga ne ha {given}: compilare le "
                f"colonne da q1 a q{expected}.",
            )  # fmt: skip

    def examine(self, entries, report, documents):
        for entry in entries:
            if entry.stored and entry.stored["values"] == entry.values["values"]:
                entry.values["rectified"] = entry.stored["rectified"]
            if entry.stored and entry.values["estimated"] and not entry.stored["estimated"]:
                del entry.values["estimated"], entry.values["rectified"], entry.values["values"]
                report.warn(
                    entry.number, "tipo", "S",
                    "Di quel giorno c'è già la misura effettiva: la stima non la sostituisce.",
                )  # fmt: skip


def supplies_with(pods):
    """{POD: rows of the supplies that have or had it}."""
    found = {}
    for some in batched(sorted(pods)):
        query = SupplyPoint.select(
            SupplyPoint.id,
            SupplyPoint.code,
            SupplyPoint.pod,
            SupplyPoint.active_from,
            SupplyPoint.ended_on,
        )
        for supply in query.where(SupplyPoint.pod.in_(some)):
            found.setdefault(supply.pod, []).append(supply)
    return found


def days_outside(supply, day):
    """By how many days `day` misses the time in which the supply is active; 0 inside it."""
    before, after = first_day(supply) - day, day - last_day(supply)
    return max(before.days, after.days, 0)


def whose(supplies, day):
    """The one of the `supplies` of a POD that is active on `day`, or nearest to be.

    Where dates are missing several may be: the one that ends first, then the one that began
    last.
    """
    if len(supplies) == 1:
        return supplies[0]
    return min(
        supplies,
        key=lambda supply: (
            days_outside(supply, day),
            last_day(supply),
            -first_day(supply).toordinal(),
            -supply.id,
        ),
    )
