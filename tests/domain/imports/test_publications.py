"""What `documenti` brings, and which rows it refuses."""

import datetime as dt

import pytest

from domain.clock import utcnow
from domain.imports.documents import Documents
from domain.imports.publications import LONGEST_TEXT
from models import Document, StoredFile
from tests.domain.imports.conftest import PDF
from tests.factories import make_customer, make_document, make_file, make_invoice

FOR_ALL = "categoria;titolo;data"
COLUMNS = f"{FOR_ALL};file;testo;codice_cliente;visibile_dal;visibile_al"
INVOICES = "numero;data;codice_cliente;importo;documento"


@pytest.fixture
def customer(app):
    return make_customer("000002")


def said(errors):
    """(row, column) of each error."""
    return [(row, column) for row, column, _value, _message in errors]


def test_every_category_and_every_column(desk, customer):
    desk.attach("a.pdf")
    now = utcnow()
    desk.put(
        "documenti.csv", COLUMNS,
        "personale;Contratto;05/11/2026;a.pdf;;000002;;",
        "Modulistica;Reclamo;05/11/2026;;Testo;;;",
        "NORMATIVE;Regole;05/11/2026;;Testo;;;",
        'comunicati;Novità;05/11/2026;;"Prima riga\r\n\r\nTerza, con ""virgolette"";";;01/12/2026;'
        "31/12/2026",
        "informazioni;Numeri;05/11/2026;;Testo;;;31/12/9999",
    )  # fmt: skip
    (outcome,) = desk.run(now=now)
    assert outcome.state == "applied", outcome.report.errors
    rows = {row.category: row for row in Document.select()}
    assert {"personal", "forms", "rules", "notices", "info"} == set(rows)
    personal, notice = rows["personal"], rows["notices"]
    assert (personal.customer, personal.file.name, personal.text) == (customer, "a.pdf", None)
    assert (desk.documents / "a.pdf").read_bytes() == PDF
    assert not list((desk.inbox / "allegati").iterdir())
    assert notice.text == 'Prima riga\n\nTerza, con "virgolette";'
    assert (notice.title, notice.date, notice.file) == ("Novità", dt.date(2026, 11, 5), None)
    assert (notice.visible_from, notice.visible_to) == (dt.date(2026, 12, 1), dt.date(2026, 12, 31))
    assert notice.folded.startswith("novita\nprima riga")
    assert rows["info"].visible_to is None
    assert {row.added_at for row in rows.values()} == {now}


def test_a_known_key_updates_and_absent_columns_stay(desk, customer):
    added = utcnow() - dt.timedelta(days=9)
    make_document("Uno", text="Prima", visible_to=dt.date(2030, 1, 1), added_at=added)
    desk.take("documenti.csv", f"{FOR_ALL};testo", "comunicati;Uno;01/02/2026;Perché no")
    row = Document.get()
    assert (row.text, row.visible_to, row.added_at) == ("Perché no", dt.date(2030, 1, 1), added)
    assert (row.date, row.folded) == (dt.date(2026, 2, 1), "uno\nperche no")


def test_a_column_of_the_text_alone_leaves_the_file(desk, app):
    make_document("Uno", text="Prima", file=make_file(app, "a.pdf"))
    desk.take("documenti.csv", f"{FOR_ALL};testo", "comunicati;Uno;01/02/2026;")
    row = Document.get()
    assert (row.text, row.file.name, row.folded) == (None, "a.pdf", "uno")
    desk.take("documenti_2.csv", f"{FOR_ALL};file;testo", "comunicati;Uno;01/02/2026;;Ora testo")
    row = Document.get()
    assert (row.text, row.file) == ("Ora testo", None)


def test_the_key_is_category_title_and_customer(desk, customer):
    make_customer("000003")
    lines = [f"{each};Uno;01/02/2026;x;" for each in ("comunicati", "informazioni")]
    lines += [f"personale;Uno;01/02/2026;x;{code}" for code in ("000002", "000003")]
    header = f"{FOR_ALL};testo;codice_cliente"
    assert desk.take("documenti.csv", header, *lines).added == 4
    report = desk.take("documenti_2.csv", header, *lines[:3], lines[3].replace("x", "y"))
    assert (report.added, report.changed, report.unchanged) == (0, 1, 3)
    errors = desk.reject("documenti_3.csv", header, lines[0], lines[0].replace("x", "z"))
    assert said(errors) == [(3, "categoria")]


def test_the_same_rows_again_change_nothing(desk, customer):
    desk.attach("a.pdf")
    row = "personale;Uno;01/02/2026;a.pdf;;000002;;"
    desk.take("documenti.csv", COLUMNS, row)
    report = desk.take("documenti_2.csv", COLUMNS, row, "comunicati;Due;01/02/2026;;x;;;")
    assert (report.added, report.changed, report.unchanged) == (1, 0, 1)


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("personale;Uno;01/02/2026;;x;;;", "codice_cliente"),
        ("comunicati;Uno;01/02/2026;;x;000002;;", "codice_cliente"),
        ("personale;Uno;01/02/2026;;x;000099;;", "codice_cliente"),
        ("personale;Uno;01/02/2026;;x;2;;", "codice_cliente"),
        ("altro;Uno;01/02/2026;;x;;;", "categoria"),
        (";Uno;01/02/2026;;x;;;", "categoria"),
        ("comunicati;;01/02/2026;;x;;;", "titolo"),
        (f"comunicati;{'x' * 201};01/02/2026;;x;;;", "titolo"),
        ("comunicati;Uno;;;x;;;", "data"),
        ("comunicati;Uno;32/02/2026;;x;;;", "data"),
        ("comunicati;Uno;01/02/2026;;;;;", "file"),
        ("comunicati;Uno;01/02/2026;;\x00;;;", "testo"),
        (f"comunicati;Uno;01/02/2026;;{'x' * (LONGEST_TEXT + 1)};;;", "testo"),
        ("comunicati;Uno;01/02/2026;;x;;02/02/2026;01/02/2026", "visibile_al"),
        ("comunicati;Uno;01/02/2026;;x;;ieri;", "visibile_dal"),
    ],
)
def test_a_bad_row_rejects_the_file_and_says_why(desk, customer, line, column):
    errors = desk.reject("documenti.csv", COLUMNS, "comunicati;Zero;01/02/2026;;x;;;", line)
    assert said(errors) == [(3, column)]
    assert not Document.select().exists()


def test_a_document_may_not_lose_both_file_and_text(desk):
    make_document("Uno", text="x")
    errors = desk.reject("documenti.csv", f"{FOR_ALL};testo", "comunicati;Uno;01/02/2026;")
    assert said(errors) == [(2, "file")]
    assert Document.get().text == "x"


def test_days_that_are_stored_count_too(desk):
    make_document("Uno", text="x", visible_to=dt.date(2026, 1, 1))
    header = f"{FOR_ALL};visibile_dal"
    errors = desk.reject("documenti.csv", header, "comunicati;Uno;01/02/2026;02/01/2026")
    assert said(errors) == [(2, "visibile_al")]


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../portale.db", "..", ".x.pdf", "a/b.pdf", "a\\b.pdf", "ticket/a.pdf",
     "x" * 300 + ".pdf", "missing.pdf", "link.pdf", "page.pdf", "empty.pdf"],
)  # fmt: skip
def test_row_20_a_file_name_that_leads_elsewhere_is_an_error_of_its_row(desk, name):
    (desk.inbox / "allegati" / "link.pdf").symlink_to("/etc/passwd")
    desk.attach("page.pdf", b"<html>%PDF</html>")
    desk.attach("empty.pdf", b"")
    before = desk.files()
    errors = desk.reject("documenti.csv", f"{FOR_ALL};file", f"comunicati;Uno;01/02/2026;{name}")
    assert said(errors) == [(2, "file")]
    assert not Document.select().exists()
    added = {path for path in desk.files() if path not in before}
    assert {path for path in added if not path.startswith("inbox/rapporti/")} == {
        "inbox/scartati/documenti.csv", "inbox/scartati/documenti.csv.errori.csv",
    }  # fmt: skip


@pytest.mark.parametrize("change", ["link", "gone", "other"])
def test_row_20_a_file_swapped_after_it_was_examined_is_left_for_the_next_run(
    desk, app, monkeypatch, change
):
    attached = desk.inbox / "allegati" / "a.pdf"
    desk.attach("a.pdf")
    place = Documents.place

    def swapped(self, found):
        attached.unlink()
        if change == "link":
            attached.symlink_to("/etc/passwd")
        elif change == "other":
            attached.write_bytes(PDF + b"other")
        place(self, found)

    monkeypatch.setattr(Documents, "place", swapped)
    desk.put("documenti.csv", f"{FOR_ALL};file", "comunicati;Uno;01/02/2026;a.pdf")
    [outcome] = desk.run()
    assert outcome.state == "left"
    assert "è cambiato durante la lettura" in str(outcome.report.as_dict())
    assert not Document.select().exists()
    documents = app.config["DATA_DIR"] / "documents"
    assert [path for path in documents.iterdir() if path.is_file()] == []


# -- whose a file is -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "personale;Altro;01/02/2026;a.pdf;;000003;;",
        "comunicati;Altro;01/02/2026;a.pdf;;;;",
    ],
)
@pytest.mark.parametrize("owner", ["document", "invoice"])
def test_row_09_a_customers_file_cannot_be_named_for_others(desk, app, customer, owner, line):
    make_customer("000003")
    file = make_file(app, "a.pdf")
    if owner == "document":
        make_document("Proprio", customer=customer, file=file)
    else:
        make_invoice(customer, document=file)
    before = Document.select().count()
    errors = desk.reject("documenti.csv", COLUMNS, line)
    assert said(errors) == [(2, "file")]
    assert "di un altro cliente" in errors[0][3]
    assert Document.select().count() == before


def test_row_09_a_personal_document_cannot_become_anothers_invoice(desk, app, customer):
    make_customer("000003")
    make_document("Proprio", customer=customer, file=make_file(app, "a.pdf"))
    errors = desk.reject("fatture.csv", INVOICES, "1;05/11/2026;000003;12;a.pdf")
    assert said(errors) == [(2, "documento")]


@pytest.mark.parametrize("apart", [0, 600])
def test_row_09_nor_by_two_rows_of_one_file(desk, customer, apart):
    make_customer("000003")
    desk.attach("a.pdf")
    between = [f"comunicati;{place};01/02/2026;;x;;;" for place in range(apart)]
    errors = desk.reject(
        "documenti.csv", COLUMNS, "personale;Uno;01/02/2026;a.pdf;;000002;;", *between,
        "personale;Uno;01/02/2026;a.pdf;;000003;;",
    )  # fmt: skip
    assert said(errors) == [(apart + 3, "file")]
    rows = ("1;05/11/2026;000002;12;a.pdf", "2;05/11/2026;000003;12;a.pdf")
    assert said(desk.reject("fatture.csv", INVOICES, *rows)) == [(3, "documento")]


def test_what_a_rejected_file_claimed_is_free(desk, customer):
    make_customer("000003")
    desk.attach("a.pdf")
    desk.put("documenti_1.csv", COLUMNS, "personale;Uno;01/02/2026;a.pdf;;000002;;", "x;;;;;;;")
    desk.put("documenti_2.csv", COLUMNS, "personale;Uno;01/02/2026;a.pdf;;000003;;")
    assert [outcome.state for outcome in desk.run()] == ["rejected", "applied"]
    assert Document.get().customer.code == "000003"


def test_one_file_may_be_named_twice_for_the_same_people(desk, app, customer):
    file = make_file(app, "a.pdf")
    make_invoice(customer, document=file)
    desk.take("documenti.csv", COLUMNS, "personale;Uno;01/02/2026;a.pdf;;000002;;")
    assert Document.get().file == file
    desk.attach("b.pdf", PDF + b"%2")
    lines = [f"{each};Modulo;01/02/2026;b.pdf;;;;" for each in ("modulistica", "informazioni")]
    desk.take("documenti_2.csv", COLUMNS, *lines)
    assert StoredFile.select().count() == 2


def test_rows_beyond_one_chunk_are_taken_with_few_queries(desk, count_queries):
    lines = [f"modulistica;Modulo {n};01/02/2026;x" for n in range(1700)]
    with count_queries() as queries:
        report = desk.take("documenti.csv", f"{FOR_ALL};testo", *lines)
    assert report.added == Document.select().count() == 1700
    assert len(queries) < 50


def test_what_was_set_at_the_desk_stays_but_for_another_text(desk):
    make_document("Uno", text="Ora", source="**Ora**", service="GAS", city="Forlì", town="forli",
                  withdrawn_at=utcnow())  # fmt: skip
    desk.take("documenti.csv", f"{FOR_ALL};testo", "comunicati;Uno;01/02/2026;Ora")
    row = Document.get()
    assert (row.source, row.service, row.city, row.town) == ("**Ora**", "GAS", "Forlì", "forli")
    assert row.withdrawn_at
    desk.take("documenti_2.csv", f"{FOR_ALL};testo", "comunicati;Uno;01/02/2026;Ora **così**")
    row = Document.get()
    assert (row.text, row.source, row.service) == ("Ora **così**", None, "GAS")
