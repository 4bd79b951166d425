"""Links that confirm a new mail address: made when their mail is sent, and kept nowhere.

A link is signed and bound to the login as it was when asked for: its address, its password
and the request. Whatever of these changes makes it void, so that it works once.
"""

import datetime as dt
import hashlib
import hmac

from flask_babel import gettext as _
from itsdangerous import BadData, URLSafeSerializer

from domain.connections import locking
from domain.errors import Refused
from models import Account, EmailChange

LIFETIME = dt.timedelta(hours=24)


class Void(Refused):
    """The link is no good, or no more."""


class AlreadyConfirmed(Void):
    """The link was opened before, and what it confirmed still holds."""


def make(account, address, *, now, key):
    """The link's token for the change to `address` that `account` waits for, or None."""
    change = EmailChange.get_or_none(EmailChange.account == account, EmailChange.address == address)
    if change is None or account.disabled_at:
        return None
    until = int((now + LIFETIME).timestamp())
    afterwards = _state(key, change.address, account)
    return _signer(key).dumps([account.id, until, _request(key, account, change), afterwards])


def find(token, *, now, key, lock=False):
    """The change that `token` confirms, with its account, or raise Void with the reason.

    With `lock` nobody else changes that login before the transaction ends.
    """
    try:
        account_id, until, request, afterwards = _signer(key).loads(token)
    except (BadData, ValueError):
        raise _void() from None
    query = Account.select().where(Account.id == account_id, Account.disabled_at.is_null())
    account = (locking(query) if lock else query).first()
    if account is None:
        raise _void()
    change = EmailChange.get_or_none(EmailChange.account == account)
    if change is None or _request(key, account, change) != request:
        raise _confirmed() if _state(key, account.email, account) == afterwards else _void()
    if now.timestamp() > until:
        raise Void(
            _(
                "Questo collegamento è scaduto: valeva 24 ore. Per riceverne un altro, indicare "
                "di nuovo l'indirizzo in «Dati Anagrafici»."
            )
        )
    change.account = account
    return change


def void(account):
    """Forget the change that `account` waits for; its link is no good."""
    EmailChange.delete().where(EmailChange.account == account).execute()


def _request(key, account, change):
    """What the link is bound to."""
    asked = f"{change.id} {change.asked_at.isoformat()} {change.address}"
    return _digest(key, asked, account.email, account.password_hash)


def _state(key, address, account):
    """How the login is once `address` is its own."""
    return _digest(key, address, account.password_hash)


def _digest(key, *parts):
    return hmac.new(key, "\0".join(map(str, parts)).encode(), hashlib.sha256).hexdigest()[:32]


def _signer(key):
    return URLSafeSerializer(key, salt="new mail address")


def _confirmed():
    return AlreadyConfirmed(_("L'indirizzo è già stato confermato: non occorre altro."))


def _void():
    return Void(
        _(
            "Questo collegamento non vale più: è già stato usato, oppure la richiesta è stata "
            "annullata o sostituita da una più recente."
        )
    )
