"""`forniture`: the places served with electricity or gas."""

from domain import text
from domain.formats import table
from domain.imports import checks
from domain.imports.upsert import UNKNOWN_CUSTOMER, Cell, Kind
from models import Customer, SupplyPoint


class Supplies(Kind):
    name = "forniture"
    model = SupplyPoint
    key = (SupplyPoint.code,)
    needs = (SupplyPoint.ended_on, SupplyPoint.active_from)
    cells = (
        Cell("codice_fornitura", SupplyPoint.code, checks.supply_code, required=True),
        Cell("codice_cliente", None, checks.customer_code, required=True),
        Cell("servizio", SupplyPoint.service, table.choice({"EE": "EE", "GAS": "GAS"}), True),
        Cell("pod_pdr", None, checks.point_code, required=True),
        Cell("via", SupplyPoint.street),
        Cell("civico", SupplyPoint.street_number),
        Cell("cap", SupplyPoint.postcode),
        Cell("comune", SupplyPoint.city),
        Cell("provincia", SupplyPoint.province, checks.province, doubt=checks.odd_province),
        Cell("attiva_dal", SupplyPoint.active_from),
        Cell("cessata_il", SupplyPoint.ended_on, table.last_day),
        Cell("matricola", SupplyPoint.meter_serial),
        Cell("cifre", SupplyPoint.digits, checks.meter_digits),
        Cell("distributore", SupplyPoint.distributor),
        Cell("distributore_piva", SupplyPoint.distributor_vat, checks.vat_number,
             doubt=checks.odd_vat_number),
        Cell("consumo_annuo", SupplyPoint.annual_use, table.units),
        Cell("potenza_impegnata_kw", SupplyPoint.committed_power_kw),
        Cell("potenza_disponibile_kw", SupplyPoint.available_power_kw),
        Cell("tensione_v", SupplyPoint.voltage_v),
        Cell("fasi", SupplyPoint.phases),
        Cell("tipo_misuratore", SupplyPoint.meter_type),
        Cell("classe_misuratore", SupplyPoint.meter_class, checks.meter_class,
             doubt=checks.odd_meter_class),
        Cell("coefficiente_c", SupplyPoint.coefficient_c),
        Cell("correttore", SupplyPoint.has_corrector),
        Cell("cifre_correttore", SupplyPoint.corrector_digits, checks.meter_digits),
        Cell("matricola_correttore", SupplyPoint.corrector_serial),
        Cell("remi", SupplyPoint.remi),
        Cell("categoria_uso", SupplyPoint.use_category),
    )  # fmt: skip

    def prepare(self, entries, report):
        self.link(
            entries, report, "codice_cliente", SupplyPoint.customer, Customer, UNKNOWN_CUSTOMER
        )
        for entry in entries:
            point = entry.cells["pod_pdr"]
            electric = entry.values["service"] == "EE"
            entry.values["pod"] = point if electric else None
            entry.values["pdr"] = None if electric else point
            if "city" in entry.values:
                entry.values["town"] = text.town(entry.values["city"])
            odd = checks.odd_pod(point) if electric else checks.odd_pdr(point)
            if odd:
                report.warn(entry.number, "pod_pdr", point, odd)

    def examine(self, entries, report, documents):
        for entry in entries:
            start, end = entry.merged(SupplyPoint.active_from), entry.merged(SupplyPoint.ended_on)
            if start and end and end < start:
                self.refuse(entry, report, "cessata_il", "La fornitura cessa prima di iniziare.")

    def ends(self, entry):
        return entry.stored["ended_on"] is None and entry.merged(SupplyPoint.ended_on) is not None

    def active(self):
        return SupplyPoint.select().where(SupplyPoint.ended_on.is_null()).count()
