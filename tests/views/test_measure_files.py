"""The quarter-hours of «Misure elettriche» as files: each day right, nothing lost."""

import csv
import datetime as dt
import io
import json
import random
import zipfile
from decimal import Decimal

import pytest

from domain import measures
from domain.measures import count, starts
from models import Account, Event
from tests.domain.formats.test_sheets import cells
from tests.factories import make_account, make_electricity, make_gas, make_measured_day

FILE = "/forniture/PR000001/misure/scarica"
PAGE = "/forniture/PR000001/misure"
MARCH, OCTOBER, NORMAL = dt.date(2026, 3, 29), dt.date(2026, 10, 25), dt.date(2026, 11, 3)
EXCEL_DAYS = dt.date(1899, 12, 30)  # day 0 of a spreadsheet
FORMATS = ("excel", "csv", "xlsx")


@pytest.fixture
def supply(customer):
    """Of electricity, here."""
    return make_electricity(customer, code="PR000001", pod="IT001E12345678")


@pytest.fixture
def stored(supply):
    """{day: its values} of a day of each length, that of March estimated."""
    chance = random.Random(5)
    days = {
        day: [chance.randrange(70_000) for _n in range(count(day))]
        for day in (MARCH, OCTOBER, NORMAL)
    }
    for day, values in days.items():
        make_measured_day(supply, day, values, estimated=day == MARCH)
    return days


def excel_rows(answer):
    text = answer.data.decode("utf-8-sig")
    assert answer.data.startswith(b"\xef\xbb\xbf")
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")
    assert "sep=" not in text
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))


def machine_rows(answer):
    return list(csv.DictReader(io.StringIO(answer.data.decode(), newline="")))


def workbook_rows(answer):
    """[[value, …], …] with dates, times of the day and Decimals."""
    found = cells(zipfile.ZipFile(io.BytesIO(answer.data)))
    rows = []
    for place in range(1, 1 + sum(address.startswith("A") for address in found)):
        row = []
        for column in "ABCDEF":
            kind, text, shown = found[f"{column}{place}"]
            if kind == "inlineStr":
                row.append(text)
            elif shown == "dd/mm/yyyy":
                row.append(EXCEL_DAYS + dt.timedelta(days=int(text)))
            elif shown == "hh:mm":
                row.append(round(float(text) * 96))
            else:
                assert shown == "#,##0.000"
                row.append(Decimal(text))
        rows.append(row)
    return rows


# -- The three files -----------------------------------------------------------------------


def test_the_csv_for_excel_has_a_row_for_each_quarter_hour(browser, stored):
    answer = browser.get(f"{FILE}?formato=excel")
    assert answer.mimetype == "text/csv"
    header, *rows = excel_rows(answer)
    assert header == ["Data", "Ora (dalle)", "Orario", "kWh", "Fascia", "Tipo"]
    for day, values in stored.items():
        ours = [row for row in rows if row[0] == f"{day:%d/%m/%Y}"]
        assert [row[1] for row in ours] == [f"{start:%H:%M}" for start in starts(day)]
        assert [row[3] for row in ours] == [
            f"{value // 1000},{value % 1000:03d}" for value in values
        ]
        total = sum(Decimal(row[3].replace(",", ".")) for row in ours)
        assert total * 1000 == sum(values)
        assert {row[5] for row in ours} == {"stimata" if day == MARCH else "effettiva"}
    assert len(rows) == 92 + 100 + 96


def test_the_hour_that_comes_twice_is_told_apart(browser, stored):
    rows = excel_rows(browser.get(f"{FILE}?formato=excel"))
    twice = [row[1:3] for row in rows if row[0] == "25/10/2026" and row[1] == "02:30"]
    assert twice == [["02:30", "legale"], ["02:30", "solare"]]
    assert not [row for row in rows if row[0] == "29/03/2026" and row[1].startswith("02")]


def test_each_quarter_hour_has_its_band(browser, stored):
    rows = excel_rows(browser.get(f"{FILE}?formato=excel"))
    tuesday = {row[1]: row[4] for row in rows if row[0] == "03/11/2026"}
    times = ("06:45", "07:00", "08:00", "19:00", "23:00")
    assert [tuesday[time] for time in times] == ["F3", "F2", "F1", "F2", "F3"]
    assert {row[4] for row in rows if row[0] == "25/10/2026"} == {"F3"}


def test_the_csv_for_programs_is_exact_to_the_instant_and_the_watt_hour(browser, stored):
    answer = browser.get(f"{FILE}?formato=csv")
    assert answer.data.startswith(
        b"inizio,pod,grandezza,valore,unita,tipo\r\n2026-03-29T00:00:00+01:00,IT001E12345678,attiva,"
    )
    rows = machine_rows(answer)
    for day, values in stored.items():
        ours = rows[: len(values)]
        del rows[: len(values)]
        assert [row["inizio"] for row in ours] == [start.isoformat() for start in starts(day)]
        assert [int(row["valore"]) for row in ours] == values
        assert {row["unita"] for row in ours} == {"Wh"}
        assert {row["tipo"] for row in ours} == {"S" if day == MARCH else "E"}
    assert rows == []
    assert b"2026-10-25T02:00:00+02:00" in answer.data
    assert b"2026-10-25T02:00:00+01:00" in answer.data


def test_the_workbook_has_typed_cells_and_the_same_rows(browser, stored):
    answer = browser.get(f"{FILE}?formato=xlsx")
    header, *rows = workbook_rows(answer)
    assert header == ["Data", "Ora (dalle)", "Orario", "kWh", "Fascia", "Tipo"]
    for day, values in stored.items():
        ours = [row for row in rows if row[0] == day]
        begin = [start.hour * 4 + start.minute // 15 for start in starts(day)]
        assert [row[1] for row in ours] == begin
        assert [row[3] * 1000 for row in ours] == values
    assert len(rows) == 288


def test_an_odd_pod_stays_in_its_cell(browser, customer):
    supply = make_electricity(customer, code="PR000002", pod='IT,%D"X')
    make_measured_day(supply, NORMAL, [7] * 96)
    rows = machine_rows(browser.get("/forniture/PR000002/misure/scarica?formato=csv"))
    assert {(row["pod"], row["valore"]) for row in rows} == {('IT,%D"X', "7")}


@pytest.mark.parametrize("kind", FORMATS)
def test_reactive_energy_is_a_file_of_its_own(browser, supply, stored, kind):
    make_measured_day(supply, NORMAL, [5] * 96, quantity="reactive")
    answer = browser.get(f"{FILE}?formato={kind}&quantita=reattiva")
    if kind == "csv":
        rows = machine_rows(answer)
        kinds = {(row["grandezza"], row["unita"], row["valore"]) for row in rows}
        assert kinds == {("reattiva", "varh", "5")}
    else:
        header, *rows = excel_rows(answer) if kind == "excel" else workbook_rows(answer)
        assert "kvarh" in header
    assert len(rows) == 96


# -- Which days ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "days"),
    [
        ("", [MARCH, OCTOBER, NORMAL]),
        ("&dal=&al=", [MARCH, OCTOBER, NORMAL]),
        ("&dal=2026-10-25&al=2026-10-25", [OCTOBER]),
        ("&dal=25/10/2026", [OCTOBER, NORMAL]),
        ("&al=2026-10-25", [MARCH, OCTOBER]),
        ("&dal=2000-01-01&al=2099-12-31", [MARCH, OCTOBER, NORMAL]),
    ],
)
def test_any_interval_up_to_all_there_is(browser, stored, asked, days):
    rows = machine_rows(browser.get(f"{FILE}?formato=csv{asked}"))
    assert sorted({row["inizio"][:10] for row in rows}) == [day.isoformat() for day in days]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("dal=ieri", "Non è una data"),
        ("dal=2026-02-30&al=x", "Non è una data"),
        ("dal=2026-11-03&al=2026-03-29", "viene prima"),
        ("dal=2020-01-01&al=2020-12-31", "non ci sono misure"),
    ],
)
def test_what_cannot_be_downloaded_leads_back_to_the_page_that_says_why(
    browser, stored, kind, asked, told
):
    answer = browser.get(f"{FILE}?formato={kind}&{asked}")
    assert (answer.status_code, answer.location) == (303, PAGE)
    assert told in browser.get(answer.location).text
    assert not Event.select().where(Event.kind == "measures_downloaded").exists()


@pytest.mark.parametrize("code", ["PR000001", "PR000003", "-"])
def test_without_measures_there_is_nothing_to_download(browser, customer, sign_in, code):
    make_gas(customer, code="PR000003")
    if code == "-":
        browser = sign_in(make_account())
    answer = browser.get(f"/forniture/{code}/misure/scarica?formato=csv")
    assert (answer.status_code, answer.location) == (303, f"/forniture/{code}/misure")


def test_what_was_measured_for_the_former_customer_is_in_no_file(browser, supply, stored):
    supply.active_from = OCTOBER
    supply.save()
    rows = machine_rows(browser.get(f"{FILE}?formato=csv&dal=2026-01-01"))
    assert rows[0]["inizio"] == "2026-10-25T00:00:00+02:00"


@pytest.mark.parametrize(
    "asked",
    ["formato=exe", "formato=csv&quantita=x", "formato=%00", "formato=csv&quantita=%00&dal=1"],
)
def test_formats_that_do_not_exist_are_not_found(browser, stored, asked):
    assert browser.get(f"{FILE}?{asked}").status_code == 404


@pytest.mark.parametrize(
    "value", ["9" * 20, "-1", "%00", "%ff", "2026-10-25%00", "0001-01-01", "*"]
)
def test_row_19_hostile_days_lead_back_to_the_page(browser, stored, value):
    for asked in (f"dal={value}", f"al={value}", f"dal={value}&dal={value}&al={value}"):
        assert browser.get(f"{FILE}?formato=csv&{asked}").status_code == 303


# -- Who, and what is noted ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "label", "name"),
    [
        ("excel", "CSV per Excel", "misure_PR000001_2026-10-25_2026-11-03_excel.csv"),
        ("csv", "CSV", "misure_PR000001_2026-10-25_2026-11-03.csv"),
        ("xlsx", "XLSX", "misure_PR000001_2026-10-25_2026-11-03.xlsx"),
    ],
)
def test_a_download_has_a_name_and_stands_in_the_history(
    browser, supply, stored, kind, label, name
):
    answer = browser.get(f"{FILE}?formato={kind}&dal=2026-10-25&al=2030-01-01")
    assert answer.headers["Content-Disposition"] == f"attachment; filename={name}"
    assert answer.headers["Cache-Control"] == "no-store"
    event = Event.get(Event.kind == "measures_downloaded")
    assert (event.account, event.customer_id) == (Account.get(), supply.customer_id)
    assert event.supply_id == supply.id
    told = {"since": "2026-10-25", "until": "2026-11-03", "format": label}
    assert json.loads(event.details) == told


@pytest.mark.parametrize("kind", FORMATS)
def test_asking_only_for_the_headers_notes_nothing(browser, stored, kind):
    answer = browser.head(f"{FILE}?formato={kind}")
    assert (answer.status_code, answer.data) == (200, b"")
    assert not Event.select().where(Event.kind == "measures_downloaded").exists()


def test_row_09_others_find_nothing_there(client, stranger, sign_in, stored):
    for method, headers in (("GET", {}), ("GET", {"HX-Request": "true"}), ("HEAD", {})):
        there = stranger.open(f"{FILE}?formato=csv", method=method, headers=headers)
        missing = f"{FILE.replace('PR000001', 'PR999999')}?formato=csv"
        nowhere = stranger.open(missing, method=method, headers=headers)
        assert (there.status_code, there.data) == (nowhere.status_code, nowhere.data)
        assert there.status_code == 404
        anonymous = client.open(f"{FILE}?formato=csv", method=method, headers=headers)
        assert anonymous.status_code in {303, 401}
    assert not Event.select().where(Event.kind == "measures_downloaded").exists()


def test_a_file_costs_few_queries_however_many_days(browser, supply, count_queries):
    def queries(last):
        with count_queries() as ran:
            browser.get(f"{FILE}?formato=csv&al={last}")
        return len(ran)

    for n in range(60):
        make_measured_day(supply, MARCH + dt.timedelta(days=n))
    few = queries("2026-03-30")
    assert queries("2026-06-30") == few <= 8


def test_a_file_is_made_while_it_is_sent(app, supply, stored, monkeypatch):
    """Each day is unpacked when its turn has come."""
    unpacked = []
    unpack = measures.unpack
    monkeypatch.setattr(measures, "unpack", lambda each: unpacked.append(1) or unpack(each))
    days = measures.each_day(supply, MARCH, NORMAL)
    assert not unpacked
    next(days)
    assert len(unpacked) == 1
