"""Tables, constraints, and questions about a row, in menu order.

Conventions: codes as printed on the invoice; money in whole euro cents; gas in whole
m3 as the meter shows them; timestamps in UTC (`UtcDateTimeField` gives aware values);
dates are calendar days in Europe/Rome.
"""

import datetime as dt
import json
from collections import namedtuple

import peewee as pw

db = pw.DatabaseProxy()  # bound by domain.connections.connect


def writing():
    """A transaction that writes: takes the write lock at once, so it never fails half-way."""
    return db.obj.writing()


def is_sqlite():
    return isinstance(db.obj, pw.SqliteDatabase)


def any_of(field, values):
    """The condition that `field` is one of `values` (texts, numbers, days): one parameter,
    however many they are."""
    if is_sqlite():
        listed = json.dumps(list(values), default=str)
        return field.in_(pw.SQL("(SELECT value FROM json_each(?))", (listed,)))
    return field == pw.fn.ANY(pw.Value(list(values), converter=False, unpack=False))


class UtcDateTimeField(pw.DateTimeField):
    """An instant. Takes and gives aware datetimes; stored as naive UTC."""

    def db_value(self, value):
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant without time zone")
        return value.astimezone(dt.UTC).replace(tzinfo=None)

    def python_value(self, value):
        if value is None:
            return None
        if isinstance(value, str):
            value = dt.datetime.fromisoformat(value)
        return value.replace(tzinfo=dt.UTC)


class DayField(pw.DateField):
    """A calendar day; read without trying several formats."""

    def python_value(self, value):
        return dt.date.fromisoformat(value) if isinstance(value, str) else value


class Param(pw.Node):
    """The place of a value that `Prepared` fills in at each call."""

    def __init__(self, name):
        self.name = name

    def __sql__(self, ctx):
        ctx._values.append(self)
        return ctx.literal(ctx.state.param or "?")


class Prepared:
    """A select that peewee builds once; each call runs the same SQL with new values.

    Building SQL costs peewee ten times what SQLite needs to run it, so the few queries
    of every request are kept as text. `build` receives one `Param` for each of `names`
    and returns a select; a call returns a list of namedtuples, converted as the fields
    say. Days and aware datetimes may be passed as they are.
    """

    def __init__(self, names, build):
        self._names = names.split()
        self._build = build
        self._compiled = {}

    def _compile(self):
        query = self._build(*(Param(name) for name in self._names))
        sql, values = query.sql()
        columns, converters = [], []
        for place, column in enumerate(query._returning):
            field = column.node if isinstance(column, pw.Alias) else column
            columns.append(column._alias if isinstance(column, pw.Alias) else column.name)
            convert = self._converter(field)
            if convert:
                converters.append((place, convert))
        places = [(place, value.name) for place, value in enumerate(values) if type(value) is Param]
        return sql, values, places, namedtuple("Row", columns), converters

    @staticmethod
    def _converter(field):
        """What makes a Python value of what the driver gives; None where that is one already."""
        as_given = pw.IntegerField | pw.AutoField | pw.CharField | pw.TextField | pw.ForeignKeyField
        if not isinstance(field, pw.Field) or isinstance(field, as_given):
            return None
        if isinstance(field, pw.BooleanField):
            return bool
        if isinstance(field, DayField):  # a date already in PostgreSQL, text in SQLite
            return dt.date.fromisoformat if is_sqlite() else None
        return field.python_value

    def __call__(self, **given):
        database = db.obj
        compiled = self._compiled.get(type(database))
        if compiled is None:
            compiled = self._compiled[type(database)] = self._compile()
        sql, bound, places, row_type, converters = compiled
        bound = bound.copy()
        for place, name in places:
            value = given[name]
            if type(value) is dt.datetime:
                value = value.astimezone(dt.UTC).replace(tzinfo=None)
            bound[place] = value
        rows = database.execute_sql(sql, bound).fetchall()
        if converters and rows:
            columns = list(zip(*rows, strict=True))
            for place, convert in converters:
                columns[place] = [None if v is None else convert(v) for v in columns[place]]
            rows = zip(*columns, strict=True)
        return [row_type._make(row) for row in rows]

    def first(self, **given):
        rows = self(**given)
        return rows[0] if rows else None


class PreparedUnder:
    """Such a select for a customer, and the same for who sees less under a mandate.

    `build` gets after the values of `names` that of `limit`, by which the mandate is told, or
    None for the customer.
    """

    def __init__(self, names, build, limit="mandate"):
        self._limit = limit
        self._own = Prepared(names, lambda *given: build(*given, None))
        self._entrusted = Prepared(f"{names} {limit}", build)

    def __call__(self, **given):
        return self._entrusted(**given) if given[self._limit] else self._own(**given)

    def first(self, **given):
        rows = self(**given)
        return rows[0] if rows else None


def one_of(column, *values):
    """A CHECK that `column` holds one of `values`."""
    listed = ", ".join(f"'{value}'" for value in values)
    return pw.Check(f"{column} IN ({listed})")


class Table(pw.Model):
    class Meta:
        database = db
        legacy_table_names = False


# -- Who -----------------------------------------------------------------------------------


class Customer(Table):
    """Who is billed. `code` is the six digits printed on the invoice."""

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
    # What no law wants kept was erased then; no import brings it back (see domain/erasing.py).
    erased_at = UtcDateTimeField(null=True)

    class Meta:
        constraints = [pw.Check("tax_code IS NOT NULL OR vat_number IS NOT NULL")]

    @property
    def address(self):
        return postal_address(self)


def postal_address(row):
    """`VIA DI PROVA 35 - 59100 PRATO (PO)`, without the parts that are missing."""
    street = " ".join(part for part in (row.street, row.street_number) if part)
    town = " ".join(part for part in (row.postcode, row.city) if part)
    if row.province:
        town = f"{town} ({row.province})".strip()
    return " - ".join(part for part in (street, town) if part)


class Account(Table):
    """A login. Apart from customers: `Grant` says for whom it may act."""

    username = pw.CharField(max_length=64, unique=True)
    email = pw.CharField(max_length=254)
    password_hash = pw.CharField(max_length=200, null=True)  # null until the first own password
    created_at = UtcDateTimeField()
    last_access_at = UtcDateTimeField(null=True)
    disabled_at = UtcDateTimeField(null=True)
    # A second factor, for who wants one (see domain/second_factor.py).
    totp_nonce = pw.CharField(max_length=32, null=True)  # the secret is derived from it
    totp_since = UtcDateTimeField(null=True)
    totp_step = pw.BigIntegerField(null=True)  # of the last code used: none works twice
    language = pw.CharField(max_length=5, null=True)  # chosen, if any: see views/language.py
    last_language = pw.CharField(max_length=5, null=True)  # of the last access, for the mail
    # Mail that tells of something new; what concerns security always goes out.
    notices = pw.BooleanField(default=True, constraints=[pw.SQL("DEFAULT TRUE")])
    # Of those, which; they count only while `notices` does.
    notices_readings = pw.BooleanField(default=True, constraints=[pw.SQL("DEFAULT TRUE")])
    notices_invoices = pw.BooleanField(default=True, constraints=[pw.SQL("DEFAULT TRUE")])
    notices_documents = pw.BooleanField(default=True, constraints=[pw.SQL("DEFAULT TRUE")])
    notices_tickets = pw.BooleanField(default=True, constraints=[pw.SQL("DEFAULT TRUE")])

    @classmethod
    def open_of(cls, customer):
        """A customer's logins that are not disabled, as a query; mail to others tells nobody."""
        return (
            cls.select()
            .join(Grant)
            .where(Grant.customer == customer, cls.disabled_at.is_null())
            .order_by(cls.id)
        )


class Grant(Table):
    """An account may act for a customer."""

    account = pw.ForeignKeyField(Account, backref="grants", on_delete="CASCADE")
    customer = pw.ForeignKeyField(Customer, backref="grants")

    class Meta:
        table_name = "account_grant"
        indexes = ((("account", "customer"), True),)


class Operator(Table):
    """A clerk's login to the desk: a password and a second factor (see domain/operators.py)."""

    username = pw.CharField(max_length=64, unique=True)
    name = pw.CharField(max_length=100)  # signs what customers read
    email = pw.CharField(max_length=254)
    role = pw.CharField(max_length=13, constraints=[one_of("role", "operator", "administrator")])
    password_hash = pw.CharField(max_length=200)
    must_change_password = pw.BooleanField(default=True)  # somebody else chose it
    totp_nonce = pw.CharField(max_length=32, null=True)  # the secret is derived from it
    totp_since = UtcDateTimeField(null=True)  # when the first code was right
    totp_step = pw.BigIntegerField(null=True)  # of the last code used: none works twice
    created_at = UtcDateTimeField()
    last_access_at = UtcDateTimeField(null=True)
    disabled_at = UtcDateTimeField(null=True)
    language = pw.CharField(max_length=5, null=True)  # chosen, if any: see views/language.py


class RecoveryCode(Table):
    """Stands in for one code of the second factor; only its HMAC-SHA256 is kept."""

    operator = pw.ForeignKeyField(Operator, backref="recovery_codes", on_delete="CASCADE")
    digest = pw.CharField(max_length=64, unique=True)
    used_at = UtcDateTimeField(null=True)


class AccountRecoveryCode(Table):
    """The same for the second factor of a customer's login."""

    account = pw.ForeignKeyField(Account, backref="recovery_codes", on_delete="CASCADE")
    digest = pw.CharField(max_length=64, unique=True)
    used_at = UtcDateTimeField(null=True)


class OperatorSession(Table):
    """A browser in which an operator is signed in; like `Session`, but shorter."""

    operator = pw.ForeignKeyField(Operator, backref="sessions", on_delete="CASCADE")
    digest = pw.CharField(max_length=64, unique=True)
    created_at = UtcDateTimeField()
    seen_at = UtcDateTimeField()
    previous_access_at = UtcDateTimeField(null=True)
    verified_at = UtcDateTimeField(null=True)  # the second factor; until then it opens nothing


class MailedSecret(Table):
    """A mailed credential: one use, short life; only its HMAC-SHA256 is kept."""

    account = pw.ForeignKeyField(Account, backref="secrets", on_delete="CASCADE")
    digest = pw.CharField(max_length=64, unique=True)
    created_at = UtcDateTimeField()
    expires_at = UtcDateTimeField()
    used_at = UtcDateTimeField(null=True)


class Session(Table):
    """A signed-in browser. `digest` is SHA-256 of the random token in its cookie."""

    account = pw.ForeignKeyField(Account, backref="sessions", on_delete="CASCADE")
    digest = pw.CharField(max_length=64, unique=True)
    created_at = UtcDateTimeField()
    seen_at = UtcDateTimeField()
    previous_access_at = UtcDateTimeField(null=True)  # shown as «Ultimo accesso»
    must_change_password = pw.BooleanField(default=False)  # opened with a mailed secret
    # Opened with half of what lets in: nothing but the page of the code until that is right.
    awaits_code = pw.BooleanField(default=False, constraints=[pw.SQL("DEFAULT FALSE")])
    # Who looks as the customer, reading only; that session ends with the operator's.
    operator_session = pw.ForeignKeyField(OperatorSession, null=True, on_delete="CASCADE")


class Throttle(Table):
    """Attempts counted since `started_at` under one key, such as an address or a code."""

    key = pw.CharField(max_length=120, unique=True)
    started_at = UtcDateTimeField()
    hits = pw.IntegerField()


class OutgoingMail(Table):
    """A mail to send. `params` (JSON) holds no secret: secrets are made when it is sent."""

    kind = pw.CharField(max_length=40)
    recipient = pw.CharField(max_length=254)
    account = pw.ForeignKeyField(Account, null=True, on_delete="CASCADE")
    params = pw.TextField(default="{}")
    state = pw.CharField(
        max_length=10, default="queued", constraints=[one_of("state", "queued", "sent", "failed")]
    )
    attempts = pw.IntegerField(default=0)
    created_at = UtcDateTimeField()
    due_at = UtcDateTimeField()  # not before; moved on while somebody is sending it
    sent_at = UtcDateTimeField(null=True)
    last_error = pw.TextField(null=True)
    # For many customers at once: whatever one of them waits for goes before it.
    bulk = pw.BooleanField(default=False, constraints=[pw.SQL("DEFAULT FALSE")])
    once = pw.CharField(max_length=120, unique=True, null=True)  # what it tells, and whom
    # Of one that failed: the operators know.
    reported = pw.BooleanField(default=False, constraints=[pw.SQL("DEFAULT FALSE")])
    given_up_at = UtcDateTimeField(null=True)  # an operator wants it sent no more
    language = pw.CharField(max_length=5, null=True)  # null: that of the account


OutgoingMail.add_index(OutgoingMail.index(OutgoingMail.state, OutgoingMail.due_at))
OutgoingMail.add_index(
    OutgoingMail.index(OutgoingMail.state, OutgoingMail.bulk, OutgoingMail.due_at, OutgoingMail.id)
)


# -- What is supplied ----------------------------------------------------------------------


class SupplyPoint(Table):
    """One place served with electricity (POD) or gas (PDR)."""

    code = pw.CharField(max_length=32, unique=True)
    customer = pw.ForeignKeyField(Customer, backref="supplies")
    service = pw.CharField(max_length=3, constraints=[one_of("service", "EE", "GAS")])
    pod = pw.CharField(max_length=20, null=True, index=True)
    pdr = pw.CharField(max_length=20, null=True, index=True)
    street = pw.CharField(max_length=200, null=True)
    street_number = pw.CharField(max_length=40, null=True)
    postcode = pw.CharField(max_length=20, null=True)
    city = pw.CharField(max_length=100, null=True)
    town = pw.CharField(max_length=100, null=True)  # the city, as `text.town` has it
    province = pw.CharField(max_length=40, null=True)
    active_from = DayField(null=True)
    ended_on = DayField(null=True)
    meter_serial = pw.CharField(max_length=40, null=True)
    digits = pw.IntegerField(null=True)  # of the counter
    distributor = pw.CharField(max_length=200, null=True)
    distributor_vat = pw.CharField(max_length=16, null=True)
    annual_use = pw.IntegerField(null=True)  # kWh or Smc a year
    committed_power_kw = pw.DecimalField(max_digits=9, decimal_places=3, null=True)
    available_power_kw = pw.DecimalField(max_digits=9, decimal_places=3, null=True)
    voltage_v = pw.IntegerField(null=True)
    phases = pw.CharField(max_length=40, null=True)
    meter_type = pw.CharField(max_length=40, null=True)
    meter_class = pw.CharField(max_length=20, null=True)  # G4 … G100
    coefficient_c = pw.DecimalField(max_digits=9, decimal_places=6, null=True)
    has_corrector = pw.BooleanField(default=False)
    corrector_digits = pw.IntegerField(null=True)
    corrector_serial = pw.CharField(max_length=40, null=True)
    remi = pw.CharField(max_length=40, null=True)
    use_category = pw.CharField(max_length=40, null=True)

    class Meta:
        constraints = [pw.Check("(service = 'EE') = (pdr IS NULL)")]

    @classmethod
    def of(cls, account_id):
        """The supplies that an account may see."""
        return (
            cls.select()
            .join(Grant, on=Grant.customer == cls.customer)
            .where(Grant.account == account_id)
        )

    @classmethod
    def entrusted(cls, mandate_id):
        """The supplies that a mandate is for."""
        return cls.select().where(cls.id.in_(MandateSupply.of(mandate_id)))

    @property
    def is_gas(self):
        return self.service == "GAS"

    @property
    def address(self):
        return postal_address(self)


SupplyPoint.add_index(SupplyPoint.town, SupplyPoint.city)


class Contract(Table):
    code = pw.CharField(max_length=40, unique=True)
    supply = pw.ForeignKeyField(SupplyPoint, backref="contracts")
    offer = pw.CharField(max_length=200)
    market = pw.CharField(max_length=60, null=True)
    use = pw.CharField(max_length=60, null=True)
    starts_on = DayField()
    ends_on = DayField(null=True)
    price_type = pw.CharField(max_length=60, null=True)
    billing_period = pw.CharField(max_length=60, null=True)
    payment_method = pw.CharField(max_length=60, null=True)
    masked_iban = pw.CharField(max_length=40, null=True)  # first 4 and last 4 only
    deposit_cents = pw.IntegerField(null=True)


class SearchText(Table):
    """What a customer, one of its supplies or a login that acts for it is found by.

    Written by triggers alone (migration 0005); see domain/search.py.
    """

    customer = pw.ForeignKeyField(Customer, on_delete="CASCADE")
    supply = pw.ForeignKeyField(SupplyPoint, null=True, unique=True, on_delete="CASCADE")
    grant = pw.ForeignKeyField(Grant, null=True, unique=True, on_delete="CASCADE")
    folded = pw.TextField()


# -- Elenco fatture ------------------------------------------------------------------------


class StoredFile(Table):
    """A file under documents/, at `path` relative to it; served as `name`."""

    path = pw.CharField(max_length=255, unique=True)
    name = pw.CharField(max_length=255, index=True)
    size = pw.IntegerField()
    sha256 = pw.CharField(max_length=64)


class Invoice(Table):
    """An invoice or, with a negative amount, a credit note."""

    number = pw.CharField(max_length=40)
    year = pw.IntegerField()
    date = DayField()
    customer = pw.ForeignKeyField(Customer, index=False)
    kind = pw.CharField(
        max_length=12, default="invoice", constraints=[one_of("kind", "invoice", "credit_note")]
    )
    due_on = DayField(null=True)  # the earliest of its instalments
    amount_cents = pw.BigIntegerField()
    paid = pw.BooleanField(default=False)
    iban = pw.CharField(max_length=34, null=True)
    payment_code = pw.CharField(max_length=60, null=True)
    document = pw.ForeignKeyField(StoredFile, null=True, on_delete="SET NULL")
    names_supplies = pw.BooleanField(default=False)  # else it concerns the whole customer
    supply = pw.ForeignKeyField(SupplyPoint, null=True, index=False)  # if it names only one

    class Meta:
        # The second is the list of a supply, in its order, with the counts of its years.
        indexes = (
            (("number", "year"), True),
            (("customer", "year", "date", "supply", "names_supplies"), False),
        )


class InvoiceSupply(Table):
    """An invoice names a supply."""

    invoice = pw.ForeignKeyField(Invoice, on_delete="CASCADE", index=False)
    supply = pw.ForeignKeyField(SupplyPoint)

    class Meta:
        primary_key = pw.CompositeKey("invoice", "supply")


class Instalment(Table):
    """When how much of an invoice is due; one row even for a single payment."""

    invoice = pw.ForeignKeyField(Invoice, backref="instalments", on_delete="CASCADE")
    due_on = DayField()
    amount_cents = pw.BigIntegerField()

    class Meta:
        indexes = ((("invoice", "due_on"), False),)


# -- Autolettura Contatore -----------------------------------------------------------------


class ReadingWindow(Table):
    """When self-readings may be entered: for one supply, one distributor, or all gas supplies.

    `key` is the id that billing gave, or all columns of its row. `closes_at` is the end of
    the last minute in which a reading is taken.
    """

    key = pw.CharField(max_length=120, unique=True)
    opens_at = UtcDateTimeField()
    closes_at = UtcDateTimeField()
    supply = pw.ForeignKeyField(SupplyPoint, null=True)
    distributor_vat = pw.CharField(max_length=16, null=True)

    class Meta:
        constraints = [pw.Check("opens_at < closes_at")]
        indexes = ((("closes_at", "opens_at"), False),)


class MeterReading(Table):
    """A reading that did not come from the customer: the distributor's, a meter change."""

    supply = pw.ForeignKeyField(SupplyPoint, index=False)
    day = DayField()
    source = pw.CharField(max_length=40)
    counter = pw.IntegerField()
    corrector = pw.IntegerField(null=True)
    meter_serial = pw.CharField(max_length=40, null=True)

    class Meta:
        indexes = ((("supply", "day", "source"), True),)


class ReadingBatch(Table):
    """Self-readings handed to billing in one file; `content` is that file, byte for byte."""

    number = pw.IntegerField(unique=True)
    created_at = UtcDateTimeField()
    content = pw.BlobField()
    placed_at = UtcDateTimeField(null=True)  # in outbox/ under its final name

    @property
    def file_name(self):
        return f"autoletture_{self.number:06d}.csv"


class BatchFile(Table):
    """A file that goes out beside the one of its batch, such as a request to a distributor."""

    batch = pw.ForeignKeyField(ReadingBatch, backref="files")
    file_name = pw.CharField(max_length=60, unique=True)
    rows = pw.IntegerField()  # readings in it
    placed_at = UtcDateTimeField(null=True)  # in outbox/
    content = pw.BlobField()


class SelfReading(Table):
    """The customer's own reading of a gas meter. Live unless cancelled or rejected."""

    supply = pw.ForeignKeyField(SupplyPoint, index=False)
    day = DayField()
    counter = pw.IntegerField()
    corrector = pw.IntegerField(null=True)
    confirmed = pw.BooleanField(default=False)  # an odd value that the customer confirmed
    meter_serial = pw.CharField(max_length=40, null=True)
    account = pw.ForeignKeyField(Account, null=True, on_delete="SET NULL")
    # Told by telephone: for whom, and the operator who wrote it down.
    taken_for = pw.ForeignKeyField(Customer, null=True, index=False)
    operator = pw.ForeignKeyField(Operator, null=True, index=False, on_delete="SET NULL")
    delegate = pw.CharField(max_length=100, null=True)  # who entered it under a mandate
    entered_at = UtcDateTimeField()
    state = pw.CharField(
        max_length=10,
        default="pending",
        constraints=[one_of("state", "pending", "cancelled", "acquired", "validated", "rejected")],
    )
    batch = pw.ForeignKeyField(ReadingBatch, null=True, backref="readings")
    cancelled_at = UtcDateTimeField(null=True)
    reason = pw.TextField(null=True)  # why billing rejected it

    class Meta:
        indexes = ((("supply", "day"), False),)
        constraints = [pw.Check("(batch_id IS NULL) = (state IN ('pending', 'cancelled'))")]

    LIVE = ("pending", "acquired", "validated")

    @classmethod
    def of(cls, account_id):
        """The self-readings that an account may see."""
        return (
            cls.select()
            .join(SupplyPoint, on=cls.supply == SupplyPoint.id)
            .join(Grant, on=Grant.customer == SupplyPoint.customer)
            .where(Grant.account == account_id, cls.entered_for(SupplyPoint.customer))
        )

    @classmethod
    def entrusted(cls, mandate_id):
        """The self-readings that who acts under a mandate may see."""
        return (
            cls.select()
            .join(SupplyPoint, on=cls.supply == SupplyPoint.id)
            .where(
                cls.supply.in_(MandateSupply.of(mandate_id)), cls.entered_for(SupplyPoint.customer)
            )
        )

    @classmethod
    def entered_for(cls, customer):
        """The condition that no former customer of the supply entered it, nor told it."""
        own = Grant.alias()
        accounts = own.select(own.account).where(own.customer == customer)
        told = cls.taken_for.is_null() | (cls.taken_for == customer)
        return (cls.account.is_null() & told) | cls.account.in_(accounts)


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
# The desk's list, the latest first: of all, of one state, of the few that are special.
for of_some, where in (
    ("day", None),
    ("odd", SelfReading.confirmed),
    ("told", SelfReading.taken_for.is_null(False)),
):
    SelfReading.add_index(
        SelfReading.index(
            SelfReading.day, SelfReading.id, where=where, name=f"self_reading_{of_some}"
        )
    )
SelfReading.add_index(
    SelfReading.index(SelfReading.state, SelfReading.day, SelfReading.id, name="self_reading_state")
)


# -- Dati Anagrafici -----------------------------------------------------------------------


class ContactBatch(Table):
    """Changes of contacts handed to billing in one file; `content` is that file."""

    number = pw.IntegerField(unique=True)
    created_at = UtcDateTimeField()
    content = pw.BlobField()
    placed_at = UtcDateTimeField(null=True)  # in outbox/ under its final name

    @property
    def file_name(self):
        return f"anagrafiche_{self.number:06d}.csv"


class ContactChange(Table):
    """A contact that the customer corrected; it wins over imports until billing confirms it."""

    customer = pw.ForeignKeyField(Customer, index=False)
    field = pw.CharField(max_length=5, constraints=[one_of("field", "phone", "fax", "email")])
    value = pw.CharField(max_length=254, null=True)
    previous = pw.CharField(max_length=254, null=True)
    account = pw.ForeignKeyField(Account, null=True, on_delete="SET NULL")
    made_at = UtcDateTimeField()
    batch = pw.ForeignKeyField(ContactBatch, null=True, backref="changes")
    # Billing sent the same value back, or the customer changed it again.
    settled_at = UtcDateTimeField(null=True)

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
    """A new mail address of a login, until the link sent there is opened; see email_links."""

    account = pw.ForeignKeyField(Account, unique=True, on_delete="CASCADE")
    customer = pw.ForeignKeyField(Customer, index=False)  # whose contact changes with it
    address = pw.CharField(max_length=254)
    asked_at = UtcDateTimeField()


class Nickname(Table):
    """What a login calls a supply: «Casa al mare»."""

    account = pw.ForeignKeyField(Account, on_delete="CASCADE", index=False)
    supply = pw.ForeignKeyField(SupplyPoint, on_delete="CASCADE")
    text = pw.CharField(max_length=40)

    class Meta:
        primary_key = pw.CompositeKey("account", "supply")


class Mandate(Table):
    """A customer lets somebody see or act for some supplies; see domain/mandates.py.

    `account` is the login that accepted it, null while the invitation waits.
    """

    customer = pw.ForeignKeyField(Customer)
    name = pw.CharField(max_length=100)  # of the delegate, as the customer wrote it
    email = pw.CharField(max_length=254)  # that the invitation goes to
    scope = pw.CharField(max_length=10, constraints=[one_of("scope", "invoices", "everything")])
    ends_on = DayField()  # the last day
    given_at = UtcDateTimeField()
    account = pw.ForeignKeyField(Account, null=True, on_delete="SET NULL")
    accepted_at = UtcDateTimeField(null=True)
    used_on = DayField(null=True)  # the last day on which «Storico» tells that it was used
    ended_at = UtcDateTimeField(null=True)
    ended_by = pw.CharField(
        max_length=8,
        null=True,
        constraints=[one_of("ended_by", "customer", "delegate", "utility", "date")],
    )

    class Meta:
        constraints = [pw.Check("(ended_at IS NULL) = (ended_by IS NULL)")]


class MandateSupply(Table):
    """A mandate is for a supply."""

    mandate = pw.ForeignKeyField(Mandate, on_delete="CASCADE", index=False)
    supply = pw.ForeignKeyField(SupplyPoint, on_delete="CASCADE")

    class Meta:
        primary_key = pw.CompositeKey("mandate", "supply")

    @classmethod
    def of(cls, mandate_id):
        """The ids of a mandate's supplies, but not of one that has passed to another customer."""
        still = (SupplyPoint.id == cls.supply) & (SupplyPoint.customer == Mandate.customer)
        return (
            cls.select(cls.supply)
            .join(Mandate, on=cls.mandate == Mandate.id)
            .join(SupplyPoint, on=still)
            .where(cls.mandate == mandate_id)
        )


class CalendarLink(Table):
    """A private address of a supply's calendar; the address is signed, not kept."""

    account = pw.ForeignKeyField(Account, on_delete="CASCADE", index=False)
    supply = pw.ForeignKeyField(SupplyPoint, on_delete="CASCADE")
    nonce = pw.CharField(max_length=32, unique=True)
    created_at = UtcDateTimeField()

    class Meta:
        indexes = ((("account", "supply"), True),)


class ErasureRequest(Table):
    """The customer asks that personal data be erased; operators decide what the law keeps."""

    customer = pw.ForeignKeyField(Customer)
    account = pw.ForeignKeyField(Account, null=True, on_delete="SET NULL")
    made_at = UtcDateTimeField()
    withdrawn_at = UtcDateTimeField(null=True)
    settled_at = UtcDateTimeField(null=True)
    refusal = pw.TextField(null=True)  # why it was declined; null where the data were erased


class LeftoverFile(Table):
    """A file under documents/ whose row was erased, and that still has to be removed."""

    path = pw.CharField(max_length=255, unique=True)  # relative to documents/


ErasureRequest.add_index(
    ErasureRequest.index(
        ErasureRequest.customer,
        unique=True,
        where=(ErasureRequest.withdrawn_at.is_null() & ErasureRequest.settled_at.is_null()),
        name="erasure_request_one_open",
    )
)


# -- Prelievi Fatturati --------------------------------------------------------------------


class BilledConsumption(Table):
    """What one invoice charged for a period, in thousandths: Wh, or of a Smc of gas.

    Both days belong to the period. Power in W, reactive energy in varh.
    """

    supply = pw.ForeignKeyField(SupplyPoint, index=False)
    starts_on = DayField()
    ends_on = DayField()
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


# -- Ticket --------------------------------------------------------------------------------


class Ticket(Table):
    """What a customer asked, and its evolution. `code` is told to the customer."""

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
    # `open`: the utility's turn; `answered`: the customer's; `closed`.
    state = pw.CharField(
        max_length=8,
        default="open",
        constraints=[one_of("state", "open", "answered", "closed")],
    )
    opened_at = UtcDateTimeField()
    updated_at = UtcDateTimeField()
    closed_at = UtcDateTimeField(null=True)
    due_on = DayField(null=True)  # by when it must be answered, where a rule says so
    answered_at = UtcDateTimeField(null=True)  # the utility's first answer
    assigned_to = pw.ForeignKeyField(Operator, null=True, on_delete="SET NULL")

    class Meta:
        indexes = ((("customer", "updated_at"), False),)

    @classmethod
    def awaited_by(cls):
        """The deadline while the first answer is awaited: what follows it has none."""
        deadline = pw.Case(None, [(cls.answered_at.is_null(), cls.due_on)])
        return pw.NodeList((pw.SQL("("), deadline, pw.SQL(")")), glue="")  # in an index too

    @classmethod
    def of(cls, account_id):
        """The tickets that an account may see."""
        return (
            cls.select()
            .join(Grant, on=Grant.customer == cls.customer)
            .where(Grant.account == account_id)
        )


Ticket.add_index(Ticket.index(Ticket.state, Ticket.awaited_by(), Ticket.id, name="ticket_queue"))


class TicketMessage(Table):
    """One turn in a ticket; `account` is the customer's login, null for what operators wrote.

    Who closes or opens it again is a turn too; the text may then be empty.
    """

    ticket = pw.ForeignKeyField(Ticket, backref="messages", on_delete="CASCADE")
    kind = pw.CharField(
        max_length=8,
        default="text",
        constraints=[one_of("kind", "text", "closed", "reopened")],
    )
    at = UtcDateTimeField()
    by_customer = pw.BooleanField()
    account = pw.ForeignKeyField(Account, null=True, on_delete="SET NULL")
    # Who signs for the utility, or wrote down what the customer said.
    author = pw.CharField(max_length=200, null=True)
    delegate = pw.CharField(max_length=100, null=True)  # who wrote for the customer
    text = pw.TextField()
    # A note among operators: no customer ever sees it.
    internal = pw.BooleanField(default=False, constraints=[pw.SQL("DEFAULT FALSE")])


class Attachment(Table):
    """A file of a message, under documents/ticket/ with a name of our own making."""

    message = pw.ForeignKeyField(TicketMessage, backref="attachments", on_delete="CASCADE")
    path = pw.CharField(max_length=255, unique=True)  # relative to documents/
    name = pw.CharField(max_length=255)  # as the customer called it
    kind = pw.CharField(max_length=4, constraints=[one_of("kind", "pdf", "jpg", "png")])
    size = pw.IntegerField()
    sha256 = pw.CharField(max_length=64)


class StandardAnswer(Table):
    """A text that operators send often; see domain/standard_answers.py for its places."""

    title = pw.CharField(max_length=80, unique=True)
    text = pw.TextField()


# -- Misure elettriche ---------------------------------------------------------------------


class MeasuredDay(Table):
    """The quarter-hours of one supply, day and quantity, packed (see domain/measures.py)."""

    supply = pw.ForeignKeyField(SupplyPoint, index=False)
    quantity = pw.CharField(max_length=8, constraints=[one_of("quantity", "active", "reactive")])
    day = DayField()
    estimated = pw.BooleanField(default=False)
    values = pw.BlobField()
    # By a flow of the distributor that corrects an earlier one.
    rectified = pw.BooleanField(default=False, constraints=[pw.SQL("DEFAULT FALSE")])

    class Meta:
        indexes = ((("supply", "quantity", "day"), True),)


class RegisterReading(Table):
    """What a flow of measures says of a register such as EaF1, in Wh, varh or W.

    A `reading` is what the register shows on `day`, a `consumption` what passed until then.
    """

    supply = pw.ForeignKeyField(SupplyPoint, index=False)
    day = DayField()
    kind = pw.CharField(max_length=11, constraints=[one_of("kind", "reading", "consumption")])
    register = pw.CharField(max_length=8)
    value = pw.BigIntegerField()
    estimated = pw.BooleanField()
    rectified = pw.BooleanField()

    class Meta:
        indexes = ((("supply", "day", "kind", "register"), True),)


# -- I miei documenti, Documentazione Generica ---------------------------------------------


class Document(Table):
    """A document or notice: of one customer (`personal`), or for all.

    Where it has a `service` or a `town` it is for those who have such a supply. `source` is a
    text as it was written at the desk; `text` then is the same without its formatting.
    """

    category = pw.CharField(
        max_length=8,
        constraints=[one_of("category", "personal", "forms", "rules", "notices", "info")],
    )
    title = pw.CharField(max_length=200)
    date = DayField()
    text = pw.TextField(null=True)
    source = pw.TextField(null=True)
    folded = pw.TextField()  # title and text, as they are searched
    file = pw.ForeignKeyField(StoredFile, null=True, on_delete="SET NULL")
    customer = pw.ForeignKeyField(Customer, null=True, index=False)
    visible_from = DayField(null=True)
    visible_to = DayField(null=True)
    withdrawn_at = UtcDateTimeField(null=True)
    service = pw.CharField(max_length=3, null=True, constraints=[one_of("service", "EE", "GAS")])
    city = pw.CharField(max_length=100, null=True)  # as it is shown
    town = pw.CharField(max_length=100, null=True)  # as it is compared
    added_at = UtcDateTimeField()
    announced_at = UtcDateTimeField(null=True)  # those who see it were told by mail

    class Meta:
        constraints = [pw.Check("(category = 'personal') = (customer_id IS NOT NULL)")]
        indexes = ((("customer", "date"), False), (("date",), False))


Document.add_index(
    Document.index(Document.id, where=Document.announced_at.is_null(), name="document_to_announce")
)
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


class DocumentDraft(Table):
    """What an operator prepares to publish, seen by nobody else; see domain/publishing.py."""

    operator = pw.ForeignKeyField(Operator, on_delete="CASCADE")
    document = pw.ForeignKeyField(Document, null=True, on_delete="CASCADE")  # that it changes
    made_at = UtcDateTimeField()
    content = pw.TextField()  # JSON


# -- Storico -------------------------------------------------------------------------------


class Event(Table):
    """Something that happened on an account or to a customer; `details` is JSON.

    Accesses concern a login and have no customer; the rest has both where both are known.
    """

    at = UtcDateTimeField()
    kind = pw.CharField(max_length=40)
    account = pw.ForeignKeyField(Account, null=True, on_delete="CASCADE", index=False)
    customer = pw.ForeignKeyField(Customer, null=True, index=False)
    supply = pw.ForeignKeyField(SupplyPoint, null=True)
    details = pw.TextField(default="{}")

    class Meta:
        indexes = ((("account", "at"), False), (("customer", "at"), False))


# -- Registro attività ---------------------------------------------------------------------


class RegisterEntry(Table):
    """What an operator read or changed. Each row seals the one before (see domain/register.py)."""

    number = pw.IntegerField(unique=True)  # 1, 2, 3 … without a gap
    at = UtcDateTimeField()
    operator = pw.CharField(max_length=64)  # the user name, as it was
    kind = pw.CharField(max_length=40)
    customer_code = pw.CharField(max_length=16, null=True, index=True)
    details = pw.TextField()  # JSON
    seal = pw.CharField(max_length=64)  # HMAC-SHA256 of the row and of the seal before

    class Meta:
        indexes = ((("operator", "at"), False), (("kind", "at"), False))


class RegisterCheck(Table):
    """The last time that all seals were verified: one row, so that no page has to do it."""

    at = UtcDateTimeField()
    number = pw.IntegerField()  # of the last entry that there was
    broken = pw.IntegerField(null=True)  # the first that is not as it was written


# -- The jobs ------------------------------------------------------------------------------


class ImportedFile(Table):
    """What became of one file of the inbox. `report` (JSON) is what the clerk is told.

    Until `settled_at` the file itself still waits to be moved: a killed run left it there.
    """

    name = pw.CharField(max_length=255)
    kind = pw.CharField(max_length=20, null=True)
    sha256 = pw.CharField(max_length=64, index=True)
    size = pw.BigIntegerField()
    state = pw.CharField(
        max_length=10,
        index=True,
        constraints=[one_of("state", "applied", "rejected", "held", "repeated")],
    )
    report = pw.TextField(default="{}")
    at = UtcDateTimeField()
    settled_at = UtcDateTimeField(null=True)
    seconds = pw.FloatField(null=True)  # that judging it took
    # Where it brought invoices: the id of the last one before; customers are told of the newer.
    invoices_since = pw.IntegerField(null=True)
    # What the report counts, for lists.
    rows = pw.IntegerField(null=True)
    added = pw.IntegerField(null=True)
    changed = pw.IntegerField(null=True)
    unchanged = pw.IntegerField(null=True)
    warning_count = pw.IntegerField(null=True)
    error_count = pw.IntegerField(null=True)
    # What an operator decided of a file that was held.
    confirmed_at = UtcDateTimeField(null=True)
    discarded_at = UtcDateTimeField(null=True)


class UploadedFile(Table):
    """A file that an operator sent and nobody has put into the inbox yet.

    It lies in DATA_DIR/uploads/`folder`/`name`. `outcome` and `report`, as of an ImportedFile,
    are what would become of it; null until it was tried.
    """

    folder = pw.CharField(max_length=32, unique=True)
    name = pw.CharField(max_length=255)
    sha256 = pw.CharField(max_length=64)
    size = pw.BigIntegerField()
    at = UtcDateTimeField(index=True)
    operator = pw.CharField(max_length=64)  # user name
    outcome = pw.CharField(max_length=10, null=True)
    report = pw.TextField(null=True)
    tried_at = UtcDateTimeField(null=True)


class JobRun(Table):
    """One run of a job, for the operators and for monitoring."""

    job = pw.CharField(max_length=40)
    started_at = UtcDateTimeField()
    finished_at = UtcDateTimeField(null=True)
    exit_code = pw.IntegerField(null=True)
    summary = pw.TextField(null=True)

    class Meta:
        indexes = ((("job", "started_at"), False),)


TABLES = Table.__subclasses__()
