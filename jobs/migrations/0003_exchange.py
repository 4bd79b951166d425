"""What the exchange keeps beside: files of a batch, how long an import took."""

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

    # By hand, as in 0002.
    db.execute_sql('ALTER TABLE "imported_file" ADD COLUMN "seconds" REAL')
    db.create_tables([BatchFile])
