"""«Registro attività», as who checks it reads it."""

import csv
import datetime as dt
import io

import pytest

from domain import register
from models import RegisterEntry
from tests.factories import make_operator
from tests.pages import PARTIAL, text_of

NOW = dt.datetime(2026, 3, 2, 9, 30, tzinfo=dt.UTC)


@pytest.fixture
def note(app):
    """`note(kind, operator, …)`: an entry of the register, on 2 March 2026."""

    def _note(kind="customer_read", operator="anna", *, now=NOW, **details):
        key = register.key(app.secret_key)
        register.record(kind, operator, key=key, now=now, **details)

    return _note


@pytest.fixture
def browser(sign_in_operator):
    return sign_in_operator(make_operator(username="anna"))


def shown(browser, query=""):
    return text_of(browser.get(f"/staff/registro{query}", headers=PARTIAL).text)


def table(answer):
    text = answer.get_data().decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text), delimiter=";"))


def test_an_empty_register_says_so(browser):
    assert "Non è ancora successo nulla" in shown(browser)
    assert "Mai verificato" in text_of(browser.get("/staff/registro").text)


def test_entries_are_told_in_a_sentence(browser, note):
    note(customer="000002")
    note("operator_created", "riga di comando", whom="bruno", role="operator")
    page = shown(browser)
    assert "1 02/03/2026, 10:30 anna Scheda letta Legge la scheda del cliente. 000002" in page
    assert "2 02/03/2026, 10:30 riga di comando Operatore creato" in page
    assert "Crea l&#39;operatore bruno." in page
    assert page.index("bruno") < page.index("000002")


def test_filters_narrow_it(browser, note):
    note(customer="000002")
    note("signed_in", "bruno", address="192.0.2.1", now=NOW + dt.timedelta(days=1))
    for query in (
        "?operatore=bruno",
        "?tipo=signed_in",
        "?dal=2026-03-03",
        "?al=2026-03-03&operatore=bruno",
    ):
        page = shown(browser, query)
        assert ("192.0.2.1" in page, "000002" in page) == (True, False), query
    page = shown(browser, "?cliente=000002")
    assert ("192.0.2.1" in page, "Legge la scheda" in page) == (False, True)
    assert "Niente corrisponde alla scelta." in shown(browser, "?cliente=999999")
    assert "192.0.2.1" in shown(browser, "?tipo=inventato&dal=ieri&pag=-3")


def test_a_partial_is_the_table_alone(browser, note):
    note()
    partial = browser.get("/staff/registro", headers=PARTIAL).text
    assert '<div id="entries">' in partial
    assert "<html" not in partial
    assert partial.strip() in browser.get("/staff/registro").text


def test_it_is_paged(browser, note):
    for n in range(25):
        note(customer=f"{n:06d}")
    assert "000024" in shown(browser)
    assert "000004" not in shown(browser)
    assert "000004" in shown(browser, "?pag=2")
    assert "000004" in shown(browser, "?pag=99")


def test_its_queries_do_not_grow(browser, note, count_queries):
    note()
    with count_queries() as few:
        shown(browser)
    for _n in range(15):
        note()
    with count_queries() as many:
        shown(browser)
    assert len(many) == len(few)


def test_it_says_how_far_it_was_verified(app, browser, note):
    note()
    note()
    register.verify(register.key(app.secret_key), now=NOW)
    page = text_of(browser.get("/staff/registro").text)
    assert "Integro fino alla riga 2 Verificato il 02/03/2026 alle 10:30." in page
    RegisterEntry.update(operator="bruno").where(RegisterEntry.number == 2).execute()
    register.verify(register.key(app.secret_key), now=NOW)
    page = text_of(browser.get("/staff/registro").text)
    assert "Manomesso dalla riga 2 Verificato il 02/03/2026 alle 10:30." in page


def test_no_page_walks_the_whole_chain(browser, note, monkeypatch):
    note()
    monkeypatch.setattr(register, "seal", None)
    assert browser.get("/staff/registro").status_code == 200


def test_the_download_has_the_seals_and_is_an_entry(browser, note):
    note(customer="000002")
    answer = browser.get("/staff/registro/csv")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    heading, first = table(answer)
    assert heading == ["Riga", "Quando", "Operatore", "Tipo", "Che cosa", "Cliente", "Sigillo"]
    assert first[:6] == [
        "1", "02/03/2026 10:30", "anna", "Scheda letta", "Legge la scheda del cliente.", "000002"
    ]  # fmt: skip
    assert first[6] == RegisterEntry.get(number=1).seal
    assert "Scarica il registro: 1 righe." in shown(browser)
    assert [row.kind for row in register.entries()] == ["register_downloaded", "customer_read"]


def test_the_download_is_of_what_the_filters_show(browser, note):
    note(customer="000002")
    note("signed_in", "bruno", address="192.0.2.1")
    rows = table(browser.get("/staff/registro/csv?operatore=bruno"))
    assert [row[0] for row in rows[1:]] == ["2"]
    link = browser.get("/staff/registro?operatore=bruno", headers=PARTIAL).text
    assert 'href="/staff/registro/csv?operatore=bruno"' in link


def test_row_21_the_download_is_no_formula(browser, note):
    note("mails_retried", "=HYPERLINK(1)", mails="x")
    note("operator_created", "@anna", whom="=1+1", role="operator")
    rows = table(browser.get("/staff/registro/csv"))[1:]
    assert [row[2] for row in rows] == ["'@anna", "'=HYPERLINK(1)"]


@pytest.mark.parametrize(
    "query",
    [
        "operatore=%00",
        "cliente=" + "9" * 500,
        "tipo=%ff",
        "dal=99999-99-99",
        "al=9999-12-31",
        "dal=0001-01-01",
        "pag=" + "9" * 20,
        "cliente=a&cliente=b",
    ],
)
def test_row_19_hostile_filters(browser, query):
    for path in ("/staff/registro", "/staff/registro/csv"):
        assert browser.get(f"{path}?{query}").status_code == 200


def test_a_head_request_writes_no_entry(browser, note):
    note()
    browser.head("/staff/registro")
    assert RegisterEntry.select().count() == 1
