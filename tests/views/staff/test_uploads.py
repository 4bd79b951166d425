import datetime as dt
import errno
import html
import io
import json
import os
import zipfile

import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from domain import files
from domain.clock import utcnow
from domain.imports import uploads
from jobs import import_inbox
from models import Customer, ImportedFile, Invoice, RegisterEntry, UploadedFile
from tests.factories import (
    make_account,
    make_customer,
    make_import,
    make_operator,
    make_upload,
)
from tests.pages import PARTIAL, text_of

HERE = "/staff/caricamenti"
PDF = b"%PDF-1.4\n%%EOF\n"
HEADER = "codice_cliente;denominazione;partita_iva"
GOOD = f"{HEADER}\n000001;ROSA PROVA;01234560488\n".encode()
WRONG = f"{HEADER}\n000001;ROSA PROVA;01234560488\n;BLU;01234560488\n".encode()
INVOICES = b"numero;data;codice_cliente;importo;documento\n1;01/02/2026;000001;5;f1.pdf\n"
DAY = dt.timedelta(days=1)
UNREAD = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def browser(sign_in_operator):
    return sign_in_operator(make_operator(username="marta"))


@pytest.fixture
def data(app):
    return app.config["DATA_DIR"]


def send(browser, *given):
    stored = [FileStorage(io.BytesIO(content), name) for name, content in given]
    boundary, body = encode_multipart({"files": stored})
    kind = f"multipart/form-data; boundary={boundary}"
    return browser.post(HERE, data=body, content_type=kind)


def sent(browser, name, content):
    """The row of a file that was sent."""
    assert send(browser, (name, content)).status_code == 303
    return UploadedFile.select().order_by(UploadedFile.id.desc()).get()


def page_of(row):
    return f"{HERE}/attesa/{row.id}"


def words(answer):
    return html.unescape(text_of(answer.text))


def on_disk(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def registered():
    query = RegisterEntry.select(RegisterEntry.kind).order_by(RegisterEntry.number)
    return [kind for (kind,) in query.tuples()]


# -- A good file ---------------------------------------------------------------------------


def test_a_file_is_tried_first_and_nothing_is_written(browser, data):
    row = sent(browser, "clienti.csv", GOOD)
    page = words(browser.get(page_of(row)))
    assert "Senza errori" in page
    assert "Righe lette 1 Di queste nuove 1, cambiate 0, uguali 0" in page
    assert Customer.select().count() == ImportedFile.select().count() == 0
    assert on_disk(data / "inbox") == on_disk(data / "documents") == []


def test_carica_puts_it_into_the_inbox_where_the_job_takes_it(app, browser, data):
    row = sent(browser, "clienti.csv", GOOD)
    answer = browser.post(f"{page_of(row)}/carica", follow_redirects=True)
    assert "«clienti.csv» è in inbox" in words(answer)
    assert "Aspettano la prossima importazione (1): clienti.csv" in words(answer)
    assert (data / "inbox" / "clienti.csv").read_bytes() == GOOD
    assert UploadedFile.select().count() == 0
    assert on_disk(data / "uploads") == []
    import_inbox.run(app, now=utcnow())
    assert Customer.get().name == "ROSA PROVA"
    page = words(browser.get(HERE))
    assert "clienti.csv clienti" in page
    assert "Importato 1 nuove 1 cambiate 0 0 1 KB" in page
    assert registered() == ["file_uploaded", "file_loaded"]


def test_carica_twice_says_that_it_is_done(browser):
    row = sent(browser, "clienti.csv", GOOD)
    browser.post(f"{page_of(row)}/carica")
    answer = browser.post(f"{page_of(row)}/carica")
    assert answer.status_code == 404
    assert "non è più in attesa" in answer.text


def test_nothing_in_the_inbox_is_overwritten(browser, data):
    (data / "inbox" / "clienti.csv").write_bytes(b"altro")
    row = sent(browser, "clienti.csv", GOOD)
    answer = browser.post(f"{page_of(row)}/carica", follow_redirects=True)
    assert "aspetta già un altro file" in answer.text
    assert (data / "inbox" / "clienti.csv").read_bytes() == b"altro"
    assert on_disk(data / "uploads") == [f"{row.folder}/clienti.csv"]
    assert registered() == ["file_uploaded"]


def test_carica_that_was_cut_after_the_file_was_placed_can_be_repeated(browser, data):
    row = sent(browser, "clienti.csv", GOOD)
    os.link(data / "uploads" / row.folder / "clienti.csv", data / "inbox" / "clienti.csv")
    assert browser.post(f"{page_of(row)}/carica").location == HERE
    assert on_disk(data / "inbox") == ["clienti.csv"]
    assert UploadedFile.select().count() == 0


def test_a_file_that_vanished_is_told(browser, data):
    row = sent(browser, "clienti.csv", GOOD)
    uploads.forget(data, row.folder)
    answer = browser.post(f"{page_of(row)}/carica", follow_redirects=True)
    assert "Il file non c'è più" in words(answer)
    answer = browser.post(f"{page_of(row)}/prova", follow_redirects=True)
    assert "Il file non c'è più" in words(answer)


def test_the_same_file_twice_waits_once(browser, data):
    row = sent(browser, "clienti.csv", GOOD)
    answer = send(browser, ("clienti.csv", GOOD))
    assert answer.status_code == 422
    assert "c'è già" in words(answer)
    assert on_disk(data / "uploads") == [f"{row.folder}/clienti.csv"]


def test_scarta_removes_it(browser, data):
    row = sent(browser, "clienti.csv", GOOD)
    answer = browser.post(f"{page_of(row)}/scarta", follow_redirects=True)
    assert "«clienti.csv» è stato scartato." in words(answer)
    assert UploadedFile.select().count() == 0
    assert on_disk(data / "uploads") == []
    assert browser.post(f"{page_of(row)}/scarta").status_code == 404
    assert registered() == ["file_uploaded", "file_discarded"]


# -- Errors --------------------------------------------------------------------------------


def test_errors_stand_by_row_on_the_page_and_in_a_file(browser):
    row = sent(browser, "clienti.csv", WRONG)
    page = words(browser.get(page_of(row)))
    assert "Con errori" in page
    assert "3 Errore codice_cliente" in page
    answer = browser.get(f"{page_of(row)}/errori.csv")
    assert answer.headers["Content-Disposition"] == "attachment; filename=clienti.csv.errori.csv"
    first, second, _end = answer.data.decode("utf-8-sig").split("\r\n")
    assert first == "riga;colonna;valore;errore"
    assert second.startswith("3;codice_cliente;;")


def test_errors_page_and_filter(browser, count_queries):
    lines = "".join(f";{n};123\n" for n in range(45))
    row = sent(browser, "clienti.csv", f"{HEADER}\n{lines}".encode())
    with count_queries() as few:
        assert "pag. 1 di" in words(browser.get(f"{page_of(row)}?righe=10"))
    with count_queries() as many:
        browser.get(f"{page_of(row)}?righe=50")
    assert len(few) == len(many)
    part = browser.get(f"{page_of(row)}?pag=2&mostra=errori", headers=PARTIAL)
    assert part.text.lstrip().startswith('<div id="problems">')
    assert "Avviso" not in part.text
    assert browser.get(f"{page_of(row)}?pag=999999&mostra=x").status_code == 200


def test_once_what_it_needs_is_imported_a_file_is_tried_again(browser):
    row = sent(browser, "fatture.csv", b"numero;data;codice_cliente;importo\n1;1/2/2026;000001;5\n")
    assert "Cliente sconosciuto" in browser.get(page_of(row)).text
    make_customer("000001")
    answer = browser.post(f"{page_of(row)}/prova", follow_redirects=True)
    assert "Senza errori" in words(answer)
    assert Invoice.select().count() == 0


def bomb():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", b"\0" * 10_000_000)
    return content.getvalue()


def link():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        info = zipfile.ZipInfo("a.xml")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return content.getvalue()


XXE = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><FatturaElettronica>&b;</a>'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.xml", XXE), ("a.zip", bomb()), ("a.zip", link()), ("a.zip", b"PK\3\4rotto"),
        ("a.xml.p7m", b"\0\1\2"), ("clienti.csv", b""), ("clienti.csv", b"\0" * 5000),
        ("clienti.csv", b"x" * 2_000_000), ("misure.csv", b"\xff\xfe\x00;"),
    ],
)  # fmt: skip
def test_row_20_hostile_files_are_tried_and_change_nothing(browser, data, name, content):
    row = sent(browser, name, content)
    page = browser.get(page_of(row))
    assert "Con errori" in words(page)
    assert "root:" not in page.text
    assert on_disk(data / "inbox") == on_disk(data / "documents") == []


# -- Names ---------------------------------------------------------------------------------

IMPOSSIBLE = {
    "a folder": "../../clienti.csv",
    "an absolute path": "/etc/clienti.csv",
    "a hidden file": ".clienti.csv",
    "being written": "clienti.csv.tmp",
    "in part": "clienti.csv.PART",
    "too long": "clienti" + "x" * 200 + ".csv",
    "not a table": "clienti.xlsx",
    "a program": "clienti.exe",
    "a separator of lines": "clienti\u2028.csv",
}


@pytest.mark.parametrize("name", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_row_20_an_impossible_name_is_told_and_leaves_nothing(browser, data, name):
    answer = send(browser, (name, GOOD))
    assert answer.status_code == 422
    assert "Questi file non sono stati presi" in words(answer)
    assert UploadedFile.select().count() == 0
    assert on_disk(data) in ([], ["portale.db"], ["portale.db", "portale.db-shm", "portale.db-wal"])
    assert registered() == []


def test_a_name_without_kind_is_mended_by_choosing_one(browser, data):
    row = sent(browser, "anagrafica novembre.csv", GOOD)
    assert row.outcome is None
    assert "Che cosa contiene" in browser.get(page_of(row)).text
    answer = browser.post(f"{page_of(row)}/tipo", data={"kind": "clienti"}, follow_redirects=True)
    assert "clienti_anagrafica novembre.csv" in answer.text
    assert "Senza errori" in words(answer)
    assert on_disk(data / "uploads") == [f"{row.folder}/clienti_anagrafica novembre.csv"]


@pytest.mark.parametrize("kind", ["", "clientela", "../clienti", "fattura elettronica", "\0"])
def test_only_a_kind_of_the_list_can_be_chosen(browser, kind):
    row = sent(browser, "anagrafica.csv", GOOD)
    answer = browser.post(f"{page_of(row)}/tipo", data={"kind": kind}, follow_redirects=True)
    assert "Scegliere che cosa contiene il file." in answer.text
    assert UploadedFile.get().name == "anagrafica.csv"


def test_what_has_no_kind_is_not_put_into_the_inbox(browser, data):
    row = sent(browser, "anagrafica.csv", GOOD)
    browser.post(f"{page_of(row)}/carica")
    assert on_disk(data / "inbox") == []


# -- Documents, many, none -----------------------------------------------------------------


def test_documents_come_before_the_rows_that_name_them(app, browser, data):
    make_customer("000001")
    answer = send(browser, ("fatture.csv", INVOICES), ("f1.pdf", PDF))
    row = UploadedFile.get()
    assert answer.location == page_of(row)
    assert "Senza errori" in words(browser.get(page_of(row)))
    assert on_disk(data / "inbox") == ["allegati/f1.pdf"]
    browser.post(f"{page_of(row)}/carica")
    import_inbox.run(app, now=utcnow())
    assert Invoice.get().document.name == "f1.pdf"


def test_a_document_is_never_overwritten(browser, data):
    send(browser, ("f1.pdf", PDF))
    assert send(browser, ("f1.pdf", PDF)).status_code == 303
    answer = send(browser, ("f1.pdf", PDF + b" "))
    assert answer.status_code == 422
    assert "un altro documento di nome «f1.pdf»" in answer.text
    assert (data / "inbox/allegati/f1.pdf").read_bytes() == PDF
    assert on_disk(data / "uploads") == []


def test_a_document_that_is_no_pdf_is_refused(browser, data):
    answer = send(browser, ("f1.pdf", b"<html>"))
    assert "«f1.pdf» non è un PDF" in answer.text
    assert on_disk(data / "inbox") == []


def test_a_good_one_among_bad_ones_is_kept(browser):
    answer = send(browser, ("clienti.csv", GOOD), ("x.exe", b"MZ"))
    assert answer.status_code == 422
    assert "File arrivati: 1." in words(answer)
    assert "«x.exe» non è un file che il portale legge" in words(answer)
    assert UploadedFile.get().outcome == "applied"


@pytest.mark.parametrize("count", [0, 41])
def test_none_or_too_many_files_are_told(browser, count):
    answer = send(browser, *((f"clienti_{n}.csv", GOOD + b"\n" * n) for n in range(count)))
    assert answer.status_code == 422
    assert "Scegliere da 1 a 40 file." in answer.text
    assert UploadedFile.select().count() == 0


# -- Large files ---------------------------------------------------------------------------


def padded(size):
    return GOOD + b"\n" * (size - len(GOOD))


def test_what_a_request_has_no_time_for_is_tried_by_the_job(app, browser, monkeypatch):
    monkeypatch.setattr(uploads, "TRIED_AT_ONCE", 10)
    row = sent(browser, "clienti.csv", GOOD)
    assert row.outcome is None
    assert "lo prova la prossima importazione" in browser.get(page_of(row)).text
    assert "caricamenti provati: 1" in import_inbox.run(app, now=utcnow())
    assert "Senza errori" in words(browser.get(page_of(row)))
    assert Customer.select().count() == 0
    assert "caricamenti provati" not in import_inbox.run(app, now=utcnow())


def test_the_content_of_an_archive_counts_not_its_size(browser, monkeypatch):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", b"<a/>" + b" " * 90_000)
    monkeypatch.setattr(uploads, "TRIED_AT_ONCE", 50_000)
    assert sent(browser, "a.zip", content.getvalue()).outcome is None


@UNREAD
def test_archives_have_a_limit_of_their_own(app, browser):
    app.config["MAX_UPLOAD_LENGTH"] = 100_000
    app.config["UPLOAD_MB"] = 1
    assert sent(browser, "clienti.csv", padded(900_000)).size == 900_000
    assert send(browser, ("clienti_2.csv", padded(2_000_000))).status_code == 413


@UNREAD
def test_row_17_only_who_gave_the_second_factor_may_send_as_much(app, sign_in, sign_in_operator):
    half_way = sign_in_operator(make_operator(), verified=False)
    large = ("clienti.csv", padded(900_000))
    answers = [
        send(each, large).status_code
        for each in (app.test_client(), half_way, sign_in(make_account()))
    ]
    assert not {200, 422} & set(answers)
    assert UploadedFile.select().count() == 0


def test_without_room_on_the_disk_the_desk_says_so(browser, data, monkeypatch):
    def full(*_arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "write_synced", full)
    answer = send(browser, ("clienti.csv", GOOD))
    assert answer.status_code == 422
    assert "controllare lo spazio sul disco" in answer.text
    assert on_disk(data / "uploads") == []


def test_the_job_removes_what_nobody_decided_about(app, browser, data):
    now = utcnow()
    old = make_upload(app, "clienti_1.csv", GOOD, at=now - uploads.KEPT - DAY)
    young = make_upload(app, "clienti_2.csv", GOOD, at=now - uploads.KEPT + DAY)
    for name in ("rimasto", "di-adesso"):
        (data / "uploads" / name).mkdir()
    before = now.timestamp() - uploads.ABANDONED - 60
    for name in ("rimasto", old.folder, young.folder):
        os.utime(data / "uploads" / name, (before, before))
    import_inbox.run(app, now=now)
    assert sorted(path.name for path in (data / "uploads").iterdir()) == sorted(
        ["di-adesso", young.folder]
    )
    assert [row.id for row in UploadedFile.select()] == [young.id]


# -- Held files ----------------------------------------------------------------------------


@pytest.fixture
def held(app, data):
    """The row of a file that would end three customers of forty."""
    for n in range(40):
        make_customer(f"{n:06d}")
    lines = "".join(f"{n:06d};A;01234560488;N\n" for n in range(3))
    (data / "inbox" / "clienti.csv").write_text(f"{HEADER};attivo\n{lines}")
    import_inbox.run(app, now=utcnow())
    return ImportedFile.get()


def test_a_held_file_says_how_many_rows_would_end(browser, held):
    page = words(browser.get(HERE))
    assert "Sospesi" in page
    page = words(browser.get(f"{HERE}/{held.id}"))
    assert "farebbe cessare 3 righe attive su 40" in page
    assert "Conferma" in page


def test_a_confirmed_file_is_taken_by_the_next_import(app, browser, held):
    answer = browser.post(f"{HERE}/{held.id}/conferma", follow_redirects=True)
    assert "«clienti.csv» è confermato" in words(answer)
    assert Customer.select().where(~Customer.active).count() == 0
    import_inbox.run(app, now=utcnow())
    assert Customer.select().where(~Customer.active).count() == 3
    states = [row.state for row in ImportedFile.select().order_by(ImportedFile.id)]
    assert states == ["held", "applied"]
    assert "Sospesi" not in words(browser.get(HERE))
    assert import_inbox.run(app, now=utcnow()) == "nessun file da importare"
    assert registered() == ["file_confirmed"]


def test_a_discarded_file_is_set_aside(app, browser, held, data):
    answer = browser.post(f"{HERE}/{held.id}/scarta", follow_redirects=True)
    assert "è in inbox/scartati" in words(answer)
    assert on_disk(data / "inbox" / "scartati") == ["clienti.csv"]
    import_inbox.run(app, now=utcnow())
    assert Customer.select().where(~Customer.active).count() == 0
    assert registered() == ["file_discarded"]


@pytest.mark.parametrize("first", ["conferma", "scarta"])
@pytest.mark.parametrize("second", ["conferma", "scarta"])
def test_a_decision_is_taken_once(browser, held, first, second):
    browser.post(f"{HERE}/{held.id}/{first}")
    answer = browser.post(f"{HERE}/{held.id}/{second}", follow_redirects=True)
    assert "Su questo file è già stato deciso." in answer.text
    assert len(registered()) == 1


def test_a_held_file_that_somebody_took_away_cannot_be_confirmed(browser, held, data):
    (data / "inbox/sospesi/clienti.csv").unlink()
    answer = browser.post(f"{HERE}/{held.id}/conferma", follow_redirects=True)
    assert "non è più in inbox/sospesi" in answer.text
    browser.post(f"{HERE}/{held.id}/scarta")
    assert "Sospesi" not in words(browser.get(HERE))


# -- What became of each file --------------------------------------------------------------


def test_a_rejected_file_shows_its_errors_and_where_to_send_it_again(app, browser, data):
    (data / "inbox" / "clienti.csv").write_bytes(WRONG)
    import_inbox.run(app, now=utcnow())
    row = ImportedFile.get()
    page = browser.get(f"{HERE}/{row.id}")
    assert "Scartato" in words(page)
    assert "3 Errore codice_cliente" in words(page)
    assert "Carica il file corretto" in page.text
    answer = browser.get(f"{HERE}/{row.id}/errori.csv")
    told = (data / "inbox/scartati/clienti.csv.errori.csv").read_bytes()
    assert answer.data == told


def test_the_history_filters_sorts_and_pages(browser, count_queries):
    now = utcnow()
    make_import("clienti_vecchio.csv", at=now - 10 * DAY, rows=7)
    make_import("fatture.csv", "rejected", kind="fatture", error_count=3)
    with count_queries() as few:
        page = words(browser.get(HERE))
    assert page.index("fatture.csv") < page.index("clienti_vecchio.csv")
    for query, seen in (
        ("stato=rejected", "fatture.csv"), ("tipo=fatture", "fatture.csv"),
        ("giorni=7", "fatture.csv"), ("stato=applied", "clienti_vecchio.csv"),
        ("giorni=30&tipo=clienti", "clienti_vecchio.csv"),
    ):  # fmt: skip
        part = browser.get(f"{HERE}?{query}", headers=PARTIAL).text
        other = {"fatture.csv": "clienti_vecchio.csv", "clienti_vecchio.csv": "fatture.csv"}[seen]
        assert (seen in part, other in part) == (True, False), query
    assert "Nessun file corrisponde" in browser.get(f"{HERE}?stato=held").text
    for n in range(30):
        make_import(f"letture_{n}.csv", kind="letture")
    with count_queries() as many:
        assert "pag. 1 di 2" in words(browser.get(HERE))
    assert len(few) == len(many)
    assert browser.get(f"{HERE}?pag=9").location == f"{HERE}?pag=2"
    for sort in ("nome", "-righe", "errori", "quando"):
        assert browser.get(f"{HERE}?ordine={sort}").status_code == 200


def test_an_import_from_before_counts_were_kept_is_shown(browser):
    row = make_import(rows=None, added=None, error_count=None, seconds=None, kind=None)
    assert browser.get(HERE).status_code == 200
    assert browser.get(f"{HERE}/{row.id}").status_code == 200


@pytest.mark.parametrize("key", ["0", "-1", "9" * 20, "%00", "x", "%C3%28"])
def test_hostile_keys_find_nothing(browser, key):
    for path in (f"{HERE}/{key}", f"{HERE}/{key}/errori.csv", f"{HERE}/attesa/{key}"):
        assert browser.get(path).status_code == 404
    for path in (f"{HERE}/{key}/conferma", f"{HERE}/attesa/{key}/carica"):
        assert browser.post(path).status_code == 404


def test_what_is_registered_names_the_file(browser):
    row = sent(browser, "clienti.csv", GOOD)
    entry = RegisterEntry.get()
    told = json.loads(entry.details)
    assert (entry.operator, told["name"], told["sha256"]) == ("marta", "clienti.csv", row.sha256)
