"""The conventions of the tables, on whichever database the tests run."""

import datetime as dt
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import peewee as pw
import pytest

from domain import connections
from domain.connections import without_waiting
from models import Customer, Param, Prepared, SelfReading, SupplyPoint, db, writing
from tests.conftest import ON_POSTGRESQL, PRAGMAS
from tests.factories import make_customer, make_electricity, make_gas, make_self_reading

DAY = dt.date(2026, 11, 3)


def test_a_prepared_query_runs_again_with_new_values(app):
    first, second = make_gas(active_from=DAY), make_electricity(active_from=None)
    by_code = Prepared(
        "code",
        lambda code: SupplyPoint.select(
            SupplyPoint.code, SupplyPoint.active_from, SupplyPoint.has_corrector
        ).where(SupplyPoint.code == code),
    )
    assert by_code(code=first.code) == [(first.code, DAY, False)]
    assert by_code.first(code=second.code).active_from is None
    assert by_code(code="nessuna") == []


def test_a_prepared_query_takes_limits_and_instants(app):
    supply = make_gas()
    now = dt.datetime(2026, 11, 3, 12, 0, tzinfo=dt.UTC)
    for days in range(3):
        make_self_reading(supply, DAY + dt.timedelta(days), 10, entered_at=now)
    entered = Prepared(
        "before count",
        lambda before, count: (
            SelfReading.select(SelfReading.day, SelfReading.entered_at)
            .where(SelfReading.entered_at <= before)
            .order_by(SelfReading.day)
            .limit(count)
        ),
    )
    rome = now.astimezone(dt.timezone(dt.timedelta(hours=1)))
    assert entered(before=rome, count=2) == [(DAY, now), (DAY + dt.timedelta(1), now)]
    assert entered(before=now - dt.timedelta(seconds=1), count=2) == []


def test_a_param_outside_a_prepared_query_is_only_a_place(app):
    query = SupplyPoint.select(SupplyPoint.code).where(SupplyPoint.code == Param("code"))
    assert query.sql()[1][0].name == "code"


def test_an_instant_needs_its_zone(app):
    with pytest.raises(ValueError, match="time zone"):
        make_self_reading(make_gas(), DAY, 10, entered_at=dt.datetime(2026, 11, 3))  # noqa: DTZ001


def test_one_live_self_reading_a_day(app):
    supply = make_gas()
    make_self_reading(supply, DAY, 10, state="cancelled")
    make_self_reading(supply, DAY, 11)
    with pytest.raises(pw.IntegrityError), writing():
        make_self_reading(supply, DAY, 12)
    assert SelfReading.select().where(SelfReading.counter == 12).count() == 0


def test_an_acquired_reading_has_its_batch(app):
    with pytest.raises(pw.IntegrityError), writing():
        make_self_reading(make_gas(), DAY, 10, state="acquired")


def test_a_supply_has_the_code_of_its_service(app):
    with pytest.raises(pw.IntegrityError), writing():
        make_gas(pdr=None)


def test_a_customer_with_supplies_stays(app):
    customer = make_customer()
    make_gas(customer)
    with pytest.raises(pw.IntegrityError), writing():
        customer.delete_instance()


@pytest.mark.skipif(ON_POSTGRESQL, reason="PostgreSQL's safety is its server's own setting")
def test_the_archive_is_safe_against_a_power_cut(app, settings, monkeypatch):
    monkeypatch.setattr(connections, "SQLITE_PRAGMAS", PRAGMAS)
    connections.connect(settings["DATABASE_URL"])
    assert db.journal_mode == "wal"
    assert db.synchronous == 2  # FULL
    assert db.foreign_keys == 1


@pytest.mark.skipif(ON_POSTGRESQL, reason="only SQLite has one writer at a time")
def test_a_statement_that_must_not_wait_does_not(app, settings):
    other = sqlite3.connect(settings["DATA_DIR"] / "portale.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    start = time.monotonic()
    with pytest.raises(pw.OperationalError), without_waiting():
        make_customer()
    assert time.monotonic() - start < 1
    other.execute("ROLLBACK")
    other.close()
    assert db.execute_sql("PRAGMA busy_timeout").fetchone()[0] == 5000


@pytest.mark.skipif(ON_POSTGRESQL, reason="only SQLite has one writer at a time")
def test_writers_of_a_process_stand_in_line(app):
    """SQLite queues nobody: of many who ask again and again, some would never get in."""
    asking, let_go = threading.Event(), threading.Event()

    def hold():
        with db.connection_context(), writing(), writing():
            asking.set()
            let_go.wait()

    with ThreadPoolExecutor(1) as threads:
        threads.submit(hold)
        asking.wait()
        try:
            with pytest.raises(pw.OperationalError, match="locked"), without_waiting(), writing():
                pass
        finally:
            let_go.set()
        with writing():
            make_customer()
    assert Customer.select().count() == 1


@pytest.mark.skipif(ON_POSTGRESQL, reason="only SQLite has one writer at a time")
def test_who_stood_in_line_waits_for_other_processes_only_as_long_as_is_left(app, monkeypatch):
    asking, let_go = threading.Event(), threading.Event()
    begin, left = pw.SqliteDatabase.begin, []

    def hold():
        with db.connection_context(), writing():
            asking.set()
            let_go.wait()

    def begin_seen(database, lock_type=None):
        left.append(database.execute_sql("PRAGMA busy_timeout").fetchone()[0])
        begin(database, lock_type)

    with ThreadPoolExecutor(1) as threads:
        threads.submit(hold)
        asking.wait()
        monkeypatch.setattr(pw.SqliteDatabase, "begin", begin_seen)
        threading.Timer(0.2, let_go.set).start()
        with writing(), writing():
            make_customer()
    with writing():
        pass
    assert left[0] < 4950
    assert left[1:] == [5000]


def test_a_thread_beyond_the_last_connection_waits_for_one(app):
    db.close()
    most = db.obj._max_connections
    taken, let_go = threading.Barrier(most + 1), threading.Event()

    def hold():
        with db.connection_context():
            taken.wait()
            let_go.wait()

    with ThreadPoolExecutor(most) as threads:
        for _ in range(most):
            threads.submit(hold)
        taken.wait()
        threading.Timer(0.2, let_go.set).start()
        assert Customer.select().count() == 0


def test_a_full_disk_is_told_as_such_and_leaves_nothing(app):
    if not isinstance(db.obj, pw.SqliteDatabase):
        return  # PostgreSQL rolls back only when told to
    (pages,) = db.execute_sql("PRAGMA page_count").fetchone()
    db.execute_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(pw.OperationalError, match="disk is full"), writing():
        Customer.insert_many(
            {"code": n, "name": "A" * 99, "tax_code": n} for n in range(999)
        ).execute()
    assert Customer.select().count() == 0
