"""An archive of SQLite goes to PostgreSQL as it is, or not at all."""

import datetime as dt
import os
import shutil
import sqlite3
import sys
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from playhouse.migrations import Runner

import models
from app import create_app
from domain import connections, register, transfer
from domain.clock import utcnow
from domain.errors import Refused
from jobs import move_to_postgresql
from models import Customer, Event, Invoice, JobRun, MeasuredDay, SupplyPoint
from tests import strace
from tests.conftest import MIGRATIONS, ON_POSTGRESQL, empty
from tests.factories import (
    make_account,
    make_attachment,
    make_customer,
    make_electricity,
    make_event,
    make_file,
    make_gas,
    make_invoice,
    make_measured_day,
    make_self_reading,
    make_ticket,
)
from tests.jobs import process

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(not ON_POSTGRESQL, reason="needs a server of PostgreSQL"),
]
TODAY = dt.date(2026, 11, 23)


@pytest.fixture
def archive(settings):
    """An archive of SQLite in the data folder, migrated; the one in use while it is filled."""
    path = settings["DATA_DIR"] / "portale.db"
    database = connections.connect(f"sqlite:///{path}")
    Runner(database, MIGRATIONS).up()
    database.close_all()
    yield path
    models.db.close_all()


@pytest.fixture
def full(archive, settings):
    """An archive with every sort of value."""
    app = create_app(settings | {"DATABASE_URL": f"sqlite:///{archive}"})
    customer = make_customer("000002", name="D'ANCONA «È» \\N \t\n;", fax=None, active=False)
    account = make_account(customer, last_access_at=utcnow())
    gas = make_gas(customer, coefficient_c=Decimal("1.02345"), has_corrector=True)
    power = make_electricity(customer, committed_power_kw=Decimal(6), ended_on=TODAY)
    make_invoice(customer, gas, power, amount_cents=-(2**40))
    make_file(app, "bolletta.pdf")
    make_measured_day(power, TODAY)
    make_self_reading(gas, TODAY, 100, entered_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    make_attachment(app, make_ticket(customer))
    make_event("access", account=account, details="")
    for number in range(3):
        key = register.key(app.secret_key)
        register.record("customer_read", "perché", key=key, now=utcnow(), count=number)
    models.db.close_all()
    return archive


@pytest.fixture
def app(settings):
    """The portal on PostgreSQL, as the settings now say."""
    app = create_app(settings, any_release=True)
    with app.app_context():
        yield app
    models.db.close_all()


def move(app, **options):
    return move_to_postgresql.run(app, now=utcnow(), **options)


def test_everything_arrives_as_it_was(full, app):
    said = move(app)
    assert said.startswith("Trasferite e confrontate ")
    customer = Customer.get()
    assert (customer.code, customer.name) == ("000002", "D'ANCONA «È» \\N \t\n;")
    assert (customer.fax, customer.active) == (None, False)
    gas, power = SupplyPoint.select().order_by(SupplyPoint.id)
    assert (gas.coefficient_c, gas.has_corrector) == (Decimal("1.023450"), True)
    assert (power.committed_power_kw, power.ended_on) == (Decimal(6), TODAY)
    assert Invoice.get().amount_cents == -(2**40)
    assert len(bytes(MeasuredDay.get().values)) > 0
    assert Event.select().count() == 1
    assert [name for name in os.listdir(full.parent) if name.startswith("portale.db")] == [
        "portale.db.trasferito"
    ]


def test_the_chain_of_the_register_holds_and_goes_on(full, app):
    move(app)
    key = register.key(app.secret_key)
    register.record("customer_read", "anna", key=key, now=utcnow())
    assert register.head()[0] == 4
    assert register.first_broken(key) is None


def test_new_rows_follow_those_that_came(full, app):
    move(app)
    assert make_customer().id == Customer.select().order_by(Customer.id).first().id + 1
    assert make_invoice(Customer.get()).id > 1


def test_as_a_command_it_also_makes_the_tables(full, settings):
    server, _slash, _name = settings["DATABASE_URL"].rpartition("/")
    database = connections.connect(settings["DATABASE_URL"])
    database.execute_sql("DROP DATABASE IF EXISTS moved")
    database.execute_sql("CREATE DATABASE moved")
    database.close_all()
    try:
        done = process.job(settings, "move_to_postgresql", DATABASE_URL=f"{server}/moved")
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        again = process.job(settings, "send_mail", DATABASE_URL=f"{server}/moved")
        assert again.returncode == 0, again.stdout
    finally:
        database = connections.connect(settings["DATABASE_URL"])
        database.execute_sql("DROP DATABASE moved WITH (FORCE)")
        database.close_all()


def test_an_archive_in_use_is_not_moved(full, app):
    with closing(sqlite3.connect(full)) as portal:
        portal.execute("SELECT 1 FROM customer").fetchone()
        with pytest.raises(Refused, match=r"è in uso: fermare il portale e i lavori"):
            move(app)
    assert not Customer.select().exists()
    assert full.exists()
    move(app)


def test_meanwhile_nobody_gets_into_the_archive(full, app, monkeypatch):
    errors = []
    check = transfer.check

    def intruded(*given):
        with closing(sqlite3.connect(full, timeout=0)) as portal:
            try:
                portal.execute("SELECT 1 FROM customer").fetchone()
            except sqlite3.OperationalError as error:
                errors.append(str(error))
        check(*given)

    monkeypatch.setattr(transfer, "check", intruded)
    move(app)
    assert set(errors) == {"database is locked"}


def test_a_database_that_holds_anything_is_left_alone(full, app):
    JobRun.create(job="send_mail", started_at=utcnow())
    make_customer("999999")
    with pytest.raises(Refused, match=r"contiene già dati \(tabella customer\)"):
        move(app)
    assert [row.code for row in Customer.select()] == ["999999"]
    assert JobRun.select().count() == 1
    Customer.delete().execute()
    move(app)
    assert Customer.get().code == "000002"
    assert not JobRun.select().exists()


def test_a_run_cut_after_its_commit_is_completed(full, app, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(move_to_postgresql, "put_aside", lambda _archive: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            move(app)
    assert full.exists()
    assert move(app).startswith("Trasferite e confrontate ")
    assert not full.exists()
    assert make_customer().id == Customer.select().order_by(Customer.id).first().id + 1


@pytest.mark.slow
@pytest.mark.everywhere
def test_killed_or_refused_anywhere_the_next_run_moves_it(full, settings, tmp_path):
    strace.needed()
    command = [sys.executable, "-m", "jobs.move_to_postgresql"]
    kept, aside = tmp_path / "kept", Path(f"{full}.trasferito")
    shutil.copy(full, kept)
    calls = strace.calls_of(command, settings, tmp_path / "calls")
    failed = 0
    for where in strace.faults(calls, 3):
        aside.unlink()
        shutil.copy(kept, full)
        connections.connect(settings["DATABASE_URL"])
        empty(models.db.obj)
        models.db.close_all()
        failed += strace.faulty(command, settings, *where).returncode != 0
        done = process.finished(command, settings)
        assert done.returncode == 0 or "indicarlo con --archive" in done.stdout, (where, done)
        connections.connect(settings["DATABASE_URL"])
        assert (Customer.get().code, Event.select().count()) == ("000002", 1), where
        models.db.close_all()
        assert aside.exists(), where
    assert failed > 5


def test_what_postgresql_refuses_is_told_and_nothing_is_moved(full, app):
    with closing(sqlite3.connect(full)) as portal, portal:
        portal.execute("UPDATE customer SET postcode = ?", ("0" * 21,))
    with pytest.raises(Refused, match=r"tabella customer .*\(COPY customer, line 1, column postc"):
        move(app)
    assert not models.Account.select().exists()
    assert full.exists()


def test_text_with_a_zero_byte_is_told(full, app):
    with closing(sqlite3.connect(full)) as portal, portal:
        portal.execute("UPDATE customer SET city = ?", ("PRA\0TO",))
    with pytest.raises(Refused, match=r"tabella customer "):
        move(app)


def test_a_copy_that_differs_is_found_out(full, app, monkeypatch):
    copy = transfer.copy

    def altered(model, source, progress):
        content = copy(model, source, progress)
        if model is Invoice:
            Invoice.update(paid=True).execute()
        return content

    monkeypatch.setattr(transfer, "copy", altered)
    with pytest.raises(Refused, match="tabella invoice, riletta da PostgreSQL, non è come"):
        move(app)
    assert not Customer.select().exists()


def test_an_archive_of_another_release_is_not_moved(full, app):
    with closing(sqlite3.connect(full)) as portal, portal:
        portal.execute("DELETE FROM schema_migration WHERE name LIKE '0003%'")
    with pytest.raises(Refused, match=r"eseguire prima «python -m jobs\.migrate»"):
        move(app)


def test_what_is_no_archive_is_told(app, settings, tmp_path):
    with pytest.raises(Refused, match="non c'è"):
        move(app)
    shutil.copy(__file__, tmp_path / "testo")
    with pytest.raises(Refused, match="non si legge"):
        move(app, archive=tmp_path / "testo")


def test_without_the_new_setting_nothing_is_done(full, settings):
    app = create_app(settings | {"DATABASE_URL": f"sqlite:///{full}"})
    with pytest.raises(Refused, match="PORTALE_DATABASE_URL"):
        move(app)
