import datetime as dt
import re

import pytest

from domain import acquisition
from domain.clock import rome_day, utcnow
from domain.windows import MINUTE
from models import Event, SelfReading
from tests.factories import (
    PASSWORD,
    make_account,
    make_electricity,
    make_event,
    make_file,
    make_gas,
    make_invoice,
    make_self_reading,
    make_window,
)
from tests.pages import PARTIAL

STORICO = "/forniture/PR000001/storico"
WINDOWS_FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
STRONG = "Tre-gatti-blu-sul-tetto-91"


def sentences(page):
    """What happened, from the latest."""
    return re.findall(r'<td class="event">(.*?)</td>', page)


def kinds():
    return [event.kind for event in Event.select().order_by(Event.id)]


def test_an_access_is_told_with_browser_and_address(client, customer, supply):
    account = make_account(customer)
    data = {"username": account.username, "password": PASSWORD}
    client.post("/login", data=data, headers={"User-Agent": WINDOWS_FIREFOX})
    page = client.get(STORICO).text
    assert "con Firefox su Windows, dall&#39;indirizzo 127.0.0.1." in page
    event = Event.get()
    assert (event.account, event.customer, event.kind) == (account, None, "access")
    assert WINDOWS_FIREFOX not in event.details  # no more than is shown


def test_a_wrong_password_leaves_no_trace(client, customer):
    data = {"username": make_account(customer).username, "password": "sbagliata"}
    client.post("/login", data=data)
    assert kinds() == []


def test_password_and_sessions_are_told(browser):
    data = {"password": PASSWORD, "new_password": STRONG, "repeat_password": STRONG}
    assert browser.post("/forniture/PR000001/password", data=data).status_code == 303
    assert "Password cambiata; gli altri accessi aperti sono stati chiusi." in (
        browser.get(STORICO).text
    )
    browser.post("/sessioni/chiudi")
    assert kinds() == ["password_changed", "sessions_closed"]


def test_readings_are_told(browser, supply):
    make_window()
    browser.post("/forniture/PR000001/autolettura/nuova", data={"counter": "4500"})
    reading = SelfReading.get()
    browser.post(f"/forniture/PR000001/autolettura/{reading.id}/cancella")
    browser.post(f"/forniture/PR000001/autolettura/{reading.id}/cancella")  # nothing more happens
    page = browser.get(STORICO).text
    assert page.index("Cancellata l&#39;autolettura") < page.index("Inserita l&#39;autolettura")
    assert kinds() == ["reading_entered", "reading_cancelled"]
    event = Event.get(Event.kind == "reading_entered")
    assert (event.customer_id, event.supply_id) == (supply.customer_id, supply.id)


def test_a_reading_that_is_refused_is_not_told(browser):
    browser.post("/forniture/PR000001/autolettura/nuova", data={"counter": "4500"})
    assert kinds() == []


def test_the_acquisition_that_comes_first_leaves_the_cancel_untold(app, browser, supply):
    reading = make_self_reading(supply, rome_day(utcnow()), 100)
    acquisition.acquire(app.config["DATA_DIR"] / "outbox", now=utcnow())
    browser.post(f"/forniture/PR000001/autolettura/{reading.id}/cancella")
    assert kinds() == []


def test_downloads_of_invoices_are_told_once_each(app, browser, customer, supply):
    ids = [
        make_invoice(
            customer, supply, number=f"F/{place}", document=make_file(app, f"f{place}.pdf")
        ).id
        for place in range(7)
    ]
    browser.get(f"/forniture/PR000001/fatture/{ids[0]}/pdf")
    browser.get("/forniture/PR000001/fatture/zip", query_string={"id": ids})
    page = browser.get(STORICO).text
    assert "Scaricata la fattura F/0." in page
    assert "Scaricate in un file ZIP le fatture F/6, F/5, F/4, F/3, F/2 e altre 2." in page


def test_what_was_not_downloaded_is_not_told(app, browser, customer, supply):
    invoice = make_invoice(customer, supply, document=make_file(app, "f.pdf"))
    path = f"/forniture/PR000001/fatture/{invoice.id}/pdf"
    assert browser.head(path).status_code == 200
    browser.head(f"/forniture/PR000001/fatture/zip?id={invoice.id}")
    browser.get("/forniture/PR000001/fatture/zip")  # nothing chosen
    (app.config["DATA_DIR"] / "documents" / "f.pdf").unlink()
    assert browser.get(path).status_code == 404
    assert kinds() == []


def test_another_login_of_the_customer_is_named(sign_in, customer, supply):
    make_event("invoice_downloaded", account=make_account(customer, username="altra"),
               customer=customer, number="1")  # fmt: skip
    make_event("ticket_answered", customer=customer, code="T-1")
    page = sign_in(make_account(customer)).get(STORICO).text
    assert "Con l&#39;accesso di altra." in page
    assert "Dal servizio clienti." in page


def test_only_one_s_own_history(browser, stranger, customer, client):
    make_event("ticket_opened", customer=customer, code="T-SEGRETO")
    assert "T-SEGRETO" in browser.get(STORICO).text
    assert "T-SEGRETO" not in stranger.get("/forniture/PR000009/storico").text
    missing = stranger.get("/forniture/PR999999/storico")
    other = stranger.get(STORICO)
    assert (other.status_code, other.text) == (missing.status_code, missing.text)
    assert other.status_code == 404
    assert client.get(STORICO).location.startswith("/login")
    assert "/login" in client.get(STORICO, headers=PARTIAL).headers["HX-Redirect"]


def test_groups_and_days_filter(browser, customer):
    old = utcnow() - dt.timedelta(days=30)
    make_event("ticket_opened", customer=customer, code="VECCHIO", at=old)
    make_event("ticket_opened", customer=customer, code="NUOVO")
    make_event("document_downloaded", customer=customer, title="LETTERA")
    page = browser.get(f"{STORICO}?tipo=ticket").text
    assert sentences(page)[0].startswith("Aperto il ticket NUOVO.")
    assert "LETTERA" not in page
    page = browser.get(f"{STORICO}?tipo=ticket&dal={rome_day(old)}&al={rome_day(old)}").text
    assert "VECCHIO" in page
    assert "NUOVO" not in page
    assert f'value="{rome_day(old)}"' in page
    page = browser.get(f"{STORICO}?tipo=accessi").text
    assert "Niente corrisponde alla scelta." in page


@pytest.mark.parametrize(
    "query", ["tipo=x", "dal=ieri&al=0001-01-01", "al=9999-12-31", "pag=999", "dal=2026-02-30"]
)
def test_what_is_not_understood_counts_as_not_asked(browser, customer, query):
    make_event("ticket_opened", customer=customer, code="T-1")
    page = browser.get(f"{STORICO}?{query}", follow_redirects=True).text
    assert "Aperto il ticket T-1." in page


def test_it_pages_from_the_latest(browser, customer):
    for place in range(25):
        make_event("ticket_opened", customer=customer, code=f"T-{place}",
                   at=utcnow() + place * MINUTE)  # fmt: skip
    first = browser.get(STORICO).text
    assert "pag. 1 di 2" in first
    assert sentences(first)[0].startswith("Aperto il ticket T-24.")
    assert sentences(browser.get(f"{STORICO}?pag=2").text)[-1].startswith("Aperto il ticket T-0.")


def test_a_page_beyond_the_last_leads_to_the_last(browser, customer):
    for place in range(12):
        make_event("ticket_opened", customer=customer, code=f"T-{place}")
    wanted = f"{STORICO}?righe=10&tipo=ticket"
    assert browser.get(f"{wanted}&pag=9").location == f"{STORICO}?pag=2&righe=10&tipo=ticket"


def test_htmx_gets_the_table_alone(browser, customer):
    make_event("ticket_opened", customer=customer, code="T-1")
    answer = browser.get(STORICO, headers=PARTIAL)
    assert answer.text.lstrip().startswith('<div id="events">')
    assert "Aperto il ticket T-1." in answer.text
    assert "HX-Request" in answer.headers["Vary"]


def test_hostile_details_are_shown_and_never_run(browser, customer):
    make_event("document_downloaded", customer=customer, title='<script>alert("1")</script>\x00')
    make_event("ticket_opened", customer=customer, code="%(x)s {{ 7 * 7 }}")
    page = browser.get(STORICO).text
    assert "&lt;script&gt;alert" in page
    assert "<script>alert" not in page
    assert "%(x)s {{ 7 * 7 }}" in page


def test_nothing_happened_yet(browser):
    assert "Non è ancora successo nulla da ricordare qui." in browser.get(STORICO).text


def test_supplies_that_have_ended_lead_to_their_pages(browser, customer):
    ended = rome_day(utcnow()) - dt.timedelta(days=1)
    assert "Forniture cessate" not in browser.get(STORICO).text
    gas = make_gas(customer, code="PR000003", ended_on=ended)
    make_electricity(customer, code="PR000004", ended_on=ended)
    make_electricity(customer, code="PR000005", ended_on=dt.date(2999, 1, 1))
    make_invoice(customer, gas, number="ANTICA")
    page = browser.get(STORICO).text
    assert "Forniture cessate" in page
    for path in ("PR000003/fatture", "PR000003/autolettura", "PR000004/fatture"):
        assert f'<a href="/forniture/{path}">' in page
        assert browser.get(f"/forniture/{path}").status_code == 200
    assert '<a href="/forniture/PR000005/fatture">' not in page
    assert "ANTICA" in browser.get("/forniture/PR000003/fatture").text


def test_a_customer_without_supplies_has_a_history(sign_in, customer):
    make_event("ticket_opened", customer=customer, code="T-1")
    assert "T-1" in sign_in(make_account(customer)).get("/forniture/-/storico").text


def test_it_costs_few_queries_however_many_the_events(browser, customer, count_queries):
    def cost():
        with count_queries() as queries:
            assert browser.get(STORICO).status_code == 200
        return len(queries)

    browser.get(STORICO)
    make_event("ticket_opened", customer=customer, code="T-1")
    few = cost()
    for _ in range(30):
        make_event("ticket_opened", customer=customer, code="T-1")
        make_gas(customer, ended_on=dt.date(2024, 1, 1))
    assert cost() == few <= 6
