"""Archives of any size with one customer to measure, filled by SQL alone."""

import datetime as dt

from playhouse.migrations import Runner

from domain import connections
from models import (
    Account,
    Customer,
    Grant,
    Instalment,
    Invoice,
    InvoiceSupply,
    StoredFile,
    SupplyPoint,
    db,
)

MEASURED_INVOICES = 120
MIGRATIONS = "jobs/migrations"


def build(folder, *, customers):
    """An archive of `customers`, with 2 supplies and 24 invoices each, and the measured one.

    Returns the address of the database. The measured customer has the code `999999`, the
    supply `PR999999`, and 120 invoices of that supply, half of them with a document.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "portale.db"
    url = f"sqlite:///{path}"
    filled = path.exists()
    database = connections.connect(url)
    Runner(database, MIGRATIONS).up()
    if filled:
        database.close_all()
        return url
    database.execute_sql("PRAGMA synchronous = off")
    with database.atomic():
        fill(database, customers)
        measured_customer()
    database.execute_sql("ANALYZE")
    database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close_all()
    return url


NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "


def fill(database, customers):
    run = database.execute_sql
    run(
        NUMBERS + "INSERT INTO customer (id, code, name, vat_number, city, active) "
        "SELECT i, printf('%06d', i), 'CLIENTE ' || i, printf('%011d', i), 'PRATO', 1 FROM n",
        (customers,),
    )
    run(
        NUMBERS + "INSERT INTO supply_point (id, code, customer_id, service, pdr, pod, street, "
        "city, has_corrector) SELECT i, printf('PR%06d', i), (i + 1) / 2, "
        "CASE i % 2 WHEN 0 THEN 'GAS' ELSE 'EE' END, "
        "CASE i % 2 WHEN 0 THEN printf('%014d', i) END, "
        "CASE i % 2 WHEN 1 THEN printf('IT001E%08d', i) END, 'VIA PROVA', 'PRATO', 0 FROM n",
        (2 * customers,),
    )
    run(
        NUMBERS + "INSERT INTO invoice (id, number, year, date, customer_id, kind, due_on, "
        "amount_cents, paid, names_supplies, supply_id) SELECT i, 'N' || i, 2014 + i % 12, "
        "date('2014-01-15', '+' || (i % 12) || ' years', '+' || (i % 11) || ' months'), "
        "1 + i / 24, 'invoice', date('2014-02-15', '+' || (i % 12) || ' years'), "
        "1000 + i % 90000, i % 9 > 0, 1, 2 * (1 + i / 24) - i % 2 FROM n WHERE i < 24 * ?",
        (24 * customers - 1, customers),
    )
    run(
        "INSERT INTO invoice_supply (invoice_id, supply_id) "
        "SELECT id, 2 * customer_id - id % 2 FROM invoice"
    )
    run(
        "INSERT INTO instalment (invoice_id, due_on, amount_cents) "
        "SELECT id, due_on, amount_cents FROM invoice"
    )


def measured_customer():
    customer = Customer.create(
        code="999999", name="PROVA S.P.A.", vat_number="01234567897", street="VIA DI PROVA",
        street_number="35", postcode="59100", city="PRATO", province="PO",
    )  # fmt: skip
    account = Account.create(
        username="999999", email="prova@example.it", created_at=dt.datetime.now(dt.UTC)
    )
    Grant.create(account=account, customer=customer)
    place = {"street": "VIA PROVA", "street_number": "5", "city": "PRATO", "province": "PO"}
    supply = SupplyPoint.create(
        code="PR999999", customer=customer, service="EE", pod="IT001E99999999", **place
    )
    SupplyPoint.create(
        code="PR999998", customer=customer, service="GAS", pdr="99999999999999", **place
    )
    document = StoredFile.create(path="prova.pdf", name="prova.pdf", size=9, sha256="0" * 64)
    for n in range(MEASURED_INVOICES):
        day = dt.date(2016, 1, 10) + dt.timedelta(days=31 * n)
        due = day + dt.timedelta(days=20)
        invoice = Invoice.create(
            number=f"M{n}", year=day.year, date=day, customer=customer, due_on=due,
            amount_cents=10_000 + 37 * n, paid=n < 110, names_supplies=True, supply=supply,
            document=document if n % 2 else None, iban="IT60X0542811101000000123456",
        )  # fmt: skip
        InvoiceSupply.insert(invoice=invoice, supply=supply).execute()
        Instalment.create(invoice=invoice, due_on=due, amount_cents=invoice.amount_cents)


def account(url):
    """The measured customer's account in the archive at `url`."""
    connections.connect(url)
    found = Account.get(Account.username == "999999")
    db.close()
    return found
