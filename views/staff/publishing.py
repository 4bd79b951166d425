"""New «Documenti e avvisi», and changes: typed into a form, looked at as a draft, published."""

from flask import Blueprint, abort, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from domain import document_files, formatting, published, publishing
from domain.clock import rome_day, utcnow
from domain.documents import PERSONAL, reached_accounts
from domain.errors import Refused
from forms import PublicationForm
from models import Customer, StoredFile
from views import files
from views.filters import words
from views.paging import number
from views.staff import documents
from views.staff.access import current_operator, noting, operator_required
from views.staff.documents import (
    CATEGORIES,
    FRAME,
    HERE,
    as_customers_see,
    code_of,
    found_or_404,
    whom,
)

bp = Blueprint("staff_publishing", __name__, url_prefix=HERE)

AUDIENCES = {
    published.ALL: _l("a tutti i clienti"),
    published.ELECTRICITY: _l("a chi ha una fornitura di energia elettrica"),
    published.GAS: _l("a chi ha una fornitura di gas"),
    published.TOWN: _l("a chi ha una fornitura in un comune"),
    published.CUSTOMER: _l("a un solo cliente"),
}


def init_app(app):
    app.register_blueprint(bp)


# -- Written -------------------------------------------------------------------------------


@bp.get("/nuovo")
@operator_required
def new():
    """Empty, or for the customer whose code is in the address."""
    values, code = {"date": rome_day(utcnow()).isoformat()}, words(request.args.get("cliente", ""))
    if code:
        values |= {"audience": published.CUSTOMER, "customer": code}
    return form_page(publication_form(MultiDict(values)), back=HERE)


@bp.post("/nuovo")
@files.takes_files
@operator_required
def prepare():
    return prepared(back=HERE)


@bp.get("/<key>/modifica")
@operator_required
def edit(key):
    document = found_or_404(key)
    form = publication_form(typed(document, document.title, code_of(document), document.text))
    return form_page(form, document=document, back=f"{HERE}/{document.id}")


@bp.post("/<key>/modifica")
@files.takes_files
@operator_required
def prepare_change(key):
    document = found_or_404(key)
    return prepared(document=document, back=f"{HERE}/{document.id}")


def prepared(*, back, document=None, draft=None):
    """Make or change a draft of what was typed, and go to it."""
    form, now = publication_form(request_form()), utcnow()
    kept = {"back": back, "document": document, "draft": draft}
    if not form.validate():
        return form_page(form, **kept), 422
    try:
        wanted = meant(form)
        with document_files.received(form.given, files.documents_folder(), now=now) as arrived:
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
    return redirect(f"{HERE}/bozze/{key}", 303)


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
    form.category.choices = [(key, label) for key, label in CATEGORIES.items() if key != PERSONAL]
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
        most=document_files.MOST,
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
    here, wanted = f"{HERE}/bozze/{draft.id}", draft.wanted
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
        reached=reached_accounts(wanted, rome_day(utcnow())).count(),
        here=here,
    )


@bp.get("/bozze/<key>/pdf/<place>")
@operator_required
def draft_pdf(key, place):
    draft, place = draft_or_404(key), number(place, document_files.MOST)
    item = draft.items[place] if place < len(draft.items) else abort(404)
    if item.file is None:
        return documents.pdf(str(draft.document.id)) if draft.document else abort(404)
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
        form, document=draft.document, draft=draft, back=f"{HERE}/bozze/{draft.id}"
    )  # fmt: skip


@bp.post("/bozze/<key>/modifica")
@files.takes_files
@operator_required
def change_draft(key):
    draft = draft_or_404(key)
    return prepared(document=draft.document, draft=draft, back=f"{HERE}/bozze/{draft.id}")


@bp.post("/bozze/<key>")
@operator_required
def retitle(key):
    draft = draft_or_404(key)
    try:
        retitled(draft)
    except Refused as refusal:
        return preview_page(draft, refusal), 422
    return redirect(f"{HERE}/bozze/{draft.id}", 303)


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
        return redirect(HERE, 303)
    flash(_("Documento pubblicato."))
    return redirect(f"{HERE}/{made[0].id}", 303)


@bp.post("/bozze/<key>/annulla")
@operator_required
def drop(key):
    draft = draft_or_404(key)
    publishing.drop(draft)
    flash(_("Bozza eliminata: non è stato pubblicato niente."))
    return redirect(f"{HERE}/{draft.document.id}" if draft.document else HERE, 303)
