"""The list of the desk reads no table from end to end; one reading, whoever was first."""

import datetime as dt

import pytest

from domain import readings, self_readings
from domain.clock import rome_day, utcnow
from domain.errors import Refused
from domain.self_readings import Choice
from models import SelfReading, db, is_sqlite
from tests.conftest import ON_POSTGRESQL
from tests.factories import (
    make_account,
    make_gas,
    make_operator,
    make_self_reading,
    make_window,
)
from tests.together import at_once


@pytest.fixture(autouse=True)
def archive(app):
    """Every test here reads the archive."""


def plan_of(query):
    """What the database would do, as text."""
    sql, values = query.sql()
    explained = "EXPLAIN QUERY PLAN" if is_sqlite() else "EXPLAIN"
    return [row[-1] for row in db.execute_sql(f"{explained} {sql}", values).fetchall()]


@pytest.mark.skipif(ON_POSTGRESQL, reason="PostgreSQL decides by how much there is")
@pytest.mark.parametrize("sort", self_readings.SORTS)
@pytest.mark.parametrize(
    ("choice", "index"),
    [
        (Choice(), "self_reading_day"),
        (Choice(state="rejected"), "self_reading_state"),
        (Choice(odd=True), "self_reading_odd"),
        (Choice(by_telephone=True), "self_reading_told"),
        (Choice(since=dt.date(2026, 1, 1), until=dt.date(2026, 2, 1)), "self_reading_day"),
        (Choice(supplies=(1, 2)), "self_reading_supply_id_day"),
        (Choice(batch=3), "self_reading_batch_id"),
    ],
)
def test_each_choice_has_its_index_and_the_usual_ones_need_no_sorting(choice, index, sort):
    steps = plan_of(self_readings._rows(choice, sort).limit(20))
    assert any(f"t1 USING INDEX {index}" in step for step in steps), steps
    assert not any(step.startswith("SCAN") and "USING" not in step for step in steps)
    if not (choice.supplies or choice.batch):
        assert not any("TEMP B-TREE" in step for step in steps)


def test_the_customer_and_the_operator_at_once_make_one_reading():
    supply = make_gas()
    account, operator = make_account(supply.customer), make_operator()
    make_window()
    now = utcnow()
    given = (
        {"account": account.id, "now": now},
        {"operator": operator, "now": now},
    )
    results = at_once(*[lambda who=who: readings.submit(supply, 100, None, **who) for who in given])
    assert sum(isinstance(each, Refused) for each in results) == 1
    assert SelfReading.select().count() == 1


def test_the_file_has_every_row_once_however_it_is_cut(monkeypatch):
    supply, today = make_gas(), rome_day(utcnow())
    for number in range(7):
        make_self_reading(supply, today, number, state="cancelled")  # of one day
    for size in (1, 2, 3, 7, 8):
        monkeypatch.setattr(self_readings, "AT_ONCE", size)
        _columns, rows = self_readings.sheet(Choice())
        assert [row[5] for row in rows] == [6, 5, 4, 3, 2, 1, 0]
