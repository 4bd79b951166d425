"""The operators' desk: operators, their sessions, the register of what they do."""

import models

ADDED = (
    models.Operator,
    models.RecoveryCode,
    models.OperatorSession,
    models.RegisterEntry,
)
COLUMNS = (  # by hand, as in 0002
    'ALTER TABLE "session" ADD COLUMN "operator_session_id" INTEGER '
    'REFERENCES "operator_session" ("id") ON DELETE CASCADE',
    'CREATE INDEX "session_operator_session_id" ON "session" ("operator_session_id")',
)


def up(migrator, db):
    db.create_tables(ADDED)
    for statement in COLUMNS:
        db.execute_sql(statement)
