"""The tables of the first release."""

import models


def up(migrator, db):
    db.create_tables(models.TABLES)
