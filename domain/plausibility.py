"""Whether a self-reading can be true: numbers and days in, reasons in words out.

It follows the principle of ARERA's Testo integrato fatturazione (delibera
463/2016/R/com, art. 7): a seller turns a self-reading away only when it is plainly wrong.
Whatever is merely odd is shown to the customer, who may confirm it.
"""

import datetime as dt
from decimal import Decimal
from typing import NamedTuple

from flask_babel import gettext as _

from domain import notation
from domain.errors import Refused

UNKNOWN_DIGITS = 8
MOST_DIGITS = 9  # what the archive's integers hold
# Largest flow of each meter class, m3/h.
QMAX = {"G4": 6, "G6": 10, "G10": 16, "G16": 25, "G25": 40, "G40": 65, "G65": 100, "G100": 160}
ORDER_OF_MAGNITUDE = 10

# Far above the usual: more than four times the yearly use pro rata. A heated home burns
# about a fifth of its year in January, two and a half times the average; four leaves room
# for a hard month. Below the floor nothing is odd: a few days of cold are no mistake.
FAR_ABOVE = 4
FLOOR_SMC = 50

# A counter that seems to go back has rolled over (99998 -> 00003) when what it then has
# counted is at most half its range and a quarter of what its class can pass.
ROLL_OVER_OF_RANGE = 2
ROLL_OVER_OF_CEILING = 4


class Meter(NamedTuple):
    """What is known of a meter; `annual_use` in Smc, None wherever nobody knows."""

    digits: int | None = None
    corrector_digits: int | None = None
    meter_class: str | None = None
    annual_use: int | None = None
    coefficient_c: Decimal | None = None

    def ceiling(self, days):
        """The most m3 that can pass in `days`, or None for an unknown class."""
        flow = QMAX.get((self.meter_class or "").upper())
        return flow * 24 * days if flow else None


class Reading(NamedTuple):
    """What a meter showed on a day: whole m3, and Smc where a corrector is fitted."""

    day: dt.date
    counter: int
    corrector: int | None = None


class Use(NamedTuple):
    """What was used between two readings; `amount` is negative if the counter went back."""

    amount: int
    days: int


def used(before, after, days, *, digits, ceiling=None):
    """The use between two values of a counter, seeing through a roll-over."""
    amount = after - before
    if amount < 0:
        rolled = amount + 10**digits
        likely = rolled * ROLL_OVER_OF_RANGE <= 10**digits
        possible = ceiling is None or rolled * ROLL_OVER_OF_CEILING <= ceiling
        if likely and possible:
            amount = rolled
    return Use(amount, days)


def judge(meter, reading, last, actual=None):
    """Why `reading` is odd, as sentences; empty when it is ordinary. Raises Refused.

    `last` is the latest earlier reading of the same meter, or None; oddness is measured
    from there. `actual` is the latest that the distributor took or billing validated: a
    reading is refused only if it is impossible from both, so that a slip of the
    customer's own does not lock the right value out.
    """
    counter_digits = known_digits(meter.digits)
    corrector_digits = known_digits(meter.corrector_digits)
    refuse_digits(reading.counter, counter_digits, _("Il contatore"))
    if reading.corrector is not None:
        refuse_digits(reading.corrector, corrector_digits, _("Il correttore"))
    if last is None:
        return []
    refuse_impossible(meter, reading, [last] if actual is None else [last, actual])
    days = (reading.day - last.day).days
    ceiling = meter.ceiling(days)
    counter = used(last.counter, reading.counter, days, digits=counter_digits, ceiling=ceiling)
    reasons = backwards_or_still(_("del contatore"), counter, last.counter, last.day)
    billed = counter.amount * (meter.coefficient_c or 1)
    if reading.corrector is not None and last.corrector is not None:
        corrector = used(last.corrector, reading.corrector, days, digits=corrector_digits)
        reasons += backwards_or_still(_("del correttore"), corrector, last.corrector, last.day)
        billed = corrector.amount
    return reasons + too_much(meter, counter, billed, ceiling)


def known_digits(digits):
    return min(digits or UNKNOWN_DIGITS, MOST_DIGITS)


def refuse_digits(value, digits, name):
    if value >= 10**digits:
        raise Refused(
            _(
                "%(name)s ha %(digits)s cifre: la lettura inserita ne ha di più. Leggere solo le "
                "cifre prima della virgola.",
                name=name,
                digits=digits,
            )
        )


def refuse_impossible(meter, reading, references):
    """Refuse a use that is an order of magnitude beyond any possible one."""
    for reference in references:
        days = (reading.day - reference.day).days
        ceiling = meter.ceiling(days)
        use = used(
            reference.counter,
            reading.counter,
            days,
            digits=known_digits(meter.digits),
            ceiling=ceiling,
        )
        if ceiling is None or use.amount <= ceiling * ORDER_OF_MAGNITUDE:
            return
    raise Refused(
        _(
            "La lettura non è possibile: dal %(day)s risulterebbe un consumo di %(amount)s m³, e "
            "un contatore %(meter_class)s ne può misurare al massimo %(ceiling)s. Controllare di "
            "aver letto solo le cifre prima della virgola.",
            day=notation.day(reference.day),
            amount=notation.whole(use.amount),
            meter_class=meter.meter_class,
            ceiling=notation.whole(ceiling),
        )
    )


def backwards_or_still(name, use, before, day):
    if use.amount > 0:
        return []
    sentence = (
        _("La lettura %(name)s è uguale all'ultima, %(before)s del %(day)s: consumo zero.")
        if use.amount == 0
        else _("La lettura %(name)s è inferiore all'ultima, %(before)s del %(day)s.")
    )
    return [sentence % {"name": name, "before": before, "day": notation.day(day)}]


def too_much(meter, counter, billed, ceiling):
    """More than the class can pass; else far more than this supply usually needs."""
    if ceiling is not None and counter.amount > ceiling:
        return [
            _(
                "Il consumo di %(amount)s m³ in %(days)s giorni supera quanto un contatore "
                "%(meter_class)s può misurare (%(ceiling)s m³).",
                amount=notation.whole(counter.amount),
                days=counter.days,
                meter_class=meter.meter_class,
                ceiling=notation.whole(ceiling),
            )
        ]
    if meter.annual_use is None:
        return []
    usual = meter.annual_use * Decimal(counter.days) / 365
    if billed <= max(usual * FAR_ABOVE, FLOOR_SMC):
        return []
    return [
        _(
            "Il consumo di %(amount)s Smc in %(days)s giorni è molto superiore al solito (circa "
            "%(usual)s Smc nello stesso numero di giorni).",
            amount=notation.whole(round(billed)),
            days=counter.days,
            usual=notation.whole(round(usual)),
        )
    ]
