"""Row 17: what is uploaded is what it says, little, out of reach, and never runs."""

import errno
import io
import tempfile

import peewee as pw
import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from domain import attachments
from models import Attachment, Event, Session, Ticket, TicketMessage
from tests.domain.formats.test_uploads import PDF, jpeg, png
from tests.factories import (
    make_account,
    make_attachment,
    make_customer,
    make_gas,
    make_operator,
    make_ticket,
)

NEW = "/forniture/PR000001/ticket/nuovo"
FILLED = {"subject": "Oggetto", "category": "other", "text": "Da tenere"}
MB = 1024 * 1024
PDF_ON_DISK = b"%PDF-1.4\n%%EOF\n"
# What Werkzeug has read of a body that it then refuses is closed only when it is collected.
UNREAD = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def customer(app):
    customer = make_customer()
    make_gas(customer, code="PR000001")
    return customer


@pytest.fixture
def browser(sign_in, customer):
    return sign_in(make_account(customer))


@pytest.fixture
def ticket(customer):
    return make_ticket(customer)


def send(browser, *files, path=NEW, **typed):
    given = [FileStorage(io.BytesIO(content), name) for name, content in files]
    # Encoded here: the test client would leave a large body in a file that it never closes.
    boundary, body = encode_multipart({**FILLED, **typed, "attachments": given})
    kind = f"multipart/form-data; boundary={boundary}"
    return browser.post(path, data=body, content_type=kind)


def on_disk(app):
    root = app.config["DATA_DIR"]
    return [path for path in (root / "documents").rglob("*") if path.is_file()]


def padded(size):
    """A PDF of `size` bytes."""
    return PDF[:9] + b"\n" * (size - len(PDF)) + PDF[9:]


HOSTILE = {
    "HTML as PDF": ([("a.pdf", b"<html><script>alert(1)</script>")], "non è un PDF, JPG o PNG"),
    "SVG": ([("a.svg", b"<svg onload='alert(1)'/>")], "non è un PDF, JPG o PNG"),
    "SVG as PNG": ([("a.png", b"<svg onload='alert(1)'/>")], "non è un PDF, JPG o PNG"),
    "a path": ([("../../x", PDF)], "non è valido"),
    "an absolute path": ([("/etc/passwd", PDF)], "non è valido"),
    "dots": ([("..", PDF)], "non è valido"),
    "300 characters": ([("x" * 296 + ".pdf", PDF)], "più lungo di 200 caratteri"),
    "zero bytes": ([("a.pdf", b"")], "è vuoto"),
    "a huge PNG": ([("a.png", png(60_000, 60_000))], "troppi punti"),
    "a huge JPEG": ([("a.jpg", jpeg(65_000, 65_000))], "troppi punti"),
    "more than 5 MB": ([("a.pdf", padded(5 * MB + 1))], "supera 5 MB"),
    "a fourth file": ([(f"{n}.pdf", PDF) for n in range(4)], "al massimo 3 file"),
    "one bad of three": ([("a.pdf", PDF), ("b.png", png()), ("c.pdf", b"MZ")], "non è un PDF"),
    "an executable": ([("a.jpg", b"MZ" + jpeg())], "non è un PDF"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_row_17_what_is_not_taken_leaves_no_file(app, browser, ticket, case):
    files, sentence = HOSTILE[case]
    address = f"/forniture/PR000001/ticket/{ticket.code}"
    for path in (NEW, address):
        answer = send(browser, *files, path=path)
        assert answer.status_code == 422
        assert sentence in answer.text
        assert "Da tenere" in answer.text
    assert on_disk(app) == []
    assert Attachment.select().count() == 0
    assert Ticket.select().count() == TicketMessage.select().count() == 1


def test_row_17_a_name_that_is_markup_is_shown_as_text(app, browser):
    name = "<img src=x onerror=alert(1)>.pdf"
    answer = send(browser, (name, PDF))
    page = browser.get(answer.location).text
    assert "<img" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;.pdf" in page


def test_row_17_three_files_of_five_megabytes_are_taken(app, browser):
    answer = send(browser, *((f"{n}.pdf", padded(5 * MB)) for n in range(3)))
    assert answer.status_code == 303
    assert [path.stat().st_size for path in on_disk(app)] == [5 * MB] * 3
    assert all(path.parent.name == "ticket" for path in on_disk(app))


@UNREAD
def test_row_17_more_than_sixteen_megabytes_are_told(app, browser):
    answer = send(browser, *((f"{n}.pdf", padded(6 * MB)) for n in range(3)))
    assert answer.status_code == 413
    assert "supera la dimensione consentita" in answer.text
    assert on_disk(app) == []
    assert Ticket.select().count() == 0


@UNREAD
@pytest.mark.parametrize("signed_in", [True, False])
def test_row_17_only_who_is_signed_in_and_only_a_form_with_files_may_send_much(
    app, browser, with_csrf, signed_in
):
    sender = browser if signed_in else app.test_client()
    path = "/forniture/PR000001/autolettura/nuova" if signed_in else NEW
    assert send(sender, ("a.pdf", padded(200_000)), path=path).status_code == 413


@UNREAD
def test_row_17_who_was_signed_in_once_may_not_send_much(app, browser, with_csrf):
    Session.delete().execute()  # its cookie is as good as ever
    assert send(browser, ("a.pdf", padded(200_000))).status_code == 413


@UNREAD
@pytest.mark.parametrize("path", ["/staff/ticket/nuovo?cliente=1", "/staff/caricamenti"])
def test_row_17_who_gave_the_password_alone_may_not_send_much(
    app, sign_in_operator, with_csrf, path
):
    half_way = sign_in_operator(make_operator(), verified=False)
    assert send(half_way, ("a.pdf", padded(200_000)), path=path).status_code == 413


@UNREAD
def test_row_17_a_form_of_many_parts_is_refused(app, browser):
    assert send(browser, *((f"{n}.pdf", PDF) for n in range(60))).status_code == 413
    assert on_disk(app) == []


def test_row_17_a_customer_has_fifty_megabytes(app, browser, ticket):
    row = make_attachment(app, ticket)
    Attachment.update(size=attachments.QUOTA - len(PDF)).where(Attachment.id == row).execute()
    assert send(browser, ("a.pdf", PDF)).status_code == 303
    before = on_disk(app)
    answer = send(browser, ("b.pdf", PDF), subject="Altro")
    assert answer.status_code == 422
    assert "50 MB in tutto, è esaurito" in answer.text
    assert "Da tenere" in answer.text
    assert on_disk(app) == before
    assert Ticket.select().where(Ticket.subject == "Altro").count() == 0


@pytest.mark.parametrize(
    ("content", "kind"), [(PDF, "application/pdf"), (png(), "image/png"), (jpeg(), "image/jpeg")]
)
def test_row_17_it_is_served_as_a_file_to_keep_and_never_runs(app, browser, content, kind):
    send(browser, ("pagina.html", content + b"<script>alert(1)</script>"))
    row = Attachment.get()
    answer = browser.get(f"/forniture/PR000001/ticket/{row.message.ticket.code}/allegati/{row.id}")
    assert answer.mimetype == kind
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "sandbox"
    assert "no-cache" in answer.headers["Cache-Control"]
    assert "private" in answer.headers["Cache-Control"]


def test_row_17_a_piece_of_it_is_not_served_past_the_history(app, browser, ticket):
    row = make_attachment(app, ticket)
    path = f"/forniture/PR000001/ticket/{ticket.code}/allegati/{row.id}"
    answer = browser.get(path, headers={"Range": "bytes=1-"})
    assert (answer.status_code, answer.data) == (200, PDF_ON_DISK)
    assert Event.get().kind == "attachment_downloaded"


def test_row_17_without_room_for_what_comes_the_portal_says_so(app, browser, monkeypatch):
    def full(*_arguments, **_more):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", full)
    answer = send(browser, ("a.pdf", PDF))
    assert answer.status_code == 503
    assert "non ha spazio per i file" in answer.text
    assert Ticket.select().count() == 0


def test_row_17_no_address_of_static_files_reaches_it(app, browser):
    send(browser, ("a.pdf", PDF))
    path = Attachment.get().path
    for address in (f"/static/{path}", f"/static/../documents/{path}", f"/documents/{path}"):
        assert browser.get(address).status_code == 404


def test_row_17_a_busy_archive_keeps_what_was_typed_and_asks_for_the_files_again(
    app, browser, monkeypatch
):
    def busy(*_arguments):
        raise pw.OperationalError("database is locked")

    monkeypatch.setattr("domain.ticket_steps.lock", busy)
    answer = send(browser, ("a.pdf", PDF))
    assert answer.status_code == 503
    assert "Da tenere" in answer.text
    assert 'type="file" id="attachments" name="attachments" multiple' in answer.text
    assert 'enctype="multipart/form-data"' in answer.text
    assert on_disk(app) == []
