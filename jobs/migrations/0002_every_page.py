"""Contacts, consumption, tickets, measures, documents, events: every page of the menu."""

import peewee as pw


def one_of(column, *values):
    listed = ", ".join(f"'{value}'" for value in values)
    return pw.Check(f"{column} IN ({listed})")


def up(migrator, db):
    class Table(pw.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Account(Table):
        pass

    class Customer(Table):
        pass

    class StoredFile(Table):
        pass

    class SupplyPoint(Table):
        pass

    class ContactBatch(Table):
        number = pw.IntegerField(unique=True)
        created_at = pw.DateTimeField()
        content = pw.BlobField()
        placed_at = pw.DateTimeField(null=True)

    class ContactChange(Table):
        customer = pw.ForeignKeyField(Customer, index=False)
        field = pw.CharField(max_length=5, constraints=[one_of("field", "phone", "fax", "email")])
        value = pw.CharField(max_length=254, null=True)
        previous = pw.CharField(max_length=254, null=True)
        account = pw.ForeignKeyField(Account, null=True, on_delete="SET NULL")
        made_at = pw.DateTimeField()
        batch = pw.ForeignKeyField(ContactBatch, null=True, backref="changes")
        settled_at = pw.DateTimeField(null=True)

        class Meta:
            indexes = ((("customer", "made_at"), False),)

    ContactChange.add_index(
        ContactChange.index(
            ContactChange.customer,
            ContactChange.field,
            unique=True,
            where=ContactChange.settled_at.is_null(),
            name="contact_change_one_open_a_field",
        )
    )

    ContactChange.add_index(
        ContactChange.index(
            ContactChange.id,
            where=ContactChange.batch.is_null(),
            name="contact_change_pending",
        )
    )

    class EmailChange(Table):
        account = pw.ForeignKeyField(Account, unique=True, on_delete="CASCADE")
        customer = pw.ForeignKeyField(Customer, index=False)
        address = pw.CharField(max_length=254)
        asked_at = pw.DateTimeField()

    class Nickname(Table):
        account = pw.ForeignKeyField(Account, on_delete="CASCADE", index=False)
        supply = pw.ForeignKeyField(SupplyPoint, on_delete="CASCADE")
        text = pw.CharField(max_length=40)

        class Meta:
            primary_key = pw.CompositeKey("account", "supply")

    class CalendarLink(Table):
        account = pw.ForeignKeyField(Account, on_delete="CASCADE", index=False)
        supply = pw.ForeignKeyField(SupplyPoint, on_delete="CASCADE")
        nonce = pw.CharField(max_length=32, unique=True)
        created_at = pw.DateTimeField()

        class Meta:
            indexes = ((("account", "supply"), True),)

    class ErasureRequest(Table):
        customer = pw.ForeignKeyField(Customer)
        account = pw.ForeignKeyField(Account, null=True, on_delete="SET NULL")
        made_at = pw.DateTimeField()
        withdrawn_at = pw.DateTimeField(null=True)
        settled_at = pw.DateTimeField(null=True)

    ErasureRequest.add_index(
        ErasureRequest.index(
            ErasureRequest.customer,
            unique=True,
            where=(ErasureRequest.withdrawn_at.is_null() & ErasureRequest.settled_at.is_null()),
            name="erasure_request_one_open",
        )
    )

    class BilledConsumption(Table):
        supply = pw.ForeignKeyField(SupplyPoint, index=False)
        starts_on = pw.DateField()
        ends_on = pw.DateField()
        f1 = pw.BigIntegerField(null=True)
        f2 = pw.BigIntegerField(null=True)
        f3 = pw.BigIntegerField(null=True)
        total = pw.BigIntegerField()
        unit = pw.CharField(max_length=3, constraints=[one_of("unit", "kWh", "Smc")])
        power_w = pw.BigIntegerField(null=True)
        reactive_varh = pw.BigIntegerField(null=True)
        kind = pw.CharField(
            max_length=12, constraints=[one_of("kind", "actual", "self_read", "estimated")]
        )
        invoice_number = pw.CharField(max_length=40, null=True)

        class Meta:
            indexes = ((("supply", "starts_on", "ends_on"), True),)
            constraints = [pw.Check("starts_on <= ends_on")]

    class Ticket(Table):
        code = pw.CharField(max_length=20, unique=True)
        customer = pw.ForeignKeyField(Customer, index=False)
        supply = pw.ForeignKeyField(SupplyPoint, null=True)
        account = pw.ForeignKeyField(Account, null=True, on_delete="SET NULL")
        category = pw.CharField(
            max_length=12,
            constraints=[
                one_of("category", "information", "complaint", "billing", "data_change", "other")
            ],
        )
        subject = pw.CharField(max_length=120)
        state = pw.CharField(
            max_length=8,
            default="open",
            constraints=[one_of("state", "open", "answered", "closed")],
        )
        opened_at = pw.DateTimeField()
        updated_at = pw.DateTimeField()
        closed_at = pw.DateTimeField(null=True)
        due_on = pw.DateField(null=True)

        class Meta:
            indexes = ((("customer", "updated_at"), False),)

    class TicketMessage(Table):
        ticket = pw.ForeignKeyField(Ticket, backref="messages", on_delete="CASCADE")
        kind = pw.CharField(
            max_length=8,
            default="text",
            constraints=[one_of("kind", "text", "closed", "reopened")],
        )
        at = pw.DateTimeField()
        by_customer = pw.BooleanField()
        account = pw.ForeignKeyField(Account, null=True, on_delete="SET NULL")
        author = pw.CharField(max_length=200, null=True)
        text = pw.TextField()

    class Attachment(Table):
        message = pw.ForeignKeyField(TicketMessage, backref="attachments", on_delete="CASCADE")
        path = pw.CharField(max_length=255, unique=True)
        name = pw.CharField(max_length=255)
        kind = pw.CharField(max_length=4, constraints=[one_of("kind", "pdf", "jpg", "png")])
        size = pw.IntegerField()
        sha256 = pw.CharField(max_length=64)

    class MeasuredDay(Table):
        supply = pw.ForeignKeyField(SupplyPoint, index=False)
        quantity = pw.CharField(
            max_length=8, constraints=[one_of("quantity", "active", "reactive")]
        )
        day = pw.DateField()
        estimated = pw.BooleanField(default=False)
        values = pw.BlobField()

        class Meta:
            indexes = ((("supply", "quantity", "day"), True),)

    class Document(Table):
        category = pw.CharField(
            max_length=8,
            constraints=[one_of("category", "personal", "forms", "rules", "notices", "info")],
        )
        title = pw.CharField(max_length=200)
        date = pw.DateField()
        text = pw.TextField(null=True)
        folded = pw.TextField()
        file = pw.ForeignKeyField(StoredFile, null=True, on_delete="SET NULL")
        customer = pw.ForeignKeyField(Customer, null=True, index=False)
        visible_from = pw.DateField(null=True)
        visible_to = pw.DateField(null=True)
        added_at = pw.DateTimeField()

        class Meta:
            constraints = [pw.Check("(category = 'personal') = (customer_id IS NOT NULL)")]
            indexes = ((("customer", "date"), False),)

    Document.add_index(
        Document.index(
            Document.category,
            Document.title,
            unique=True,
            where=Document.customer.is_null(),
            name="document_for_all_key",
        )
    )

    Document.add_index(
        Document.index(
            Document.customer,
            Document.title,
            unique=True,
            where=Document.customer.is_null(False),
            name="document_of_customer_key",
        )
    )

    class Event(Table):
        at = pw.DateTimeField()
        kind = pw.CharField(max_length=40)
        account = pw.ForeignKeyField(Account, null=True, on_delete="CASCADE", index=False)
        customer = pw.ForeignKeyField(Customer, null=True, index=False)
        supply = pw.ForeignKeyField(SupplyPoint, null=True)
        details = pw.TextField(default="{}")

        class Meta:
            indexes = ((("account", "at"), False), (("customer", "at"), False))

    # Not by the migrator: on SQLite it makes the table anew, and dropping the old one would
    # take along every row that refers to it.
    db.execute_sql('ALTER TABLE "account" ADD COLUMN "language" VARCHAR(5) NOT NULL DEFAULT \'it\'')
    kind = "BOOLEAN" if not isinstance(db, pw.SqliteDatabase) else "INTEGER"
    db.execute_sql(f'ALTER TABLE "account" ADD COLUMN "notices" {kind} NOT NULL DEFAULT TRUE')
    db.create_tables(
        [
            ContactBatch,
            ContactChange,
            EmailChange,
            Nickname,
            CalendarLink,
            ErasureRequest,
            BilledConsumption,
            Ticket,
            TicketMessage,
            Attachment,
            MeasuredDay,
            Document,
            Event,
        ]
    )
