"""`prelievi`: the energy that invoices charged, period by period."""

from domain import italian
from domain.formats import table
from domain.imports import checks
from domain.imports.upsert import UNKNOWN_SUPPLY, Cell, Kind
from models import BilledConsumption, SupplyPoint

KINDS = {"effettivo": "actual", "autolettura": "self_read", "stimato": "estimated"}
UNITS = {"EE": "kWh", "GAS": "Smc"}
ONLY_ELECTRICITY = {
    "f1": "f1", "f2": "f2", "f3": "f3", "potenza_kw": "power_w", "reattiva_kvarh": "reactive_varh",
}  # fmt: skip
ROUNDING = 2000  # thousandths that bands and total, each rounded to the unit, may differ by
LONGEST = 10 * 366  # days

_decimal = table.decimal(12, 3)


def thousandths(cell):
    """`1250,5` -> 1250500. Negative where an invoice takes back what an earlier one charged."""
    return int(_decimal(cell) * 1000)


def power(cell):
    value = thousandths(cell)
    if value < 0:
        raise ValueError("La potenza non può essere negativa.")
    return value


def unit(cell):
    try:
        return {each.lower(): each for each in UNITS.values()}[cell.lower()]
    except KeyError:
        raise ValueError("Scrivere kWh per l'energia elettrica oppure Smc per il gas.") from None


class Consumption(Kind):
    """Periods may overlap, since adjustments do; a warning tells of it."""

    name = "prelievi"
    model = BilledConsumption
    key = (BilledConsumption.supply, BilledConsumption.starts_on, BilledConsumption.ends_on)
    needs = (BilledConsumption.f1, BilledConsumption.f2, BilledConsumption.f3)
    cells = (
        Cell("codice_fornitura", None, checks.supply_code, required=True),
        Cell("dal", BilledConsumption.starts_on, required=True),
        Cell("al", BilledConsumption.ends_on, required=True),
        Cell("f1", BilledConsumption.f1, thousandths),
        Cell("f2", BilledConsumption.f2, thousandths),
        Cell("f3", BilledConsumption.f3, thousandths),
        Cell("totale", BilledConsumption.total, thousandths, required=True),
        Cell("unita", BilledConsumption.unit, unit, required=True),
        Cell("potenza_kw", BilledConsumption.power_w, power),
        Cell("reattiva_kvarh", BilledConsumption.reactive_varh, thousandths),
        Cell("tipo", BilledConsumption.kind, table.choice(KINDS), required=True),
        Cell("fattura", BilledConsumption.invoice_number),
    )

    def prepare(self, entries, report):
        codes = {entry.cells["codice_fornitura"] for entry in entries}
        supplies = self.ids(SupplyPoint, codes, SupplyPoint.id, SupplyPoint.service)
        for entry in entries:
            supply, service = supplies.get(entry.cells["codice_fornitura"], (None, None))
            entry.values["supply"] = supply
            if supply is None:
                self.refuse(entry, report, "codice_fornitura", UNKNOWN_SUPPLY)
            else:
                self._fit_service(entry, report, service)
            self._check_span(entry, report)

    def _fit_service(self, entry, report, service):
        if entry.cells["unita"] != UNITS[service]:
            self.refuse(
                entry, report, "unita",
                f"Questa fornitura si misura in {UNITS[service]}: controllare il codice e l'unità.",
            )  # fmt: skip
        elif service == "GAS":
            self._without_electricity(entry, report)

    def _without_electricity(self, entry, report):
        """Gas has neither bands nor power; programs that write every column put zeros there."""
        for column, field in ONLY_ELECTRICITY.items():
            if entry.cells.get(column):
                self.refuse(
                    entry, report, column,
                    "Riguarda solo l'energia elettrica: per il gas lasciare vuota la cella.",
                )  # fmt: skip
            elif column in entry.cells:
                entry.values[field] = None

    def _check_span(self, entry, report):
        days = (entry.cells["al"] - entry.cells["dal"]).days + 1
        if days < 1:
            self.refuse(entry, report, "al", "Il periodo finisce prima di iniziare.")
        elif days > LONGEST:
            self.refuse(
                entry, report, "al", "Il periodo è più lungo di dieci anni: controllare le date."
            )

    def examine(self, entries, report, documents):
        for entry in entries:
            self._add_up(entry, report)
        self._tell_overlaps(entries, report)

    def _add_up(self, entry, report):
        bands = [entry.merged(getattr(BilledConsumption, name)) for name in ("f1", "f2", "f3")]
        claimed = sum(band for band in bands if band is not None)
        total = entry.values["total"]
        if bands != [None, None, None] and abs(claimed - total) > ROUNDING:
            report.warn(
                entry.number, "totale", italian.thousandths(total),
                f"Le fasce sommano {italian.thousandths(claimed)} e non "
                f"{italian.thousandths(total)}: vale il totale, controllarli.",
            )  # fmt: skip

    def _tell_overlaps(self, entries, report):
        """Compare with what is stored and with the rows nearby in the file."""
        known = self._stored_spans(entries)
        for entry in entries:
            span = entry.values["starts_on"], entry.values["ends_on"]
            spans = known.setdefault(entry.values["supply"], set())
            for start, end in spans:
                if start <= span[1] and span[0] <= end and (start, end) != span:
                    report.warn(
                        entry.number, "dal", italian.day(span[0]),
                        f"Si sovrappone al periodo dal {italian.day(start)} al "
                        f"{italian.day(end)}: nel portale i due si sommano.",
                    )  # fmt: skip
                    break
            spans.add(span)

    @staticmethod
    def _stored_spans(entries):
        """{supply: {(first day, last day)}} of the periods that these rows might overlap."""
        if not entries:
            return {}
        row = BilledConsumption
        query = row.select(row.supply, row.starts_on, row.ends_on).where(
            row.supply.in_(list({entry.values["supply"] for entry in entries})),
            row.starts_on <= max(entry.values["ends_on"] for entry in entries),
            row.ends_on >= min(entry.values["starts_on"] for entry in entries),
        )
        spans = {}
        for supply, start, end in query.tuples():
            spans.setdefault(supply, set()).add((start, end))
        return spans
