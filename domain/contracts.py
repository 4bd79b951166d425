"""The contracts of a supply, told apart by the day: in force, to come, past."""

from typing import NamedTuple

from domain import supplies
from models import Contract, Prepared


class Contracts(NamedTuple):
    """Rows of `Contract`: `current` and `past` the latest first, `coming` the next first."""

    current: list
    coming: list
    past: list


_of = Prepared(
    "supply since until",
    lambda supply, since, until: (
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
        .where(
            Contract.supply == supply,
            Contract.ends_on.is_null() | (Contract.ends_on >= since),
            Contract.starts_on <= until,
        )
        .order_by(Contract.starts_on.desc(), Contract.id.desc())
    ),
)


def of(supply, *, today):
    """The contracts of `supply` on the day `today`.

    Only those that were in force on a day of its present customer. Both days of a contract
    belong to it, but none outlives its supply.
    """
    found = Contracts([], [], [])
    ended = supplies.has_ended(supply, today)
    for row in _of(supply=supply.id, **supplies.own_days(supply)):
        if ended or (row.ends_on and row.ends_on < today):
            found.past.append(row)
        elif row.starts_on > today:
            found.coming.insert(0, row)
        else:
            found.current.append(row)
    return found
