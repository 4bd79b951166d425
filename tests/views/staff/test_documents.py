"""«Documenti e avvisi» at the desk: what operators find, publish and take away."""

import datetime as dt
import io
import json
import re

import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from domain.clock import rome_day, utcnow
from models import Document, DocumentDraft, Event, RegisterEntry, StoredFile
from tests.domain.formats.test_uploads import PDF, jpeg, png
from tests.factories import (
    make_account,
    make_customer,
    make_document,
    make_draft,
    make_electricity,
    make_file,
    make_gas,
    make_operator,
)
from tests.pages import PARTIAL, text_of

HOME = "/staff/documenti"
NEW = f"{HOME}/nuovo"
TODAY = rome_day(utcnow())
MB = 1024 * 1024
FILLED = {"audience": "tutti", "category": "notices", "date": TODAY.isoformat()}


@pytest.fixture
def desk(app, sign_in_operator):
    """The browser of an operator."""
    return sign_in_operator(make_operator(username="giulia"))


@pytest.fixture
def customer(app):
    customer = make_customer("000002")
    make_gas(customer, code="PR000001", city="FORLI'")
    return customer


@pytest.fixture
def browser(sign_in, customer):
    """A customer's."""
    return sign_in(make_account(customer))


def days(number):
    return TODAY + dt.timedelta(days=number)


def send(desk, *files, path=NEW, **typed):
    given = [FileStorage(io.BytesIO(content), name) for name, content in files]
    boundary, body = encode_multipart({**FILLED, **typed, "files": given})
    return desk.post(path, data=body, content_type=f"multipart/form-data; boundary={boundary}")


def publish(desk, *files, **typed):
    """All the way; the page of what was published."""
    draft = send(desk, *files, **typed)
    assert draft.status_code == 303, text_of(draft.text)
    return desk.post(f"{draft.location}/pubblica")


def listed(page):
    rows = re.findall(r'<th scope="row"[^>]*>(.*?)(?:</a>.*?)?</th>', page, re.S)
    return [re.sub(r"<[^>]*>", "", row).strip() for row in rows]


def on_disk(app):
    root = app.config["DATA_DIR"] / "documents"
    return [path for path in root.rglob("*") if path.is_file()]


def noted():
    """(kind, customer) of the register since the sign-in."""
    rows = RegisterEntry.select().order_by(RegisterEntry.number)
    return [(row.kind, row.customer_code) for row in rows if row.kind != "signed_in"]


# -- The list ------------------------------------------------------------------------------


@pytest.fixture
def shelf(customer):
    """A document in each state, for each audience."""
    make_document("Luce", service="EE", date=days(-5))
    make_document("Domani", "forms", visible_from=days(1), date=days(-4))
    make_document("Passato", "rules", visible_to=days(-1), date=days(-3))
    make_document("Ritirato", "info", withdrawn_at=utcnow(), date=days(-2))
    make_document("Lettera", customer=customer, date=days(-1))
    make_document("Perché no", city="Forlì", town="forli", text="un'altra <b>cosa</b>")


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("", ["Perché no", "Lettera", "Ritirato", "Passato", "Domani", "Luce"]),
        ("?ordine=titolo", ["Domani", "Lettera", "Luce", "Passato", "Perché no", "Ritirato"]),
        ("?ordine=-dal", ["Domani", "Perché no", "Lettera", "Ritirato", "Passato", "Luce"]),
        ("?stato=pubblicati", ["Perché no", "Lettera", "Luce"]),
        ("?stato=futuri", ["Domani"]),
        ("?stato=scaduti", ["Passato"]),
        ("?stato=ritirati", ["Ritirato"]),
        ("?categoria=personal", ["Lettera"]),
        ("?cliente=000002", ["Lettera"]),
        ("?cliente=000002&cerca=luce", []),
        ("?cerca=PERCHE+cosa", ["Perché no"]),
        ("?righe=10&pag=99", ["Perché no", "Lettera", "Ritirato", "Passato", "Domani", "Luce"]),
    ],
)
def test_the_list_is_narrowed_and_sorted(desk, shelf, query, titles):
    answer = desk.get(HOME + query, follow_redirects=True)
    assert listed(answer.text) == titles
    assert ("Nessun documento corrisponde" in answer.text) == (not titles)


def test_a_row_tells_for_whom_until_when_and_its_state(desk, shelf):
    page = text_of(desk.get(HOME).text.replace("&nbsp;", " "))
    for words in (
        "Luce Comunicati energia elettrica sempre Pubblicato",
        f"Domani Modulistica tutti dal {days(1):%d/%m/%Y} Programmato",
        f"Passato Normative tutti al {days(-1):%d/%m/%Y} Scaduto",
        "Ritirato Informazioni tutti sempre Ritirato",
        "Lettera I miei documenti cliente 000002 sempre Pubblicato",
        "Perché no Comunicati comune di Forlì sempre Pubblicato",
    ):
        assert words in page


def test_an_empty_list_says_what_it_is_for(desk):
    page = desk.get(HOME).text
    assert "Non ci sono ancora documenti né avvisi." in page
    assert 'name="cerca"' not in page


def test_the_partial_is_a_piece(desk, shelf):
    answer = desk.get(HOME, headers=PARTIAL)
    assert answer.text.lstrip().startswith('<div id="documents">')


@pytest.mark.parametrize(
    "query",
    ["stato=x&categoria=y&cliente=%00&cerca=%00", "cliente=" + "9" * 2000, "pag=-1&righe=0",
     "cerca=%FF&cliente=%FF", "cerca=" + "%20a" * 200, "stato=scaduti&stato=futuri"],
)  # fmt: skip
def test_row_19_hostile_filters_are_answered(desk, shelf, query):
    assert desk.get(f"{HOME}?{query}").status_code == 200


def test_a_list_costs_as_many_queries_however_long(desk, customer, count_queries):
    counts = []
    for more in (1, 60):
        for _ in range(more):
            make_document(customer=customer, text="x")
        with count_queries() as queries:
            assert len(listed(desk.get(f"{HOME}?righe=100&cerca=x").text)) >= more
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 4


# -- Publishing ----------------------------------------------------------------------------


def test_a_notice_is_seen_as_it_will_be_and_then_by_the_customer(desk, browser):
    text = "# Novità\nSi **cambia** dal 1° dicembre:\n- luce\n- gas\n\nhttps://www.arera.it"
    draft = send(desk, title="Nuovi  orari ", text=text)
    preview = desk.get(draft.location).text
    assert "Nessun cliente vede ancora niente" in preview
    shown = (
        "<h2>Novità</h2>\n<p>Si <strong>cambia</strong> dal 1° dicembre:</p>\n"
        "<ul><li>luce</li><li>gas</li></ul>\n"
    )
    assert shown in preview
    assert browser.get("/forniture/PR000001/comunicati").text.count("Nuovi orari") == 0
    published = desk.post(f"{draft.location}/pubblica")
    row = Document.get()
    assert (published.status_code, published.location) == (303, f"{HOME}/{row.id}")
    assert "Documento pubblicato." in desk.get(published.location).text
    page = browser.get("/forniture/PR000001/comunicati").text
    assert "Novità Si cambia dal 1° dicembre: luce gas https://www.arera.it" in text_of(page)
    assert listed(browser.get("/forniture/PR000001/comunicati?cerca=CAMBIA").text)
    opened = browser.get(f"/forniture/PR000001/comunicati/{row.id}").text
    assert shown in opened
    assert 'href="https://www.arera.it" rel="noopener noreferrer external"' in opened
    assert noted() == [("document_published", None)]
    assert json.loads(RegisterEntry.get(kind="document_published").details) == {
        "documents": str(row.id)
    }


def test_many_files_have_titles_of_their_names_that_can_be_changed(app, desk, browser):
    draft = send(desk, ("listino_luce.pdf", PDF), ("b.PDF", PDF + b"2"), category="forms")
    here = draft.location
    page = desk.get(here).text
    assert 'value="listino luce"' in page
    assert 'value="b"' in page
    assert desk.get(f"{here}/pdf/1").data == PDF + b"2"
    assert desk.get(f"{here}/pdf/2").status_code == 404
    answer = desk.post(here, data={"title": ["Listino luce", "Listino gas"]})
    assert answer.location == here
    assert 'value="Listino gas"' in desk.get(here).text
    for titles in (["Uno"], ["Uno", ""], ["Uno", "Uno"], ["Uno", "x" * 201], ["Uno", "\x00"]):
        answer = desk.post(f"{here}/pubblica", data={"title": titles})
        assert answer.status_code == 422
    assert not Document.select().exists()
    answer = desk.post(f"{here}/pubblica", data={"title": ["Listino luce", "Gas"]})
    assert "Pubblicati 2 documenti." in desk.get(answer.location).text
    page = browser.get("/forniture/PR000001/modulistica").text
    assert sorted(listed(page)) == ["Gas", "Listino luce"]
    gas = Document.get(Document.title == "Gas")
    answer = browser.get(f"/forniture/PR000001/modulistica/{gas.id}/pdf")
    assert (answer.data, answer.mimetype) == (PDF + b"2", "application/pdf")
    assert {path.parent.name for path in on_disk(app)} == {"avvisi"}


def test_only_who_is_meant_finds_it(desk, browser, customer, sign_in):
    other = make_customer()
    make_electricity(other, code="PR000009", city="RAVENNA")
    stranger = sign_in(make_account(other))
    publish(desk, title="Gas", text="x", audience="gas")
    publish(desk, title="Luce", text="x", audience="luce")
    publish(desk, title="Forlì", text="x", audience="comune", city="forlì")
    publish(desk, ("lettera.pdf", PDF), audience="cliente", customer="000002")
    page = re.sub("<span.*?</span>", "", browser.get("/forniture/PR000001/comunicati").text)
    assert set(listed(page)) == {"Gas", "Forlì"}
    for row in Document.select():
        for page in ("comunicati", "documenti"):
            there = stranger.get(f"/forniture/PR000009/{page}/{row.id}").status_code
            assert (there == 200) == (row.title == "Luce" and page == "comunicati")
    letter = Document.get(Document.title == "lettera")
    assert (letter.category, letter.customer) == ("personal", customer)
    assert browser.get(f"/forniture/PR000001/documenti/{letter.id}/pdf").data == PDF
    assert Event.get().kind == "document_published"
    assert "Pubblicato il documento «lettera»." in browser.get("/forniture/PR000001/storico").text
    assert noted()[-1] == ("document_published", "000002")


def test_twice_published_it_is_there_once(desk):
    draft = send(desk, title="Uno", text="x")
    assert desk.post(f"{draft.location}/pubblica").status_code == 303
    assert desk.post(f"{draft.location}/pubblica").status_code == 404
    assert Document.select().count() == 1


def test_a_draft_is_taken_up_again_changed_or_dropped(app, desk):
    draft = send(desk, ("a.pdf", PDF), title="Uno", audience="tutti", until=days(9).isoformat())
    assert "Bozze da pubblicare" in desk.get(HOME).text
    form = desk.get(f"{draft.location}/modifica").text
    assert 'value="Uno"' in form
    assert f'value="{days(9)}"' in form
    assert "File già caricati: a.pdf" in text_of(form)
    answer = send(desk, path=f"{draft.location}/modifica", title="Due", text="Testo")
    assert answer.location == draft.location
    assert "Due" in desk.get(answer.location).text
    assert desk.get(f"{draft.location}/pdf/0").data == PDF
    dropped = desk.post(f"{draft.location}/annulla")
    assert dropped.location == HOME
    assert not DocumentDraft.select().exists()
    assert desk.get(draft.location).status_code == 404


def test_colleagues_see_a_draft_and_after_a_day_it_is_gone(app, desk):
    draft = make_draft(app, "Uno")
    assert desk.get(f"{HOME}/bozze/{draft.id}").status_code == 200
    DocumentDraft.update(made_at=utcnow() - dt.timedelta(days=1)).execute()
    assert desk.get(f"{HOME}/bozze/{draft.id}").status_code == 404
    assert desk.post(f"{HOME}/bozze/{draft.id}/pubblica").status_code == 404
    assert "Bozze da pubblicare" not in desk.get(HOME).text


# -- What is not taken ---------------------------------------------------------------------


def padded(size):
    return PDF[:9] + b"\n" * (size - len(PDF)) + PDF[9:]


HOSTILE = {
    "HTML as PDF": ([("a.pdf", b"<html><script>alert(1)</script>")], "non è un PDF"),
    "PNG": ([("a.png", png())], "non è un PDF"),
    "JPEG as PDF": ([("a.pdf", jpeg())], "non è un PDF"),
    "zero bytes": ([("a.pdf", b"")], "non è un PDF"),
    "a PDF cut short": ([("a.pdf", b"%PDF-1.4\n")], "non è un PDF"),
    "a path": ([("../../x.pdf", PDF)], "non è valido"),
    "300 characters": ([("x" * 296 + ".pdf", PDF)], "più lungo di 200 caratteri"),
    "more than 5 MB": ([("a.pdf", padded(5 * MB + 1))], "supera 5 MB"),
    "too many": ([(f"{n}.pdf", PDF) for n in range(21)], "al massimo 20 file"),
    "one bad of three": ([("a.pdf", PDF), ("b.pdf", b"MZ"), ("c.pdf", PDF)], "non è un PDF"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_row_17_what_is_not_taken_leaves_no_file(app, desk, case):
    files, sentence = HOSTILE[case]
    answer = send(desk, *files, title="Da tenere", text="Testo <b>mio</b>")
    assert answer.status_code == 422
    assert sentence in answer.text
    assert "Da tenere" in answer.text
    assert "Testo &lt;b&gt;mio&lt;/b&gt;" in answer.text
    assert "I file vanno scelti di nuovo." in answer.text
    assert on_disk(app) == []
    assert not DocumentDraft.select().exists()


def test_row_17_three_files_of_five_megabytes_are_taken_and_no_address_reaches_them(app, desk):
    draft = send(desk, *((f"{n}.pdf", padded(5 * MB)) for n in range(3)))
    assert draft.status_code == 303
    (path, *_rest) = [str(each.relative_to(app.config["DATA_DIR"])) for each in on_disk(app)]
    for address in (f"/static/../{path}", f"/{path}", f"/static/{path}"):
        assert app.test_client().get(address).status_code == 404
    assert app.test_client().get(f"{draft.location}/pdf/0").location == "/staff/login"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_row_17_more_than_sixteen_megabytes_are_told(app, desk):
    answer = send(desk, *((f"{n}.pdf", padded(5 * MB)) for n in range(4)))
    assert answer.status_code == 413
    assert on_disk(app) == []


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"title": "Uno"}, "Scegliere almeno un file o scrivere un testo."),
        ({"text": "x"}, "Scrivere il titolo."),
        ({"title": "x" * 201, "text": "x"}, "Il titolo è troppo lungo"),
        ({"title": "a\x00b", "text": "x"}, "caratteri che non si possono usare"),
        ({"title": "Uno", "text": "x" * 20_001}, "Il testo è troppo lungo"),
        ({"title": "Uno", "text": "x", "audience": "x"}, "Scegliere a chi è destinato."),
        ({"title": "Uno", "text": "x", "category": "personal"}, "Scegliere la categoria."),
        ({"title": "Uno", "text": "x", "date": ""}, "Scrivere la data."),
        ({"title": "Uno", "text": "x", "date": "99999999999999999999"}, "Non è una data"),
        ({"title": "Uno", "text": "x", "since": days(2), "until": days(1)}, "prima di iniziare"),
        ({"title": "Uno", "text": "x", "audience": "comune", "city": "\U0001f41d"}, "comune"),
        ({"title": "Uno", "text": "x", "audience": "cliente", "customer": "9" * 30}, "Nessun cli"),
        ({"title": "Uno", "text": "x", "city": "Forlì"}, "scegliere a chi è destinato"),
    ],
)
def test_bad_input_is_told_and_publishes_nothing(desk, customer, typed, sentence):
    answer = send(desk, **typed)
    assert answer.status_code == 422
    assert sentence in text_of(answer.text)
    assert not DocumentDraft.select().exists()


@pytest.mark.parametrize("key", ["0", "-1", "9" * 20, "x", "%00", "%D9%A1", "nuovo%00"])
@pytest.mark.parametrize("path", ["{}", "{}/modifica", "{}/pdf", "bozze/{}", "bozze/{}/pdf/0"])
def test_row_19_hostile_keys_find_nothing(desk, key, path):
    assert desk.get(f"{HOME}/{path.format(key)}").status_code == 404


# -- Afterwards ----------------------------------------------------------------------------


def test_a_document_is_changed_only_once_it_is_published(app, desk, browser):
    row = make_document("Uno", text="Prima", file=make_file(app, "a.pdf"))
    form = desk.get(f"{HOME}/{row.id}/modifica").text
    assert 'value="Uno"' in form
    assert "Prima</textarea>" in form
    draft = send(desk, ("b.pdf", PDF + b"b"), path=f"{HOME}/{row.id}/modifica", title="Due",
                 text="Dopo")  # fmt: skip
    there = f"/forniture/PR000001/comunicati/{row.id}"
    assert "Prima" in browser.get(there).text
    desk.post(f"{draft.location}/pubblica")
    assert "Dopo" in browser.get(there).text
    assert browser.get(f"{there}/pdf").data == PDF + b"b"
    assert noted() == [("document_changed", None)]
    answer = send(desk, ("a.pdf", PDF), ("b.pdf", PDF), path=f"{HOME}/{row.id}/modifica", title="x")
    assert answer.status_code == 422
    assert "scegliere un file" in answer.text


def test_withdrawn_it_is_gone_for_customers_and_can_be_published_again(desk, browser, customer):
    row = make_document("Lettera", customer=customer, text="Testo")
    there = f"/forniture/PR000001/documenti/{row.id}"
    for _twice in range(2):
        assert desk.post(f"{HOME}/{row.id}/ritira").location == f"{HOME}/{row.id}"
    assert browser.get(there).status_code == 404
    page = desk.get(f"{HOME}/{row.id}").text
    assert "Ritirato" in page
    assert "Modifica e pubblica di nuovo" in page
    assert "/ritira" not in page
    assert [event.kind for event in Event.select()] == ["document_withdrawn"]
    draft = send(desk, path=f"{HOME}/{row.id}/modifica", title="Lettera", text="Testo",
                 audience="cliente", customer="000002")  # fmt: skip
    desk.post(f"{draft.location}/pubblica")
    assert browser.get(there).status_code == 200
    assert ("document_read", "000002") in noted()


def test_deleted_it_is_gone_with_its_file(app, desk, browser):
    publish(desk, ("a.pdf", PDF))
    row = Document.get()
    assert desk.post(f"{HOME}/{row.id}/elimina").location == HOME
    assert desk.post(f"{HOME}/{row.id}/elimina").status_code == 404
    assert not Document.select().exists()
    assert not StoredFile.select().exists()
    assert noted() == [("document_published", None), ("document_deleted", None)]


def test_reading_a_customers_own_document_is_in_the_register(app, desk, customer):
    own = make_document(customer=customer, file=make_file(app, "a.pdf"))
    general = make_document(file=make_file(app, "b.pdf"))
    for row in (own, general):
        assert desk.get(f"{HOME}/{row.id}").status_code == 200
        assert desk.get(f"{HOME}/{row.id}/pdf").mimetype == "application/pdf"
    assert noted() == [("document_read", "000002")] * 2


def test_a_file_that_is_not_on_the_disk_is_told(app, desk):
    row = make_document(file=make_file(app, "a.pdf"))
    (app.config["DATA_DIR"] / "documents" / "a.pdf").unlink()
    assert "non è sul disco" in desk.get(f"{HOME}/{row.id}/pdf").text


def test_how_many_would_find_it(desk, customer, browser):
    make_account(make_customer())
    for audience, reached in (("tutti", 2), ("gas", 1), ("luce", 0)):
        draft = send(desk, title="Uno", text="x", audience=audience)
        page = text_of(desk.get(draft.location).text)
        assert f"Accessi al portale raggiunti {reached} " in page
