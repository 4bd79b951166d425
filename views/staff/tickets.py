"""«Ticket» at the desk: the queue, one of them, opening one for who calls, the register."""

from operator import attrgetter

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from domain import (
    attachments,
    complaints,
    mail,
    receipts,
    standard_answers,
    supplies,
    ticket_deadlines,
    ticket_desk,
    ticket_queue,
)
from domain.clock import rome_day, utcnow
from domain.errors import Refused
from forms import AnswerForm, IntervalForm, NoteForm, TicketForCustomerForm
from models import Customer
from views import files
from views.errors import Missing
from views.filters import among, words
from views.htmx import page_or_partial
from views.paging import TableState, number
from views.staff.access import current_operator, noted, noting, operator_required
from views.tickets import received, request_form

bp = Blueprint("staff_tickets", __name__, url_prefix="/staff/ticket")

HERE = "/staff/ticket"
FRAME = {"page": "ticket", "title": _l("Ticket")}


def whose(text):
    """Who is to answer: «me», nobody, or the operator with that id."""
    return among({"me", ticket_queue.NOBODY})(text) or number(text, None)


FILTERS = {
    "stato": among({*ticket_queue.STATES, ticket_queue.ALL}),
    "categoria": among(receipts.CATEGORIES),
    "assegnato": whose,
    "cliente": words,
    "cerca": words,
}


def init_app(app):
    app.register_blueprint(bp)


# -- The queue -----------------------------------------------------------------------------


@bp.get("")
@operator_required
def index():
    table = TableState(HERE, ticket_queue.SORTS, filters=FILTERS)
    asked, today = asked_of(table), rome_day(utcnow())
    total = ticket_queue.total(**asked)
    table.stay_within(total)
    rows = ticket_queue.page(sort=table.sort, limit=table.rows, offset=table.offset, **asked)
    return page_or_partial(
        "staff/tickets/index.html",
        "staff/tickets/_queue.html",
        **FRAME,
        table=table,
        total=total,
        rows=[(row, ticket_queue.deadline(row, today=today)) for row in rows],
        operators=ticket_queue.operators(),
        year=today.year,
    )


def asked_of(table):
    """The filters of the table as ticket_queue takes them."""
    asked = table.filters
    mine = asked["assegnato"] == "me"
    return {
        "state": asked["stato"],
        "category": asked["categoria"],
        "assigned": current_operator().operator if mine else asked["assegnato"],
        "customer": asked["cliente"],
        "text": asked["cerca"],
    }


@bp.get("/registro.csv")
@operator_required
def register():
    form = IntervalForm(request.args)
    if not form.validate():
        flash(" ".join(error for errors in form.errors.values() for error in errors), "warning")
        return redirect(HERE, 303)
    since, until = form.since.data, form.until.data
    try:
        columns, rows = complaints.sheet(since, until, today=rome_day(utcnow()))
    except Refused as refusal:
        flash(str(refusal), "warning")
        return redirect(HERE, 303)
    noted("complaints_exported", since=since and str(since), until=until and str(until))
    name = "_".join(map(str, filter(None, ("registro_reclami", since, until))))
    return files.send_excel_csv(f"{name}.csv", columns, rows)


# -- One of them ---------------------------------------------------------------------------


def shown_or_404(code):
    return ticket_queue.one(code) or abort(404)


def address_of(ticket):
    return f"{HERE}/{ticket.code}"


@bp.get("/<code>")
@operator_required
def ticket(code):
    ticket = shown_or_404(code)
    noted("ticket_read", customer=ticket.customer.code, code=ticket.code)
    return ticket_page(ticket)


def ticket_page(ticket, *, form=None, note_form=None, refusal=None, seen=None):
    """`seen` is the last turn that the operator knows of, where it is not the last one shown."""
    turns = ticket_queue.turns(ticket)
    return render_template(
        "staff/tickets/ticket.html",
        **FRAME | {"title": _("Ticket %(code)s", code=ticket.code)},
        ticket=ticket,
        turns=turns,
        seen=turns[-1][0].id if seen is None and turns else seen,
        deadline=ticket_queue.deadline(ticket, today=rome_day(utcnow())),
        operators=ticket_queue.operators(),
        standard_answers=standard_answers.all_of_them(),
        form=form or AnswerForm(None),
        note_form=note_form or NoteForm(None),
        refusal=refusal,
        address=address_of(ticket),
    )


def seen():
    """The last turn that the operator had read; of who does not say so, none."""
    return number(request.form.get("letto"), 0)


@bp.post("/<code>")
@files.takes_files
@operator_required
def answer(code):
    ticket, form, now = shown_or_404(code), AnswerForm(request_form()), utcnow()
    if not form.validate():
        return ticket_page(ticket, form=form, seen=seen()), 422
    closing = "chiudi" in request.form
    try:
        standard_answers.check(form.text.data)
        with received(form, now) as arrived, noted_of(ticket, "ticket_answered", closed=closing):
            ticket_desk.answer(
                ticket.id, form.text.data, arrived, **signed(), then_close=closing, now=now
            )
    except ticket_desk.Repeated:
        pass
    except Refused as refusal:
        return ticket_page(shown_or_404(code), form=form, refusal=refusal), 422
    mail.kick()
    flash(_("Risposta inviata, ticket chiuso.") if closing else _("Risposta inviata."))
    return redirect(address_of(ticket), 303)


def noted_of(ticket, kind, **details):
    return noting(kind, customer=ticket.customer.code, code=ticket.code, **details)


def signed():
    return {"author": current_operator().name, "seen": seen()}


@bp.post("/<code>/risposta-standard")
@files.takes_files
@operator_required
def use_standard_answer(code):
    """The page again, the chosen text after what was typed; nothing is kept."""
    ticket, form = shown_or_404(code), AnswerForm(request_form())
    chosen = standard_answers.one(number(request.form.get("standard"), 0))
    if chosen is None:
        refusal = _("Scegliere una risposta standard.")
        return ticket_page(ticket, form=form, refusal=refusal, seen=seen()), 422
    text = standard_answers.filled(chosen.text, ticket, current_operator().name)
    form.text.data = "\n\n".join(filter(None, (form.text.data, text)))
    return ticket_page(ticket, form=form, seen=seen())


@bp.post("/<code>/nota")
@operator_required
def note(code):
    ticket, form = shown_or_404(code), NoteForm(request.form)
    if not form.validate():
        return ticket_page(ticket, note_form=form, seen=seen()), 422
    try:
        with noted_of(ticket, "ticket_noted"):
            ticket_desk.note(ticket.id, form.note.data, **signed(), now=utcnow())
    except ticket_desk.Repeated:
        pass
    except Refused as refusal:
        return ticket_page(shown_or_404(code), note_form=form, refusal=refusal), 422
    flash(_("Nota registrata: il cliente non la vede."))
    return redirect(address_of(ticket), 303)


@bp.post("/<code>/chiudi")
@operator_required
def close(code):
    return turn(code, "ticket_closed", ticket_desk.close, _("Ticket chiuso."))


@bp.post("/<code>/riapri")
@operator_required
def reopen(code):
    return turn(code, "ticket_reopened", ticket_desk.reopen, _("Ticket riaperto."))


def turn(code, kind, verb, done):
    def take(ticket, _told):
        verb(ticket.id, **signed(), now=utcnow())

    return change(code, kind, take, done)


def change(code, kind, verb, done):
    """Do `verb` with a ticket, and the details that the register gets; say so, or why not."""
    ticket = shown_or_404(code)
    try:
        with noted_of(ticket, kind) as told:
            verb(ticket, told)
    except ticket_desk.Repeated:
        pass
    except Refused as refusal:
        flash(str(refusal), "warning")
        return redirect(address_of(ticket), 303)
    flash(done)
    return redirect(address_of(ticket), 303)


@bp.post("/<code>/assegna")
@operator_required
def assign(code):
    chosen, before = (number(request.form.get(name), 0) or None for name in ("a", "era"))

    def give(ticket, told):
        told["to"] = ticket_desk.assign(ticket.id, chosen, instead_of=before)

    return change(code, "ticket_assigned", give, _("Assegnazione registrata."))


# -- Downloads -----------------------------------------------------------------------------


@bp.get("/<code>/allegati/<key>")
@operator_required
def attachment(code, key):
    ticket, wanted = shown_or_404(code), number(key, 0)
    stored = next((row for row in attachments.of_ticket(ticket.id) if row.id == wanted), None)
    if stored is None:
        abort(404)
    attachments.settle(stored, files.documents_folder())
    path = files.on_disk(stored)
    if path is None:
        raise Missing(_("L'allegato al momento non è disponibile."))
    noted("ticket_file_read", customer=ticket.customer.code, code=code, attachment=stored.id)
    return files.send_stored(stored, path)


@bp.get("/<code>/ricevuta.pdf")
@operator_required
def receipt(code):
    ticket, config = shown_or_404(code), current_app.config
    if ticket.due_on is None:
        raise Missing(_("Per questo ticket non è prevista una ricevuta."))
    content = receipts.pdf(
        ticket, utility=config["UTILITY_NAME"], contacts=config["UTILITY_CONTACTS"]
    )
    noted("ticket_file_read", customer=ticket.customer.code, code=code)
    return files.send_made(content, receipts.file_name(code), "application/pdf")


# -- For who calls -------------------------------------------------------------------------


@bp.get("/nuovo")
@operator_required
def new():
    customer = asked_customer()
    if customer is None:
        return customer_page()
    noted("customer_read", customer=customer.code)
    return new_page(customer, ticket_form(customer))


def asked_customer():
    """The customer whose code is in the address, or None."""
    code = words(request.args.get("cliente", ""))
    return Customer.get_or_none(Customer.code == code) if code else None


def customer_page():
    """Asks whom the ticket is for, and says that nobody has the code that was typed."""
    typed = request.args.get("cliente")
    page = render_template("staff/tickets/customer.html", **FRAME, typed=typed)
    return page, 422 if typed else 200


def ticket_form(customer):
    """Where the customer has but one supply it is chosen already."""
    points = sorted(customer.supplies, key=attrgetter("code"))
    only = points[0].code if len(points) == 1 else ""
    form = TicketForCustomerForm(request_form(), supply=only)
    form.category.choices = [("", _("scegliere")), *receipts.CATEGORIES.items()]
    form.supply.choices = [("", _("nessuna")), *((row.code, supplies.label(row)) for row in points)]
    return form


def new_page(customer, form, refusal=None):
    return render_template(
        "staff/tickets/new.html", **FRAME, customer=customer, form=form, refusal=refusal
    )


@bp.post("/nuovo")
@files.takes_files
@operator_required
def submit():
    customer, now = asked_customer(), utcnow()
    if customer is None:
        return customer_page()
    form = ticket_form(customer)
    if not form.validate():
        return new_page(customer, form), 422
    try:
        with (
            received(form, now) as arrived,
            noting("ticket_opened", customer=customer.code) as told,
        ):
            ticket = ticket_desk.open_for_customer(
                customer.id,
                next((row for row in customer.supplies if row.code == form.supply.data), None),
                category=form.category.data,
                subject=form.subject.data,
                text=form.text.data,
                arrived=arrived,
                author=current_operator().name,
                deadlines=ticket_deadlines.of(current_app.config),
                now=now,
            )
            told["code"] = ticket.code
    except ticket_desk.Repeated as repeated:
        ticket = repeated.ticket
    except Refused as refusal:
        return new_page(customer, form, refusal), 422
    mail.kick()
    flash(_("Ticket %(code)s registrato.", code=ticket.code))
    return redirect(address_of(ticket), 303)
