"""Preferences, a supply's name, one's own data, the request for erasure, the calendar link."""

import datetime as dt
import io
import json
import re
import zipfile

import pytest

from domain import export, preferences
from domain.clock import utcnow
from models import (
    Account,
    CalendarLink,
    ErasureRequest,
    Event,
    Nickname,
    OutgoingMail,
)
from tests.factories import make_account, make_customer, make_electricity, make_gas
from tests.pages import PARTIAL, text_of

PAGE = "/forniture/PR000001/preferenze"
POSTS = {
    "": {"notices": "y"},
    "/nome": {"nickname": "Casa"},
    "/cancellazione": {},
    "/cancellazione/ritira": {},
    "/calendario": {},
    "/calendario/nuovo": {},
    "/calendario/revoca": {},
}
EVERY_POST = pytest.mark.parametrize("path", POSTS)


@pytest.fixture
def account(customer):
    return make_account(customer)


@pytest.fixture
def browser(sign_in, supply, account):
    return sign_in(account)


def kinds():
    return [event.kind for event in Event.select().order_by(Event.id)]


def mails():
    return [(mail.kind, mail.recipient) for mail in OutgoingMail.select().order_by(OutgoingMail.id)]


# -- Each route ----------------------------------------------------------------------------


@EVERY_POST
def test_nobody_is_sent_to_the_login(client, supply, path):
    answer = client.post(PAGE + path, data=POSTS[path])
    assert (answer.status_code, answer.location) == (303, "/login")
    assert kinds() == []


@EVERY_POST
def test_another_customers_supply_is_a_missing_one(stranger, supply, path):
    assert stranger.post(PAGE + path, data=POSTS[path]).status_code == 404
    missing = stranger.post("/forniture/PR999999/preferenze" + path, data=POSTS[path])
    assert missing.status_code == 404
    assert kinds() == []


@EVERY_POST
def test_a_disabled_account_is_sent_to_the_login(browser, account, path):
    Account.update(disabled_at=utcnow()).where(Account.id == account).execute()
    answer = browser.post(PAGE + path, data=POSTS[path])
    assert (answer.status_code, answer.location) == (303, "/login")
    assert kinds() == []


@pytest.mark.parametrize("path", ["", "/dati", "/cancellazione"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("htmx", [False, True])
def test_who_may_read(app, client, browser, stranger, account, path, method, htmx):
    headers = PARTIAL if htmx else {}
    ask = {"method": method, "headers": headers}
    assert browser.open(PAGE + path, **ask).status_code == 200
    nobody = client.open(PAGE + path, **ask)
    target = nobody.headers["HX-Redirect"] if htmx else nobody.location
    assert target.startswith("/login")
    assert stranger.open(PAGE + path, **ask).status_code == 404
    assert stranger.open("/forniture/PR999999/preferenze" + path, **ask).status_code == 404
    Account.update(disabled_at=utcnow()).where(Account.id == account).execute()
    assert browser.open(PAGE + path, **ask).status_code == (401 if htmx else 303)


def test_the_page_costs_six_queries(sign_in, count_queries):
    for number in (1, 40):
        customer = make_customer()
        for _n in range(number):
            supply = make_gas(customer)
        account = make_account(customer)
        for each in customer.supplies:
            Nickname.create(account=account, supply=each, text="Casa")
        browser = sign_in(account)
        browser.get(f"/forniture/{supply.code}/preferenze")
        with count_queries() as queries:
            browser.get(f"/forniture/{supply.code}/preferenze")
        assert len(queries) <= 6, queries


def test_a_customer_without_supplies_has_preferences_too(sign_in, customer):
    browser = sign_in(make_account(customer))
    page = text_of(browser.get("/forniture/-/preferenze").text)
    assert "Salva le preferenze" in page
    assert "Scarica i miei dati" in page
    assert "Nome della fornitura" not in page
    assert "Crea il collegamento" not in page
    for path in ("", "/cancellazione", "/cancellazione/ritira"):
        answer = browser.post(f"/forniture/-/preferenze{path}", data=POSTS[path])
        assert answer.location == "/forniture/-/preferenze"
    for path in ("/nome", "/calendario", "/calendario/nuovo", "/calendario/revoca"):
        assert browser.post(f"/forniture/-/preferenze{path}").status_code == 404
    assert browser.get("/forniture/-/preferenze/dati").status_code == 200


def test_another_supply_is_chosen_on_the_same_page(browser, customer):
    make_gas(customer, code="PR000002")
    assert 'name="pagina" value="preferenze"' in browser.get(PAGE).text
    answer = browser.get("/forniture/vai?pagina=preferenze&fornitura=PR000002")
    assert answer.location == "/forniture/PR000002/preferenze"


# -- Preferences ---------------------------------------------------------------------------

ALL = dict.fromkeys(preferences.FLAGS, "y")


def checked(page):
    """The names of the boxes that are checked."""
    return set(re.findall(r'<input[^>]* checked [^>]*name="([a-z_]+)"', page))


def test_notices_are_switched_off_and_on(browser, account):
    assert checked(browser.get(PAGE).text) == ALL.keys()
    but_all = {name: "y" for name in ALL if name != "notices"}
    answer = browser.post(PAGE, data=but_all, follow_redirects=True)
    assert "Preferenze salvate." in answer.text
    assert checked(answer.text) == but_all.keys()
    assert not Account.get_by_id(account).notices
    browser.post(PAGE, data=ALL)
    assert Account.get_by_id(account).notices
    browser.post(PAGE, data=ALL)  # twice: nothing changes
    assert kinds() == ["preferences_changed"] * 2
    assert [json.loads(event.details) for event in Event.select().order_by(Event.id)] == [
        {"notices": False},
        {"notices": True},
    ]


@pytest.mark.parametrize("group", preferences.NOTICES)
def test_notices_are_switched_off_one_by_one(browser, account, group):
    flag = f"notices_{group}"
    answer = browser.post(PAGE, data={**ALL, flag: "false"}, follow_redirects=True)
    assert checked(answer.text) == ALL.keys() - {flag}
    assert not getattr(Account.get_by_id(account), flag)
    history = text_of(browser.get("/forniture/PR000001/storico").text)
    assert f"Avvisi «{preferences.NOTICES[group]}» per posta elettronica disattivati." in history


def test_row_10_other_fields_are_ignored(browser, account):
    before = Account.select().where(Account.id == account).dicts().get()
    browser.post(PAGE, data={**ALL, "last_language": "en", "email": "x@y.it", "disabled_at": "1"})
    assert Account.select().where(Account.id == account).dicts().get() == before


def test_the_language_is_chosen_among_those_that_there_are(browser, account):
    assert '<option selected value="it">Italiano</option>' in browser.get(PAGE).text
    assert browser.post(PAGE, data={"language": "xx"}).status_code == 422
    browser.post(PAGE, data={**ALL, "language": "it"})
    assert Account.get_by_id(account).language is None  # left as it was
    answer = browser.post(PAGE, data={**ALL, "language": "de"}, follow_redirects=True)
    assert '<option selected value="de">Deutsch</option>' in answer.text
    assert "Einstellungen gespeichert." in answer.text
    assert Account.get_by_id(account).language == "de"


# -- Names of supplies ---------------------------------------------------------------------


def test_a_name_stands_before_the_label(browser, supply):
    label = f"PR000001 (Pdr: {supply.pdr}); VIA PROVA 5 - 48124 RAVENNA (RA)"
    assert f">{label}</option>" in browser.get(PAGE).text
    answer = browser.post(PAGE + "/nome", data={"nickname": "  Casa  al mare "})
    assert answer.location == PAGE
    page = browser.get(PAGE).text
    assert f">Casa al mare – {label}</option>" in page
    assert 'value="Casa al mare"' in page
    browser.post(PAGE + "/nome", data={"nickname": "Ufficio"})
    assert f">Ufficio – {label}</option>" in browser.get(PAGE).text
    browser.post(PAGE + "/nome", data={"nickname": ""})
    browser.post(PAGE + "/nome", data={})  # twice
    assert f">{label}</option>" in browser.get(PAGE).text
    assert Nickname.select().count() == 0


def test_a_name_is_seen_only_by_whom_it_is_of(browser, sign_in, customer, supply):
    browser.post(PAGE + "/nome", data={"nickname": "Casa al mare"})
    other = make_account(customer, username="altro")
    assert "Casa al mare – PR000001" not in sign_in(other).get(PAGE).text


@pytest.mark.parametrize("text", ["x" * 41, "a\x00b", "a\x07b"])
def test_a_bad_name_is_told_and_shown_again(browser, text):
    answer = browser.post(PAGE + "/nome", data={"nickname": text})
    assert answer.status_code == 422
    assert "invalid-feedback" in answer.text
    assert Nickname.select().count() == 0


def test_row_13_a_hostile_name_stays_text(browser):
    browser.post(PAGE + "/nome", data={"nickname": '"><script>alert(1)</script>'})
    page = browser.get(PAGE).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; – PR000001" in page


# -- The request for erasure ---------------------------------------------------------------


def test_erasure_is_asked_confirmed_and_withdrawn(browser, customer, account):
    question = text_of(browser.get(PAGE + "/cancellazione").text)
    assert "Confermi la richiesta di cancellare i dati personali ?" in question
    answer = browser.post(PAGE + "/cancellazione", follow_redirects=True)
    assert "Richiesta di cancellazione registrata" in answer.text
    assert "Ritira la richiesta" in answer.text
    request = ErasureRequest.get()
    assert (request.customer_id, request.account_id) == (customer.id, account.id)
    assert "Confermi" not in browser.get(PAGE + "/cancellazione").text

    twice = browser.post(PAGE + "/cancellazione", follow_redirects=True)
    assert "è già stata registrata" in twice.text
    assert ErasureRequest.select().count() == 1

    answer = browser.post(PAGE + "/cancellazione/ritira", follow_redirects=True)
    assert "Richiesta di cancellazione ritirata." in answer.text
    assert "Chiedi la cancellazione" in answer.text
    assert ErasureRequest.get().withdrawn_at is not None
    again = browser.post(PAGE + "/cancellazione/ritira", follow_redirects=True)
    assert "da ritirare" in again.text

    assert kinds() == ["erasure_asked", "erasure_withdrawn"]
    assert mails() == [
        ("erasure_asked", account.email),
        ("erasure_withdrawn", account.email),
    ]
    browser.post(PAGE + "/cancellazione")
    assert ErasureRequest.select().count() == 2


def test_the_receipt_goes_out_even_without_notices(browser, account):
    browser.post(PAGE, data={})
    browser.post(PAGE + "/cancellazione")
    assert mails() == [("erasure_asked", account.email)]


def test_a_settled_request_may_be_followed_by_another(browser, customer, account):
    ErasureRequest.create(customer=customer, account=account, made_at=utcnow(), settled_at=utcnow())
    browser.post(PAGE + "/cancellazione")
    assert ErasureRequest.select().count() == 2


# -- The calendar link ---------------------------------------------------------------------


def address(browser):
    found = re.search(
        r'id="calendar-address" value="http://localhost([^"]+)"', browser.get(PAGE).text
    )
    return found and found[1]


def test_a_link_is_made_used_replaced_and_revoked(browser, client):
    assert address(browser) is None
    assert browser.post(PAGE + "/calendario").location == PAGE + "#calendario"
    first = address(browser)
    assert first == address(browser)
    assert client.get(first).mimetype == "text/calendar"

    browser.post(PAGE + "/calendario")  # twice: the address that was copied still opens
    assert address(browser) == first

    browser.post(PAGE + "/calendario/nuovo")
    second = address(browser)
    assert client.get(first).status_code == 404
    assert client.get(second).status_code == 200

    browser.post(PAGE + "/calendario/revoca")
    browser.post(PAGE + "/calendario/revoca")  # twice
    assert address(browser) is None
    assert client.get(second).status_code == 404
    assert kinds() == ["calendar_made", "calendar_revoked", "calendar_made", "calendar_revoked"]


def test_without_a_link_a_new_one_is_made(browser):
    browser.post(PAGE + "/calendario/nuovo")
    browser.post(PAGE + "/calendario/nuovo")
    assert CalendarLink.select().count() == 1


def test_electricity_has_no_reading_windows_in_words(sign_in, customer):
    make_electricity(customer, code="PR000005")
    page = sign_in(make_account(customer)).get("/forniture/PR000005/preferenze").text
    assert "autolettura della fornitura" not in page


# -- One's own data ------------------------------------------------------------------------


def opened(answer):
    return zipfile.ZipFile(io.BytesIO(answer.data))


def test_the_data_are_downloaded_as_a_zip(browser, account):
    answer = browser.get(PAGE + "/dati")
    assert answer.mimetype == "application/zip"
    assert re.search(
        r'filename="?dati_000002_\d{4}-\d\d-\d\d\.zip', answer.headers["Content-Disposition"]
    )
    archive = opened(answer)
    assert archive.testzip() is None
    assert json.loads(archive.read("accesso.json"))["user"] == "000002"
    assert kinds() == ["data_exported"]


def test_beyond_five_a_day_it_is_refused(browser, account):
    for _n in range(export.MOST_A_DAY):
        assert browser.get(PAGE + "/dati").mimetype == "application/zip"
    answer = browser.get(PAGE + "/dati", follow_redirects=True)
    assert "al massimo 5 volte in 24 ore" in answer.text
    assert len(kinds()) == 5
    Event.update(at=utcnow() - dt.timedelta(hours=25)).execute()
    assert browser.get(PAGE + "/dati").mimetype == "application/zip"


def test_asking_for_the_head_takes_nothing_away(browser):
    assert browser.head(PAGE + "/dati").mimetype == "application/zip"
    assert kinds() == []
