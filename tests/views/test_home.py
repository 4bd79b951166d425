import datetime as dt
import re

import pytest

from domain import documents
from domain.clock import rome_day, utcnow
from models import Document
from tests.factories import (
    make_account,
    make_customer,
    make_electricity,
    make_gas,
    make_invoice,
    make_measured_day,
    make_ticket,
    make_window,
)

HOME = "/forniture/PR000001/home"
DAY = dt.timedelta(days=1)


@pytest.fixture
def today():
    return rome_day(utcnow())


def headings(page):
    """The tiles from first to last."""
    return re.findall(r"<h2><svg.*?</svg>([^<]+)</h2>", page)


def make_notice(title="Nuovi orari dello sportello", **values):
    values = {"category": "notices", "date": rome_day(utcnow()), "added_at": utcnow(), **values}
    return Document.create(title=title, folded=documents.folded(title), **values)


def test_it_tells_what_to_pay_and_when_to_read(browser, customer, supply, today):
    make_invoice(customer, supply, number="TARDI", date=today, amount_cents=100)
    make_invoice(customer, supply, number="PRIMA", date=today - 5 * DAY, amount_cents=123456)
    make_window()
    page = browser.get(HOME).text
    assert "1.234,56\N{NO-BREAK SPACE}€" in page
    assert "PRIMA" in page
    assert "TARDI" not in page
    assert "C'è un'altra fattura da pagare." in page.replace("&#39;", "'")
    assert "Periodo aperto" in page


def test_what_is_overdue_comes_first_and_says_so(browser, customer, supply, today):
    make_invoice(customer, supply, date=today - 40 * DAY)
    make_window()
    make_ticket(customer, state="answered")
    page = browser.get(HOME).text
    assert headings(page) == ["Fatture", "Ticket", "Autolettura"]
    assert "Scaduta" in page


def test_what_is_to_pay_comes_after_an_open_window(browser, customer, supply, today):
    make_invoice(customer, supply, date=today)
    make_window()
    page = browser.get(HOME).text
    assert headings(page) == ["Autolettura", "Fatture"]
    assert "Da pagare" in page


def test_with_nothing_to_do(browser):
    page = browser.get(HOME).text
    assert "Non ci sono fatture da pagare." in page
    assert "non è ancora stabilito" in page
    assert headings(page) == ["Fatture", "Autolettura"]
    assert page.count("Benvenuto") == 1  # beside the name: whoever is told to look for it finds it


def test_tickets_that_wait_are_named_and_lead_to_their_page(browser, customer):
    make_ticket(customer, state="open", subject="Aspetta noi")
    answered = make_ticket(customer, state="answered", subject="Aspetta <b>il cliente</b>")
    page = browser.get(HOME).text
    assert f'<a href="/forniture/PR000001/ticket/{answered.code}">' in page
    assert "Aspetta &lt;b&gt;il cliente&lt;/b&gt;" in page
    assert "Aspetta noi" not in page


def test_the_latest_notice_is_new_until_the_next_access(sign_in, customer, supply):
    seen = utcnow() - 2 * DAY
    account = make_account(customer, last_access_at=seen)
    notice = make_notice("Vecchio <i>comunicato</i>", added_at=seen - DAY)
    page = sign_in(account).get(HOME).text
    assert "Vecchio &lt;i&gt;comunicato&lt;/i&gt;" in page
    assert f'href="/forniture/PR000001/comunicati/{notice.id}"' in page
    assert "Nuovo" not in page
    Document.update(added_at=seen + DAY).execute()
    again = sign_in(make_account(customer, username="altra", last_access_at=seen))
    assert "Nuovo" in again.get(HOME).text


def test_a_new_document_of_one_s_own_stands_beside_the_notice(sign_in, stranger, customer, supply):
    seen = utcnow() - 2 * DAY
    make_notice("Orari", added_at=seen - DAY)
    letter = make_notice("La tua lettera", category="personal", customer=customer)
    browser = sign_in(make_account(customer, last_access_at=seen))
    page = browser.get(HOME).text
    assert "La tua lettera" in page
    assert {"I miei documenti", "Comunicati"} <= set(headings(page))
    assert "La tua lettera" not in stranger.get("/forniture/PR000009/home").text
    Document.update(added_at=seen - DAY).where(Document.id == letter.id).execute()
    assert "I miei documenti" not in headings(browser.get(HOME).text)


def test_electricity_tells_of_measures_and_not_of_readings(browser, customer, today):
    supply = make_electricity(customer, code="PR000002")
    make_window()
    page = browser.get("/forniture/PR000002/home").text
    assert "Non sono ancora arrivate misure" in page
    assert headings(page) == ["Fatture", "Misure elettriche"]
    make_measured_day(supply, today - DAY)
    make_measured_day(supply, today - 3 * DAY)
    page = browser.get("/forniture/PR000002/home").text
    assert f"Dati disponibili fino al {today - DAY:%d/%m/%Y}." in page


def test_a_supply_that_has_ended_is_asked_for_no_reading(browser, customer, today):
    make_gas(customer, code="PR000003", ended_on=today - DAY)
    make_window()
    page = browser.get("/forniture/PR000003/home").text
    assert f"Questa fornitura è cessata il {today - DAY:%d/%m/%Y}." in page
    assert headings(page) == ["Fatture"]


def test_a_customer_without_supplies_is_still_told_what_matters(sign_in):
    customer = make_customer()
    make_invoice(customer, number="F-77")
    page = sign_in(make_account(customer)).get("/forniture/-/home").text
    assert "non è ancora collegata nessuna fornitura" in page
    assert "F-77" in page


def test_only_one_s_own_home(browser, stranger, client):
    missing = stranger.get("/forniture/PR999999/home")
    other = stranger.get(HOME)
    assert (other.status_code, other.text) == (missing.status_code, missing.text)
    assert other.status_code == 404
    assert client.get(HOME).location.startswith("/login")


def test_it_costs_six_queries_however_much_there_is(browser, customer, supply, count_queries):
    electricity = make_electricity(customer, code="PR000002")
    for place in range(30):
        make_invoice(customer, supply)
        make_invoice(customer, electricity)
        make_ticket(customer, state="answered")
        make_notice(f"Comunicato {place}")
        make_window(utcnow() + (3 + place) * DAY, utcnow() + (5 + place) * DAY)
        make_measured_day(electricity, rome_day(utcnow()) - place * DAY)
    for path in (HOME, "/forniture/PR000002/home"):
        browser.get(path)
        with count_queries() as queries:
            assert "In tutto sono 30." in browser.get(path).text
        assert len(queries) <= 6
