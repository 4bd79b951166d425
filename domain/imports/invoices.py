"""`fatture`: invoices and credit notes, with their documents."""

from domain import erasing, statements
from domain.clock import rome_day
from domain.formats import table
from domain.imports import checks
from domain.imports.documented import Documented
from domain.imports.upsert import UNKNOWN_CUSTOMER, Cell, unconverted
from models import (
    Customer,
    Instalment,
    Invoice,
    InvoiceSupply,
    Param,
    SupplyPoint,
    any_of,
)

KINDS = {"fattura": "invoice", "nota_credito": "credit_note"}
STATES = {"da_pagare": False, "pagata": True}
CHILDREN = (
    ("supplies", InvoiceSupply, (InvoiceSupply.supply,)),
    ("instalments", Instalment, (Instalment.due_on, Instalment.amount_cents)),
)


class Invoices(Documented):
    """Rows of `Invoice`; `more` holds the new rows of its supplies and instalments, as tuples."""

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
        self._skip_expired(entries, report)
        self._find_supplies(entries, report)

    def _skip_expired(self, entries, report):
        """What no law wants kept any more of who was erased."""
        if not entries:
            return
        today = rome_day(entries[0].at)
        since = erasing.kept_since(today)
        old = [entry for entry in entries if entry.cells["data"] < since and not entry.bad]
        codes = {entry.cells["codice_cliente"] for entry in old}
        erased = erasing.still_erased(Customer.code, codes, today=today) if codes else ()
        for entry in old:
            if entry.cells["codice_cliente"] in erased:
                self.skip(entry, report, "codice_cliente", erasing.SKIPPED)

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
            entry.more["supplies"] = {(supply,) for supply in ids}
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
        for invoice, *row in unconverted(query.where(any_of(InvoiceSupply.invoice, ids))):
            stored.setdefault(invoice, set()).add(tuple(row))
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

    def statements(self, entries):
        yield from super().statements(entries)
        for name, model, fields in CHILDREN:
            changed = [entry for entry in entries if name in entry.more]
            old = [{"invoice": entry.stored["id"]} for entry in changed if entry.stored]
            if old:
                yield statements.of(model, delete_children(model), old)
            columns = ["number", "year", *(field.name for field in fields)]
            new = [
                dict(
                    zip(columns, (entry.values["number"], entry.values["year"], *row), strict=True)
                )
                for entry in changed
                for row in sorted(entry.more[name])
            ]
            if new:
                yield statements.of(model, insert_child(model, fields), new)


def delete_children(model):
    """Delete the rows of one invoice."""
    return model.delete().where(model.invoice == Param("invoice"))


def insert_child(model, fields):
    """Insert a row with these `fields` for the invoice of a number and year."""
    invoice = Invoice.select(Invoice.id, *(Param(field.name) for field in fields)).where(
        Invoice.number == Param("number"), Invoice.year == Param("year")
    )
    return model.insert_from(invoice, [model.invoice, *fields])
