"""In which language the portal speaks to somebody: none is chosen until they choose."""


def up(migrator, db):
    # Nobody could choose so far: all rows said «it».
    db.execute_sql('ALTER TABLE "account" DROP COLUMN "language"')
    for table, column in (
        ("account", "language"),
        ("account", "last_language"),
        ("operator", "language"),
        ("outgoing_mail", "language"),
    ):
        db.execute_sql(f'ALTER TABLE "{table}" ADD COLUMN "{column}" VARCHAR(5)')
