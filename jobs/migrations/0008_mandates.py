"""Mandates: who may see or act for which supplies of a customer, and what a delegate entered."""

import peewee as pw


def up(migrator, db):
    for table in ("self_reading", "ticket_message"):
        db.execute_sql(f'ALTER TABLE "{table}" ADD COLUMN "delegate" VARCHAR(100)')
    db.create_tables(tables(db))


def tables(db):
    class Table(pw.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Account(Table):
        pass

    class Customer(Table):
        pass

    class SupplyPoint(Table):
        pass

    scopes = pw.Check("scope IN ('invoices', 'everything')")
    enders = pw.Check("ended_by IN ('customer', 'delegate', 'utility', 'date')")

    class Mandate(Table):
        customer = pw.ForeignKeyField(Customer)
        name = pw.CharField(max_length=100)
        email = pw.CharField(max_length=254)
        scope = pw.CharField(max_length=10, constraints=[scopes])
        ends_on = pw.DateField()
        given_at = pw.DateTimeField()
        account = pw.ForeignKeyField(Account, null=True, on_delete="SET NULL")
        accepted_at = pw.DateTimeField(null=True)
        used_on = pw.DateField(null=True)
        ended_at = pw.DateTimeField(null=True)
        ended_by = pw.CharField(max_length=8, null=True, constraints=[enders])

        class Meta:
            constraints = [pw.Check("(ended_at IS NULL) = (ended_by IS NULL)")]

    class MandateSupply(Table):
        mandate = pw.ForeignKeyField(Mandate, on_delete="CASCADE", index=False)
        supply = pw.ForeignKeyField(SupplyPoint, on_delete="CASCADE")

        class Meta:
            primary_key = pw.CompositeKey("mandate", "supply")

    return Mandate, MandateSupply
