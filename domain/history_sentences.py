"""One sentence for each event of «Storico», from its kind and details."""

import datetime as dt
import json

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from domain import notation, preferences
from domain.sentences import filled, written


def sentence(kind, details):
    """What happened, as the customer reads it; `details` is the JSON of an event."""
    return written(SENTENCES, kind, details)


def delegate(details):
    """The name of who did it under a mandate, or None; `details` is the JSON of an event."""
    try:
        return json.loads(details).get("delegate")
    except (AttributeError, ValueError):
        return None


def _day(iso):
    return notation.day(dt.date.fromisoformat(iso))


def _access(given):
    if given.get("mailed"):
        text = _("Accesso con la password ricevuta per posta elettronica")
    else:
        text = _("Accesso al portale")
    if given.get("recovery"):
        text += _(" (con un codice di recupero)")
    browser, system = given.get("browser"), given.get("system")
    if browser and system:
        text += _(", con %(browser)s su %(system)s", browser=browser, system=system)
    elif browser or system:
        text += _(", con %(name)s", name=browser or system)
    return text + _(", dall'indirizzo %(address)s.", address=given["address"])


def _contact_changed(given):
    labels = {"phone": _("Telefono"), "fax": _("Fax"), "email": _("E-Mail")}
    facts = {**given, "field": labels[given["field"]]}
    if not given["value"]:
        return _("%(field)s: cancellato il contatto «%(previous)s».", **facts)
    if not given["previous"]:
        return _("%(field)s: aggiunto il contatto «%(value)s».", **facts)
    return _("%(field)s: cambiato da «%(previous)s» a «%(value)s».", **facts)


def _preferences_changed(given):
    if "nickname" in given:
        if not given["nickname"]:
            return _("Tolto il nome dato alla fornitura.")
        return _("La fornitura ora si chiama «%(name)s».", name=given["nickname"])
    sentences = [_ALL_NOTICES[given["notices"]]] if "notices" in given else []
    sentences += [
        _NOTICES_OF[given[f"notices_{group}"]] % {"about": about}
        for group, about in preferences.NOTICES.items()
        if f"notices_{group}" in given
    ]
    return " ".join(map(str, sentences)) or _("Preferenze cambiate.")


_ALL_NOTICES = {
    True: _l("Avvisi per posta elettronica attivati."),
    False: _l("Avvisi per posta elettronica disattivati."),
}
_NOTICES_OF = {
    True: _l("Avvisi «%(about)s» per posta elettronica attivati."),
    False: _l("Avvisi «%(about)s» per posta elettronica disattivati."),
}


def _invoices_downloaded(given):
    facts = {"numbers": ", ".join(given["numbers"]), "more": given["count"] - len(given["numbers"])}
    if len(given["numbers"]) == 1:
        return _("Scaricata in un file ZIP la fattura %(numbers)s.", **facts)
    if facts["more"]:
        return _("Scaricate in un file ZIP le fatture %(numbers)s e altre %(more)s.", **facts)
    return _("Scaricate in un file ZIP le fatture %(numbers)s.", **facts)


def _reading(text):
    return lambda given: text % {"day": _day(given["day"]), "counter": given["counter"]}


def _measures_downloaded(given):
    return _(
        "Scaricate le misure elettriche dal %(since)s al %(until)s (%(format)s).",
        since=_day(given["since"]),
        until=_day(given["until"]),
        format=given["format"],
    )


def _mandate_given(given):
    scopes = {
        "invoices": _("solo fatture"),
        "everything": _("tutto tranne la modifica dei dati"),
    }
    return _(
        "Data una delega a %(name)s fino al %(until)s (%(scope)s), in attesa che la accetti.",
        name=given["name"],
        until=_day(given["until"]),
        scope=scopes[given["scope"]],
    )


SENTENCES = {
    "access": _access,
    "password_changed": filled(
        _l("Password cambiata; gli altri accessi aperti sono stati chiusi.")
    ),
    "sessions_closed": filled(_l("Chiusi tutti gli accessi aperti.")),
    "second_factor_failed": filled(
        _l(
            "Scritto un codice del secondo fattore sbagliato, dall'indirizzo %(address)s: se non è "
            "noto chi fosse, cambiare la password."
        )
    ),
    "second_factor_added": filled(
        _l("Aggiunto il secondo fattore; gli altri accessi aperti sono stati chiusi.")
    ),
    "second_factor_removed": filled(_l("Tolto il secondo fattore.")),
    "recovery_codes_made": filled(
        _l("Creati nuovi codici di recupero: quelli di prima non valgono più.")
    ),
    "login_factor_removed": filled(
        _l("Tolto il secondo fattore dell'accesso con lo User %(login)s.")
    ),
    "operator_access": filled(_l("Accesso di un operatore in sola lettura.")),
    "login_resent": filled(_l("Inviata una nuova password per l'accesso con lo User %(login)s.")),
    "login_disabled": filled(_l("Disabilitato l'accesso con lo User %(login)s.")),
    "login_enabled": filled(_l("Riabilitato l'accesso con lo User %(login)s.")),
    "login_sessions_closed": filled(_l("Chiusi tutti gli accessi aperti con lo User %(login)s.")),
    "email_corrected": filled(
        _l("Corretto in %(address)s l'indirizzo e-mail dell'accesso con lo User %(login)s.")
    ),
    "reading_entered": _reading(
        _l("Inserita l'autolettura del %(day)s: il contatore segnava %(counter)s.")
    ),
    "reading_cancelled": _reading(
        _l("Cancellata l'autolettura del %(day)s, in cui il contatore segnava %(counter)s.")
    ),
    "contact_changed": _contact_changed,
    "email_change_asked": filled(
        _l("Chiesto di cambiare l'indirizzo e-mail in %(address)s: vale dopo la conferma.")
    ),
    "email_changed": filled(_l("Il nuovo indirizzo e-mail è stato confermato.")),
    "preferences_changed": _preferences_changed,
    "data_exported": filled(_l("Scaricata la copia dei propri dati.")),
    "erasure_asked": filled(_l("Chiesta la cancellazione dei dati personali.")),
    "erasure_withdrawn": filled(_l("Ritirata la richiesta di cancellare i dati personali.")),
    "erasure_declined": filled(
        _l(
            "La richiesta di cancellare i dati personali non è stata accolta: vedere la risposta "
            "ricevuta per posta elettronica."
        )
    ),
    "calendar_made": filled(_l("Creato il collegamento del calendario della fornitura.")),
    "calendar_revoked": filled(_l("Revocato il collegamento del calendario della fornitura.")),
    "invoice_downloaded": filled(_l("Scaricata la fattura %(number)s.")),
    "invoices_downloaded": _invoices_downloaded,
    "document_downloaded": filled(_l("Scaricato il documento «%(title)s».")),
    "document_published": filled(_l("Pubblicato il documento «%(title)s».")),
    "document_withdrawn": filled(_l("Ritirato il documento «%(title)s».")),
    "consumption_downloaded": filled(_l("Scaricati i prelievi fatturati (%(format)s).")),
    "measures_downloaded": _measures_downloaded,
    "attachment_downloaded": filled(_l("Scaricato «%(name)s» dal ticket %(code)s.")),
    "ticket_opened": filled(_l("Aperto il ticket %(code)s.")),
    "ticket_answered": filled(_l("Scritto nel ticket %(code)s.")),
    "ticket_closed": filled(_l("Chiuso il ticket %(code)s.")),
    "ticket_reopened": filled(_l("Riaperto il ticket %(code)s.")),
    "mandate_given": _mandate_given,
    "mandate_accepted": filled(_l("%(name)s ha accettato la delega.")),
    "mandate_used": filled(_l("%(name)s ha usato la delega.")),
    "mandate_revoked": filled(_l("Revocata la delega a %(name)s.")),
    "mandate_returned": filled(_l("%(name)s ha restituito la delega.")),
    "mandate_closed": filled(_l("Chiusa la delega a %(name)s.")),
    "mandate_ended": filled(_l("La delega a %(name)s è finita nel giorno stabilito.")),
}
