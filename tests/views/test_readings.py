import datetime as dt
import re

import pytest

from domain import acquisition
from domain.clock import rome_day, utcnow
from models import ReadingBatch, SelfReading, Session, SupplyPoint
from tests.factories import (
    make_account,
    make_customer,
    make_electricity,
    make_gas,
    make_meter_reading,
    make_self_reading,
    make_window,
)
from tests.pages import PARTIAL, text_of

REFRESH = {**PARTIAL, "X-Portale-Refresh": "1"}
LIST = "/forniture/PR000001/autolettura"
NEW = f"{LIST}/nuova"


def today():
    return rome_day(utcnow())


def ago(days):
    return today() - dt.timedelta(days=days)


def alert(page):
    """What the page's warnings say."""
    return text_of("".join(re.findall(r'<div class="alert .*?</div>', page.text, re.DOTALL)))


def make_acquired(supply, day, counter, state="acquired", **values):
    batch, _new = ReadingBatch.get_or_create(
        number=1, defaults={"created_at": utcnow(), "content": b"", "placed_at": utcnow()}
    )
    return make_self_reading(supply, day, counter, state=state, batch=batch, **values)


# -- The list -------------------------------------------------------------------------------


def test_the_page_has_the_guides_words(browser, supply):
    make_window()
    make_self_reading(supply, ago(1), 12_345)
    page = browser.get(LIST).text
    for words in ("Autolettura Contatore", "Elenco Autoletture", "Data Lettura", "Aggiungi",
                  "Lettura Contatore", "Lettura Acquisita", "Cancella", "Informazioni",
                  "A partire dalle ore", "Fino alle ore"):  # fmt: skip
        assert words in page, words
    assert "L&#39;inserimento delle autoletture è consentito nei seguenti periodi:" in page or (
        "L'inserimento delle autoletture è consentito nei seguenti periodi:" in page
    )
    assert "Lettura Correttore" not in page


def test_the_corrector_column_is_there_only_where_one_is_fitted(sign_in, customer):
    fitted = make_gas(customer, code="PR000001", has_corrector=True, corrector_digits=6)
    make_self_reading(fitted, ago(1), 12_345, corrector=678)
    page = sign_in(make_account(customer)).get(LIST).text
    assert "Lettura Correttore" in page
    assert re.search(r'data-label="Lettura Correttore"[^>]*>678<', page)


def test_each_state_has_its_word_and_a_rejected_one_its_reason(browser, supply):
    make_self_reading(supply, ago(0), 40)
    make_acquired(supply, ago(1), 30)
    make_acquired(supply, ago(2), 20, "validated")
    make_acquired(supply, ago(3), 10, "rejected", reason="Lettura <incoerente>")
    body = browser.get(LIST, headers=PARTIAL).text.split("<tbody>")[1]
    rows = [text_of(row) for row in body.split("</tr>")]
    assert "Da acquisire" in rows[0]
    assert "In attesa dalle" in rows[0]
    assert "Acquisita" in rows[1]
    assert "In attesa dell&#39;esito dalle" in rows[1]
    assert "Validata" in rows[2]
    assert "esito" not in rows[2]
    assert "Respinta" in rows[3]
    assert "Lettura &lt;incoerente&gt;" in rows[3]


def test_an_acquired_reading_tells_since_when_it_waits_for_its_outcome(browser, supply):
    waiting = make_acquired(supply, ago(1), 30, confirmed=True)
    handed_over = dt.datetime(2026, 3, 9, 23, 30, tzinfo=dt.UTC)  # the 10th in Italy
    ReadingBatch.update(created_at=handed_over).where(ReadingBatch.id == waiting.batch).execute()
    row = text_of(browser.get(LIST, headers=PARTIAL).text.split("<tbody>")[1])
    assert "Acquisita In attesa dell&#39;esito dalle 00:30 del 10/03/2026. Valore insolito" in row


def test_only_a_pending_reading_has_the_red_symbol(browser, supply):
    pending = make_self_reading(supply, ago(0), 40)
    make_acquired(supply, ago(1), 30)
    make_acquired(supply, ago(2), 20, "rejected")
    links = re.findall(r'class="cancel"[^>]* href="([^"]+)"', browser.get(LIST).text)
    assert links == [f"{LIST}/{pending.id}/cancella"]


def test_cancelled_readings_are_not_listed(browser, supply):
    make_self_reading(supply, ago(0), 77_777, state="cancelled")
    page = browser.get(LIST).text
    assert "77777" not in page
    assert "Non ci sono ancora autoletture" in page


def test_the_list_is_paged_and_sorted_by_its_address(browser, supply):
    for days in range(25):
        make_acquired(supply, ago(days), 50_000 - days)
    page = browser.get(f"{LIST}?pag=2&righe=20&ordine=contatore", headers=PARTIAL).text
    shown = re.findall(r'data-label="Lettura Contatore"[^>]*>(\d+)<', page)
    assert shown == ["49996", "49997", "49998", "49999", "50000"]
    assert "pag. 2 di 2" in page


def test_a_page_beyond_the_end_leads_to_the_last(browser, supply):
    for days in range(25):
        make_acquired(supply, ago(days), 50_000 - days)
    answer = browser.get(f"{LIST}?pag=9")
    assert (answer.status_code, answer.location) == (303, f"{LIST}?pag=2")
    assert browser.get(f"{LIST}/periodi?pag=9").location == f"{LIST}/periodi"


def test_htmx_gets_the_list_alone_everyone_else_the_page(browser, supply):
    make_self_reading(supply, ago(0), 40)
    partial, page = browser.get(LIST, headers=PARTIAL), browser.get(LIST)
    assert partial.text.lstrip().startswith('<div id="readings"')
    assert "<html" not in partial.text
    assert partial.text.strip() in page.text
    assert "HX-Request" in page.headers["Vary"]


def test_while_a_reading_waits_the_list_refreshes_itself_and_then_stops(app, browser, supply):
    make_self_reading(supply, ago(0), 40)
    root = re.search(r'<div id="readings"[^>]*>', browser.get(LIST).text)[0]
    assert f'hx-get="{LIST}"' in root
    assert 'hx-trigger="every 20s"' in root
    assert 'hx-swap="outerHTML"' in root
    assert '{"X-Portale-Refresh": "1"}' in root
    acquisition.acquire(app.config["DATA_DIR"] / "outbox", now=utcnow())
    refreshed = browser.get(LIST, headers=REFRESH).text
    assert "Acquisita" in refreshed
    assert "hx-trigger" not in refreshed
    assert "Da acquisire" not in refreshed


def test_the_refresh_keeps_page_and_order(browser, supply):
    make_self_reading(supply, ago(0), 40)
    page = browser.get(f"{LIST}?righe=50&ordine=contatore").text
    assert f'hx-get="{LIST}?righe=50&amp;ordine=contatore" hx-trigger' in page


def test_a_refresh_does_not_keep_the_session_alive(browser, supply):
    seen_at = utcnow() - dt.timedelta(minutes=20)
    Session.update(seen_at=seen_at).execute()
    assert browser.get(LIST, headers=REFRESH).status_code == 200
    assert Session.get().seen_at == seen_at
    browser.get(LIST)
    assert Session.get().seen_at > seen_at


def test_the_chart_tells_the_customers_readings_from_the_distributors(browser, supply):
    make_meter_reading(supply, ago(90), 12_000)
    make_self_reading(supply, ago(60), 12_100)
    make_meter_reading(supply, ago(30), 12_200)
    page = browser.get(LIST).text
    svg = re.search(r"<svg viewBox=\"0 0 640 260\".*?</svg>", page, re.DOTALL)[0]
    assert svg.count("<circle") == 1
    assert svg.count("<rect") == 2
    assert svg.count("<polyline") == 1
    assert "<title" in svg
    assert "<desc" in svg
    assert "style=" not in svg
    assert [int(n) for n in re.findall(r'data-label="Contatore \(m³\)"[^>]*>(\d+)<', page)] == [
        12_200, 12_100, 12_000,
    ]  # fmt: skip


def drawn(page):
    """The (x, y) of the line's points; y grows downwards."""
    points = re.search(r'<polyline [^>]*points="([^"]+)"', page)[1]
    return [tuple(float(n) for n in point.split(",")) for point in points.split()]


def test_the_chart_rises_through_a_roll_over(browser, supply):
    for days, counter in ((90, 99_800), (60, 99_950), (30, 20), (10, 80)):
        make_meter_reading(supply, ago(days), counter)
    page = browser.get(LIST).text
    points = drawn(page)
    assert points == sorted(points, key=lambda point: -point[1])
    levels = re.findall(r'text-anchor="end">(\d+)</text>', page)
    assert levels == ["99800", "99900", "0", "100"]


def test_the_chart_shows_the_meter_now_fitted_and_the_table_those_before_it_too(browser, supply):
    make_meter_reading(supply, ago(90), 45_000, meter_serial="A")
    make_meter_reading(supply, ago(60), 45_100, meter_serial="A")
    make_meter_reading(supply, ago(50), 0, source="cambio_misuratore")
    make_meter_reading(supply, ago(30), 60)
    make_self_reading(supply, ago(10), 90)
    page = browser.get(LIST).text
    assert len(drawn(page)) == 3
    table = text_of(page.split("Le letture in tabella")[1].split("</table>")[0])
    assert re.findall(r"\d{1,5}(?= (?:cliente|distributore))|Contatore sostituito", table) == [
        "90", "60", "0", "Contatore sostituito", "45100", "45000",
    ]  # fmt: skip


@pytest.mark.parametrize("readings", [[], [12_000], [0, 0], [5, 5], [99_999_999, 0]])
def test_any_readings_can_be_drawn(browser, supply, readings):
    for days, counter in enumerate(readings):
        make_meter_reading(supply, ago(days), counter)
    page = browser.get(LIST)
    assert page.status_code == 200
    assert ("<figure" in page.text) == (len(readings) > 1)


# -- The windows ----------------------------------------------------------------------------


def test_the_windows_table_shows_days_and_hours_in_italy(browser):
    make_window(
        dt.datetime(2036, 12, 1, 7, 0, tzinfo=dt.UTC),
        dt.datetime(2036, 12, 5, 23, 0, tzinfo=dt.UTC),
    )
    page = browser.get(LIST).text
    cells = re.findall(r"<td data-label=\"([^\"]+)\">([^<]+)</td>", page)
    assert cells == [
        ("Dal", "01/12/2036"), ("A partire dalle ore", "08:00"),
        ("Al", "05/12/2036"), ("Fino alle ore", "23:59"),
    ]  # fmt: skip


def test_the_windows_have_an_address_of_their_own_and_pages(browser):
    for days in range(12):
        make_window(closes_at=utcnow() + dt.timedelta(days=2 + days))
    page = browser.get(f"{LIST}/periodi?pag=2")
    partial = browser.get(f"{LIST}/periodi?pag=2", headers=PARTIAL)
    assert partial.text.lstrip().startswith('<div id="windows"')
    assert partial.text.strip() in page.text
    assert "pag. 2 di 2" in partial.text
    assert partial.text.count("<tr>") == 1 + 2


def test_the_page_of_the_readings_does_not_page_the_windows(browser, supply):
    make_window()
    for days in range(25):
        make_acquired(supply, ago(days), 50_000 - days)
    assert "Fino alle ore" in browser.get(f"{LIST}?pag=2").text


def test_without_windows_the_page_says_so(browser):
    page = browser.get(LIST).text
    assert "Nessun periodo è ancora stabilito." in page
    assert "non è ancora stato stabilito" in page


# -- Inserimento Autolettura ----------------------------------------------------------------


def test_a_reading_is_entered(browser, supply):
    make_window()
    form = browser.get(NEW).text
    for words in ("Inserimento Autolettura", "Lettura Contatore", "Salva", "Annulla"):
        assert words in form
    answer = browser.post(NEW, data={"counter": "12.345"})
    assert (answer.status_code, answer.location) == (303, LIST)
    page = browser.get(LIST).text
    assert "Lettura registrata" in page
    assert "12345" in page
    assert "Da acquisire" in page
    reading = SelfReading.get()
    assert (reading.supply, reading.day, reading.counter) == (supply, today(), 12_345)
    assert reading.account.username == "000002"


def test_the_corrector_is_asked_only_where_one_is_fitted(sign_in, customer):
    make_window()
    make_gas(customer, code="PR000001", has_corrector=True)
    make_gas(customer, code="PR000002")
    browser = sign_in(make_account(customer))
    assert 'name="corrector"' in browser.get(NEW).text
    assert 'name="corrector"' not in browser.get("/forniture/PR000002/autolettura/nuova").text
    assert browser.post(NEW, data={"counter": "5", "corrector": "6 000"}).status_code == 303
    assert SelfReading.get().corrector == 6_000


def test_a_missing_corrector_is_asked_for_and_what_was_typed_stays(sign_in, customer):
    make_window()
    make_gas(customer, code="PR000001", has_corrector=True)
    answer = sign_in(make_account(customer)).post(NEW, data={"counter": "12345", "corrector": ""})
    assert answer.status_code == 422
    assert "anche la lettura del correttore" in alert(answer)
    assert 'value="12345"' in answer.text


def test_outside_every_window_the_form_is_refused_with_the_next_one(browser):
    make_window(
        dt.datetime(2036, 12, 1, 7, 0, tzinfo=dt.UTC),
        dt.datetime(2036, 12, 5, 23, 0, tzinfo=dt.UTC),
    )
    sentence = "dal 01/12/2036 alle ore 08:00 al 05/12/2036 alle ore 23:59"
    page = browser.get(NEW)
    assert sentence in alert(page)
    assert 'name="counter"' not in page.text
    answer = browser.post(NEW, data={"counter": "12345"})
    assert answer.status_code == 422
    assert sentence in alert(answer)
    assert SelfReading.select().count() == 0


def test_anonymous_enters_nothing(client, supply):
    make_window()
    answer = client.post(NEW, data={"counter": "12345"})
    assert answer.status_code == 303
    assert answer.location.startswith("/login")
    assert SelfReading.select().count() == 0


def test_another_customer_enters_nothing(stranger, supply):
    make_window()
    assert stranger.get(NEW).status_code == 404
    assert stranger.post(NEW, data={"counter": "12345"}).status_code == 404
    assert SelfReading.select().count() == 0


def test_entered_twice_it_is_stored_once(browser):
    make_window()
    browser.post(NEW, data={"counter": "12345"})
    answer = browser.post(NEW, data={"counter": "12345"})
    assert answer.status_code == 422
    assert "Per oggi c'è già una lettura" in alert(answer).replace("&#39;", "'")
    assert SelfReading.select().count() == 1


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("45000", 45_000), ("45.000", 45_000), ("45 000", 45_000), ("00450", 450), ("0", 0),
     (" 123 ", 123), ("45\u00a0000", 45_000), ("00.450", 450), ("0" * 40 + "7", 7)],
)  # fmt: skip
def test_whole_numbers_are_taken_as_they_stand_on_the_meter(browser, typed, stored):
    make_window()
    assert browser.post(NEW, data={"counter": typed}).status_code == 303
    assert SelfReading.get().counter == stored


BEFORE_THE_COMMA = "Scrivere solo le cifre prima della virgola"
ONLY_DIGITS = "Scrivere solo le cifre da 0 a 9"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("45,3", BEFORE_THE_COMMA),
        ("45.30", BEFORE_THE_COMMA),
        ("45,000", BEFORE_THE_COMMA),
        ("1.2345", BEFORE_THE_COMMA),
        ("45.000,5", BEFORE_THE_COMMA),
        ("1.23.456", BEFORE_THE_COMMA),
        (",5", BEFORE_THE_COMMA),
        ("-5", "non può essere negativa"),
        ("\u22125", "non può essere negativa"),
        ("abc", ONLY_DIGITS),
        ("12a", ONLY_DIGITS),
        ("1e5", ONLY_DIGITS),
        ("\uff14\uff15\uff10", ONLY_DIGITS),
        ("45 3", ONLY_DIGITS),
        ("12\x003", ONLY_DIGITS),
        ("9" * 30, "Le cifre sono troppe"),
        ("9" * 5_000, "Le cifre sono troppe"),
        ("", "Scrivere la lettura"),
        ("   ", "Scrivere la lettura"),
        ("123456", "Il contatore ha 5 cifre"),
    ],
)
def test_anything_else_gets_a_sentence_and_stays_in_the_form(browser, typed, sentence):
    make_window()
    answer = browser.post(NEW, data={"counter": typed})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'value="{typed}"' in answer.text
    assert SelfReading.select().count() == 0


@pytest.mark.parametrize(
    "body", [b"", b"counter=%FF%FE", b"counter=1&counter=2", b"counter[]=1", b"%00=1", b"counter"]
)
def test_hostile_bodies_never_break_the_form(browser, body):
    make_window()
    answer = browser.post(NEW, data=body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code in (303, 422)


def test_fields_that_the_form_does_not_have_are_ignored(browser, supply):
    make_window()
    extra = {"counter": "5", "state": "validated", "supply": "99", "day": "2020-01-01", "id": "7"}
    browser.post(NEW, data=extra)
    reading = SelfReading.get()
    assert (reading.state, reading.supply, reading.day) == ("pending", supply, today())


def test_an_odd_value_is_shown_with_its_reason_and_asks(browser, supply):
    make_window()
    make_meter_reading(supply, ago(30), 12_345)
    answer = browser.post(NEW, data={"counter": "12.344"})
    assert answer.status_code == 422
    assert "inferiore" in alert(answer)
    assert "Confermo la lettura" in alert(answer)
    assert 'value="12.344"' in answer.text
    assert SelfReading.select().count() == 0
    confirmed = re.search(r'name="confirmed" value="([^"]+)"', answer.text)[1]
    answer = browser.post(NEW, data={"counter": "12.344", "confirmed": confirmed})
    assert answer.status_code == 303
    assert SelfReading.get().confirmed


def test_a_confirmation_counts_only_for_the_value_it_was_given_for(browser, supply):
    make_window()
    make_meter_reading(supply, ago(30), 12_345)
    answer = browser.post(NEW, data={"counter": "12344"})
    confirmed = re.search(r'name="confirmed" value="([^"]+)"', answer.text)[1]
    answer = browser.post(NEW, data={"counter": "1234", "confirmed": confirmed})
    assert answer.status_code == 422
    assert "Confermo la lettura" in answer.text
    assert SelfReading.select().count() == 0


# -- Cancella -------------------------------------------------------------------------------


def test_a_reading_is_cancelled_after_the_question(browser, supply):
    reading = make_self_reading(supply, today(), 12_345)
    address = f"{LIST}/{reading.id}/cancella"
    question = browser.get(address).text
    day = f"{today():%d/%m/%Y}"
    assert f"Confermi la cancellazione della lettura del {day} ?" in question
    assert "Sì" in question
    assert ">No<" in question
    assert SelfReading.get().state == "pending"
    answer = browser.post(address)
    assert (answer.status_code, answer.location) == (303, LIST)
    assert f"Lettura del {day} cancellata." in browser.get(LIST).text
    assert SelfReading.get().state == "cancelled"


def test_in_a_dialog_the_question_comes_alone(browser, supply):
    reading = make_self_reading(supply, today(), 12_345)
    link = browser.get(LIST).text
    assert 'hx-target="#dialog"' in link
    partial = browser.get(f"{LIST}/{reading.id}/cancella", headers=PARTIAL).text
    assert "<html" not in partial
    assert "Confermi la cancellazione" in partial


def test_anonymous_cancels_nothing(client, supply):
    reading = make_self_reading(supply, today(), 12_345)
    answer = client.post(f"{LIST}/{reading.id}/cancella")
    assert answer.status_code == 303
    assert answer.location.startswith("/login")
    assert SelfReading.get().state == "pending"


def test_another_customer_cancels_nothing(stranger, supply):
    reading = make_self_reading(supply, today(), 12_345)
    for code in ("PR000001", "PR000009"):
        address = f"/forniture/{code}/autolettura/{reading.id}/cancella"
        assert stranger.get(address).status_code == 404
        assert stranger.post(address).status_code == 404
    assert SelfReading.get().state == "pending"


def test_a_reading_is_cancelled_only_under_its_own_supply(browser, customer, supply):
    make_gas(customer, code="PR000002")
    reading = make_self_reading(supply, today(), 12_345)
    address = f"/forniture/PR000002/autolettura/{reading.id}/cancella"
    assert browser.get(address).status_code == 404
    assert browser.post(address).status_code == 404
    assert SelfReading.get().state == "pending"


def test_cancelled_twice_says_so(browser, supply):
    reading = make_self_reading(supply, today(), 12_345)
    address = f"{LIST}/{reading.id}/cancella"
    browser.post(address)
    assert browser.post(address).status_code == 303
    assert "è già stata cancellata" in browser.get(LIST).text


def test_what_was_just_acquired_cannot_be_cancelled_and_the_customer_sees_why(app, browser, supply):
    reading = make_self_reading(supply, today(), 12_345)
    acquisition.acquire(app.config["DATA_DIR"] / "outbox", now=utcnow())
    browser.post(f"{LIST}/{reading.id}/cancella")
    assert "La lettura è appena stata acquisita" in browser.get(LIST).text
    assert SelfReading.get().state == "acquired"
    assert "non si può più cancellare" in browser.get(f"{LIST}/{reading.id}/cancella").text


@pytest.mark.parametrize(
    "key", ["0", "-1", "9" * 18, "9" * 20, "9" * 5_000, "abc", "%00", "%FF", "1.0", "１"]
)
def test_hostile_ids_are_not_found(browser, key):
    address = f"{LIST}/{key}/cancella"
    assert browser.get(address).status_code == 404
    assert browser.post(address).status_code == 404


@pytest.mark.parametrize(
    "query",
    ["pag=-1", "pag=" + "9" * 20, "righe=0", "ordine=x", "ordine=--data", "pag=%00", "pag=%FF",
     "pag=1&pag=2", "ordine=-", "ordine=%EF%BC%91"],
)  # fmt: skip
@pytest.mark.parametrize("address", [LIST, f"{LIST}/periodi"])
def test_hostile_addresses_show_the_table(browser, supply, query, address):
    make_self_reading(supply, ago(0), 40)
    assert browser.get(f"{address}?{query}").status_code in (200, 303)


# -- Supplies that take no readings ---------------------------------------------------------


def test_electricity_leads_to_the_customers_gas_supplies(sign_in, customer, supply):
    make_electricity(customer, code="PR000007")
    browser = sign_in(make_account(customer))
    page = browser.get("/forniture/PR000007/autolettura").text
    assert "riguarda solo le forniture di gas" in page
    assert f'<a href="{LIST}">' in page
    new = "/forniture/PR000007/autolettura/nuova"
    assert "riguarda solo le forniture di gas" in browser.get(new).text
    assert browser.post(new, data={"counter": "5"}).status_code == 422
    assert SelfReading.select().count() == 0


def test_a_customer_without_supplies_sees_a_page(sign_in, customer):
    page = sign_in(make_account(customer)).get("/forniture/-/autolettura")
    assert page.status_code == 200
    assert "Non risultano forniture di gas" in page.text


def test_an_ended_supply_keeps_its_list_and_takes_no_more(sign_in, customer):
    make_window()
    ended = make_gas(customer, code="PR000001", ended_on=ago(10))
    make_acquired(ended, ago(20), 12_345)
    browser = sign_in(make_account(customer))
    page = browser.get(LIST).text
    assert "12345" in page
    assert "La fornitura è cessata" in page
    assert "Ora si può inserire" not in page
    assert "La fornitura è cessata" in alert(browser.get(NEW))
    assert browser.post(NEW, data={"counter": "12400"}).status_code == 422


# -- Queries --------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [LIST, f"{LIST}/periodi", NEW])
def test_no_page_needs_more_than_six_queries_however_many_rows(
    browser, supply, count_queries, address
):
    make_window()
    make_self_reading(supply, ago(1), 40)
    browser.get(address)
    with count_queries() as few:
        browser.get(address)
    for days in range(2, 60):
        make_acquired(supply, ago(days), 1_000 - days)
        make_meter_reading(supply, ago(days), 1_000 - days)
        make_window()
    with count_queries() as many:
        assert browser.get(f"{address}?righe=100").status_code == 200
    assert len(many) == len(few) <= 6, many


def test_row_09_a_supply_that_changed_hands_hides_what_its_former_customer_entered(app, sign_in):
    supply = make_gas()
    reading = make_self_reading(
        supply, dt.date(2026, 11, 20), 777, account=make_account(supply.customer)
    )
    successor = make_customer()
    SupplyPoint.update(customer=successor).execute()
    browser = sign_in(make_account(successor))
    path = f"/forniture/{supply.code}/autolettura"
    assert "20/11/2026" not in browser.get(path, headers=PARTIAL).get_data(as_text=True)
    assert "777" not in browser.get(path).get_data(as_text=True)
    assert browser.post(f"{path}/{reading.id}/cancella").status_code == 404
    assert SelfReading.get().state == "pending"


def test_row_09_readings_from_before_the_supply_was_the_customers_are_not_drawn(app, sign_in):
    supply = make_gas(active_from=dt.date(2026, 3, 1))
    make_meter_reading(supply, dt.date(2026, 2, 27), 41111)
    make_meter_reading(supply, dt.date(2026, 3, 1), 42222)
    browser = sign_in(make_account(supply.customer))
    page = browser.get(f"/forniture/{supply.code}/autolettura").get_data(as_text=True)
    assert "42222" in page
    assert "41111" not in page


def test_row_09_readings_after_the_supply_has_ended_are_the_next_customers(app, sign_in):
    supply = make_gas(ended_on=dt.date(2026, 3, 1))
    make_meter_reading(supply, dt.date(2026, 3, 1), 42222)
    make_meter_reading(supply, dt.date(2026, 3, 2), 43333)
    browser = sign_in(make_account(supply.customer))
    page = browser.get(f"/forniture/{supply.code}/autolettura").get_data(as_text=True)
    assert "42222" in page
    assert "43333" not in page


def test_a_supply_that_has_ended_takes_no_more_readings(sign_in):
    supply = make_gas(ended_on=ago(3))
    make_window()
    browser = sign_in(make_account(supply.customer))
    page = browser.get(f"/forniture/{supply.code}/autolettura").get_data(as_text=True)
    assert "La fornitura è cessata" in page
    assert "/autolettura/nuova" not in page
    assert "è consentito nei seguenti periodi" not in page.replace("&#39;", "'")
