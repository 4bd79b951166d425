"""«Caricamenti»: files from the browser, tried first; held ones; what became of each file."""

import datetime as dt

from flask import Blueprint, current_app, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from domain.clock import utcnow
from domain.errors import Refused
from domain.formats import errors_csv
from domain.imports import held, imported, inbox, uploads
from models import ImportedFile, UploadedFile
from views.errors import Missing
from views.files import send_made, takes_archives
from views.filters import among
from views.htmx import page_or_partial
from views.paging import TableState, last_page, number
from views.staff.access import current_operator, noting, operator_required

bp = Blueprint("staff_uploads", __name__, url_prefix="/staff/caricamenti")

HERE = "/staff/caricamenti"
FRAME = {"page": "caricamenti", "title": _l("Caricamenti")}
MOST_FILES = 40  # at once; below MAX_FORM_PARTS
MOST_NAMED = 10  # of the inbox
DAYS = {1: _l("ultime 24 ore"), 7: _l("ultimi 7 giorni"), 30: _l("ultimi 30 giorni")}
KINDS = (*inbox.KINDS, inbox.E_INVOICE, inbox.FLOW)
# The look of each outcome and its word: of an import, and of a trial.
OUTCOMES = {
    "applied": ("ok", _l("Importato"), _l("Senza errori")),
    "rejected": ("no", _l("Scartato"), _l("Con errori")),
    "held": ("wait", _l("Sospeso"), _l("Da confermare")),
    "repeated": ("info", _l("Già importato"), _l("Già importato")),
    "left": ("wait", _l("Lasciato"), _l("Non letto")),
}
FILTERS = {
    "stato": among(imported.STATES),
    "tipo": among(KINDS),
    "giorni": lambda text: among(DAYS)(number(text, None)),
}
PROBLEMS = {"errori": "errors", "avvisi": "warnings"}


def init_app(app):
    app.register_blueprint(bp)


def data_dir():
    return current_app.config["DATA_DIR"]


def inbox_folder():
    return data_dir() / "inbox"


# -- The list ------------------------------------------------------------------------------


@bp.get("")
@operator_required
def index():
    table = TableState(HERE, imported.SORTS, filters=FILTERS)
    rows = imports(table, limit=table.rows, offset=table.offset)
    if not rows and table.page > 1:
        return last_page(table, imports(table, limit=1))
    return page_or_partial(
        "staff/uploads/index.html", "staff/uploads/_imports.html", **listed(table, rows)
    )


def imports(table, **some):
    """The imported files that `table` asks for."""
    state, kind, days = (table.filters[name] for name in FILTERS)
    since = utcnow() - dt.timedelta(days=days) if days else None
    return imported.page(sort=table.sort, state=state, kind=kind, since=since, **some)


def listed(table, rows, refusals=()):
    """What the list needs; what only the whole page shows is read by it."""
    return {
        **FRAME,
        "table": table,
        "rows": rows,
        "states": imported.STATES,
        "outcomes": OUTCOMES,
        "kinds": KINDS,
        "days": DAYS,
        "refusals": refusals,
        "waiting": uploads.waiting(),
        "kind_of_upload": uploads.kind,
        "held": held.waiting().order_by(ImportedFile.id.desc()),
        "queue": inbox.waiting(inbox_folder()),
        "most_named": MOST_NAMED,
        "most_files": MOST_FILES,
    }


# -- Sending -------------------------------------------------------------------------------


@bp.post("")
@takes_archives
@operator_required
def upload():
    given = [each for each in request.files.getlist("files") if each.filename]
    kept, refusals = [], []
    if not 0 < len(given) <= MOST_FILES:
        refusals.append(_("Scegliere da 1 a %(most)s file.", most=MOST_FILES))
        given = []
    # Documents first: the rows of a table may name them.
    for file in sorted(given, key=lambda each: not uploads.is_document(each.filename)):
        try:
            kept.append(keep(file))
        except Refused as refusal:
            refusals.append(str(refusal))
    try_now(filter(None, kept))
    return answer(kept, refusals)


def keep(file):
    """The row of a file that came, None for a PDF, which needs none; or Refused."""
    with (
        uploads.received(data_dir(), file.filename, file.stream) as arrived,
        noting("file_uploaded", name=arrived.name, sha256=arrived.sha256, size=arrived.size),
    ):
        operator = current_operator().username
        return uploads.keep(data_dir(), arrived, operator=operator, now=utcnow())


def answer(kept, refusals):
    """To the one file that came, else to the list; what was refused is told there."""
    if kept:
        flash(_("File arrivati: %(count)s.", count=len(kept)))
    if refusals:
        table = TableState(HERE, imported.SORTS, filters=FILTERS, args={})
        page = listed(table, imports(table, limit=table.rows), refusals)
        return render_template("staff/uploads/index.html", **page), 422
    rows = [row for row in kept if row]
    return redirect(address_of(rows[0]) if len(rows) == 1 else HERE, 303)


# -- A file that waits ---------------------------------------------------------------------


def address_of(upload):
    return f"{HERE}/attesa/{upload.id}"


def upload_or_404(key):
    row = UploadedFile.get_or_none(UploadedFile.id == number(key, 0))
    if row is None:
        raise Missing(_("Il file non è più in attesa: è stato caricato o scartato."))
    return row


@bp.get("/attesa/<key>")
@operator_required
def waiting(key):
    row = upload_or_404(key)
    return report_page(
        "staff/uploads/upload.html",
        address_of(row),
        row,
        kind=uploads.kind(row),
        kinds=list(inbox.KINDS),
        kept=uploads.KEPT.days,
        undecided=False,
    )


def report_page(template, path, row, **more):
    """The page of a file, or the table of its problems alone."""
    table = TableState(path, ("riga",), filters={"mostra": among(PROBLEMS)})
    told = imported.told(row.report)
    problems = imported.problems(told, PROBLEMS.get(table.filters["mostra"]))
    table.stay_within(len(problems))
    return page_or_partial(
        template,
        "staff/uploads/_problems.html",
        **FRAME,
        row=row,
        told=told,
        outcomes=OUTCOMES,
        table=table,
        total=len(problems),
        problems=problems[table.offset : table.offset + table.rows],
        **more,
    )


@bp.get("/attesa/<key>/errori.csv")
@operator_required
def waiting_errors(key):
    return errors_of(upload_or_404(key))


def errors_of(row):
    content = errors_csv.write(imported.told(row.report).get("errors", ()))
    return send_made(content, f"{row.name}.errori.csv", "text/csv")


@bp.post("/attesa/<key>/prova")
@operator_required
def try_again(key):
    row = upload_or_404(key)
    try_now([row])
    return redirect(address_of(row), 303)


def try_now(rows):
    """Try the files of `rows` that do not take long."""
    vat = current_app.config["UTILITY_VAT"]
    try:
        uploads.try_small(data_dir(), rows, utility_vat=vat, now=utcnow())
    except Refused as refusal:
        flash(str(refusal), "warning")


@bp.post("/attesa/<key>/tipo")
@operator_required
def choose_kind(key):
    row = upload_or_404(key)
    try:
        uploads.choose_kind(data_dir(), row, request.form.get("kind", ""))
    except Refused as refusal:
        flash(str(refusal), "warning")
        return redirect(address_of(row), 303)
    return try_again(key)


@bp.post("/attesa/<key>/carica")
@operator_required
def load(key):
    row = upload_or_404(key)
    done = _("«%(name)s» è in inbox: la prossima importazione lo prende.")
    return settle(row, "file_loaded", lambda: uploads.load(data_dir(), row), done)


@bp.post("/attesa/<key>/scarta")
@operator_required
def discard(key):
    row = upload_or_404(key)
    done = _("«%(name)s» è stato scartato.")
    return settle(row, "file_discarded", lambda: uploads.remove(row), done)


def settle(row, kind, act, done):
    """Do `act`, after which the file waits no more; written in the register as `kind`."""
    try:
        with noting(kind, name=row.name, sha256=row.sha256):
            act()
    except Refused as refusal:
        flash(str(refusal), "warning")
        return redirect(address_of(row), 303)
    uploads.forget(data_dir(), row.folder)
    flash(done % {"name": row.name})
    return redirect(HERE, 303)


# -- A file that was imported, rejected or held --------------------------------------------


def imported_or_404(key):
    row = ImportedFile.get_or_none(ImportedFile.id == number(key, 0))
    if row is None:
        raise Missing(_("Di questo file non c'è nessun rapporto."))
    return row


@bp.get("/<key>")
@operator_required
def report(key):
    row = imported_or_404(key)
    undecided = held.waiting().where(ImportedFile.id == row.id).exists()
    return report_page(
        "staff/uploads/report.html", f"{HERE}/{row.id}", row, kind=row.kind, undecided=undecided
    )


@bp.get("/<key>/errori.csv")
@operator_required
def errors(key):
    return errors_of(imported_or_404(key))


@bp.post("/<key>/conferma")
@operator_required
def confirm(key):
    done = _("«%(name)s» è confermato: la prossima importazione lo prende.")
    return decide(key, "file_confirmed", held.confirm, done)


@bp.post("/<key>/scarta")
@operator_required
def discard_held(key):
    done = _("«%(name)s» è stato scartato: è in inbox/scartati.")
    return decide(key, "file_discarded", held.discard, done)


def decide(key, kind, verb, done):
    row = imported_or_404(key)
    try:
        with noting(kind, name=row.name, sha256=row.sha256):
            verb(row.id, inbox=inbox_folder(), now=utcnow())
    except Refused as refusal:
        flash(str(refusal), "warning")
    else:
        flash(done % {"name": row.name})
    return redirect(f"{HERE}/{row.id}", 303)
