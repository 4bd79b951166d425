"""«Registrazione nuovo utente», in two steps."""

import datetime as dt

from flask import flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _

from domain import accounts, mail
from domain.clock import utcnow
from domain.errors import Refused
from forms import RegistrationEmailForm, RegistrationForm
from models import Customer
from views.auth import bp, status

LASTS = dt.timedelta(minutes=30)  # from the first step to the second


@bp.get("/registrazione")
def registration():
    return render_template("auth/registration.html", form=RegistrationForm())


@bp.post("/registrazione")
def claim():
    form = RegistrationForm(request.form)
    if not form.validate():
        return render_template("auth/registration.html", form=form), 422
    now = utcnow()
    try:
        customer = accounts.claim(
            form.code.data, form.tax_id.data, address=request.remote_addr, now=now
        )
    except Refused as refusal:
        form.tax_id.errors.append(str(refusal))
        mail.kick()  # the owner of a login may have to be told
        return render_template("auth/registration.html", form=form), status(refusal)
    session["registration"] = [customer.id, (now + LASTS).timestamp()]
    return redirect(url_for(".registration_email"), 303)


@bp.get("/registrazione/conferma")
def registration_email():
    customer = claimed()
    if customer is None:
        return start_again()
    form = RegistrationEmailForm()
    return render_template("auth/registration_email.html", form=form, customer=customer)


@bp.post("/registrazione/conferma")
def register():
    customer = claimed()
    if customer is None:
        return start_again()
    form = RegistrationEmailForm(request.form)
    page = "auth/registration_email.html"
    if not form.validate():
        return render_template(page, form=form, customer=customer), 422
    try:
        accounts.register(
            customer.id,
            form.email.data,
            keep=form.keep.data,
            address=request.remote_addr,
            now=utcnow(),
        )
    except Refused as refusal:
        form.email.errors.append(str(refusal))
        return render_template(page, form=form, customer=customer), status(refusal)
    session.pop("registration")
    flash(_("Registrazione completata. Le credenziali di accesso arrivano tra pochi minuti."))
    mail.kick()
    return redirect(url_for(".login"), 303)


def claimed():
    """The customer that the first step found in this browser, unless too long ago."""
    customer_id, until = session.get("registration", (None, 0))
    if utcnow().timestamp() > until:
        return None
    return Customer.get_or_none(Customer.id == customer_id)


def start_again():
    flash(_("La registrazione va confermata entro mezz'ora: inserire di nuovo i dati."), "warning")
    return redirect(url_for(".registration"), 303)
