"""PDFs for publishing: what is not taken, what is swept away."""

import datetime as dt
import io
import os

import pytest

from domain import document_files, publishing
from domain.clock import utcnow
from domain.errors import Refused
from models import DocumentDraft
from tests.domain.formats.test_uploads import PDF, png
from tests.factories import make_draft

DAY = dt.timedelta(days=1)


@pytest.fixture
def folder(app):
    return app.config["DATA_DIR"] / "documents"


def on_disk(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_file_that_is_no_pdf_leaves_nothing_of_those_before_it(app, folder):
    given = [("a.pdf", io.BytesIO(PDF)), ("b.pdf", io.BytesIO(png()))]
    with (
        pytest.raises(Refused, match="non è un PDF"),
        document_files.received(given, folder, now=utcnow()),
    ):
        pytest.fail("it was taken")
    assert on_disk(folder) == []


@pytest.mark.parametrize(
    ("names", "sentence"), [(["a.pdf"] * 21, "al massimo 20"), (["../a"], "valido")]
)
def test_too_many_and_names_that_lead_elsewhere_are_refused(app, folder, names, sentence):
    given = [(name, io.BytesIO(PDF)) for name in names]
    with (
        pytest.raises(Refused, match=sentence),
        document_files.received(given, folder, now=utcnow()),
    ):
        pytest.fail("it was taken")
    assert on_disk(folder) == []


def test_drafts_and_files_that_nothing_names_go_after_a_day(app, folder):
    now = utcnow()
    kept, old = make_draft(app, "Uno"), make_draft(app, "Due")
    (published,) = publishing.publish(
        publishing.draft(make_draft(app, "Tre").id, now=now), now=now
    )  # fmt: skip
    DocumentDraft.update(made_at=now - DAY - dt.timedelta(minutes=1)).where(
        DocumentDraft.id == old
    ).execute()
    (folder / "avvisi" / f"{'f' * 32}.pdf").write_bytes(PDF)
    assert publishing.draft(old.id, now=now) is None
    document_files.sweep(folder, now=now)
    assert len(on_disk(folder)) == 4  # somebody may be writing them
    for name in on_disk(folder):
        os.utime(folder / name, ((now - 2 * DAY).timestamp(),) * 2)
    document_files.sweep(folder, now=now)
    named = publishing.draft(kept.id, now=now).items[0].file[0]
    assert on_disk(folder) == sorted([named, published.file.path])
