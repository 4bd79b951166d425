"""`misure`: quarter-hours, a row for each POD, day and quantity."""

import datetime as dt

import pytest

from domain import measures
from domain.clock import rome_day, utcnow
from models import MeasuredDay
from tests.domain.imports.test_kinds import said
from tests.factories import make_customer, make_electricity, make_gas, make_measured_day

DAY = dt.date(2026, 5, 11)
MARCH, OCTOBER = dt.date(2026, 3, 29), dt.date(2026, 10, 25)
POD = "IT001E12345678"


def header(last=100, plain="pod;data;grandezza;tipo"):
    return ";".join([plain, *(f"q{n}" for n in range(1, last + 1))])


def row(values, day=DAY, *, pod=POD, quantity="attiva", kind="E", cells=100):
    blanks = [""] * (cells - len(values))
    return ";".join([pod, day.isoformat(), quantity, kind, *map(str, values), *blanks])


@pytest.fixture
def supply(app):
    return make_electricity(pod=POD)


def kept(supply, quantity="active"):
    return measures.days(supply, dt.date.min, dt.date.max, quantity)


def test_a_wrong_kind_is_answered_with_the_letters_of_the_format(desk, supply):
    ((_row, column, value, message),) = desk.reject("misure.csv", header(), row([1] * 96, kind="X"))
    assert (column, value) == ("tipo", "X")
    assert message == "Scrivere uno di questi valori: E, S."


@pytest.mark.parametrize(("day", "number"), [(DAY, 96), (MARCH, 92), (OCTOBER, 100)])
def test_a_day_has_as_many_values_as_quarter_hours(desk, supply, day, number):
    values = list(range(1000, 1000 + number))
    report = desk.take("misure.csv", header(), row(values, day))
    assert (report.added, report.warning_count) == (1, 0)
    assert kept(supply) == [(day, False, values)]


@pytest.mark.parametrize(
    ("day", "number", "expected", "column"),
    [(DAY, 95, 96, "q96"), (DAY, 100, 96, "q97"), (DAY, 0, 96, "q1"), (MARCH, 96, 92, "q93"),
     (OCTOBER, 96, 100, "q97")],
)  # fmt: skip
def test_another_number_of_values_is_an_error_that_tells_the_right_one(
    desk, supply, day, number, expected, column
):
    errors = desk.reject("misure.csv", header(), row([1] * number, day))
    assert said(errors) == [(2, column)]
    assert f"{expected} quarti d'ora" in errors[0][3]
    assert f"da q1 a q{expected}" in errors[0][3]


def test_columns_beyond_96_may_be_missing(desk, supply):
    desk.take("misure.csv", header(96), row([7] * 96, cells=96))
    assert kept(supply) == [(DAY, False, [7] * 96)]


def test_a_blank_between_two_values_is_an_error(desk, supply):
    errors = desk.reject("misure.csv", header(), row([1] * 40 + [""] + [1] * 55))
    assert said(errors) == [(2, "q41")]


@pytest.mark.parametrize("value", ["-1", "0,5", "1.234", "100000000", "9" * 20, "x", "\x00", "٣"])
def test_values_are_whole_watt_hours(desk, supply, value):
    errors = desk.reject("misure.csv", header(), row([value] + [1] * 95))
    assert said(errors) == [(2, "q1")]
    assert not MeasuredDay.select().exists()


def test_the_highest_value_is_kept_exactly(desk, supply):
    desk.take("misure.csv", header(), row([99_999_999] * 96))
    assert kept(supply)[0].total == 96 * 99_999_999


def test_quantity_and_kind_have_defaults(desk, supply):
    desk.take("misure.csv", header(96, "pod;data"), f"{POD};{DAY};" + ";".join(["5"] * 96))
    assert kept(supply) == [(DAY, False, [5] * 96)]
    desk.take("misure_2.csv", header(), row([6] * 96, quantity="", kind=""))
    assert kept(supply) == [(DAY, False, [6] * 96)]


def test_active_and_reactive_are_two_keys(desk, supply):
    report = desk.take(
        "misure.csv", header(), row([5] * 96), row([2] * 96, quantity="Reattiva", kind="s")
    )
    assert report.added == 2
    assert kept(supply) == [(DAY, False, [5] * 96)]
    assert kept(supply, "reactive") == [(DAY, True, [2] * 96)]


def test_an_actual_measure_replaces_an_estimated_one(desk, supply):
    make_measured_day(supply, DAY, [1] * 96, estimated=True)
    report = desk.take("misure.csv", header(), row([2] * 96))
    assert (report.added, report.changed) == (0, 1)
    assert kept(supply) == [(DAY, False, [2] * 96)]


def test_an_estimate_never_replaces_an_actual_measure(desk, supply):
    make_measured_day(supply, DAY, [1] * 96)
    report = desk.take("misure.csv", header(), row([2] * 96, kind="S"))
    assert (report.changed, report.unchanged) == (0, 1)
    assert said(report.warnings) == [(2, "tipo")]
    assert kept(supply) == [(DAY, False, [1] * 96)]


def test_a_newer_estimate_replaces_an_estimate_and_the_same_one_changes_nothing(desk, supply):
    make_measured_day(supply, DAY, [1] * 96, estimated=True)
    assert desk.take("misure_1.csv", header(), row([2] * 96, kind="S")).changed == 1
    report = desk.take("misure_2.csv", header(), row([2] * 96, kind="S"), "")
    assert (report.changed, report.unchanged) == (0, 1)
    assert kept(supply) == [(DAY, True, [2] * 96)]


@pytest.mark.parametrize("pod", ["IT001E99999999", "00881234567890", "x" * 21])
def test_a_pod_that_no_supply_has_is_an_error(desk, supply, pod):
    make_gas(pdr="00881234567890")
    errors = desk.reject("misure.csv", header(), row([1] * 96, pod=pod))
    assert said(errors) == [(2, "pod")]


@pytest.mark.parametrize("day", ["1999-12-31", "2026-02-30", "11/05/26", "1500-01-01"])
def test_days_that_cannot_be_are_errors(desk, supply, day):
    line = row([1] * 96).replace(DAY.isoformat(), day)
    assert said(desk.reject("misure.csv", header(), line)) == [(2, "data")]


def test_a_day_to_come_is_an_error(desk, supply):
    tomorrow = rome_day(utcnow()) + dt.timedelta(days=1)
    errors = desk.reject("misure.csv", header(), row([1] * measures.count(tomorrow), tomorrow))
    assert said(errors) == [(2, "data")]


ONE = dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"ended_on": DAY - ONE}, {"active_from": DAY}),
        ({"ended_on": DAY - ONE}, {}),
        ({"active_from": DAY - 900 * ONE}, {"active_from": DAY}),
        ({"ended_on": DAY - 2 * ONE}, {"active_from": DAY + ONE}),
    ],
)
def test_a_pod_of_two_supplies_is_of_the_one_active_on_that_day(desk, first, second):
    first, second = make_electricity(pod=POD, **first), make_electricity(pod=POD, **second)
    desk.take("misure.csv", header(), row([1] * 96), row([2] * 96, DAY - 2 * ONE))
    stored = {each.supply_id: each.day for each in MeasuredDay.select()}
    assert stored == {first.id: DAY - 2 * ONE, second.id: DAY}


def test_a_day_on_which_no_supply_was_active_is_kept_hidden_and_told(desk):
    supply = make_electricity(pod=POD, active_from=DAY + ONE)
    report = desk.take("misure.csv", header(), row([1] * 96), row([2] * 96, DAY + ONE))
    assert said(report.warnings) == [(2, "data")]
    assert MeasuredDay.select().count() == 2
    assert [each.day for each in kept(supply)] == [DAY + ONE]


def test_the_same_pod_and_day_twice_is_an_error(desk, supply):
    errors = desk.reject("misure.csv", header(), row([1] * 96), row([2] * 96))
    assert said(errors) == [(3, "pod")]


def test_rows_cost_few_queries(desk, count_queries):
    customer = make_customer()
    pods = [make_electricity(customer).pod for _n in range(40)]
    days = [DAY + n * ONE for n in range(31)]
    lines = [row([n] * 96, day, pod=pod) for n, pod in enumerate(pods) for day in days]
    with count_queries() as queries:
        assert desk.take("misure.csv", header(), *lines).added == 40 * 31
    assert len(queries) < 25
