"""Whatever happens in between, a file that was sent is either whole in its place or nowhere."""

import datetime as dt
import io
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from domain import attachments, tickets
from domain.errors import Refused
from domain.imports.documents import Documents
from models import Attachment, Ticket, TicketMessage, writing
from tests.factories import make_account, make_attachment, make_customer, make_ticket

NOW = dt.datetime.now(dt.UTC)
PDF = b"%PDF-1.4\n%%EOF\n"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def documents(app):
    return app.config["DATA_DIR"] / "documents"


@pytest.fixture
def ticket(app):
    customer = make_customer()
    make_account(customer)
    return make_ticket(customer)


def on_disk(documents):
    return sorted(p.relative_to(documents).as_posix() for p in documents.rglob("*") if p.is_file())


def given(*names, content=PDF):
    return [(name, io.BytesIO(content)) for name in names]


def answer(ticket, files, documents, *, text="Ecco", now=NOW):
    account = ticket.customer.grants.get().account_id
    with attachments.received(files, documents, now=now) as arrived:
        tickets.answer(ticket.id, account, text, arrived, now=now)


def test_files_lie_under_names_of_our_own(ticket, documents):
    answer(ticket, given("Bolletta è.pdf", "b.pdf"), documents)
    first, second = Attachment.select().order_by(Attachment.id)
    assert (first.name, first.kind, first.size) == ("Bolletta è.pdf", "pdf", len(PDF))
    assert on_disk(documents) == sorted([first.path, second.path])
    assert first.path.startswith("ticket/")
    assert "olletta" not in first.path
    assert (documents / first.path).read_bytes() == PDF


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("foto\u202egpj.pdf", "foto gpj.pdf"),
        ("Schermata 9.41\u202fAM.pdf", "Schermata 9.41 AM.pdf"),
        ("a\x00b\r\nc.pdf", "a b c.pdf"),
        ("pagina.html", "pagina.html.pdf"),
        ("<script>.pdf", "<script>.pdf"),
        ("SENZA", "SENZA.pdf"),
        ("MAIUSCOLO.PDF", "MAIUSCOLO.PDF"),
    ],
)
def test_a_name_is_made_fit_to_be_shown(ticket, documents, name, shown):
    answer(ticket, given(name), documents)
    assert Attachment.get().name == shown


@pytest.mark.parametrize("name", ["a/b.pdf", "a\\b.pdf", "..", " . ", "", "x" * 201])
def test_what_is_no_name_of_a_file_is_refused(app, name):
    with pytest.raises(Refused):
        attachments.shown_name(name)


@pytest.mark.parametrize("files", [4, 1], ids=["too many", "one bad"])
def test_what_is_refused_leaves_nothing(ticket, documents, files):
    names = ["a.pdf"] * files
    bad = [*given(*names), ("x.pdf", io.BytesIO(b"<html>"))]
    with pytest.raises(Refused):
        answer(ticket, bad, documents)
    assert on_disk(documents) == []
    assert Attachment.select().count() == 0
    assert TicketMessage.select().count() == 1


def test_a_transaction_that_fails_leaves_nothing(ticket, documents):
    def sent():
        with attachments.received(given("a.pdf"), documents, now=NOW) as arrived, writing():
            attachments.keep(ticket.messages.get(), arrived, ticket.customer_id)
            assert len(on_disk(documents)) == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        sent()
    assert on_disk(documents) == []
    assert Attachment.select().count() == 0


def test_an_answer_sent_twice_keeps_its_files_once(ticket, documents):
    for _click in range(2):
        answer(ticket, given("a.pdf"), documents)
    assert on_disk(documents) == [Attachment.get().path]


def test_a_full_disk_is_told_and_leaves_nothing(ticket, documents, monkeypatch):
    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Refused, match="non si possono salvare"):
        answer(ticket, given("a.pdf"), documents)
    assert on_disk(documents) == []


# -- Killed in between ---------------------------------------------------------------------

KILLED = """
import io, os, sys
import models
from domain import connections
from domain import attachments, files
from domain.clock import utcnow
from models import Attachment, TicketMessage, writing
from pathlib import Path

connections.connect(sys.argv[1])
where, documents = sys.argv[2], Path(sys.argv[3])
die = lambda *ignored: os._exit(9)
if where == "while it arrives":
    files.sync_folder = die
elif where == "before its place":
    attachments.settle = die
given = [("a.pdf", io.BytesIO(b"%PDF-1.4\\n%%EOF\\n"))]
with attachments.received(given, documents, now=utcnow()) as arrived:
    with writing():
        message = TicketMessage.get()
        attachments.keep(message, arrived, message.ticket.customer_id)
        if where == "before the commit":
            die()
"""


@pytest.mark.parametrize("where", ["while it arrives", "before the commit", "before its place"])
def test_a_killed_request_leaves_at_most_a_file_that_is_still_arriving(
    app, ticket, documents, where
):
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), app.config["DATABASE_URL"], where,
         str(documents)],
        cwd=ROOT, check=False,
    )  # fmt: skip
    assert run.returncode == 9
    left = on_disk(documents)
    assert len(left) == 1
    assert left[0].startswith(attachments.ARRIVING)
    kept = where == "before its place"
    assert Attachment.select().count() == (1 if kept else 0)

    answer(ticket, given("b.pdf"), documents)  # a moment later it could still be arriving
    assert left[0] in on_disk(documents)
    answer(ticket, given("c.pdf"), documents, text="Altro", now=NOW + dt.timedelta(hours=25))
    assert on_disk(documents) == sorted(row.path for row in Attachment.select())
    assert Attachment.select().count() == (3 if kept else 2)


def test_a_file_whose_request_was_killed_is_put_in_place_when_it_is_asked_for(ticket, documents):
    answer(ticket, given("a.pdf"), documents)
    row = Attachment.get()
    name = row.path.rpartition("/")[2]
    os.replace(documents / row.path, documents / attachments.ARRIVING / name)
    attachments.settle(row, documents)
    assert on_disk(documents) == [row.path]
    attachments.settle(row, documents)
    assert on_disk(documents) == [row.path]


def test_two_may_ask_at_once_for_a_file_that_still_arrives(ticket, documents, monkeypatch):
    move = os.replace

    def after_another(source, target):
        move(source, target)
        move(source, target)

    monkeypatch.setattr(os, "replace", after_another)
    answer(ticket, given("a.pdf"), documents)
    assert on_disk(documents) == [Attachment.get().path]


def test_a_file_that_cannot_be_moved_spoils_no_message(ticket, documents, monkeypatch):
    def broken(_source, _target):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", broken)
        answer(ticket, given("a.pdf"), documents)
        answer(ticket, given("b.pdf"), documents, text="Altro", now=NOW + dt.timedelta(days=2))
    assert TicketMessage.select().count() == 3
    for row in Attachment.select():
        attachments.settle(row, documents)
    assert on_disk(documents) == sorted(row.path for row in Attachment.select())


def test_the_same_words_with_a_file_that_was_forgotten_are_another_answer(ticket, documents):
    answer(ticket, [], documents)
    answer(ticket, given("a.pdf"), documents)
    answer(ticket, given("a.pdf", content=PDF + b" "), documents)
    assert TicketMessage.select().count() == 4
    assert Attachment.select().count() == len(on_disk(documents)) == 2


# -- The room that a customer has ----------------------------------------------------------


def test_the_room_is_that_of_one_customer_and_of_what_the_customer_sent(
    app, ticket, documents, monkeypatch
):
    monkeypatch.setattr(attachments, "QUOTA", 2 * len(PDF))
    make_attachment(app, make_ticket(make_customer()))
    theirs = make_ticket(ticket.customer)
    TicketMessage.update(by_customer=False).where(TicketMessage.ticket == theirs).execute()
    make_attachment(app, theirs)
    before = set(on_disk(documents))
    answer(ticket, given("a.pdf", "b.pdf"), documents)
    with pytest.raises(Refused, match="è esaurito"):
        answer(ticket, given("c.pdf"), documents, text="Altro")
    mine = set(on_disk(documents)) - before
    assert len(mine) == 2
    assert attachments.sent_by(ticket.customer_id) == 2 * len(PDF)
    answer(ticket, [], documents, text="Senza allegati")


# -- Imports -------------------------------------------------------------------------------


def test_no_row_of_an_import_names_an_attachment_and_no_run_cleans_it_up(app, ticket, documents):
    row = make_attachment(app, ticket, "bolletta.pdf")
    run = Documents(app.config["DATA_DIR"])
    base = row.path.rpartition("/")[2]
    for name in (row.path, base, "bolletta.pdf", "ticket", f"./{row.path}"):
        assert isinstance(run.find([name])[name], str), name
    waiting = documents / attachments.ARRIVING
    waiting.mkdir()
    (waiting / "x.pdf").write_bytes(PDF)
    run.clean_up()
    assert on_disk(documents) == sorted([row.path, f"{attachments.ARRIVING}/x.pdf"])
    assert Ticket.select().count() == 1
