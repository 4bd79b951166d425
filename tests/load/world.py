"""The archive of `make load`: 50,000 customers, all with a login, some signed in already."""

import datetime as dt
import hashlib
import json
import secrets
import shutil
from pathlib import Path

import models
from app import create_app
from domain import sessions
from domain.clock import utcnow
from tests.bench import archive
from tests.factories import PASSWORD, PASSWORD_HASH

CUSTOMERS = 50_000
BROWSERS = 400  # who look at pages and documents
READINGS = 25  # in a second, of which some never come
PDF = b"%PDF-1.4\n" + b"% una fattura\n" * 4000 + b"%%EOF\n"
COOKIE = "__Host-portale"


def make(folder, settings, seconds):
    """A fresh archive in the DATA_DIR of `settings`; return who there is, for the plan."""
    full = kept(folder)
    archive.build(full, customers=CUSTOMERS)
    data = settings["DATA_DIR"]
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    shutil.copy(full / "portale.db", data)
    app = create_app(settings)
    (data / "documents" / "prova.pdf").write_bytes(PDF)
    with app.app_context(), models.writing():
        fill()
        browsers = [browser(app, number, seconds) for number in range(1, BROWSERS + 1)]
        first = BROWSERS + 1
        last = min(first + READINGS * seconds * 2 // 3, CUSTOMERS // 2)
        readers = [browser(app, number, seconds) for number in range(first, last)]
    models.db.close_all()
    logins = [f"{number:06d}" for number in range(CUSTOMERS // 2, CUSTOMERS)]
    return {"browsers": browsers, "readers": readers, "logins": logins, "password": PASSWORD}


def kept(folder):
    """Where the archive is kept from run to run, for as long as its tables stay the same."""
    changes = sorted(Path(archive.MIGRATIONS).glob("*.py"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in changes)).hexdigest()
    return folder / f"archive-{digest[:12]}"


def fill():
    """What the archive of the bench lacks: logins, a window that is open, documents."""
    run = models.db.execute_sql
    now = utcnow()
    plain = now.replace(tzinfo=None)
    run(
        "INSERT INTO account (username, email, password_hash, created_at) "
        "SELECT code, code || '@example.it', ?, ? FROM customer WHERE code <> '999999'",
        (PASSWORD_HASH, plain),
    )
    run(
        "INSERT INTO account_grant (account_id, customer_id) SELECT account.id, customer.id "
        "FROM account JOIN customer ON customer.code = account.username "
        "WHERE customer.code <> '999999'"
    )
    run("UPDATE stored_file SET size = ?", (len(PDF),))
    run("UPDATE invoice SET document_id = (SELECT min(id) FROM stored_file)")
    models.ReadingWindow.create(
        key="carico", opens_at=now - dt.timedelta(days=1), closes_at=now + dt.timedelta(days=1)
    )


def browser(app, number, seconds):
    """A signed-in browser of that customer, with what it may ask for."""
    token, now = secrets.token_urlsafe(32), utcnow()
    account = models.Account.get(models.Account.username == f"{number:06d}")
    models.Session.create(
        account=account,
        digest=sessions.digest(token),
        created_at=now,
        seen_at=now + dt.timedelta(seconds=seconds),  # nobody is idle, however long the run
    )
    content = {"_user_id": token, "_fresh": True, "csrf_token": secrets.token_hex(20)}
    cookie = app.session_interface.get_signing_serializer(app).dumps(content)
    gas = 2 * number  # as tests.bench.archive numbers supplies and invoices
    invoices = [24 * (number - 1) + each for each in range(2, 24, 2)]
    return {"supply": f"PR{gas:06d}", "cookies": {COOKIE: cookie}, "invoices": invoices}


def write_invoices(path, run, rows):
    """A file of new invoices, for the import that runs beside the customers."""
    lines = ["numero;data;codice_cliente;codice_fornitura;tipo;scadenza;importo;stato"]
    for n in range(rows):
        number = n % CUSTOMERS + 1
        lines.append(
            f"C{run}-{n};01/11/2026;{number:06d};PR{2 * number:06d};fattura;30/11/2026;"
            f"{n % 900 + 10},{n % 100:02d};da_pagare"
        )
    draft = path.with_suffix(".tmp")
    draft.write_text("\n".join(lines) + "\n")
    draft.rename(path)


def save(plan, path):
    path.write_text(json.dumps(plan))
