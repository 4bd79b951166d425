"""The receipt of a ticket that must be answered by a day, made anew each time it is asked for."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from peewee import JOIN

from domain import notation, supplies
from domain.formats import receipt
from models import Customer, SupplyPoint, Ticket

# In the order in which they are offered.
CATEGORIES = {
    "information": _l("Informazioni"),
    "complaint": _l("Reclamo"),
    "billing": _l("Rettifica di fatturazione"),
    "data_change": _l("Modifica dei dati"),
    "other": _l("Altro"),
}


def find(code):
    """The ticket with `code`, its customer and supply read along; or None."""
    return (
        Ticket.select(Ticket, Customer, SupplyPoint)
        .join_from(Ticket, Customer)
        .join_from(Ticket, SupplyPoint, JOIN.LEFT_OUTER)
        .where(Ticket.code == code)
        .first()
    )


def file_name(code):
    return f"ricevuta_{code}.pdf"


def pdf(ticket, *, utility, contacts):
    """The receipt of `ticket`, which has a `due_on`, as bytes.

    It carries the subject but not the text, which stays in the portal.
    """
    customer, supply = ticket.customer, ticket.supply
    facts = [
        (_("Cliente"), customer.name),
        (_("Codice cliente"), customer.code),
        *([(_("Punto di fornitura"), supplies.label(supply))] if supply else []),
        (_("Categoria"), str(CATEGORIES[ticket.category])),
        (_("Oggetto"), ticket.subject),
        (_("Registrato il"), notation.moment(ticket.opened_at)),
        (_("Risposta dovuta entro il"), notation.day(ticket.due_on)),
    ]
    notes = (
        _(
            "La richiesta è registrata nel portale clienti. Il codice qui sopra la identifica in "
            "ogni contatto con %(utility)s.",
            utility=utility,
        ),
        _(
            "Il termine per la risposta è in giorni solari e si conta dal giorno successivo alla "
            "registrazione. Testo, allegati e risposte si leggono nel portale, alla voce «Ticket»."
        ),
    )
    return receipt.write_apart(
        receipt.Receipt(
            title=title(ticket),
            utility=utility,
            contacts=contacts,
            code=ticket.code,
            facts=tuple(facts),
            notes=notes,
            made_at=ticket.opened_at,
        )
    )


def title(ticket):
    if ticket.category == "complaint":
        return _("Ricevuta di reclamo")
    return _("Ricevuta di richiesta di rettifica di fatturazione")
