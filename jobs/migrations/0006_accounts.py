"""What settles a request for erasure, and a second factor for customers who want one."""

import peewee as pw


def up(migrator, db):
    erase(db)
    add_second_factor(db)


def erase(db):
    """What settling a request for erasure leaves."""

    class LeftoverFile(pw.Model):
        path = pw.CharField(max_length=255, unique=True)

        class Meta:
            database = db
            legacy_table_names = False

    instant = "DATETIME" if isinstance(db, pw.SqliteDatabase) else "TIMESTAMP"
    db.execute_sql(f'ALTER TABLE "customer" ADD COLUMN "erased_at" {instant}')
    db.execute_sql('ALTER TABLE "erasure_request" ADD COLUMN "refusal" TEXT')
    db.create_tables([LeftoverFile])


def add_second_factor(db):
    """Of customers' logins: columns as operators have them, and codes for a lost telephone."""

    class Account(pw.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class AccountRecoveryCode(pw.Model):
        account = pw.ForeignKeyField(Account, on_delete="CASCADE")
        digest = pw.CharField(max_length=64, unique=True)
        used_at = pw.DateTimeField(null=True)

        class Meta:
            database = db
            legacy_table_names = False

    on_sqlite = isinstance(db, pw.SqliteDatabase)
    instant = "DATETIME" if on_sqlite else "TIMESTAMP"
    truth, count = ("INTEGER", "INTEGER") if on_sqlite else ("BOOLEAN", "BIGINT")
    for statement in (
        'ALTER TABLE "account" ADD COLUMN "totp_nonce" VARCHAR(32)',
        f'ALTER TABLE "account" ADD COLUMN "totp_since" {instant}',
        f'ALTER TABLE "account" ADD COLUMN "totp_step" {count}',
        f'ALTER TABLE "session" ADD COLUMN "awaits_code" {truth} NOT NULL DEFAULT FALSE',
    ):
        db.execute_sql(statement)
    db.create_tables([AccountRecoveryCode])
