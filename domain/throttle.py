"""How often something may be tried: counters in the database, shared by all workers.

A try is counted before it is made, in one statement, so that simultaneous tries cannot
all pass; whoever then turns out to be right gets it given back. Beyond the limit a try
costs one select: no write, no hash.
"""

import datetime as dt
import ipaddress
import math
from typing import NamedTuple

import peewee as pw
from flask_babel import ngettext

from domain.errors import Refused
from models import Throttle, writing


class Limit(NamedTuple):
    """At most `most` tries in a `period` that starts with the first of them."""

    name: str
    most: int
    period: dt.timedelta


MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
AHEAD = MINUTE  # a count begun later than that was begun while the clock was wrong

LOGIN_ADDRESS = Limit("login-address", 10, 5 * MINUTE)
LOGIN_CODE = Limit("login-code", 20, HOUR)  # guesses at one login from many addresses
LOGIN_BROWSER = Limit("login-browser", 10, 5 * MINUTE)  # instead of both, where it is known
REGISTRATION_ADDRESS = Limit("registration-address", 20, HOUR)
REGISTRATION_CODE = Limit("registration-code", 10, HOUR)
REGISTRATION_TAX_ID = Limit("registration-tax-id", 5, 24 * HOUR)  # one number, many codes
RECOVERY_ADDRESS = Limit("recovery-address", 10, HOUR)
RECOVERY_CODE = Limit("recovery-code", 30, 6 * HOUR)
CALENDAR_ADDRESS = Limit("calendar-address", 30, HOUR)  # wrong tokens of calendars
NOTICES_ADDRESS = Limit("notices-address", 30, HOUR)  # wrong links that end notices
CHANGE_ACCOUNT = Limit("change-account", 10, 15 * MINUTE)  # the password in use, asked again
EMAIL_CHANGE = Limit("email-change", 10, 24 * HOUR)  # mail to whatever address a login names
EMAIL_LINK = Limit("email-link", 20, HOUR)  # links of no use, opened from one address
MANDATE = Limit("mandate", 10, 24 * HOUR)  # invitations, mail to whatever address a login names
MANDATE_LINK = Limit("mandate-link", 20, HOUR)  # invitations of no use, opened from one address
OPERATOR_ADDRESS = Limit("operator-address", 10, 5 * MINUTE)
OPERATOR_NAME = Limit("operator-name", 20, HOUR)
OPERATOR_BROWSER = Limit("operator-browser", 10, 5 * MINUTE)  # instead of both, where it is known
OPERATOR_CODE = Limit("operator-code", 5, 15 * MINUTE)  # a code is right by chance 3 times in 10^6
OPERATOR_CODE_DAY = Limit("operator-code-day", 50, 24 * HOUR)
CUSTOMER_CODE = Limit("customer-code", 5, 15 * MINUTE)
CUSTOMER_CODE_DAY = Limit("customer-code-day", 50, 24 * HOUR)


class TooManyTries(Refused):
    """Beyond a limit; the sentence says when to try again."""


def place(address):
    """Where a request comes from, as counted: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if parsed.version == 4:
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def check(tries, *, now):
    """Raise TooManyTries if one of `tries`, pairs of (Limit, whom), is over; only reads."""
    limits = {_key(limit, whom): limit for limit, whom in tries}
    rows = Throttle.select().where(Throttle.key.in_(list(limits)))
    for row in rows:
        limit = limits[row.key]
        running = now - limit.period < row.started_at <= now + AHEAD
        if row.hits >= limit.most and running:
            raise _too_many(limit, row.started_at, now)


def count(tries, *, now):
    """Count `tries`, all or none of them; raise TooManyTries beyond a limit."""
    with writing():
        for limit, whom in sorted(tries):  # one order for all, so that nobody waits in a ring
            row = _count_one(limit, whom, now)
            if row.hits > limit.most:
                raise _too_many(limit, row.started_at, now)


def reserve(tries, *, now):
    """Check, then count."""
    check(tries, now=now)
    count(tries, now=now)


def give_back(tries, *, now):
    """Undo one count of each of `tries`: it was no failure."""
    for limit, whom in sorted(tries):
        Throttle.update(hits=Throttle.hits - 1).where(
            Throttle.key == _key(limit, whom),
            Throttle.hits > 0,
            Throttle.started_at > now - limit.period,
        ).execute()


def _count_one(limit, whom, now):
    over = (Throttle.started_at <= now - limit.period) | (Throttle.started_at > now + AHEAD)
    return (
        Throttle.insert(key=_key(limit, whom), started_at=now, hits=1)
        .on_conflict(
            conflict_target=[Throttle.key],
            update={
                Throttle.hits: pw.Case(None, [(over, 1)], Throttle.hits + 1),
                # Within a CASE peewee does not know what column a value is for.
                Throttle.started_at: pw.Case(
                    None, [(over, Throttle.started_at.to_value(now))], Throttle.started_at
                ),
            },
        )
        .returning(Throttle)
        .execute()[0]
    )


def _key(limit, whom):
    return f"{limit.name}:{whom}"


def _too_many(limit, started_at, now):
    minutes = max(1, math.ceil((started_at + limit.period - now) / MINUTE))
    return TooManyTries(
        ngettext(
            "Troppi tentativi. Riprovare tra un minuto.",
            "Troppi tentativi. Riprovare tra %(num)s minuti.",
            minutes,
        )
    )
