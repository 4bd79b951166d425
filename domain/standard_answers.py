"""Texts that operators send often, with places that are filled in for each ticket."""

import re

import peewee as pw
from flask_babel import gettext as _

from domain import italian
from domain.errors import Refused
from models import StandardAnswer, writing

_PLACE = re.compile("{(cliente|codice|scadenza|operatore)}")


def all_of_them():
    return list(StandardAnswer.select().order_by(pw.fn.LOWER(StandardAnswer.title)))


def one(key):
    """The answer with the id `key`, or None."""
    return StandardAnswer.get_or_none(StandardAnswer.id == key)


def save(answer, title, text):
    """Keep `answer`, a row or None for a new one, or raise Refused; return its row."""
    answer = answer or StandardAnswer()
    answer.title, answer.text = title, text
    try:
        with writing():
            answer.save()
    except pw.IntegrityError:
        raise Refused(_("C'è già una risposta con questo titolo: sceglierne un altro.")) from None
    return answer


def remove(answer):
    with writing():
        answer.delete_instance()


def filled(text, ticket, operator):
    """`text` for `ticket`, its customer read along, and for the name of the operator.

    The place of what a ticket has not, a deadline, stays as it is: see `check`.
    """
    known = {
        "cliente": ticket.customer.name,
        "codice": ticket.code,
        "operatore": operator,
    }
    if ticket.due_on:
        known["scadenza"] = italian.day(ticket.due_on)
    return _PLACE.sub(lambda place: known.get(place[1], place[0]), text)


def check(text):
    """Refused where a place is still to be filled in: no customer should read it."""
    left = _PLACE.search(text)
    if left:
        raise Refused(
            _("Nel testo resta «%(place)s»: scrivere che cosa va al suo posto.", place=left[0])
        )
