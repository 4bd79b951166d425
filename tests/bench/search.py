"""The search of customers as an operator types, against the same page's partial without one."""

from pathlib import Path
from statistics import median

from playhouse.migrations import Runner

import models
from app import create_app
from domain import connections, operator_sessions, search
from domain.clock import utcnow
from models import Operator, db
from tests import postgres
from tests.bench import archive, server
from tests.bench.invoices import PARTIAL, settings

ROUNDS = 5
SECONDS = 1
CUSTOMERS = 50_000  # with two supplies each
PAGE = "/staff/clienti"
NAMES = (
    "ROSSI MARIO", "BIANCHI ANNA", "VERDI S.R.L.", "CONDOMINIO AURORA", "COMUNE DI PRATO",
    "NERI LUCIA", "D''AMICO NICCOLO", "ESPOSITO COSTRUZIONI SRL",
)  # fmt: skip
# What is typed, from rare to what every customer has.
TYPED = {
    "end of a POD": "079191",
    "two words": "niccolo 4823",
    "whole PDR": "00000104734237",
    "what all have": "it001e",
    "an address's end": "@example.it",
}


def fill(run):
    """Customers and supplies by SQL that both databases know."""
    names = " ".join(f"WHEN {place} THEN '{name}'" for place, name in enumerate(NAMES))
    numbers = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) INSERT INTO "
    )

    def digits(number, length):
        return f"substr(CAST(1{'0' * length} + {number} AS TEXT), 2)"

    run(
        numbers.format(CUSTOMERS) + "customer (id, code, name, vat_number, email, city, active) "
        f"SELECT i, {digits('i', 6)}, "
        f"CASE i % {len(NAMES)} {names} END || ' ' || (i * 7919 % 9973), "
        f"{digits('CAST(i AS BIGINT) * 104729', 11)}, 'cliente' || i || '@example.it', 'PRATO', "
        "i > 0 FROM n"
    )
    run(
        numbers.format(2 * CUSTOMERS) + "supply_point (id, code, customer_id, service, pdr, pod, "
        f"has_corrector) SELECT i, 'PR' || {digits('i', 6)}, (i + 1) / 2, "
        "CASE i % 2 WHEN 0 THEN 'GAS' ELSE 'EE' END, "
        f"CASE i % 2 WHEN 0 THEN {digits('CAST(i AS BIGINT) * 104729', 14)} END, "
        f"CASE i % 2 WHEN 1 THEN 'IT001E' || {digits('i * 7919', 8)} END, i < 0 FROM n"
    )


def build(url):
    """The archive at `url`, filled where it is empty."""
    database = connections.connect(url)
    Runner(database, archive.MIGRATIONS).up()
    if not Operator.select().exists():
        with models.writing():
            sign = "%" if models.is_sqlite() else "%%"  # psycopg has a use for single ones
            fill(lambda sql: database.execute_sql(sql.replace("%", sign)))
            search.catch_up()
            now = utcnow()
            Operator.create(
                username="misura", name="Misura", email="misura@example.it", role="operator",
                password_hash="-", must_change_password=False, totp_since=now, created_at=now,
            )  # fmt: skip
        database.execute_sql("ANALYZE")
    database.close_all()


def cookie(folder, url):
    """The Cookie header of a browser where that operator is signed in."""
    app = create_app(settings(folder, url))
    with app.test_request_context():
        now = utcnow()
        token = operator_sessions.open_session(Operator.get(), now=now)
        row = operator_sessions.load(token, now=now)
        token = operator_sessions.verified(row.session, now=now)
        signer = app.session_interface.get_signing_serializer(app)
        value = signer.dumps({"_operator": token, "csrf_token": "a" * 40})
    db.close()
    return {"Cookie": f"{app.config['SESSION_COOKIE_NAME']}={value}"}


def run(root=Path("bench-data")):
    """Rows of (what, requests/s, anchor's requests/s, ratio, promise), on both databases."""
    folder = (root / "search").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    rows = measured(folder, f"sqlite:///{folder / 'portale.db'}", "SQLite")
    with postgres.server() as url:
        return rows + (measured(folder, url, "PostgreSQL") if url else [])


def measured(folder, url, name):
    build(url)
    headers = cookie(folder, url) | PARTIAL
    named = {f"PORTALE_{key}": str(value) for key, value in settings(folder, url).items()}
    with server.granian("app:create_app", **named) as address:
        cases = {"": address + PAGE}
        for what, typed in TYPED.items():
            cases[what] = f"{address}{PAGE}?cerca={typed.replace(' ', '+').replace('@', '%40')}"
        speeds = {what: [] for what in cases}
        for _round in range(ROUNDS):  # interleaved, so that noise hits all alike
            for what, asked in cases.items():
                rate = server.requests_per_second(asked, headers, seconds=SECONDS)
                speeds[what].append(rate)
    rate = {what: median(values) for what, values in speeds.items()}
    return [
        (f"Search, {what}, {name}", rate[what], rate[""], rate[what] / rate[""], "0.33 or better")
        for what in TYPED
    ]
