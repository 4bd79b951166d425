"""«Documenti e avvisi»: all of them, new ones, what customers will see of them."""

from flask import Blueprint, abort, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from domain import documents, formatting, published, publishing
from domain.clock import rome_day, utcnow
from domain.errors import Refused
from forms import PublicationForm
from models import Customer, StoredFile
from views import files
from views.documents import article, excerpt
from views.errors import Missing
from views.format import day
from views.htmx import page_or_partial
from views.paging import TableState, number
from views.staff.access import current_operator, noted, noting, operator_required

bp = Blueprint("staff_documents", __name__, url_prefix="/staff/documenti")

HOME = "/staff/documenti"
FRAME = {"page": "documenti", "title": _l("Documenti e avvisi")}
CATEGORIES = {
    documents.NOTICES: _l("Comunicati"),
    documents.INFO: _l("Informazioni"),
    documents.FORMS: _l("Modulistica"),
    documents.RULES: _l("Normative"),
    documents.PERSONAL: _l("I miei documenti"),
}
AUDIENCES = {
    published.ALL: _l("a tutti i clienti"),
    published.ELECTRICITY: _l("a chi ha una fornitura di energia elettrica"),
    published.GAS: _l("a chi ha una fornitura di gas"),
    published.TOWN: _l("a chi ha una fornitura in un comune"),
    published.CUSTOMER: _l("a un solo cliente"),
}
STATES = {  # the words of each and its kind of badge
    published.PUBLISHED: (_l("in pubblicazione"), "ok"),
    published.FUTURE: (_l("futuro"), "wait"),
    published.EXPIRED: (_l("scaduto"), "info"),
    published.WITHDRAWN: (_l("ritirato"), "no"),
}
LONGEST = 100


def among(choices):
    return lambda text: text if text in choices else None


FILTERS = {
    "categoria": among(CATEGORIES),
    "stato": among(STATES),
    "cliente": lambda text: text.strip().replace("\x00", "")[:LONGEST],
    "cerca": lambda text: text.strip()[:LONGEST],
}


def init_app(app):
    app.register_blueprint(bp)


@bp.get("")
@operator_required
def index():
    table, today = TableState(HOME, published.SORTS, filters=FILTERS), rome_day(utcnow())
    asked = {
        "today": today,
        "category": table.filters["categoria"],
        "state": table.filters["stato"],
        "customer": table.filters["cliente"],
        "search": table.filters["cerca"],
    }
    total = published.count(**asked)
    table.page = min(table.page, table.pages(total))
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
    pdf = f"{HOME}/{document.id}/pdf" if document.file_id else None
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
        here=f"{HOME}/{document.id}",
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
    return redirect(f"{HOME}/{document.id}", 303)


@bp.post("/<key>/elimina")
@operator_required
def delete(key):
    document = found_or_404(key)
    with noting("document_deleted", customer=code_of(document), document=document.id):
        publishing.delete(document)
    flash(_("Documento eliminato."))
    return redirect(HOME, 303)


# -- Written -------------------------------------------------------------------------------


@bp.get("/nuovo")
@operator_required
def new():
    today = rome_day(utcnow()).isoformat()
    return form_page(publication_form(MultiDict({"date": today})), back=HOME)


@bp.post("/nuovo")
@files.takes_files
@operator_required
def prepare():
    return prepared(back=HOME)


@bp.get("/<key>/modifica")
@operator_required
def edit(key):
    document = found_or_404(key)
    form = publication_form(typed(document, document.title, code_of(document), document.text))
    return form_page(form, document=document, back=f"{HOME}/{document.id}")


@bp.post("/<key>/modifica")
@files.takes_files
@operator_required
def prepare_change(key):
    document = found_or_404(key)
    return prepared(document=document, back=f"{HOME}/{document.id}")


def prepared(*, back, document=None, draft=None):
    """Make or change a draft of what was typed, and go to it."""
    form, now = publication_form(request_form()), utcnow()
    kept = {"back": back, "document": document, "draft": draft}
    if not form.validate():
        return form_page(form, **kept), 422
    try:
        wanted = meant(form)
        with publishing.received(form.given, files.documents_folder(), now=now) as arrived:
            key = publishing.prepare(
                current_operator().operator,
                wanted,
                form.title.data,
                arrived,
                now=now,
                document=document,
                draft=draft,
            )
    except Refused as refusal:
        return form_page(form, refusal, **kept), 422
    return redirect(f"{HOME}/bozze/{key}", 303)


def meant(form):
    """What a form asks to be published and for whom."""
    return publishing.wanted(
        form.audience.data,
        category=form.category.data,
        city=form.city.data,
        customer_code=form.customer.data,
        date=form.date.data,
        source=form.text.data,
        visible_from=form.since.data,
        visible_to=form.until.data,
    )


def typed(content, title, customer_code, text=None):
    """A document, or what a draft has, as it would be typed into the form."""
    values = {
        "title": title,
        "text": content.source or text,
        "audience": published.audience(content),
        "category": content.category,
        "city": content.city,
        "customer": customer_code,
        "date": content.date,
        "since": content.visible_from,
        "until": content.visible_to,
    }
    return MultiDict({name: str(value) for name, value in values.items() if value is not None})


def request_form():
    given = MultiDict(request.form)
    given.setlist("files", request.files.getlist("files"))
    return given


def publication_form(values):
    form = PublicationForm(values)
    form.audience.choices = list(AUDIENCES.items())
    form.category.choices = [
        (key, label) for key, label in CATEGORIES.items() if key != documents.PERSONAL
    ]
    return form


def form_page(form, refusal=None, *, back, document=None, draft=None):
    return render_template(
        "staff/documents/form.html",
        **FRAME,
        form=form,
        refusal=refusal,
        document=document,
        draft=draft,
        back=back,
        cities=publishing.cities(),
        most=publishing.MOST,
    )


# -- Drafts --------------------------------------------------------------------------------


def draft_or_404(key):
    found = publishing.draft(number(key, 0), now=utcnow())
    return found or abort(404)


def code_meant(wanted):
    """The code of the customer whom a draft is for, or None."""
    customer = wanted.customer_id and Customer.get_or_none(Customer.id == wanted.customer_id)
    return customer and customer.code


@bp.get("/bozze/<key>")
@operator_required
def preview(key):
    return preview_page(draft_or_404(key))


def preview_page(draft, refusal=None):
    here, wanted = f"{HOME}/bozze/{draft.id}", draft.wanted
    kept = draft.document and draft.document.file_id
    text = formatting.plain(wanted.source) if wanted.source else None
    return render_template(
        "staff/documents/preview.html",
        **FRAME | {"title": _("Anteprima")},
        draft=draft,
        refusal=refusal,
        shown=[
            as_customers_see(
                item.title, wanted, text, f"{here}/pdf/{place}" if item.file or kept else None
            )
            for place, item in enumerate(draft.items)
        ],
        whom=whom(wanted, code_meant(wanted)),
        category=CATEGORIES[wanted.category],
        reached=documents.reached_accounts(wanted, rome_day(utcnow())).count(),
        here=here,
    )


@bp.get("/bozze/<key>/pdf/<place>")
@operator_required
def draft_pdf(key, place):
    draft, place = draft_or_404(key), number(place, publishing.MOST)
    item = draft.items[place] if place < len(draft.items) else abort(404)
    if item.file is None:
        return pdf(str(draft.document.id)) if draft.document else abort(404)
    path, name, size, sha256 = item.file
    stored = StoredFile(path=path, name=name, size=size, sha256=sha256)
    return files.send_stored(stored, files.on_disk(stored) or abort(404))


@bp.get("/bozze/<key>/modifica")
@operator_required
def edit_draft(key):
    draft = draft_or_404(key)
    title = draft.items[0].title if len(draft.items) == 1 else None
    form = publication_form(typed(draft.wanted, title, code_meant(draft.wanted)))
    return form_page(
        form, document=draft.document, draft=draft, back=f"{HOME}/bozze/{draft.id}"
    )  # fmt: skip


@bp.post("/bozze/<key>/modifica")
@files.takes_files
@operator_required
def change_draft(key):
    draft = draft_or_404(key)
    return prepared(document=draft.document, draft=draft, back=f"{HOME}/bozze/{draft.id}")


@bp.post("/bozze/<key>")
@operator_required
def retitle(key):
    draft = draft_or_404(key)
    try:
        retitled(draft)
    except Refused as refusal:
        return preview_page(draft, refusal), 422
    return redirect(f"{HOME}/bozze/{draft.id}", 303)


def retitled(draft):
    """A draft with the titles that were typed, where its page asks for them."""
    titles = request.form.getlist("title")
    return publishing.retitle(draft, titles) if titles else draft


@bp.post("/bozze/<key>/pubblica")
@operator_required
def publish(key):
    draft = draft_or_404(key)
    kind = "document_changed" if draft.document else "document_published"
    try:
        draft = retitled(draft)
        with noting(kind, customer=code_meant(draft.wanted)) as details:
            made = publishing.publish(draft, now=utcnow())
            details["documents"] = ", ".join(str(document.id) for document in made)
    except Refused as refusal:
        return preview_page(draft, refusal), 422
    if len(made) > 1:
        flash(_("Pubblicati %(count)s documenti.", count=len(made)))
        return redirect(HOME, 303)
    flash(_("Documento pubblicato."))
    return redirect(f"{HOME}/{made[0].id}", 303)


@bp.post("/bozze/<key>/annulla")
@operator_required
def drop(key):
    draft = draft_or_404(key)
    publishing.drop(draft)
    flash(_("Bozza eliminata: non è stato pubblicato niente."))
    return redirect(f"{HOME}/{draft.document.id}" if draft.document else HOME, 303)
