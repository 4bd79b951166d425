"""In which language one reads: the account's, the browser's choice, what the browser asks for."""

import pytest

from domain import operator_sessions, sessions
from domain.clock import utcnow
from domain.mail import messages
from models import Account, Operator, OutgoingMail
from tests.factories import PASSWORD, make_account, make_customer, make_gas, make_operator
from tests.pages import PARTIAL

TITLES = {"it": "Autenticazione", "de": "Anmeldung", "en": "Log in"}
ENGLISH_BROWSER = {"Accept-Language": "en-US,en;q=0.9,de;q=0.8"}


def language_of(answer):
    """What the page and its header say; both the same."""
    spoken = answer.headers["Content-Language"]
    assert f'<html lang="{spoken}">' in answer.text
    return spoken


def choose(browser, language, page="/login", host="http://localhost"):
    return browser.post("/lingua", data={"lingua": language}, headers={"Referer": host + page})


# -- Which one -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "asked", [None, "it-IT,it;q=0.9", "en-US,en;q=0.9", "de", "*", ";;q=x,\x7f"]
)
def test_italian_is_spoken_whatever_the_browser_asks_for(client, asked):
    headers = {"Accept-Language": asked} if asked else {}
    answer = client.get("/login", headers=headers)
    assert language_of(answer) == "it"
    assert "<h1>Autenticazione</h1>" in answer.text


@pytest.mark.parametrize(
    ("followed", "asked", "spoken"),
    [
        (("de", "en"), "en-US,en;q=0.9,de;q=0.8", "en"),
        (("de",), "en-US,en;q=0.9,de;q=0.8", "de"),
        (("de",), "de-AT", "de"),
        (("de", "en"), "fr", "it"),
        (("de", "en"), "it;q=0.9,de;q=0.8", "it"),
        (("de", "en"), "", "it"),
    ],
)
def test_a_utility_may_let_browsers_choose(app, client, monkeypatch, followed, asked, spoken):
    monkeypatch.setitem(app.config, "BROWSER_LANGUAGES", followed)
    assert language_of(client.get("/login", headers={"Accept-Language": asked})) == spoken


@pytest.mark.parametrize("language", TITLES)
def test_what_is_chosen_in_a_browser_stays_chosen_there(client, language):
    answer = choose(client, language)
    assert (answer.status_code, answer.location) == (303, "/login")
    cookie = answer.headers["Set-Cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age="))
    assert language_of(client.get("/login")) == language
    assert language_of(client.get("/niente")) == language  # an error page too


def test_the_account_s_choice_goes_before_the_browser_s(client, sign_in):
    account = make_account()
    browser = sign_in(account)
    choose(browser, "de", "/forniture/-/home")
    assert Account.get_by_id(account.id).language == "de"
    elsewhere = sign_in(account)
    elsewhere.set_cookie("lingua", "en")
    answer = elsewhere.get("/forniture/-/home")
    assert language_of(answer) == "de"
    assert "Willkommen" in answer.text
    assert language_of(client.get("/login")) == "it"  # that of another browser is as it was


def test_the_language_of_the_last_access_is_noted_for_the_mail(client):
    account = make_account()
    choose(client, "en")
    client.post("/login", data={"username": account.username, "password": PASSWORD})
    row = Account.get_by_id(account.id)
    assert (row.language, row.last_language) == (None, "en")


def test_operators_choose_for_themselves_even_in_a_customer_s_view(app, sign_in_operator):
    operator, account = make_operator(), make_account()
    desk = sign_in_operator(operator)
    choose(desk, "de", "/staff/clienti")
    assert Operator.get_by_id(operator.id).language == "de"
    desk.set_cookie("lingua", "it")
    assert language_of(desk.get("/staff/clienti")) == "de"
    with desk.session_transaction() as cookie:
        row = operator_sessions.load(cookie["_operator"], now=utcnow())
        cookie["_user_id"] = sessions.open_view(account, row.session, now=utcnow())
        cookie["_fresh"] = True
    assert language_of(desk.get("/forniture/-/home")) == "de"
    choose(desk, "en", "/forniture/-/home")
    assert language_of(desk.get("/forniture/-/home")) == "en"
    assert Operator.get_by_id(operator.id).language == "en"
    assert Account.get_by_id(account.id).language is None


def test_a_partial_speaks_like_its_page(app, sign_in):
    customer = make_customer()
    gas = make_gas(customer)
    browser = sign_in(make_account(customer))
    choose(browser, "de", "/")
    path = f"/forniture/{gas.code}/fatture"
    partial = browser.get(path, headers=PARTIAL)
    assert "noch keine Rechnungen" in partial.text
    assert "fatture per" not in partial.text + browser.get(path).text


# -- The switcher --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/login", "/registrazione", "/password-dimenticata", "/accessibilita"]
)
def test_each_page_offers_the_languages_by_their_own_names(client, path):
    page = client.get(path).text
    for code, name in {"it": "Italiano", "de": "Deutsch", "en": "English"}.items():
        assert f'lang="{code}"' in page
        assert f">{name}</" in page


def test_one_comes_back_to_the_same_page(sign_in):
    customer = make_customer()
    code = make_gas(customer).code
    page = f"/forniture/{code}/fatture?stato=pagata&pag=2"
    assert choose(sign_in(make_account(customer)), "de", page).location == page


@pytest.mark.parametrize(
    ("host", "page"),
    [
        ("https://altrove.example", "/login"),
        ("http://localhost.altrove.example", "/login"),
        ("http://localhost@altrove.example", "/login"),
        ("http://localhost", "//altrove.example/login"),
        ("http://localhost", "/\\altrove.example"),
        ("http://localhost", "/logout"),  # only a form leads there
        ("http://localhost", "/lingua"),
        ("http://localhost", "/niente"),
        ("http://localhost", "/%0d%0aX-A: b"),
        ("http://[", "/login"),
        ("javascript:alert(1)", ""),
        ("", ""),
    ],
)
def test_row_14_no_other_place_is_come_back_to(client, host, page):
    answer = choose(client, "de", page, host)
    assert (answer.status_code, answer.location) == (303, "/")


@pytest.mark.parametrize("language", ["", "xx", "DE", "../it", "de\x00", "d" * 5000])
def test_an_unknown_language_is_refused(client, sign_in, language):
    account = make_account()
    for browser in (client, sign_in(account)):
        answer = choose(browser, language)
        assert answer.status_code == 400
        assert "lingua=" not in answer.headers.get("Set-Cookie", "")
    assert Account.get_by_id(account.id).language is None
    client.set_cookie("lingua", language[:4000].replace("\x00", "%00"))
    assert language_of(client.get("/login")) == "it"


def test_it_is_not_chosen_by_an_address_nor_by_another_site(app, client):
    assert client.get("/lingua?lingua=de").status_code == 405
    app.config["WTF_CSRF_ENABLED"] = True
    assert choose(client, "de").status_code == 400  # without the token of a form of ours


def test_public_pages_may_be_asked_for_in_a_language(client):
    italian, german = (client.get(f"/accessibilita?lingua={code}") for code in ("it", "de"))
    assert language_of(german) == "de"
    assert "Was getan wurde" in german.text
    assert german.headers["ETag"] != italian.headers["ETag"]
    assert {"Cookie", "Accept-Language"} <= set(german.vary)
    assert "Set-Cookie" not in german.headers
    stale = client.get(
        "/accessibilita?lingua=de", headers={"If-None-Match": italian.headers["ETag"]}
    )
    assert stale.status_code == 200
    assert language_of(client.get("/accessibilita?lingua=xx")) == "it"


def test_who_registers_in_german_gets_german_mail(client):
    customer = make_customer("000007", vat_number="01114601006")
    choose(client, "de")
    client.post("/registrazione", data={"code": "000007", "tax_id": "01114601006"})
    client.post("/registrazione/conferma", data={"email": "rosa@example.it"})
    account = customer.grants.get().account
    assert (account.language, account.last_language) == (None, "de")
    mail = OutgoingMail.get()
    assert "Guten Tag," in messages.compose(mail, "geheim", now=utcnow()).body


def test_half_of_what_lets_in_changes_no_account(sign_in, sign_in_operator):
    account = make_account(totp_nonce="nonce", totp_since=utcnow())
    operator = make_operator()
    choose(sign_in(account), "de", "/codice")
    choose(sign_in_operator(operator, verified=False), "de", "/staff/codice")
    assert Account.get_by_id(account.id).language is None
    assert Operator.get_by_id(operator.id).language is None
