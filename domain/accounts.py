"""Getting in: registration, login, recovery, change of password.

What a stranger can learn from an answer is decided here: each function refuses with one
sentence whatever the reason, and does the same work on every branch.
"""

import datetime as dt
import hashlib
import re
from typing import NamedTuple

from flask_babel import gettext as _

from domain import (
    contacts,
    credentials,
    devices,
    email_links,
    history,
    language,
    mail,
    passwords,
    sessions,
    throttle,
)
from domain.connections import locking
from domain.errors import Refused
from models import Account, Customer, Grant, OutgoingMail, writing

MOST_RECOVERY_MAILS = 3  # in the life of a mailed secret
ATTEMPT_TOLD_EVERY = dt.timedelta(days=1)
SAVED_TWICE_WITHIN = dt.timedelta(minutes=1)


class KnownBrowser(NamedTuple):
    """A browser in which the logins with the ids `accounts` succeeded before."""

    id: str
    accounts: tuple


# -- Login ---------------------------------------------------------------------------------


def sign_in(username, password, *, address, browser, agent, now, key):
    """Open a session with a password or with a mailed secret; return (account, token).

    Where `account.totp_since` is set, the session waits for a code of the second factor.

    `browser` is a KnownBrowser or None; `agent` what the browser calls itself; `key` that of
    the mailed secrets. A mailed secret is looked at before any limit: guesses of others
    never shut it out, and 118 random bits need no limit.
    """
    username = username.strip()
    if credentials.find(username, password, now=now, key=key):
        with writing():
            account = credentials.redeem(username, password, now=now, key=key)
            if account:
                return account, _enter(account, address, agent, now, mailed=True)
    account = Account.get_or_none(Account.username == username)
    tries = _login_tries(account, username, address, browser)
    throttle.reserve(tries, now=now)
    if not passwords.matches(account.password_hash if account else None, password):
        raise _wrong_login()
    with writing():
        if not _still_valid(account):
            raise _wrong_login()
        throttle.give_back(tries, now=now)
        return account, _enter(account, address, agent, now)


def _enter(account, address, agent, now, *, mailed=False):
    """The token of a new session; with a second factor it is an access once the code is right."""
    if not account.totp_since:
        note_access(account, address, agent, now, **({"mailed": True} if mailed else {}))
    return sessions.open_session(account, now=now, must_change_password=mailed)


def note_access(account, address, agent, now, **details):
    """Write in «Storico» that somebody is in; `agent` is what the browser calls itself."""
    browser, system = devices.described(agent)
    details |= {"address": address, "browser": browser, "system": system}
    history.record("access", now=now, account=account, **details)


def _login_tries(account, username, address, browser):
    if account and browser and account.id in browser.accounts:
        return [(throttle.LOGIN_BROWSER, f"{account.id}:{browser.id}")]
    return [
        (throttle.LOGIN_ADDRESS, throttle.place(address)),
        (throttle.LOGIN_CODE, username),
    ]


def _still_valid(account):
    """Neither disabled, nor given another password while this one was being verified."""
    return (
        Account.select()
        .where(
            Account.id == account.id,
            Account.password_hash == account.password_hash,
            Account.disabled_at.is_null(),
        )
        .exists()
    )


def _wrong_login():
    return Refused(_("Codice cliente o password non corretti."))


# -- Registration --------------------------------------------------------------------------


def claim(code, tax_id, *, address, now):
    """The customer with this code and tax code or VAT number who may register, or Refused.

    Where the customer is registered already, the owner of the login is told by mail.
    """
    code, tax_id = code.strip(), _plain_tax_id(tax_id)
    tries = [
        (throttle.REGISTRATION_ADDRESS, throttle.place(address)),
        (throttle.REGISTRATION_CODE, code),
        (throttle.REGISTRATION_TAX_ID, hashlib.sha256(tax_id.encode()).hexdigest()),
    ]
    throttle.check(tries, now=now)
    customer = Customer.get_or_none(Customer.code == code)
    with writing():
        throttle.count(tries, now=now)
        right = _has_tax_id(customer, tax_id) and customer.erased_at is None
        accounts = _accounts_in_use(customer, now) if right else []
        if right and not accounts:
            throttle.give_back(tries, now=now)
            return customer
        for account in accounts:
            _tell_of_attempt(account, now)
    raise _no_registration()  # after the commit: the try and the mail stay


def register(customer_id, email, *, keep, address, now):
    """Give the customer a login and queue the mail with its first password.

    `keep` makes `email` the customer's contact address. The addresses known until now
    are told, in case it was somebody else who found an invoice.
    """
    throttle.reserve([(throttle.REGISTRATION_ADDRESS, throttle.place(address))], now=now)
    with writing():
        customer = _locked(customer_id)
        in_use = _accounts_in_use(customer, now) if customer else []
        for account in in_use:
            if _saved_twice(account, email, now):
                return account
        if customer is None or customer.erased_at or in_use:
            raise _no_registration()
        account, former = _make_account(customer, email, now)
        mail.queue("first_access", email, account=account, now=now)
        for contact in {former, *addresses_in(customer.email)} - {None}:
            if not _same(contact, email):
                mail.queue("registration_notice", contact, account=account, now=now)
        if keep:
            contacts.change(customer.id, {"email": email}, account=account, now=now)
    return account


def _locked(customer_id):
    """The customer, or None; one registration at a time (on SQLite: of whoever)."""
    return locking(Customer.select().where(Customer.id == customer_id)).first()


def _saved_twice(account, email, now):
    """Whether this very registration was just made: «Salva» was pressed twice."""
    just_now = account.created_at > now - SAVED_TWICE_WITHIN
    return just_now and account.password_hash is None and _same(account.email, email)


def _make_account(customer, email, now):
    """A new login, or the one never used made new; and the address it had until now."""
    unused, spoken = _accounts(customer).first(), {"last_language": language.current()}
    if unused is None:
        account = Account.create(username=customer.code, email=email, created_at=now, **spoken)
        Grant.create(account=account, customer=customer)
        return account, None
    changes = {"email": email, "created_at": now, **spoken}
    Account.update(changes).where(Account.id == unused).execute()
    credentials.void(unused, now=now)
    sessions.end_all(unused)
    return Account.get_by_id(unused.id), unused.email


def _accounts(customer):
    return Account.select().join(Grant).where(Grant.customer == customer)


def _accounts_in_use(customer, now):
    """The logins of `customer`, but not one whose first password ran out without being used.

    Else a typing error in the mail address would keep the customer out for ever.
    """
    return [
        account
        for account in _accounts(customer)
        if account.password_hash
        or account.disabled_at
        or account.created_at > now - credentials.FIRST_ACCESS
    ]


def _tell_of_attempt(account, now):
    if account.disabled_at:
        return
    if not _mails(account, "registration_attempt", since=now - ATTEMPT_TOLD_EVERY).exists():
        mail.queue("registration_attempt", account.email, account=account, now=now)


def _plain_tax_id(text):
    """As compared: capitals and digits only, without the `IT` of a VAT number."""
    plain = "".join(character for character in text.upper() if character.isalnum())
    return plain[2:] if len(plain) == 13 and plain.startswith("IT") else plain


def _has_tax_id(customer, tax_id):
    known = (customer.tax_code, customer.vat_number) if customer else ()
    return bool(tax_id) and any(_plain_tax_id(each) == tax_id for each in known if each)


def addresses_in(text):
    """The mail addresses in a contact as billing keeps it, which may be several."""
    return {word for word in re.split(r"[\s,;]+", text or "") if "@" in word}


def _same(address, other):
    return address.strip().lower() == other.strip().lower()


def _no_registration():
    return Refused(
        _(
            "Con questi dati non è possibile registrarsi. Controllare sulla fattura il codice "
            "cliente e il codice fiscale o la partita IVA; chi è già registrato può chiedere "
            "una nuova password."
        )
    )


# -- Recovery ------------------------------------------------------------------------------


def recover(code, *, address, now):
    """Queue a mail with a new secret if `code` is a login; say nothing either way.

    At most three mails in six hours: they can be asked for by anybody, and the address
    that gets them should not suffer.
    """
    code = code.strip()
    tries = [
        (throttle.RECOVERY_ADDRESS, throttle.place(address)),
        (throttle.RECOVERY_CODE, code),
    ]
    throttle.check(tries, now=now)
    account = Account.get_or_none(Account.username == code, Account.disabled_at.is_null())
    with writing():
        throttle.count(tries, now=now)
        if account and _may_mail_secret(account, now):
            mail.queue("recovery", account.email, account=account, now=now)


def _may_mail_secret(account, now):
    """Fewer than three alive, mailed lately, or still waiting to be mailed."""
    lately = _mails(account, "recovery", since=now - credentials.RECOVERY).count()
    alive = credentials.alive(account, now=now).count()
    return lately < MOST_RECOVERY_MAILS and alive < credentials.MOST_ALIVE


def _mails(account, kind, *, since):
    return OutgoingMail.select().where(
        OutgoingMail.account == account,
        OutgoingMail.kind == kind,
        (OutgoingMail.created_at > since) | (OutgoingMail.state == "queued"),
    )


# -- Change of password --------------------------------------------------------------------


def change_password(account_id, new, *, token, now, words=()):
    """Make `new` the password; return the token that replaces `token`.

    Every other session ends, and mailed secrets and links with them. `words` are further hints for
    judging its strength, beside the customer's own data.
    """
    account = Account.get_by_id(account_id)
    passwords.check_strength(new, hints=[*words, *_hints(account)])
    kept = passwords.hashed(new)
    with writing():
        _locked_account(account)
        if sessions.load(token, now=now, quietly=True) is None:
            raise Refused(_("L'accesso è stato chiuso nel frattempo: autenticarsi di nuovo."))
        Account.update(password_hash=kept).where(Account.id == account).execute()
        credentials.void(account, now=now)
        email_links.void(account)
        sessions.end_all(account, but=token)
        mail.queue("password_changed", account.email, account=account, now=now)
        history.record("password_changed", now=now, account=account)
        return sessions.renew(token)


def close_sessions(account_id, *, now):
    """End every session of the login, wherever it is open."""
    with writing():
        sessions.end_all(account_id)
        history.record("sessions_closed", now=now, account=account_id)


def _locked_account(account):
    """Of two changes at once the first ends the session of the second."""
    list(locking(Account.select(Account.id).where(Account.id == account)))


def confirm_password(account_id, password, *, now):
    """Raise Refused unless `password` is the one in use."""
    account = Account.get_by_id(account_id)
    tries = [(throttle.CHANGE_ACCOUNT, account.id)]
    throttle.reserve(tries, now=now)
    if not passwords.matches(account.password_hash, password):
        raise Refused(_("La password attuale non è corretta."))
    with writing():
        throttle.give_back(tries, now=now)


def _hints(account):
    customers = Customer.select().join(Grant).where(Grant.account == account)
    yield from (account.username, account.email, account.email.partition("@")[0])
    for customer in customers:
        yield from (customer.code, customer.name, customer.tax_code, customer.vat_number)
        yield from (customer.street, customer.city, customer.phone, customer.email)
