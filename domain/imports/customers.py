"""`clienti`: who is billed."""

from domain import contacts, erasing
from domain.clock import rome_day
from domain.formats import table
from domain.formats.billing_contacts import FIELDS
from domain.imports import checks
from domain.imports.upsert import Cell, Kind
from models import ContactChange, Customer


class Customers(Kind):
    name = "clienti"
    model = Customer
    key = (Customer.code,)
    needs = (Customer.tax_code, Customer.vat_number, Customer.active)
    cells = (
        Cell("codice_cliente", Customer.code, checks.customer_code, required=True),
        Cell("denominazione", Customer.name, required=True),
        Cell("codice_fiscale", Customer.tax_code, checks.tax_code, doubt=checks.odd_tax_code),
        Cell("partita_iva", Customer.vat_number, checks.vat_number, doubt=checks.odd_vat_number),
        Cell("via", Customer.street),
        Cell("civico", Customer.street_number),
        Cell("cap", Customer.postcode),
        Cell("comune", Customer.city),
        Cell("provincia", Customer.province, checks.province, doubt=checks.odd_province),
        Cell("telefono", Customer.phone),
        Cell("fax", Customer.fax),
        Cell("email", Customer.email, doubt=checks.odd_email),
        Cell("attivo", Customer.active, table.yes_no),
    )

    def check_columns(self, names, report):
        if not {"codice_fiscale", "partita_iva"} & set(names):
            report.error(
                1, "codice_fiscale", "",
                "Manca sia la colonna «codice_fiscale» sia la colonna «partita_iva»: aggiungerne "
                "almeno una.",
            )  # fmt: skip

    def examine(self, entries, report, documents):
        erased = erased_among(entries)
        for entry in entries:
            if entry.stored and entry.stored["id"] in erased:
                self.skip(entry, report, "codice_cliente", erasing.SKIPPED)
            elif not (entry.merged(Customer.tax_code) or entry.merged(Customer.vat_number)):
                self.refuse(
                    entry, report, "codice_fiscale",
                    "Il cliente resta senza codice fiscale e senza partita IVA: indicarne uno.",
                )  # fmt: skip

        for entry, change in changed_by_customers(entries):
            value = entry.values[change.field]
            if contacts.is_confirmed_by(change, value):
                entry.more.setdefault("confirmed", []).append(change.id)
                continue
            if not contacts.same(change.field, change.value, value):
                report.warn(
                    entry.number, FIELDS[change.field], value,
                    "Il cliente ha cambiato questo dato nel portale: resta il suo, finché il "
                    "file non porta lo stesso.",
                )  # fmt: skip
            entry.values[change.field] = change.value

    def write(self, entries, documents):
        """What customers change after the rows were examined holds too; so does an erasure."""
        contacts.lock([entry.stored["id"] for entry in entries if entry.stored])
        erased = erased_among(entries)
        entries = [each for each in entries if not each.stored or each.stored["id"] not in erased]
        for entry, change in changed_by_customers(entries):
            if change.id not in entry.more.get("confirmed", ()):
                entry.values[change.field] = change.value
        confirmed = [each for entry in entries for each in entry.more.get("confirmed", ())]
        if confirmed:
            contacts.settle(ContactChange.id.in_(confirmed), now=entries[0].at)
        super().write(entries, documents)

    def ends(self, entry):
        return entry.stored["active"] and not entry.merged(Customer.active)

    def active(self):
        return Customer.select().where(Customer.active).count()


def erased_among(entries):
    """The ids of the customers of these rows who were erased, and have no supply again."""
    known = {entry.stored["id"]: entry.at for entry in entries if entry.stored}
    return erasing.still_erased(Customer.id, known, today=rome_day(entries[0].at)) if known else ()


def changed_by_customers(entries):
    """(entry, change) of each contact in these rows that billing has not confirmed yet."""
    known = {entry.stored["id"]: entry for entry in entries if entry.stored}
    for change in contacts.open_changes(list(known)):
        entry = known[change.customer_id]
        if change.field in entry.values:
            yield entry, change
