"""What each entry of the register says, as who checks it reads it; and its kind in a word."""

from typing import NamedTuple

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from domain.sentences import filled, written


class Told(NamedTuple):
    """`label` names the kind; `write` makes the sentence of an entry's details."""

    label: str
    write: object


def sentence(kind, details):
    """What was done, as who checks it reads it; `details` is the JSON of an entry."""
    return written(_WRITE, kind, details)


def label(kind):
    return TOLD[kind].label if kind in TOLD else kind


def _signed_in(given):
    if given.get("recovery"):
        return _(
            "Entra nello sportello con un codice di recupero, dall'indirizzo %(address)s.",
            address=given["address"],
        )
    return _("Entra nello sportello, dall'indirizzo %(address)s.", address=given["address"])


def _role(given):
    if given["role"] == "administrator":
        return _("Fa di %(whom)s un amministratore.", whom=given["whom"])
    return _("Fa di %(whom)s un operatore.", whom=given["whom"])


def _created(given):
    if given["role"] == "administrator":
        return _("Crea l'amministratore %(whom)s.", whom=given["whom"])
    return _("Crea l'operatore %(whom)s.", whom=given["whom"])


def _downloaded(given):
    return _("Scarica il registro: %(count)s righe.", count=given["count"])


def _windows_created(given):
    return _("Stabilisce periodi di lettura: %(all)s.", all="; ".join(given["windows"]))


def _ticket_assigned(given):
    if given["to"] is None:
        return _("Lascia il ticket %(code)s senza assegnazione.", code=given["code"])
    return _("Assegna il ticket %(code)s a %(to)s.", code=given["code"], to=given["to"])


TOLD = {
    "signed_in": Told(_l("Accesso"), _signed_in),
    "second_factor_failed": Told(
        _l("Codice sbagliato"),
        filled(_l("Scrive un codice sbagliato, dall'indirizzo %(address)s.")),
    ),
    "second_factor_enrolled": Told(
        _l("Secondo fattore"), filled(_l("Registra il telefono che genera i codici."))
    ),
    "recovery_codes_made": Told(
        _l("Codici di recupero"), filled(_l("Chiede nuovi codici di recupero."))
    ),
    "password_changed": Told(_l("Password"), filled(_l("Cambia la propria password."))),
    "sessions_closed": Told(
        _l("Accessi chiusi"), filled(_l("Chiude tutti i propri accessi aperti."))
    ),
    "signed_out": Told(_l("Uscita"), filled(_l("Esce dallo sportello."))),
    "operator_created": Told(_l("Operatore creato"), _created),
    "operator_role_changed": Told(_l("Ruolo"), _role),
    "operator_disabled": Told(
        _l("Operatore disabilitato"), filled(_l("Disabilita l'operatore %(whom)s."))
    ),
    "operator_enabled": Told(
        _l("Operatore riabilitato"), filled(_l("Riabilita l'operatore %(whom)s."))
    ),
    "operator_reset": Told(
        _l("Accesso azzerato"),
        filled(_l("Azzera password e secondo fattore dell'operatore %(whom)s.")),
    ),
    "operator_sessions_closed": Told(
        _l("Accessi di un operatore chiusi"),
        filled(_l("Chiude gli accessi aperti dell'operatore %(whom)s.")),
    ),
    "register_downloaded": Told(_l("Registro scaricato"), _downloaded),
    "customer_read": Told(_l("Scheda letta"), filled(_l("Legge la scheda del cliente."))),
    "customer_viewed": Told(
        _l("Vista del cliente"),
        filled(_l("Guarda il portale come il cliente, con lo User %(login)s, in sola lettura.")),
    ),
    "view_downloaded": Told(
        _l("File scaricato"), filled(_l("Scarica un file dalla vista del cliente."))
    ),
    "customer_erased": Told(
        _l("Dati cancellati"), filled(_l("Cancella i dati personali del cliente."))
    ),
    "erasure_declined": Told(
        _l("Cancellazione non accolta"),
        filled(_l("Non accoglie la richiesta di cancellare i dati personali.")),
    ),
    "login_resent": Told(
        _l("Accesso inviato"), filled(_l("Invia una nuova password per lo User %(login)s."))
    ),
    "login_email_corrected": Told(
        _l("E-mail corretta"),
        filled(_l("Corregge l'indirizzo e-mail dell'accesso con lo User %(login)s.")),
    ),
    "login_disabled": Told(
        _l("Accesso disabilitato"), filled(_l("Disabilita l'accesso con lo User %(login)s."))
    ),
    "login_enabled": Told(
        _l("Accesso riabilitato"), filled(_l("Riabilita l'accesso con lo User %(login)s."))
    ),
    "login_factor_removed": Told(
        _l("Secondo fattore tolto"),
        filled(_l("Toglie il secondo fattore dell'accesso con lo User %(login)s.")),
    ),
    "login_sessions_closed": Told(
        _l("Accessi del cliente chiusi"),
        filled(_l("Chiude gli accessi aperti con lo User %(login)s.")),
    ),
    "readings_read": Told(_l("Autoletture lette"), filled(_l("Legge le autoletture del cliente."))),
    "readings_exported": Told(
        _l("Autoletture scaricate"), filled(_l("Scarica un elenco di autoletture."))
    ),
    "reading_entered": Told(
        _l("Autolettura inserita"),
        filled(
            _l(
                "Inserisce l'autolettura n. %(reading)s della fornitura %(supply)s, comunicata per "
                "telefono."
            )
        ),
    ),
    "reading_cancelled": Told(
        _l("Autolettura cancellata"),
        filled(_l("Annulla l'autolettura n. %(reading)s della fornitura %(supply)s.")),
    ),
    "windows_created": Told(_l("Periodi stabiliti"), _windows_created),
    "window_changed": Told(
        _l("Periodo cambiato"), filled(_l("Cambia il periodo «%(before)s» in «%(after)s»."))
    ),
    "window_deleted": Told(_l("Periodo eliminato"), filled(_l("Elimina il periodo «%(window)s»."))),
    "ticket_read": Told(_l("Ticket letto"), filled(_l("Legge il ticket %(code)s."))),
    "ticket_file_read": Told(
        _l("Allegato letto"), filled(_l("Scarica un allegato del ticket %(code)s."))
    ),
    "ticket_opened": Told(
        _l("Ticket aperto"), filled(_l("Apre il ticket %(code)s per conto del cliente."))
    ),
    "ticket_answered": Told(_l("Ticket risposto"), filled(_l("Risponde al ticket %(code)s."))),
    "ticket_noted": Told(
        _l("Nota interna"), filled(_l("Scrive una nota interna nel ticket %(code)s."))
    ),
    "ticket_closed": Told(_l("Ticket chiuso"), filled(_l("Chiude il ticket %(code)s."))),
    "ticket_reopened": Told(_l("Ticket riaperto"), filled(_l("Riapre il ticket %(code)s."))),
    "ticket_assigned": Told(_l("Ticket assegnato"), _ticket_assigned),
    "complaints_exported": Told(
        _l("Reclami scaricati"), filled(_l("Scarica il registro dei reclami."))
    ),
    "standard_answer_saved": Told(
        _l("Risposta standard salvata"), filled(_l("Salva la risposta standard n. %(answer)s."))
    ),
    "standard_answer_removed": Told(
        _l("Risposta standard eliminata"),
        filled(_l("Elimina la risposta standard n. %(answer)s.")),
    ),
    "mail_retried": Told(_l("Mail ripetuta"), filled(_l("Rimette in coda la mail n. %(mail)s."))),
    "mails_retried": Told(
        _l("Mail ripetute"), filled(_l("Rimette in coda le mail non recapitate: %(mails)s."))
    ),
    "mail_given_up": Told(
        _l("Mail abbandonata"), filled(_l("Rinuncia a spedire la mail n. %(mail)s."))
    ),
    "document_read": Told(_l("Documento letto"), filled(_l("Apre il documento n. %(document)s."))),
    "document_published": Told(
        _l("Documento pubblicato"), filled(_l("Pubblica i documenti n. %(documents)s."))
    ),
    "document_changed": Told(
        _l("Documento modificato"), filled(_l("Modifica il documento n. %(documents)s."))
    ),
    "document_withdrawn": Told(
        _l("Documento ritirato"), filled(_l("Ritira il documento n. %(document)s."))
    ),
    "document_deleted": Told(
        _l("Documento eliminato"), filled(_l("Elimina il documento n. %(document)s."))
    ),
    "file_uploaded": Told(_l("File inviato"), filled(_l("Invia il file «%(name)s»."))),
    "file_loaded": Told(
        _l("File caricato"), filled(_l("Mette in inbox il file «%(name)s», da importare."))
    ),
    "file_confirmed": Told(
        _l("File confermato"), filled(_l("Conferma il file sospeso «%(name)s»."))
    ),
    "file_discarded": Told(_l("File scartato"), filled(_l("Scarta il file «%(name)s»."))),
}
_WRITE = {kind: told.write for kind, told in TOLD.items()}
