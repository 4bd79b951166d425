"""The contracts of a supply, told apart by the day: in force, to come, past."""

import datetime as dt
from typing import NamedTuple

from models import Contract, Prepared


class Contracts(NamedTuple):
    """Rows of `Contract`: `current` and `past` the latest first, `coming` the next first."""

    current: list
    coming: list
    past: list


_of = Prepared(
    "supply since",
    lambda supply, since: (
        Contract.select(
            Contract.code,
            Contract.offer,
            Contract.market,
            Contract.use,
            Contract.starts_on,
            Contract.ends_on,
            Contract.price_type,
            Contract.billing_period,
            Contract.payment_method,
            Contract.masked_iban,
            Contract.deposit_cents,
        )
        .where(Contract.supply == supply, Contract.ends_on.is_null() | (Contract.ends_on >= since))
        .order_by(Contract.starts_on.desc(), Contract.id.desc())
    ),
)


def of(supply, *, today):
    """The contracts of `supply` on the day `today`.

    Those that ended before the supply came to its customer were somebody else's. Both days of
    a contract belong to it, but none outlives its supply.
    """
    found = Contracts([], [], [])
    for row in _of(supply=supply.id, since=supply.active_from or dt.date.min):
        last = min(filter(None, (row.ends_on, supply.ended_on)), default=None)
        if last and last < today:
            found.past.append(row)
        elif row.starts_on > today:
            found.coming.insert(0, row)
        else:
            found.current.append(row)
    return found
