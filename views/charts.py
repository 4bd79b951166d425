"""Where the marks of a chart stand; templates draw them."""

import datetime as dt
from math import ceil, floor, log10
from typing import NamedTuple

WIDTH, HEIGHT = 640, 260
LEFT, RIGHT, TOP, BOTTOM = 72, 624, 16, 220


class Mark(NamedTuple):
    x: float
    y: float
    known: object  # the reading that it stands for


class ReadingsChart:
    """The readings of a supply over time, `meters` as domain.readings.history gives them.

    A line joins readings of one meter while the counter rises; where the meter was changed
    or the counter started over the line breaks. `changes` are the places of the former.
    """

    def __init__(self, meters):
        readings = [known for meter in meters for known in meter]
        days = [known.day for known in readings]
        values = [known.counter for known in readings]
        self._first, self._days = min(days), max((max(days) - min(days)).days, 1)
        self._step = step(max(values) - min(values))
        self._low = floor(min(values) / self._step) * self._step
        self._high = max(ceil(max(values) / self._step) * self._step, self._low + self._step)
        self.meters = [[self._mark(known) for known in meter] for meter in meters]
        self.marks = [mark for meter in self.meters for mark in meter]
        self.changes = [meter[0].x for meter in self.meters[1:]]

    def _x(self, day):
        return round(LEFT + (day - self._first).days / self._days * (RIGHT - LEFT), 1)

    def _y(self, value):
        part = (value - self._low) / (self._high - self._low)
        return round(BOTTOM - part * (BOTTOM - TOP), 1)

    def _mark(self, known):
        return Mark(self._x(known.day), self._y(known.counter), known)

    @property
    def lines(self):
        """The `points` of each unbroken line."""
        lines = []
        for meter in self.meters:
            lines.append([])
            for before, mark in zip([None, *meter], meter, strict=False):
                if before and mark.known.counter < before.known.counter:
                    lines.append([])
                lines[-1].append(f"{mark.x},{mark.y}")
        return [" ".join(line) for line in lines if len(line) > 1]

    @property
    def levels(self):
        """(y, value) of the horizontal lines."""
        return [(self._y(value), value) for value in range(self._low, self._high + 1, self._step)]

    @property
    def dates(self):
        """(x, day) of the labels below."""
        parts = min(4, self._days)
        days = [self._first + dt.timedelta(self._days * part // parts) for part in range(parts + 1)]
        return [(self._x(day), day) for day in days]


def step(span):
    """A round distance between at most six levels over `span`."""
    rough = max(span / 5, 1)
    power = 10 ** floor(log10(rough))
    return next(power * times for times in (1, 2, 5, 10) if power * times >= rough)
