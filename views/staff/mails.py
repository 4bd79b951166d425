"""«Posta»: what waits to be sent, what fails, what was sent; trying again, giving up."""

from flask import Blueprint, abort, flash, redirect
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from domain import mail, notation
from domain.clock import utcnow
from domain.errors import Refused
from domain.mail import overview
from views.filters import among, words
from views.htmx import page_or_partial
from views.paging import TableState, last_page, number
from views.staff.access import noting, operator_required

bp = Blueprint("staff_mails", __name__, url_prefix="/staff/posta")

HERE = "/staff/posta"
FRAME = {"page": "posta", "title": _l("Posta")}
STATES = {  # (label, kind of the badge)
    "non-recapitata": (_l("Non recapitata"), "no"),
    "riprova": (_l("Si riprova"), "wait"),
    "attesa": (_l("In attesa"), "info"),
    "inviata": (_l("Inviata"), "ok"),
    "rinuncia": (_l("Rinuncia"), "info"),
}
KINDS = {
    "first_access": _l("Credenziali di primo accesso"),
    "recovery": _l("Nuova password"),
    "registration_notice": _l("Avviso di registrazione"),
    "registration_attempt": _l("Tentativo di registrazione"),
    "password_changed": _l("Password cambiata"),
    "second_factor_added": _l("Secondo fattore aggiunto"),
    "second_factor_removed": _l("Secondo fattore tolto"),
    "email_change": _l("Conferma del nuovo indirizzo"),
    "email_change_notice": _l("Richiesta di cambio indirizzo"),
    "email_changed": _l("Indirizzo cambiato"),
    "email_corrected": _l("Indirizzo corretto dallo sportello"),
    "access_disabled": _l("Accesso disattivato"),
    "access_enabled": _l("Accesso riattivato"),
    "complaint_receipt": _l("Ricevuta di un ticket"),
    "erasure_asked": _l("Richiesta di cancellazione dei dati"),
    "erasure_declined": _l("Cancellazione dei dati non accolta"),
    "erasure_done": _l("Dati personali cancellati"),
    "erasure_withdrawn": _l("Cancellazione dei dati ritirata"),
    "reading_acquired": _l("Autolettura acquisita"),
    "reading_validated": _l("Autolettura validata"),
    "reading_rejected": _l("Autolettura respinta"),
    "window_opens": _l("Si apre il periodo di autolettura"),
    "window_closes": _l("Si chiude il periodo di autolettura"),
    "invoice_published": _l("Fattura pubblicata"),
    "invoice_due": _l("Fattura in scadenza"),
    "document_published": _l("Documento pubblicato"),
    "ticket_opened": _l("Ticket registrato"),
    "ticket_answered": _l("Risposta a un ticket"),
    "mandate_invitation": _l("Invito a una delega"),
    "mandate_received": _l("Delega ricevuta"),
    "mandate_accepted": _l("Delega accettata"),
    "mandate_ended": _l("Delega finita"),
    "undelivered": _l("Posta non recapitata, agli operatori"),
}
FILTERS = {
    "stato": among(overview.STATES),
    "destinatario": words,
}


def init_app(app):
    app.register_blueprint(bp)


def asked_table():
    """The list as the address asks for it."""
    return TableState(HERE, overview.SORTS, filters=FILTERS)


@bp.get("")
@operator_required
def index():
    table, now = asked_table(), utcnow()
    state, recipient = table.filters.values()
    asked = {"state": state, "recipient": recipient, "sort": table.sort, "now": now}
    rows = overview.page(**asked, limit=table.rows, offset=table.offset)
    if not rows and table.page > 1:
        return last_page(table, overview.page(**asked, limit=1))
    return page_or_partial(
        "staff/mails/index.html",
        "staff/mails/_mails.html",
        **FRAME,
        table=table,
        rows=rows,
        retried=[overview.can_be_retried(row, now=now) for row in rows],
        unsent=overview.Unsent(),
        states=STATES,
        kinds=KINDS,
        in_words=overview.in_words,
        recent=overview.RECENT.days,
    )


@bp.post("/riprova")
@operator_required
def retry_all():
    with noting("mails_retried") as details:
        details["mails"] = overview.retry_all(now=utcnow())
    mail.kick()
    flash(_("Mail rimesse in coda: %(count)s.", count=notation.whole(details["mails"])))
    return redirect(asked_table().href(), 303)


@bp.post("/<key>/riprova")
@operator_required
def retry(key):
    response = change(key, "mail_retried", overview.retry, _("La mail parte tra poco."))
    mail.kick()
    return response


@bp.post("/<key>/rinuncia")
@operator_required
def give_up(key):
    return change(key, "mail_given_up", overview.give_up, _("La mail non sarà più spedita."))


def change(key, kind, verb, done):
    """Do one of the domain's verbs to the mail with that id."""
    key = number(key, None) or abort(404)
    try:
        with noting(kind, customer=overview.customer_code(key), mail=key) as details:
            details["what"] = verb(key, now=utcnow())
    except Refused as refusal:
        flash(str(refusal), "warning")
    else:
        flash(done)
    return redirect(asked_table().href(), 303)
