import datetime as dt
import html
import json
import re

import pytest

from domain.clock import ROME, rome_day, utcnow
from models import ReadingWindow, RegisterEntry
from tests.factories import (
    make_account,
    make_customer,
    make_gas,
    make_operator,
    make_self_reading,
    make_window,
)
from tests.pages import PARTIAL, text_of

HERE = "/staff/periodi"
NEW = f"{HERE}/nuovo"
WHOLE = {"dalle_ore": "00:00", "alle_ore": "23:59", "per_chi": "tutte", "fornitura": ""}


@pytest.fixture
def desk(sign_in_operator):
    return sign_in_operator(make_operator())


def today():
    return rome_day(utcnow())


def in_days(number):
    return (today() + dt.timedelta(days=number)).isoformat()


def single(first, last, **values):
    return {"come": "uno", "dal": first, "al": last, **WHOLE, **values}


def month(number):
    """The month that comes `number` months after this one, as the form names it."""
    year, place = divmod(today().year * 12 + today().month - 1 + number, 12)
    return f"{year}-{place + 1:02d}"


def every_month(first, last, **values):
    return {"come": "ultimi", "giorni": "5", "dal_mese": month(first), "al_mese": month(last),
            **WHOLE, **values}  # fmt: skip


def confirmation(page):
    """What the button of a preview posts."""
    form = page.text.split('<form method="post" action="/staff/periodi/nuovo">')[1]
    fields = re.findall(r'name="([^"]+)" value="([^"]*)"', form.split("</form>")[0])
    return {name: html.unescape(value) for name, value in fields}


def entries(kind):
    found = RegisterEntry.select().where(RegisterEntry.kind == kind).order_by(RegisterEntry.number)
    return [json.loads(each.details) for each in found]


# -- The list ------------------------------------------------------------------------------


def test_the_list_tells_open_next_and_past_windows_and_for_whom(desk):
    supply = make_gas(code="PR000001", distributor="ITALGAS", distributor_vat="00488410010")
    now = utcnow()
    make_window(now - dt.timedelta(days=9), now - dt.timedelta(days=5))
    make_window()
    make_window(now + dt.timedelta(days=9), now + dt.timedelta(days=12), supply=supply)
    make_window(now + dt.timedelta(days=19), now + dt.timedelta(days=22),
                distributor_vat="00488410010")  # fmt: skip
    make_self_reading(supply, today(), 5)
    rows = [text_of(row) for row in desk.get(HERE).text.split("<tbody>")[1].split("</tr>")][:3]
    assert "tutte le forniture di gas Aperto 1 Cambia" in rows[0]
    assert "fornitura PR000001 Prossimo 0 Cambia" in rows[1]
    assert "distributore ITALGAS 00488410010 Prossimo" in rows[2]
    past = desk.get(f"{HERE}?quali=passati", headers=PARTIAL).text
    assert past.lstrip().startswith('<div id="windows"')
    assert past.count("Passato") == 1
    assert "Aperto" not in past.split("<tbody>")[1]


def test_an_empty_list_says_what_that_means(desk):
    assert "i clienti non possono inserire autoletture" in desk.get(HERE).text
    assert "Nessun periodo è ancora finito" in desk.get(f"{HERE}?quali=passati").text


def test_the_list_is_paged_and_its_queries_do_not_grow(desk, count_queries):
    make_window(distributor_vat="1")
    desk.get(HERE)
    with count_queries() as few:
        desk.get(HERE)
    for days in range(24):
        make_window(closes_at=utcnow() + dt.timedelta(days=2 + days), supply=make_gas())
    with count_queries() as many:
        desk.get(HERE)
    assert len(many) == len(few)
    assert "pag. 2 di 2" in desk.get(f"{HERE}?pag=2").text
    assert "pag. 2 di 2" in desk.get(f"{HERE}?pag=99").text


# -- New ones ------------------------------------------------------------------------------


def test_one_window_is_previewed_then_made(desk):
    page = desk.get(NEW, query_string=single(in_days(3), in_days(5)))
    assert page.status_code == 200
    assert ReadingWindow.select().count() == 0
    answer = desk.post(NEW, data=confirmation(page))
    assert (answer.status_code, answer.location) == (303, HERE)
    assert "Periodi stabiliti: 1." in desk.get(HERE).text
    made = ReadingWindow.get()
    assert made.opens_at.astimezone(ROME).isoformat()[:16] == f"{in_days(3)}T00:00"
    assert made.closes_at.astimezone(ROME).isoformat()[:16] == f"{in_days(6)}T00:00"
    assert (made.supply, made.distributor_vat) == (None, None)
    assert entries("windows_created") == [{"windows": [f"{in_days(3)} 00:00 {in_days(5)} 23:59 -"]}]


def test_a_rule_is_previewed_with_all_its_dates_and_overlaps(desk):
    supply = make_gas(code="PR000001")
    year, number = map(int, month(1).split("-"))
    start = dt.datetime(year, number, 1, tzinfo=dt.UTC)
    make_window(start, start + dt.timedelta(days=31), supply=supply)
    page = desk.get(NEW, query_string=every_month(1, 3))
    rows = text_of(page.text.split("<tbody>")[1].split("</tbody>")[0])
    assert rows.count("Nuovo") == 3
    assert rows.count("Si sovrappone al periodo dal") == 1
    assert "(fornitura PR000001)" in rows
    assert "Conferma: 3 periodi" in page.text
    assert desk.post(NEW, data=confirmation(page)).status_code == 303
    assert ReadingWindow.select().count() == 4
    again = desk.get(NEW, query_string=every_month(1, 4))
    assert text_of(again.text).count("C&#39;è già") == 3
    assert "Conferma: 1 periodo" in again.text


def test_from_one_day_to_another_of_each_month_for_one_supply(desk):
    supply = make_gas(code="PR000001", pdr="00880000000001")
    asked = {**every_month(1, 2), "come": "giorni", "dal_giorno": "20", "al_giorno": "25",
             "per_chi": "fornitura", "fornitura": "00880 000000001"}  # fmt: skip
    page = desk.get(NEW, query_string=asked)
    assert "Per chi: fornitura PR000001." in text_of(page.text)
    desk.post(NEW, data=confirmation(page))
    found = list(ReadingWindow.select().order_by(ReadingWindow.opens_at))
    assert [each.opens_at.astimezone(ROME).day for each in found] == [20, 20]
    assert {each.supply for each in found} == {supply}


def test_for_one_distributor(desk):
    make_gas(distributor="ITALGAS", distributor_vat="00488410010")
    assert "distributore ITALGAS 00488410010" in desk.get(NEW).text
    asked = single(in_days(3), in_days(5), per_chi="00488410010")
    desk.post(NEW, data=confirmation(desk.get(NEW, query_string=asked)))
    assert ReadingWindow.get().distributor_vat == "00488410010"
    answer = desk.get(NEW, query_string=single(in_days(3), in_days(5), per_chi="123"))
    assert answer.status_code == 422
    assert "Scegliere una delle voci." in answer.text


def test_confirmed_twice_it_is_made_once(desk):
    confirmed = confirmation(desk.get(NEW, query_string=every_month(1, 3)))
    desk.post(NEW, data=confirmed)
    answer = desk.post(NEW, data=confirmed)
    assert answer.status_code == 303
    assert "ci sono già" in desk.get(HERE).text
    assert ReadingWindow.select().count() == 3
    assert len(entries("windows_created")) == 1


def test_what_was_not_previewed_is_shown_first(desk):
    confirmed = confirmation(desk.get(NEW, query_string=every_month(1, 3)))
    for changed in ({"giorni": "6"}, {"sigillo": "x"}, {"sigillo": ""}):
        answer = desk.post(NEW, data=confirmed | changed)
        assert answer.status_code == 422
        assert "Nel frattempo qualcosa è cambiato" in answer.text
        assert "Conferma: 3 periodi" in answer.text
    assert ReadingWindow.select().count() == 0
    assert desk.post(NEW, data=confirmation(answer)).status_code == 303
    assert ReadingWindow.select().count() == 3


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"dal": ""}, "Scegliere il giorno."),
        ({"dal": "boh"}, "Non è una data"),
        ({"dal": "9" * 20}, "Non è una data"),
        ({"dal": "2026-12-01\x00"}, "Non è una data"),
        ({"dalle_ore": "25:00"}, "Scrivere l&#39;ora da 00:00 a 23:59."),
        ({"alle_ore": ""}, "Scrivere l&#39;ora da 00:00 a 23:59."),
        ({"per_chi": "fornitura"}, "Scrivere il codice della fornitura o il PDR."),
        ({"per_chi": "fornitura", "fornitura": "PR9"}, "Nessuna fornitura di gas"),
        ({"per_chi": "fornitura", "fornitura": "\x00"}, "caratteri che non si possono usare"),
        ({"per_chi": "9" * 20}, "Scegliere una delle voci."),
        ({"dal": "2027-01-10", "al": "2027-01-09"}, "finisce prima di iniziare"),
        ({"come": "ultimi", "giorni": "29"}, "Scegliere una delle voci."),
        ({"come": "ultimi", "giorni": "-1"}, "Scegliere una delle voci."),
        ({"come": "ultimi", "dal_mese": "2026-13"}, "Scegliere una delle voci."),
        ({"come": "giorni", "dal_giorno": "9" * 20}, "Scegliere una delle voci."),
    ],
)
def test_what_cannot_be_is_refused_by_the_preview_and_by_the_confirmation(desk, values, words):
    asked = {**every_month(1, 3), **single("2027-01-09", "2027-01-10"), **values}
    for answer in (desk.get(NEW, query_string=asked), desk.post(NEW, data=asked)):
        assert answer.status_code == 422
        assert words in answer.text
    assert ReadingWindow.select().count() == 0


def test_until_24_means_the_last_minute(desk):
    asked = single(in_days(3), in_days(5), alle_ore="24:00")
    desk.post(NEW, data=confirmation(desk.get(NEW, query_string=asked)))
    assert f"{in_days(5)} 23:59" in ReadingWindow.get().key


# -- Changes -------------------------------------------------------------------------------


def test_a_window_is_changed_in_a_form_that_knows_it(desk):
    row = make_window(
        dt.datetime(2036, 12, 1, 7, 0, tzinfo=dt.UTC),
        dt.datetime(2036, 12, 5, 23, 0, tzinfo=dt.UTC),
    )
    page = desk.get(f"{HERE}/{row.id}/cambia").text
    for value in ("2036-12-01", "08:00", "2036-12-05", "23:59"):
        assert f'value="{value}"' in page
    answer = desk.post(f"{HERE}/{row.id}/cambia", data=single("2036-12-02", "2036-12-04"))
    assert (answer.status_code, answer.location) == (303, HERE)
    kept = ReadingWindow.get()
    assert kept.key == "2036-12-02 00:00 2036-12-04 23:59 -"
    assert kept.opens_at == dt.datetime(2036, 12, 1, 23, 0, tzinfo=dt.UTC)
    assert entries("window_changed") == [
        {"before": "2036-12-01 08:00 2036-12-05 23:59 -", "after": kept.key}
    ]
    assert desk.post(f"{HERE}/{row.id}/cambia", data=single("2036-12-02", "x")).status_code == 422


def test_a_change_that_customers_notice_has_to_be_confirmed(desk):
    row = make_window()
    asked = single("2036-12-02", "2036-12-04")
    answer = desk.post(f"{HERE}/{row.id}/cambia", data=asked)
    assert answer.status_code == 422
    assert "È aperto adesso, e non lo sarà più." in answer.text
    assert ReadingWindow.get().opens_at == row.opens_at
    confirmed = re.search(r'name="confermo" value="([^"]+)"', answer.text)[1]
    other = single("2036-12-02", "2036-12-05", confermo=confirmed)
    assert desk.post(f"{HERE}/{row.id}/cambia", data=other).status_code == 422
    again = desk.post(f"{HERE}/{row.id}/cambia", data=asked | {"confermo": confirmed})
    assert again.status_code == 303
    assert ReadingWindow.get().opens_at != row.opens_at


def test_the_window_of_a_distributor_without_supplies_keeps_it(desk):
    row = make_window(distributor_vat="00488410010")
    page = desk.get(f"{HERE}/{row.id}/cambia").text
    assert '<option selected value="00488410010">' in page


def test_a_window_is_deleted_after_a_question_that_says_what_customers_see(desk, sign_in):
    row = make_window()
    supply = make_gas(make_customer(), code="PR000001")
    make_self_reading(supply, today(), 5)
    question = text_of(desk.get(f"{HERE}/{row.id}/elimina", headers=PARTIAL).text)
    assert "già arrivate in questo periodo restano: 1." in question
    words = "In questo momento non è possibile inserire autoletture e il prossimo periodo non è"
    assert words in question
    assert ReadingWindow.select().count() == 1
    assert desk.post(f"{HERE}/{row.id}/elimina").location == HERE
    assert ReadingWindow.select().count() == 0
    assert len(entries("window_deleted")) == 1
    browser = sign_in(make_account(supply.customer))
    assert words in browser.get("/forniture/PR000001/autolettura").text
    desk.post(f"{HERE}/{row.id}/elimina")
    assert "era già stato eliminato" in desk.get(HERE).text
    assert len(entries("window_deleted")) == 1


@pytest.mark.parametrize("key", ["0", "-1", "x", "9" * 20, "1%00"])
def test_a_window_that_there_is_not(desk, key):
    for path in (f"{HERE}/{key}/cambia", f"{HERE}/{key}/elimina"):
        assert desk.get(path).status_code == 404
    assert desk.post(f"{HERE}/{key}/cambia", data=single("2036-12-02", "x")).status_code == 404
