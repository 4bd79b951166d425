"""The privacy notice and the accessibility statement, which anybody may read."""

import pytest

from domain import public_pages
from models import Session
from tests.conftest import make_app
from tests.factories import make_account, make_operator

PATHS = sorted(f"/{name}" for name in public_pages.TITLES)


def own(settings, tmp_path, name, content):
    folder = tmp_path / "pagine"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.txt").write_bytes(content)
    return make_app({**settings, "OVERRIDES_DIR": str(folder)}).test_client()


def test_they_are_linked_on_every_page(client, sign_in, sign_in_operator):
    pages = (
        client.get("/login"),
        client.get("/staff/login"),
        client.get("/pagina-che-non-esiste"),
        sign_in(make_account()).get("/forniture/-/home"),
        sign_in_operator(make_operator()).get("/staff"),
        *map(client.get, PATHS),
    )
    for page in pages:
        for path in PATHS:
            assert f'<a href="{path}">' in page.text


def test_they_speak_of_the_utility_with_its_own_times(settings):
    given = {"UTILITY_CONTACTS": "telefono 0574 1", "KEEP_ACCESSES_MONTHS": 7}
    client = make_app({**settings, **given}).test_client()
    page = client.get("/informativa-privacy").text
    assert "<h1>Informativa sulla privacy</h1>" in page
    for words in ("Prova Energia", "01234567890", "telefono 0574 1", "7 mesi", "90 giorni"):
        assert words in page
    assert "telefono 0574 1" in client.get("/accessibilita").text
    for path in PATHS:
        assert "{" not in client.get(path).text.partition("<main")[2].partition("</main")[0]


def test_without_contacts_and_with_a_time_for_measures_they_still_make_sense(settings):
    client = make_app({**settings, "UTILITY_VAT": "", "KEEP_MEASURES_YEARS": 1}).test_client()
    page = client.get("/informativa-privacy").text
    assert "quarti d&#39;ora: 1 anno." in page.replace("&#x27;", "&#39;").replace(
        "d'ora", "d&#39;ora"
    )
    assert "recapiti indicati in fattura" in page


def test_a_file_of_the_utility_stands_in_for_ours(settings, tmp_path):
    text = "\ufeff# Chi siamo\n\nScrivere a {utility}, {boh}. [Sito](https://example.it)"
    client = own(settings, tmp_path, "informativa-privacy", text.encode())
    page = client.get("/informativa-privacy").text
    assert "<h2>Chi siamo</h2>" in page
    assert "Scrivere a Prova Energia, {boh}." in page
    assert 'href="https://example.it"' in page
    assert "linee guida" in client.get("/accessibilita").text


def test_what_it_holds_is_cleaned(settings, tmp_path):
    hostile = b"<p onclick=x()>Ciao<script>alert(1)</script><img src=//x.example></p>"
    page = own(settings, tmp_path, "accessibilita", hostile).get("/accessibilita").text
    content = page.partition("<main")[2].partition("</main")[0]
    for part in ("<script", "onclick", "<img", "x.example"):
        assert part not in content
    assert "Ciao" in content


def test_a_file_that_cannot_be_read_is_left_aside(settings, tmp_path):
    client = own(settings, tmp_path, "altro", b"")
    (tmp_path / "pagine" / "accessibilita.txt").mkdir()
    assert "linee guida" in client.get("/accessibilita").text


@pytest.mark.parametrize("path", PATHS)
def test_browsers_may_keep_them_and_they_say_nothing_of_the_visitor(client, sign_in, path):
    browser = sign_in(make_account())
    with browser.session_transaction() as cookie:
        cookie["_flashes"] = [("message", "Lettura registrata.")]
    answer = browser.get(path)
    assert answer.data == client.get(path).data
    assert answer.cache_control.public
    assert answer.cache_control.max_age == 300
    assert "Set-Cookie" not in answer.headers
    again = browser.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    assert "Lettura registrata." in browser.get("/forniture/-/home").text


def test_one_reads_them_before_a_first_password_is_chosen(sign_in):
    browser = sign_in(make_account(), must_change_password=True)
    assert browser.get("/informativa-privacy").status_code == 200
    assert Session.select().count() == 1
