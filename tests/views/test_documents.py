"""«I miei documenti» and «Documentazione Generica»: what a customer finds there."""

import datetime as dt
import json
import re

import pytest

from domain import sessions
from domain.clock import rome_day, utcnow
from models import Account, Document, Event, Session, StoredFile
from tests.factories import (
    make_account,
    make_customer,
    make_document,
    make_electricity,
    make_file,
    make_invoice,
)
from tests.pages import PARTIAL
from views.documents import PAGES

NOTICES = "/forniture/PR000001/comunicati"
OWN = "/forniture/PR000001/documenti"
TODAY = rome_day(utcnow())


def days(number):
    return TODAY + dt.timedelta(days=number)


def titles(page):
    """The titles in the order of the rows."""
    rows = re.findall(r'<th scope="row"[^>]*>(.*?)</th>', page, re.S)
    return [re.sub(r"<span.*?</span>|<[^>]*>", "", row, flags=re.S).strip() for row in rows]


def row_of(page, title):
    return next(row for row in page.split("<tr>") if title in row)


# -- The lists -----------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_each_page_lists_its_own(browser, customer, page):
    for path, category in PAGES.items():
        make_document(path, category, customer=customer if category == "personal" else None)
    answer = browser.get(f"/forniture/PR000001/{page}")
    assert answer.status_code == 200
    assert titles(answer.text) == [page]
    assert re.search(r'aria-current="page"', answer.text)


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        ("documenti", "Non ci sono ancora documenti per questo cliente."),
        ("comunicati", "Al momento non ci sono comunicati."),
        ("modulistica", "Al momento non ci sono documenti pubblicati."),
    ],
)
def test_an_empty_page_says_so(browser, page, sentence):
    text = browser.get(f"/forniture/PR000001/{page}").text
    assert sentence in text
    assert "<table" not in text
    assert 'name="cerca"' not in text


def test_a_row_tells_day_title_beginning_and_document(app, browser):
    make_document("Solo testo", text="parola " * 60, date=dt.date(2026, 3, 9))
    file = make_document("Solo file", file=make_file(app, "a.pdf"))
    page = browser.get(NOTICES).text
    text, with_file = row_of(page, "Solo testo"), row_of(page, "Solo file")
    assert "09/03/2026" in text
    assert re.search(r'<a href="[^"]*/comunicati/\d+">Solo testo</a>', text)
    assert "parola …" in text
    assert "/pdf" not in text
    assert f'href="{NOTICES}/{file.id}/pdf"' in with_file
    assert "#pdf" in with_file
    assert ">Solo file</a>" not in with_file


def test_personal_documents_of_a_customer_without_supplies_or_of_an_ended_one(sign_in):
    customer = make_customer()
    make_document("Lettera", customer=customer)
    browser = sign_in(make_account(customer))
    assert titles(browser.get("/forniture/-/documenti").text) == ["Lettera"]
    make_electricity(customer, code="PR000007", ended_on=days(-400))
    assert titles(browser.get("/forniture/PR000007/documenti").text) == ["Lettera"]


def test_only_what_is_published_today(browser):
    make_document("Domani", visible_from=days(1))
    make_document("Ieri", visible_to=days(-1))
    make_document("Oggi", visible_from=TODAY, visible_to=TODAY, text="x")
    assert titles(browser.get(NOTICES).text) == ["Oggi"]


def test_the_partial_is_a_piece(browser):
    make_document("Uno")
    answer = browser.get(NOTICES, headers=PARTIAL)
    assert "<!doctype" not in answer.text
    assert answer.text.lstrip().startswith('<div id="documents">')
    assert {"hx-request", "hx-request-type"} <= {name.lower() for name in answer.vary}


def test_search_finds_and_leads_back(browser):
    make_document("Novità d'autunno")
    make_document("Altro", text="<b>Più</b> luce")
    page = browser.get(f"{NOTICES}?cerca=NOVITA").text
    assert titles(page) == ["Novità d&#39;autunno"]
    assert 'value="NOVITA"' in page
    assert titles(browser.get(f"{NOTICES}?cerca=piu").text) == ["Altro"]
    none = browser.get(f"{NOTICES}?cerca=%25").text
    assert "Niente corrisponde alle parole cercate." in none
    assert f'<a href="{NOTICES}">Mostra tutto</a>' in none
    assert 'name="cerca"' in none


def test_order_pages_and_search_go_along(browser):
    for place in range(25):
        make_document(f"Avviso {place:02d}", date=days(-place))
    first = browser.get(f"{NOTICES}?righe=10&ordine=titolo&cerca=avviso").text
    assert titles(first) == [f"Avviso {place:02d}" for place in range(10)]
    assert "pag. 1 di 3" in first
    assert f"{NOTICES}?pag=2&amp;righe=10&amp;ordine=titolo&amp;cerca=avviso" in first
    assert '<input type="hidden" name="ordine" value="titolo">' in first
    last = browser.get(f"{NOTICES}?righe=10&pag=99").text
    assert titles(last) == [f"Avviso {place:02d}" for place in range(20, 25)]


@pytest.mark.parametrize(
    "query",
    [
        "pag=-1", "pag=" + "9" * 20, "ordine=folded", "ordine=%00", "cerca=%00", "cerca=%FF%FE",
        "cerca=" + "x" * 3000, "cerca=a&cerca=b", "cerca=%25_%5C%27%22", "righe=0",
        "cerca=" + "%20a" * 200, "cerca=%F0%9F%90%9D", "pag=999999999&righe=100",
    ],
)  # fmt: skip
def test_row_19_hostile_addresses_show_the_list(browser, query):
    make_document("Uno")
    answer = browser.get(f"{NOTICES}?{query}")
    assert answer.status_code == 200
    assert "Comunicati" in answer.text


def test_row_13_hostile_text_is_shown_as_typed(app, browser):
    payload = "\"><script>alert(1)</script> javascript:alert(1) {{ 7*7 }} onload='x'"
    document = make_document(payload, text=payload, file=make_file(app, "a.pdf"))
    StoredFile.update(name='"><img src=x>\r\nX-A: b.pdf').execute()
    for path in ("", f"/{document.id}", "?cerca=%22%3E%3Cscript%3E"):
        text = browser.get(NOTICES + path).text
        assert "<script>alert" not in text
        assert 'href="javascript' not in text
        assert "&lt;script&gt;" in text
    answer = browser.get(f"{NOTICES}/{document.id}/pdf")
    assert "X-A" not in answer.headers
    assert "<" not in answer.headers["Content-Disposition"]


def test_a_list_costs_few_queries_however_long(browser, count_queries):
    make_document()
    counts = []
    for more in (0, 99):
        for _ in range(more):
            make_document(text="x" * 500)
        browser.get(NOTICES)
        with count_queries() as queries:
            assert len(titles(browser.get(f"{NOTICES}?righe=100&cerca=o").text)) == more + 1
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 4


# -- New since the last access -------------------------------------------------------------


def seen_last(since):
    """As if the access before this one had been at that instant."""
    Session.update(previous_access_at=since).execute()


def test_what_was_published_since_the_last_access_is_marked(browser):
    now = utcnow()
    make_document("Vecchio", added_at=now - dt.timedelta(days=9))
    make_document("Recente", added_at=now - dt.timedelta(days=1))
    make_document("Iniziato", added_at=now - dt.timedelta(days=9), visible_from=TODAY)
    seen_last(now - dt.timedelta(days=3))
    page = browser.get(NOTICES).text
    titles = ("Vecchio", "Recente", "Iniziato")
    marked = [title for title in titles if ">Nuovo<" in row_of(page, title)]
    assert marked == ["Recente", "Iniziato"]


def test_at_the_very_first_access_nothing_is_new(browser):
    make_document("Uno")
    assert ">Nuovo<" not in browser.get(NOTICES).text


def test_the_next_access_marks_nothing_again(app, customer, browser):
    make_document("Uno", added_at=utcnow() - dt.timedelta(seconds=1))
    seen_last(utcnow() - dt.timedelta(days=1))
    assert ">Nuovo<" in browser.get(NOTICES).text
    token = sessions.open_session(Account.get(), now=utcnow())
    with browser.session_transaction() as cookie:
        cookie["_user_id"] = token
    assert ">Nuovo<" not in browser.get(NOTICES).text


# -- Reading -------------------------------------------------------------------------------


def test_a_notice_is_read_whole_with_its_line_breaks(app, browser):
    text = "Prima riga\n\nSeconda <b>riga</b>\n" + "parola " * 300
    document = make_document("Avviso", text=text, file=make_file(app, "a.pdf"))
    page = browser.get(f"{NOTICES}/{document.id}").text
    assert "Prima riga\n\nSeconda &lt;b&gt;riga&lt;/b&gt;\n" in page
    assert page.count("parola") == 300
    assert f"{TODAY:%d/%m/%Y}" in page
    assert f'href="{NOTICES}/{document.id}/pdf"' in page
    assert f'href="{NOTICES}"' in page


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("Vedere https://www.arera.it/consumatori.", ["https://www.arera.it/consumatori"]),
        ("(https://a.it/x?b=1&c=2), https://b.it!", ["https://a.it/x?b=1&amp;c=2", "https://b.it"]),
        ("«https://a.it/è»", ["https://a.it/è"]),
        ("http://a.it javascript:alert(1) data:text/html,x //a.it www.a.it", []),
        ('https://a.it/"onmouseover="alert(1)', ["https://a.it/"]),
        ("https://a.it/<script>", ["https://a.it/"]),
        ("https:// https://. https://", []),
    ],
)
def test_web_addresses_in_a_text_are_links(browser, text, addresses):
    document = make_document("Avviso", text=text)
    page = browser.get(f"{NOTICES}/{document.id}").text
    notice = re.search(r'<p class="notice">(.*?)</p>', page, re.S)[1]
    assert re.findall(r'<a href="([^"]*)" rel="noopener noreferrer external">', notice) == addresses


@pytest.mark.parametrize("key", ["0", "-1", "9" * 20, "2147483648", "x", "%00", "1%2F2", "%D9%A1"])
@pytest.mark.parametrize("what", ["", "/pdf"])
def test_row_19_hostile_keys_find_nothing(browser, key, what):
    make_document("Uno", text="x")
    assert browser.get(f"{NOTICES}/{key}{what}").status_code == 404


@pytest.mark.parametrize("what", ["", "/pdf"])
def test_what_is_not_published_today_is_not_found(app, browser, what):
    file = make_file(app, "a.pdf")
    for values in ({"visible_from": days(1)}, {"visible_to": days(-1)}):
        document = make_document(text="x", file=file, **values)
        assert browser.get(f"{NOTICES}/{document.id}{what}").status_code == 404


# -- Documents -----------------------------------------------------------------------------


@pytest.fixture
def letter(app, customer):
    return make_document(
        "Lettera", customer=customer, file=make_file(app, "l.pdf", b"%PDF-1.4 uno")
    )


def test_the_document_comes_as_an_attachment_and_is_written_into_the_history(
    browser, customer, letter
):
    address = f"{OWN}/{letter.id}/pdf"
    answer = browser.get(address)
    assert answer.data == b"%PDF-1.4 uno"
    assert answer.mimetype == "application/pdf"
    assert answer.headers["Content-Disposition"] == "attachment; filename=l.pdf"
    assert answer.headers["Content-Security-Policy"] == "sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    event = Event.get()
    assert (event.kind, event.customer) == ("document_downloaded", customer)
    assert json.loads(event.details) == {"title": "Lettera"}
    assert browser.head(address).status_code == 200
    assert Event.select().count() == 1


@pytest.mark.parametrize("what", ["", "/pdf"])
def test_row_09_only_its_customer_gets_a_personal_document(client, browser, stranger, letter, what):
    address = f"{OWN}/{letter.id}{what}"
    assert client.get(address).location.startswith("/login")
    assert browser.get(address).status_code == 200
    for page in PAGES:
        there = f"/forniture/PR000009/{page}/{letter.id}{what}"
        assert stranger.get(there).status_code == 404
        if page != "documenti":
            assert browser.get(there.replace("PR000009", "PR000001")).status_code == 404
    assert stranger.get(address).status_code == 404


def test_row_09_nor_by_the_id_or_the_name_of_its_file(app, browser, stranger, customer, letter):
    make_invoice(customer)
    for key in (letter.file_id, letter.file.name, letter.file.path):
        for path in ("documenti", "fatture", "comunicati"):
            address = f"/forniture/PR000009/{path}/{key}/pdf"
            assert stranger.get(address).status_code == 404
    assert stranger.get(f"/static/../documents/{letter.file.path}").status_code == 404


def test_a_file_that_went_missing_says_whom_to_ask(app, browser, letter):
    (app.config["DATA_DIR"] / "documents" / "l.pdf").unlink()
    answer = browser.get(f"{OWN}/{letter.id}/pdf")
    assert answer.status_code == 404
    assert "servizio clienti" in answer.text
    Document.update(file=None, text="x").execute()
    assert browser.get(f"{OWN}/{letter.id}/pdf").status_code == 404
    assert not Event.select().exists()


@pytest.mark.parametrize("path", ["../portale.db", "/etc/passwd", "link.pdf", "ring.pdf", "."])
def test_row_20_no_path_leaves_the_documents(app, browser, letter, path):
    (app.config["DATA_DIR"] / "documents" / "link.pdf").symlink_to("/etc/passwd")
    (app.config["DATA_DIR"] / "documents" / "ring.pdf").symlink_to("ring.pdf")
    StoredFile.update(path=path).execute()
    assert browser.get(f"{OWN}/{letter.id}/pdf").status_code == 404
