"""Documents and notices as operators see them: all of them, whomever they are for."""

import peewee as pw

from domain import documents
from models import Customer, Document

SORTS = ("-data", "titolo", "dal")  # the first is the default
STATES = PUBLISHED, FUTURE, EXPIRED, WITHDRAWN = (
    "pubblicati", "futuri", "scaduti", "ritirati",
)  # fmt: skip
AUDIENCES = ALL, ELECTRICITY, GAS, TOWN, CUSTOMER = ("tutti", "luce", "gas", "comune", "cliente")
SERVICES = {ELECTRICITY: "EE", GAS: "GAS"}


def state(row, today):
    """Which of STATES a document is in."""
    if row.withdrawn_at is not None:
        return WITHDRAWN
    if row.visible_to is not None and row.visible_to < today:
        return EXPIRED
    if row.visible_from is not None and row.visible_from > today:
        return FUTURE
    return PUBLISHED


def audience(row):
    """Which of AUDIENCES a document, or what is to become one, is for."""
    if row.customer_id is not None:
        return CUSTOMER
    if row.service is not None:
        return ELECTRICITY if row.service == "EE" else GAS
    return ALL if row.town is None else TOWN


def _in_state(wanted, today):
    withdrawn = Document.withdrawn_at.is_null(False)
    expired = Document.visible_to.is_null(False) & (Document.visible_to < today)
    coming = Document.visible_from.is_null(False) & (Document.visible_from > today)
    return {
        PUBLISHED: ~withdrawn & ~expired & ~coming,
        FUTURE: ~withdrawn & ~expired & coming,
        EXPIRED: ~withdrawn & expired,
        WITHDRAWN: withdrawn,
    }[wanted]


def _order(sort):
    column = {
        "data": Document.date,
        "titolo": Document.folded,
        "dal": pw.fn.COALESCE(Document.visible_from, Document.date),
    }[sort.removeprefix("-")]
    first = column.desc() if sort.startswith("-") else column.asc()
    return first, Document.id.desc()


def _narrowed(query, *, today, category=None, state=None, customer=None, search=""):
    """`query` for what an operator looks for; `customer` is a code."""
    if category:
        query = query.where(Document.category == category)
    if state:
        query = query.where(_in_state(state, today))
    if customer:
        whose = Customer.select().where(Customer.code == customer)
        query = query.where(Document.customer.in_(whose))
    for condition in documents.holding(search):
        query = query.where(condition)
    return query


def count(**asked):
    """How many rows `page` would give without a limit."""
    return _narrowed(Document.select(), **asked).count()


def page(*, sort=SORTS[0], limit=20, offset=0, **asked):
    """Rows of documents with their `customer_code`, if any; `asked` as for `_narrowed`."""
    columns = (
        Document.id, Document.category, Document.title, Document.date, Document.file,
        Document.visible_from, Document.visible_to, Document.withdrawn_at, Document.service,
        Document.city, Document.town, Document.customer.alias("customer_id"),
        Customer.code.alias("customer_code"),
    )  # fmt: skip
    query = _narrowed(Document.select(*columns).left_outer_join(Customer), **asked)
    return list(query.order_by(*_order(sort)).limit(limit).offset(offset).namedtuples())


def one(key):
    """The document with that id, with its customer and its file, or None."""
    return Document.get_or_none(Document.id == key)
