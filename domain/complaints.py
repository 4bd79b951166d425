"""The register of complaints and billing corrections, as the regulator asks for it.

Its columns are told in docs/ticket.md.
"""

from flask_babel import gettext as _
from peewee import JOIN

from domain.clock import during_days, rome_day
from domain.errors import Refused
from domain.formats.sheets import Column
from domain.language import SOURCE, speaking
from domain.pieces import in_pieces
from domain.receipts import CATEGORIES
from models import Customer, SupplyPoint, Ticket

REGISTERED = ("complaint", "billing")
AT_ONCE = 500  # rows of one reading


def sheet(since, until, *, today):
    """(columns, rows) for `formats.sheets` of what arrived from `since` to `until`, days or None.

    The rows are read while they leave. `today` is the day in Italy: what is overdue by then was
    not answered in time.
    """
    if since and until and until < since:
        raise Refused(_("La data «Al» viene prima della data «Dal»: cambiarne una."))
    columns, words = _headings_and_words()
    rows = in_pieces(lambda row: _following(row.id if row else 0, since, until), AT_ONCE)
    return columns, (_cells(row, words, today) for row in rows)


@speaking(SOURCE)
def _headings_and_words():
    """In Italian for whoever asks: the register is for the authority."""
    columns = [
        Column(_("Codice")),
        Column(_("Codice cliente")),
        Column(_("Punto di fornitura")),
        Column(_("Servizio")),
        Column(_("POD/PDR")),
        Column(_("Categoria")),
        Column(_("Arrivato il")),
        Column(_("Risposta dovuta entro il")),
        Column(_("Prima risposta il")),
        Column(_("Giorni impiegati")),
        Column(_("Risposto nei termini")),
        Column(_("Chiuso il")),
        Column(_("Stato")),
    ]
    words = {
        "categories": {key: str(CATEGORIES[key]) for key in REGISTERED},
        "states": {"open": _("Aperto"), "answered": _("Risposto"), "closed": _("Chiuso")},
        "answered": {True: _("sì"), False: _("no"), None: None},
    }
    return columns, words


def _following(last, since, until):
    """The rows of tickets after the one with the id `last`."""
    return (
        Ticket.select(
            Ticket.id,
            Ticket.code,
            Ticket.category,
            Ticket.state,
            Ticket.opened_at,
            Ticket.due_on,
            Ticket.answered_at,
            Ticket.closed_at,
            Customer.code.alias("customer_code"),
            SupplyPoint.code.alias("supply_code"),
            SupplyPoint.service,
            SupplyPoint.pod,
            SupplyPoint.pdr,
        )
        .join_from(Ticket, Customer)
        .join_from(Ticket, SupplyPoint, JOIN.LEFT_OUTER)
        .where(Ticket.category.in_(REGISTERED), Ticket.id > last)
        .where(*during_days(Ticket.opened_at, since, until))
        .order_by(Ticket.id)
        .namedtuples()
    )


def _cells(row, words, today):
    arrived, answered = rome_day(row.opened_at), _day(row.answered_at)
    return (
        row.code,
        row.customer_code,
        row.supply_code,
        row.service,
        row.pod or row.pdr,
        words["categories"][row.category],
        arrived,
        row.due_on,
        answered,
        (answered - arrived).days if answered else None,
        words["answered"][in_time(row.due_on, answered, today)],
        _day(row.closed_at),
        words["states"][row.state],
    )


def _day(instant):
    return instant and rome_day(instant)


def in_time(due_on, answered, today):
    """Whether the first answer came by `due_on`; None while it still can, or without a day."""
    if due_on is None or (answered is None and today <= due_on):
        return None
    return answered is not None and answered <= due_on
