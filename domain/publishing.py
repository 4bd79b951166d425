"""What operators publish: prepared as a draft that nobody else sees, then published at once.

The files come from document_files.py.
"""

import datetime as dt
import json
from typing import NamedTuple

import peewee as pw
from flask_babel import gettext as _

from domain import documents, history, published, text
from domain.connections import locking
from domain.errors import Refused
from domain.formatting import is_tangled, plain
from models import (
    Customer,
    Document,
    DocumentDraft,
    Invoice,
    Operator,
    StoredFile,
    SupplyPoint,
    writing,
)

FOLDER = "avvisi"  # of documents/, for what comes from the desk
LASTING = dt.timedelta(days=1)  # of a draft, and of a file that nothing names


class Wanted(NamedTuple):
    """For whom something is to be published, when, and its text; a row of Document has the same."""

    category: str
    date: dt.date
    source: str | None
    customer_id: int | None
    service: str | None
    city: str | None
    town: str | None
    visible_from: dt.date | None
    visible_to: dt.date | None


class Item(NamedTuple):
    """One document of a draft; `file` is (path, name, size, sha256), or None for the text alone.

    A draft that changes a document and has no new file leaves it the one it has.
    """

    title: str
    file: tuple | None


class Draft(NamedTuple):
    id: int
    document: Document | None  # that it changes
    wanted: Wanted
    items: list


def wanted(audience, *, category, city, customer_code, source, **days):
    """What a clerk asked for as Wanted, or Refused. `days` are its date and those it is visible."""
    if (audience != published.TOWN and city) or (audience != published.CUSTOMER and customer_code):
        raise Refused(
            _("Il comune e il codice cliente si scrivono solo quando il documento è per loro: "
              "scegliere a chi è destinato, o cancellarli.")
        )  # fmt: skip
    if source and is_tangled(source):
        raise Refused(
            _("La formattazione del testo è troppo intricata: incollarlo come testo semplice.")
        )
    personal = audience == published.CUSTOMER
    city, town = _city(city) if audience == published.TOWN else (None, None)
    return Wanted(
        category=documents.PERSONAL if personal else category,
        customer_id=_customer_id(customer_code) if personal else None,
        service=published.SERVICES.get(audience),
        city=city,
        town=town,
        source=source,
        **days,
    )


def _customer_id(code):
    row = Customer.get_or_none(Customer.code == code)
    if row is None:
        raise Refused(_("Nessun cliente ha questo codice: controllarlo."))
    _refuse_erased(row)
    return row.id


def _refuse_erased(customer):
    """What came after the erasure of somebody's data nobody would ever erase."""
    if customer.erased_at is not None:
        raise Refused(
            _("I dati personali di questo cliente sono stati cancellati: non gli si può pubblicare "
              "un documento.")
        )  # fmt: skip


def _city(typed):
    """The city, as supplies have it, that an operator typed, and how it is compared."""
    town = text.town(typed)
    row = SupplyPoint.select(SupplyPoint.city).where(SupplyPoint.town == town).first()
    if town is None or row is None:
        raise Refused(_("Nessuna fornitura è in questo comune: controllare come è scritto."))
    return row.city, town


def cities():
    """The cities in which there are supplies, each in one spelling."""
    spelling = pw.fn.MIN(SupplyPoint.city)
    query = SupplyPoint.select(spelling).where(SupplyPoint.town.is_null(False))
    return [each for (each,) in query.group_by(SupplyPoint.town).order_by(spelling).tuples()]


# -- Drafts --------------------------------------------------------------------------------


def prepare(operator_id, wanted, title, arrived, *, now, document=None, draft=None):
    """Make a draft, or change `draft`; return its id, or raise Refused.

    `arrived` are files as `document_files.received` gives them. Where there are none, `draft`
    keeps its own. `document` is the one that the draft changes.
    """
    items = _prepared(title, arrived, draft)
    if wanted.visible_from and wanted.visible_to and wanted.visible_to < wanted.visible_from:
        raise Refused(_("La pubblicazione finisce prima di iniziare: controllare i due giorni."))
    has_file = any(item.file for item in items) or (document is not None and document.file_id)
    if not (has_file or plain(wanted.source or "")):
        raise Refused(_("Scegliere almeno un file o scrivere un testo."))
    if document is not None and len(items) > 1:
        raise Refused(_("Al posto di un documento se ne può mettere uno solo: scegliere un file."))
    check_titles(wanted, items, document)
    with writing():
        row = DocumentDraft(
            id=draft and draft.id, operator=operator_id, document=document, made_at=now,
            content=_written(wanted, items),
        )  # fmt: skip
        row.save(force_insert=draft is None)
    return row.id


def _prepared(title, arrived, draft):
    """The Items of what was typed and chosen; many files have each a title from its name."""
    if len(arrived) > 1:
        return [Item(title_of(name), (path, name, *rest)) for path, name, *rest in arrived]
    if arrived:
        return [Item(title or title_of(arrived[0][1]), arrived[0])]
    if draft and len(draft.items) > 1:
        return draft.items
    if not title:
        raise Refused(_("Scrivere il titolo."))
    return [Item(title, draft.items[0].file if draft else None)]


def title_of(name):
    """A title made of the name of a file: `listino_2026-luce.pdf` is «listino 2026-luce»."""
    stem = name[:-4] if name.lower().endswith(".pdf") else name
    return text.one_line(stem.replace("_", " "))[: Document.title.max_length] or name


def check_titles(wanted, items, document=None):
    """A title stands once among the documents of a category, or of one customer."""
    titles = [item.title for item in items]
    whose = Document.customer == wanted.customer_id
    if wanted.customer_id is None:
        whose = Document.customer.is_null() & (Document.category == wanted.category)
    known = Document.select(Document.title).where(whose, Document.title.in_(titles))
    if document is not None:
        known = known.where(Document.id != document.id)
    taken = known.first()
    if taken:
        raise Refused(
            _("C'è già un documento con il titolo «%(title)s»: cambiare il titolo, o modificare "
              "quello.", title=taken.title)
        )  # fmt: skip
    if len(set(titles)) < len(titles):
        raise Refused(_("Due documenti hanno lo stesso titolo: cambiarne uno."))


def _written(wanted, items):
    content = {**wanted._asdict(), "items": items}
    return json.dumps(content, default=dt.date.isoformat, ensure_ascii=False)


def _read(content):
    content = json.loads(content)
    for name in ("date", "visible_from", "visible_to"):
        content[name] = content[name] and dt.date.fromisoformat(content[name])
    items = [Item(title, file and tuple(file)) for title, file in content.pop("items")]
    return Wanted(**content), items


def _items(row):
    return _read(row.content)[1]


def draft(key, *, now):
    """The draft with that id, whichever operator made it, or None."""
    lasting = DocumentDraft.made_at >= now - LASTING
    row = DocumentDraft.get_or_none((DocumentDraft.id == key) & lasting)
    return row and Draft(row.id, row.document, *_read(row.content))


def drafts(*, now):
    """(id, operator's name, instant, titles) of the drafts that wait, the latest first."""
    query = DocumentDraft.select(DocumentDraft, Operator.name).join(Operator)
    query = query.where(DocumentDraft.made_at >= now - LASTING)
    for row in query.order_by(DocumentDraft.id.desc()):
        yield row.id, row.operator.name, row.made_at, [item.title for item in _items(row)]


def forget_drafts(*, now):
    """Drop the drafts whose day is over."""
    with writing():
        DocumentDraft.delete().where(DocumentDraft.made_at < now - LASTING).execute()


def draft_files():
    """The paths of the files that drafts name."""
    return {item.file[0] for row in DocumentDraft.select() for item in _items(row) if item.file}


def retitle(draft, titles):
    """Give the documents of a draft other titles, in their order; return it as it is then."""
    titles = [text.one_line(title) for title in titles]
    longest = Document.title.max_length
    if len(titles) != len(draft.items) or not all(0 < len(each) <= longest for each in titles):
        raise Refused(
            _("Ogni documento ha bisogno di un titolo, di %(longest)s caratteri al massimo.",
              longest=longest)
        )  # fmt: skip
    items = [item._replace(title=title) for item, title in zip(draft.items, titles, strict=True)]
    check_titles(draft.wanted, items, draft.document)
    with writing():
        changed = {DocumentDraft.content: _written(draft.wanted, items)}
        DocumentDraft.update(changed).where(DocumentDraft.id == draft.id).execute()
    return draft._replace(items=items)


def drop(draft):
    """Forget a draft; its files are swept away later."""
    DocumentDraft.delete().where(DocumentDraft.id == draft.id).execute()


# -- Publishing ----------------------------------------------------------------------------


def publish(draft, *, now):
    """Make the documents of a draft what customers see; return them, or raise Refused."""
    with writing():
        waiting = locking(DocumentDraft.select().where(DocumentDraft.id == draft.id)).first()
        if waiting is None:
            raise Refused(_("Questa bozza non c'è più: forse è già stata pubblicata."))
        wanted, items = _read(waiting.content)
        if wanted.customer_id is not None:
            _refuse_erased(
                locking(Customer.select().where(Customer.id == wanted.customer_id)).get()
            )
        try:
            if draft.document is None:
                made = [_add(wanted, item, now) for item in items]
            else:
                made = [_change(draft.document, wanted, items[0], now)]
        except pw.IntegrityError:
            raise Refused(
                _("Nel frattempo è stato pubblicato un documento con lo stesso titolo: cambiarlo.")
            ) from None
        waiting.delete_instance()
        if wanted.customer_id is not None:
            for document in made:
                history.record("document_published", now=now, customer=wanted.customer_id,
                               title=document.title)  # fmt: skip
    return made


def _fields(wanted, item):
    words = plain(wanted.source) if wanted.source else None
    fields = {**wanted._asdict(), "title": item.title, "text": words}
    fields["customer"] = fields.pop("customer_id")
    return {**fields, "folded": documents.folded(item.title, words)}


def _stored(file):
    path, name, size, sha256 = file
    return StoredFile.create(path=path, name=name, size=size, sha256=sha256)


def _add(wanted, item, now):
    file = item.file and _stored(item.file)
    return Document.create(**_fields(wanted, item), file=file, added_at=now)


def _change(document, wanted, item, now):
    """What was withdrawn is published anew; what customers can read already stays as old."""
    replaced = document.file_id
    fields = _fields(wanted, item)
    if item.file:
        fields["file"] = _stored(item.file)
    if document.withdrawn_at is not None:
        fields |= {"withdrawn_at": None, "added_at": now}
    Document.update(fields).where(Document.id == document.id).execute()
    if item.file and replaced:
        _let_go(replaced)
    return Document.get_by_id(document.id)


def withdraw(document, *, now):
    """Take a document away from those who saw it; it can be published again."""
    with writing():
        shown = (Document.id == document.id) & Document.withdrawn_at.is_null()
        withdrawn = Document.update(withdrawn_at=now).where(shown).execute()
        if withdrawn and document.customer_id is not None:
            history.record(
                "document_withdrawn", now=now, customer=document.customer_id, title=document.title
            )


def delete(document):
    """Forget a document and, if nothing else has it, its file."""
    with writing():
        Document.delete().where(Document.id == document.id).execute()
        if document.file_id:
            _let_go(document.file_id)


def _let_go(file_id):
    """Forget a file that came from the desk and that no document has any more."""
    used = Document.select().where(Document.file == file_id).exists()
    used = used or Invoice.select().where(Invoice.document == file_id).exists()
    if not used:
        ours = StoredFile.path.startswith(f"{FOLDER}/")
        StoredFile.delete().where(StoredFile.id == file_id, ours).execute()
