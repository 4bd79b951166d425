"""«Registro attività»: who read or changed what at the desk."""

from flask import Blueprint
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from domain import register, register_sentences
from domain.clock import ROME, rome_day, utcnow
from domain.formats.sheets import Column
from domain.notation import moment
from views import files, filters
from views.htmx import page_or_partial
from views.paging import TableState
from views.staff.access import noting, operator_required

bp = Blueprint("staff_register", __name__, url_prefix="/staff/registro")

HERE = "/staff/registro"
FRAME = {"page": "registro", "title": _l("Registro attività")}


FILTERS = {
    "operatore": filters.words,
    "tipo": filters.among(register.KINDS),
    "cliente": filters.words,
    "dal": filters.day,
    "al": filters.day,
}


def init_app(app):
    app.register_blueprint(bp)


@bp.get("")
@operator_required
def index():
    table = TableState(HERE, ("-riga",), filters=FILTERS)
    query = asked(table)
    total = query.count()
    table.stay_within(total)
    return page_or_partial(
        "staff/register/index.html",
        "staff/register/_entries.html",
        table=table,
        total=total,
        rows=[written(row) for row in query.limit(table.rows).offset(table.offset)],
        kinds=sorted((str(told.label), kind) for kind, told in register_sentences.TOLD.items()),
        operators=register.operators(),
        check=register.last_check(),
        download=table.href(pag=1, righe=20).replace(HERE, f"{HERE}/csv", 1),
        **FRAME,
    )


@bp.get("/csv")
@operator_required
def as_csv():
    """What the filters show, with the seals; that it left is an entry too."""
    query = asked(TableState(HERE, ("-riga",), filters=FILTERS))
    with noting("register_downloaded") as told:
        told["count"] = query.count()
        last, _seal = register.head()
    name = _("registro attività %(day)s.csv", day=rome_day(utcnow()).isoformat())
    rows = register.up_to(query, last)
    return files.send_excel_csv(name, columns(), (as_cells(row) for row in rows))


def asked(table):
    operator, kind, customer, since, until = table.filters.values()
    return register.entries(
        operator=operator, kind=kind, customer=customer, since=since, until=until
    )


def written(row):
    """An entry as the list writes it: number, when, who, kind, sentence, customer."""
    return (
        row.number,
        moment(row.at),
        row.operator,
        register_sentences.label(row.kind),
        register_sentences.sentence(row.kind, row.details),
        row.customer_code or "",
    )


def as_cells(row):
    number, _when, *told = written(row)
    when = row.at.astimezone(ROME).replace(tzinfo=None, microsecond=0)
    return [number, when, *map(str, told), row.seal]


def columns():
    titles = (
        _("Riga"),
        _("Quando"),
        _("Operatore"),
        _("Tipo"),
        _("Che cosa"),
        _("Cliente"),
        _("Sigillo"),
    )
    return [Column(title) for title in titles]
