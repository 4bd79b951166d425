"""`fatture`: invoices and credit notes, with their documents."""

from peewee import fn

from domain.formats import table
from domain.imports import checks
from domain.imports.documented import Documented
from domain.imports.upsert import UNKNOWN_CUSTOMER, Cell, batched, run_many
from models import (
    Customer,
    Instalment,
    Invoice,
    InvoiceSupply,
    Param,
    SupplyPoint,
)

KINDS = {"fattura": "invoice", "nota_credito": "credit_note"}
STATES = {"da_pagare": False, "pagata": True}


class Invoices(Documented):
    """Rows of `Invoice`; `more` holds what changes in its supplies and instalments."""

    name = "fatture"
    model = Invoice
    document = Invoice.document
    document_column = "documento"
    key = (Invoice.number, Invoice.year)
    needs = (
        Invoice.customer, Invoice.kind, Invoice.amount_cents, Invoice.due_on,
        Invoice.names_supplies, Invoice.document,
    )  # fmt: skip
    cells = (
        Cell("numero", Invoice.number, required=True),
        Cell("data", Invoice.date, required=True),
        Cell("codice_cliente", None, checks.customer_code, required=True),
        Cell("codice_fornitura", None, checks.supply_codes),
        Cell("tipo", Invoice.kind, table.choice(KINDS)),
        Cell("scadenza", Invoice.due_on),
        Cell("importo", Invoice.amount_cents, table.cents, required=True),
        Cell("stato", Invoice.paid, table.choice(STATES)),
        Cell("iban", Invoice.iban, checks.iban, doubt=checks.odd_iban),
        Cell("documento", None, str),
    )

    def prepare(self, entries, report):
        self.link(entries, report, "codice_cliente", Invoice.customer, Customer, UNKNOWN_CUSTOMER)
        for entry in entries:
            entry.values["year"] = entry.cells["data"].year
        self._find_supplies(entries, report)

    def _find_supplies(self, entries, report):
        codes = {code for entry in entries for code in entry.cells.get("codice_fornitura") or ()}
        supplies = self.ids(SupplyPoint, codes, SupplyPoint.id, SupplyPoint.customer)
        for entry in entries:
            if "codice_fornitura" not in entry.cells or entry.bad:
                continue
            ids = set()
            for code in entry.cells["codice_fornitura"] or ():
                supply, owner = supplies.get(code, (None, None))
                if owner != entry.values["customer"]:
                    self.refuse(
                        entry, report, "codice_fornitura",
                        f"La fornitura {code} non è di questo cliente: controllare i due codici, "
                        "e che il file forniture sia stato importato.",
                    )  # fmt: skip
                ids.add(supply)
            entry.more["supplies"] = ids
            entry.values["names_supplies"] = bool(ids)
            entry.values["supply"] = min(ids) if len(ids) == 1 else None

    def examine(self, entries, report, documents):
        self._compare_supplies(entries, report)
        self.find_documents(entries, report, documents)
        for entry in entries:
            if entry.merged(Invoice.kind) == "credit_note":
                entry.values["amount_cents"] = -abs(entry.values["amount_cents"])
            self._plan_instalments(entry)

    def _compare_supplies(self, entries, report):
        """Leave in `more` only the supplies that differ from the stored ones."""
        stored = {}
        ids = [entry.stored["id"] for entry in entries if entry.stored]
        query = InvoiceSupply.select(InvoiceSupply.invoice, InvoiceSupply.supply)
        for invoice, supply in query.where(InvoiceSupply.invoice.in_(ids)).tuples():
            stored.setdefault(invoice, set()).add(supply)
        for entry in entries:
            if not entry.stored:
                continue
            if entry.more.get("supplies") == stored.get(entry.stored["id"], set()):
                del entry.more["supplies"]
            moved = entry.stored["customer"] != entry.values["customer"]
            if moved and entry.stored["names_supplies"] and "codice_fornitura" not in entry.cells:
                self.refuse(
                    entry, report, "codice_cliente",
                    "La fattura passa a un altro cliente: aggiungere la colonna codice_fornitura.",
                )  # fmt: skip

    @staticmethod
    def _plan_instalments(entry):
        """One instalment, unless the stored ones already add up to the same."""
        due_on, cents = entry.merged(Invoice.due_on), entry.values["amount_cents"]
        now = entry.stored and (entry.stored["due_on"], entry.stored["amount_cents"])
        if now != (due_on, cents) and (entry.stored or due_on):
            entry.more["instalments"] = [(due_on, cents)] if due_on else []

    def write(self, entries, documents):
        newest = Invoice.select(fn.MAX(Invoice.id)).scalar() or 0
        super().write(entries, documents)
        self._store_children(entries, self._ids_after(newest))

    def _store_children(self, entries, new_ids):
        def id_of(entry):
            key = entry.values["number"], entry.values["year"]
            return entry.stored["id"] if entry.stored else new_ids[key]

        for name, model in (("supplies", InvoiceSupply), ("instalments", Instalment)):
            changed = [entry for entry in entries if name in entry.more]
            for some in batched(entry.stored["id"] for entry in changed if entry.stored):
                model.delete().where(model.invoice.in_(some)).execute()
            rows = [
                row
                for entry in changed
                for row in getattr(self, f"_{name}")(id_of(entry), entry.more[name])
            ]
            if rows:
                query = model.insert({model._meta.fields[key]: Param(key) for key in rows[0]})
                run_many(model, query, rows)

    @staticmethod
    def _supplies(invoice, supplies):
        return [{"invoice": invoice, "supply": supply} for supply in sorted(supplies)]

    @staticmethod
    def _instalments(invoice, instalments):
        return [
            {"invoice": invoice, "due_on": due_on, "amount_cents": cents}
            for due_on, cents in instalments
        ]

    @staticmethod
    def _ids_after(newest):
        """{(number, year): id} of the invoices added since."""
        query = Invoice.select(Invoice.number, Invoice.year, Invoice.id)
        return {tuple(key): id for *key, id in query.where(Invoice.id > newest).tuples()}
