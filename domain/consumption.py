"""«Prelievi fatturati»: what invoices charged, by month and year, for one supply.

Quantities are whole thousandths of kWh or Smc, power is in W, as they are stored. A period
is shared out among its months by days, so that invoices that end on any day still compare.
"""

import calendar
import datetime as dt
from collections import defaultdict
from decimal import Decimal
from itertools import accumulate, pairwise

from flask_babel import gettext as _

from domain import supplies
from domain.formats.sheets import Column
from models import BilledConsumption, Prepared

KINDS = ("actual", "self_read", "estimated")
BANDS = ("f1", "f2", "f3")
REST = "rest"  # what no band claims: all of it, for gas
ALL_BANDS = (*BANDS, REST)
SORTS = ("-dal", "al", "f1", "f2", "f3", "totale", "potenza", "tipo", "fattura")

_KEYS = {
    "dal": "starts_on", "al": "ends_on", "f1": "f1", "f2": "f2", "f3": "f3", "totale": "total",
    "potenza": "power_w", "tipo": "kind", "fattura": "invoice_number",
}  # fmt: skip

_periods = Prepared(
    "supply since until",
    lambda supply, since, until: (
        BilledConsumption.select(
            BilledConsumption.starts_on,
            BilledConsumption.ends_on,
            BilledConsumption.f1,
            BilledConsumption.f2,
            BilledConsumption.f3,
            BilledConsumption.total,
            BilledConsumption.power_w,
            BilledConsumption.reactive_varh,
            BilledConsumption.kind,
            BilledConsumption.invoice_number,
        )
        .where(
            BilledConsumption.supply == supply,
            BilledConsumption.starts_on >= since,
            BilledConsumption.starts_on <= until,
        )
        .order_by(BilledConsumption.starts_on, BilledConsumption.ends_on)
    ),
)


def periods(supply):
    """The billed periods of `supply` that began in its present customer's days, oldest first."""
    return _periods(supply=supply.id, **supplies.own_days(supply))


def ordered(periods, sort):
    """`periods` in the order of one of SORTS; what is missing comes last, the newest first."""
    field = _KEYS[sort.removeprefix("-")]
    newest = list(reversed(periods))
    known = [period for period in newest if getattr(period, field) is not None]
    known.sort(key=lambda period: getattr(period, field), reverse=sort.startswith("-"))
    return known + [period for period in newest if getattr(period, field) is None]


def span(periods):
    """(first day, last day) of all `periods`, or None without any."""
    if not periods:
        return None
    return periods[0].starts_on, max(period.ends_on for period in periods)


class Used:
    """What was billed for a span of time: `parts` by (kind, band), and the peak power in W.

    `days` are those billed, of the `of_days` that the span has.
    """

    def __init__(self, of_days=0):
        self.parts = defaultdict(int)
        self.power_w = None
        self.days = 0
        self.of_days = of_days

    def add(self, other):
        for part, amount in other.parts.items():
            self.parts[part] += amount
        self.meet_power(other.power_w)
        self.days += other.days
        self.of_days += other.of_days

    def meet_power(self, power_w):
        if power_w is not None:
            self.power_w = max(power_w, self.power_w or 0)

    @property
    def total(self):
        return sum(self.parts.values())

    def of_band(self, wanted):
        return sum(amount for (_kind, band), amount in self.parts.items() if band == wanted)

    def of_kind(self, wanted):
        return sum(amount for (kind, _band), amount in self.parts.items() if kind == wanted)

    @property
    def kinds(self):
        """The kinds that are in it, in the order of KINDS."""
        found = {kind for kind, _band in self.parts}
        return [kind for kind in KINDS if kind in found]

    @property
    def has_bands(self):
        return any(band != REST for _kind, band in self.parts)

    @property
    def whole(self):
        """Whether all its days were billed."""
        return self.days >= self.of_days


def total_of(many):
    """All of `many` taken together."""
    result = Used()
    for each in many:
        result.add(each)
    return result


def by_month(periods):
    """{(year, month): Used} of the months that `periods` touch, oldest first.

    A period's peak power counts in each of its months: nobody knows in which it was reached.
    """
    months = {}
    for period in periods:
        touched = months_of(period.starts_on, period.ends_on)
        days = [number for _month, number in touched]
        for month, number in touched:
            used = months.get(month)
            if used is None:
                used = months[month] = Used(calendar.monthrange(*month)[1])
            used.days += number
            used.meet_power(period.power_w)
        for band, amount in bands_of(period):
            for (month, _number), share in zip(touched, shared(amount, days), strict=True):
                months[month].parts[period.kind, band] += share
    return dict(sorted(months.items()))


def by_year(months):
    """{year: Used} of what `by_month` gives."""
    years = {}
    for (year, _month), used in months.items():
        years.setdefault(year, Used()).add(used)
    return years


def months_of(first, last):
    """[((year, month), days)] of the months from the day `first` to the day `last`."""
    result = []
    while first <= last:
        days_left = calendar.monthrange(first.year, first.month)[1] - first.day
        end = min(last, first + dt.timedelta(days=days_left))
        result.append(((first.year, first.month), (end - first).days + 1))
        first = end + dt.timedelta(days=1)
    return result


def bands_of(period):
    """(band, amount) of a period; they sum to its total, which is what was paid."""
    bands = [(name, getattr(period, name)) for name in BANDS]
    bands = [(name, amount) for name, amount in bands if amount is not None]
    rest = period.total - sum(amount for _name, amount in bands)
    return [*bands, (REST, rest)] if rest or not bands else bands


def shared(amount, days):
    """`amount` in parts proportional to `days`: they sum to it, and whole units stay whole."""
    if len(days) == 1:
        return [amount]
    unit = 1000 if amount % 1000 == 0 else 1
    until = [amount // unit * passed // sum(days) * unit for passed in accumulate(days)]
    return [later - earlier for earlier, later in pairwise((0, *until))]


def comparable(months, years):
    """The months (1 to 12) that were billed to the last day in each of `years`."""
    return [
        month
        for month in range(1, 13)
        if all((used := months.get((year, month))) and used.whole for year in years)
    ]


# -- For people to take away ---------------------------------------------------------------


def kind_names():
    return {
        "actual": _("effettivo"),
        "self_read": _("autolettura"),
        "estimated": _("stimato"),
    }


def sheet(supply, periods):
    """(columns, rows) of `periods` as `domain.formats.sheets` takes them."""
    electric = supply.service == "EE"
    fields = (*BANDS, "total", "power_w", "reactive_varh") if electric else ("total",)
    titles = {
        "f1": "F1 (kWh)",
        "f2": "F2 (kWh)",
        "f3": "F3 (kWh)",
        "total": _("Totale (kWh)") if electric else _("Totale (Smc)"),
        "power_w": _("Potenza massima (kW)"),
        "reactive_varh": _("Energia reattiva (kvarh)"),
    }
    columns = [
        Column(_("Punto di fornitura"), 18),
        Column("POD" if electric else "PDR", 18),
        Column(_("Dal")),
        Column(_("Al")),
        *(
            Column(titles[field], len(titles[field]) + 2, _places(periods, field))
            for field in fields
        ),
        Column(_("Tipo")),
        Column(_("Fattura"), 16),
    ]
    kinds = kind_names()
    point = supply.code, supply.pod if electric else supply.pdr
    rows = (
        (
            *point,
            period.starts_on,
            period.ends_on,
            *(_number(getattr(period, field)) for field in fields),
            kinds[period.kind],
            period.invoice_number,
        )
        for period in periods
    )
    return columns, rows


def _places(periods, field):
    return 3 if any((getattr(period, field) or 0) % 1000 for period in periods) else 0


def _number(thousandths):
    """As a spreadsheet takes it: whole where it is."""
    if thousandths is None or thousandths % 1000:
        return thousandths and Decimal(thousandths) / 1000
    return thousandths // 1000
