"""«Prelievi Fatturati»: chart, table, two years, periods, downloads."""

import datetime as dt
import io
import json
import re
import zipfile

import pytest

from models import Account, BilledConsumption, Event
from tests.factories import make_account, make_consumption, make_customer, make_electricity
from tests.pages import PARTIAL, text_of

PAGE = "/forniture/PR000002/prelievi"
GAS = "/forniture/PR000001/prelievi"
PLACES = ("", "/periodi", "/csv", "/xlsx")


@pytest.fixture
def power(customer):
    return make_electricity(customer, code="PR000002", pod="IT001E00000002")


def month_of(year, month):
    first = dt.date(year, month, 1)
    return first, (first + dt.timedelta(31)).replace(day=1) - dt.timedelta(1)


@pytest.fixture
def billed(power):
    """Two years of months: 100, 101… kWh, one month estimated, the last months of 2026 missing."""
    for year, months in ((2025, 12), (2026, 10)):
        for month in range(1, months + 1):
            total = (100 + month + 10 * (year - 2025)) * 1000
            make_consumption(
                power, *month_of(year, month), total=total, f1=50_000, f2=30_000,
                f3=total - 80_000, power_w=3000 + 100 * month, invoice_number=f"{month}/{year}",
                kind="estimated" if (year, month) == (2026, 5) else "actual",
            )  # fmt: skip


def cells(row):
    """The texts of a row's cells."""
    found = re.findall(r"<t([hd])\b[^>]*>(.*?)</t\1>", row, re.S)
    return [text_of(content) for _kind, content in found]


def rows(page, caption):
    """The rows below the headings of the table with that caption."""
    table = next(part for part in page.split("<table")[1:] if caption in part.split("<thead")[0])
    body = table.split("</thead>")[1].split("</table>")[0]
    return [cells(row) for row in body.split("<tr")[1:]]


# -- All years -----------------------------------------------------------------------------


def test_the_years_as_a_chart_that_says_what_it_shows(browser, billed):
    page = browser.get(PAGE).text
    assert "<h1>Prelievi Fatturati</h1>" in page
    assert 'aria-current="true">Grafico<' in page
    assert "Prelievi fatturati anno per anno (kWh)" in page
    assert '<title id="energy-title">Prelievi fatturati anno per anno</title>' in page
    assert "2025: 1.278 kWh, F1 600, F2 360, F3 318 (effettivo)" in page
    assert "2026: 1.155 kWh, F1 500, F2 300, F3 355 (effettivo, stimato)" in page
    assert "2026: 4 kW" in page
    assert "Periodi fatturati dal 01/01/2025 al 31/10/2026." in page


def test_the_chart_tells_bands_and_kinds_apart_without_colour_or_style(browser, billed):
    chart = browser.get(PAGE).text.split('id="energy-title"')[1].split("</svg>")[0]
    for band in ("f1", "f2", "f3"):
        assert f'class="bar bar-{band}"' in chart
    assert 'fill="url(#bar-f2)"' in chart
    assert chart.count('fill="url(#bar-estimated)"') == 3  # the three bands of May 2026
    assert "style=" not in browser.get(PAGE).text


def test_the_switch_works_by_address_and_leads_to_the_table(browser, billed):
    page = browser.get(PAGE).text
    assert f'href="{PAGE}?vista=tabella" hx-get="{PAGE}?vista=tabella"' in page
    page = browser.get(f"{PAGE}?vista=tabella").text
    assert 'aria-current="true">Tabella<' in page
    assert "energy-title" not in page
    assert rows(page, "Prelievi in kWh, potenza massima in kW")[:3] == [
        ["2026", "500", "300", "355", "1.155", "1.040", "115", "4"],
        ["2025", "600", "360", "318", "1.278", "1.278", "0", "4,2"],
        ["Totale", "1.100", "660", "673", "2.433", "2.318", "115", "4,2"],
    ]
    assert f'href="{PAGE}?anno=2026&amp;vista=tabella"' in page


def test_the_kinds_are_explained_in_words(browser, billed):
    page = text_of(browser.get(PAGE).text)
    assert "Effettivo Misurato: viene da una lettura del contatore fatta dal distributore." in page
    assert "Stimato Calcolato dai consumi del passato" in page
    assert "in proporzione ai giorni" in page
    assert "comunicata dal cliente" not in page  # of gas only


def test_the_partial_is_the_piece_alone(browser, billed):
    answer = browser.get(f"{PAGE}?vista=tabella", headers=PARTIAL)
    assert answer.text.lstrip().startswith('<div id="consumption">')
    assert "<h1>" not in answer.text
    assert 'id="periods"' not in answer.text
    assert {"hx-request", "hx-request-type"} <= {name.lower() for name in answer.vary}


# -- Months, and two years side by side ----------------------------------------------------


def test_the_months_of_a_year(browser, billed):
    page = browser.get(f"{PAGE}?anno=2026&vista=tabella").text
    table = rows(page, "Prelievi in kWh")
    assert len(table) == 11
    assert table[0] == ["gennaio", "50", "30", "31", "111", "111", "0", "3,1"]
    assert table[4] == ["maggio", "50", "30", "35", "115", "0", "115", "3,5"]
    assert table[-1][0] == "Totale"
    chart = browser.get(f"{PAGE}?anno=2026").text
    assert "Prelievi del 2026, mese per mese" in chart
    assert "maggio: 115 kWh" not in chart
    assert "maggio 2026: 115 kWh, F1 50, F2 30, F3 35 (stimato)" in chart


def test_two_years_side_by_side_as_a_chart(browser, billed):
    page = browser.get(f"{PAGE}?anno=2026&con=2025").text
    assert "Prelievi del 2025 e del 2026, mese per mese" in page
    assert "a sinistra il 2025, a destra il 2026; il 2025 è più chiaro" in page
    assert page.index("marzo 2025:") < page.index("marzo 2026:")
    drawn = page.split('id="energy-desc"')[1].split("</svg>")[0]
    assert drawn.count('<g class="bar-faded">') == 12
    assert drawn.count("<g>") == 10


def test_two_years_side_by_side_as_a_table(browser, billed):
    page = browser.get(f"{PAGE}?anno=2026&con=2025&vista=tabella").text
    table = rows(page, "Prelievi in kWh, potenza massima in kW")
    assert table[4] == ["maggio", "105", "115 stimato", "+10 (+10 %)", "3,5", "3,5"]
    assert table[10] == ["novembre", "111", "", "", "4,1", ""]


@pytest.mark.parametrize("view", ["", "&vista=tabella"])
def test_years_are_compared_over_the_months_that_both_have(browser, billed, view):
    page = browser.get(f"{PAGE}?anno=2026&con=2025{view}").text
    assert rows(page, "Negli stessi mesi (da gennaio a ottobre), in kWh") == [
        ["F1", "500", "500", "0 (0 %)"],
        ["F2", "300", "300", "0 (0 %)"],
        ["F3", "255", "355", "+100 (+39 %)"],
        ["Totale", "1.055", "1.155", "+100 (+9 %)"],
    ]


def test_years_without_a_common_month_are_told(browser, power):
    make_consumption(power, *month_of(2025, 1))
    make_consumption(power, *month_of(2026, 2))
    assert "nessun mese fatturato per intero" in browser.get(f"{PAGE}?anno=2026&con=2025").text


def test_the_choices_go_along(browser, billed):
    page = browser.get(f"{PAGE}?anno=2026&con=2025&vista=tabella").text
    assert "<option selected>2026</option>" in page
    assert "<option selected>2025</option>" in page
    assert '<input type="hidden" name="vista" value="tabella">' in page
    assert f'href="{PAGE}?anno=2026&amp;con=2025"' in page  # «Grafico»


# -- Gas -----------------------------------------------------------------------------------


def test_gas_is_in_smc_and_its_self_readings_are_told_apart(browser, supply):
    make_consumption(supply, *month_of(2026, 1), total=214_500, kind="self_read")
    make_consumption(supply, *month_of(2026, 2), total=180_000, kind="estimated")
    page = browser.get(GAS).text
    assert "2026: 394,5 Smc (autolettura, stimato)" in page
    assert 'fill="url(#bar-self_read)"' in page
    assert "viene da una lettura comunicata dal cliente" in page
    assert "Potenza" not in page
    assert "F1" not in page
    table = rows(browser.get(f"{GAS}?vista=tabella").text, "Prelievi in Smc")
    assert table[0] == ["2026", "394,5", "0", "214,5", "180"]


def test_a_month_below_zero_after_an_adjustment_is_drawn(browser, supply):
    make_consumption(supply, *month_of(2026, 1), total=-12_000)
    page = browser.get(f"{GAS}?anno=2026").text
    assert "gennaio 2026: -12 Smc" in page
    assert rows(browser.get(f"{GAS}?vista=tabella").text, "Smc")[0][1] == "-12"


# -- Nothing to show -----------------------------------------------------------------------


def test_a_supply_without_consumption_says_so(browser, power):
    page = browser.get(PAGE).text
    assert "Non ci sono ancora prelievi fatturati" in page
    assert "Scarica" not in page
    assert "Nessun periodo è ancora stato fatturato." in browser.get(f"{PAGE}/periodi").text
    assert browser.get(f"{PAGE}/csv").status_code == 200


def test_a_customer_without_supplies_gets_a_sentence(sign_in):
    browser = sign_in(make_account(make_customer()))
    page = browser.get("/forniture/-/prelievi").text
    assert "A questo cliente non è ancora collegata nessuna fornitura." in page
    assert browser.get("/forniture/-/prelievi/periodi").status_code == 200
    assert browser.get("/forniture/-/prelievi/csv").status_code == 404


def test_a_supply_that_changed_hands_hides_its_former_customer(browser, customer):
    supply = make_electricity(customer, code="PR000002", active_from=dt.date(2026, 2, 1))
    make_consumption(supply, *month_of(2026, 1), total=777_000, invoice_number="PRIMA")
    for place in PLACES[:3]:
        answer = browser.get(PAGE + place)
        assert answer.status_code == 200
        assert "777" not in answer.text
        assert "PRIMA" not in answer.text


def test_what_was_billed_after_the_end_is_the_next_customers(browser, customer):
    supply = make_electricity(customer, code="PR000002", ended_on=dt.date(2026, 1, 31))
    make_consumption(supply, *month_of(2026, 1), total=500_000, invoice_number="PROPRIA")
    make_consumption(supply, *month_of(2026, 2), total=777_000, invoice_number="DOPO")
    for place in PLACES[:3]:
        answer = browser.get(PAGE + place)
        assert "500" in answer.text
        assert "777" not in answer.text
        assert "DOPO" not in answer.text


def test_an_ended_supply_keeps_its_consumption(browser, billed, power):
    power.ended_on = dt.date(2026, 10, 31)
    power.save()
    assert "2026: 1.155 kWh" in browser.get(PAGE).text


# -- The periods as billed -----------------------------------------------------------------


def periods(page):
    return rows(page.split('id="periods"')[1], "Prelievi")


def test_the_periods_are_as_billed_newest_first(browser, power):
    make_consumption(power, dt.date(2025, 12, 17), dt.date(2026, 1, 14), 58_500, f1=8_500,
                     power_w=4100, invoice_number="<b>7</b>", kind="self_read")  # fmt: skip
    make_consumption(power, *month_of(2026, 2), kind="estimated")
    page = browser.get(PAGE).text
    assert periods(page) == [
        ["01/02/2026", "28/02/2026", "", "", "", "100", "", "Stimato", ""],
        ["17/12/2025", "14/01/2026", "8,5", "", "", "58,5", "4,1", "Autolettura",
         "&lt;b&gt;7&lt;/b&gt;"],
    ]  # fmt: skip


def test_the_periods_page_and_sort_by_themselves(browser, billed):
    page = browser.get(f"{PAGE}/periodi?ordine=-totale&righe=10").text
    assert "pag. 1 di 3" in page
    assert [row[0] for row in periods(page)][:2] == ["01/10/2026", "01/09/2026"]
    partial = browser.get(f"{PAGE}/periodi?pag=3", headers=PARTIAL).text
    assert partial.lstrip().startswith('<div id="periods">')
    assert len(periods(partial)) == 2
    assert "pag. 3 di 3" in browser.get(f"{PAGE}/periodi?pag=99").text


def test_the_list_on_the_page_begins_anew_whatever_the_chart_shows(browser, billed):
    page = browser.get(f"{PAGE}?anno=2025&pag=2&ordine=dal").text
    assert periods(page)[0][0] == "01/10/2026"


# -- Downloads -----------------------------------------------------------------------------


def test_the_csv_holds_every_period_and_is_noted(browser, customer, power):
    make_consumption(power, *month_of(2026, 1), 412_500, f1=200_000, f2=100_000, f3=112_500,
                     power_w=4100, invoice_number="=cmd")  # fmt: skip
    answer = browser.get(f"{PAGE}/csv")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == "attachment; filename=prelievi_PR000002.csv"
    assert answer.data.decode() == (
        "\ufeffPunto di fornitura;POD;Dal;Al;F1 (kWh);F2 (kWh);F3 (kWh);Totale (kWh);"
        "Potenza massima (kW);Energia reattiva (kvarh);Tipo;Fattura\r\n"
        "PR000002;IT001E00000002;01/01/2026;31/01/2026;200;100;112,5;412,5;4,1;;effettivo;'=cmd\r\n"
    )
    event = Event.get()
    assert event.kind == "consumption_downloaded"
    assert json.loads(event.details) == {"format": "CSV per Excel"}
    assert (event.customer_id, event.supply_id) == (customer.id, power.id)
    assert event.account_id == Account.get(username="000002").id


def test_the_xlsx_opens_and_is_noted(browser, billed):
    answer = browser.get(f"{PAGE}/xlsx")
    assert answer.headers["Content-Disposition"] == "attachment; filename=prelievi_PR000002.xlsx"
    book = zipfile.ZipFile(io.BytesIO(answer.data))
    assert book.testzip() is None
    assert book.read("xl/worksheets/sheet1.xml").count(b"<row ") == 23
    assert b'name="Prelievi"' in book.read("xl/workbook.xml")
    assert json.loads(Event.get().details) == {"format": "XLSX"}


@pytest.mark.parametrize("place", PLACES)
def test_looking_writes_nothing(browser, billed, place):
    for headers in ({}, PARTIAL):
        browser.head(PAGE + place, headers=headers)
        if place in PLACES[:2]:
            browser.get(PAGE + place, headers=headers)
    assert not Event.select().exists()


# -- Who may see it ------------------------------------------------------------------------


WAYS = [(headers, method) for headers in ({}, PARTIAL) for method in ("GET", "HEAD")]


def leads_to_login(answer):
    return "/login" in (answer.location or answer.headers.get("HX-Redirect", ""))


@pytest.mark.parametrize("place", PLACES)
def test_row_09_only_its_customer_sees_it(client, stranger, browser, billed, place):
    missing = PAGE.replace("PR000002", "PR999999") + place
    for headers, method in WAYS:
        how = {"headers": headers, "method": method}
        assert leads_to_login(client.open(PAGE + place, **how))
        answers = [stranger.open(path, **how) for path in (PAGE + place, missing)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].data == answers[1].data
    disabled = Account.update(disabled_at=dt.datetime.now(dt.UTC))
    disabled.where(Account.username == "000002").execute()
    for headers, method in WAYS:
        assert leads_to_login(browser.open(PAGE + place, headers=headers, method=method))
    assert not Event.select().exists()


@pytest.mark.parametrize(
    "query",
    [
        "anno=" + "9" * 20, "anno=-1", "anno=%00", "anno=x", "anno=1999", "anno=%FF%FE",
        "con=2025", "anno=2026&con=2026", "anno=2026&con=" + "9" * 20, "anno=2026&con=1900",
        "vista=%00", "vista=grafico", "vista=" + "x" * 3000, "anno=2025&anno=2026",
        "anno=%D9%A2%D9%A0%D9%A2%D9%A6", "anno=0", "pag=" + "9" * 30, "ordine=total",
    ],
)  # fmt: skip
def test_row_19_hostile_addresses_show_the_page(browser, billed, query):
    for place in PLACES:
        assert browser.get(f"{PAGE}{place}?{query}").status_code == 200


def test_row_19_years_without_end_and_the_largest_numbers_are_drawn(browser, power):
    most = 10**12 - 1
    for year in range(1900, 2199, 9):
        make_consumption(power, dt.date(year, 1, 1), dt.date(year + 9, 12, 31), most, f1=-most,
                         f2=most, f3=most, power_w=most)  # fmt: skip
    for query in ("", "?vista=tabella", "?anno=2030&con=1999", "?anno=2030&vista=tabella"):
        assert browser.get(PAGE + query).status_code == 200
    assert browser.get(PAGE).text.count("bar bar-power") == 15


# -- What it costs -------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["", "?anno=2026&con=2025&vista=tabella", "/periodi", "/csv"])
def test_the_page_costs_few_queries_however_many_periods(browser, power, count_queries, place):
    counts = []
    for first_year, years in ((2025, 2), (1990, 30)):
        for year in range(first_year, first_year + years):
            for month in range(1, 13):
                make_consumption(power, *month_of(year, month))
        browser.get(PAGE + place)
        with count_queries() as queries:
            assert browser.get(PAGE + place).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 6, queries
    assert BilledConsumption.select().count() == 32 * 12
