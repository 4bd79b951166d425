"""«Dati Anagrafici»: the record, telephone and fax, the mail address."""

import re

import pytest

from domain import credentials, email_links, mail
from domain.clock import utcnow
from models import Account, ContactChange, Customer, EmailChange, OutgoingMail, Throttle
from tests.factories import PASSWORD, make_account, make_customer, make_electricity, make_gas
from tests.pages import text_of

PAGE = "/forniture/PR000001/anagrafica"


@pytest.fixture
def customer(app):
    return make_customer(
        "000002", name="PROVA S.P.A.", tax_code="PRVPRV80A01G999X", vat_number="00000020974",
        phone="0574 1", email="000002@example.it",
    )  # fmt: skip


def token(address="nuova@example.it"):
    key = credentials.key("una-chiave-di-prova-lunga-abbastanza")
    return email_links.make(Account.get(username="000002"), address, now=utcnow(), key=key)


def asked(browser, **values):
    data = {"email": "nuova@example.it", "password": PASSWORD, **values}
    return browser.post(f"{PAGE}/email", data=data)


# -- The record -----------------------------------------------------------------------------


def test_the_record_is_shown_with_whom_to_contact(app, browser):
    app.config["UTILITY_CONTACTS"] = "Sportello 0574 000000"
    page = browser.get(PAGE)
    text = text_of(page.text)
    assert page.status_code == 200
    for words in ("Dati Anagrafici", "000002", "PROVA S.P.A.", "PRVPRV80A01G999X", "00000020974",
                  "VIA DI PROVA 35 - 59100 PRATO (PO)", "000002@example.it"):  # fmt: skip
        assert words in text
    assert "rivolgersi a Prova Energia. Sportello 0574 000000." in text
    assert 'value="0574 1"' in page.text
    assert 'href="/forniture/PR000001/preferenze"' in page.text
    assert 'href="/forniture/PR000001/anagrafica"' in page.text  # in the menu


def test_the_record_costs_few_queries(browser, customer, count_queries):
    for _n in range(3):
        make_electricity(customer)
    asked(browser)
    with count_queries() as queries:
        browser.get(PAGE)
    assert len(queries) <= 6


def test_a_customer_without_supplies_has_a_record_too(sign_in):
    account = make_account(make_customer("000005", name="SENZA FORNITURE"))
    browser = sign_in(account)
    assert "SENZA FORNITURE" in browser.get("/forniture/-/anagrafica").text
    answer = browser.post("/forniture/-/anagrafica", data={"phone": "0574 12345"})
    assert answer.location == "/forniture/-/anagrafica"
    assert Customer.get(code="000005").phone == "0574 12345"


def test_an_ended_supply_and_one_of_electricity_show_the_same_record(browser, customer):
    make_electricity(customer, code="PR000003")
    make_gas(customer, code="PR000004", ended_on="2020-01-31")
    for code in ("PR000003", "PR000004"):
        assert "PROVA S.P.A." in browser.get(f"/forniture/{code}/anagrafica").text


# -- Telephone and fax ----------------------------------------------------------------------


def test_telephone_and_fax_hold_at_once(browser):
    answer = browser.post(PAGE, data={"phone": " +39  0574 123456 ", "fax": "0574/654321 int. 2"})
    assert (answer.status_code, answer.location) == (303, PAGE)
    page = browser.get(PAGE)
    assert "Telefono e fax sono registrati." in page.text
    assert 'value="+39 0574 123456"' in page.text
    row = Customer.get(code="000002")
    assert (row.phone, row.fax) == ("+39 0574 123456", "0574/654321 int. 2")
    assert ContactChange.select().count() == 2


def test_twice_it_is_one_change(browser):
    for _n in range(2):
        assert browser.post(PAGE, data={"phone": "0574 22222"}).status_code == 303
    assert ContactChange.select().count() == 1


def test_an_empty_field_takes_the_number_away(browser):
    browser.post(PAGE, data={"phone": "", "fax": ""})
    assert Customer.get(code="000002").phone is None


@pytest.mark.parametrize(
    "phone", ["n.d.", "1234", "<script>alert(1)</script> 12345", "=1+12345", "0" * 101, "12345\x00"]
)
def test_what_is_no_number_is_refused_with_a_sentence(browser, phone):
    answer = browser.post(PAGE, data={"phone": phone, "fax": ""})
    assert answer.status_code == 422
    assert "Scrivere un numero" in answer.text or "troppo lungo" in answer.text
    assert Customer.get(code="000002").phone == "0574 1"
    assert not ContactChange.select().exists()


def test_an_odd_number_of_billing_does_not_keep_from_changing_the_other(browser):
    Customer.update(phone="vedi <note>").execute()
    assert browser.post(PAGE, data={"phone": "vedi <note>", "fax": "0574 3333"}).status_code == 303
    assert (Customer.get(code="000002").phone, Customer.get(code="000002").fax) == (
        "vedi <note>",
        "0574 3333",
    )


def test_other_people_do_not_reach_it(client, stranger, browser):
    for path in (PAGE, f"{PAGE}/email", f"{PAGE}/email/annulla"):
        data = {"phone": "0574 99999", "email": "ladro@example.it", "password": PASSWORD}
        assert stranger.post(path, data=data).status_code == 404
        assert client.post(path, data=data).location.startswith("/login")
    assert Customer.get(code="000002").phone == "0574 1"
    assert not EmailChange.select().exists()


# -- The mail address -----------------------------------------------------------------------


def test_a_new_address_waits_for_its_link(browser):
    answer = asked(browser, email=" Nuova@Example.it ")
    assert (answer.status_code, answer.location) == (303, PAGE)
    text = text_of(browser.get(PAGE).text)
    assert "aprire il collegamento" in text
    assert "In attesa di conferma Nuova@example.it" in text
    assert "000002@example.it" in text
    assert Account.get(username="000002").email == "000002@example.it"


def test_with_the_mail_server_down_the_answer_is_the_same(browser, background):
    """Nobody listens at the port of the tests."""
    answer = asked(browser)
    assert (answer.status_code, answer.location) == (303, PAGE)
    assert background.wait(20)
    assert OutgoingMail.select().where(OutgoingMail.state == "queued").count() == 2


def test_the_link_in_the_mail_works_signed_in_nowhere(app, browser, client, mail_server):
    asked(browser)
    assert mail.send_due().sent == 2
    texts = [part.get_payload(decode=True).decode() for message in mail_server.messages()
             for part in message.walk() if not part.is_multipart()]  # fmt: skip
    found = re.findall(r"http://localhost(/conferma-indirizzo/[\w.-]+)", "".join(texts))
    [path] = set(found)
    assert len(found) == 3  # in the text; in the page as a button and readable
    page = client.get(path)
    assert page.status_code == 200
    assert "nuova@example.it" in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    answer = client.post(path)
    assert (answer.status_code, answer.location) == (303, "/")
    assert "è confermato" in client.get("/login").text
    assert Account.get(username="000002").email == "nuova@example.it"
    assert "nuova@example.it" in browser.get(PAGE).text


def test_opening_the_link_changes_nothing_until_the_button(browser, client):
    asked(browser)
    for _n in range(3):
        page = client.get(f"/conferma-indirizzo/{token()}")
    assert '<form method="post"' in page.text
    assert Account.get(username="000002").email == "000002@example.it"
    assert EmailChange.select().count() == 1


def test_a_second_click_is_told_that_all_is_done(browser, client):
    asked(browser)
    path = f"/conferma-indirizzo/{token()}"
    client.post(path)
    for answer in (client.post(path), client.get(path)):
        assert answer.status_code == 200
        assert "già stato confermato" in answer.text


def test_a_void_link_says_so(browser, client):
    asked(browser)
    path = f"/conferma-indirizzo/{token()}"
    browser.post(f"{PAGE}/email/annulla")
    for answer in (client.get(path), client.post(path), client.get("/conferma-indirizzo/x")):
        assert answer.status_code == 410
        assert "non vale più" in answer.text
        assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_too_many_links_of_no_use_are_stopped(client):
    statuses = [client.post("/conferma-indirizzo/x").status_code for _n in range(25)]
    assert statuses == [410] * 20 + [429] * 5
    answer = client.get("/conferma-indirizzo/x")
    assert (answer.status_code, "Troppi tentativi" in answer.text) == (429, True)
    assert Throttle.select().count() == 1


def test_a_request_can_be_withdrawn(browser):
    asked(browser)
    for _n in range(2):
        assert browser.post(f"{PAGE}/email/annulla").location == PAGE
    assert "In attesa di conferma" not in browser.get(PAGE).text
    assert not EmailChange.select().exists()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"password": "sbagliata"}, "La password attuale non è corretta."),
        ({"password": ""}, "Inserire la password attuale."),
        ({"email": ""}, "Inserire l'indirizzo di posta elettronica."),
        ({"email": "000002@example.it"}, "È già l'indirizzo in uso"),
        ({"email": "nuova"}, "non è scritto come un indirizzo"),
    ],
)
def test_bad_input_is_refused_with_a_sentence(browser, values, sentence):
    answer = asked(browser, **values)
    assert answer.status_code == 422
    assert sentence in answer.text.replace("&#39;", "'")
    assert not EmailChange.select().exists()


def test_the_page_opens_where_something_is_to_be_mended(browser):
    answer = asked(browser, password="sbagliata")
    (focused,) = re.findall(r"<[^>]* autofocus[^>]*>", answer.text)
    assert 'name="password"' in focused


def test_the_password_is_asked_with_a_limit(browser):
    statuses = [asked(browser, password="sbagliata").status_code for _n in range(12)]
    assert statuses == [422] * 10 + [429] * 2


def test_hostile_text_in_the_record_is_only_text(browser):
    payload = "<script>alert(1)</script>"
    Customer.update(name=payload, phone=payload, email=payload, street=payload).execute()
    page = browser.get(PAGE).text
    assert payload not in page
    assert "&lt;script&gt;" in page
