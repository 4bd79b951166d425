"""All self-readings for the operators: search, what is odd about them, the whole list as a file."""

import datetime as dt
from typing import NamedTuple

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from peewee import JOIN, Value

from domain import plausibility, readings, supplies
from domain.clock import ROME
from domain.errors import Refused
from domain.formats.sheets import Column
from domain.pieces import in_pieces
from models import (
    Customer,
    MeterReading,
    Operator,
    ReadingBatch,
    SelfReading,
    SupplyPoint,
)

MOST = 10_000  # rows that are counted and paged through; the file has all
AT_ONCE = 2_000  # rows of the file that are read at once
COMPARED = dt.timedelta(days=3 * 365)  # earlier readings that say why one is odd
MOST_SUPPLIES = 100  # that one search may find

SORTS = ("-data", "data")
STATES = {
    "pending": _l("Da acquisire"),
    "acquired": _l("Acquisita"),
    "validated": _l("Validata"),
    "rejected": _l("Respinta"),
    "cancelled": _l("Cancellata"),
}


class Choice(NamedTuple):
    """Which self-readings; None: whichever. `supplies` are ids, `batch` is its number, `reason`
    a part of why one was rejected.
    """

    state: str | None = None
    since: dt.date | None = None
    until: dt.date | None = None
    supplies: tuple | None = None
    odd: bool = False
    by_telephone: bool | None = None
    batch: int | None = None
    reason: str | None = None

    @property
    def conditions(self):
        row = SelfReading
        if self.state:
            yield row.state == self.state
        if self.since:
            yield row.day >= self.since
        if self.until:
            yield row.day <= self.until
        if self.supplies is not None:
            yield row.supply.in_(self.supplies)
        if self.odd:
            yield row.confirmed
        if self.by_telephone is not None:
            yield row.taken_for.is_null(not self.by_telephone)
        if self.batch is not None:
            number = ReadingBatch.select(ReadingBatch.id).where(ReadingBatch.number == self.batch)
            yield row.batch.in_(number)
        if self.reason:
            yield (row.state == "rejected") & row.reason.contains(self.reason)

    def narrow(self, query):
        conditions = list(self.conditions)
        return query.where(*conditions) if conditions else query


def supplies_called(text):
    """The gas supplies whose own code, PDR or customer's code is `text`, by their codes.

    Rows have what `supplies.label` writes, and `customer_code`.
    """
    supply = SupplyPoint
    by_customer = Customer.select(Customer.id).where(Customer.code == text)
    found = supplies.gas_called(text) | SupplyPoint.select(supply.id).where(
        supply.customer.in_(by_customer)
    )
    query = SupplyPoint.select(SupplyPoint, Customer.code.alias("customer_code"))
    query = query.join(Customer).where(supply.id.in_(found), supply.service == "GAS")
    return list(query.order_by(supply.code).limit(MOST_SUPPLIES).objects())


def count(choice):
    """How many there are, at most MOST + 1: a million is not counted for a page."""
    return choice.narrow(SelfReading.select(SelfReading.id)).limit(MOST + 1).count()


def page(choice, *, sort, limit, offset):
    return list(_rows(choice, sort).limit(limit).offset(offset).namedtuples())


def _rows(choice, sort):
    row = SelfReading
    order = (row.day, row.id) if sort == "data" else (row.day.desc(), row.id.desc())
    query = (
        SelfReading.select(
            row.id,
            row.day,
            row.counter,
            row.corrector,
            row.state,
            row.confirmed,
            row.reason,
            row.entered_at,
            row.taken_for,
            row.delegate,
            row.supply,
            SupplyPoint.code.alias("supply_code"),
            SupplyPoint.pdr,
            Customer.code.alias("customer_code"),
            Customer.name.alias("customer_name"),
            Operator.name.alias("operator_name"),
            ReadingBatch.number.alias("batch_number"),
        )
        .join(SupplyPoint)
        .join(Customer)
        .join(Operator, JOIN.LEFT_OUTER, on=row.operator == Operator.id)
        .join(ReadingBatch, JOIN.LEFT_OUTER, on=row.batch == ReadingBatch.id)
    )
    return choice.narrow(query).order_by(*order)


# -- What is odd ---------------------------------------------------------------------------


def oddities(rows):
    """{id: sentences} of those of `rows` that were confirmed as odd, as far as what is known
    now still tells; two queries however many they are.
    """
    odd = [row for row in rows if row.confirmed]
    if not odd:
        return {}
    read = {each.id: each for each in _supplies_of(odd)}
    histories = _histories(odd)
    return {row.id: _oddity(read[row.supply], row, histories.get(row.supply, [])) for row in odd}


def _supplies_of(rows):
    return SupplyPoint.select().where(SupplyPoint.id.in_({row.supply for row in rows}))


def _oddity(supply, row, known):
    until = [each for each in known if each.day <= row.day]
    last, actual = readings.references_in(readings.by_meter(until), supply, row.day)
    read = plausibility.Reading(row.day, row.counter, row.corrector)
    try:
        return plausibility.judge(readings.meter_of(supply), read, last, actual)
    except Refused as refusal:
        return [str(refusal)]


def _histories(rows):
    """{supply id: readings before or on the days of `rows`} as `readings.by_meter` takes them."""
    asked = {row.supply for row in rows}
    first, last = min(row.day for row in rows) - COMPARED, max(row.day for row in rows)

    def of(table, source, state):
        return table.select(
            table.day, table.counter, table.corrector, table.meter_serial, source.alias("source"),
            state.alias("state"), table.supply,
        ).where(table.supply.in_(asked), table.day.between(first, last))  # fmt: skip

    theirs = of(MeterReading, MeterReading.source, Value("validated"))
    own = of(SelfReading, Value(readings.OWN), SelfReading.state)
    own = own.where(SelfReading.state.in_(SelfReading.LIVE))
    found = {}
    for *known, supply in (theirs + own).tuples():
        found.setdefault(supply, []).append(readings.Known(*known))
    return found


# -- The list as a file --------------------------------------------------------------------


def sheet(choice):
    """(columns, rows) of all that `choice` finds, the latest first, for `formats.sheets`.

    Read while it is sent, however many there are.
    """
    words = {state: str(word) for state, word in STATES.items()}
    words |= {"yes": _("sì"), "no": _("no"), "operator": _("operatore"), "customer": _("cliente")}
    rows = in_pieces(lambda row: _following(choice, row), AT_ONCE)
    return _columns(), (_cells(row, words) for row in rows)


def _columns():
    return [
        Column(_("Data lettura")),
        Column(_("Codice cliente")),
        Column(_("Denominazione"), 30),
        Column(_("Codice fornitura")),
        Column(_("PDR"), 16),
        Column(_("Lettura contatore")),
        Column(_("Lettura correttore")),
        Column(_("Stato")),
        Column(_("Insolita")),
        Column(_("Inserita il"), 16),
        Column(_("Inserita da"), 20),
        Column(_("Lotto")),
        Column(_("Motivo"), 40),
    ]


def _cells(row, words):
    return (
        row.day,
        row.customer_code,
        row.customer_name,
        row.supply_code,
        row.pdr,
        row.counter,
        row.corrector,
        words[row.state],
        words["yes" if row.confirmed else "no"],
        row.entered_at.astimezone(ROME).replace(tzinfo=None),
        _entered_by(row, words),
        row.batch_number,
        row.reason,
    )


def _entered_by(row, words):
    if row.taken_for:
        return row.operator_name or words["operator"]
    return _("delegato %(name)s", name=row.delegate) if row.delegate else words["customer"]


def _following(choice, last):
    """The rows after `last`, the latest first; after None all of them."""
    query = _rows(choice, "-data")
    if last:
        row = SelfReading
        earlier = (row.day < last.day) | ((row.day == last.day) & (row.id < last.id))
        query = query.where(row.day <= last.day, earlier)
    return query.namedtuples()
