"""`contratti`: on what terms a supply is served."""

from domain.formats import table
from domain.imports import checks
from domain.imports.upsert import UNKNOWN_SUPPLY, Cell, Kind
from models import Contract, SupplyPoint


class Contracts(Kind):
    name = "contratti"
    model = Contract
    key = (Contract.code,)
    needs = (Contract.starts_on, Contract.ends_on)
    cells = (
        Cell("codice_contratto", Contract.code, required=True),
        Cell("codice_fornitura", None, checks.supply_code, required=True),
        Cell("offerta", Contract.offer, required=True),
        Cell("mercato", Contract.market),
        Cell("uso", Contract.use),
        Cell("decorrenza", Contract.starts_on, required=True),
        Cell("scadenza", Contract.ends_on, table.last_day),
        Cell("tipo_prezzo", Contract.price_type),
        Cell("periodicita", Contract.billing_period),
        Cell("modalita_pagamento", Contract.payment_method),
        Cell("iban", None, checks.iban, doubt=checks.odd_iban),
        Cell("deposito", Contract.deposit_cents, table.small_cents),
    )

    def prepare(self, entries, report):
        self.link(entries, report, "codice_fornitura", Contract.supply, SupplyPoint, UNKNOWN_SUPPLY)
        for entry in entries:
            if "iban" in entry.cells:
                iban = entry.cells.pop("iban")  # from here on the whole number is nowhere
                entry.values["masked_iban"] = checks.masked(iban) if iban else None

    def examine(self, entries, report, documents):
        for entry in entries:
            end = entry.merged(Contract.ends_on)
            if end and end < entry.merged(Contract.starts_on):
                self.refuse(entry, report, "scadenza", "Il contratto scade prima di iniziare.")
