"""The guide in the portal: for everybody, for customers in their frame, for clerks at the desk."""

import re
from itertools import pairwise

import pytest

from domain import branding, guide
from tests.factories import make_account, make_customer, make_gas, make_operator
from tests.pages import text_of

CHAPTERS = [chapter.name for chapter in guide.chapters(guide.CUSTOMERS)]


@pytest.fixture
def browser(sign_in):
    customer = make_customer()
    make_gas(customer, code="PR000001")
    make_gas(customer, code="PR000002")
    return sign_in(make_account(customer))


def content(answer):
    assert answer.status_code == 200
    return answer.text.partition("<main")[2].partition("</main")[0]


def test_everybody_reads_it_chapter_by_chapter(client, count_queries):
    with count_queries() as queries:
        first = client.get("/guida")
        assert re.findall(r'href="/guida/([a-z-]+)"', content(first))[:-1] == CHAPTERS
        pages = [content(client.get(f"/guida/{name}")) for name in CHAPTERS]
    assert queries == []
    assert first.cache_control.public
    for page in pages:
        assert not re.search(r"\{[a-z_]+[:}]", page)
        levels = [int(each) for each in re.findall(r"<h(\d)", page)]
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))
        for path in re.findall(r'(?:src|href)="(/guida/[^"]+)"', page):
            assert client.get(path).status_code == 200, path


def test_a_picture_is_kept_for_a_day_and_runs_nothing(client):
    answer = client.get("/guida/figure/fattura.svg")
    assert answer.mimetype == "image/svg+xml"
    assert answer.cache_control.max_age == 24 * 3600
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert client.get("/guida/figure/../style.css").status_code == 404
    assert client.get("/guida/figure/niente.webp").status_code == 404


def test_what_is_no_chapter_is_not_found(client, browser, sign_in_operator):
    assert client.get("/guida/niente").status_code == 404
    assert browser.get("/forniture/PR000001/guida/niente").status_code == 404
    assert sign_in_operator(make_operator()).get("/staff/guida/fatture").status_code == 404


def test_a_customer_finds_it_under_informazioni_and_stays_in_the_frame(browser, count_queries):
    assert (
        'href="/forniture/PR000001/guida"' in browser.get("/forniture/PR000001/informazioni").text
    )
    assert "Il primo accesso" in content(browser.get("/forniture/PR000001/guida"))
    with count_queries() as of_the_frame:
        browser.get("/forniture/PR000001/password")
    with count_queries() as queries:
        page = browser.get("/forniture/PR000001/guida/fatture").text
    assert "Benvenuto" in page
    assert 'href="/forniture/PR000001/guida/autolettura"' in page
    assert len(queries) <= len(of_the_frame)


def test_another_supply_opens_the_same_chapter(browser):
    answer = browser.get("/forniture/vai?pagina=guida/fatture&fornitura=PR000002")
    assert answer.location == "/forniture/PR000002/guida/fatture"


def test_it_can_be_read_before_a_first_password_is_chosen(sign_in):
    browser = sign_in(make_account(), must_change_password=True)
    assert browser.get("/guida/primo-accesso").status_code == 200


def test_clerks_have_their_own_which_customers_do_not_find(browser, client, sign_in_operator):
    desk = sign_in_operator(make_operator())
    assert 'href="/staff/guida"' in desk.get("/staff").text
    names = re.findall(r'href="/staff/guida/([a-z-]+)"', content(desk.get("/staff/guida")))
    assert names[:-1] == [chapter.name for chapter in guide.chapters(guide.DESK)]
    assert "Sportello operatori" in desk.get(f"/staff/guida/{names[0]}").text
    for path in ("", f"/{names[0]}", "/intera"):
        assert browser.get(f"/staff/guida{path}").status_code == 404
        assert client.get(f"/staff/guida{path}").location == "/staff/login"


def test_all_of_it_on_one_page_names_the_utility(app, client):
    app.config["UTILITY_NAME"] = "Luce & <b>Gas</b>"
    app.config["UTILITY_CONTACTS"] = "telefono 0574 1"
    page = client.get("/guida/intera").text
    chapters = re.findall(r'<article class="guide-page" id="([a-z-]+)">', page)
    assert chapters == CHAPTERS == re.findall(r'<a href="#([a-z-]+)">', page)[: len(CHAPTERS)]
    assert "Il portale di Luce &amp; &lt;b&gt;Gas&lt;/b&gt; è il posto" in page
    assert "<b>Gas" not in page
    assert "telefono 0574 1" in page
    places = re.findall(r' id="([^"]+)"', page)
    assert len(places) == len(set(places))
    assert set(re.findall(r'href="#([\w-]+)"', page)) <= set(places)


def test_who_reads_another_language_is_told_that_it_is_in_italian(client, browser):
    client.set_cookie("lingua", "de")
    for path in ("/guida", "/guida/fatture"):
        page = client.get(path).text
        assert '<html lang="de">' in page
        assert "Die Anleitung ist auf Italienisch verfasst." in page
    booklet = client.get("/guida/intera").text
    assert "<h1>Guida al portale</h1>" in booklet
    assert "Inhalt" not in booklet
    assert "scritta in italiano" not in browser.get("/guida").text


def test_the_utility_adds_words_of_its_own(app, client, sign_in_operator):
    folder = app.config["OVERRIDES_DIR"]
    folder.mkdir(exist_ok=True)
    (folder / "guida.txt").write_text("Lo sportello di {utility} apre alle **nove**.")
    (folder / "guida-sportello.txt").write_text("Le chiavi sono nel cassetto.")
    app.config["BRANDING"] = branding.read(app.config)
    for path in ("/guida", "/guida/intera"):
        page = client.get(path).text
        assert "Lo sportello di Prova Energia apre alle <strong>nove</strong>." in page
        assert "cassetto" not in page
    desk = sign_in_operator(make_operator())
    assert "Le chiavi sono nel cassetto." in text_of(desk.get("/staff/guida").text)
