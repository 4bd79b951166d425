"""One sentence for each event of «Storico», from its kind and details."""

import datetime as dt
import json

from flask_babel import gettext as _

from domain import italian


def sentence(kind, details):
    """What happened, as the customer reads it; `details` is the JSON of an event.

    What a later version of the portal wrote is told in general terms.
    """
    try:
        return SENTENCES[kind](json.loads(details))
    except (KeyError, TypeError, ValueError):
        return _("Operazione registrata.")


def _day(iso):
    return italian.day(dt.date.fromisoformat(iso))


def _access(given):
    if given.get("mailed"):
        text = _("Accesso con la password ricevuta per posta elettronica")
    else:
        text = _("Accesso al portale")
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
        return _("%(field)s: cancellato il recapito «%(previous)s».", **facts)
    if not given["previous"]:
        return _("%(field)s: aggiunto il recapito «%(value)s».", **facts)
    return _("%(field)s: cambiato da «%(previous)s» a «%(value)s».", **facts)


def _invoices_downloaded(given):
    numbers = ", ".join(given["numbers"])
    more = given["count"] - len(given["numbers"])
    if more:
        return _("Scaricate insieme le fatture %(numbers)s e altre %(more)s.",
                 numbers=numbers, more=more)  # fmt: skip
    return _("Scaricate insieme le fatture %(numbers)s.", numbers=numbers)


SENTENCES = {
    "access": _access,
    "password_changed": lambda given: _(
        "Password cambiata; gli altri accessi aperti sono stati chiusi."
    ),
    "sessions_closed": lambda given: _("Chiusi tutti gli accessi aperti."),
    "reading_entered": lambda given: _(
        "Inserita l'autolettura del %(day)s: il contatore segnava %(counter)s.",
        day=_day(given["day"]),
        counter=given["counter"],
    ),
    "reading_cancelled": lambda given: _(
        "Cancellata l'autolettura del %(day)s, in cui il contatore segnava %(counter)s.",
        day=_day(given["day"]),
        counter=given["counter"],
    ),
    "contact_changed": _contact_changed,
    "email_change_asked": lambda given: _(
        "Chiesto il cambio dell'indirizzo di posta elettronica con %(address)s.",
        address=given["address"],
    ),
    "email_changed": lambda given: _("Confermato il nuovo indirizzo di posta elettronica."),
    "invoice_downloaded": lambda given: _(
        "Scaricata la fattura %(number)s.", number=given["number"]
    ),
    "invoices_downloaded": _invoices_downloaded,
    "document_downloaded": lambda given: _(
        "Scaricato il documento «%(title)s».", title=given["title"]
    ),
    "consumption_downloaded": lambda given: _(
        "Scaricati i prelievi fatturati in formato %(format)s.", format=given["format"]
    ),
    "measures_downloaded": lambda given: _(
        "Scaricate le misure elettriche dal %(since)s al %(until)s in formato %(format)s.",
        since=_day(given["since"]),
        until=_day(given["until"]),
        format=given["format"],
    ),
}
