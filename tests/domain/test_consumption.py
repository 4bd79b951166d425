"""How billed periods become months and years, and which of them a customer sees."""

import datetime as dt
from decimal import Decimal

import pytest

from domain import consumption
from tests.factories import make_consumption, make_electricity, make_gas


def day(text):
    return dt.date.fromisoformat(text)


@pytest.fixture
def gas(app):
    return make_gas()


@pytest.fixture
def power(app):
    return make_electricity()


def months(supply):
    return consumption.by_month(consumption.periods(supply))


def totals(supply):
    return {month: used.total for month, used in months(supply).items()}


def test_a_period_is_shared_out_among_its_months_by_days(gas):
    make_consumption(gas, day("2025-12-17"), day("2026-01-14"), 58_000)
    assert totals(gas) == {(2025, 12): 30_000, (2026, 1): 28_000}
    years = consumption.by_year(months(gas))
    assert {year: used.total for year, used in years.items()} == {2025: 30_000, 2026: 28_000}


@pytest.mark.parametrize("total", [1000, 7_000, 100_000, 100_001, 7, -7_000, -1, 0, 10**12 - 1])
@pytest.mark.parametrize(
    ("first", "last"),
    [("2024-01-15", "2024-04-10"), ("2026-02-28", "2026-03-01"), ("2016-01-01", "2025-12-31")],
)
def test_the_parts_sum_to_what_was_billed_and_whole_units_stay_whole(gas, total, first, last):
    make_consumption(gas, day(first), day(last), total)
    parts = totals(gas).values()
    assert sum(parts) == total
    if total % 1000 == 0:
        assert not [part for part in parts if part % 1000]


def test_a_leap_february_has_its_day(gas):
    make_consumption(gas, day("2024-02-01"), day("2024-03-31"), 60_000)
    assert totals(gas) == {(2024, 2): 29_000, (2024, 3): 31_000}


def test_bands_and_what_no_band_claims_sum_to_the_total(power):
    make_consumption(power, day("2026-01-01"), day("2026-01-31"), 100_000,
                     f1=50_000, f2=30_000, f3=19_000)  # fmt: skip
    used = months(power)[2026, 1]
    assert [used.of_band(band) for band in ("f1", "f2", "f3", "rest")] == [
        50_000, 30_000, 19_000, 1_000,
    ]  # fmt: skip
    assert used.total == 100_000
    assert used.has_bands


def test_gas_and_electricity_of_one_price_have_no_bands(gas, power):
    for supply in (gas, power):
        make_consumption(supply, day("2026-01-01"), day("2026-01-31"), 100_000)
        assert not months(supply)[2026, 1].has_bands


def test_an_adjustment_is_taken_off_the_months_that_it_corrects(gas):
    make_consumption(gas, day("2026-01-01"), day("2026-01-31"), 200_000, kind="estimated")
    make_consumption(gas, day("2026-01-01"), day("2026-02-28"), -59_000)
    assert totals(gas) == {(2026, 1): 169_000, (2026, 2): -28_000}
    used = months(gas)[2026, 1]
    assert (used.of_kind("estimated"), used.of_kind("actual")) == (200_000, -31_000)
    assert used.kinds == ["actual", "estimated"]


def test_a_peak_counts_in_each_month_it_may_belong_to_and_the_highest_in_the_year(power):
    make_consumption(power, day("2025-12-01"), day("2026-01-31"), power_w=4100)
    make_consumption(power, day("2026-02-01"), day("2026-02-28"), power_w=3000)
    make_consumption(power, day("2026-03-01"), day("2026-03-31"))
    peaks = {month: used.power_w for month, used in months(power).items()}
    assert peaks == {(2025, 12): 4100, (2026, 1): 4100, (2026, 2): 3000, (2026, 3): None}
    years = consumption.by_year(months(power))
    assert {year: used.power_w for year, used in years.items()} == {2025: 4100, 2026: 4100}


def test_only_months_billed_to_their_last_day_in_both_years_are_compared(gas):
    make_consumption(gas, day("2025-01-01"), day("2025-12-31"))
    make_consumption(gas, day("2026-01-01"), day("2026-03-15"))
    assert consumption.comparable(months(gas), [2025, 2026]) == [1, 2]
    assert consumption.comparable(months(gas), [2024, 2026]) == []


def test_a_supply_that_changed_hands_hides_the_time_before(app):
    supply = make_gas(active_from=day("2026-02-01"))
    make_consumption(supply, day("2026-01-01"), day("2026-02-28"))
    make_consumption(supply, day("2026-02-01"), day("2026-02-28"), 5_000)
    make_consumption(make_gas(), day("2026-02-01"), day("2026-02-28"))
    assert [row.total for row in consumption.periods(supply)] == [5_000]
    supply.active_from = None
    assert len(consumption.periods(supply)) == 2


def test_the_span_runs_to_the_last_day_whichever_period_it_is_in(gas):
    assert consumption.span(consumption.periods(gas)) is None
    make_consumption(gas, day("2026-01-01"), day("2026-06-30"))
    make_consumption(gas, day("2026-02-01"), day("2026-02-28"))
    assert consumption.span(consumption.periods(gas)) == (day("2026-01-01"), day("2026-06-30"))


@pytest.mark.parametrize("sort", [*consumption.SORTS, "dal", "-potenza", "-fattura", "-f1"])
def test_what_is_missing_comes_last_whichever_way_the_list_is_sorted(power, sort):
    make_consumption(power, day("2026-01-01"), day("2026-01-31"), 3, f1=2, power_w=5,
                     invoice_number="B")  # fmt: skip
    make_consumption(power, day("2026-02-01"), day("2026-02-28"), 2, kind="estimated")
    make_consumption(power, day("2026-03-01"), day("2026-03-31"), 1, f1=1, power_w=9,
                     invoice_number="A")  # fmt: skip
    months = [row.starts_on.month for row in consumption.ordered(consumption.periods(power), sort)]
    assert months == {
        "-dal": [3, 2, 1], "dal": [1, 2, 3], "al": [1, 2, 3], "totale": [3, 2, 1],
        "f1": [3, 1, 2], "-f1": [1, 3, 2], "f2": [3, 2, 1], "f3": [3, 2, 1],
        "potenza": [1, 3, 2], "-potenza": [3, 1, 2], "tipo": [3, 1, 2],
        "fattura": [3, 1, 2], "-fattura": [1, 3, 2],
    }[sort]  # fmt: skip


def test_the_sheet_of_electricity_has_bands_and_power(app):
    supply = make_electricity(code="PR1", pod="IT001E00000001")
    make_consumption(supply, day("2026-01-01"), day("2026-01-31"), -12_500, f1=7_000, power_w=4_100,
                     kind="estimated", invoice_number="=1")  # fmt: skip
    columns, rows = consumption.sheet(supply, consumption.periods(supply))
    assert [column.title for column in columns] == [
        "Punto di fornitura", "POD", "Dal", "Al", "F1 (kWh)", "F2 (kWh)", "F3 (kWh)",
        "Totale (kWh)", "Potenza massima (kW)", "Energia reattiva (kvarh)", "Tipo", "Fattura",
    ]  # fmt: skip
    assert list(rows) == [
        ("PR1", "IT001E00000001", day("2026-01-01"), day("2026-01-31"), 7, None, None,
         Decimal("-12.5"), Decimal("4.1"), None, "stimato", "=1"),
    ]  # fmt: skip
    assert [column.places for column in columns][4:10] == [0, 0, 0, 3, 3, 0]


def test_the_sheet_of_gas_has_only_its_total(app):
    supply = make_gas(code="PR2")
    make_consumption(supply, day("2026-01-01"), day("2026-01-31"), 31_000, kind="self_read")
    columns, rows = consumption.sheet(supply, consumption.periods(supply))
    assert [column.title for column in columns][4:] == ["Totale (Smc)", "Tipo", "Fattura"]
    assert [row[4:] for row in rows] == [(31, "autolettura", None)]
