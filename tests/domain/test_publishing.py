"""Drafts, their files, and what becomes of both."""

import datetime as dt
import io
import os

import pytest

from domain import document_files, documents, publishing
from domain.clock import rome_day, utcnow
from domain.errors import Refused
from forms import LONGEST_NOTICE
from models import Customer, Document, DocumentDraft, Event, StoredFile
from tests.domain.formats.test_uploads import PDF
from tests.factories import (
    make_customer,
    make_document,
    make_draft,
    make_file,
    make_invoice,
    make_operator,
)

DAY = dt.timedelta(days=1)


@pytest.fixture
def folder(app):
    return app.config["DATA_DIR"] / "documents"


def on_disk(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def asked(audience="tutti", **values):
    usual = dict.fromkeys(("city", "customer_code", "source", "visible_from", "visible_to"))
    usual |= {"category": "notices", "date": rome_day(utcnow())}
    return publishing.wanted(audience, **usual | values)


def prepare(folder, *names, title="", now=None, **more):
    now = now or utcnow()
    given = [(name, io.BytesIO(PDF)) for name in names]
    with document_files.received(given, folder, now=now) as arrived:
        key = publishing.prepare(
            make_operator().id, more.pop("wanted", asked()), title, arrived, now=now, **more
        )
    return publishing.draft(key, now=now)


def titles():
    return [row.title for row in Document.select().order_by(Document.id)]


def test_nobody_sees_a_draft_until_it_is_published(app, folder):
    customer, today = make_customer(), rome_day(utcnow())
    draft = prepare(folder, "listino_luce.pdf", "Guida.PDF")
    assert [item.title for item in draft.items] == ["listino luce", "Guida"]
    assert not Document.select().exists()
    assert not StoredFile.select().exists()
    publishing.publish(draft, now=utcnow())
    assert titles() == ["listino luce", "Guida"]
    for row in documents.page(documents.NOTICES, customer.id, today=today):
        stored = StoredFile.get_by_id(row.file)
        assert (folder / stored.path).read_bytes() == PDF
        assert stored.name in {"listino_luce.pdf", "Guida.PDF"}
    assert not DocumentDraft.select().exists()


def test_what_is_published_twice_is_there_once(app, folder):
    draft = prepare(folder, title="Uno", wanted=asked(source="Testo"))
    publishing.publish(draft, now=utcnow())
    with pytest.raises(Refused, match="non c'è più"):
        publishing.publish(draft, now=utcnow())
    assert titles() == ["Uno"]


def test_of_two_drafts_with_one_title_the_second_is_told(app, folder):
    drafts = [prepare(folder, title="Uno", wanted=asked(source="Testo")) for _ in range(2)]
    publishing.publish(drafts[0], now=utcnow())
    with pytest.raises(Refused, match="stesso titolo"):
        publishing.publish(drafts[1], now=utcnow())
    assert titles() == ["Uno"]
    assert publishing.draft(drafts[1].id, now=utcnow()) is not None


@pytest.mark.parametrize(
    ("names", "more", "sentence"),
    [
        ([], {}, "Scrivere il titolo"),
        ([], {"title": "Uno"}, "almeno un file o scrivere un testo"),
        ([], {"title": "Uno", "source": "<p></p>"}, "almeno un file o scrivere un testo"),
        (["a.pdf"], {"title": "Preso"}, "già un documento con il titolo «Preso»"),
        (["a.pdf", "a.PDF"], {}, "lo stesso titolo"),
        (["a.pdf"], {"days": (2, 1)}, "finisce prima di iniziare"),
        (["a.pdf"] * 21, {}, "al massimo 20 file"),
        (["../a.pdf"], {}, "non è valido"),
    ],
)
def test_what_is_refused_leaves_nothing(app, folder, names, more, sentence):
    make_document("Preso")
    first, last = (rome_day(utcnow()) + n * DAY for n in more.pop("days", (0, 0)))
    wanted = asked(source=more.pop("source", None), visible_from=first, visible_to=last)
    with pytest.raises(Refused, match=sentence):
        prepare(folder, *names, wanted=wanted, **more)
    assert on_disk(folder) == []
    assert not DocumentDraft.select().exists()


@pytest.mark.parametrize(
    ("audience", "typed", "sentence"),
    [
        ("comune", {"city": "Nessundove"}, "Nessuna fornitura"),
        ("comune", {"city": ""}, "Nessuna fornitura"),
        ("cliente", {"customer_code": "999999"}, "Nessun cliente"),
        ("cliente", {}, "Nessun cliente"),
        ("tutti", {"city": "Prato"}, "scegliere a chi è destinato"),
        ("luce", {"customer_code": "000001"}, "scegliere a chi è destinato"),
    ],
)
def test_whom_it_is_for_must_be_clear(app, audience, typed, sentence):
    with pytest.raises(Refused, match=sentence):
        asked(audience, **typed)


def test_a_document_is_changed_and_keeps_what_is_not_asked(app, folder):
    added = utcnow() - 9 * DAY
    row = make_document("Uno", text="Prima", file=make_file(app, "a.pdf"), added_at=added)
    draft = prepare(folder, title="Due", wanted=asked(source="**Ora**"), document=row)
    assert Document.get().title == "Uno"
    publishing.publish(draft, now=utcnow())
    row = Document.get()
    assert (row.title, row.text, row.source, row.folded) == ("Due", "Ora", "**Ora**", "due\nora")
    assert (row.file.name, row.added_at) == ("a.pdf", added)


def test_a_file_is_replaced_and_the_one_of_the_desk_is_forgotten(app, folder):
    draft = prepare(folder, "a.pdf", title="Uno")
    (row,) = publishing.publish(draft, now=utcnow())
    before = row.file.path
    publishing.publish(prepare(folder, "b.pdf", title="Uno", document=row), now=utcnow())
    assert [each.name for each in StoredFile.select()] == ["b.pdf"]
    old = (utcnow() - 2 * DAY).timestamp()
    os.utime(folder / before, (old, old))
    document_files.sweep(folder, now=utcnow())
    assert on_disk(folder) == [Document.get().file.path]


def test_a_file_that_others_have_or_that_was_imported_stays(app, folder):
    file = make_file(app, "a.pdf")
    document = make_document("Uno", file=file)
    publishing.delete(document)
    assert StoredFile.get() == file
    (row,) = publishing.publish(prepare(folder, "b.pdf"), now=utcnow())
    make_invoice(make_customer(), document=row.file)
    publishing.delete(row)
    assert StoredFile.select().count() == 2
    assert not Document.select().exists()


def test_withdrawn_it_is_out_of_sight_and_published_again_it_is_new(app, folder):
    customer, now = make_customer(), utcnow()
    row = make_document("Uno", customer=customer, text="x", added_at=now - 9 * DAY)
    publishing.withdraw(row, now=now)
    publishing.withdraw(row, now=now)
    row = Document.get()
    assert row.withdrawn_at == now
    wanted = asked("cliente", customer_code=customer.code, source="x")
    publishing.publish(prepare(folder, title="Uno", wanted=wanted, document=row), now=now)
    row = Document.get()
    assert (row.withdrawn_at, row.added_at, row.customer) == (None, now, customer)
    assert [(event.kind, event.customer) for event in Event.select()] == [
        ("document_withdrawn", customer),
        ("document_published", customer),
    ]


def test_a_text_that_grows_a_hundredfold_on_a_page_is_refused(app):
    left_open = "".join(f"<i id={number}><p>" for number in range(400))
    assert len(left_open) < LONGEST_NOTICE
    with pytest.raises(Refused, match="incollarlo come testo semplice"):
        asked(source=left_open)
    assert asked(source="https://x.it/ " * (LONGEST_NOTICE // 14)).source


def test_nothing_is_published_to_whose_data_were_erased(app):
    customer = make_customer("000123")
    row = make_draft(app, customer_id=customer.id, category="personal")
    draft = publishing.draft(row.id, now=utcnow())
    Customer.update(erased_at=utcnow()).execute()
    with pytest.raises(Refused, match="sono stati cancellati"):
        publishing.publish(draft, now=utcnow())
    assert Document.select().count() == 0
    with pytest.raises(Refused, match="sono stati cancellati"):
        asked("cliente", customer_code="000123")
