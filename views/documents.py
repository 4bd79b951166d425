"""«I miei documenti» and «Documentazione Generica»: lists to search, notices to read, files."""

import re
from functools import partial

from flask import Blueprint, abort, render_template
from flask_babel import gettext as _
from flask_login import current_user, login_required

from domain import documents, formatting
from domain.clock import rome_day, utcnow
from domain.notation import day
from models import StoredFile
from views import files
from views.errors import Missing
from views.filters import words
from views.frame import MENU, customer_of, listed_supply
from views.htmx import page_or_partial
from views.paging import TableState, number

bp = Blueprint("documents", __name__, url_prefix="/forniture/<supply_code>")

PAGES = {
    "documenti": documents.PERSONAL,
    "modulistica": documents.FORMS,
    "normative": documents.RULES,
    "comunicati": documents.NOTICES,
    "informazioni": documents.INFO,
}
TITLES = {path: label for path, label, _group in MENU if path in PAGES}
FILTERS = {"cerca": words}
WEB_ADDRESS = re.compile(r"""(https://[^\s<>"«»]*[^\s<>"«».,;:!?)])""")


def init_app(app):
    app.register_blueprint(bp)


def on_each_page(path=""):
    """A view at `path` under each of PAGES, which is its first argument."""

    def register(view):
        for page in PAGES:
            guarded = login_required(partial(view, page))
            bp.add_url_rule(f"/{page}{path}", f"{page}_{view.__name__}", guarded)
        return view

    return register


@on_each_page()
def index(page, supply_code):
    whose, today = scope(page, supply_code), rome_day(utcnow())
    table = TableState(f"/forniture/{supply_code}/{page}", documents.SORTS, filters=FILTERS)
    search = table.filters["cerca"] or ""
    total = documents.count(*whose, today=today, search=search)
    table.stay_within(total)
    asked = {"sort": table.sort, "search": search, "limit": table.rows, "offset": table.offset}
    return page_or_partial(
        "documents/index.html",
        "documents/_documents.html",
        supply=listed_supply(supply_code),
        page=page,
        title=TITLES[page],
        table=table,
        total=total,
        rows=[written(row, table.path) for row in documents.page(*whose, today=today, **asked)],
    )


def written(row, path):
    """A document as the list writes it."""
    return {
        "title": row.title,
        "day": day(row.date),
        "excerpt": excerpt(row.text),
        "address": f"{path}/{row.id}",
        "has_file": row.file is not None,
        "is_new": documents.is_new(row, current_user.previous_access_at),
    }


def excerpt(text):
    """The beginning of a text on one line, up to the end of a word."""
    if text is None or len(text) <= documents.EXCERPT:
        return text
    return text[: documents.EXCERPT].rsplit(maxsplit=1)[0] + " …"


def scope(page, supply_code):
    """The category of a page, and the id of the customer whose documents it shows."""
    return PAGES[page], customer_of(listed_supply(supply_code))


def shown_or_404(page, supply_code, key):
    """The document of the address, if its page lists it today."""
    found = documents.one(*scope(page, supply_code), number(key, 0), today=rome_day(utcnow()))
    if found is None:
        abort(404)
    return found


@on_each_page("/<key>")
def read(page, supply_code, key):
    found, back = shown_or_404(page, supply_code, key), f"/forniture/{supply_code}/{page}"
    pdf = f"{back}/{found.id}/pdf" if found.file else None
    return render_template(
        "documents/read.html",
        supply=listed_supply(supply_code),
        page=page,
        title=found.title,
        document=article(found.title, found.date, found.source, found.text, pdf),
        back=back,
    )


def article(title, date, source, text, pdf):
    """A document as it is opened; `source` is its text as the desk wrote it, if it did."""
    return {
        "title": title,
        "date": date,
        "formatted": formatting.formatted(source) if source else None,
        "pieces": [] if source else linked(text or ""),
        "pdf": pdf,
    }


def linked(text):
    """(piece, whether it is a web address) of a text, in its order."""
    pieces = WEB_ADDRESS.split(text)
    return [(piece, place % 2 == 1) for place, piece in enumerate(pieces) if piece]


@on_each_page("/<key>/pdf")
def pdf(page, supply_code, key):
    document = shown_or_404(page, supply_code, key)
    stored = StoredFile.get_or_none(StoredFile.id == document.file)
    path = stored and files.on_disk(stored)
    if not path:
        raise Missing(
            _(
                "Questo documento al momento non è disponibile. "
                "È possibile richiederlo al servizio clienti."
            )
        )
    _category, customer = scope(page, supply_code)
    return files.noted(
        files.send_stored(stored, path),
        "document_downloaded",
        customer=customer,
        supply=None,
        title=document.title,
    )
