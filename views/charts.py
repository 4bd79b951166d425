"""Where the marks of a chart stand; templates draw them."""

import datetime as dt
from math import ceil, floor, log10
from typing import NamedTuple

# In units of the drawing, which is 640 wide and 260 high.
LEFT, RIGHT, TOP, BOTTOM = 72, 624, 16, 220


class Mark(NamedTuple):
    x: float
    y: float
    known: object  # the reading that it stands for


class ReadingsChart:
    """Two or more readings of one meter over time.

    `values` are where the counter stood, without the drop of a roll-over; the levels are
    labelled with what a counter of so many `digits` shows there.
    """

    def __init__(self, readings, values, digits):
        self._digits = digits
        self._first = readings[0].day
        self._days = max((readings[-1].day - self._first).days, 1)
        self._step = step(max(values) - min(values))
        self._low = floor(min(values) / self._step) * self._step
        self._high = max(ceil(max(values) / self._step) * self._step, self._low + self._step)
        self.marks = [
            Mark(self._x(known.day), self._y(value), known)
            for known, value in zip(readings, values, strict=True)
        ]

    def _x(self, day):
        return round(LEFT + (day - self._first).days / self._days * (RIGHT - LEFT), 1)

    def _y(self, value):
        part = (value - self._low) / (self._high - self._low)
        return round(BOTTOM - part * (BOTTOM - TOP), 1)

    @property
    def points(self):
        return " ".join(f"{mark.x},{mark.y}" for mark in self.marks)

    @property
    def levels(self):
        """(y, what the counter shows) of the horizontal lines."""
        values = range(self._low, self._high + 1, self._step)
        return [(self._y(value), self._shown(value)) for value in values]

    def _shown(self, value):
        return value % 10**self._digits if self._digits else value

    @property
    def dates(self):
        """(x, day) of the labels below."""
        parts = min(3, self._days)
        days = [self._first + dt.timedelta(self._days * part // parts) for part in range(parts + 1)]
        return [(self._x(day), day) for day in days]


def step(span):
    """A round distance between at most six levels over `span`."""
    rough = max(span / 5, 1)
    power = 10 ** floor(log10(rough))
    return next(power * times for times in (1, 2, 5, 10) if power * times >= rough)
