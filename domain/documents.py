"""Documents and notices as customers see them: which are published, found, and new.

A document is of one customer (category `personal`), or for all, or for those who have a supply
of a service or in a town. Such a supply counts if it was in service on some day between the
first on which the document could be read and today: who was meant keeps what was there to read,
who has left since gets nothing new, and who comes later finds what still holds. It is published
on the days from `visible_from` to `visible_to`, both included, where those are given, unless an
operator has withdrawn it.
"""

import datetime as dt
from functools import cache

import peewee as pw

from domain import text
from domain.clock import rome_instant
from models import Account, Document, Grant, Prepared, SupplyPoint

PERSONAL, FORMS, RULES, NOTICES, INFO = "personal", "forms", "rules", "notices", "info"
SORTS = ("-data", "titolo")  # the first is the default
EXCERPT = 160  # characters of a text that a list shows
MOST_WORDS = 6  # looked for at once
ESCAPE = "!"

_SHOWN_COLUMNS = (
    Document.id,
    Document.category,
    Document.title,
    Document.date,
    Document.text,
    Document.file,
    Document.visible_from,
    Document.added_at,
)


def folded(*texts):
    """What of `texts` is searched: without accents and without difference of case."""
    return text.folded("\n".join(each for each in texts if each))


def words(search):
    """The words to look for in what a customer typed."""
    return folded(search).replace("\x00", " ").split()[:MOST_WORDS]


def _pattern(word):
    for sign in (ESCAPE, "%", "_"):
        word = word.replace(sign, ESCAPE + sign)
    return f"%{word}%"


def is_visible(today):
    """The condition that a document is published on the day `today`."""
    begun = Document.visible_from.is_null() | (Document.visible_from <= today)
    lasting = Document.visible_to.is_null() | (Document.visible_to >= today)
    return begun & lasting & Document.withdrawn_at.is_null()


def _meant(customer, today):
    """The condition that a document that is nobody's own is for `customer` too."""
    for_all = Document.service.is_null() & Document.town.is_null()
    supplies = SupplyPoint.select(SupplyPoint.id).where(
        SupplyPoint.customer == customer, *_served(Document, today)
    )
    return for_all | pw.fn.EXISTS(supplies)


def _served(document, today):
    """The conditions that `document`, the table or a row of it, is for who has a supply."""
    if document is Document:
        since = pw.fn.COALESCE(Document.visible_from, Document.date)
    else:
        since = document.visible_from or document.date
    yield SupplyPoint.active_from.is_null() | (SupplyPoint.active_from <= today)
    yield SupplyPoint.ended_on.is_null() | (SupplyPoint.ended_on >= since)
    for name in ("service", "town"):
        column, wanted = getattr(SupplyPoint, name), getattr(document, name)
        if document is Document:
            yield wanted.is_null() | (column == wanted)
        elif wanted is not None:
            yield column == wanted


def _shown(category, customer, today):
    """The documents of `category` that `customer` may see: its own, or general ones."""
    if category == PERSONAL:
        whose = Document.customer == customer
    else:
        general = Document.customer.is_null() & (Document.category == category)
        whose = general & _meant(customer, today)
    return whose & is_visible(today)


def _holds(word):
    return pw.NodeList((Document.folded, pw.SQL("LIKE"), word, pw.SQL(f"ESCAPE '{ESCAPE}'")))


def _order(sort):
    """The columns to sort by; the newest first among equals."""
    column = Document.folded if sort.endswith("titolo") else Document.date
    first = column.desc() if sort.startswith("-") else column.asc()
    return first, Document.id.desc()


def _found(columns, category, customer, today, patterns):
    query = Document.select(*columns).where(_shown(category, customer, today))
    for pattern in patterns:
        query = query.where(_holds(pattern))
    return query


def holding(search):
    """The conditions that a document has all words of `search` in its title or text."""
    return [_holds(_pattern(word)) for word in words(search)]


def _names(size):
    return " ".join(f"word{place}" for place in range(size))


def _given(search):
    return {f"word{place}": _pattern(word) for place, word in enumerate(words(search))}


@cache
def _listing(category, sort, size):
    excerpt = pw.fn.SUBSTR(Document.text, 1, EXCERPT + 1).alias("text")
    columns = [excerpt if column is Document.text else column for column in _SHOWN_COLUMNS]

    def build(customer, today, limit, offset, *patterns):
        query = _found(columns, category, customer, today, patterns)
        return query.order_by(*_order(sort)).limit(limit).offset(offset)

    return Prepared(f"customer today limit offset {_names(size)}", build)


def page(category, customer, *, today, sort=SORTS[0], search="", limit=20, offset=0):
    """Rows of the documents that have all words of `search` in their title or text.

    `text` is only its beginning: one character more than EXCERPT where it goes on.
    `customer` is an id; its own documents are those of category PERSONAL.
    """
    given = _given(search)
    listing = _listing(category, sort, len(given))
    return listing(customer=customer, today=today, limit=limit, offset=offset, **given)


@cache
def _count(category, size):
    def build(customer, today, *patterns):
        columns = [pw.fn.COUNT(Document.id).alias("total")]
        return _found(columns, category, customer, today, patterns)

    return Prepared(f"customer today {_names(size)}", build)


def count(category, customer, *, today, search=""):
    """How many rows `page` would give without a limit."""
    given = _given(search)
    return _count(category, len(given)).first(customer=customer, today=today, **given).total


@cache
def _one(category):
    def build(customer, today, document):
        query = Document.select(*_SHOWN_COLUMNS, Document.source)
        return query.where(_shown(category, customer, today), Document.id == document)

    return Prepared("customer today document", build)


def one(category, customer, document_id, *, today):
    """The document with that id, whole, if it is in `category` and `customer` may see it."""
    return _one(category).first(customer=customer, today=today, document=document_id)


def _latest_of(category, customer, today):
    query = Document.select(Document.id).where(_shown(category, customer, today))
    return query.order_by(Document.date.desc(), Document.id.desc()).limit(1)


_latest = Prepared(
    "customer today",
    lambda customer, today: (
        Document.select(*_SHOWN_COLUMNS)
        .where(
            (Document.id == _latest_of(NOTICES, customer, today))
            | (Document.id == _latest_of(PERSONAL, customer, today))
        )
        .order_by(Document.date.desc(), Document.id.desc())
    ),
)


def latest(customer_id, *, today):
    """The latest notice for all and the latest document of that customer, as far as there are."""
    return _latest(customer=customer_id, today=today)


def reached_accounts(document, today):
    """The accounts in use that a document is for, whether it is published already or not."""
    whose = Grant.select(Grant.account)
    if document.customer_id is not None:
        whose = whose.where(Grant.customer == document.customer_id)
    elif document.service or document.town:
        supplies = SupplyPoint.select(SupplyPoint.customer).where(*_served(document, today))
        whose = whose.where(Grant.customer.in_(supplies))
    return Account.select().where(Account.disabled_at.is_null(), Account.id.in_(whose))


def published_at(row):
    """Since when customers can see a document: since it was added, or its first day."""
    if row.visible_from is None:
        return row.added_at
    return max(row.added_at, rome_instant(row.visible_from, dt.time()))


def is_new(row, since):
    """Whether a document was published after the instant `since`, the customer's last access.

    None stands for nobody was here before: then nothing is new, rather than everything.
    """
    return since is not None and published_at(row) > since
