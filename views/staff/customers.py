"""«Clienti» at the desk: one search box, the sheet of a customer, its logins, its view."""

from flask import Blueprint, abort, flash, redirect, render_template, request, session
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from domain import customer_sheet, history, logins, mail, mandates, search, sessions
from domain.clock import utcnow
from domain.errors import Refused
from domain.history_sentences import sentence
from domain.notation import moment
from forms import CorrectEmailForm
from models import postal_address
from views.history import LABELS, who_else
from views.htmx import page_or_partial
from views.paging import number
from views.staff.access import current_operator, noted, noting, operator_required

bp = Blueprint("staff_customers", __name__, url_prefix="/staff/clienti")

HERE = "/staff/clienti"
FRAME = {"page": "clienti", "title": _l("Clienti")}
LONGEST_SEARCH = 100
VIEWED = "viewed"  # in the cookie: the code of the customer whose view is open


def init_app(app):
    app.register_blueprint(bp)
    app.jinja_env.filters["postal_address"] = postal_address


@bp.get("")
@operator_required
def index():
    typed = request.args.get("cerca", "").strip()[:LONGEST_SEARCH]
    enough = search.is_enough(typed)
    rows, more = search.customers(typed) if enough else ([], False) if typed else search.first()
    return page_or_partial(
        "staff/customers/index.html",
        "staff/customers/_customers.html",
        **FRAME,
        typed=typed,
        enough=enough,
        shortest=search.SHORTEST,
        rows=rows,
        more=more,
    )


# -- The sheet -----------------------------------------------------------------------------


def customer_or_404(code):
    return (None if "\x00" in code else customer_sheet.find.first(code=code)) or abort(404)


def address_of(customer):
    return f"{HERE}/{customer.code}"


def note_reading(code):
    """Write in the register that the operator reads of this customer, once in a while."""
    if not customer_sheet.was_just_read(current_operator().username, code, now=utcnow()):
        noted("customer_read", customer=code)


@bp.get("/<code>")
@operator_required
def sheet(code):
    customer = customer_or_404(code)
    note_reading(code)
    lists = customer_sheet.lists(customer.id, now=utcnow())
    several = len(lists["logins"]) > 1
    return render_template(
        "staff/customers/customer.html",
        **FRAME | {"title": customer.name},
        customer=customer,
        here=address_of(customer),
        address=postal_address(customer),
        scopes=mandates.SCOPE_NAMES,
        **lists | {"events": [written(row, several) for row in lists["events"]]},
    )


def written(row, several):
    """An event as the sheet writes it: when, group, sentence, supply, who where it may be asked.

    `several`: whether the customer has more than one login.
    """
    group = history.group_of(row.kind)
    label = LABELS[group] if group else ""
    who = who_else(row) if several or not row.login else ""
    return moment(row.at), label, sentence(row.kind, row.details), row.supply or "", who


# -- Its logins ----------------------------------------------------------------------------


def login_or_404(code, key):
    """(customer, login) of an address."""
    customer = customer_or_404(code)
    return customer, logins.one(customer.id, number(key, 0)) or abort(404)


def done(code, key, kind, act, sentence):
    """Do `act` on a login, written in the register as `kind`, and go back to the sheet."""
    customer, login = login_or_404(code, key)
    try:
        with noting(kind, customer=code, login=login.username):
            act(login, customer.id, now=utcnow())
    except Refused as refusal:
        flash(str(refusal), "warning")
    else:
        mail.kick()
        flash(sentence)
    return redirect(f"{address_of(customer)}#accessi", 303)


@bp.post("/<code>/accessi/<key>/invia")
@operator_required
def resend(code, key):
    told = _("Il messaggio con la nuova password sta partendo.")
    return done(code, key, "login_resent", logins.resend, told)


@bp.post("/<code>/accessi/<key>/disabilita")
@operator_required
def disable(code, key):
    told = _("Accesso disabilitato: il cliente ne è avvisato.")
    return done(code, key, "login_disabled", logins.disable, told)


@bp.post("/<code>/accessi/<key>/riabilita")
@operator_required
def enable(code, key):
    told = _("Accesso riabilitato: il cliente ne è avvisato.")
    return done(code, key, "login_enabled", logins.enable, told)


@bp.post("/<code>/accessi/<key>/chiudi")
@operator_required
def close_sessions(code, key):
    told = _("Gli accessi aperti sono stati chiusi.")
    return done(code, key, "login_sessions_closed", logins.close_sessions, told)


@bp.post("/<code>/accessi/<key>/secondo-fattore")
@operator_required
def remove_factor(code, key):
    told = _("Secondo fattore tolto: il cliente ne è avvisato.")
    return done(code, key, "login_factor_removed", logins.remove_factor, told)


@bp.get("/<code>/accessi/<key>/email")
@operator_required
def email(code, key):
    customer, login = login_or_404(code, key)
    note_reading(code)
    return email_page(customer, login, CorrectEmailForm(formdata=None))


@bp.post("/<code>/accessi/<key>/email")
@operator_required
def correct_email(code, key):
    """Asks once more, since a password may go to the new address."""
    customer, login = login_or_404(code, key)
    form = CorrectEmailForm(request.form)
    if not form.validate():
        return email_page(customer, login, form), 422
    if form.email.data == login.email:
        form.email.errors.append(_("È già l'indirizzo in uso: indicarne un altro."))
        return email_page(customer, login, form), 422
    if not form.confirmed.data:
        return email_page(customer, login, form, asks=True)

    def correct(login, customer_id, *, now):
        logins.correct_email(login, customer_id, form.email.data, now=now)

    told = _("Indirizzo corretto: ne sono avvisati quello di prima e quello nuovo.")
    return done(code, key, "login_email_corrected", correct, told)


def email_page(customer, login, form, *, asks=False):
    return render_template(
        "staff/customers/email.html",
        **FRAME | {"title": _("Correggi l'indirizzo e-mail")},
        customer=customer,
        login=login,
        form=form,
        asks=asks,
        here=address_of(customer),
    )


# -- As the customer sees ------------------------------------------------------------------


@bp.post("/<code>/accessi/<key>/vista")
@operator_required
def look(code, key):
    customer, login = login_or_404(code, key)
    try:
        with noting("customer_viewed", customer=code, login=login.username):
            token = logins.look(login, customer.id, current_operator().session, now=utcnow())
    except Refused as refusal:
        flash(str(refusal), "warning")
        return redirect(f"{address_of(customer)}#accessi", 303)
    leave_view()
    session.update({"_user_id": token, "_fresh": True, VIEWED: code})
    return redirect("/", 303)


@bp.post("/esci")
@operator_required
def leave():
    code = session.get(VIEWED)
    leave_view()
    return redirect(f"{HERE}/{code}" if code else HERE, 303)


def leave_view():
    """End the view that is open in this browser, and forget what the cookie keeps of it."""
    if "_user_id" in session:
        sessions.end(session["_user_id"])
    for name in ("_user_id", "_fresh", "supply", VIEWED):
        session.pop(name, None)
