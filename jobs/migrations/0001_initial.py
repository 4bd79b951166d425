"""The tables of the first release, frozen: later changes come as migrations of their own."""

import peewee as pw


def one_of(column, *values):
    listed = ", ".join(f"'{value}'" for value in values)
    return pw.Check(f"{column} IN ({listed})")


def up(migrator, db):
    class Table(pw.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Customer(Table):
        code = pw.CharField(max_length=16, unique=True)
        name = pw.CharField(max_length=200)
        tax_code = pw.CharField(max_length=16, null=True, index=True)
        vat_number = pw.CharField(max_length=16, null=True, index=True)
        street = pw.CharField(max_length=200, null=True)
        street_number = pw.CharField(max_length=40, null=True)
        postcode = pw.CharField(max_length=20, null=True)
        city = pw.CharField(max_length=100, null=True)
        province = pw.CharField(max_length=40, null=True)
        phone = pw.CharField(max_length=100, null=True)
        fax = pw.CharField(max_length=100, null=True)
        email = pw.CharField(max_length=254, null=True)
        active = pw.BooleanField(default=True)

        class Meta:
            constraints = [pw.Check("tax_code IS NOT NULL OR vat_number IS NOT NULL")]

    class Account(Table):
        username = pw.CharField(max_length=64, unique=True)
        email = pw.CharField(max_length=254)
        password_hash = pw.CharField(max_length=200, null=True)
        created_at = pw.DateTimeField()
        last_access_at = pw.DateTimeField(null=True)
        disabled_at = pw.DateTimeField(null=True)

    class Grant(Table):
        account = pw.ForeignKeyField(Account, backref="grants", on_delete="CASCADE")
        customer = pw.ForeignKeyField(Customer, backref="grants")

        class Meta:
            table_name = "account_grant"
            indexes = ((("account", "customer"), True),)

    class MailedSecret(Table):
        account = pw.ForeignKeyField(Account, backref="secrets", on_delete="CASCADE")
        digest = pw.CharField(max_length=64, unique=True)
        created_at = pw.DateTimeField()
        expires_at = pw.DateTimeField()
        used_at = pw.DateTimeField(null=True)

    class Session(Table):
        account = pw.ForeignKeyField(Account, backref="sessions", on_delete="CASCADE")
        digest = pw.CharField(max_length=64, unique=True)
        created_at = pw.DateTimeField()
        seen_at = pw.DateTimeField()
        previous_access_at = pw.DateTimeField(null=True)
        must_change_password = pw.BooleanField(default=False)

    class Throttle(Table):
        key = pw.CharField(max_length=120, unique=True)
        started_at = pw.DateTimeField()
        hits = pw.IntegerField()

    class OutgoingMail(Table):
        kind = pw.CharField(max_length=40)
        recipient = pw.CharField(max_length=254)
        account = pw.ForeignKeyField(Account, null=True, on_delete="CASCADE")
        params = pw.TextField(default="{}")
        state = pw.CharField(
            max_length=10,
            default="queued",
            constraints=[one_of("state", "queued", "sent", "failed")],
        )
        attempts = pw.IntegerField(default=0)
        created_at = pw.DateTimeField()
        due_at = pw.DateTimeField()
        sent_at = pw.DateTimeField(null=True)
        last_error = pw.TextField(null=True)

    OutgoingMail.add_index(OutgoingMail.index(OutgoingMail.state, OutgoingMail.due_at))

    class SupplyPoint(Table):
        code = pw.CharField(max_length=32, unique=True)
        customer = pw.ForeignKeyField(Customer, backref="supplies")
        service = pw.CharField(max_length=3, constraints=[one_of("service", "EE", "GAS")])
        pod = pw.CharField(max_length=20, null=True, index=True)
        pdr = pw.CharField(max_length=20, null=True, index=True)
        street = pw.CharField(max_length=200, null=True)
        street_number = pw.CharField(max_length=40, null=True)
        postcode = pw.CharField(max_length=20, null=True)
        city = pw.CharField(max_length=100, null=True)
        province = pw.CharField(max_length=40, null=True)
        active_from = pw.DateField(null=True)
        ended_on = pw.DateField(null=True)
        meter_serial = pw.CharField(max_length=40, null=True)
        digits = pw.IntegerField(null=True)
        distributor = pw.CharField(max_length=200, null=True)
        distributor_vat = pw.CharField(max_length=16, null=True)
        annual_use = pw.IntegerField(null=True)
        committed_power_kw = pw.DecimalField(max_digits=9, decimal_places=3, null=True)
        available_power_kw = pw.DecimalField(max_digits=9, decimal_places=3, null=True)
        voltage_v = pw.IntegerField(null=True)
        phases = pw.CharField(max_length=40, null=True)
        meter_type = pw.CharField(max_length=40, null=True)
        meter_class = pw.CharField(max_length=20, null=True)
        coefficient_c = pw.DecimalField(max_digits=9, decimal_places=6, null=True)
        has_corrector = pw.BooleanField(default=False)
        corrector_digits = pw.IntegerField(null=True)
        corrector_serial = pw.CharField(max_length=40, null=True)
        remi = pw.CharField(max_length=40, null=True)
        use_category = pw.CharField(max_length=40, null=True)

        class Meta:
            constraints = [pw.Check("(service = 'EE') = (pdr IS NULL)")]

    class Contract(Table):
        code = pw.CharField(max_length=40, unique=True)
        supply = pw.ForeignKeyField(SupplyPoint, backref="contracts")
        offer = pw.CharField(max_length=200)
        market = pw.CharField(max_length=60, null=True)
        use = pw.CharField(max_length=60, null=True)
        starts_on = pw.DateField()
        ends_on = pw.DateField(null=True)
        price_type = pw.CharField(max_length=60, null=True)
        billing_period = pw.CharField(max_length=60, null=True)
        payment_method = pw.CharField(max_length=60, null=True)
        masked_iban = pw.CharField(max_length=40, null=True)
        deposit_cents = pw.IntegerField(null=True)

    class StoredFile(Table):
        path = pw.CharField(max_length=255, unique=True)
        name = pw.CharField(max_length=255, index=True)
        size = pw.IntegerField()
        sha256 = pw.CharField(max_length=64)

    class Invoice(Table):
        number = pw.CharField(max_length=40)
        year = pw.IntegerField()
        date = pw.DateField()
        customer = pw.ForeignKeyField(Customer, index=False)
        kind = pw.CharField(
            max_length=12, default="invoice", constraints=[one_of("kind", "invoice", "credit_note")]
        )
        due_on = pw.DateField(null=True)
        amount_cents = pw.BigIntegerField()
        paid = pw.BooleanField(default=False)
        iban = pw.CharField(max_length=34, null=True)
        payment_code = pw.CharField(max_length=60, null=True)
        document = pw.ForeignKeyField(StoredFile, null=True, on_delete="SET NULL")
        names_supplies = pw.BooleanField(default=False)
        supply = pw.ForeignKeyField(SupplyPoint, null=True, index=False)

        class Meta:
            # The second is the list of a supply, in its order, with the counts of its years.
            indexes = (
                (("number", "year"), True),
                (("customer", "year", "date", "supply", "names_supplies"), False),
            )

    class InvoiceSupply(Table):
        invoice = pw.ForeignKeyField(Invoice, on_delete="CASCADE", index=False)
        supply = pw.ForeignKeyField(SupplyPoint)

        class Meta:
            primary_key = pw.CompositeKey("invoice", "supply")

    class Instalment(Table):
        invoice = pw.ForeignKeyField(Invoice, backref="instalments", on_delete="CASCADE")
        due_on = pw.DateField()
        amount_cents = pw.BigIntegerField()

        class Meta:
            indexes = ((("invoice", "due_on"), False),)

    class ReadingWindow(Table):
        key = pw.CharField(max_length=120, unique=True)
        opens_at = pw.DateTimeField()
        closes_at = pw.DateTimeField()
        supply = pw.ForeignKeyField(SupplyPoint, null=True)
        distributor_vat = pw.CharField(max_length=16, null=True)

        class Meta:
            constraints = [pw.Check("opens_at < closes_at")]
            indexes = ((("closes_at", "opens_at"), False),)

    class MeterReading(Table):
        supply = pw.ForeignKeyField(SupplyPoint, index=False)
        day = pw.DateField()
        source = pw.CharField(max_length=40)
        counter = pw.IntegerField()
        corrector = pw.IntegerField(null=True)
        meter_serial = pw.CharField(max_length=40, null=True)

        class Meta:
            indexes = ((("supply", "day", "source"), True),)

    class ReadingBatch(Table):
        number = pw.IntegerField(unique=True)
        created_at = pw.DateTimeField()
        content = pw.BlobField()
        placed_at = pw.DateTimeField(null=True)

    class SelfReading(Table):
        supply = pw.ForeignKeyField(SupplyPoint, index=False)
        day = pw.DateField()
        counter = pw.IntegerField()
        corrector = pw.IntegerField(null=True)
        confirmed = pw.BooleanField(default=False)
        meter_serial = pw.CharField(max_length=40, null=True)
        account = pw.ForeignKeyField(Account, null=True, on_delete="SET NULL")
        entered_at = pw.DateTimeField()
        state = pw.CharField(
            max_length=10,
            default="pending",
            constraints=[
                one_of("state", "pending", "cancelled", "acquired", "validated", "rejected")
            ],
        )
        batch = pw.ForeignKeyField(ReadingBatch, null=True, backref="readings")
        cancelled_at = pw.DateTimeField(null=True)
        reason = pw.TextField(null=True)

        class Meta:
            indexes = ((("supply", "day"), False),)
            constraints = [pw.Check("(batch_id IS NULL) = (state IN ('pending', 'cancelled'))")]

        LIVE = ("pending", "acquired", "validated")

    SelfReading.add_index(
        SelfReading.index(
            SelfReading.supply,
            SelfReading.day,
            unique=True,
            where=SelfReading.state.in_(SelfReading.LIVE),
            name="self_reading_one_live_a_day",
        )
    )

    SelfReading.add_index(
        SelfReading.index(
            SelfReading.id, where=(SelfReading.state == "pending"), name="self_reading_pending"
        )
    )

    class ImportedFile(Table):
        name = pw.CharField(max_length=255)
        kind = pw.CharField(max_length=20, null=True)
        sha256 = pw.CharField(max_length=64, index=True)
        size = pw.BigIntegerField()
        state = pw.CharField(
            max_length=10,
            constraints=[one_of("state", "applied", "rejected", "held", "repeated")],
        )
        report = pw.TextField(default="{}")
        at = pw.DateTimeField()
        settled_at = pw.DateTimeField(null=True)

    class JobRun(Table):
        job = pw.CharField(max_length=40)
        started_at = pw.DateTimeField()
        finished_at = pw.DateTimeField(null=True)
        exit_code = pw.IntegerField(null=True)
        summary = pw.TextField(null=True)

        class Meta:
            indexes = ((("job", "started_at"), False),)

    db.create_tables(
        [
            Customer,
            Account,
            Grant,
            MailedSecret,
            Session,
            Throttle,
            OutgoingMail,
            SupplyPoint,
            Contract,
            StoredFile,
            Invoice,
            InvoiceSupply,
            Instalment,
            ReadingWindow,
            MeterReading,
            ReadingBatch,
            SelfReading,
            ImportedFile,
            JobRun,
        ]
    )
