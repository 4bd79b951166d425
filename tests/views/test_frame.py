import datetime as dt
import itertools
import re

import pytest

from tests.factories import (
    make_account,
    make_customer,
    make_electricity,
    make_gas,
    make_invoice,
)
from views.frame import MENU


@pytest.fixture
def customer():
    return make_customer(name="PROVA S.P.A.")


def links(page):
    return dict(
        re.findall(r'<a class="entry" href="[^"]*/([^"]+)"[^>]*>.*?</svg>([^<]+)</a>', page)
    )


def test_home_of_the_default_supply(sign_in, customer):
    make_gas(customer, code="PR000001")
    browser = sign_in(make_account(customer))
    assert browser.get("/").location == "/forniture/PR000001/home"


def test_each_request_knows_only_its_own_customer(sign_in):
    one, other = make_customer(name="UNO"), make_customer(name="DUE")
    make_gas(one, code="PR000001")
    make_gas(other, code="PR000002")
    first, second = sign_in(make_account(one)), sign_in(make_account(other))
    assert first.get("/").location == "/forniture/PR000001/home"
    assert second.get("/").location == "/forniture/PR000002/home"


def test_the_menu_has_every_entry_of_the_guide_and_marks_the_open_one(sign_in, customer):
    make_electricity(customer, code="PR000001")
    page = sign_in(make_account(customer)).get("/forniture/PR000001/storico").text
    assert links(page) == {path: str(label) for path, label, _group in MENU}
    assert "Menu Generale" in page
    assert "Documentazione Generica" in page
    assert re.findall(r'href="([^"]+)" aria-current="page"', page) == [
        "/forniture/PR000001/storico"
    ]


def test_only_a_supply_of_electricity_has_interval_measures(sign_in, customer):
    make_gas(customer, code="PR000001")
    make_electricity(customer, code="PR000002")
    browser = sign_in(make_account(customer))
    assert "misure" not in links(browser.get("/forniture/PR000001/storico").text)
    assert "misure" in links(browser.get("/forniture/PR000002/storico").text)


@pytest.mark.parametrize("path", [path for path, _label, _group in MENU])
def test_every_entry_answers(sign_in, customer, path):
    make_electricity(customer, code="PR000001")
    answer = sign_in(make_account(customer)).get(f"/forniture/PR000001/{path}")
    assert answer.status_code == 200
    assert answer.text.count("<h1") == 1


def test_the_header_greets_and_tells_the_access_before_this_one(sign_in, customer):
    make_gas(customer, code="PR000001")
    # Half past midnight in Rome, the day before in UTC.
    previous = dt.datetime(2026, 7, 4, 22, 30, tzinfo=dt.UTC)
    account = make_account(customer, last_access_at=previous)
    page = sign_in(account).get("/forniture/PR000001/home").text
    assert "Benvenuto <strong>PROVA S.P.A.</strong>" in page
    assert "Ultimo accesso: 05/07/26" in page


def test_the_first_access_has_no_access_before(sign_in, customer):
    make_gas(customer, code="PR000001")
    page = sign_in(make_account(customer)).get("/forniture/PR000001/home").text
    assert "Ultimo accesso" not in page


def test_a_supply_that_will_end_is_not_marked_before(sign_in, customer):
    make_gas(customer, code="PR002875", ended_on=dt.date(2999, 5, 31))
    page = sign_in(make_account(customer)).get("/forniture/PR002875/home").text
    assert "PR002875 (Pdr" in page
    assert "cessata" not in page


def test_the_selector_lists_each_supply_and_marks_the_chosen_and_the_ended(sign_in, customer):
    make_electricity(customer, code="PR002874", pod="IT001E00000001")
    make_gas(customer, code="PR002875", pdr="01234567890123", ended_on=dt.date(2024, 5, 31))
    page = sign_in(make_account(customer)).get("/forniture/PR002875/home").text
    assert "PR002874 (Pod: IT001E00000001); VIA PROVA 5 - 48124 RAVENNA (RA)</option>" in page
    assert (
        '<option value="PR002875" selected>PR002875 (Pdr: 01234567890123); '
        "VIA PROVA 5 - 48124 RAVENNA (RA) (cessata il 31/05/2024)</option>"
    ) in page


def test_choosing_another_supply_opens_the_same_page_for_it(sign_in, customer):
    make_gas(customer, code="PR000001")
    make_gas(customer, code="PR000002")
    browser = sign_in(make_account(customer))
    answer = browser.get("/forniture/vai?fornitura=PR000002&pagina=fatture")
    assert answer.location == "/forniture/PR000002/fatture"
    assert browser.get("/").location == "/forniture/PR000002/home"


@pytest.mark.parametrize("page", ["//example.com", "../../x", "x\x00", ""])
def test_the_selector_leads_only_to_pages_of_the_menu(sign_in, customer, page):
    make_gas(customer, code="PR000001")
    answer = sign_in(make_account(customer)).get(
        "/forniture/vai", query_string={"fornitura": "PR000001", "pagina": page}
    )
    assert answer.location == "/forniture/PR000001/home"


@pytest.mark.parametrize("code", ["PR000009", "PR0000010", "-", "x\x00", "9" * 300, ""])
def test_supplies_of_others_equal_missing_ones(sign_in, customer, code):
    make_gas(customer, code="PR000001")
    make_gas(make_customer(), code="PR000009")
    browser = sign_in(make_account(customer))
    assert browser.get("/forniture/vai", query_string={"fornitura": code}).status_code == 404
    if code:
        answer = browser.get(f"/forniture/{code}/home")
        assert answer.status_code == 404
        assert "Pagina non trovata" in answer.text


def test_a_customer_without_supplies_still_has_a_portal(sign_in, customer):
    make_invoice(customer, number="F-77")
    browser = sign_in(make_account(customer))
    assert browser.get("/").location == "/forniture/-/home"
    assert "Nessuna fornitura" in browser.get("/forniture/-/home").text
    assert "F-77" in browser.get("/forniture/-/fatture").text


def test_strangers_are_asked_to_sign_in(client):
    assert client.get("/forniture/PR000001/home").location.startswith("/login")
    assert client.get("/").location == "/login"


def test_names_are_shown_as_typed_never_run(sign_in):
    customer = make_customer(name="<script>alert(1)</script>")
    make_gas(customer, code="PR000001", street='"><img src=x>')
    page = sign_in(make_account(customer)).get("/forniture/PR000001/home").text
    assert "<script>alert" not in page
    assert "<img src=x>" not in page


def test_the_theme_carries_the_colour(client):
    address = re.search(r'href="(/static/\w+/theme\.css)"', client.get("/login").text)[1]
    assert "--brand: #0b5c8c" in client.get(address).text


def test_without_a_logo_there_is_the_name(client):
    assert '<a class="brand" href="/">Prova Energia</a>' in client.get("/x").text


def test_only_the_demonstration_says_that_it_is_one(client):
    assert "Dimostrazione" not in client.get("/x").text


def test_the_demonstration_says_so(client, app):
    app.config["DEMO"] = True
    page = client.get("/x").text
    assert "Dimostrazione: dati inventati" in page
    assert 'href="/demo/posta"' in page


@pytest.mark.parametrize("path", [path for path, _label, _group in MENU])
@pytest.mark.parametrize("make_supply", [make_electricity, make_gas])
def test_each_page_has_one_title_and_no_level_of_headings_left_out(sign_in, make_supply, path):
    supply = make_supply(make_customer())
    browser = sign_in(make_account(supply.customer))
    page = browser.get(f"/forniture/{supply.code}/{path}").text
    levels = [int(level) for level in re.findall(r"<h([1-6])", page.partition("<main")[2])]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
