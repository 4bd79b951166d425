"""Mandates: a customer lets another person's login see or act for some supplies, until a day.

A mandate is no `Grant`: whatever goes to the logins of a customer, such as mail, documents,
export and the desk's search, never reaches a delegate. What a mandate opens is asked for by its
id, and is decided anew at each request: `in_force` finds nothing the moment that it has ended.

Of the scopes «solo fatture» shows invoices, «tutto tranne la modifica dei dati» all that
concerns the chosen supplies and lets act for them. Which pages that are: views/acting.py.
"""

import datetime as dt
from itertools import count
from typing import NamedTuple

import peewee as pw
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from domain import accounts, history, mail, mandate_links, passwords, sessions, throttle
from domain.clock import rome_day
from domain.connections import locking, without_waiting
from domain.errors import Refused
from domain.language import of_login
from models import (
    Account,
    Customer,
    Grant,
    Mandate,
    MandateSupply,
    Prepared,
    SupplyPoint,
    writing,
)

SCOPES = INVOICES, EVERYTHING = ("invoices", "everything")
SCOPE_NAMES = {
    INVOICES: _l("Solo fatture"),
    EVERYTHING: _l("Tutto tranne la modifica dei dati"),
}
MOST = 20  # of one customer that are in force or wait
LONGEST_YEARS = 2
GIVEN_TWICE_WITHIN = dt.timedelta(minutes=1)


# -- What is in force ----------------------------------------------------------------------


def is_in_force(today):
    """The conditions that a row of Mandate holds on the day `today`, as queries take them.

    They end with the customer: who was erased, or whose every login is closed, lets nobody in.
    """
    yield Mandate.accepted_at.is_null(False)
    yield Mandate.ended_at.is_null()
    yield Mandate.ends_on >= today
    yield Mandate.customer.in_(Customer.select(Customer.id).where(Customer.erased_at.is_null()))
    yield pw.fn.EXISTS(Account.open_of(Mandate.customer))


_in_force = Prepared(
    "account today",
    lambda account, today: (
        MandateSupply.select(
            Mandate.id,
            Mandate.name.alias("delegate"),
            Mandate.scope,
            Mandate.ends_on,
            Mandate.used_on,
            Mandate.customer,
            Customer.name.alias("customer_name"),
            SupplyPoint.code.alias("supply"),
        )
        .join(Mandate, on=MandateSupply.mandate == Mandate.id)
        .join(Customer, on=Mandate.customer == Customer.id)
        .join(
            SupplyPoint,
            on=(MandateSupply.supply == SupplyPoint.id)
            # What has passed to another customer is not this one's to show.
            & (SupplyPoint.customer == Mandate.customer),
        )
        .where(Mandate.account == account, *is_in_force(today))
        .order_by(
            Customer.name, Mandate.scope, Mandate.ends_on.desc(), Mandate.id, SupplyPoint.code
        )
    ),
)


def in_force(account_id, *, now):
    """What the login may see for others: a row for each mandate and supply (its code).

    Of two mandates for a supply the wider one comes first.
    """
    return _in_force(account=account_id, today=rome_day(now))


def note_use(row, *, now):
    """Tell the customer's «Storico» once a day that a mandate (a row of `in_force`) is used."""
    today = rome_day(now)
    if row.used_on == today:
        return
    first = Mandate.used_on.is_null() | (Mandate.used_on < today)
    try:
        with without_waiting(), writing():
            changed = Mandate.update(used_on=today).where(Mandate.id == row.id, first).execute()
            if changed:
                _record("mandate_used", row.customer, row.delegate, now)
    except pw.OperationalError:
        return  # the next request of the day will


# -- Giving --------------------------------------------------------------------------------


class Wanted(NamedTuple):
    """What a customer wants to give; `supplies` are codes."""

    name: str
    email: str
    scope: str
    supplies: tuple
    ends_on: dt.date


def last_day(today):
    """The last day until which a mandate may be given on `today`."""
    year = today.year + LONGEST_YEARS
    return dt.date(year, today.month, min(today.day, 28) if today.month == 2 else today.day)


def give(customer_id, account_id, wanted, password, *, now):
    """Invite somebody by mail, asked for with the customer's password; return the Mandate.

    Whether the address is anybody's login makes no difference here.
    """
    accounts.confirm_password(account_id, password, now=now)
    with writing():
        list(locking(Customer.select(Customer.id).where(Customer.id == customer_id)))
        supplies = _supplies(customer_id, wanted.supplies)
        again = _given_just_now(customer_id, wanted, supplies, now)
        if again:
            return again
        _refuse_what_cannot_be(customer_id, account_id, wanted, supplies, now)
        throttle.reserve([(throttle.MANDATE, account_id)], now=now)
        mandate = Mandate.create(
            customer=customer_id,
            name=wanted.name,
            email=wanted.email,
            scope=wanted.scope,
            ends_on=wanted.ends_on,
            given_at=now,
        )
        MandateSupply.insert_many(
            [{"mandate": mandate, "supply": supply} for supply in supplies]
        ).execute()
        spoken = of_login(Account.get_by_id(account_id))  # most likely the delegate's too
        told = _told(mandate)
        mail.queue("mandate_invitation", wanted.email, params=told, language=spoken, now=now)
        _record(
            "mandate_given", customer_id, wanted.name, now, account=account_id,
            scope=wanted.scope, until=wanted.ends_on.isoformat(), supplies=len(supplies),
        )  # fmt: skip
    return mandate


def _supplies(customer_id, codes):
    own = SupplyPoint.select(SupplyPoint.code, SupplyPoint.id)
    ids = dict(own.where(SupplyPoint.customer == customer_id).tuples())
    return [ids[code] for code in sorted(set(codes)) if code in ids]


def _given_just_now(customer_id, wanted, supplies, now):
    """The mandate of the same button, pressed twice."""
    same = (getattr(Mandate, name) == getattr(wanted, name) for name in ("name", "email", "scope"))
    just_now = Mandate.select().where(
        Mandate.customer == customer_id,
        *same,
        Mandate.ends_on == wanted.ends_on,
        Mandate.given_at > now - GIVEN_TWICE_WITHIN,
        Mandate.ended_at.is_null(),
    )
    return next((each for each in just_now if _ids_of(each) == set(supplies)), None)


def _ids_of(mandate):
    return {supply for (supply,) in MandateSupply.of(mandate).tuples()}


def _refuse_what_cannot_be(customer_id, account_id, wanted, supplies, now):
    today = rome_day(now)
    if not supplies or len(supplies) < len(set(wanted.supplies)):
        raise Refused(_("Scegliere almeno una delle proprie forniture."))
    if not today <= wanted.ends_on <= last_day(today):
        raise Refused(_("Scegliere come ultimo giorno uno tra oggi e la stessa data fra due anni."))
    if wanted.email.lower() == Account.get_by_id(account_id).email.lower():
        raise Refused(_("È il proprio indirizzo: indicare quello della persona da delegare."))
    open_ones = Mandate.select().where(
        Mandate.customer == customer_id, Mandate.ended_at.is_null(), Mandate.ends_on >= today
    )
    if open_ones.count() >= MOST:
        raise Refused(
            _("Le deleghe possono essere al massimo %(most)s: prima revocarne una.", most=MOST)
        )


# -- Accepting -----------------------------------------------------------------------------


def opened(token, *, address, now, key):
    """The mandate that the link `token` invites to, opened from the network address `address`.

    Changes nothing but the count of links that are no good. Raises mandate_links.Void, or
    TooManyTries.
    """
    tries = _tries(address)
    throttle.check(tries, now=now)
    try:
        return mandate_links.find(token, now=now, key=key)
    except mandate_links.Accepted:
        raise
    except mandate_links.Void:
        throttle.count(tries, now=now)
        raise


def supplies_of(mandate):
    """The codes of its supplies."""
    own = SupplyPoint.select(SupplyPoint.code).where(SupplyPoint.id.in_(MandateSupply.of(mandate)))
    return [row.code for row in own.order_by(SupplyPoint.code).namedtuples()]


def accept(token, account_id, *, address, now, key):
    """Add the mandate of the link to a login; to accept it again changes nothing."""
    try:
        opened(token, address=address, now=now, key=key)
        with writing():
            mandate = mandate_links.find(token, now=now, key=key, lock=True)
            _refuse_own(mandate, account_id)
            _accept(mandate, Account.get_by_id(account_id), now)
    except mandate_links.Accepted as before:
        if before.account != account_id:
            raise


def accept_newly(token, password, *, words, agent, address, now, key):
    """A login for who was invited and has none, with the mandate; (Account, token of a session).

    Its user name says nothing of the address: whether that one has a login is nobody's matter.
    """
    tries = _tries(address)
    throttle.reserve(tries, now=now)
    mandate = mandate_links.find(token, now=now, key=key)
    hints = (mandate.name, mandate.email, mandate.email.partition("@")[0], _username(mandate))
    passwords.check_strength(password, hints=[*words, *hints])
    kept = passwords.hashed(password)
    with writing():
        mandate = mandate_links.find(token, now=now, key=key, lock=True)
        account = Account.create(
            username=_username(mandate), email=mandate.email, password_hash=kept, created_at=now
        )
        _accept(mandate, account, now)
        throttle.give_back(tries, now=now)
        accounts.note_access(account, address, agent, now)
        return account, sessions.open_session(account, now=now)


def _username(mandate):
    """The next that is free: SQLite gives the number of an erased mandate again."""
    names = (f"D{number:05d}" for number in count(mandate.id))
    return next(name for name in names if not _is_taken(name))


def _is_taken(name):
    return Account.select().where(Account.username == name).exists()


def _refuse_own(mandate, account_id):
    own = Grant.select().where(Grant.account == account_id, Grant.customer == mandate.customer_id)
    if own.exists():
        raise Refused(
            _("Questo è l'accesso di chi ha dato la delega: entrare con quello del delegato.")
        )


def _accept(mandate, account, now):
    Mandate.update(account=account, accepted_at=now).where(Mandate.id == mandate.id).execute()
    _record("mandate_accepted", mandate.customer_id, mandate.name, now)
    told = _told(mandate) | {"user": account.username}
    mail.queue("mandate_received", account.email, account=account, params=told, now=now)
    for login in Account.open_of(mandate.customer_id):
        params = _told(mandate)
        mail.queue("mandate_accepted", login.email, account=login, params=params, now=now)


def _tries(address):
    return [(throttle.MANDATE_LINK, throttle.place(address))]


# -- Ending --------------------------------------------------------------------------------


def revoke(customer_id, mandate_id, *, account, now):
    """End a mandate that the customer gave, at once; `account` is who does it. Whether it did."""
    return _end(mandate_id, "customer", now, Mandate.customer == customer_id, account=account)


def give_back(account_id, mandate_id, *, now):
    """End a mandate that the login holds; whether it did."""
    return _end(mandate_id, "delegate", now, Mandate.account == account_id)


def has_open_login(customer_id):
    return Account.open_of(customer_id).exists()


def end_all(customer_id, *, now):
    """The utility closed the customer's logins: who acted for it acts no more."""
    given = Mandate.select(Mandate.id).where(
        Mandate.customer == customer_id, Mandate.ended_at.is_null()
    )
    for (mandate_id,) in list(given.tuples()):
        _end(mandate_id, "utility", now)


def end_past(*, now):
    """Write down the end of those whose last day is over; return how many."""
    over = Mandate.select(Mandate.id).where(
        Mandate.ends_on < rome_day(now), Mandate.ended_at.is_null()
    )
    return sum(_end(mandate_id, "date", now) for (mandate_id,) in list(over.tuples()))


def _end(mandate_id, by, now, *whose, account=None):
    with writing():
        mine = Mandate.id == mandate_id, Mandate.ended_at.is_null(), *whose
        if not Mandate.update(ended_at=now, ended_by=by).where(*mine).execute():
            return False
        mandate = Mandate.get_by_id(mandate_id)
        _record(ENDS[by], mandate.customer_id, mandate.name, now, account=account)
        if by != "date":
            _tell_of_the_end(mandate, now)
        return True


ENDS = {
    "customer": "mandate_revoked",
    "delegate": "mandate_returned",
    "utility": "mandate_closed",
    "date": "mandate_ended",
}


def _tell_of_the_end(mandate, now):
    params = _told(mandate) | {"by": mandate.ended_by}
    delegate = mandate.account and mandate.account.disabled_at is None and mandate.account
    recipients = [*Account.open_of(mandate.customer_id), *([delegate] if delegate else [])]
    for login in recipients:
        mail.queue("mandate_ended", login.email, account=login, params=params, now=now)


def forget(customer_id, logins, *, now):
    """Of a customer who is erased nothing stays, and what its `logins` held for others ends."""
    Mandate.delete().where(Mandate.customer == customer_id).execute()
    held = Mandate.account.in_(logins), Mandate.ended_at.is_null()
    for (mandate_id,) in list(Mandate.select(Mandate.id).where(*held).tuples()):
        _end(mandate_id, "utility", now)


def idle_logins(*, now):
    """The logins that were made for a mandate and have none any more, as a query."""
    return Account.select(Account.id).where(
        Account.email != "",
        Account.created_at < now - mandate_links.LIFETIME,
        Account.id.not_in(Grant.select(Grant.account)),
        Account.id.not_in(Mandate.select(Mandate.account).where(Mandate.account.is_null(False))),
    )


# -- Within their transactions -------------------------------------------------------------


def _told(mandate):
    """What mail says of a mandate."""
    name = Customer.select(Customer.name).where(Customer.id == mandate.customer_id).scalar()
    return {
        "mandate": mandate.id,
        "customer_name": name,
        "delegate": mandate.name,
        "scope": mandate.scope,
        "until": mandate.ends_on.isoformat(),
    }


def _record(kind, customer, delegate, now, *, account=None, **details):
    """In the customer's «Storico»; what no login of the customer did, the delegate did."""
    history.record(kind, now=now, account=account, customer=customer, name=delegate, **details)
