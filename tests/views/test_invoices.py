import datetime as dt
import io
import re
import zipfile

import pytest

from domain import invoices
from domain.clock import rome_day, utcnow
from models import Instalment, Invoice, StoredFile
from tests.factories import make_account, make_customer, make_file, make_gas, make_invoice
from tests.pages import PARTIAL

LIST = "/forniture/PR000001/fatture"
IBAN = "IT60X0542811101000000123456"
TODAY = rome_day(utcnow())


def days(number):
    return TODAY + dt.timedelta(days=number)


def numbers(page):
    """The invoice numbers in the order of the rows."""
    return re.findall(r'<th scope="row"[^>]*>([^<]*)</th>', page)


def row_of(page, number):
    return next(row for row in page.split("<tr>") if f">{number}</th>" in row)


# -- The list ------------------------------------------------------------------------------


def test_each_invoice_with_number_dates_amount_and_state(browser, customer, supply):
    make_invoice(customer, supply, number="2026/1", date=dt.date(2026, 3, 9),
                 due_on=dt.date(2026, 3, 29), amount_cents=123456, paid=True)  # fmt: skip
    row = row_of(browser.get(LIST).text, "2026/1")
    assert "09/03/2026" in row
    assert "29/03/2026" in row
    assert "1.234,56\N{NO-BREAK SPACE}€" in row
    assert ">Pagata<" in row


@pytest.mark.parametrize(
    ("label", "values"),
    [
        ("Pagata", {"paid": True, "due_on": days(-9)}),
        ("Da pagare", {"due_on": TODAY}),
        ("Da pagare", {"due_on": None}),
        ("Scaduta", {"due_on": days(-1)}),
        ("A credito", {"kind": "credit_note", "amount_cents": -4310, "due_on": None}),
    ],
)
def test_the_state_is_a_word(browser, customer, supply, label, values):
    make_invoice(customer, supply, number="N1", date=days(-30), **values)
    assert f">{label}<" in row_of(browser.get(LIST).text, "N1")


def test_the_newest_comes_first(browser, customer, supply):
    for number, back in (("A", 3), ("B", 1), ("C", 2)):
        make_invoice(customer, supply, number=number, date=days(-back))
    assert numbers(browser.get(LIST).text) == ["B", "C", "A"]


def test_a_supply_shows_its_own_invoices_and_those_of_the_whole_customer(browser, customer, supply):
    other = make_gas(customer, code="PR000002")
    make_invoice(customer, supply, number="SUA", date=days(-1))
    make_invoice(customer, other, number="ALTRA", date=days(-2))
    make_invoice(customer, number="TUTTE", date=days(-3))
    make_invoice(customer, supply, other, number="DUE", date=days(-4))
    make_invoice(make_customer(), number="ESTRANEA", date=days(-5))
    assert numbers(browser.get(LIST).text) == ["SUA", "TUTTE", "DUE"]
    page = browser.get("/forniture/PR000002/fatture").text
    assert numbers(page) == ["ALTRA", "TUTTE", "DUE"]


def test_a_supply_that_changed_hands_hides_its_former_customer(browser, supply):
    former = make_customer()
    theirs = make_invoice(former, supply, number="PRIMA", document=None)
    assert numbers(browser.get(LIST).text) == []
    assert browser.get(f"{LIST}/{theirs.id}/pdf").status_code == 404


def test_no_invoices_yet(browser):
    assert "Non ci sono ancora fatture per questa fornitura." in browser.get(LIST).text


def test_a_customer_without_supplies_reads_of_no_supply(sign_in):
    browser = sign_in(make_account(make_customer("000009")))
    page = browser.get("/forniture/-/fatture").text
    assert "Non ci sono ancora fatture per questo cliente." in page


def test_the_partial_is_a_piece_and_answers_are_told_apart(browser, customer, supply):
    make_invoice(customer, supply, number="N1")
    answer = browser.get(LIST, headers=PARTIAL)
    assert "<!doctype" not in answer.text
    assert 'id="invoices"' in answer.text
    assert numbers(answer.text) == ["N1"]
    assert {"hx-request", "hx-request-type"} <= {name.lower() for name in answer.vary}


# -- Filters, order, pages -----------------------------------------------------------------


@pytest.fixture
def mixed(customer, supply):
    """One invoice in each state, two years."""
    old = {"date": dt.date(2024, 5, 1)}
    make_invoice(customer, supply, number="PAGATA", paid=True, amount_cents=100, **old)
    make_invoice(customer, supply, number="SCADUTA", amount_cents=300, **old)
    make_invoice(customer, supply, number="APERTA", date=days(-1), due_on=days(9))
    make_invoice(customer, supply, number="CREDITO", date=days(-2), due_on=None,
                 kind="credit_note", amount_cents=-200)  # fmt: skip


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("anno=2024", {"PAGATA", "SCADUTA"}),
        ("stato=pagata", {"PAGATA"}),
        ("stato=da_pagare", {"APERTA"}),
        ("stato=scaduta", {"SCADUTA"}),
        ("stato=a_credito", {"CREDITO"}),
        ("anno=2024&stato=scaduta", {"SCADUTA"}),
        ("anno=&stato=", {"PAGATA", "SCADUTA", "APERTA", "CREDITO"}),
    ],
)
def test_filters(browser, mixed, query, expected):
    assert set(numbers(browser.get(f"{LIST}?{query}").text)) == expected


def test_a_filter_that_finds_nothing_says_so_and_leads_back(browser, mixed):
    page = browser.get(f"{LIST}?anno=1999").text
    assert "Nessuna fattura corrisponde alla scelta." in page
    assert f'<a href="{LIST}">Mostra tutte</a>' in page


def test_only_years_with_invoices_are_offered(browser, mixed):
    page = browser.get(f"{LIST}?anno=2024").text
    offered = re.search(r'name="anno">(.*?)</select>', page, re.S).group(1)
    assert re.findall(r"<option[^>]*>(\d+)", offered) == sorted(
        {str(days(-1).year), str(days(-2).year), "2024"}, reverse=True
    )
    assert "<option selected>2024</option>" in offered


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("data", ["SCADUTA", "PAGATA", "CREDITO", "APERTA"]),
        ("-data", ["APERTA", "CREDITO", "SCADUTA", "PAGATA"]),
        ("numero", ["APERTA", "CREDITO", "PAGATA", "SCADUTA"]),
        ("-numero", ["SCADUTA", "PAGATA", "CREDITO", "APERTA"]),
        ("scadenza", ["SCADUTA", "PAGATA", "APERTA", "CREDITO"]),
        ("-scadenza", ["APERTA", "SCADUTA", "PAGATA", "CREDITO"]),
        ("importo", ["CREDITO", "PAGATA", "SCADUTA", "APERTA"]),
        ("-importo", ["APERTA", "SCADUTA", "PAGATA", "CREDITO"]),
        ("stato", ["SCADUTA", "APERTA", "PAGATA", "CREDITO"]),
        ("-stato", ["CREDITO", "PAGATA", "APERTA", "SCADUTA"]),
    ],
)
def test_every_column_sorts_both_ways(browser, mixed, sort, expected):
    page = browser.get(f"{LIST}?ordine={sort}").text
    listed = numbers(page)
    if sort in {"data"}:  # the two of one day: the later entered first
        listed[:2] = sorted(listed[:2], reverse=True)
    assert listed == expected
    direction = "descending" if sort.startswith("-") else "ascending"
    assert page.count(f'aria-sort="{direction}"') == 1


@pytest.fixture
def many(customer, supply):
    for place in range(45):
        make_invoice(customer, supply, number=f"N{place:02d}", date=days(-place))


def pager(page):
    steps = re.findall(r'<(?:a|span) class="step"(?: href="([^"]*)")?', page)
    return [address.replace("&amp;", "&") for address in steps]


def test_pages(browser, many):
    first = browser.get(LIST).text
    assert "pag. 1 di 3" in first
    assert pager(first) == ["", "", f"{LIST}?pag=2", f"{LIST}?pag=3"]
    middle = browser.get(f"{LIST}?pag=2").text
    assert numbers(middle) == [f"N{place}" for place in range(20, 40)]
    assert pager(middle) == [LIST, LIST, f"{LIST}?pag=3", f"{LIST}?pag=3"]
    last = browser.get(f"{LIST}?pag=3").text
    assert numbers(last) == [f"N{place}" for place in range(40, 45)]
    assert pager(last) == [LIST, f"{LIST}?pag=2", "", ""]


def test_a_page_beyond_the_last_shows_the_last(browser, many):
    page = browser.get(f"{LIST}?pag=999&righe=10").text
    assert "pag. 5 di 5" in page
    assert len(numbers(page)) == 5


def test_rows_to_a_page_and_the_choices_go_along(browser, many):
    page = browser.get(f"{LIST}?righe=10&ordine=numero&stato=scaduta").text
    assert len(numbers(page)) == 10
    assert "<option selected>10</option>" in page
    assert f"{LIST}?pag=2&righe=10&ordine=numero&stato=scaduta" in pager(page)
    assert '<input type="hidden" name="ordine" value="numero">' in page


@pytest.mark.parametrize(
    "query",
    [
        "pag=-1", "pag=0", "pag=" + "9" * 20, "pag=x", "pag=%00", "righe=0", "righe=99999999",
        "righe=-20", "ordine=password_hash", "ordine=--data", "ordine=%00", "ordine=-",
        "anno=" + "9" * 20, "anno=-1", "anno=%FF%FE", "anno=999999999", "stato=%00", "stato=1;2",
        "pag=2&pag=3", "anno=2024&anno=2025", "stato=" + "x" * 3000, "anno=%D9%A2",
        "pag=999999999&righe=100",
    ],
)  # fmt: skip
def test_hostile_addresses_show_the_list(browser, mixed, query):
    answer = browser.get(f"{LIST}?{query}")
    assert answer.status_code == 200
    assert "Elenco fatture" in answer.text


def test_the_list_costs_few_queries_however_long(browser, customer, supply, count_queries):
    make_invoice(customer, supply)
    counts = []
    for more in (0, 119):
        for _ in range(more):
            make_invoice(customer, supply)
        browser.get(LIST)
        with count_queries() as queries:
            browser.get(f"{LIST}?righe=100")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 4


# -- Documents -----------------------------------------------------------------------------


@pytest.fixture
def documented(app, customer, supply):
    return make_invoice(
        customer, supply, number="N1", document=make_file(app, "fattura.pdf", b"%PDF-1.4 uno")
    )


def test_the_symbol_stands_only_where_there_is_a_document(browser, customer, supply, documented):
    make_invoice(customer, supply, number="N2")
    page = browser.get(LIST).text
    assert f'href="{LIST}/{documented.id}/pdf"' in row_of(page, "N1")
    assert 'type="checkbox"' in row_of(page, "N1")
    assert "/pdf" not in row_of(page, "N2")
    assert "checkbox" not in row_of(page, "N2")


def test_the_document_comes_as_an_attachment(browser, documented):
    with browser.get(f"{LIST}/{documented.id}/pdf") as answer:
        assert answer.data == b"%PDF-1.4 uno"
        assert answer.mimetype == "application/pdf"
        assert answer.headers["Content-Disposition"] == "attachment; filename=fattura.pdf"
        assert answer.headers["Content-Security-Policy"] == "sandbox"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "private" in answer.headers["Cache-Control"]
        etag = answer.headers["ETag"]
    address = f"{LIST}/{documented.id}/pdf"
    with browser.get(address, headers={"If-None-Match": etag}) as again:
        assert again.status_code == 304


@pytest.mark.parametrize("what", ["pdf", "pagamento"])
def test_only_its_customer_gets_it(client, browser, stranger, documented, what):
    address = f"{LIST}/{documented.id}/{what}"
    assert client.get(address).location.startswith("/login")
    assert stranger.get(address).status_code == 404
    assert stranger.get(address.replace("PR000001", "PR000009")).status_code == 404
    assert browser.get(f"{LIST}/{documented.id + 1}/{what}").status_code == 404


@pytest.mark.parametrize("key", ["0", "-1", "9" * 20, "2147483648", "x", "%00", "1%2F2", "%D9%A1"])
@pytest.mark.parametrize("what", ["pdf", "pagamento"])
def test_hostile_keys_find_nothing(browser, documented, key, what):
    assert browser.get(f"{LIST}/{key}/{what}").status_code == 404


def test_an_invoice_without_document_says_whom_to_ask(browser, customer, supply):
    invoice = make_invoice(customer, supply)
    answer = browser.get(f"{LIST}/{invoice.id}/pdf")
    assert answer.status_code == 404
    assert "al momento non è disponibile" in answer.text


def test_a_file_that_went_missing_says_whom_to_ask(app, browser, documented):
    (app.config["DATA_DIR"] / "documents" / "fattura.pdf").unlink()
    answer = browser.get(f"{LIST}/{documented.id}/pdf")
    assert answer.status_code == 404
    assert "servizio clienti" in answer.text


@pytest.mark.parametrize("path", ["../portale.db", "/etc/passwd", "link.pdf", "ring.pdf", ".", ""])
def test_no_path_leaves_the_documents(app, browser, documented, path):
    (app.config["DATA_DIR"] / "documents" / "link.pdf").symlink_to("/etc/passwd")
    (app.config["DATA_DIR"] / "documents" / "ring.pdf").symlink_to("ring.pdf")
    StoredFile.update(path=path).execute()
    assert browser.get(f"{LIST}/{documented.id}/pdf").status_code == 404
    assert browser.get(f"{LIST}/zip?id={documented.id}").status_code == 303


def entries(answer):
    archive = zipfile.ZipFile(io.BytesIO(answer.data))
    assert archive.testzip() is None
    return {name: archive.read(name) for name in archive.namelist()}


def test_several_documents_come_as_one_zip(app, browser, customer, supply, documented):
    other = make_file(app, "altra.pdf", b"%PDF-1.4 due")
    StoredFile.update(name="Fattura.pdf").where(StoredFile.id == other).execute()
    second = make_invoice(customer, supply, date=days(-400), document=other)
    none = make_invoice(customer, supply)
    query = f"id={documented.id}&id={second.id}&id={second.id}&id={none.id}"
    with browser.get(f"{LIST}/zip?{query}") as answer:
        assert answer.mimetype == "application/zip"
        assert answer.headers["Content-Disposition"] == "attachment; filename=fatture_PR000001.zip"
        assert int(answer.headers["Content-Length"]) == len(answer.data)
        assert entries(answer) == {
            "fattura.pdf": b"%PDF-1.4 uno",
            "Fattura (2).pdf": b"%PDF-1.4 due",
        }


def test_a_zip_is_made_while_it_is_sent(app, browser, customer, supply):
    big = make_file(app, "grande.pdf", b"x" * 3_000_000)
    invoice = make_invoice(customer, supply, document=big)
    with browser.get(f"{LIST}/zip?id={invoice.id}", buffered=False) as answer:
        sizes = [len(piece) for piece in answer.response]
    assert sum(sizes) > 3_000_000
    assert max(sizes) < 500_000


def test_a_zip_holds_nothing_of_others(app, browser, stranger, documented):
    theirs = make_invoice(make_customer(), document=make_file(app, "altrui.pdf"))
    with browser.get(f"{LIST}/zip?id={documented.id}&id={theirs.id}") as answer:
        assert list(entries(answer)) == ["fattura.pdf"]
    answer = stranger.get(f"/forniture/PR000009/fatture/zip?id={documented.id}")
    assert answer.location == "/forniture/PR000009/fatture"
    assert stranger.get(f"{LIST}/zip?id={documented.id}").status_code == 404


def test_an_empty_choice_is_told(client, browser, documented):
    assert client.get(f"{LIST}/zip?id={documented.id}").location.startswith("/login")
    answer = browser.get(f"{LIST}/zip", follow_redirects=True)
    assert "Scegliere prima una o più fatture" in answer.text


@pytest.mark.parametrize("query", ["id=-1", "id=" + "9" * 30, "id=%00", "id=x&id=%FF", "id="])
def test_hostile_choices_are_an_empty_choice(browser, documented, query):
    assert browser.get(f"{LIST}/zip?{query}").status_code == 303


def test_a_zip_has_a_limit(app, browser, customer, supply, monkeypatch):
    monkeypatch.setattr(invoices, "MOST_DOCUMENTS", 2)
    made = [
        make_invoice(customer, supply, document=make_file(app, f"{place}.pdf"))
        for place in range(3)
    ]
    query = "&".join(f"id={invoice.id}" for invoice in made)
    with browser.get(f"{LIST}/zip?{query}") as answer:
        assert len(entries(answer)) == 2


# -- How to pay ----------------------------------------------------------------------------


def test_payment_data_of_an_unpaid_invoice(browser, customer, supply):
    invoice = make_invoice(
        customer, supply, number="2026/7", date=days(-3), due_on=days(17), iban=IBAN
    )
    assert f'href="{LIST}/{invoice.id}/pagamento"' in row_of(browser.get(LIST).text, "2026/7")
    page = browser.get(f"{LIST}/{invoice.id}/pagamento").text
    assert "Prova Energia" in page
    assert "IT60 X054 2811 1010 0000 0123 456" in page
    assert "123,45\N{NO-BREAK SPACE}€" in page
    assert f"Fattura 2026/7 del {days(-3):%d/%m/%Y}" in page
    assert f"{days(17):%d/%m/%Y}" in page
    assert page.count('class="qr"') == 1
    assert 'role="img"' in page
    assert "style=" not in page


def test_payment_data_for_the_dialog(browser, customer, supply):
    invoice = make_invoice(customer, supply, iban=IBAN, due_on=days(5))
    piece = browser.get(f"{LIST}/{invoice.id}/pagamento", headers=PARTIAL).text
    assert "<!doctype" not in piece
    assert 'id="payment"' in piece


def test_each_instalment_has_its_own_transfer(browser, customer, supply):
    invoice = make_invoice(
        customer, supply, amount_cents=30000, due_on=days(5), iban=IBAN, payment_code="00123"
    )
    Instalment.update(amount_cents=10000).execute()
    Instalment.create(invoice=invoice, due_on=days(35), amount_cents=20000)
    page = browser.get(f"{LIST}/{invoice.id}/pagamento").text
    assert page.index("100,00") < page.index("200,00")
    assert "00123 rata 1 di 2" in page
    assert f"{days(35):%d/%m/%Y}" in page
    assert page.count('class="qr"') == 2


@pytest.mark.parametrize(
    "values",
    [{"paid": True}, {"iban": None}, {"kind": "credit_note", "amount_cents": -100}],
)
def test_nothing_to_pay_has_no_payment_data(browser, customer, supply, values):
    invoice = make_invoice(customer, supply, number="N1", **{"iban": IBAN, **values})
    assert "pagamento" not in row_of(browser.get(LIST).text, "N1")
    answer = browser.get(f"{LIST}/{invoice.id}/pagamento")
    assert answer.status_code == 404
    assert "non ci sono dati di pagamento" in answer.text


def test_a_mistyped_iban_gets_no_code(browser, customer, supply):
    invoice = make_invoice(customer, supply, iban=IBAN[:-1] + "7", due_on=days(5))
    page = browser.get(f"{LIST}/{invoice.id}/pagamento").text
    assert 'class="qr"' not in page
    assert Invoice.get_by_id(invoice.id).iban == IBAN[:-1] + "7"
