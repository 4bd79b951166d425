"""The operators' desk: operators, their sessions, the register of what they do."""

import json
import re
import unicodedata

import peewee as pw

COLUMNS = (  # by hand, as in 0002
    'ALTER TABLE "session" ADD COLUMN "operator_session_id" INTEGER '
    'REFERENCES "operator_session" ("id") ON DELETE CASCADE',
    'CREATE INDEX "session_operator_session_id" ON "session" ("operator_session_id")',
    'ALTER TABLE "self_reading" ADD COLUMN "taken_for_id" INTEGER REFERENCES "customer" ("id")',
    'ALTER TABLE "self_reading" ADD COLUMN "operator_id" INTEGER '
    'REFERENCES "operator" ("id") ON DELETE SET NULL',
    'CREATE INDEX "self_reading_day" ON "self_reading" ("day", "id")',
    'CREATE INDEX "self_reading_odd" ON "self_reading" ("day", "id") WHERE "confirmed"',
    'CREATE INDEX "self_reading_told" ON "self_reading" ("day", "id") '
    'WHERE ("taken_for_id" IS NOT NULL)',
    'CREATE INDEX "self_reading_state" ON "self_reading" ("state", "day", "id")',
    'ALTER TABLE "supply_point" ADD COLUMN "town" VARCHAR(100)',
    'CREATE INDEX "supply_point_town_city" ON "supply_point" ("town", "city")',
    'CREATE INDEX "document_date" ON "document" ("date")',
    'ALTER TABLE "document" ADD COLUMN "source" TEXT',
    "ALTER TABLE \"document\" ADD COLUMN \"service\" VARCHAR(3) CHECK (service IN ('EE', 'GAS'))",
    'ALTER TABLE "document" ADD COLUMN "city" VARCHAR(100)',
    'ALTER TABLE "document" ADD COLUMN "town" VARCHAR(100)',
)
COUNTS = ("rows", "added", "changed", "unchanged", "warning_count", "error_count")


def up(migrator, db):
    db.create_tables(desk_tables(db))
    for statement in COLUMNS:
        db.execute_sql(statement)
    count_imports(db)
    address_documents(db)
    work_on_tickets(db)
    prepare_mail(db)


def desk_tables(db):
    """Operators and what belongs to them, drafts, standard answers, files that were sent."""

    class Table(pw.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Document(Table):
        pass

    class Operator(Table):
        username = pw.CharField(max_length=64, unique=True)
        name = pw.CharField(max_length=100)
        email = pw.CharField(max_length=254)
        role = pw.CharField(
            max_length=13, constraints=[pw.Check("role IN ('operator', 'administrator')")]
        )
        password_hash = pw.CharField(max_length=200)
        must_change_password = pw.BooleanField(default=True)
        totp_nonce = pw.CharField(max_length=32, null=True)
        totp_since = pw.DateTimeField(null=True)
        totp_step = pw.BigIntegerField(null=True)
        created_at = pw.DateTimeField()
        last_access_at = pw.DateTimeField(null=True)
        disabled_at = pw.DateTimeField(null=True)

    class RecoveryCode(Table):
        operator = pw.ForeignKeyField(Operator, on_delete="CASCADE")
        digest = pw.CharField(max_length=64, unique=True)
        used_at = pw.DateTimeField(null=True)

    class OperatorSession(Table):
        operator = pw.ForeignKeyField(Operator, on_delete="CASCADE")
        digest = pw.CharField(max_length=64, unique=True)
        created_at = pw.DateTimeField()
        seen_at = pw.DateTimeField()
        previous_access_at = pw.DateTimeField(null=True)
        verified_at = pw.DateTimeField(null=True)

    class RegisterEntry(Table):
        number = pw.IntegerField(unique=True)
        at = pw.DateTimeField()
        operator = pw.CharField(max_length=64)
        kind = pw.CharField(max_length=40)
        customer_code = pw.CharField(max_length=16, null=True, index=True)
        details = pw.TextField()
        seal = pw.CharField(max_length=64)

        class Meta:
            indexes = ((("operator", "at"), False), (("kind", "at"), False))

    class RegisterCheck(Table):
        at = pw.DateTimeField()
        number = pw.IntegerField()
        broken = pw.IntegerField(null=True)

    class DocumentDraft(Table):
        operator = pw.ForeignKeyField(Operator, on_delete="CASCADE")
        document = pw.ForeignKeyField(Document, null=True, on_delete="CASCADE")
        made_at = pw.DateTimeField()
        content = pw.TextField()

    class StandardAnswer(Table):
        title = pw.CharField(max_length=80, unique=True)
        text = pw.TextField()

    class UploadedFile(Table):
        folder = pw.CharField(max_length=32, unique=True)
        name = pw.CharField(max_length=255)
        sha256 = pw.CharField(max_length=64)
        size = pw.BigIntegerField()
        at = pw.DateTimeField(index=True)
        operator = pw.CharField(max_length=64)
        outcome = pw.CharField(max_length=10, null=True)
        report = pw.TextField(null=True)
        tried_at = pw.DateTimeField(null=True)

    return [
        Operator,
        RecoveryCode,
        OperatorSession,
        RegisterEntry,
        RegisterCheck,
        DocumentDraft,
        StandardAnswer,
        UploadedFile,
    ]


def address_documents(db):
    """For whom documents are: by the city of a supply, as it is compared."""
    kind = "DATETIME" if isinstance(db, pw.SqliteDatabase) else "TIMESTAMP"
    db.execute_sql(f'ALTER TABLE "document" ADD COLUMN "withdrawn_at" {kind}')
    for (city,) in db.execute_sql('SELECT DISTINCT "city" FROM "supply_point"').fetchall():
        if city:
            plain = unicodedata.normalize("NFKD", city.replace("’", "'"))
            letters = (each for each in plain if not unicodedata.combining(each) and each != "'")
            town = " ".join(re.sub(r"[^a-z0-9]", " ", "".join(letters).casefold()).split())
            update = f'UPDATE "supply_point" SET "town" = {db.param} WHERE "city" = {db.param}'  # noqa: S608
            db.execute_sql(update, (town or None, city))


def prepare_mail(db):
    """Notices one by one, mail for many, and what is told once; nothing old is announced."""
    on_sqlite = isinstance(db, pw.SqliteDatabase)
    truth, instant = ("INTEGER", "DATETIME") if on_sqlite else ("BOOLEAN", "TIMESTAMP")
    for name in ("readings", "invoices", "documents", "tickets"):
        db.execute_sql(
            f'ALTER TABLE "account" ADD COLUMN "notices_{name}" {truth} NOT NULL DEFAULT TRUE'
        )
    for name in ("bulk", "reported"):
        db.execute_sql(
            f'ALTER TABLE "outgoing_mail" ADD COLUMN "{name}" {truth} NOT NULL DEFAULT FALSE'
        )
    for statement in (
        'ALTER TABLE "outgoing_mail" ADD COLUMN "once" VARCHAR(120)',
        'CREATE UNIQUE INDEX "outgoing_mail_once" ON "outgoing_mail" ("once")',
        f'ALTER TABLE "outgoing_mail" ADD COLUMN "given_up_at" {instant}',
        'CREATE INDEX "outgoing_mail_state_bulk_due_at_id" '
        'ON "outgoing_mail" ("state", "bulk", "due_at", "id")',
        f'ALTER TABLE "document" ADD COLUMN "announced_at" {instant}',
        'UPDATE "document" SET "announced_at" = "added_at"',
        'CREATE INDEX "document_to_announce" ON "document" ("id") WHERE ("announced_at" IS NULL)',
    ):
        db.execute_sql(statement)


def work_on_tickets(db):
    """Whose a ticket is, when it was first answered, notes that no customer sees."""
    sqlite = isinstance(db, pw.SqliteDatabase)
    moment, boolean = ("DATETIME", "INTEGER") if sqlite else ("TIMESTAMP", "BOOLEAN")
    for statement in (
        f'ALTER TABLE "ticket" ADD COLUMN "answered_at" {moment}',
        'ALTER TABLE "ticket" ADD COLUMN "assigned_to_id" INTEGER '
        'REFERENCES "operator" ("id") ON DELETE SET NULL',
        'CREATE INDEX "ticket_assigned_to_id" ON "ticket" ("assigned_to_id")',
        'CREATE INDEX "ticket_queue" ON "ticket" '
        '("state", (CASE WHEN ("answered_at" IS NULL) THEN "due_on" END), "id")',
        f'ALTER TABLE "ticket_message" ADD COLUMN "internal" {boolean} NOT NULL DEFAULT FALSE',
        'UPDATE "ticket" SET "answered_at" = (SELECT MIN("at") FROM "ticket_message" '
        'WHERE "ticket_id" = "ticket"."id" AND NOT "by_customer" AND "kind" = \'text\')',
    ):
        db.execute_sql(statement)


def count_imports(db):
    """What the reports of imported files count, in columns of their own; and what is decided."""
    for name in COUNTS:
        db.execute_sql(f'ALTER TABLE "imported_file" ADD COLUMN "{name}" INTEGER')
    for name in ("confirmed_at", "discarded_at"):
        kind = "DATETIME" if isinstance(db, pw.SqliteDatabase) else "TIMESTAMP"
        db.execute_sql(f'ALTER TABLE "imported_file" ADD COLUMN "{name}" {kind}')
    db.execute_sql('ALTER TABLE "imported_file" ADD COLUMN "invoices_since" INTEGER')
    db.execute_sql('CREATE INDEX "imported_file_state" ON "imported_file" ("state")')
    told = db.execute_sql('SELECT "report", "id" FROM "imported_file"').fetchall()
    values = ", ".join(f'"{name}" = {db.param}' for name in COUNTS)
    update = f'UPDATE "imported_file" SET {values} WHERE "id" = {db.param}'  # noqa: S608 (our names)
    for report, number in told:
        db.execute_sql(update, (*map(json.loads(report).get, COUNTS), number))
