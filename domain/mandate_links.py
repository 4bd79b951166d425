"""Links of invitations: made when their mail is sent, signed, and kept nowhere.

A link is bound to one mandate and to the address that was invited. It works once: the mandate is
accepted then. Whoever takes the mandate back makes it void.
"""

import datetime as dt
import hashlib
import hmac

from flask_babel import gettext as _
from itsdangerous import BadData, URLSafeSerializer

from domain.clock import rome_day
from domain.connections import locking
from domain.errors import Refused
from models import Customer, Mandate

LIFETIME = dt.timedelta(days=7)


class Void(Refused):
    """The link is no good, or no more."""


class Accepted(Void):
    """The mandate was accepted already, by the login `account` (its id)."""

    def __init__(self, account):
        super().__init__(_("Questa delega è già stata accettata: per usarla basta entrare."))
        self.account = account


def make(mandate_id, recipient, *, now, key):
    """The link's token for an invitation of the address `recipient` that still waits, or None.

    Its mail may be older than the mandate: SQLite gives the number of an erased one again.
    """
    mandate = Mandate.get_or_none(Mandate.id == mandate_id, Mandate.email == recipient)
    if mandate is None or mandate.account_id or not _waits(mandate, now):
        return None
    return _signer(key).dumps([mandate.id, _bound_to(key, mandate)])


def find(token, *, now, key, lock=False):
    """The mandate, with its customer, that `token` invites to, or raise Void with the reason.

    With `lock` nobody else changes it before the transaction ends.
    """
    try:
        mandate_id, bound_to = _signer(key).loads(token)
    except (BadData, TypeError, ValueError):
        raise _void() from None
    query = Mandate.select().where(Mandate.id == mandate_id)
    mandate = (locking(query) if lock else query).first()
    if mandate is None or bound_to != _bound_to(key, mandate):
        raise _void()
    if mandate.account_id and not mandate.ended_at:
        raise Accepted(mandate.account_id)
    if not _waits(mandate, now):
        raise _void()
    mandate.customer = Customer.get_by_id(mandate.customer_id)
    return mandate


def _waits(mandate, now):
    in_time = now < mandate.given_at + LIFETIME and rome_day(now) <= mandate.ends_on
    return mandate.ended_at is None and in_time


def _bound_to(key, mandate):
    parts = f"{mandate.id}\0{mandate.given_at.isoformat()}\0{mandate.email}"
    return hmac.new(key, parts.encode(), hashlib.sha256).hexdigest()[:32]


def _signer(key):
    return URLSafeSerializer(key, salt="portale: mandate")


def _void():
    return Void(
        _(
            "Questo invito non vale più: è scaduto dopo 7 giorni, oppure la delega è stata "
            "revocata. Chi l'ha mandato può mandarne un altro."
        )
    )
