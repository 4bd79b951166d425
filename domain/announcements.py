"""What customers are told by mail because it is new: invoices and documents.

An archive that is loaded for the first time is no news: nothing is told of what comes in the
first day, nor ever of what is dated longer ago than FRESH.
"""

import datetime as dt
from collections import defaultdict
from itertools import groupby

from peewee import chunked, fn

from domain import documents, mail
from domain.clock import rome_day
from domain.reminders import told_of
from models import Account, Document, Grant, ImportedFile, Invoice, writing

FRESH = dt.timedelta(days=60)
LOADING = dt.timedelta(days=1)
MANY = 500  # documents noted with one statement


# -- Invoices ------------------------------------------------------------------------------


def newest_invoice():
    """The id of the invoice that came last, or 0."""
    return Invoice.select(fn.MAX(Invoice.id)).scalar() or 0


def tell_of_invoices(imported):
    """Tell of the invoices that the ImportedFile `imported` brought, in one mail an account.

    While the first files of its kind are loaded nobody is told. Killed half-way, the next run
    tells the rest.
    """
    now = imported.at
    if imported.invoices_since is None or not _is_loaded(imported.kind, now):
        return
    rows = (
        Invoice.select(Grant.account, Invoice.due_on, Invoice.number, Invoice.amount_cents)
        .join(Grant, on=Grant.customer == Invoice.customer)
        .where(Invoice.id > imported.invoices_since, Invoice.date >= rome_day(now) - FRESH)
        .order_by(Grant.account, Invoice.id)
    )
    notices = (
        mail.Notice(
            "invoice_published",
            account,
            told_of(rest for _account, *rest in some),
            f"invoice_published {imported.id} {account}",
        )
        for account, some in groupby(list(rows.tuples()), key=lambda row: row[0])
    )
    mail.queue_notices(notices, now=now)


def _is_loaded(kind, now):
    """Whether files of this kind have been coming for longer than it takes to load an archive."""
    return (
        ImportedFile.select()
        .where(
            ImportedFile.kind == kind,
            ImportedFile.state == "applied",
            ImportedFile.at <= now - LOADING,
        )
        .exists()
    )


# -- Documents -----------------------------------------------------------------------------


def tell_of_documents(*, now):
    """Tell of the documents that customers see by now and were not told of; return how many mails.

    Killed half-way, the next run tells the rest: an account gets one mail of each document.
    """
    today = rome_day(now)
    columns = (Document.id, Document.category, Document.title, Document.date, Document.customer,
               Document.visible_from, Document.service, Document.town)  # fmt: skip
    seen = Document.announced_at.is_null() & documents.is_visible(today)
    waiting = list(Document.select(*columns).where(seen).order_by(Document.id))
    news = [each for each in waiting if each.date >= today - FRESH]
    told = 0
    if Document.select().where(Document.added_at <= now - LOADING).exists():
        told = mail.queue_notices(_notices(news, today), now=now)
    for some in chunked(waiting, MANY):
        with writing():
            ids = [document.id for document in some]
            Document.update(announced_at=now).where(Document.id.in_(ids)).execute()
    return told


def _notices(news, today):
    for some in chunked(news, MANY):
        logins = defaultdict(list)
        granted = Grant.select(Grant.customer, Grant.account)
        owners = {document.customer_id for document in some} - {None}
        for customer, account in list(granted.where(Grant.customer.in_(owners)).tuples()):
            logins[customer].append(account)
        for document in some:
            if document.customer_id:
                reached = logins[document.customer_id]
            else:
                accounts = documents.reached_accounts(document, today)
                reached = [account.id for account in accounts.order_by(Account.id)]
            for account in reached:
                yield _notice(document, account)


def _notice(document, account):
    told = {
        "document": document.title,
        "personal": document.category == documents.PERSONAL,
        "menu": document.category,
    }
    once = f"document_published {document.id} {account}"
    return mail.Notice("document_published", account, told, once)
