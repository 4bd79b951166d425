"""What an operator does to a customer's login; the customer is told of each of these.

Whatever is done twice is done once: buttons are pressed twice, and two operators answer two
calls of one customer.
"""

import datetime as dt

from flask_babel import gettext as _

from domain import credentials, customer_factor, email_links, history, mail, mandates, sessions
from domain.connections import locking
from domain.errors import Refused
from domain.mail import messages
from models import Account, Grant, OutgoingMail, writing

SENT_TWICE_WITHIN = dt.timedelta(minutes=1)


def one(customer_id, account_id):
    """The login with that id, if it acts for the customer; else None."""
    query = Account.select().join(Grant)
    return query.where(Account.id == account_id, Grant.customer == customer_id).first()


def resend(account, customer_id, *, now):
    """Queue a mail with a new secret: of the first access, until there is a password."""
    with writing():
        account = _locked(account)
        _refuse_disabled(account)
        kind = "recovery" if account.password_hash else "first_access"
        lately = OutgoingMail.select().where(
            OutgoingMail.account == account,
            OutgoingMail.kind == kind,
            OutgoingMail.recipient == account.email,
            OutgoingMail.created_at > now - SENT_TWICE_WITHIN,
        )
        if not lately.exists():
            mail.queue(kind, account.email, account=account, now=now)
            _record("login_resent", account, customer_id, now)


def correct_email(account, customer_id, address, *, now):
    """Make `address` the login's own at once; the former one is told, and so is the new.

    Secrets and links mailed to the former address are void.
    """
    with writing():
        account = _locked(account)
        former = account.email
        if address == former:
            return
        Account.update(email=address).where(Account.id == account).execute()
        credentials.void(account, now=now)
        email_links.void(account)
        masked = messages.masked(address)
        told = {former: {"new": masked}, address: {}}
        for recipient, params in told.items():
            mail.queue("email_corrected", recipient, account=account, params=params, now=now)
        _record("email_corrected", account, customer_id, now, address=masked)


def disable(account, customer_id, *, now):
    """Close the login: it opens nothing more, and what is open ends.

    With the last one the mandates of the customer end too.
    """
    with writing():
        account = _locked(account)
        if account.disabled_at:
            return
        Account.update(disabled_at=now).where(Account.id == account).execute()
        sessions.end_all(account)
        credentials.void(account, now=now)
        email_links.void(account)
        mail.queue("access_disabled", account.email, account=account, now=now)
        _record("login_disabled", account, customer_id, now)
        if not mandates.has_open_login(customer_id):
            mandates.end_all(customer_id, now=now)


def enable(account, customer_id, *, now):
    """Open a disabled login again, with the password it had."""
    with writing():
        account = _locked(account)
        if not account.disabled_at:
            return
        Account.update(disabled_at=None).where(Account.id == account).execute()
        mail.queue("access_enabled", account.email, account=account, now=now)
        _record("login_enabled", account, customer_id, now)


def close_sessions(account, customer_id, *, now):
    """End every session of the login, wherever it is open."""
    with writing():
        account = _locked(account)
        sessions.end_all(account)
        _record("login_sessions_closed", account, customer_id, now)


def remove_factor(account, customer_id, *, now):
    """Take away the second factor of who has lost the telephone and the recovery codes."""
    with writing():
        account = _locked(account)
        if not account.totp_since:
            return
        customer_factor.forget(account)
        told = {"by_utility": True}
        mail.queue("second_factor_removed", account.email, account=account, params=told, now=now)
        _record("login_factor_removed", account, customer_id, now)


def look(account, customer_id, operator_session, *, now):
    """Open a session in which an operator reads what the login sees; return its token."""
    with writing():
        account = _locked(account)
        _refuse_disabled(account)
        token = sessions.open_view(account, operator_session, now=now)
        history.record("operator_access", now=now, account=account, customer=customer_id)
    return token


def _locked(account):
    """The login as it is now; one change at a time (on SQLite: of whoever)."""
    return locking(Account.select().where(Account.id == account.id)).get()


def _refuse_disabled(account):
    if account.disabled_at:
        raise Refused(_("L'accesso è disabilitato: prima va riabilitato."))


def _record(kind, account, customer_id, now, **details):
    history.record(kind, now=now, customer=customer_id, login=account.username, **details)
