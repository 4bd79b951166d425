"""Ticket: the list, a new one, one with its turns, what comes attached, the receipt."""

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user, login_required
from werkzeug.datastructures import MultiDict

from domain import attachments, mail, receipts, ticket_deadlines, ticket_list, tickets
from domain.clock import utcnow
from domain.errors import Refused
from forms import AnswerForm, TicketForm
from views import files
from views.errors import Missing
from views.filters import among
from views.frame import customer_of, listed_supply
from views.htmx import page_or_partial
from views.paging import TableState, last_page, number

bp = Blueprint("tickets", __name__, url_prefix="/forniture/<supply_code>/ticket")

FRAME = {"page": "ticket", "title": _l("Ticket")}
FILTERS = {"stato": among(ticket_list.STATES)}


def init_app(app):
    app.register_blueprint(bp)
    app.jinja_env.globals["ticket_categories"] = receipts.CATEGORIES


def whose(supply):
    """The customer whose tickets are shown; to a delegate, only those about the supply."""
    return customer_of(supply), supply.id if current_user.mandate_id else None


def shown_or_404(supply, code):
    customer, only = whose(supply)
    ticket = ticket_list.one(customer, code, only)
    if ticket is None:
        abort(404)
    return ticket


@bp.get("")
@login_required
def index(supply_code):
    supply = listed_supply(supply_code)
    table = TableState(f"/forniture/{supply_code}/ticket", ticket_list.SORTS, filters=FILTERS)
    asked = {"sort": table.sort, "state": table.filters["stato"]}
    rows = ticket_list.page(*whose(supply), **asked, limit=table.rows, offset=table.offset)
    if not rows and table.page > 1:
        return last_page(table, ticket_list.page(*whose(supply), **asked, limit=1))
    return page_or_partial(
        "tickets/index.html",
        "tickets/_tickets.html",
        **FRAME,
        supply=supply,
        table=table,
        rows=rows,
    )


# -- A new one -----------------------------------------------------------------------------


@bp.get("/nuovo")
@login_required
def new(supply_code):
    return new_page(listed_supply(supply_code), ticket_form())


@bp.post("/nuovo")
@files.takes_files
@login_required
def submit(supply_code):
    supply, form, now = listed_supply(supply_code), ticket_form(), utcnow()
    if not form.validate():
        return new_page(supply, form), 422
    try:
        with received(form, now) as arrived:
            ticket = tickets.open_ticket(
                customer_of(supply),
                supply and supply.id,
                current_user.writer,
                delegate=current_user.delegate,
                category=form.category.data,
                subject=form.subject.data,
                text=form.text.data,
                arrived=arrived,
                deadlines=ticket_deadlines.of(current_app.config),
                now=now,
            )
    except Refused as refusal:
        return new_page(supply, form, refusal), 422
    mail.kick()
    flash(_("Ticket %(code)s registrato.", code=ticket.code))
    return redirect(f"/forniture/{supply_code}/ticket/{ticket.code}", 303)


def ticket_form():
    form = TicketForm(request_form())
    possible = [each for each in receipts.CATEGORIES.items() if may_ask(*each)]
    form.category.choices = [("", _("scegliere")), *possible]
    return form


def may_ask(category, _label):
    """What a mandate does not reach is not offered to a delegate."""
    return not current_user.mandate_id or category != "data_change"


def new_page(supply, form, refusal=None):
    return render_template(
        "tickets/new.html",
        **FRAME,
        supply=supply,
        form=form,
        refusal=refusal,
        days=ticket_deadlines.of(current_app.config),
    )


def request_form():
    """What was typed together with the files that were chosen, or None before that."""
    if request.method != "POST":
        return None
    given = MultiDict(request.form)
    given.setlist("attachments", request.files.getlist("attachments"))
    return given


def received(form, now):
    return attachments.received(form.files, files.documents_folder(), now=now)


# -- One of them ---------------------------------------------------------------------------


@bp.get("/<code>")
@login_required
def ticket(supply_code, code):
    supply = listed_supply(supply_code)
    return ticket_page(supply, shown_or_404(supply, code), AnswerForm(None))


def ticket_page(supply, ticket, form, refusal=None):
    return render_template(
        "tickets/ticket.html",
        **FRAME | {"title": _("Ticket %(code)s", code=ticket.code)},
        supply=supply,
        ticket=ticket,
        turns=ticket_list.turns(ticket.id),
        reopenable=tickets.can_be_reopened(ticket, now=utcnow()),
        reopened_within=tickets.REOPENED_WITHIN.days,
        form=form,
        refusal=refusal,
        address=f"/forniture/{supply.code if supply else '-'}/ticket/{ticket.code}",
    )


@bp.post("/<code>")
@files.takes_files
@login_required
def answer(supply_code, code):
    return write(supply_code, code, tickets.answer, _("Risposta inviata."))


@bp.post("/<code>/riapri")
@files.takes_files
@login_required
def reopen(supply_code, code):
    return write(supply_code, code, tickets.reopen, _("Ticket riaperto."))


def write(supply_code, code, verb, done):
    """Add what was written to a ticket by one of the domain's verbs."""
    supply, now = listed_supply(supply_code), utcnow()
    ticket, form = shown_or_404(supply, code), AnswerForm(request_form())
    if not form.validate():
        return ticket_page(supply, ticket, form), 422
    try:
        with received(form, now) as arrived:
            who = {"delegate": current_user.delegate, "now": now}
            verb(ticket.id, current_user.writer, form.text.data, arrived, **who)
    except Refused as refusal:
        return ticket_page(supply, shown_or_404(supply, code), form, refusal), 422
    flash(done)
    return redirect(f"/forniture/{supply_code}/ticket/{ticket.code}", 303)


@bp.post("/<code>/chiudi")
@login_required
def close(supply_code, code):
    ticket = shown_or_404(listed_supply(supply_code), code)
    try:
        who = {"delegate": current_user.delegate, "now": utcnow()}
        tickets.close(ticket.id, current_user.writer, **who)
    except Refused as refusal:
        flash(str(refusal), "warning")
    else:
        flash(_("Ticket %(code)s chiuso.", code=ticket.code))
    return redirect(f"/forniture/{supply_code}/ticket/{ticket.code}", 303)


# -- Downloads -----------------------------------------------------------------------------


@bp.get("/<code>/ricevuta.pdf")
@login_required
def receipt(supply_code, code):
    supply = listed_supply(supply_code)
    ticket = shown_or_404(supply, code)
    if ticket.due_on is None:
        raise Missing(_("Per questo ticket non è prevista una ricevuta."))
    config, name = current_app.config, receipts.file_name(code)
    content = receipts.pdf(
        receipts.find(code), utility=config["UTILITY_NAME"], contacts=config["UTILITY_CONTACTS"]
    )
    return noted(files.send_made(content, name, "application/pdf"), supply, ticket, name)


@bp.get("/<code>/allegati/<key>")
@login_required
def attachment(supply_code, code, key):
    supply = listed_supply(supply_code)
    ticket = shown_or_404(supply, code)
    wanted = number(key, 0)
    stored = next((row for row in attachments.of_ticket(ticket.id) if row.id == wanted), None)
    if stored is None:
        abort(404)
    attachments.settle(stored, files.documents_folder())
    path = files.on_disk(stored)
    if path is None:
        raise Missing(_("L'allegato al momento non è disponibile."))
    return noted(files.send_stored(stored, path), supply, ticket, stored.name)


def noted(response, supply, ticket, name):
    return files.noted(
        response,
        "attachment_downloaded",
        customer=ticket.customer,
        supply=supply and supply.id,
        code=ticket.code,
        name=name,
    )
