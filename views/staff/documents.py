"""«Documenti e avvisi»: all of them, and one as customers see it. New ones: publishing.py."""

from flask import Blueprint, abort, flash, redirect, render_template
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from domain import documents, published, publishing
from domain.clock import rome_day, utcnow
from domain.notation import day
from models import StoredFile
from views import files
from views.documents import article, excerpt
from views.errors import Missing
from views.filters import among, words
from views.htmx import page_or_partial
from views.paging import TableState, number
from views.staff.access import noted, noting, operator_required

bp = Blueprint("staff_documents", __name__, url_prefix="/staff/documenti")

HERE = "/staff/documenti"
FRAME = {"page": "documenti", "title": _l("Documenti e avvisi")}
CATEGORIES = {
    documents.NOTICES: _l("Comunicati"),
    documents.INFO: _l("Informazioni"),
    documents.FORMS: _l("Modulistica"),
    documents.RULES: _l("Normative"),
    documents.PERSONAL: _l("I miei documenti"),
}
STATES = {  # the words of each and its kind of badge
    published.PUBLISHED: (_l("Pubblicato"), "ok"),
    published.FUTURE: (_l("Programmato"), "info"),
    published.EXPIRED: (_l("Scaduto"), "off"),
    published.WITHDRAWN: (_l("Ritirato"), "off"),
}
FILTERS = {
    "categoria": among(CATEGORIES),
    "stato": among(STATES),
    "cliente": words,
    "cerca": words,
}


def init_app(app):
    app.register_blueprint(bp)


@bp.get("")
@operator_required
def index():
    table, today = TableState(HERE, published.SORTS, filters=FILTERS), rome_day(utcnow())
    asked = {
        "today": today,
        "category": table.filters["categoria"],
        "state": table.filters["stato"],
        "customer": table.filters["cliente"],
        "search": table.filters["cerca"] or "",
    }
    total = published.count(**asked)
    table.stay_within(total)
    rows = published.page(sort=table.sort, limit=table.rows, offset=table.offset, **asked)
    return page_or_partial(
        "staff/documents/index.html",
        "staff/documents/_documents.html",
        **FRAME,
        table=table,
        rows=[(row, *told(row, today)) for row in rows],
        total=total,
        categories=CATEGORIES,
        states=STATES,
        drafts=list(publishing.drafts(now=utcnow())),
    )


def told(row, today):
    """The state of a document as a word and a kind of badge, and for whom it is."""
    words, kind = STATES[published.state(row, today)]
    return words, kind, whom(row, row.customer_code)


def whom(row, customer_code):
    """For whom a document is, in few words."""
    return {
        published.ALL: lambda: _("tutti"),
        published.ELECTRICITY: lambda: _("energia elettrica"),
        published.GAS: lambda: _("gas"),
        published.TOWN: lambda: _("comune di %(city)s", city=row.city),
        published.CUSTOMER: lambda: _("cliente %(code)s", code=customer_code),
    }[published.audience(row)]()


# -- One of them ---------------------------------------------------------------------------


def found_or_404(key):
    document = published.one(number(key, 0))
    return document or abort(404)


def code_of(document):
    """The code of the customer whose own a document is, or None."""
    return document.customer and document.customer.code


@bp.get("/<key>")
@operator_required
def read(key):
    document, today = found_or_404(key), rome_day(utcnow())
    if document.customer_id is not None:
        noted("document_read", customer=code_of(document), document=document.id)
    state, kind = STATES[published.state(document, today)]
    pdf = f"{HERE}/{document.id}/pdf" if document.file_id else None
    return render_template(
        "staff/documents/read.html",
        **FRAME | {"title": document.title},
        document=document,
        state=state,
        kind=kind,
        whom=whom(document, code_of(document)),
        category=CATEGORIES[document.category],
        reached=documents.reached_accounts(document, today).count(),
        shown=as_customers_see(document.title, document, document.text, pdf),
        here=f"{HERE}/{document.id}",
    )


def as_customers_see(title, content, text, pdf):
    """A document, or what a draft has, in the list and opened; `pdf`: its address, if any."""
    row = {
        "title": title,
        "day": day(content.date),
        "excerpt": excerpt(text and text[: documents.EXCERPT + 1]),
        "has_file": pdf,
        "is_new": True,
    }
    return row, article(title, content.date, content.source, text, pdf)


@bp.get("/<key>/pdf")
@operator_required
def pdf(key):
    document = found_or_404(key)
    stored = document.file_id and StoredFile.get_or_none(StoredFile.id == document.file_id)
    path = stored and files.on_disk(stored)
    if not path:
        raise Missing(_("Il file di questo documento non è sul disco del server."))
    if document.customer_id is not None:
        noted("document_read", customer=code_of(document), document=document.id)
    return files.send_stored(stored, path)


@bp.post("/<key>/ritira")
@operator_required
def withdraw(key):
    document = found_or_404(key)
    with noting("document_withdrawn", customer=code_of(document), document=document.id):
        publishing.withdraw(document, now=utcnow())
    flash(_("Documento ritirato: i clienti non lo vedono più."))
    return redirect(f"{HERE}/{document.id}", 303)


@bp.post("/<key>/elimina")
@operator_required
def delete(key):
    document = found_or_404(key)
    with noting("document_deleted", customer=code_of(document), document=document.id):
        publishing.delete(document)
    flash(_("Documento eliminato."))
    return redirect(HERE, 303)
