"""«Dati Anagrafici»: the customer's record, and the contacts that the customer corrects."""

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import current_user, login_required

from domain import contacts, credentials, email_change, email_links, mail
from domain.clock import utcnow
from domain.errors import Refused
from forms import ContactsForm, EmailChangeForm
from models import Account, Customer
from views.auth import status
from views.frame import customer_of, listed_supply

bp = Blueprint("records", __name__)


def init_app(app):
    app.register_blueprint(bp)


@bp.get("/forniture/<supply_code>/anagrafica")
@login_required
def index(supply_code):
    supply = listed_supply(supply_code)
    return record(supply, Customer.get_by_id(customer_of(supply)))


@bp.post("/forniture/<supply_code>/anagrafica")
@login_required
def save_contacts(supply_code):
    """Telephone and fax, which hold at once."""
    supply = listed_supply(supply_code)
    customer = Customer.get_by_id(customer_of(supply))
    form = ContactsForm(request.form, obj=customer)
    if not form.validate():
        return record(supply, customer, contacts_form=form), 422
    given = {"phone": form.phone.data, "fax": form.fax.data}
    contacts.change(customer.id, given, account=current_user.id, now=utcnow())
    flash(_("Telefono e fax sono registrati."))
    return back_to(supply_code)


@bp.post("/forniture/<supply_code>/anagrafica/email")
@login_required
def ask_for_email(supply_code):
    supply = listed_supply(supply_code)
    customer = Customer.get_by_id(customer_of(supply))
    form = EmailChangeForm(request.form)
    if not form.validate():
        return record(supply, customer, email_form=form), 422
    given = form.email.data, form.password.data
    try:
        email_change.ask(current_user.id, customer.id, *given, now=utcnow())
    except Refused as refusal:
        wrong = form.email if isinstance(refusal, email_change.InUse) else form.password
        wrong.errors.append(str(refusal))
        return record(supply, customer, email_form=form), status(refusal)
    mail.kick()
    flash(_("È in arrivo un messaggio al nuovo indirizzo: aprire il collegamento che contiene."))
    return back_to(supply_code)


@bp.post("/forniture/<supply_code>/anagrafica/email/annulla")
@login_required
def withdraw_email(supply_code):
    listed_supply(supply_code)
    email_change.withdraw(current_user.id)
    flash(_("La richiesta è annullata: resta valido l'indirizzo di prima."))
    return back_to(supply_code)


def back_to(supply_code):
    return redirect(f"/forniture/{supply_code}/anagrafica", 303)


def record(supply, customer, *, contacts_form=None, email_form=None):
    return render_template(
        "records/index.html",
        supply=supply,
        page="anagrafica",
        title=_("Dati Anagrafici"),
        customer=customer,
        login_email=Account.get_by_id(current_user.id).email,
        awaited=email_change.awaited(current_user.id, now=utcnow()),
        contacts_form=contacts_form or ContactsForm(None, obj=customer),
        email_form=email_form or EmailChangeForm(None),
    )


# -- The link in the mail: whoever opens it may be signed in nowhere ------------------------


@bp.get("/conferma-indirizzo/<token>")
def email_link(token):
    """Only asks: programs that look for harm in mail open links too."""
    try:
        change = email_change.opened(token, **opening())
    except Refused as refusal:
        return link_page(refusal=refusal)
    return link_page(change=change)


@bp.post("/conferma-indirizzo/<token>")
def confirm_email(token):
    try:
        email_change.confirm(token, **opening())
    except Refused as refusal:
        return link_page(refusal=refusal)
    mail.kick()
    flash(_("Il nuovo indirizzo di posta elettronica è confermato."))
    return redirect("/", 303)


def opening():
    """Who opens the link, when, and the key that it is signed with."""
    key = credentials.key(current_app.secret_key)
    return {"address": request.remote_addr, "now": utcnow(), "key": key}


def link_page(*, change=None, refusal=None):
    title = _("Conferma dell'indirizzo")
    page = render_template("records/link.html", title=title, change=change, refusal=refusal)
    response = make_response(page)
    if isinstance(refusal, email_links.Void):
        response.status_code = 200 if isinstance(refusal, email_links.AlreadyConfirmed) else 410
    elif refusal:
        response.status_code = status(refusal)
    response.headers["Referrer-Policy"] = "no-referrer"  # the address of this page is a secret
    return response
