"""«Deleghe»: given and taken back, the invitation, acting for another customer, what is told."""

import datetime as dt
import json

import pytest

from domain import credentials, mandate_links, throttle
from domain.clock import rome_day, utcnow
from models import Account, Event, Mandate, MandateSupply, OutgoingMail, SelfReading, TicketMessage
from tests.factories import (
    PASSWORD,
    make_account,
    make_customer,
    make_delegate,
    make_electricity,
    make_gas,
    make_invoice,
    make_mandate,
    make_operator,
    make_ticket,
    make_window,
)
from tests.pages import text_of

PAGE = "/forniture/PR000001/deleghe"
STRONG = "canarino lampada fiume orologio"
TODAY = rome_day(utcnow())


def asked(browser, page=PAGE, **values):
    given = {
        "name": "STUDIO VERDI",
        "email": "verdi@example.it",
        "supplies": ["PR000001"],
        "scope": "everything",
        "ends_on": (TODAY + dt.timedelta(days=30)).isoformat(),
        "password": PASSWORD,
        **values,
    }
    return browser.post(page, data=given)


@pytest.fixture
def delegate(app):
    return make_delegate(email="verdi@example.it")


@pytest.fixture
def acting(sign_in, browser, customer, supply, delegate):
    """The browser of a delegate who may do everything but change data."""
    make_mandate(customer, supply, account=delegate, name="STUDIO VERDI")
    return sign_in(delegate)


def link(app, mandate):
    key = credentials.key(app.secret_key)
    return f"/delega/{mandate_links.make(mandate.id, mandate.email, now=utcnow(), key=key)}"


# -- Giving --------------------------------------------------------------------------------


def test_the_page_says_what_a_mandate_is_and_lists_those_given(browser, customer, supply):
    page = text_of(browser.get(PAGE).text)
    assert "Nessuna delega data." in page
    assert "Nuova delega" in page
    make_mandate(customer, supply, name="STUDIO VERDI", scope="invoices")
    page = text_of(browser.get(PAGE).text)
    assert "STUDIO VERDI In attesa che sia accettata" in page
    assert "Solo fatture" in page
    assert f'href="{PAGE}"' in browser.get("/forniture/PR000001/anagrafica").text


def test_a_mandate_is_given(browser, supply):
    answer = asked(browser, scope="invoices")
    assert (answer.status_code, answer.location) == (303, PAGE)
    assert "parte per posta elettronica e vale 7 giorni" in browser.get(PAGE).text
    mandate = Mandate.get()
    assert (mandate.name, mandate.email, mandate.scope) == (
        "STUDIO VERDI", "verdi@example.it", "invoices",
    )  # fmt: skip
    assert MandateSupply.get().supply_id == supply.id
    assert OutgoingMail.get().kind == "mandate_invitation"


@pytest.mark.parametrize("name", ["Dott.Ing. Ada D'Onofrio", "Case.it S.r.l.", "Via Roma 3/A-5"])
def test_a_delegate_may_be_called_as_people_and_firms_are(browser, name):
    assert asked(browser, name=name).status_code == 303
    assert Mandate.get().name == name


def test_a_mandate_is_as_the_portal_makes_it(browser, customer, supply):
    mine = {"accepted_at": "2026-01-01", "account": Account.get().id, "account_id": "1"}
    asked(browser, **mine, customer=make_customer().id, used_on="2026-01-01", given_at="2099-01-01")
    mandate = Mandate.get()
    assert (mandate.customer, mandate.account, mandate.accepted_at) == (customer, None, None)
    assert mandate.given_at <= utcnow()
    assert mandate.used_on is None


def test_given_twice_it_is_given_once(browser):
    assert [asked(browser).status_code for _twice in range(2)] == [303, 303]
    assert Mandate.select().count() == 1
    assert OutgoingMail.select().count() == 1


def test_nobody_gives_one_for_another_customer(app, browser, stranger):
    assert asked(app.test_client()).location.startswith("/login")
    assert asked(stranger).status_code == 404
    assert asked(stranger, "/forniture/PR000009/deleghe").status_code == 422
    assert not Mandate.select().exists()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"name": ""}, "Inserire il nome della persona da delegare."),
        ({"name": "x" * 101}, "È troppo lungo: al massimo 100 caratteri."),
        ({"name": "Rimborso su https://x.example"}, "Scrivere solo il nome, senza indirizzi"),
        ({"name": "Rimborso su X.example/a"}, "Scrivere solo il nome, senza indirizzi"),
        ({"name": "Scrivere a x@example.it"}, "Scrivere solo il nome, senza indirizzi"),
        ({"email": "verdi"}, "non è scritto come un indirizzo"),
        ({"email": "a@b.it\r\nBcc: c@d.it"}, "non è scritto come un indirizzo"),
        ({"supplies": []}, "Scegliere almeno una fornitura."),
        ({"supplies": ["PR000001", "PR000009"]}, "Scegliere almeno una delle proprie forniture."),
        ({"supplies": ["\x00"]}, "Scegliere almeno una delle proprie forniture."),
        ({"scope": "all"}, "Scegliere una delle voci."),
        ({"scope": ""}, "Scegliere una delle voci."),
        ({"ends_on": "domani"}, "Non è una data"),
        ({"ends_on": "2020-01-01"}, "Scegliere come ultimo giorno"),
        ({"ends_on": "2099-01-01"}, "Scegliere come ultimo giorno"),
        ({"password": "x"}, "La password attuale non è corretta."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_given(browser, values, sentence):
    answer = asked(browser, **values)
    assert answer.status_code == 422
    assert sentence in text_of(answer.text).replace("&#39;", "'")
    assert PASSWORD not in answer.text
    assert not Mandate.select().exists()


def test_many_invitations_in_a_day_are_too_many(browser):
    for _n in range(throttle.MANDATE.most):
        throttle.count([(throttle.MANDATE, Account.get().id)], now=utcnow())
    assert asked(browser).status_code == 429
    assert not Mandate.select().exists()


# -- Taking back ---------------------------------------------------------------------------


def test_a_mandate_is_revoked(browser, acting, supply):
    mandate = Mandate.get()
    answer = browser.post(f"{PAGE}/{mandate.id}/revoca")
    assert (answer.status_code, answer.location) == (303, PAGE)
    assert "STUDIO VERDI Revocata" in text_of(browser.get(PAGE).text)
    assert acting.get("/forniture/PR000001/home").status_code == 404
    assert browser.post(f"{PAGE}/{mandate.id}/revoca").status_code == 303
    assert OutgoingMail.select().count() == 2


@pytest.mark.parametrize("key", ["0", "-1", "9" * 20, "x"])
def test_a_mandate_that_is_not_there_cannot_be_ended(browser, acting, key):
    assert browser.post(f"{PAGE}/{key}/revoca").status_code == 404
    assert acting.post(f"/deleghe/{key}/restituisci").status_code == 404


def test_others_cannot_end_it(app, stranger, acting, customer):
    mandate = Mandate.get()
    assert stranger.post(f"/forniture/PR000009/deleghe/{mandate.id}/revoca").status_code == 404
    assert stranger.post(f"/deleghe/{mandate.id}/restituisci").status_code == 404
    for path in (f"{PAGE}/{mandate.id}/revoca", f"/deleghe/{mandate.id}/restituisci"):
        assert app.test_client().post(path).location.startswith("/login")
    assert Mandate.get().ended_at is None


def test_the_delegate_gives_it_back(acting):
    mandate = Mandate.get()
    page = text_of(acting.get("/deleghe").text)
    assert "Attiva" in page
    assert "Restituisci la delega" in page
    for _twice in range(2):
        assert acting.post(f"/deleghe/{mandate.id}/restituisci").location == "/deleghe"
    assert "Restituita" in acting.get("/deleghe").text
    assert Mandate.get().ended_by == "delegate"


# -- The invitation ------------------------------------------------------------------------


def test_the_page_of_the_invitation_is_the_same_whoever_has_the_address(app, customer, supply):
    make_account(customer)
    known, unknown = (make_mandate(customer, supply, email=f"{n}@example.it") for n in "ab")
    make_account(email="a@example.it")
    pages = {
        text_of(app.test_client().get(link(app, mandate)).text) for mandate in (known, unknown)
    }
    [page] = pages
    assert "Chi ha già un accesso al portale" in page
    assert "Chi non ha ancora un accesso" in page


def test_who_has_no_login_chooses_a_password_and_is_in(app, client, browser, customer, supply):
    asked(browser)
    address = link(app, Mandate.get())
    both = {"new_password": STRONG, "repeat_password": STRONG}
    answer = client.post(address, data=both)
    assert (answer.status_code, answer.location) == (303, "/deleghe")
    page = text_of(client.get("/deleghe").text)
    assert f"lo User è {Mandate.get().account.username}." in page
    assert client.get("/").location == "/forniture/PR000001/home"
    assert client.post(address, data=both).status_code == 200  # accepted already
    assert Account.select().count() == 2
    client.post("/logout")
    typed = {"username": Mandate.get().account.username, "password": STRONG}
    assert client.post("/login", data=typed).location == "/"


@pytest.mark.parametrize(
    ("new", "repeated", "sentence"),
    [
        ("corta", "corta", "almeno 12 caratteri"),
        (STRONG, STRONG + "x", "non sono uguali"),
        ("", "", "Inserire la nuova password."),
    ],
)
def test_a_password_that_will_not_do_is_asked_again(
    app, client, browser, customer, supply, new, repeated, sentence
):
    address = link(app, make_mandate(customer, supply))
    answer = client.post(address, data={"new_password": new, "repeat_password": repeated})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert Mandate.get().account is None


def test_who_has_a_login_signs_in_and_accepts(app, stranger, client, browser, customer, supply):
    address = link(app, make_mandate(customer, supply))
    assert f'href="/login?next={address}"' in client.get(address).text
    assert client.post(f"{address}/accetta").location == f"/login?next={address}"
    assert "Accetta la delega" in stranger.get(address).text
    for _twice in range(2):
        assert stranger.post(f"{address}/accetta").location == "/deleghe"
    page = stranger.get("/forniture/PR000009/home").text
    assert "Si agisce per" in page
    assert stranger.get("/forniture/PR000001/home").status_code == 200


def test_a_link_of_no_use_says_so(app, client, browser, customer, supply):
    mandate = make_mandate(customer, supply)
    address = link(app, mandate)
    browser.post(f"{PAGE}/{mandate.id}/revoca")
    for path in (address, "/delega/niente"):
        assert client.get(path).status_code == 410
        assert client.post(path, data={}).status_code == 410
        assert browser.post(f"{path}/accetta").status_code == 410
    assert client.get(address).headers["Referrer-Policy"] == "no-referrer"


# -- Acting --------------------------------------------------------------------------------


def test_a_delegate_begins_where_the_scope_allows(sign_in, customer, supply, delegate):
    make_account(customer)
    mandate = make_mandate(customer, supply, account=delegate, scope="invoices")
    browser = sign_in(delegate)
    assert browser.get("/").location == "/forniture/PR000001/fatture"
    page = browser.get("/forniture/PR000001/fatture").text
    assert "Benvenuto <strong>STUDIO ROSSI" in page
    assert "Si agisce per" in page
    assert f"fino al {mandate.ends_on:%d/%m/%Y}" in page
    assert 'href="/forniture/PR000001/fatture"' in page
    assert 'href="/forniture/PR000001/storico"' not in page
    assert 'href="/forniture/PR000001/ticket"' not in page
    refused = browser.get("/forniture/PR000001/ticket")
    assert refused.status_code == 403
    assert "La delega ricevuta non comprende questa pagina" in refused.text


def test_who_holds_several_chooses_for_whom_to_act(sign_in, app):
    own, other = (make_customer(name=name) for name in ("PROPRIO", "ALTRUI"))
    mine, theirs = make_gas(own, "PR5"), make_electricity(other, "PR6")
    account = make_account(own)
    make_account(other)
    mandate = make_mandate(other, theirs, account=account)
    browser = sign_in(account)
    page = browser.get("/forniture/PR5/home").text
    assert '<option value="proprio" selected>PROPRIO</option>' in page
    assert f'<option value="{mandate.id}">ALTRUI</option>' in page
    there = browser.get(f"/deleghe/agisci?per={mandate.id}").location
    assert there == "/forniture/PR6/home"
    page = browser.get(there).text
    assert f'<option value="{mandate.id}" selected>ALTRUI</option>' in page
    assert "PR5" not in page
    assert browser.get("/").location == there  # chosen last
    assert browser.get("/deleghe/agisci?per=proprio").location == f"/forniture/{mine.code}/home"
    for wrong in ("0", "x", "-1", "9" * 20, ""):
        assert browser.get(f"/deleghe/agisci?per={wrong}").status_code == 404


def test_who_has_no_mandate_any_more_can_still_leave_and_change_the_password(sign_in, delegate):
    browser = sign_in(delegate)
    assert browser.get("/").location == "/deleghe"
    assert "Nessuna delega ricevuta." in browser.get("/deleghe").text
    page = browser.get("/forniture/-/password")
    assert page.status_code == 200
    assert browser.get("/forniture/-/home").location == "/deleghe"
    assert browser.get("/forniture/PR000001/home").status_code == 404
    assert browser.get("/forniture/-/secondo-fattore").status_code == 200


def test_a_plain_customer_sees_nothing_of_mandates_around_a_page(browser):
    assert "Si agisce per" not in browser.get("/forniture/PR000001/home").text


def test_the_record_is_shown_to_a_delegate_without_its_forms(acting):
    page = acting.get("/forniture/PR000001/anagrafica").text
    assert "Dati del cliente" in page
    assert "Cambia indirizzo" not in page
    assert "Telefono e fax" not in page


def test_a_reading_of_a_delegate_says_so(acting, browser, sign_in_operator, customer):
    make_window()
    answer = acting.post("/forniture/PR000001/autolettura/nuova", data={"counter": "1000"})
    assert answer.status_code == 303
    told = "Inserita con la delega a STUDIO VERDI."
    assert told in browser.get("/forniture/PR000001/autolettura").text
    assert "Con la delega a STUDIO VERDI." in text_of(
        browser.get("/forniture/PR000001/storico?tipo=letture").text
    )
    desk = sign_in_operator(make_operator())
    assert "Inserita dal delegato STUDIO VERDI." in desk.get("/staff/autoletture").text
    assert "delegato STUDIO VERDI" in desk.get("/staff/autoletture/csv").text
    assert "inserita dal delegato STUDIO VERDI" in desk.get("/staff/clienti/000002").text
    reading = SelfReading.get()
    acting.post(f"/forniture/PR000001/autolettura/{reading.id}/cancella")
    assert SelfReading.get().state == "cancelled"
    assert [json.loads(row.details).get("delegate") for row in Event.select() if row.supply] == [
        "STUDIO VERDI"
    ] * 2


def test_a_ticket_of_a_delegate_says_who_wrote(acting, browser, sign_in_operator):
    sent = {"category": "other", "subject": "Bolletta", "text": "Una domanda"}
    for _twice in range(2):
        there = acting.post("/forniture/PR000001/ticket/nuovo", data=sent).location
    assert TicketMessage.select().count() == 1
    acting.post(there, data={"text": "Ancora"})
    page = browser.get(there).text
    assert page.count("STUDIO VERDI, delegato del cliente") == 2
    desk = sign_in_operator(make_operator())
    code = there.rpartition("/")[2]
    assert "STUDIO VERDI, delegato del cliente" in desk.get(f"/staff/ticket/{code}").text
    assert [row.recipient for row in OutgoingMail.select()] == ["000002@example.it"]


def test_what_a_delegate_does_is_no_history_of_the_delegate(acting, sign_in, app):
    """Who holds a mandate has a history too, and it is not that of others."""
    own = make_customer()
    make_gas(own, "PR5")
    account = make_account(own)
    Mandate.update(account=account).execute()
    other = sign_in(account)
    other.get("/forniture/PR000001/prelievi/csv")
    assert "prelievi" not in text_of(other.get("/forniture/PR5/storico?tipo=documenti").text)


def test_the_history_tells_of_the_mandate(acting, browser):
    acting.get("/forniture/PR000001/home")
    browser.post(f"{PAGE}/{Mandate.get().id}/revoca")
    page = text_of(browser.get("/forniture/PR000001/storico?tipo=deleghe").text)
    assert "STUDIO VERDI ha usato la delega." in page
    assert "Revocata la delega a STUDIO VERDI." in page
    assert "Dal servizio clienti." not in page


def test_the_sheet_at_the_desk_lists_the_mandates(acting, sign_in_operator):
    page = text_of(sign_in_operator(make_operator()).get("/staff/clienti/000002").text)
    assert "Deleghe date dal cliente" in page
    assert "STUDIO VERDI studio@example.it" in page


def test_the_lists_of_mandates_cost_the_same_however_many(
    browser, sign_in, customer, supply, delegate, count_queries
):
    delegated, counts = sign_in(delegate), []
    for _n in range(3):
        make_mandate(customer, supply, account=delegate)
        with count_queries() as queries:
            browser.get(PAGE)
            delegated.get("/deleghe")
        counts.append(len(queries))
    assert len(set(counts)) == 1
    assert counts[0] <= 10


def test_a_delegate_of_invoices_reads_how_to_pay(sign_in, customer, supply, delegate):
    make_account(customer)
    make_mandate(customer, supply, account=delegate, scope="invoices")
    iban = "IT60X0542811101000000123456"
    invoice = make_invoice(customer, supply, iban=iban, due_on=TODAY)
    make_ticket(customer, supply=supply)
    page = f"/forniture/PR000001/fatture/{invoice.id}/pagamento"
    assert sign_in(delegate).get(page).status_code == 200
