"""The answer to a customer who asks that personal data be erased: done, or declined."""

from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from domain import erasing, erasure, mail
from domain.clock import rome_day, utcnow
from domain.errors import Refused
from forms import DeclineErasureForm, EraseForm
from views.files import documents_folder
from views.staff import customers
from views.staff.access import noting, operator_required

bp = Blueprint("staff_erasure", __name__, url_prefix=f"{customers.HERE}/<code>/cancellazione")

FRAME = customers.FRAME | {"title": _l("Cancellazione dei dati personali")}


def init_app(app):
    app.register_blueprint(bp)


@bp.get("")
@operator_required
def index(code):
    customer = customers.customer_or_404(code)
    customers.note_reading(code)
    return answer(customer)


def answer(customer, *, form=None, decline_form=None):
    """The page: what goes, what stays, and both answers; with the form that was not taken."""
    today = rome_day(utcnow())
    return render_template(
        "staff/erasure/index.html",
        **FRAME,
        customer=customer,
        here=customers.address_of(customer),
        asked=erasure.open_request(customer.id),
        obstacle=erasing.obstacle(customer.id, today=today),
        told=erasing.reckoning(customer.id, today=today),
        since=erasing.kept_since(today),
        form=form or EraseForm(formdata=None),
        decline_form=decline_form or DeclineErasureForm(formdata=None),
    )


@bp.post("")
@operator_required
def erase(code):
    customer = customers.customer_or_404(code)
    form = EraseForm(request.form)
    if not form.validate():
        return answer(customer, form=form), 422
    if form.code.data != code:
        form.code.errors.append(_("Non è il codice di questo cliente."))
        return answer(customer, form=form), 422
    done = _("Dati personali cancellati; il cliente ne è avvisato per posta elettronica.")
    return settled(customer, "customer_erased", erasing.erase, done)


@bp.post("/rifiuta")
@operator_required
def decline(code):
    customer = customers.customer_or_404(code)
    form = DeclineErasureForm(request.form)
    if not form.validate():
        return answer(customer, decline_form=form), 422

    def refuse(customer_id, *, now):
        erasing.decline(customer_id, form.reason.data, now=now)

    done = _("Richiesta non accolta; il cliente ne riceve il motivo per posta elettronica.")
    return settled(customer, "erasure_declined", refuse, done)


def settled(customer, kind, act, done):
    """Do `act`, written in the register as `kind`, and go back to the sheet."""
    try:
        with noting(kind, customer=customer.code):
            act(customer.id, now=utcnow())
    except Refused as refusal:
        flash(str(refusal), "warning")
        return redirect(f"{customers.address_of(customer)}/cancellazione", 303)
    erasing.remove_files(documents_folder())
    mail.kick()
    flash(done)
    return redirect(customers.address_of(customer), 303)
