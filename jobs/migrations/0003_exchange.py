"""What the exchange keeps beside: files of a batch, how long an import took, rectified measures."""

import peewee as pw


def up(migrator, db):
    class ReadingBatch(pw.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class BatchFile(pw.Model):
        batch = pw.ForeignKeyField(ReadingBatch)
        file_name = pw.CharField(max_length=60, unique=True)
        rows = pw.IntegerField()
        placed_at = pw.DateTimeField(null=True)
        content = pw.BlobField()

        class Meta:
            database = db
            legacy_table_names = False

    class SupplyPoint(pw.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class RegisterReading(pw.Model):
        supply = pw.ForeignKeyField(SupplyPoint, index=False)
        day = pw.DateField()
        kind = pw.CharField(
            max_length=11, constraints=[pw.Check("kind IN ('reading', 'consumption')")]
        )
        register = pw.CharField(max_length=8)
        value = pw.BigIntegerField()
        estimated = pw.BooleanField()
        rectified = pw.BooleanField()

        class Meta:
            database = db
            legacy_table_names = False
            indexes = ((("supply", "day", "kind", "register"), True),)

    # By hand, as in 0002.
    kind = "INTEGER" if isinstance(db, pw.SqliteDatabase) else "BOOLEAN"
    db.execute_sql(
        f'ALTER TABLE "measured_day" ADD COLUMN "rectified" {kind} NOT NULL DEFAULT FALSE'
    )
    db.execute_sql('ALTER TABLE "imported_file" ADD COLUMN "seconds" REAL')
    db.create_tables([BatchFile, RegisterReading])
