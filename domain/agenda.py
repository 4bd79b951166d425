"""A supply's dates as a calendar, at a private address that its maker can revoke.

The address carries a random number that only its row of CalendarLink knows too, signed under
the portal's key: a forged address is told from a real one without asking the archive, and a
stolen archive opens no calendar.
"""

import datetime as dt
import secrets
from urllib.parse import urlsplit

from flask_babel import gettext as _
from itsdangerous import BadData, URLSafeSerializer

from domain import history, invoices, language, notation, supplies, throttle, windows
from domain.clock import rome_day, rome_instant
from domain.formats import ics
from models import Account, CalendarLink, Grant, Nickname, Prepared, SupplyPoint, writing

PAST = dt.timedelta(days=60)  # how long a window that has closed stays
MOST_WINDOWS = 100


def _mine(account_id, supply_id):
    return CalendarLink.account == account_id, CalendarLink.supply == supply_id


_link = Prepared(
    "account supply",
    lambda account, supply: CalendarLink.select(CalendarLink.nonce).where(*_mine(account, supply)),
)


def link(account_id, supply):
    """The calendar that the login made for `supply`, as a row for `token`, or None."""
    return _link.first(account=account_id, supply=supply.id)


def make(account_id, supply, *, now):
    """Make an address for the calendar of `supply`; one that is there stays."""
    with writing():
        made = (
            CalendarLink.insert(
                account=account_id,
                supply=supply.id,
                nonce=secrets.token_urlsafe(24),
                created_at=now,
            )
            .on_conflict_ignore()
            .as_rowcount()
            .execute()
        )
        if made:
            _record("calendar_made", account_id, supply, now)


def revoke(account_id, supply, *, now):
    """End the address; whether there was one."""
    with writing():
        revoked = CalendarLink.delete().where(*_mine(account_id, supply.id)).execute()
        if revoked:
            _record("calendar_revoked", account_id, supply, now)
    return bool(revoked)


def replace(account_id, supply, *, now):
    """End the address and make another one, at once."""
    with writing():
        revoke(account_id, supply, now=now)
        make(account_id, supply, now=now)


def _record(kind, account_id, supply, now):
    history.record(kind, now=now, account=account_id, customer=supply.customer_id, supply=supply.id)


# -- The address ---------------------------------------------------------------------------


def _signer(secret_key):
    return URLSafeSerializer(secret_key, salt="portale: calendar")


def token(link, *, key):
    """What stands in the address of `link`."""
    return _signer(key).dumps(link.nonce)


def read(text, *, address, utility, portal, key, now):
    """The calendar behind the token `text` as bytes, or None where it opens none.

    `utility` is its name, `portal` where the portal stands. `address` is who asks: wrong
    tokens are counted there, and beyond the limit TooManyTries is raised. A right one always
    opens, since the calendar services of a whole country ask from the same few addresses.
    """
    supply = _opened(text, key)
    if supply is None:
        throttle.reserve([(throttle.CALENDAR_ADDRESS, throttle.place(address))], now=now)
        return None
    with language.speaking(language.of_login(supply)):
        entries = [*_reading_windows(supply, portal, now), *_due_dates(supply, portal)]
    return ics.calendar(
        f"{utility}: {_name(supply)}",
        entries,
        stamp=rome_instant(rome_day(now), dt.time()),  # changes the bytes once a day, not always
        host=urlsplit(portal).hostname,
    )


_supply = Prepared(
    "nonce",
    lambda nonce: (
        SupplyPoint.select(
            SupplyPoint.id,
            SupplyPoint.code,
            SupplyPoint.customer,
            SupplyPoint.service,
            SupplyPoint.distributor_vat,
            SupplyPoint.ended_on,
            Account.language,
            Account.last_language,
            Nickname.text.alias("nickname"),
        )
        .join(CalendarLink, on=CalendarLink.supply == SupplyPoint.id)
        .join(Account, on=Account.id == CalendarLink.account)
        .join(
            Grant,
            on=(Grant.account == Account.id) & (Grant.customer == SupplyPoint.customer),
        )
        .left_outer_join(
            Nickname, on=(Nickname.account == Account.id) & (Nickname.supply == SupplyPoint.id)
        )
        .where(CalendarLink.nonce == nonce, Account.disabled_at.is_null())
    ),
)


def _opened(text, key):
    """The supply of a calendar whose login is open and still has that supply, or None."""
    try:
        nonce = _signer(key).loads(text)
    except BadData:
        return None
    return _supply.first(nonce=nonce)


# -- What it shows -------------------------------------------------------------------------


def _name(supply):
    return f"{supply.nickname} ({supply.code})" if supply.nickname else supply.code


def _reading_windows(supply, portal, now):
    """Only of gas; and none once the supply has ended, whose last reading others take."""
    if supply.service != "GAS" or supplies.has_ended(supply, rome_day(now)):
        return
    for window in windows.coming(supply, now=now - PAST, limit=MOST_WINDOWS):
        yield ics.Entry(
            key=f"periodo-{window.id}-{supply.id}",
            starts=window.opens_at,
            ends=window.closes_at,
            title=_("Autolettura gas: %(supply)s", supply=_name(supply)),
            text=_("L'autolettura si inserisce %(span)s.", span=windows.span(window)),
            address=f"{portal}/forniture/{supply.code}/autolettura",
        )


def _due_dates(supply, portal):
    """Of each instalment of each unpaid invoice, as whole days."""
    for due in invoices.unpaid_instalments(supply.customer, supply.id):
        yield ics.Entry(
            key=f"scadenza-{due.invoice}-{due.place}-{supply.id}",
            starts=due.due_on,
            ends=None,
            title=_("Fattura da pagare: %(amount)s", amount=notation.money(due.amount_cents)),
            text=_("Fattura %(number)s, %(supply)s", number=due.number, supply=_name(supply)),
            address=f"{portal}/forniture/{supply.code}/fatture",
        )
