"""Another mail address for a login: asked for with the password, valid once its link is opened.

The address also becomes the contact of one customer, the one whose record was open; other
customers for whom the login acts keep theirs.
"""

import datetime as dt

from flask_babel import gettext as _

from domain import accounts, contacts, credentials, email_links, history, mail, throttle
from domain.connections import locking
from domain.errors import Refused
from domain.mail import messages
from models import Account, Customer, EmailChange, writing

SAVED_TWICE_WITHIN = dt.timedelta(minutes=1)
AWAITED = dt.timedelta(days=3)  # the mail may wait two days for its server, the link lasts one


class InUse(Refused):
    """The new address is the one in use."""


def ask(account_id, customer_id, address, password, *, now):
    """Queue a mail with a link to `address`, and a notice to the address in use."""
    accounts.confirm_password(account_id, password, now=now)
    throttle.reserve([(throttle.EMAIL_CHANGE, account_id)], now=now)
    with writing():
        account = _locked(account_id)
        earlier = EmailChange.get_or_none(EmailChange.account == account)
        if earlier and _asked_just_now(earlier, customer_id, address, now):
            return
        if _is_in_use(account, customer_id, address):
            raise InUse(_("È già l'indirizzo in uso: indicarne un altro."))
        email_links.void(account)
        EmailChange.create(account=account, customer=customer_id, address=address, asked_at=now)
        masked = messages.masked(address)
        mail.queue("email_change", address, account=account, now=now)
        mail.queue(
            "email_change_notice", account.email, account=account, params={"new": masked}, now=now
        )
        history.record(
            "email_change_asked", now=now, account=account, customer=customer_id, address=masked
        )


def _locked(account_id):
    """The login; one change at a time (on SQLite: of whoever)."""
    return locking(Account.select().where(Account.id == account_id)).get()


def _asked_just_now(earlier, customer_id, address, now):
    """Whether this very change was just asked for: the button was pressed twice."""
    same = (earlier.customer_id, earlier.address) == (customer_id, address)
    return same and earlier.asked_at > now - SAVED_TWICE_WITHIN


def _is_in_use(account, customer_id, address):
    contact = Customer.get_by_id(customer_id).email or ""
    return address.lower() == account.email.lower() == contact.lower()


def awaited(account_id, *, now):
    """The change that waits for its link to be opened, or None."""
    return EmailChange.get_or_none(
        EmailChange.account == account_id, EmailChange.asked_at > now - AWAITED
    )


def withdraw(account_id):
    """Forget the change that is awaited; its link is void."""
    with writing():
        email_links.void(account_id)


def opened(token, *, address, now, key):
    """The change that the link `token` would make, opened from the network address `address`.

    Changes nothing but the count of links that are no good. Raises email_links.Void, or
    TooManyTries.
    """
    tries = _tries(address)
    throttle.check(tries, now=now)
    try:
        return email_links.find(token, now=now, key=key)
    except email_links.AlreadyConfirmed:
        raise
    except email_links.Void:
        throttle.count(tries, now=now)
        raise


def confirm(token, *, address, now, key):
    """Make the change of the link `token`; raises like `opened`.

    Mailed secrets become void: they went to the former address.
    """
    tries = _tries(address)
    throttle.reserve(tries, now=now)
    with writing():
        change = email_links.find(token, now=now, key=key, lock=True)
        account, former = change.account, change.account.email
        Account.update(email=change.address).where(Account.id == account).execute()
        email_links.void(account)
        credentials.void(account, now=now)
        contacts.change(change.customer_id, {"email": change.address}, account=account, now=now)
        history.record("email_changed", now=now, account=account, customer=change.customer_id)
        mail.queue("email_changed", former, account=account, now=now)
        throttle.give_back(tries, now=now)


def _tries(address):
    return [(throttle.EMAIL_LINK, throttle.place(address))]
