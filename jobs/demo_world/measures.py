"""Two years of quarter-hours of the demo's electricity: in a month and band, what is billed."""

import datetime as dt
import math
import random

from domain import bands
from domain.measures import clock
from jobs.demo_world import consumption, people

DAYS = 2 * 365
# Relative power by the hour on the clock: an office; a factory with two shifts; a workshop.
OFFICE = (2, 2, 2, 2, 2, 2, 3, 6, 12, 15, 16, 15, 12, 11, 14, 15, 14, 11, 7, 4, 3, 2, 2, 2)
SHIFTS = (3, 3, 3, 3, 3, 7, 13, 14, 15, 15, 15, 14, 12, 13, 15, 15, 14, 13, 13, 12, 12, 9, 4, 3)
WORKSHOP = (2, 2, 2, 2, 2, 2, 2, 4, 14, 16, 15, 13, 5, 8, 15, 16, 14, 9, 4, 3, 2, 2, 2, 2)
SHAPES = (OFFICE, SHIFTS, WORKSHOP)
REACTIVE = 0.31  # varh for each Wh, where the committed power is high enough that it is billed
REACTIVE_FROM = 16.5  # kW


def rows(supplies, today):
    """Rows of `misure`, the last one of yesterday."""
    first, last = today - dt.timedelta(days=DAYS), today - dt.timedelta(days=1)
    firms = {people.READY["code"], people.NEWCOMER["code"]}
    for supply in supplies:
        if supply["servizio"] == "EE" and supply["codice_cliente"] in firms:
            for month in months(first, last):
                for day, values in quarter_hours(supply, month):
                    if first <= day <= last:
                        yield from written(supply, day, values)


def months(first, last):
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = following(month)


def following(month):
    return (month + dt.timedelta(days=31)).replace(day=1)


def quarter_hours(supply, month):
    """(day, values in Wh) of a month: in each band they add up to the kWh that are billed."""
    billed = consumption.row(supply, (month,))
    days = [month + dt.timedelta(days=n) for n in range((following(month) - month).days)]
    weights = {day: day_weights(supply, day) for day in days}
    totals = [bands.totals(day, weights[day]) for day in days]
    scales = [1000 * billed[f"f{n + 1}"] / sum(total[n] for total in totals) for n in range(3)]
    reached = [0.0, 0.0, 0.0]  # rounded as a whole, so that nothing is lost
    for day in days:
        values = []
        for band, weight in zip(bands.of(day), weights[day], strict=True):
            before = math.floor(reached[band] + 0.5)
            reached[band] += weight * scales[band]
            values.append(math.floor(reached[band] + 0.5) - before)
        yield day, values


def day_weights(supply, day):
    """The shape of a day, never the same twice; an estimate has no whims."""
    number = int(supply["codice_fornitura"][2:])
    chance = random.Random(number * 1_000_000 + day.toordinal())  # noqa: S311 (no secret)
    shape, busy = SHAPES[number % len(SHAPES)], business(day)
    level, whims = chance.uniform(0.85, 1.15), not is_estimated(supply, day)
    return [
        level * power(shape, time, busy) * (chance.uniform(0.8, 1.25) if whims else 1)
        for time in clock(day)
    ]


def business(day):
    """How much of the usual work is done on `day`."""
    if day.weekday() == 6 or bands.is_holiday(day):
        return 0
    return 0.35 if day.weekday() == 5 else 1


def power(shape, time, busy):
    """By the hour of `shape`, and between two hours in between."""
    night, now, next_hour = shape[0], shape[time.hour], shape[(time.hour + 1) % 24]
    return night + busy * (now + (next_hour - now) * time.minute / 60 - night)


def is_estimated(supply, day):
    """Now and then the meter did not answer for a day or two."""
    return consumption.luck(supply, day.toordinal() // 2, 41) == 7


def written(supply, day, values):
    yield row(supply, day, "attiva", values)
    if supply["potenza_impegnata_kw"] > REACTIVE_FROM:
        yield row(supply, day, "reattiva", [round(REACTIVE * value) for value in values])


def row(supply, day, quantity, values):
    return {
        "pod": supply["pod_pdr"],
        "data": day,
        "grandezza": quantity,
        "tipo": "S" if is_estimated(supply, day) else "E",
        **{f"q{number}": value for number, value in enumerate(values, 1)},
    }
