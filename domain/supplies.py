"""Whose supplies are, which days are their present customer's, what they are called.

A supply may pass to another customer: what was before `active_from` is the former one's, what
comes after `ended_on` the next one's, and neither is ever shown. A date that is missing sets no
bound. A supply is a row of SupplyPoint, or of a query that has the columns asked for.
"""

import datetime as dt

import peewee as pw

from models import Grant, MandateSupply, Nickname, Prepared, SupplyPoint, postal_address

_COLUMNS = (
    SupplyPoint.id,
    SupplyPoint.code,
    SupplyPoint.customer,
    SupplyPoint.service,
    SupplyPoint.pod,
    SupplyPoint.pdr,
    SupplyPoint.street,
    SupplyPoint.street_number,
    SupplyPoint.postcode,
    SupplyPoint.city,
    SupplyPoint.province,
    SupplyPoint.active_from,
    SupplyPoint.ended_on,
    SupplyPoint.distributor_vat,
)
_of_login = Prepared(
    "account",
    lambda account: (
        SupplyPoint.select(*_COLUMNS, Nickname.text.alias("nickname"))
        .join(Grant, on=Grant.customer == SupplyPoint.customer)
        .left_outer_join(
            Nickname,
            on=(Nickname.supply == SupplyPoint.id) & (Nickname.account == Grant.account),
        )
        .where(Grant.account == account)
        .order_by(SupplyPoint.code)
    ),
)
_entrusted = Prepared(
    "mandate",
    lambda mandate: (
        SupplyPoint.select(*_COLUMNS, pw.Value(None).alias("nickname"))
        .where(SupplyPoint.id.in_(MandateSupply.of(mandate)))
        .order_by(SupplyPoint.code)
    ),
)


def of_login(account_id):
    """Rows of the supplies of a login's customers, with the names that it gave them."""
    return _of_login(account=account_id)


def entrusted(mandate_id):
    """The same of a mandate; what the customer calls them is the customer's own."""
    return _entrusted(mandate=mandate_id)


def first_day(supply):
    return supply.active_from or dt.date.min


def last_day(supply):
    return supply.ended_on or dt.date.max


def own_days(supply):
    """Those two days, as queries take them."""
    return {"since": first_day(supply), "until": last_day(supply)}


def has_ended(supply, today):
    return last_day(supply) < today


def gas_called(text):
    """The gas supplies whose own code or PDR is `text`, as a query that tells their ids."""
    asked = {text, text.upper()}
    gas = SupplyPoint.select(SupplyPoint.id).where(SupplyPoint.service == "GAS")
    return gas.where(SupplyPoint.code.in_(asked)) | gas.where(SupplyPoint.pdr.in_(asked))


def label(supply):
    """`PR002874 (Pod: IT001E…); VIA PROVA 5 - 48124 RAVENNA (RA)`."""
    point = f"Pod: {supply.pod}" if supply.service == "EE" else f"Pdr: {supply.pdr}"
    return f"{supply.code} ({point}); {postal_address(supply)}"
