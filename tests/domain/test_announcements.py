"""Which invoices and documents are news, and who is told of them."""

import datetime as dt
import json

import pytest

from domain import announcements, documents, publishing
from domain.clock import utcnow
from domain.imports.inbox import Inbox
from models import Account, Document, DocumentDraft, Grant, Invoice, OutgoingMail
from tests.factories import (
    make_account,
    make_customer,
    make_document,
    make_draft,
    make_electricity,
    make_import,
    make_invoice,
)

NOW = dt.datetime(2026, 11, 23, 8, 30, tzinfo=dt.UTC)
TODAY = NOW.date()
DAY = dt.timedelta(days=1)
HEADER = "numero;data;codice_cliente;tipo;scadenza;importo;stato"


@pytest.fixture
def rosa(app):
    return make_account(make_customer("000002"), email="rosa@example.it")


def told(kind):
    mails = OutgoingMail.select().where(OutgoingMail.kind == kind).order_by(OutgoingMail.id)
    return [(mail.recipient, json.loads(mail.params)) for mail in mails]


# -- Invoices ------------------------------------------------------------------------------


def take(app, *rows, name="fatture.csv", now=NOW, **options):
    """Import a file of invoices."""
    folder = app.config["DATA_DIR"] / "inbox"
    (folder / name).write_text("\n".join([HEADER, *rows]) + "\n")
    inbox = Inbox(app.config["DATA_DIR"], utility_vat="", **options)
    [outcome] = inbox.run(now=now)
    assert outcome.state == "applied", outcome.report.errors


@pytest.fixture
def in_use(rosa):
    """Files of invoices have been coming for some time."""
    make_import("fatture_1.csv", kind="fatture", at=NOW - 30 * DAY)
    return rosa


def test_a_new_invoice_is_told_with_amount_and_day(app, in_use):
    take(app, "2026/1;20/11/2026;000002;fattura;10/12/2026;1234,56;da_pagare")
    invoice = {"number": "2026/1", "due": "2026-12-10", "amount": 123_456, "credit": False}
    assert told("invoice_published") == [("rosa@example.it", {"invoices": [invoice], "more": 0})]


def test_a_credit_note_is_told_as_such(app, in_use):
    take(app, "2026/2;20/11/2026;000002;nota_credito;;-50,00;pagata")
    ((_to, said),) = told("invoice_published")
    assert (said["invoices"][0]["number"], said["invoices"][0]["credit"]) == ("2026/2", True)


def test_several_of_an_account_are_one_mail(app, in_use):
    other = make_account(make_customer("000003"))
    Grant.create(account=in_use, customer=other.grants.get().customer)
    row = "2026/{};20/11/2026;{};fattura;10/12/2026;10,00;da_pagare"
    take(app, *(row.format(n, f"00000{2 + n % 2}") for n in range(30)))
    mails = dict(told("invoice_published"))
    assert {to: len(said["invoices"]) + said["more"] for to, said in mails.items()} == {
        "rosa@example.it": 30,
        other.email: 15,
    }
    assert len(mails["rosa@example.it"]["invoices"]) == 20


def test_what_was_there_already_is_no_news(app, in_use):
    row = "2026/1;20/11/2026;000002;fattura;10/12/2026;10,00;"
    take(app, row + "da_pagare")
    take(app, row + "pagata", name="fatture_2.csv")
    assert Invoice.get().paid
    assert len(told("invoice_published")) == 1


@pytest.mark.parametrize(("age", "mails"), [(0, 1), (60, 1), (61, 0), (4000, 0)])
def test_an_old_invoice_is_no_news(app, in_use, age, mails):
    day = TODAY - age * DAY
    take(app, f"A1;{day:%d/%m/%Y};000002;fattura;;10,00;da_pagare")
    assert len(told("invoice_published")) == mails


@pytest.mark.parametrize(("hours", "mails"), [(0, 0), (1, 0), (23, 0), (24, 1), (1000, 1)])
def test_the_first_load_of_an_archive_mails_nobody(app, rosa, hours, mails):
    row = "2026/{};20/11/2026;000002;fattura;10/12/2026;10,00;da_pagare"
    take(app, row.format(1))
    assert told("invoice_published") == []
    later = NOW + dt.timedelta(hours=hours)
    row = row.replace("20/11/2026", f"{later:%d/%m/%Y}").replace("10/12/2026", "")
    take(app, row.format(2), name="fatture_2.csv", now=later)
    assert len(told("invoice_published")) == mails


def test_a_rejected_file_and_a_rehearsal_tell_nobody(app, in_use):
    row = "2026/1;20/11/2026;{};fattura;10/12/2026;10,00;da_pagare"
    folder = app.config["DATA_DIR"] / "inbox"
    (folder / "fatture.csv").write_text("\n".join([HEADER, row.format("999999")]))
    assert [each.state for each in Inbox(app.config["DATA_DIR"], utility_vat="").run(now=NOW)] == [
        "rejected"
    ]
    take(app, row.format("000002"), dry_run=True)
    assert told("invoice_published") == []


def test_killed_before_all_are_told_the_next_run_tells_the_rest(app, in_use, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("domain.announcements.told_of", lambda _rows: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            take(app, "2026/1;20/11/2026;000002;fattura;10/12/2026;10,00;da_pagare")
    assert told("invoice_published") == []
    for _again in range(2):
        assert list(Inbox(app.config["DATA_DIR"], utility_vat="").run(now=NOW + DAY)) == []
        assert len(told("invoice_published")) == 1


@pytest.mark.parametrize("wish", [{"notices": False}, {"notices_invoices": False}])
def test_who_wants_none_gets_none(app, in_use, wish):
    Account.update(wish).execute()
    take(app, "2026/1;20/11/2026;000002;fattura;10/12/2026;10,00;da_pagare")
    assert told("invoice_published") == []


def test_a_large_import_costs_no_query_for_each_invoice(app, in_use, count_queries):
    counts = []
    for number in (1, 400):
        newest = announcements.newest_invoice()
        for _ in range(number):
            make_invoice(make_account().grants.get().customer, date=TODAY)
        imported = make_import(kind="fatture", at=NOW, invoices_since=newest)
        with count_queries() as queries:
            announcements.tell_of_invoices(imported)
        counts.append(len(queries))
    assert counts[0] == counts[1]


# -- Documents -----------------------------------------------------------------------------


@pytest.fixture
def archive(rosa):
    """A document that was there long ago, and told."""
    long_ago = {"added_at": NOW - 90 * DAY, "announced_at": NOW - 90 * DAY}
    return make_document("Vecchio", date=TODAY - 90 * DAY, **long_ago)


def new(title="Nuove tariffe", **values):
    return make_document(title, **{"added_at": NOW, "date": TODAY, **values})


def test_a_new_document_is_told_once_to_all_it_is_for(archive, rosa):
    make_account(email="ugo@example.it")
    new()
    assert announcements.tell_of_documents(now=NOW) == 2
    assert announcements.tell_of_documents(now=NOW + DAY) == 0
    said = {"document": "Nuove tariffe", "personal": False, "menu": documents.NOTICES}
    assert told("document_published") == [("rosa@example.it", said), ("ugo@example.it", said)]


def test_withdrawn_and_published_again_it_is_not_told_again(app, archive, rosa):
    document, draft = new(), make_draft(app, "Nuove tariffe")
    assert announcements.tell_of_documents(now=NOW) == 1
    publishing.withdraw(document, now=NOW)
    DocumentDraft.update(document=document).execute()
    [again] = publishing.publish(publishing.draft(draft.id, now=utcnow()), now=NOW)
    assert (again.id, again.withdrawn_at) == (document.id, None)
    assert announcements.tell_of_documents(now=NOW) == 0


def test_a_personal_document_is_told_to_its_customer(archive, rosa):
    make_account()
    new("Contratto", customer=rosa.grants.get().customer)
    assert announcements.tell_of_documents(now=NOW) == 1
    [(recipient, said)] = told("document_published")
    assert (recipient, said["menu"]) == ("rosa@example.it", documents.PERSONAL)


def test_a_document_for_some_is_told_to_those(archive, rosa):
    other = make_account(email="ugo@example.it")
    make_electricity(other.grants.get().customer)
    new(service="EE")
    assert announcements.tell_of_documents(now=NOW) == 1
    assert told("document_published")[0][0] == "ugo@example.it"


def test_one_for_a_later_day_is_told_on_that_day(archive, rosa):
    new(visible_from=TODAY + 2 * DAY)
    assert [announcements.tell_of_documents(now=NOW + n * DAY) for n in range(4)] == [0, 0, 1, 0]


@pytest.mark.parametrize(
    "values", [{"withdrawn_at": NOW}, {"visible_to": TODAY - DAY}, {"date": TODAY - 61 * DAY}]
)
def test_what_nobody_sees_or_is_old_is_not_told(archive, rosa, values):
    new(**values)
    assert announcements.tell_of_documents(now=NOW) == 0


def test_the_first_documents_of_a_portal_mail_nobody(rosa):
    for n in range(3):
        new(f"Modulo {n}")
    assert announcements.tell_of_documents(now=NOW) == 0
    assert not Document.select().where(Document.announced_at.is_null()).exists()
    new(added_at=NOW + 2 * DAY)
    assert announcements.tell_of_documents(now=NOW + 2 * DAY) == 1


def test_killed_before_it_was_noted_nobody_is_told_twice(archive, rosa):
    document = new()
    announcements.tell_of_documents(now=NOW)
    Document.update(announced_at=None).where(Document.id == document.id).execute()
    assert announcements.tell_of_documents(now=NOW) == 0
    assert len(told("document_published")) == 1


def test_many_personal_documents_cost_few_queries(archive, count_queries):
    counts = []
    for number in (2, 300):
        for n in range(number):
            new(f"{number} {n}", customer=make_account().grants.get().customer)
        with count_queries() as queries:
            announcements.tell_of_documents(now=NOW)
        counts.append(len(queries))
    assert counts[0] == counts[1]
