"""`clienti`: who is billed."""

from domain.formats import table
from domain.imports import checks
from domain.imports.upsert import Cell, Kind
from models import Customer


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
        for entry in entries:
            if not (entry.merged(Customer.tax_code) or entry.merged(Customer.vat_number)):
                self.refuse(
                    entry, report, "codice_fiscale",
                    "Il cliente resta senza codice fiscale e senza partita IVA: indicarne uno.",
                )  # fmt: skip

    def ends(self, entry):
        return entry.stored["active"] and not entry.merged(Customer.active)

    def active(self):
        return Customer.select().where(Customer.active).count()
