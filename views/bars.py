"""Where the bars of a chart stand; templates draw them."""

from typing import NamedTuple

from domain import notation
from views.charts import step

# In units of the drawing, which is 640 wide.
LEFT, RIGHT, TOP = 76, 632, 14
TALL, SHORT = 250, 100  # from the lowest to the highest level
WIDEST, GAP = 40, 2
CROWDED = 8  # from so many labels on, a telephone shows every other one


class Part(NamedTuple):
    """A piece of a bar: `band` and `kind` say what it is made of."""

    y: float
    height: float
    band: str
    kind: str


class Bar(NamedTuple):
    x: float
    parts: list
    title: str
    faded: bool


class BarChart:
    """Groups of bars side by side, each a stack, in thousandths of a unit.

    `groups` are (label, bars) from left to right; a bar is (title, faded, parts) or None
    where there is nothing, its parts are (amount, band, kind) from the zero line outwards.
    Negative amounts hang below that line. Levels are `finest` apart or more.
    """

    def __init__(self, groups, height=TALL, finest=1):
        self.bottom = TOP + height
        self._finest = finest
        stacks = [
            [bar and (*bar[:2], list(stacked(bar[2]))) for bar in bars] for _label, bars in groups
        ]
        ends = [0]
        for parts in (bar[2] for bars in stacks for bar in bars if bar):
            ends += [end for low, high, *_ in parts for end in (low, high)]
        self._scale(min(ends), max(ends), height)
        self._room = (RIGHT - LEFT) / max(len(groups), 1)
        most = max((len(bars) for bars in stacks), default=1)
        self._pitch = min(WIDEST, self._room * (0.66 if most == 1 else 0.8) / most)
        self.width = round(self._pitch - GAP, 1)
        self.bars = [
            self._bar(place, nth - len(bars) / 2, bar)
            for place, bars in enumerate(stacks)
            for nth, bar in enumerate(bars)
            if bar
        ]
        self.labels = [
            (round(self._middle(place), 1), label, len(groups) >= CROWDED and place % 2 == 1)
            for place, (label, _bars) in enumerate(groups)
        ]

    def _scale(self, lowest, highest, height):
        self._step = max(step((highest - lowest) * TALL // height), self._finest)
        self._low = lowest // self._step * self._step
        self._high = max(-(-highest // self._step) * self._step, self._low + self._step)

    def _middle(self, place):
        return LEFT + self._room * (place + 0.5)

    def _y(self, amount):
        part = (amount - self._low) / (self._high - self._low)
        return round(self.bottom - part * (self.bottom - TOP), 1)

    def _bar(self, place, offset, bar):
        title, faded, parts = bar
        pieces = [
            Part(self._y(high), round(self._y(low) - self._y(high), 1), band, kind)
            for low, high, band, kind in parts
        ]
        return Bar(
            round(self._middle(place) + offset * self._pitch + GAP / 2, 1), pieces, title, faded
        )

    @property
    def zero(self):
        return self._y(0)

    @property
    def levels(self):
        """(y, number) of the horizontal lines."""
        amounts = range(self._low, self._high + 1, self._step)
        return [(self._y(amount), notation.thousandths(amount)) for amount in amounts]


def stacked(parts):
    """(low, high, band, kind) of each of `parts`, upwards from zero or downwards."""
    top = bottom = 0
    for amount, band, kind in parts:
        if amount > 0:
            yield top, top + amount, band, kind
            top += amount
        elif amount < 0:
            yield bottom + amount, bottom, band, kind
            bottom += amount
