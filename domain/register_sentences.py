"""What each entry of the register says, as who checks it reads it; and its kind in a word."""

import json
from typing import NamedTuple

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l


class Told(NamedTuple):
    """`label` names the kind; `write` makes the sentence of an entry's details."""

    label: str
    write: object


def sentence(kind, details):
    """`details` is the JSON of an entry; what a later version wrote is told in general terms."""
    try:
        return TOLD[kind].write(json.loads(details))
    except (AttributeError, KeyError, TypeError, ValueError):
        return _("Operazione registrata.")


def label(kind):
    return TOLD[kind].label if kind in TOLD else kind


def _always(text):
    return lambda _given: str(text)


def _filled(text):
    """`text` with the details of the entry in it, each of which it has to have."""
    return lambda given: str(text) % given


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
        _filled(_l("Scrive un codice sbagliato, dall'indirizzo %(address)s.")),
    ),
    "second_factor_enrolled": Told(
        _l("Secondo fattore"), _always(_l("Registra il telefono che genera i codici."))
    ),
    "recovery_codes_made": Told(
        _l("Codici di recupero"), _always(_l("Chiede nuovi codici di recupero."))
    ),
    "password_changed": Told(_l("Password"), _always(_l("Cambia la propria password."))),
    "sessions_closed": Told(
        _l("Accessi chiusi"), _always(_l("Chiude tutti i propri accessi aperti."))
    ),
    "signed_out": Told(_l("Uscita"), _always(_l("Esce dallo sportello."))),
    "operator_created": Told(_l("Operatore creato"), _created),
    "operator_role_changed": Told(_l("Ruolo"), _role),
    "operator_disabled": Told(
        _l("Operatore disabilitato"), _filled(_l("Disabilita l'operatore %(whom)s."))
    ),
    "operator_enabled": Told(
        _l("Operatore riabilitato"), _filled(_l("Riabilita l'operatore %(whom)s."))
    ),
    "operator_reset": Told(
        _l("Accesso azzerato"),
        _filled(_l("Azzera password e secondo fattore dell'operatore %(whom)s.")),
    ),
    "operator_sessions_closed": Told(
        _l("Accessi di un operatore chiusi"),
        _filled(_l("Chiude gli accessi aperti dell'operatore %(whom)s.")),
    ),
    "register_downloaded": Told(_l("Registro scaricato"), _downloaded),
    "customer_read": Told(_l("Scheda letta"), _always(_l("Legge la scheda del cliente."))),
    "customer_viewed": Told(
        _l("Vista del cliente"),
        _filled(_l("Guarda il portale come il cliente, con lo User %(login)s, in sola lettura.")),
    ),
    "view_downloaded": Told(
        _l("File scaricato"), _always(_l("Scarica un file dalla vista del cliente."))
    ),
    "customer_erased": Told(
        _l("Dati cancellati"), _always(_l("Cancella i dati personali del cliente."))
    ),
    "erasure_declined": Told(
        _l("Cancellazione non accolta"),
        _always(_l("Non accoglie la richiesta di cancellare i dati personali.")),
    ),
    "login_resent": Told(
        _l("Accesso inviato"), _filled(_l("Invia una nuova password per lo User %(login)s."))
    ),
    "login_email_corrected": Told(
        _l("E-mail corretta"),
        _filled(_l("Corregge l'indirizzo e-mail dell'accesso con lo User %(login)s.")),
    ),
    "login_disabled": Told(
        _l("Accesso disabilitato"), _filled(_l("Disabilita l'accesso con lo User %(login)s."))
    ),
    "login_enabled": Told(
        _l("Accesso riabilitato"), _filled(_l("Riabilita l'accesso con lo User %(login)s."))
    ),
    "login_factor_removed": Told(
        _l("Secondo fattore tolto"),
        _filled(_l("Toglie il secondo fattore dell'accesso con lo User %(login)s.")),
    ),
    "login_sessions_closed": Told(
        _l("Accessi del cliente chiusi"),
        _filled(_l("Chiude gli accessi aperti con lo User %(login)s.")),
    ),
    "readings_read": Told(
        _l("Autoletture lette"), _always(_l("Legge le autoletture del cliente."))
    ),
    "readings_exported": Told(
        _l("Autoletture scaricate"), _always(_l("Scarica un elenco di autoletture."))
    ),
    "reading_entered": Told(
        _l("Autolettura inserita"),
        _filled(
            _l(
                "Inserisce l'autolettura n. %(reading)s della fornitura %(supply)s, comunicata per "
                "telefono."
            )
        ),
    ),
    "reading_cancelled": Told(
        _l("Autolettura cancellata"),
        _filled(_l("Annulla l'autolettura n. %(reading)s della fornitura %(supply)s.")),
    ),
    "windows_created": Told(_l("Periodi stabiliti"), _windows_created),
    "window_changed": Told(
        _l("Periodo cambiato"), _filled(_l("Cambia il periodo «%(before)s» in «%(after)s»."))
    ),
    "window_deleted": Told(
        _l("Periodo eliminato"), _filled(_l("Elimina il periodo «%(window)s»."))
    ),
    "ticket_read": Told(_l("Ticket letto"), _filled(_l("Legge il ticket %(code)s."))),
    "ticket_file_read": Told(
        _l("Allegato letto"), _filled(_l("Scarica un allegato del ticket %(code)s."))
    ),
    "ticket_opened": Told(
        _l("Ticket aperto"), _filled(_l("Apre il ticket %(code)s per conto del cliente."))
    ),
    "ticket_answered": Told(_l("Ticket risposto"), _filled(_l("Risponde al ticket %(code)s."))),
    "ticket_noted": Told(
        _l("Nota interna"), _filled(_l("Scrive una nota interna nel ticket %(code)s."))
    ),
    "ticket_closed": Told(_l("Ticket chiuso"), _filled(_l("Chiude il ticket %(code)s."))),
    "ticket_reopened": Told(_l("Ticket riaperto"), _filled(_l("Riapre il ticket %(code)s."))),
    "ticket_assigned": Told(_l("Ticket assegnato"), _ticket_assigned),
    "complaints_exported": Told(
        _l("Reclami scaricati"), _always(_l("Scarica il registro dei reclami."))
    ),
    "standard_answer_saved": Told(
        _l("Risposta standard salvata"), _filled(_l("Salva la risposta standard n. %(answer)s."))
    ),
    "standard_answer_removed": Told(
        _l("Risposta standard eliminata"),
        _filled(_l("Elimina la risposta standard n. %(answer)s.")),
    ),
    "mail_retried": Told(_l("Mail ripetuta"), _filled(_l("Rimette in coda la mail n. %(mail)s."))),
    "mails_retried": Told(
        _l("Mail ripetute"), _filled(_l("Rimette in coda le mail non recapitate: %(mails)s."))
    ),
    "mail_given_up": Told(
        _l("Mail abbandonata"), _filled(_l("Rinuncia a spedire la mail n. %(mail)s."))
    ),
    "document_read": Told(_l("Documento letto"), _filled(_l("Apre il documento n. %(document)s."))),
    "document_published": Told(
        _l("Documento pubblicato"), _filled(_l("Pubblica i documenti n. %(documents)s."))
    ),
    "document_changed": Told(
        _l("Documento modificato"), _filled(_l("Modifica il documento n. %(documents)s."))
    ),
    "document_withdrawn": Told(
        _l("Documento ritirato"), _filled(_l("Ritira il documento n. %(document)s."))
    ),
    "document_deleted": Told(
        _l("Documento eliminato"), _filled(_l("Elimina il documento n. %(document)s."))
    ),
    "file_uploaded": Told(_l("File inviato"), _filled(_l("Invia il file «%(name)s»."))),
    "file_loaded": Told(
        _l("File caricato"), _filled(_l("Mette in inbox il file «%(name)s», da importare."))
    ),
    "file_confirmed": Told(
        _l("File confermato"), _filled(_l("Conferma il file sospeso «%(name)s»."))
    ),
    "file_discarded": Told(_l("File scartato"), _filled(_l("Scarta il file «%(name)s»."))),
}
