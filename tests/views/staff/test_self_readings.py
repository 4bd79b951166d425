import datetime as dt
import json

import pytest

from domain import acquisition, self_readings
from domain.clock import rome_day, utcnow
from models import Customer, Event, ReadingBatch, RegisterEntry, SelfReading
from tests.factories import (
    make_account,
    make_customer,
    make_electricity,
    make_gas,
    make_meter_reading,
    make_operator,
    make_self_reading,
    make_window,
)
from tests.pages import PARTIAL, text_of

HERE = "/staff/autoletture"
NEW = f"{HERE}/nuova?fornitura=PR000001"


@pytest.fixture
def supply(app):
    return make_gas(
        make_customer("000002", name="ROSSI MARIA"), code="PR000001", pdr="00880000000001"
    )


@pytest.fixture
def operator(app):
    return make_operator(name="Anna Verdi")


@pytest.fixture
def desk(sign_in_operator, operator):
    return sign_in_operator(operator)


def today():
    return rome_day(utcnow())


def ago(days):
    return today() - dt.timedelta(days=days)


def handed_over(number):
    return ReadingBatch.create(number=number, created_at=utcnow(), content=b"")


def counters(page):
    """The readings of the list, in its order."""
    body = page.text.split("<tbody>")[1] if "<tbody>" in page.text else ""
    return [int(part.split("<")[0].split()[0]) for part in body.split('data-label="Lettura">')[1:]]


def entries(kind):
    found = RegisterEntry.select().where(RegisterEntry.kind == kind).order_by(RegisterEntry.number)
    return [(each.customer_code, json.loads(each.details)) for each in found]


# -- The list ------------------------------------------------------------------------------


def test_all_readings_are_listed_in_every_state_the_latest_first(desk, supply):
    batch = handed_over(7)
    make_self_reading(supply, ago(4), 10, state="cancelled")
    make_self_reading(supply, ago(3), 20, state="rejected", batch=batch, reason="Illeggibile")
    make_self_reading(supply, ago(2), 30, state="validated", batch=batch)
    make_self_reading(supply, ago(1), 40, state="acquired", batch=batch)
    make_self_reading(supply, ago(0), 50)
    page = desk.get(HERE)
    assert counters(page) == [50, 40, 30, 20, 10]
    rows = [text_of(row) for row in page.text.split("<tbody>")[1].split("</tr>")]
    for row, words in zip(
        rows, ("Da acquisire", "Acquisita", "Validata", "Respinta", "Cancellata"), strict=False
    ):
        assert words in row
        assert "ROSSI MARIA 000002 · PR000001 · PDR 00880000000001" in row
    assert "Illeggibile" in rows[3]
    assert "lotto 7" in rows[3]
    assert counters(desk.get(f"{HERE}?ordine=data")) == [10, 20, 30, 40, 50]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("stato=pending", [50, 40]),
        ("stato=rejected", [30]),
        ("dal={1}&al={2}", [40, 30]),
        ("fornitura=PR000001", [50, 30]),
        ("fornitura=pr000001", [50, 30]),
        ("fornitura=000002", [50, 30]),
        ("fornitura=0088 0000 0000 01", [50, 30]),
        ("fornitura=niente", []),
        ("insolite=1", [40]),
        ("da=operatore", [30]),
        ("da=cliente", [50, 40]),
        ("lotto=7", [30]),
        ("lotto=999999999", []),
        ("motivo=illeggibile", [30]),
        ("motivo=%25", []),
        ("motivo=%00", [50, 40, 30]),
        ("stato=rejected&insolite=1", []),
        ("stato=boh&dal=ieri&lotto=-1&da=chi&insolite=2&ordine=x&pag=x", [50, 40, 30]),
        ("fornitura=%00&lotto=99999999999999999999&pag=99999999999999999999", None),
    ],
)
def test_the_list_is_filtered(desk, supply, asked, found):
    make_self_reading(supply, ago(0), 50)
    make_self_reading(make_gas(code="PR000009"), ago(1), 40, confirmed=True)
    make_self_reading(supply, ago(2), 30, state="rejected", batch=handed_over(7),
                      reason="Illeggibile", taken_for=supply.customer)  # fmt: skip
    days = [ago(0).isoformat(), ago(1).isoformat(), ago(2).isoformat()]
    page = desk.get(f"{HERE}?{asked.format(days[0], days[2], days[1])}")
    if found is None:
        assert page.status_code in {200, 303}
        return
    assert page.status_code == 200
    assert counters(page) == found
    assert ("Nessuna autolettura corrisponde" in page.text) == (not found)


def test_the_list_is_paged_and_htmx_gets_it_alone(desk, supply):
    for days in range(25):
        make_self_reading(supply, ago(days), 1000 - days)
    partial = desk.get(f"{HERE}?pag=2", headers=PARTIAL)
    assert counters(partial) == [980, 979, 978, 977, 976]
    assert partial.text.lstrip().startswith('<div id="self_readings"')
    assert partial.text.strip() in desk.get(f"{HERE}?pag=2").text
    assert counters(desk.get(f"{HERE}?pag=9&stato=pending")) == [980, 979, 978, 977, 976]


def test_of_very_many_only_the_first_are_counted(desk, supply, monkeypatch):
    monkeypatch.setattr(self_readings, "MOST", 3)
    for days in range(5):
        make_self_reading(supply, ago(days), 100 - days)
    page = desk.get(f"{HERE}?righe=10")
    assert "Sono elencate le prime 3:" in text_of(page.text)
    assert "pag. 1 di 1" in page.text


def test_an_odd_reading_is_marked_with_its_reason(desk, supply):
    make_meter_reading(supply, ago(30), 12_345)
    make_self_reading(supply, ago(0), 12_340, confirmed=True)
    alone = make_gas(code="PR000009")
    make_self_reading(alone, ago(1), 77, confirmed=True)  # with what it was odd is not known
    rows = text_of(desk.get(HERE).text.split("<tbody>")[1])
    before = f"{ago(30):%d/%m/%Y}"
    assert (
        f"Insolita La lettura del contatore è inferiore all&#39;ultima, 12345 del {before}." in rows
    )
    assert "Insolita Valore insolito, confermato all&#39;inserimento." in rows


def test_the_queries_do_not_grow_with_the_rows(desk, count_queries):
    def one_more(number):
        supply = make_gas()
        make_meter_reading(supply, ago(30), 500)
        make_self_reading(supply, ago(number), 400, confirmed=True, taken_for=supply.customer)

    one_more(0)
    desk.get(HERE)
    with count_queries() as few:
        desk.get(HERE)
    for number in range(1, 9):
        one_more(number)
    with count_queries() as many:
        desk.get(HERE)
    assert len(many) == len(few)


def test_who_looks_for_one_customers_readings_is_in_the_register(desk, supply):
    make_self_reading(supply, ago(0), 50)
    desk.get(HERE)
    assert entries("readings_read") == []
    desk.get(f"{HERE}?fornitura=PR000001")
    assert entries("readings_read") == [("000002", {})]


# -- The file ------------------------------------------------------------------------------


def test_the_list_leaves_as_a_file_without_formulas(desk, supply, monkeypatch):
    monkeypatch.setattr(self_readings, "AT_ONCE", 2)
    Customer.update(name="=cmd|' /C calc'!A0").where(Customer.code == "000002").execute()
    batch = handed_over(7)
    for days in range(5):
        make_self_reading(supply, ago(days), 100 - days, state="rejected", batch=batch,
                          reason="+39 chiamare", confirmed=True)  # fmt: skip
    make_self_reading(make_gas(), ago(0), 1)
    answer = desk.get(f"{HERE}/csv?fornitura=PR000001")
    assert "attachment" in answer.headers["Content-Disposition"]
    heading, *lines = answer.data.decode("utf-8-sig").splitlines()
    assert heading.startswith("Data lettura;Codice cliente;Denominazione;")
    assert [line.split(";")[5] for line in lines] == ["100", "99", "98", "97", "96"]
    assert f"{ago(0):%d/%m/%Y};000002;'=cmd|' /C calc'!A0;PR000001;" in lines[0]
    assert ";Respinta;sì;" in lines[0]
    assert lines[0].endswith(";cliente;7;'+39 chiamare")
    assert entries("readings_exported") == [("000002", {})]


# -- One taken by telephone ----------------------------------------------------------------


def test_a_supply_is_found_by_its_pdr_or_chosen_among_the_customers(desk, supply):
    make_window()
    page = desk.get(f"{HERE}/nuova")
    assert 'name="fornitura"' in page.text
    found = desk.get(f"{HERE}/nuova?fornitura=00880000000001").text
    assert "ROSSI MARIA (000002)" in found
    assert 'name="counter"' in found
    other = make_gas(supply.customer, code="PR000002")
    make_electricity(supply.customer, code="PR000003")
    several = desk.get(f"{HERE}/nuova?fornitura=000002").text
    assert f"{HERE}/nuova?fornitura={other.code}" in several
    assert "PR000003" not in several
    assert "Nessuna fornitura di gas" in desk.get(f"{HERE}/nuova?fornitura=PR000003").text


def test_the_meter_and_its_last_readings_stand_beside_the_form(desk, supply):
    make_window()
    for days in range(1, 9):
        make_meter_reading(supply, ago(10 * days), 1000 - days)
    page = text_of(desk.get(NEW).text)
    assert f"{supply.meter_serial}, classe G4, 5 cifre" in page
    assert f"oggi, {today():%d/%m/%Y}" in page
    shown = [value for value in range(990, 1000) if f" {value} distributore" in page]
    assert shown == [994, 995, 996, 997, 998, 999]
    assert entries("readings_read") == [("000002", {})]


def test_a_reading_told_by_telephone_is_the_customers(desk, operator, supply, sign_in, app):
    account = make_account(supply.customer)
    make_window()
    answer = desk.post(NEW, data={"counter": "12.345"})
    assert (answer.status_code, answer.location) == (303, f"{HERE}?fornitura=PR000001")
    assert "Comunicata per telefono, inserita da Anna Verdi." in desk.get(answer.location).text
    reading = SelfReading.get()
    assert (reading.counter, reading.day, reading.state) == (12_345, today(), "pending")
    assert (reading.operator, reading.taken_for, reading.account) == (
        operator, supply.customer, account,
    )  # fmt: skip
    assert entries("reading_entered") == [("000002", {"reading": reading.id, "supply": "PR000001"})]
    browser = sign_in(account)
    page = text_of(browser.get("/forniture/PR000001/autolettura").text)
    assert "Comunicata per telefono al servizio clienti." in page
    page = text_of(browser.get("/forniture/PR000001/storico").text)
    assert "il contatore segnava 12345. Dal servizio clienti." in page
    assert acquisition.acquire(app.config["DATA_DIR"] / "outbox", now=utcnow()).rows == 1
    content = (app.config["DATA_DIR"] / "outbox" / "autoletture_000001.csv").read_text()
    assert ";PR000001;00880000000001;" in content.splitlines()[1]
    page = text_of(browser.get("/forniture/PR000001/autolettura").text)
    assert "Acquisita" in page
    assert "Comunicata per telefono al servizio clienti." in page


def test_the_next_customer_of_the_supply_does_not_see_it(desk, supply, sign_in):
    make_window()
    desk.post(NEW, data={"counter": "12345"})  # for one who has no login
    assert SelfReading.get().account is None
    first = sign_in(make_account(supply.customer))
    assert "12345" in first.get("/forniture/PR000001/autolettura").text
    newcomer = make_customer()
    supply.customer = newcomer
    supply.active_from = today() + dt.timedelta(days=1)
    supply.save()
    page = sign_in(make_account(newcomer)).get("/forniture/PR000001/autolettura").text
    assert "Elenco Autoletture" in page
    assert "12345" not in page


def test_outside_every_window_it_is_refused_as_for_the_customer(desk, supply):
    make_window(
        dt.datetime(2036, 12, 1, 7, 0, tzinfo=dt.UTC),
        dt.datetime(2036, 12, 5, 23, 0, tzinfo=dt.UTC),
    )
    sentence = "dal 01/12/2036 alle ore 08:00 al 05/12/2036 alle ore 23:59"
    page = desk.get(NEW).text
    assert sentence in page
    assert 'name="counter"' not in page
    answer = desk.post(NEW, data={"counter": "12345"})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert SelfReading.select().count() == 0
    assert entries("reading_entered") == []


def test_an_odd_value_has_to_be_confirmed(desk, supply):
    make_window()
    make_meter_reading(supply, ago(30), 12_345)
    answer = desk.post(NEW, data={"counter": "12340"})
    assert answer.status_code == 422
    assert "inferiore all&#39;ultima" in answer.text
    assert "Confermo la lettura" in answer.text
    assert SelfReading.select().count() == 0
    assert desk.post(NEW, data={"counter": "12339", "confirmed": "12340/None"}).status_code == 422
    assert desk.post(NEW, data={"counter": "12340", "confirmed": "12340/None"}).status_code == 303
    assert SelfReading.get().confirmed


def test_one_for_each_supply_and_day_whoever_enters_it(desk, supply, sign_in):
    make_window()
    customer = sign_in(make_account(supply.customer))
    assert desk.post(NEW, data={"counter": "100"}).status_code == 303
    again = desk.post(NEW, data={"counter": "100"})
    assert again.status_code == 422
    assert "già una lettura" in again.text
    own = customer.post("/forniture/PR000001/autolettura/nuova", data={"counter": "101"})
    assert own.status_code == 422
    assert SelfReading.select().count() == 1
    assert Event.select().where(Event.kind == "reading_entered").count() == 1


@pytest.mark.parametrize("typed", ["", "12,5", "-1", "9" * 20, "abc\x00", "\ud83d"])
def test_what_is_no_reading_is_refused(desk, supply, typed):
    make_window()
    answer = desk.post(NEW, data={"counter": typed.encode("utf-8", "replace")})
    assert answer.status_code == 422
    assert SelfReading.select().count() == 0


def test_without_a_supply_nothing_is_entered(desk, supply):
    make_window()
    make_gas(supply.customer)
    for asked in ("", "?fornitura=", "?fornitura=000002", "?fornitura=%00", "?fornitura=%ff"):
        assert desk.post(f"{HERE}/nuova{asked}", data={"counter": "1"}).status_code == 404
    assert SelfReading.select().count() == 0


# -- Cancelling ----------------------------------------------------------------------------


def test_a_pending_reading_is_cancelled_and_the_customer_sees_by_whom(desk, supply, sign_in):
    account = make_account(supply.customer)
    reading = make_self_reading(supply, ago(0), 50, account=account)
    question = desk.get(f"{HERE}/{reading.id}/cancella", headers=PARTIAL).text
    assert "Confermi la cancellazione della lettura del" in question
    answer = desk.post(f"{HERE}/{reading.id}/cancella")
    assert answer.location == f"{HERE}?fornitura=PR000001"
    assert "cancellata" in desk.get(answer.location).text
    assert SelfReading.get().state == "cancelled"
    assert entries("reading_cancelled") == [
        ("000002", {"reading": reading.id, "supply": "PR000001"})
    ]
    page = text_of(sign_in(account).get("/forniture/PR000001/storico").text)
    assert "in cui il contatore segnava 50. Dal servizio clienti." in page
    desk.post(f"{HERE}/{reading.id}/cancella")
    assert "già stata cancellata" in desk.get(HERE).text
    assert len(entries("reading_cancelled")) == 1


def test_an_acquired_reading_stays(desk, supply):
    reading = make_self_reading(supply, ago(0), 50, state="acquired", batch=handed_over(1))
    assert "non si può più cancellare" in desk.get(f"{HERE}/{reading.id}/cancella").text
    desk.post(f"{HERE}/{reading.id}/cancella")
    assert "appena stata acquisita" in desk.get(HERE).text
    assert SelfReading.get().state == "acquired"
    assert entries("reading_cancelled") == []


@pytest.mark.parametrize("key", ["0", "-1", "x", "9" * 20, "1%00"])
def test_a_reading_that_there_is_not(desk, key):
    assert desk.get(f"{HERE}/{key}/cancella").status_code == 404
    assert desk.post(f"{HERE}/{key}/cancella").status_code == 404
