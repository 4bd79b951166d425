"""What became of the mail, for the operators: what waits, fails, was sent; trying it again."""

import datetime as dt
import re

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from peewee import SQL, Case, fn

from domain.errors import Refused
from domain.mail.outbox import LEASE
from models import Customer, Grant, OutgoingMail, Prepared, writing

RECENT = dt.timedelta(days=7)  # of what was sent
AT_REST = dt.timedelta(minutes=30)  # mail is due and none was sent for so long: nobody sends it
# Why it was not sent, after a backup was restored: see domain/backups/restoring.py.
RESTORED = "Non spedita: era in coda quando fu fatta la copia ripristinata."

_waits = OutgoingMail.state == "queued"
_fails = _waits & OutgoingMail.last_error.is_null(False)
_failed = (OutgoingMail.state == "failed") & OutgoingMail.given_up_at.is_null()
STATES = {
    "non-recapitata": _failed,
    "riprova": _fails,
    "attesa": _waits & OutgoingMail.last_error.is_null(),
    "inviata": OutgoingMail.state == "sent",
    "rinuncia": (OutgoingMail.state == "failed") & OutgoingMail.given_up_at.is_null(False),
}
SORTS = ("-creata", "creata")

_state = Case(None, [(condition, name) for name, condition in STATES.items()])


def _of_state(state, now):
    """The condition that a mail is in `state`; those sent long ago are left out of every list."""
    # What was sent was due until its lease would have run out: an index leads there.
    sent = (OutgoingMail.state == "sent") & (OutgoingMail.due_at > now - RECENT)
    if state:
        return sent if state == "inviata" else STATES[state]
    return (OutgoingMail.state != "sent") | sent


def page(*, state, recipient, sort, limit, now, offset=0):
    """Rows of mails, `state` one of STATES or None for all, `recipient` a part of the address.

    Each has its `group`, one of STATES, and `total`, the number of rows on all pages.
    """
    query = OutgoingMail.select(
        OutgoingMail.id,
        OutgoingMail.kind,
        OutgoingMail.recipient,
        OutgoingMail.attempts,
        OutgoingMail.created_at,
        OutgoingMail.due_at,
        OutgoingMail.sent_at,
        OutgoingMail.last_error,
        _state.alias("group"),
        fn.COUNT(OutgoingMail.id).over().alias("total"),
    ).where(_of_state(state, now))
    if recipient:
        query = query.where(fn.LOWER(OutgoingMail.recipient).contains(recipient.lower()))
    order = OutgoingMail.id.desc() if sort.startswith("-") else OutgoingMail.id.asc()
    return list(query.order_by(order).limit(limit).offset(offset).objects())


_unsent = Prepared(
    "",
    lambda: (
        OutgoingMail.select(
            _state.alias("group"),
            fn.COUNT(OutgoingMail.id).alias("mails"),
            fn.MIN(OutgoingMail.created_at).alias("oldest_at"),
        )
        .where(_waits | _failed)
        .group_by(SQL("1"))
    ),
)


class Unsent:
    """How much mail waits and how much failed.

    `waiting` counts `failing` too, those that were tried and will be again; `oldest_at` is when
    the oldest of them was queued, or None.
    """

    def __init__(self):
        rows = {row.group: row for row in _unsent()}
        queued = [rows[name] for name in ("riprova", "attesa") if name in rows]
        self.failing = rows["riprova"].mails if "riprova" in rows else 0
        self.failed = rows["non-recapitata"].mails if "non-recapitata" in rows else 0
        self.waiting = sum(row.mails for row in queued)
        instant = OutgoingMail.created_at.python_value
        self.oldest_at = min((instant(row.oldest_at) for row in queued), default=None)


def is_at_rest(*, now):
    """Whether mail is due and nobody sends any, be it little or much."""
    since = now - AT_REST
    due = OutgoingMail.select().where(_waits, OutgoingMail.due_at <= since)
    sent = OutgoingMail.select().where(
        OutgoingMail.state == "sent", OutgoingMail.due_at > since, OutgoingMail.sent_at > since
    )
    return due.exists() and not sent.exists()


# -- Why -----------------------------------------------------------------------------------

# What a server means (RFC 5321, RFC 3463), by how its answer begins; the first that fits.
_MEANINGS = (
    (r"indirizzo non valido", _l("L'indirizzo non è scritto correttamente.")),
    (r"server di posta non raggiungibile|connessione interrotta|nessuna risposta",
     _l("Il server di posta non risponde.")),
    (r"53[045]", _l("Il server di posta non accetta l'utente o la password del portale.")),
    (r"[45]52|\d{3}[ -][45]\.2\.2", _l("La casella di posta è piena.")),
    (r"554|\d{3}[ -]5\.7\.", _l("Il server di posta rifiuta il messaggio, forse perché lo "
                                 "considera indesiderato.")),
    (r"55[013]", _l("L'indirizzo non esiste o non accetta posta.")),
    (r"4\d\d", _l("Il server di posta chiede di riprovare più tardi.")),
    (r"5\d\d", _l("Il server di posta rifiuta il messaggio.")),
)  # fmt: skip


def in_words(error):
    """Why a mail was not taken, for who knows no codes; None where the text says it itself."""
    return next((words for start, words in _MEANINGS if re.match(start, error)), None)


# -- Trying again --------------------------------------------------------------------------


def _to_retry(now):
    """Those that failed, and those postponed for longer than anybody can still be sending them."""
    at_rest = _waits & (OutgoingMail.due_at > now + LEASE)
    return (OutgoingMail.state == "failed") | at_rest


def can_be_retried(row, *, now):
    """Whether `retry` would take `row` of a page: not what is about to be sent anyway."""
    return row.group in {"non-recapitata", "rinuncia"} or (
        row.group == "riprova" and row.due_at > now + LEASE
    )


def retry(key, *, now):
    """Send one mail at the next occasion, or raise Refused; return its kind."""
    with writing():
        if not _retry(OutgoingMail.id == key, now):
            raise Refused(_("Questa mail è già partita, o sta per partire."))
        return _kind(key)


def retry_all(*, now):
    """Send at the next occasion whatever failed or was postponed; return how many.

    But not what was waiting when a backup was made that has been restored: it may have been sent.
    """
    with writing():
        unknown = fn.COALESCE(OutgoingMail.last_error, "") == RESTORED
        return _retry(OutgoingMail.given_up_at.is_null() & ~unknown, now)


def _retry(condition, now):
    changes = {"state": "queued", "due_at": now, "given_up_at": None, "reported": False}
    return OutgoingMail.update(changes).where(condition, _to_retry(now)).execute()


def give_up(key, *, now):
    """Send one mail no more, or raise Refused; return its kind."""
    unsent = (OutgoingMail.state != "sent") & OutgoingMail.given_up_at.is_null()
    changes = {"state": "failed", "given_up_at": now, "reported": True}
    with writing():
        if not OutgoingMail.update(changes).where(OutgoingMail.id == key, unsent).execute():
            raise Refused(_("A questa mail si è già rinunciato, o è già partita."))
        return _kind(key)


def _kind(key):
    return OutgoingMail.select(OutgoingMail.kind).where(OutgoingMail.id == key).scalar()


def customer_code(key):
    """The code of the customer whom a mail concerns, or None where it is to nobody's login."""
    concerned = Customer.select(Customer.code).join(Grant)
    mail = concerned.join(OutgoingMail, on=OutgoingMail.account == Grant.account)
    return mail.where(OutgoingMail.id == key).order_by(Grant.id).limit(1).scalar()
