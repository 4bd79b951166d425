"""Contacts, consumption, tickets, measures, documents, events: every page of the menu."""

import peewee as pw

import models

ADDED = (
    models.ContactBatch,
    models.ContactChange,
    models.EmailChange,
    models.Nickname,
    models.CalendarLink,
    models.ErasureRequest,
    models.BilledConsumption,
    models.Ticket,
    models.TicketMessage,
    models.Attachment,
    models.Document,
    models.Event,
)


def up(migrator, db):
    # Not by the migrator: on SQLite it makes the table anew, and dropping the old one would
    # take along every row that refers to it.
    db.execute_sql('ALTER TABLE "account" ADD COLUMN "language" VARCHAR(5) NOT NULL DEFAULT \'it\'')
    kind = "BOOLEAN" if not models.is_sqlite() else "INTEGER"
    db.execute_sql(f'ALTER TABLE "account" ADD COLUMN "notices" {kind} NOT NULL DEFAULT TRUE')
    db.create_tables(ADDED)

    # As it was then: see 0003.
    class SupplyPoint(pw.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class MeasuredDay(pw.Model):
        supply = pw.ForeignKeyField(SupplyPoint, index=False)
        quantity = pw.CharField(
            max_length=8, constraints=[pw.Check("quantity IN ('active', 'reactive')")]
        )
        day = pw.DateField()
        estimated = pw.BooleanField(default=False)
        values = pw.BlobField()

        class Meta:
            database = db
            legacy_table_names = False
            indexes = ((("supply", "quantity", "day"), True),)

    db.create_tables([MeasuredDay])
