"""Erased customers, why an erasure was declined, files that still have to be removed."""

import peewee as pw


def up(migrator, db):
    erase(db)


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
