"""«Clienti» at the desk: found as one types, the sheet, what is done to logins."""

import datetime as dt
import json
import re

import pytest

from domain import credentials, search
from domain.clock import utcnow
from models import (
    Account,
    Event,
    MailedSecret,
    OutgoingMail,
    RegisterEntry,
    Session,
    writing,
)
from tests.factories import (
    make_account,
    make_customer,
    make_document,
    make_electricity,
    make_event,
    make_gas,
    make_invoice,
    make_operator,
    make_self_reading,
    make_ticket,
    make_window,
)
from tests.pages import PARTIAL

TODAY = dt.date(2026, 11, 23)


@pytest.fixture
def desk(app, sign_in_operator):
    return sign_in_operator(make_operator(username="anna"))


@pytest.fixture
def rossi(app):
    return make_customer("000123", name="ROSSI MARIO & FIGLI", email="ditta@example.it")


@pytest.fixture
def login(rossi):
    return make_account(rossi, email="mario@example.it")


def registered():
    rows = RegisterEntry.select().order_by(RegisterEntry.number)
    return [(row.kind, row.customer_code) for row in rows]


def mails():
    rows = OutgoingMail.select().order_by(OutgoingMail.id)
    return [(row.kind, row.recipient) for row in rows]


def events():
    return [(row.kind, row.customer_id) for row in Event.select().order_by(Event.id)]


# -- The search ----------------------------------------------------------------------------


def test_a_customer_is_found_by_part_of_a_pod(desk, rossi):
    make_electricity(rossi, "PR000777", pod="IT001E12345678")
    make_customer("000999", name="ALTRO")
    page = desk.get("/staff/clienti?cerca=345678").text
    assert "000123" in page
    assert "ROSSI MARIO &amp; FIGLI" in page
    assert "POD IT001E12345678" in page
    assert "Un cliente trovato." in page
    assert "ALTRO" not in page


def test_as_one_types_only_the_list_is_answered(desk, rossi):
    answer = desk.get("/staff/clienti?cerca=figli+rossi", headers=PARTIAL)
    assert answer.text.startswith('<div id="customers"')
    assert "/staff/clienti/000123" in answer.text
    page = desk.get("/staff/clienti").text
    assert "input changed delay:200ms" in page
    assert 'method="get"' in page
    assert "000123" in page


def test_without_customers_or_with_too_little_typed_the_page_says_so(desk):
    assert "Non ci sono ancora clienti" in desk.get("/staff/clienti").text
    assert "Scrivere almeno 3 caratteri" in desk.get("/staff/clienti?cerca=ab").text
    assert "Nessun cliente corrisponde" in desk.get("/staff/clienti?cerca=abc").text


@pytest.mark.parametrize(
    "query", ["cerca=%00", "cerca=a%00bc", "cerca=%FF%FE", "cerca=" + "9" * 300, "cerca=%25%25%25",
              "cerca=abc&cerca=def", "cerca=%22%22%22", "cerca[]=abc", "cerca=-1%27%20OR%20%271"],
)  # fmt: skip
def test_hostile_searches_find_nobody_and_break_nothing(desk, rossi, query):
    answer = desk.get(f"/staff/clienti?{query}")
    assert answer.status_code == 200


def test_a_search_costs_no_more_queries_however_much_it_finds(desk, count_queries):
    def asked(address):
        with count_queries() as queries:
            desk.get(address, headers=PARTIAL)
        return len(queries)

    make_customer(name="UNICO")
    asked("/staff/clienti?cerca=unico")
    one = asked("/staff/clienti?cerca=unico")
    with writing():
        for n in range(60):
            make_electricity(make_customer(name=f"MOLTI {n}"))
        search.catch_up()
    assert asked("/staff/clienti?cerca=molti") <= one


def test_many_found_are_cut_and_the_page_says_so(desk):
    with writing():
        for n in range(30):
            make_customer(name=f"MOLTI {n}")
    page = desk.get("/staff/clienti?cerca=molti").text
    assert "Ce ne sono altri" in page
    assert page.count("MOLTI ") == search.MOST


# -- The sheet -----------------------------------------------------------------------------


def test_the_sheet_shows_all_of_a_customer_and_reading_it_is_registered_once(desk, rossi, login):
    gas = make_gas(rossi, "PR000778")
    make_invoice(rossi, gas, number="F2026-9")
    make_self_reading(gas, TODAY, 4321)
    make_ticket(rossi, "T2026-000042", subject="Bolletta doppia")
    make_document("Lettera del contratto", customer=rossi)
    make_event("access", account=login, address="192.0.2.1", browser="Firefox", system="Linux")
    page = desk.get("/staff/clienti/000123").text
    for text in ("ROSSI MARIO &amp; FIGLI", "mario@example.it", "ditta@example.it", "PR000778",
                 "F2026-9", "4321", "Bolletta doppia", "Lettera del contratto",
                 "dall&#39;indirizzo 192.0.2.1"):  # fmt: skip
        assert text in page, text
    desk.get("/staff/clienti/000123")
    assert registered() == [("customer_read", "000123")]


def test_who_opens_only_the_address_of_a_login_has_read_of_the_customer_too(desk, login):
    page = desk.get(f"/staff/clienti/000123/accessi/{login.id}/email")
    assert "mario@example.it" in page.text
    assert registered() == [("customer_read", "000123")]


def test_from_the_sheet_one_goes_on_for_the_same_customer(desk, rossi):
    make_window()
    gas = make_gas(rossi, "PR000778", pdr="00881234567890")
    make_self_reading(gas, TODAY, 4321)
    make_ticket(rossi, "T2026-000042", state="closed", closed_at=utcnow())
    make_document("Lettera del contratto", customer=rossi)
    page = desk.get("/staff/clienti/000123").text
    links = re.findall(r'href="([^"]*(?:cliente|fornitura)=000123)"', page)
    shown = {link: desk.get(link.replace("&amp;", "&")).text for link in links}
    assert shown.keys() == {
        "/staff/registro?cliente=000123",
        "/staff/autoletture?fornitura=000123",
        "/staff/autoletture/nuova?fornitura=000123",
        "/staff/ticket?stato=tutti&amp;cliente=000123",
        "/staff/ticket/nuovo?cliente=000123",
        "/staff/documenti?cliente=000123",
        "/staff/documenti/nuovo?cliente=000123",
    }
    for there, text in zip(
        shown.values(),
        ("000123", "4321", "00881234567890", "T2026-000042", "ROSSI", "Lettera", 'value="000123"'),
        strict=True,
    ):
        assert text in there


def test_the_sheet_of_who_has_no_gas_offers_no_reading(desk, rossi):
    make_electricity(rossi)
    page = desk.get("/staff/clienti/000123").text
    assert "Nessuna autolettura." in page
    assert "/staff/autoletture/nuova" not in page


def test_another_operator_and_a_later_reading_are_registered_again(desk, rossi, sign_in_operator):
    desk.get("/staff/clienti/000123")
    sign_in_operator(make_operator()).get("/staff/clienti/000123")
    assert len(registered()) == 2
    long_ago = utcnow() - dt.timedelta(minutes=6)
    RegisterEntry.update(at=long_ago).execute()
    desk.get("/staff/clienti/000123")
    assert len(registered()) == 3


def test_who_never_registered_has_no_view_and_the_sheet_says_so(desk, rossi):
    page = desk.get("/staff/clienti/000123").text
    assert "Il cliente non si è ancora registrato" in page
    assert "/vista" not in page


@pytest.mark.parametrize("code", ["000124", "%00", "9" * 300, "-1", "..%2f"])
def test_a_customer_who_is_not_there_is_not_found(desk, rossi, code):
    assert desk.get(f"/staff/clienti/{code}").status_code == 404
    assert registered() == []


def test_the_sheet_costs_as_many_queries_whatever_it_shows(desk, rossi, login, count_queries):
    def asked():
        with count_queries() as queries:
            assert desk.get("/staff/clienti/000123").status_code == 200
        return len(queries)

    asked()
    few = asked()
    with writing():
        for n in range(12):
            gas = make_gas(rossi)
            make_electricity(rossi)
            make_invoice(rossi, gas)
            make_self_reading(gas, TODAY - dt.timedelta(days=n), n)
            make_ticket(rossi)
            make_document(customer=rossi)
            make_event("access", account=login, address="192.0.2.1")
    make_account(rossi, username="000123b")
    assert asked() == few
    assert few <= 14


# -- Its logins ----------------------------------------------------------------------------


def test_a_first_access_is_sent_again_until_there_is_a_password(desk, rossi):
    account = make_account(rossi, password=False, email="mario@example.it")
    here = f"/staff/clienti/000123/accessi/{account.id}"
    for _twice in range(2):
        page = desk.post(f"{here}/invia", follow_redirects=True).text
        assert "nuova password sta partendo" in page
    assert mails() == [("first_access", "mario@example.it")]
    assert events() == [("login_resent", rossi.id)]
    assert ("login_resent", "000123") in registered()
    assert "Inviata una nuova password" in page


def test_with_a_password_it_is_a_recovery(desk, rossi, login):
    desk.post(f"/staff/clienti/000123/accessi/{login.id}/invia")
    assert mails() == [("recovery", "mario@example.it")]


def test_the_address_is_corrected_after_a_question_and_both_are_told(desk, app, rossi, login):
    key = credentials.key(app.secret_key)
    secret = credentials.issue(login, now=utcnow(), key=key, lifetime=credentials.RECOVERY)
    here = f"/staff/clienti/000123/accessi/{login.id}/email"
    assert "mario@example.it" in desk.get(here).text
    asked = desk.post(here, data={"email": "nuovo@example.it"})
    assert asked.status_code == 200
    assert "Conferma l&#39;indirizzo" in asked.text
    assert (Account.get().email, mails()) == ("mario@example.it", [])
    for _twice in range(2):
        desk.post(here, data={"email": "nuovo@example.it", "confirmed": "1"})
    assert Account.get().email == "nuovo@example.it"
    assert mails() == [
        ("email_corrected", "mario@example.it"), ("email_corrected", "nuovo@example.it")
    ]  # fmt: skip
    assert credentials.find("000123", secret, now=utcnow(), key=key) is None
    assert MailedSecret.get().used_at
    assert events() == [("email_corrected", rossi.id)]
    told = RegisterEntry.get(RegisterEntry.kind == "login_email_corrected")
    assert "@" not in told.details


@pytest.mark.parametrize(
    "address", ["", "niente", "a@b\r\nBcc: x@y.it", "mario@example.it", "a" * 300 + "@example.it",
                "\x00@example.it"],
)  # fmt: skip
def test_addresses_that_are_none_or_the_same_are_refused(desk, rossi, login, address):
    here = f"/staff/clienti/000123/accessi/{login.id}/email"
    answer = desk.post(here, data={"email": address, "confirmed": "1"})
    assert answer.status_code == 422
    assert (Account.get().email, mails()) == ("mario@example.it", [])


def test_a_disabled_login_opens_nothing_until_it_is_enabled(desk, rossi, login, sign_in):
    browser = sign_in(login)
    here = f"/staff/clienti/000123/accessi/{login.id}"
    for _twice in range(2):
        page = desk.post(f"{here}/disabilita", follow_redirects=True).text
    assert "Disabilitato il" in page
    assert "Guarda come il cliente" not in page
    assert browser.get("/").location == "/login"
    assert mails() == [("access_disabled", "mario@example.it")]
    assert "prima va riabilitato" in desk.post(f"{here}/invia", follow_redirects=True).text
    assert "prima va riabilitato" in desk.post(f"{here}/vista", follow_redirects=True).text
    for _twice in range(2):
        desk.post(f"{here}/riabilita")
    assert Account.get().disabled_at is None
    assert mails()[1:] == [("access_enabled", "mario@example.it")]
    assert events() == [("login_disabled", rossi.id), ("login_enabled", rossi.id)]


def test_a_second_factor_is_removed_for_who_has_lost_the_telephone(desk, rossi, login, sign_in):
    here = f"/staff/clienti/000123/accessi/{login.id}"
    assert "Togli il secondo fattore" not in desk.get("/staff/clienti/000123").text
    values = {"totp_nonce": "n", "totp_since": utcnow()}
    Account.update(values).where(Account.id == login.id).execute()
    half = sign_in(login)
    page = desk.get("/staff/clienti/000123").text
    assert "<dt>Secondo fattore</dt><dd>attivo dal" in page
    assert "<dt>Accessi aperti</dt><dd>0</dd>" in page
    for _twice in range(2):
        page = desk.post(f"{here}/secondo-fattore", follow_redirects=True).text
    assert "Secondo fattore tolto: il cliente ne è avvisato." in page
    assert "Togli il secondo fattore" not in page
    assert "Tolto il secondo fattore dell&#39;accesso con lo User 000123." in page
    assert Account.get().totp_since is None
    assert half.get("/codice").location.startswith("/login")
    assert mails() == [("second_factor_removed", "mario@example.it")]
    assert events() == [("login_factor_removed", rossi.id)]
    assert ("login_factor_removed", "000123") in registered()


def test_open_sessions_are_closed(desk, rossi, login, sign_in):
    browser = sign_in(login)
    assert "Chiudi gli accessi aperti" in desk.get("/staff/clienti/000123").text
    desk.post(f"/staff/clienti/000123/accessi/{login.id}/chiudi")
    assert Session.select().count() == 0
    assert browser.get("/").location == "/login"
    assert events() == [("login_sessions_closed", rossi.id)]


@pytest.mark.parametrize("key", ["0", "-1", "9" * 20, "x", "%00", "{other}"])
@pytest.mark.parametrize(
    "verb", ["invia", "disabilita", "riabilita", "chiudi", "secondo-fattore", "vista", "email"]
)
def test_logins_of_others_are_not_found(desk, rossi, login, key, verb):
    other = make_account()
    path = f"/staff/clienti/000123/accessi/{key.format(other=other.id)}/{verb}"
    assert desk.post(path).status_code == 404
    assert (events(), mails(), registered()) == ([], [], [])


# -- As the customer sees ------------------------------------------------------------------


def test_an_operator_sees_what_the_customer_sees_and_comes_back(desk, rossi, login, sign_in):
    make_gas(rossi, "PR000778")
    before = Account.get().last_access_at
    answer = desk.post(f"/staff/clienti/000123/accessi/{login.id}/vista")
    assert (answer.status_code, answer.location) == (303, "/")
    page = desk.get("/", follow_redirects=True).text
    assert "Vista del cliente, sola lettura – ROSSI MARIO &amp; FIGLI" in page
    assert 'action="/logout"' not in page
    assert Account.get().last_access_at == before
    assert events() == [("operator_access", rossi.id)]
    assert ("customer_viewed", "000123") in registered()
    seen = sign_in(login).get("/forniture/PR000778/storico").text
    assert "Accesso di un operatore in sola lettura." in seen
    assert "Vista del cliente" not in seen
    answer = desk.post("/staff/clienti/esci")
    assert answer.location == "/staff/clienti/000123"
    assert Session.select().where(Session.operator_session.is_null(False)).count() == 0
    assert desk.get("/forniture/PR000778/home").status_code == 303
    assert desk.get("/staff/clienti").status_code == 200


def test_of_two_views_in_one_browser_the_former_ends(desk, rossi, login):
    other = make_account()
    desk.post(f"/staff/clienti/000123/accessi/{login.id}/vista")
    code = other.username
    desk.post(f"/staff/clienti/{code}/accessi/{other.id}/vista")
    assert [row.account_id for row in Session.select()] == [other.id]
    assert desk.post("/staff/clienti/esci").location == f"/staff/clienti/{code}"
    assert desk.post("/staff/clienti/esci").location == "/staff/clienti"


def test_details_in_the_register_are_codes(desk, rossi, login):
    desk.post(f"/staff/clienti/000123/accessi/{login.id}/vista")
    entry = RegisterEntry.get(RegisterEntry.kind == "customer_viewed")
    assert json.loads(entry.details) == {"login": "000123"}


def test_a_view_never_counts_as_a_session_of_the_customer(desk, rossi, login):
    desk.post(f"/staff/clienti/000123/accessi/{login.id}/vista")
    page = desk.get("/staff/clienti/000123").text
    assert "Chiudi gli accessi aperti" not in page
