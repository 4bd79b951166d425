"""`letture`: readings that did not come from the customer."""

from domain.formats import table
from domain.imports import checks
from domain.imports.upsert import UNKNOWN_SUPPLY, Cell, Kind
from models import MeterReading, SupplyPoint

longest_source = table.text(MeterReading.source.max_length)


def source(cell):
    """`distributore`, `cambio_misuratore`… in lower case."""
    return longest_source(cell).lower().replace(" ", "_")


class MeterReadings(Kind):
    name = "letture"
    model = MeterReading
    key = (MeterReading.supply, MeterReading.day, MeterReading.source)
    cells = (
        Cell("codice_fornitura", None, checks.supply_code, required=True),
        Cell("data", MeterReading.day, required=True),
        Cell("contatore", MeterReading.counter, table.units, required=True),
        Cell("correttore", MeterReading.corrector, table.units),
        Cell("fonte", MeterReading.source, source, required=True),
        Cell("matricola", MeterReading.meter_serial),
    )

    def prepare(self, entries, report):
        self.link(
            entries, report, "codice_fornitura", MeterReading.supply, SupplyPoint, UNKNOWN_SUPPLY
        )
