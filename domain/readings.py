"""The customer's own readings of a gas meter: submit, cancel, list, compare."""

from itertools import pairwise
from typing import NamedTuple

import peewee as pw
from flask_babel import gettext as _
from peewee import Value, fn

from domain import notation, plausibility, supplies, windows
from domain.clock import rome_day
from domain.errors import NeedsConfirmation, Refused
from domain.history import record
from models import Grant, MeterReading, Prepared, ReadingBatch, SelfReading, writing

METER_CHANGE = "cambio_misuratore"
OWN = "autolettura"  # the `source` of a customer's reading in a history
HISTORY = 60  # readings of a supply that are compared and drawn

SORTS = ("-data", "data", "contatore", "-contatore", "correttore", "-correttore")
_COLUMNS = {
    "data": SelfReading.day,
    "contatore": SelfReading.counter,
    "correttore": SelfReading.corrector,
}


def _page(sort):
    """The rows of «Elenco Autoletture» in one order, with their total number."""
    column = _COLUMNS[sort.removeprefix("-")]
    # A missing corrector reading sorts last on both databases.
    order = [column.is_null(), column.desc() if sort.startswith("-") else column]
    return Prepared(
        "supply customer limit offset",
        lambda supply, customer, limit, offset: (
            SelfReading.select(
                SelfReading.id,
                SelfReading.day,
                SelfReading.counter,
                SelfReading.corrector,
                SelfReading.entered_at,
                SelfReading.state,
                SelfReading.confirmed,
                SelfReading.reason,
                SelfReading.taken_for,
                SelfReading.delegate,
                ReadingBatch.created_at.alias("acquired_at"),
                fn.COUNT(SelfReading.id).over().alias("total"),
            )
            .left_outer_join(ReadingBatch)
            .where(
                SelfReading.supply == supply,
                SelfReading.state != "cancelled",
                SelfReading.entered_for(customer),
            )
            .order_by(*order, SelfReading.day.desc(), SelfReading.id.desc())
            .limit(limit)
            .offset(offset)
        ),
    )


_pages = {sort: _page(sort) for sort in SORTS}


def page(supply, *, sort, limit, offset):
    """Rows of «Elenco Autoletture»: all but the cancelled ones, which never counted.

    `sort` is one of SORTS. Rows carry `total`, the number of rows on all pages.
    """
    return _pages[sort](supply=supply.id, customer=supply.customer_id, limit=limit, offset=offset)


class Known(NamedTuple):
    """A reading in a supply's history, whoever took it."""

    day: object
    counter: int
    corrector: int | None
    meter_serial: str | None
    source: str
    state: str

    @property
    def own(self):
        return self.source == OWN

    @property
    def actual(self):
        """Whether the distributor took it or billing validated it."""
        return self.state == "validated"


def _both(supply, limit, customer=None, since=None, until=None):
    columns = ("day", "counter", "corrector", "meter_serial")
    others = MeterReading.select(
        *(getattr(MeterReading, name) for name in columns),
        MeterReading.source,
        Value("validated").alias("state"),
    ).where(MeterReading.supply == supply)
    own = SelfReading.select(
        *(getattr(SelfReading, name) for name in columns),
        Value(OWN).alias("source"),
        SelfReading.state,
    ).where(SelfReading.supply == supply, SelfReading.state.in_(SelfReading.LIVE))
    if customer is not None:
        own = own.where(SelfReading.entered_for(customer))
        others = others.where(MeterReading.day >= since, MeterReading.day <= until)
    return (others + own).order_by(pw.SQL("day").desc()).limit(limit)


_history = Prepared("supply limit", _both)
_shown = Prepared("supply limit customer since until", _both)


def history(supply):
    """The latest readings of `supply` by meter, customers' live ones and the distributor's."""
    return by_meter(_history(supply=supply.id, limit=HISTORY))


def shown(supply):
    """The history as its customer may see it: without what concerns another one."""
    whose = {"supply": supply.id, "customer": supply.customer_id}
    return by_meter(_shown(**whose, limit=HISTORY, **supplies.own_days(supply)))


def by_meter(rows):
    """A list of lists of `Known`, oldest first: a new list begins where the meter was
    changed, that is at a reading of source `cambio_misuratore`, which is the first of the
    new meter, or where the serial number becomes another.
    """
    rows = [Known(*row) for row in rows]
    # On one day the old meter's last reading comes before the new one's first, and the
    # distributor's word after the customer's.
    rows.sort(key=lambda known: (known.day, known.source == METER_CHANGE, not known.own))
    meters, serial = [], None
    for known in rows:
        changed = known.source == METER_CHANGE or differs(known.meter_serial, serial)
        if changed or not meters:
            meters.append([])
            serial = None
        meters[-1].append(known)
        serial = known.meter_serial or serial
    return meters


def differs(serial, other):
    """Whether two serial numbers are known and are not the same."""
    return bool(serial and other) and serial != other


def rising(known, supply):
    """The counter's values in `known`, readings of one meter, as if it never started over."""
    meter = meter_of(supply)
    digits = plausibility.known_digits(meter.digits)
    values = [known[0].counter]
    for before, after in pairwise(known):
        days = (after.day - before.day).days
        use = plausibility.used(
            before.counter, after.counter, days, digits=digits, ceiling=meter.ceiling(days)
        )
        values.append(values[-1] + use.amount)
    return values


def references(supply, day):
    """(last, last actual) earlier readings of the meter now fitted; None where there is none.

    The last is the latest by day of the distributor's and the customer's live readings of
    the days before `day`: a reading that waits for billing is still what the meter showed.
    """
    return references_in(history(supply), supply, day)


def references_in(meters, supply, day):
    """The same, where `meters`, the history of the supply, is known."""
    current = meters[-1] if meters else []
    if any(differs(known.meter_serial, supply.meter_serial) for known in current):
        current = []
    earlier = [known for known in current if known.day < day]
    last = earlier[-1] if earlier else None
    actual = next((known for known in reversed(earlier) if known.actual), None)
    return last, actual


def closed(supply, window, *, now):
    """Why no reading of `supply` may be entered now, or None. `window`: the first one coming."""
    if not supply.is_gas:
        return _(
            "L'autolettura riguarda solo le forniture di gas: i contatori elettrici sono letti a "
            "distanza dal distributore."
        )
    if supplies.has_ended(supply, rome_day(now)):
        return _(
            "La fornitura è cessata il %(day)s: non si possono più inserire autoletture.",
            day=notation.day(supply.ended_on),
        )
    return windows.refusal(window, now=now)


def refuse_unless_open(supply, *, now):
    """Raise Refused, with what to do, unless a reading of `supply` may be entered now."""
    sentence = closed(supply, windows.first_coming(supply, now=now), now=now)
    if sentence:
        raise Refused(sentence)
    if has_live(supply, rome_day(now)):
        raise Refused(already_taken())


def has_live(supply, day):
    return (
        SelfReading.select()
        .where(
            SelfReading.supply == supply,
            SelfReading.day == day,
            SelfReading.state.in_(SelfReading.LIVE),
        )
        .exists()
    )


def already_taken():
    return _(
        "Per oggi c'è già una lettura di questa fornitura. Finché è «Da acquisire» si può "
        "cancellare e inserirne un'altra."
    )


def submit(
    supply, counter, corrector, *, account=None, operator=None, delegate=None, confirmed=False, now
):
    """Record today's self-reading of `supply` (m3, whole; corrector in Smc) and return it.

    `account` is the id of who enters it; what the customer tells by telephone `operator` (a
    row) enters instead, and `delegate` (a name) is who enters it under a mandate. Raises
    Refused, or NeedsConfirmation if the value is odd and not `confirmed`.
    """
    refuse_unless_open(supply, now=now)
    refuse_corrector(supply, corrector)
    day = rome_day(now)
    last, actual = references(supply, day)
    reasons = plausibility.judge(
        meter_of(supply), plausibility.Reading(day, counter, corrector), last, actual
    )
    if reasons and not confirmed:
        raise NeedsConfirmation(reasons)
    try:
        with writing():
            reading = SelfReading.create(
                supply=supply,
                day=day,
                counter=counter,
                corrector=corrector,
                confirmed=bool(reasons),
                meter_serial=supply.meter_serial,
                entered_at=now,
                **entered_by(supply.customer_id, account, operator, delegate),
            )
            _note("reading_entered", reading, supply, account, now, delegate)
            return reading
    except pw.IntegrityError:
        if not has_live(supply, day):
            raise
        raise Refused(already_taken()) from None  # two requests at once: the other was first


def entered_by(customer_id, account, operator, delegate):
    """What a reading keeps of who entered it."""
    if operator:
        return told_to(operator, customer_id)
    if delegate:
        return {"account": first_login(customer_id), "delegate": delegate}
    return {"account": account}


def told_to(operator, customer_id):
    """What a reading keeps of who told it."""
    login = first_login(customer_id)
    return {"account": login, "taken_for": customer_id, "operator": operator}


def first_login(customer_id):
    """The id of the customer's login that gets the mails about what somebody else entered."""
    granted = Grant.select(Grant.account).where(Grant.customer == customer_id)
    return granted.order_by(Grant.id).limit(1).scalar()


def _note(kind, reading, supply, account, now, delegate=None):
    record(
        kind,
        now=now,
        account=account,
        delegate=delegate,
        customer=supply.customer_id,
        supply=supply,
        day=reading.day.isoformat(),
        counter=reading.counter,
    )


def refuse_corrector(supply, corrector):
    if supply.has_corrector and corrector is None:
        raise Refused(_("Inserire anche la lettura del correttore, oltre a quella del contatore."))
    if not supply.has_corrector and corrector is not None:
        raise Refused(
            _("Questa fornitura non ha un correttore: inserire solo la lettura del contatore.")
        )


def meter_of(supply):
    return plausibility.Meter(
        digits=supply.digits,
        corrector_digits=supply.corrector_digits,
        meter_class=supply.meter_class,
        annual_use=supply.annual_use,
        coefficient_c=supply.coefficient_c,
    )


def cancel(reading, *, account=None, delegate=None, now):
    """Cancel a self-reading that was not acquired yet, or raise Refused.

    `account` is the id of who cancels it; None is an operator, or the `delegate` of that name.
    One statement decides: the acquisition takes only `pending` rows too, so either it
    comes first and the reading stays, or it never sees it.
    """
    with writing():
        cancelled = (
            SelfReading.update(state="cancelled", cancelled_at=now)
            .where(SelfReading.id == reading.id, SelfReading.state == "pending")
            .execute()
        )
        if cancelled:
            _note("reading_cancelled", reading, reading.supply, account, now, delegate)
            return
    if SelfReading.get_by_id(reading.id).state == "cancelled":
        raise Refused(_("La lettura è già stata cancellata."))
    raise Refused(
        _(
            "La lettura è appena stata acquisita e non si può più cancellare. Se è sbagliata, "
            "avvisare il servizio clienti."
        )
    )
