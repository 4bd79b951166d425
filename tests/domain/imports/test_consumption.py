"""The kind `prelievi`: which rows it takes, and what it says of the others."""

import datetime as dt

import pytest

from domain import consumption
from models import BilledConsumption
from tests.domain.imports.test_kinds import said
from tests.factories import make_consumption, make_electricity, make_gas

HEADER = "codice_fornitura;dal;al;totale;unita;tipo"
BANDS = f"{HEADER};f1;f2;f3;potenza_kw;reattiva_kvarh;fattura"
JANUARY = dt.date(2026, 1, 1), dt.date(2026, 1, 31)


@pytest.fixture
def power(app):
    return make_electricity(code="PR1")


@pytest.fixture
def gas(app):
    return make_gas(code="PR2")


def test_a_period_of_electricity_is_kept_in_thousandths(desk, power):
    desk.take(
        "prelievi.csv", BANDS,
        "PR1;01/01/2026;31/01/2026;412,5;kwh;Effettivo;136,25;132.25;144;4,1;-12,5;676/E",
    )  # fmt: skip
    row = BilledConsumption.get()
    assert (row.supply_id, row.starts_on, row.ends_on) == (power.id, *JANUARY)
    assert (row.f1, row.f2, row.f3, row.total) == (136_250, 132_250, 144_000, 412_500)
    assert (row.unit, row.power_w, row.reactive_varh) == ("kWh", 4100, -12_500)
    assert (row.kind, row.invoice_number) == ("actual", "676/E")


@pytest.mark.parametrize(
    ("word", "kind"),
    [("effettivo", "actual"), ("AUTOLETTURA", "self_read"), ("stimato", "estimated")],
)
def test_the_kinds(desk, gas, word, kind):
    report = desk.take("prelievi.csv", HEADER, f"PR2;2026-01-01;2026-01-31;214;SMC;{word}")
    assert (BilledConsumption.get().kind, BilledConsumption.get().unit) == (kind, "Smc")
    assert not report.warnings


def test_the_same_period_again_corrects_it(desk, power):
    make_consumption(power, *JANUARY, total=500_000, kind="estimated", power_w=3000)
    report = desk.take("prelievi.csv", HEADER, "PR1;01/01/2026;31/01/2026;480;kWh;effettivo")
    row = BilledConsumption.get()
    assert (row.total, row.kind, row.power_w) == (480_000, "actual", 3000)
    assert report.changed == 1
    assert not report.warnings


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("PR1;01/01/2026;31/01/2026;1;Smc;stimato", "unita"),
        ("PR2;01/01/2026;31/01/2026;1;kWh;stimato", "unita"),
        ("PR1;01/01/2026;31/01/2026;1;MWh;stimato", "unita"),
        ("PR1;01/01/2026;31/01/2026;1;kWh;presunto", "tipo"),
        ("PR1;31/01/2026;30/01/2026;1;kWh;stimato", "al"),
        ("PR1;01/01/1990;31/12/2026;1;kWh;stimato", "al"),
        ("PR9;01/01/2026;31/01/2026;1;kWh;stimato", "codice_fornitura"),
        ("PR1;01/01/2026;31/01/2026;;kWh;stimato", "totale"),
        ("PR1;01/01/2026;31/01/2026;1.234,5;kWh;stimato", "totale"),
        ("PR1;01/01/2026;31/01/2026;1,2345;kWh;stimato", "totale"),
        ("PR1;31/02/2026;31/03/2026;1;kWh;stimato", "dal"),
    ],
)
def test_rows_that_make_no_sense_are_errors(desk, power, gas, line, column):
    assert said(desk.reject("prelievi.csv", HEADER, line)) == [(2, column)]
    assert not BilledConsumption.select().exists()


@pytest.mark.parametrize(
    "number", ["9" * 20, "1e309", "NaN", "1000000000", "-1000000000", "١٢", "0x10", "1_000", "--1"]
)
@pytest.mark.parametrize("column", ["totale", "f1", "potenza_kw", "reattiva_kvarh"])
def test_row_19_hostile_numbers_are_errors_of_their_cell(desk, power, number, column):
    cells = dict.fromkeys(BANDS.split(";"), "")
    cells |= {"codice_fornitura": "PR1", "dal": "01/01/2026", "al": "31/01/2026", "totale": "1",
              "unita": "kWh", "tipo": "stimato", column: number}  # fmt: skip
    assert said(desk.reject("prelievi.csv", BANDS, ";".join(cells.values()))) == [(2, column)]


def test_the_largest_numbers_can_be_stored_and_summed(desk, power):
    largest = "999999999,999"
    report = desk.take(
        "prelievi.csv", BANDS,
        f"PR1;01/01/2026;31/01/2026;{largest};kWh;stimato;{largest};;;{largest};{largest};",
        f"PR1;01/02/2026;28/02/2026;-{largest};kWh;stimato;-{largest};;;;-{largest};",
    )  # fmt: skip
    assert report.added == 2
    months = consumption.by_month(consumption.periods(power))
    assert [used.total for used in months.values()] == [999_999_999_999, -999_999_999_999]


def test_an_adjustment_may_be_negative_but_not_a_power(desk, power, gas):
    desk.take("prelievi.csv", HEADER, "PR2;01/01/2026;31/01/2026;-12,5;Smc;effettivo")
    assert BilledConsumption.get().total == -12_500
    errors = desk.reject("prelievi_2.csv", BANDS, "PR1;01/01/2026;31/01/2026;1;kWh;stimato;;;;-1;;")
    assert said(errors) == [(2, "potenza_kw")]


@pytest.mark.parametrize("place", range(5))
def test_gas_has_neither_bands_nor_power(desk, gas, place):
    cells = ["0"] * 5
    line = "PR2;01/01/2026;31/01/2026;1;Smc;stimato"
    desk.take("prelievi.csv", BANDS, f"{line};{';'.join(cells)};")
    row = BilledConsumption.get()
    assert (row.f1, row.f2, row.f3, row.power_w, row.reactive_varh) == (None,) * 5
    cells[place] = "1"
    errors = desk.reject("prelievi_2.csv", BANDS, f"{line};{';'.join(cells)};")
    assert said(errors) == [(2, BANDS.split(";")[6 + place])]


@pytest.mark.parametrize(
    ("bands", "odd"),
    [
        ("50;30;20", False),
        ("50;30;22", False),
        ("50;30;22,001", True),
        ("50;30;", True),
        (";;", False),
        ("100;;", False),
        ("0;0;0", True),
    ],
)
def test_bands_that_do_not_sum_to_the_total_are_a_warning(desk, power, bands, odd):
    line = f"PR1;01/01/2026;31/01/2026;100;kWh;stimato;{bands};;;"
    report = desk.take("prelievi.csv", BANDS, line)
    assert said(report.warnings) == ([(2, "totale")] if odd else [])
    assert BilledConsumption.get().total == 100_000


def test_a_new_total_is_compared_with_the_stored_bands(desk, power):
    make_consumption(power, *JANUARY, total=100_000, f1=50_000, f2=30_000, f3=20_000)
    report = desk.take("prelievi.csv", HEADER, "PR1;01/01/2026;31/01/2026;90;kWh;effettivo")
    assert said(report.warnings) == [(2, "totale")]
    assert "sommano 100 e non 90" in report.warnings[0][3]


@pytest.mark.parametrize(
    ("start", "end", "overlaps"),
    [
        ("31/01/2026", "28/02/2026", True),
        ("01/12/2025", "01/01/2026", True),
        ("10/01/2026", "20/01/2026", True),
        ("01/12/2025", "28/02/2026", True),
        ("01/02/2026", "28/02/2026", False),
        ("01/12/2025", "31/12/2025", False),
    ],
)
def test_a_period_that_overlaps_another_is_a_warning(desk, power, gas, start, end, overlaps):
    make_consumption(power, *JANUARY)
    report = desk.take("prelievi.csv", HEADER, f"PR1;{start};{end};1;kWh;effettivo")
    assert said(report.warnings) == ([(2, "dal")] if overlaps else [])
    if overlaps:
        assert "dal 01/01/2026 al 31/01/2026" in report.warnings[0][3]
    report = desk.take("prelievi_2.csv", HEADER, f"PR2;{start};{end};1;Smc;effettivo")
    assert not report.warnings


def test_periods_that_overlap_within_a_file_are_a_warning(desk, power):
    report = desk.take(
        "prelievi.csv", HEADER,
        "PR1;01/01/2026;31/01/2026;1;kWh;stimato",
        "PR1;01/02/2026;28/02/2026;1;kWh;stimato",
        "PR1;01/01/2026;28/02/2026;1;kWh;effettivo",
    )  # fmt: skip
    assert said(report.warnings) == [(4, "dal")]


def test_queries_do_not_grow_with_the_rows_of_a_chunk(desk, power, count_queries):
    counts = []
    for year, many in ((2000, 2), (2010, 400)):
        days = [dt.date(year, 1, 1) + dt.timedelta(day) for day in range(many)]
        lines = [f"PR1;{day};{day};1;kWh;effettivo" for day in days]
        with count_queries() as queries:
            assert desk.take(f"prelievi_{year}.csv", HEADER, *lines).added == many
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_errors_are_told_by_row_with_the_days_as_they_are_written_here(desk, power):
    errors = desk.reject(
        "prelievi.csv", HEADER,
        "PR9;01/01/2026;31/01/2026;400;kWh;effettivo",
        "PR1;31/02/2026;31/03/2026;400;kWh;effettivo",
        "PR1;01/04/2026;31/03/2026;400;kWh;effettivo",
    )  # fmt: skip
    assert said(errors) == [(2, "codice_fornitura"), (3, "dal"), (4, "al")]
    assert errors[2][2] == "31/03/2026"
