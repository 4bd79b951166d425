"""«Misure elettriche»: intervals, totals, the daily table, the data of the curve."""

import datetime as dt
import re

import pytest

from domain.clock import rome_day, utcnow
from domain.measures import count
from models import Account, Event, SupplyPoint
from tests.factories import (
    make_account,
    make_customer,
    make_electricity,
    make_gas,
    make_measured_day,
)
from tests.pages import PARTIAL, text_of

PAGE = "/forniture/PR000001/misure"


@pytest.fixture
def supply(customer):
    """Of electricity, here."""
    return make_electricity(customer, code="PR000001")


def date(text):
    return dt.date.fromisoformat(text)


def measure(supply, first, last=None, **values):
    """The same measures on each day from `first` to `last` (ISO)."""
    day = date(first)
    while day <= date(last or first):
        make_measured_day(supply, day, **values)
        day += dt.timedelta(days=1)


def cells(page):
    """The rows of the daily table, as lists of their texts."""
    rows = re.findall(r"<tr>(.*?)</tr>", page.partition("<tbody>")[2], re.S)
    texts = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in rows]
    return [[re.sub(r"<[^>]+>|&nbsp;", " ", text).split() for text in row] for row in texts]


def listed(page):
    return [row[0][0] for row in cells(page)]


def typed(page, name):
    return re.search(rf'<input [^>]*name="{name}" value="([^"]*)"', page)[1]


# -- Which days ----------------------------------------------------------------------------


def test_at_first_the_last_month_with_measures(browser, supply):
    measure(supply, "2026-08-01", "2026-10-20")
    page = browser.get(PAGE).text
    assert "Dati disponibili fino al 20/10/2026" in page
    assert "Dal 21/09/2026 al 20/10/2026" in page
    assert (typed(page, "dal"), typed(page, "al")) == ("2026-09-21", "2026-10-20")
    assert listed(page)[0] == "20/10/2026"
    assert listed(page)[-1] == "21/09/2026"
    assert len(listed(page)) == 30


@pytest.mark.parametrize("query", ["dal=2026-10-03&al=2026-10-05", "dal=3/10/2026&al=05/10/2026"])
def test_an_interval_as_browsers_and_as_people_write_it(browser, supply, query):
    measure(supply, "2026-10-01", "2026-10-20")
    assert listed(browser.get(f"{PAGE}?{query}").text) == ["05/10/2026", "04/10/2026", "03/10/2026"]


@pytest.mark.parametrize(
    ("query", "told", "kept"),
    [
        ("dal=31/02/2026&al=2026-10-05", "Dal: Non è una data", ("31/02/2026", "2026-10-05")),
        ("dal=2026-10-01&al=domani", "Al: Non è una data", ("2026-10-01", "domani")),
        ("dal=01/10/26", "Dal: Non è una data", ("01/10/26", "")),
        ("dal=1/10/0202", "L&#39;anno non può essere questo", ("1/10/0202", "")),
        ("dal=2026-10-05&al=2026-10-03", "viene prima", ("2026-10-05", "2026-10-03")),
    ],
)  # fmt: skip
def test_a_slip_is_told_and_what_was_typed_is_kept(browser, supply, query, told, kept):
    measure(supply, "2026-10-01", "2026-10-20")
    for headers in ({}, PARTIAL):
        answer = browser.get(f"{PAGE}?{query}", headers=headers)
        assert answer.status_code == 422
        assert told in answer.text
        assert (typed(answer.text, "dal"), typed(answer.text, "al")) == kept
        assert "<tbody>" not in answer.text
        assert "Ultimo mese" in answer.text


def test_a_page_shows_a_year_at_most_and_the_file_all(browser, supply):
    measure(supply, "2025-01-01", "2026-02-01")
    page = browser.get(f"{PAGE}?dal=2000-01-01&al=2026-02-01").text
    assert "Dal 01/02/2025 al 01/02/2026" in page
    assert "Una pagina mostra al massimo un anno" in page
    assert "formato=csv&amp;dal=2000-01-01&amp;al=2026-02-01" in page
    assert "pag. 1 di 8" in page
    assert "al massimo un anno" not in browser.get(f"{PAGE}?dal=2025-02-01&al=2026-02-01").text


def test_shortcuts_and_steps(browser, supply):
    today = rome_day(utcnow())
    last = today - dt.timedelta(days=3)
    for place in range(80):
        make_measured_day(supply, last - dt.timedelta(days=place))
    page = browser.get(PAGE).text
    links = dict(re.findall(r'<a href="([^"]+)"[^>]*id="measures-[^"]*"[^>]*>([^<]*)<', page))
    named = {label.strip(): address.replace("&amp;", "&") for address, label in links.items()}
    yesterday = today - dt.timedelta(days=1)
    assert named["Ieri"] == f"{PAGE}?dal={yesterday}&al={yesterday}"
    assert named["Ultimo giorno"] == f"{PAGE}?dal={last}&al={last}"
    assert named["Ultima settimana"] == f"{PAGE}?dal={last - dt.timedelta(days=6)}&al={last}"
    assert len(listed(browser.get(named["Ultima settimana"]).text)) == 7
    assert len(listed(browser.get(named["Ultimo anno"] + "&righe=100").text)) == 80
    assert {"Ultimo mese", "Ultimo anno"} <= set(named)
    before = re.search(r'href="([^"]+)"[^>]*id="measures-before"', page)[1].replace("&amp;", "&")
    last_of_before = listed(browser.get(before).text)[0]
    first_shown = dt.datetime.strptime(listed(page)[-1], "%d/%m/%Y").date()  # noqa: DTZ007
    assert last_of_before == f"{first_shown - dt.timedelta(days=1):%d/%m/%Y}"
    assert "measures-after" not in page
    assert "measures-after" in browser.get(before).text
    empty = browser.get(named["Ieri"]).text
    assert "In questo intervallo non ci sono misure." in empty
    assert f'<a href="{PAGE}">Mostra l&#39;ultimo mese disponibile</a>' in empty


# -- What is shown -------------------------------------------------------------------------


def test_days_of_92_and_100_quarter_hours_and_their_sums(browser, supply):
    measure(supply, "2026-03-28", "2026-03-30")
    measure(supply, "2026-10-24", "2026-10-26")
    spring = browser.get(f"{PAGE}?dal=2026-03-28&al=2026-03-30&ordine=giorno").text
    assert cells(spring)[1][:2] == [["29/03/2026", "23", "ore"], ["9,200"]]
    assert "Totale 28,400 kWh" in text_of(spring)
    autumn = browser.get(f"{PAGE}?dal=2026-10-24&al=2026-10-26&ordine=giorno").text
    assert [row[1] for row in cells(autumn)] == [["9,600"], ["10,000"], ["9,600"]]
    assert cells(autumn)[1][0] == ["25/10/2026", "25", "ore"]
    assert "Totale 29,200 kWh" in text_of(autumn)


def test_bands_peak_and_totals_of_the_interval(browser, supply):
    values = [100] * 96
    values[77] = 1001  # 19:15, a Monday: F2
    make_measured_day(supply, date("2026-11-16"), values)
    measure(supply, "2026-11-17", "2026-11-18", estimated=True)
    page = browser.get(f"{PAGE}?dal=2026-11-15&al=2026-11-18").text
    assert cells(page)[-1] == [
        ["16/11/2026"], ["10,501"], ["4,400"], ["2,901"], ["3,200"], ["4,004", "19:15"],
        ["Effettiva"],
    ]  # fmt: skip
    assert [row[-1] for row in cells(page)[:2]] == [["Stimata"], ["Stimata"]]
    shown = text_of(page)
    for told in (
        "Totale 29,701 kWh", "F1 13,200 kWh · 44 %", "F2 6,901 kWh · 23 %", "F3 9,600 kWh · 32 %",
        "Picco 4,004 kW · 16/11/2026 19:15", "2 giorni sono stimati",
    ):  # fmt: skip
        assert told in shown
    assert "Manca la misura" not in shown  # the 15th is before the first


def test_days_without_measures_are_told(browser, supply):
    measure(supply, "2026-11-02")
    measure(supply, "2026-11-04", estimated=True)
    shown = text_of(browser.get(f"{PAGE}?dal=2026-11-02&al=2026-11-04").text)
    assert "Manca la misura di un giorno" in shown
    assert "Un giorno è stimato" in shown


def test_a_day_without_consumption(browser, supply):
    measure(supply, "2026-11-02", values=[0] * 96)
    page = browser.get(PAGE).text
    assert cells(page)[0][1] == ["0,000"]
    assert "%" not in text_of(page.partition('class="totals"')[2].partition("</dl>")[0])


@pytest.mark.parametrize(
    ("sort", "first"),
    [("giorno", "01"), ("-giorno", "20"), ("-totale", "07"), ("-picco", "09"), ("-tipo", "11")],
)
def test_the_table_sorts(browser, supply, sort, first):
    for number in range(1, 21):
        values = [100 if number != 7 else 110] * 96
        values[0] = 300 if number == 9 else values[0]
        make_measured_day(
            supply, dt.date(2026, 11, number), values, estimated=number == 11
        )  # fmt: skip
    page = browser.get(f"{PAGE}?ordine={sort}").text
    assert listed(page)[0] == f"{first}/11/2026"
    direction = "descending" if sort.startswith("-") else "ascending"
    assert page.count(f'aria-sort="{direction}"') == 1


def test_the_table_pages_and_keeps_the_interval(browser, supply):
    measure(supply, "2026-08-01", "2026-10-20")
    page = browser.get(f"{PAGE}?dal=2026-08-01&al=2026-10-20").text
    assert len(listed(page)) == 50
    assert f"{PAGE}?pag=2&amp;dal=2026-08-01&amp;al=2026-10-20" in page
    second = browser.get(f"{PAGE}?pag=2&dal=2026-08-01&al=2026-10-20").text
    assert len(listed(second)) == 31
    assert "Totale 777,600 kWh" in text_of(second)  # of the interval, not of the page
    assert "pag. 2 di 2" in browser.get(f"{PAGE}?pag=99&dal=2026-08-01&al=2026-10-20").text


def test_reactive_energy_is_offered_where_it_was_measured(browser, supply):
    measure(supply, "2026-11-02")
    assert "Energia reattiva" not in browser.get(PAGE).text
    assert "kvarh" not in browser.get(f"{PAGE}?quantita=reattiva").text
    measure(supply, "2026-11-01", quantity="reactive", values=[7] * 96)
    page = browser.get(f"{PAGE}?quantita=reattiva").text
    assert "Totale 0,672 kvarh" in text_of(page)
    assert listed(page) == ["01/11/2026"]
    assert f'href="{PAGE}?ordine=totale&amp;quantita=reattiva"' in page
    assert "curva?dal=2026-11-01&amp;al=2026-11-01&amp;quantita=reattiva" in page
    assert listed(browser.get(PAGE).text) == ["02/11/2026"]


def test_the_downloads_are_plain_links(browser, supply):
    measure(supply, "2025-12-30", "2026-01-02")
    page = browser.get(f"{PAGE}?dal=2026-01-01&al=2026-01-02").text
    for label, name in (("CSV per Excel", "excel"), ("CSV", "csv"), ("XLSX", "xlsx")):
        file = f"{PAGE}/scarica?quantita=attiva&amp;formato={name}&amp;"
        assert f'href="{file}dal=2026-01-01&amp;al=2026-01-02">Scarica {label}<' in page
        for year in (2025, 2026):
            assert f'href="{file}dal={year}-01-01&amp;al={year}-12-31"' in page


def test_the_partial_is_complete(browser, supply):
    measure(supply, "2026-11-02")
    answer = browser.get(PAGE, headers=PARTIAL)
    assert answer.text.strip().startswith('<div id="measures">')
    assert "<!doctype" not in answer.text
    assert {"hx-request", "hx-request-type"} <= {name.lower() for name in answer.vary}


def test_no_measures_yet(browser, supply):
    for headers in ({}, PARTIAL):
        answer = browser.get(f"{PAGE}?dal=x", headers=headers)
        assert answer.status_code == 200
        assert 'class="empty"' in answer.text
        assert "Non ci sono ancora misure" in answer.text


# -- Whose measures ------------------------------------------------------------------------


def test_gas_has_none_and_leads_to_electricity(browser, customer, supply):
    make_gas(customer, code="PR000005")
    page = browser.get("/forniture/PR000005/misure").text
    assert "solo le forniture di energia elettrica" in page
    assert f'<a href="{PAGE}">' in page
    assert browser.get("/forniture/PR000005/misure/curva").status_code == 404


def test_without_electricity_and_without_any_supply(sign_in):
    customer = make_customer()
    browser = sign_in(make_account(customer))
    assert 'class="empty"' in browser.get("/forniture/-/misure").text
    assert browser.get("/forniture/-/misure/curva").status_code == 404
    make_gas(customer, code="PR000007")
    assert 'class="empty"' in browser.get("/forniture/PR000007/misure").text


def test_a_supply_that_changed_hands_hides_its_former_customers_measures(browser, supply):
    measure(supply, "2026-10-01", "2026-10-10")
    SupplyPoint.update(active_from=date("2026-10-08")).execute()
    page = browser.get(f"{PAGE}?dal=2026-10-01&al=2026-10-10").text
    assert listed(page) == ["10/10/2026", "09/10/2026", "08/10/2026"]
    assert "(dal 08/10/2026)" in page
    assert len(browser.get(f"{PAGE}/curva?dal=2026-10-01&al=2026-10-10").json) == 3
    assert "/scarica?quantita=attiva&amp;formato=csv&amp;dal=2025" not in page


def test_an_ended_supply_keeps_its_measures(browser, supply):
    measure(supply, "2026-10-01", "2026-10-10")
    SupplyPoint.update(ended_on=date("2026-10-10")).execute()
    assert len(listed(browser.get(PAGE).text)) == 10


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/curva"])
@pytest.mark.parametrize("headers", [{}, PARTIAL], ids=["page", "htmx"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_row_09_only_its_customer_sees_it(
    client, sign_in, browser, stranger, supply, path, headers, method
):
    measure(supply, "2026-11-02")
    ask = {"method": method, "headers": headers}
    assert browser.open(path, **ask).status_code == 200
    nobody = client.open(path, **ask)
    assert "/login" in (nobody.location or nobody.headers.get("HX-Redirect", ""))
    theirs, missing = (
        stranger.open(path.replace("PR000001", code), **ask) for code in ("PR000001", "PR999999")
    )
    assert theirs.status_code == missing.status_code == 404
    disabled = make_account(supply.customer, username="chiuso")
    browser = sign_in(disabled)
    Account.update(disabled_at=utcnow()).where(Account.id == disabled.id).execute()
    answer = browser.open(path, **ask)
    assert "/login" in (answer.location or answer.headers.get("HX-Redirect", ""))


def test_looking_writes_nothing(browser, supply):
    measure(supply, "2026-11-02")
    browser.get(PAGE)
    browser.get(f"{PAGE}/curva")
    assert Event.select().count() == 0


# -- The data of the curve -----------------------------------------------------------------


def test_the_curve_has_every_quarter_hour_from_midnight_in_rome(browser, supply):
    measure(supply, "2026-10-24", "2026-10-25")
    make_measured_day(supply, date("2026-10-26"), range(96), estimated=True)
    answer = browser.get(f"{PAGE}/curva?dal=2026-10-24&al=2026-10-26")
    assert answer.mimetype == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    starts = [int(dt.datetime.fromisoformat(text).timestamp()) for text in (
        "2026-10-24T00:00+02:00", "2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00",
    )]  # fmt: skip
    assert [start for start, _estimated, _values in answer.json] == starts
    assert [estimated for _start, estimated, _values in answer.json] == [0, 0, 1]
    assert [len(values) for _start, _estimated, values in answer.json] == [96, 100, 96]
    assert answer.json[2][2] == list(range(96))
    for start, _estimated, values in answer.json[:-1]:
        assert start + 900 * len(values) in starts


def test_the_curve_has_a_year_at_most(browser, supply):
    measure(supply, "2025-01-01", "2026-02-01", values=None)
    days = browser.get(f"{PAGE}/curva?dal=2000-01-01&al=2099-12-31").json
    assert len(days) == 366
    assert sum(len(values) for _start, _estimated, values in days) == sum(
        count(date("2025-02-01") + dt.timedelta(days=place)) for place in range(366)
    )


def test_the_curve_of_nothing(browser, supply):
    assert browser.get(f"{PAGE}/curva").status_code == 404
    measure(supply, "2026-11-02")
    assert browser.get(f"{PAGE}/curva?dal=x").status_code == 404
    assert browser.get(f"{PAGE}/curva?dal=2026-01-01&al=2026-01-02").json == []


# -- What it costs, what it withstands -----------------------------------------------------


def test_few_queries_however_many_days(browser, supply, count_queries):
    measure(supply, "2026-10-01", "2026-10-02")
    measure(supply, "2026-10-01", quantity="reactive")
    counts = []
    for last in ("2026-10-01", "2026-12-31"):
        if last != "2026-10-01":
            measure(supply, "2026-10-03", last)
        browser.get(PAGE)
        for path in (f"{PAGE}?dal=2026-10-01&al=2026-12-31&righe=100", f"{PAGE}/curva"):
            with count_queries() as queries:
                browser.get(path)
            counts.append(len(queries))
    assert counts[:2] == counts[2:]
    assert max(counts) <= 6


@pytest.mark.parametrize(
    "query",
    [
        "dal=" + "9" * 20, "dal=-1", "dal=%00", "dal=%FF%FE", "dal=9999-12-31", "dal=0000-00-00",
        "al=0001-01-01", "al=2026-W01-1", "dal=२०२६-०१-०१", "dal=1/1/2000&al=31/12/2099",
        "al=2000-01-01", "dal=2099-12-31", "dal=2026-01-01&dal=x&al=1&al=2026-01-02",
        "quantita=%00", "quantita=energia", "pag=" + "9" * 30, "ordine=-", "ordine=values",
        "dal=" + "x" * 3000, "dal=2026-02-30", "al=1/1/99999",
    ],
)  # fmt: skip
def test_hostile_addresses_get_an_answer(browser, supply, query):
    measure(supply, "2026-10-01", "2026-10-02")
    for path in (PAGE, f"{PAGE}/curva"):
        assert browser.get(f"{path}?{query}").status_code in {200, 404, 422}
    assert "Misure elettriche" in browser.get(f"{PAGE}?{query}").text
