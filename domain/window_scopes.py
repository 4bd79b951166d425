"""Whom a reading window is for: one gas supply, those of a distributor, or all of them."""

from typing import NamedTuple

from flask_babel import gettext as _
from peewee import fn

from domain import supplies, windows
from domain.errors import Refused
from models import ReadingWindow, SupplyPoint


class Scope(NamedTuple):
    """For whom: one gas supply (id and code), a distributor's, or with neither all of them."""

    supply: int | None = None
    supply_code: str | None = None
    distributor_vat: str | None = None

    @property
    def whose(self):
        return self.supply_code or self.distributor_vat

    @property
    def values(self):
        return {"supply": self.supply, "distributor_vat": self.distributor_vat}


def scope(whom, supply_text):
    """The Scope asked for: `whom` is «tutte», «fornitura» or the VAT number of a distributor."""
    if whom == "tutte":
        return Scope()
    if whom != "fornitura":
        return Scope(distributor_vat=whom)
    query = SupplyPoint.select(SupplyPoint.id, SupplyPoint.code)
    found = list(query.where(SupplyPoint.id.in_(supplies.gas_called(supply_text))).namedtuples())
    if not found:
        raise Refused(_("Nessuna fornitura di gas ha questo codice o questo PDR."))
    if len(found) > 1:
        raise Refused(_("Più forniture hanno questo PDR: indicare il codice della fornitura."))
    return Scope(supply=found[0].id, supply_code=found[0].code)


def scope_of(window):
    """The Scope of a row that `page` or `one` gave."""
    return Scope(window.supply, window.supply_code, window.distributor_vat)


def distributors():
    """{VAT number: name} of those that have gas supplies."""
    row = SupplyPoint
    named = SupplyPoint.select(row.distributor_vat, fn.MAX(row.distributor))
    named = named.where(row.service == "GAS", row.distributor_vat.is_null(False))
    found = {vat: name or "" for vat, name in named.group_by(row.distributor_vat).tuples()}
    return dict(sorted(found.items(), key=lambda each: (each[1], each[0])))


def meets(scope):
    """The condition that a window concerns at least one supply of `scope`."""
    row = ReadingWindow
    if scope.supply is not None:
        vat = SupplyPoint.select(SupplyPoint.distributor_vat).where(SupplyPoint.id == scope.supply)
        return windows.for_supply(scope.supply, vat)
    if scope.distributor_vat is not None:
        # That of the one supply which the window is for, where it is for one.
        return covers(scope) | (SupplyPoint.distributor_vat == scope.distributor_vat)
    return row.id.is_null(False)


def covers(scope):
    """The condition that a window concerns all supplies of `scope`."""
    if scope.supply is not None:
        return meets(scope)
    vat = ReadingWindow.distributor_vat
    of_all = vat.is_null()
    if scope.distributor_vat is not None:
        of_all |= vat == scope.distributor_vat
    return ReadingWindow.supply.is_null() & of_all


def told(scope, names=None):
    """For whom, in words; `names` of the distributors where they are known."""
    if scope.supply is not None:
        return _("fornitura %(code)s", code=scope.supply_code)
    if scope.distributor_vat is not None:
        name = (names or {}).get(scope.distributor_vat, "")
        return _("distributore %(name)s", name=f"{name} {scope.distributor_vat}".strip())
    return _("tutte le forniture di gas")
