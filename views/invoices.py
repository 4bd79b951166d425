"""«Elenco fatture»: the list, its documents one by one or as a ZIP, and how to pay."""

from flask import Blueprint, abort, current_app, flash, redirect, request
from flask_babel import gettext as _
from flask_login import current_user, login_required

from domain import history, invoices
from domain.clock import rome_day, utcnow
from domain.notation import day, money
from models import StoredFile
from views import files
from views.errors import Missing
from views.filters import among
from views.frame import customer_of, listed_supply
from views.htmx import page_or_partial
from views.paging import TableState, number

bp = Blueprint("invoices", __name__, url_prefix="/forniture/<supply_code>/fatture")

# The look of each state, as in the macro `badge`.
KINDS = {
    invoices.PAID: "ok",
    invoices.TO_PAY: "wait",
    invoices.OVERDUE: "late",
    invoices.CREDIT: "info",
}
FILTERS = {
    "anno": lambda text: number(text, None),
    "stato": among(invoices.STATES),
}


def init_app(app):
    app.register_blueprint(bp)


@bp.get("")
@login_required
def index(supply_code):
    supply = listed_supply(supply_code)
    table = TableState(f"/forniture/{supply_code}/fatture", invoices.SORTS, filters=FILTERS)
    year, wanted = table.filters["anno"], table.filters["stato"]
    whose, today = scope(supply), rome_day(utcnow())
    counts = invoices.counts(*whose, today=today, wanted=wanted)
    total = sum(counts.values()) if year is None else counts.get(year, 0)
    table.stay_within(total)
    asked = {"sort": table.sort, "year": year, "wanted": wanted}
    rows = invoices.page(*whose, today=today, **asked, limit=table.rows, offset=table.offset)
    return page_or_partial(
        "invoices/index.html",
        "invoices/_invoices.html",
        supply=supply,
        page="fatture",
        table=table,
        total=total,
        rows=[written(row, today, table.path) for row in rows],
        years=list(counts),
    )


def written(row, today, path):
    """An invoice as the list writes it: a tuple, since templates unpack it fastest."""
    state = invoices.state(row, today)
    return (
        str(row.id),
        row.number,
        day(row.date),
        day(row.due_on),
        money(row.amount_cents),
        state,
        KINDS[state],
        f"{path}/{row.id}",
        invoices.payable(row, today),
        row.document,
    )


def scope(supply):
    """The ids of customer and supply whose invoices are shown, and of the mandate if any."""
    return customer_of(supply), supply and supply.id, current_user.mandate_id


@bp.get("/<key>/pdf")
@login_required
def pdf(supply_code, key):
    invoice = shown_or_404(supply_code, key)
    stored = StoredFile.get_or_none(StoredFile.id == invoice.document)
    path = stored and files.on_disk(stored)
    if not path:
        raise Missing(
            _(
                "Il documento di questa fattura al momento non è disponibile. "
                "È possibile richiederlo al servizio clienti."
            )
        )
    sent = files.send_stored(stored, path)
    return files.noted(sent, "invoice_downloaded", **concerned(supply_code), number=invoice.number)


@bp.get("/zip")
@login_required
def as_zip(supply_code):
    """The documents of the chosen invoices; what is not shown or has none is left out."""
    supply = listed_supply(supply_code)
    chosen = {number(text, 0) for text in request.args.getlist("id")}
    stored = invoices.documents(*scope(supply), chosen)
    found = [(each, path) for each in stored if (path := files.on_disk(each))]
    if not found:
        flash(_("Scegliere prima una o più fatture che hanno il documento."), "warning")
        return redirect(f"/forniture/{supply_code}/fatture", 303)
    sent = files.send_zip(found, f"fatture_{supply_code}.zip")
    numbers = [each.number for each, _path in found]
    details = {"count": len(numbers), "numbers": numbers[: history.NAMED]}
    return files.noted(sent, "invoices_downloaded", **concerned(supply_code), **details)


def concerned(supply_code):
    """Whose history tells of a download at that address."""
    customer, supply, _mandate = scope(listed_supply(supply_code))
    return {"customer": customer, "supply": supply}


@bp.get("/<key>/pagamento")
@login_required
def payment(supply_code, key):
    invoice = shown_or_404(supply_code, key)
    if not invoices.payable(invoice, rome_day(utcnow())):
        raise Missing(_("Per questa fattura non ci sono dati di pagamento da mostrare."))
    beneficiary = current_app.config["UTILITY_NAME"]
    return page_or_partial(
        "invoices/payment.html",
        "invoices/_payment.html",
        supply=listed_supply(supply_code),
        page="fatture",
        title=_("Dati per il pagamento"),
        invoice=invoice,
        beneficiary=beneficiary,
        payments=invoices.payments(invoice, beneficiary),
        back=f"/forniture/{supply_code}/fatture",
    )


def shown_or_404(supply_code, key):
    """The invoice of the address, if the supply of the address shows it."""
    supply = listed_supply(supply_code)
    invoice = invoices.one(*scope(supply), number(key, 0))
    if invoice is None:
        abort(404)
    return invoice
