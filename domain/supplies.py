"""Which days of a supply are its present customer's, whether it has ended, what it is called.

A supply may pass to another customer: what was before `active_from` is the former one's, what
comes after `ended_on` the next one's, and neither is ever shown. A date that is missing sets no
bound. A supply is a row of SupplyPoint, or of a query that has the columns asked for.
"""

import datetime as dt

from models import SupplyPoint, postal_address


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
