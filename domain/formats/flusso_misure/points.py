"""From what a DatiPod says to its days and registers.

The day when the clocks go back comes as two rows: Dst 2 until 3 o'clock in summer time, Dst 3
from 2 o'clock on in winter time; when they go forward E9 to E12 do not exist. The meter's
constants multiply what it counted: in PDO, and in the flows of the second generation, the
distributor has done so already.
"""

import calendar
import datetime as dt
import re
from decimal import ROUND_HALF_UP, Decimal
from itertools import accumulate

from domain.clock import quarter_hours
from domain.formats.flusso_misure.rows import Day, Point, Problem, Register

ENERGIES = {"Ea": "active", "Er": "reactive"}
CONSTANTS = {"Ea": "Ka", "Er": "Kr", "Pot": "Kp"}
SHOWN = {"active": "", "reactive": " reattiva"}
KINDS = {"E": False, "S": True}

QUARTER = re.compile(r"E([1-9]\d?|100)", re.ASCII)
MONTH = re.compile(r"(\d\d?)/(20\d\d)", re.ASCII)
DAY = re.compile(r"(\d\d?)/(\d\d?)/(20\d\d)", re.ASCII)
DAY_OF_MONTH = re.compile(r"\d{1,2}", re.ASCII)
NUMBER = re.compile(r"(\d{1,9})(?:,(\d{1,9}))?", re.ASCII)

HIGHEST_QUARTER = 99_999_999  # Wh, which is 400 MW: as in the CSV of measures
HIGHEST_REGISTER = 10**15
LONGEST_POD = 20
MOST_NUMBERS = 100_000  # remembered; those of a month of 1,000 PODs are some 10,000

IN_ORDER = [f"E{n}" for n in range(1, 97)]
USUAL = ["Dst", *IN_ORDER]
WHOLE = {
    92: (*range(1, 9), *range(13, 97)),
    96: tuple(range(1, 97)),
    100: tuple(range(1, 101)),
}
PARTS = {"2": tuple(range(1, 13)), "3": tuple(range(9, 97))}
WHOLE_DAY = {"", "0", "1"}  # what else Dst may be


class Wrong(Exception):
    """Part of a DatiPod that cannot be read; holds a Problem."""


class WattHours(dict):
    """{text of a number in kWh: Wh, exactly}; filled as it is asked, since few are different."""

    def __missing__(self, text):
        found = NUMBER.fullmatch(text.strip())
        if not found:
            raise ValueError(text)
        units, decimals = found[1], (found[2] or "").rstrip("0")
        if len(decimals) <= 3:
            value = int(units) * 1000 + int(decimals.ljust(3, "0"))
        else:
            value = Decimal(f"{units}.{decimals}") * 1000
        if len(self) >= MOST_NUMBERS:
            self.clear()
        self[text] = value
        return value


class Block:
    """A DatiPod, or a Misura in it: its texts by element, its rows and registers."""

    def __init__(self, name, line, outer=None):
        self.name = name
        self.line = line
        self.outer = outer
        self.blocks = []
        self.texts = {}
        self.rows = []  # (line, Ea or Er, attributes, text)
        self.registers = []  # (line, name, text)

    def inner(self, name, line):
        block = Block(name, line, self)
        self.blocks.append(block)
        return block

    def text(self, name):
        """What the block says, else the one around it."""
        return self.texts.get(name) or (self.outer.text(name) if self.outer else "")


def point(flow, node, numbers):
    """The Point that `node`, the Block of a DatiPod, holds; `numbers` are WattHours."""
    return _Point(flow, node, numbers).read()


class _Point:
    def __init__(self, flow, node, numbers):
        self._flow = flow
        self._node = node
        self._numbers = numbers
        self._pod = "".join(node.text("Pod").split()).upper()
        self._parts = {}  # {(day, quantity): {Dst: (line, estimated, values)}}
        self._days = []
        self._registers = []
        self._problems = []

    def read(self):
        node = self._node
        try:
            if not 0 < len(self._pod) <= LONGEST_POD:
                raise self._wrong(node.line, None, node.text("Pod"), "Manca il Pod, o è insolito.")
            for block in (node, *node.blocks):
                self._read_block(block)
        except Wrong as wrong:
            self._problems += wrong.args
        self._join_parts()
        return Point(node.line, self._pod, self._days, self._registers, self._problems)

    def _wrong(self, line, day, value, message, quantity="active"):
        where = f"{self._pod} {day:%d/%m/%Y}{SHOWN[quantity]}" if day else self._pod or "Pod"
        return Wrong(Problem(line, where, value, message))

    def _read_block(self, block):
        if not (block.rows or block.registers):
            return
        estimated = self._is_estimated(block)
        month, measured = self._period(block)
        constants = {name: self._constant(block, name) for name in CONSTANTS}
        for row in block.rows:
            try:
                self._read_row(row, month, measured, estimated, constants)
            except Wrong as wrong:
                self._problems += wrong.args
        shown = measured or month.replace(day=calendar.monthrange(month.year, month.month)[1])
        kind = "consumption" if block.name == "Consumo" else "reading"
        for line, name, text in block.registers:
            if text:
                value = self._register(line, name, text, shown, constants)
                self._registers.append(Register(line, shown, kind, name, estimated, value))

    # -- what holds for a whole block ----------------------------------------------------------

    def _is_estimated(self, block):
        kind = block.text("TipoDato").upper() or "E"
        if kind not in KINDS:
            raise self._wrong(
                block.line, None, kind, "TipoDato deve essere E (effettivo) o S (stimato)."
            )
        return KINDS[kind]

    def _period(self, block):
        """The first day of the month, and the day of the measure where there is one."""
        month, day = block.text("MeseAnno"), block.text("DataMisura")
        try:
            measured = dt.date(*map(int, reversed(DAY.fullmatch(day).groups()))) if day else None
            if month:
                first = dt.date(*map(int, reversed(MONTH.fullmatch(month).groups())), 1)
            else:
                first = measured.replace(day=1)
        except (AttributeError, ValueError):  # no match, or neither is there; no such day
            raise self._wrong(
                block.line, None, " ".join(filter(None, (month, day))),
                "Serve MeseAnno come 05/2026, oppure DataMisura come 31/05/2026.",
            ) from None  # fmt: skip
        return first, measured

    def _constant(self, block, energy):
        """What a value is multiplied by; 1 where nothing is said."""
        name = CONSTANTS[energy]
        text = block.text(name)
        if not (self._flow.has_constants and text):
            return 1
        found = NUMBER.fullmatch(text)
        value = Decimal(text.replace(",", ".")) if found else 0
        if not value:
            raise self._wrong(
                block.line, None, text, f"{name} deve essere un numero maggiore di zero."
            )
        return int(value) if value == int(value) else value

    # -- rows of quarter-hours ------------------------------------------------------------------

    def _read_row(self, row, month, measured, estimated, constants):
        line, energy, attributes, text = row
        quantity = ENERGIES[energy]
        day = self._day(line, text, month, measured)
        dst, numbers, texts = quarters(attributes)
        self._check_numbers(line, day, quantity, dst, numbers)
        values = self._whole(line, day, quantity, numbers, texts, constants[energy])
        if dst in PARTS:
            halves = self._parts.setdefault((day, quantity), {})
            if halves.setdefault(dst, (line, estimated, values))[1:] != (estimated, values):
                raise self._wrong(line, day, "", f"Due righe diverse con Dst {dst}.", quantity)
        else:
            self._days.append(Day(line, day, quantity, estimated, values))

    def _day(self, line, text, month, measured):
        try:
            if DAY_OF_MONTH.fullmatch(text):
                return month.replace(day=int(text))
        except ValueError:
            pass
        if text or not measured:
            raise self._wrong(
                line, None, text, f"Il giorno del mese {month:%m/%Y} manca o non esiste."
            )
        return measured

    def _check_numbers(self, line, day, quantity, dst, numbers):
        count = quarter_hours(day)
        if dst not in WHOLE_DAY and not (dst in PARTS and count == 100):
            raise self._wrong(
                line, day, dst,
                "Dst può essere 2 o 3 solo nel giorno in cui finisce l'ora legale, e gli altri "
                "giorni 0, 1 o mancare.",
                quantity,
            )  # fmt: skip
        expected = PARTS.get(dst) or WHOLE[count]
        if numbers != expected:
            missing = [f"E{n}" for n in expected if n not in numbers]
            beyond = [f"E{n}" for n in numbers if n not in expected]
            which = [f"mancano {listed(missing)}"] if missing else []
            which += [f"{listed(beyond)} non devono esserci"] if beyond else []
            raise self._wrong(
                line, day, str(len(numbers)),
                f"Il giorno ha {count} quarti d'ora: la riga ne deve avere {len(expected)} e ne ha "
                f"{len(numbers)} ({'; '.join(which)}).",
                quantity,
            )  # fmt: skip

    def _whole(self, line, day, quantity, numbers, texts, constant):
        try:
            values = whole([*map(self._numbers.__getitem__, texts)], constant)
        except ValueError:
            number, text = next(
                (number, text)
                for number, text in zip(numbers, texts, strict=True)
                if not NUMBER.fullmatch(text.strip())
            )
            raise self._wrong(
                line, day, text,
                f"E{number} deve essere un numero come 0,101, mai negativo e con la virgola per i "
                "decimali.",
                quantity,
            ) from None  # fmt: skip
        if max(values) > HIGHEST_QUARTER:
            number = numbers[values.index(max(values))]
            raise self._wrong(
                line, day, texts[numbers.index(number)],
                f"E{number} supera 99.999,999 kWh in un quarto d'ora: controllarlo.",
                quantity,
            )  # fmt: skip
        return values

    def _join_parts(self):
        for (day, quantity), halves in self._parts.items():
            line = min(each[0] for each in halves.values())
            if len(halves) < len(PARTS):
                there = "".join(halves)
                wrong = self._wrong(
                    line, day, there,
                    "Il giorno in cui finisce l'ora legale ha due righe, con Dst 2 e con Dst 3: "
                    f"c'è solo quella con Dst {there}.",
                    quantity,
                )  # fmt: skip
                self._problems += wrong.args
                continue
            (_line, first, summer), (_line, second, winter) = halves["2"], halves["3"]
            self._days.append(Day(line, day, quantity, first or second, summer + winter))

    # -- registers ------------------------------------------------------------------------------

    def _register(self, line, name, text, day, constants):
        try:
            (value,) = whole([self._numbers[text]], constants[name[:-2]])
        except ValueError:
            value = HIGHEST_REGISTER + 1
        if value > HIGHEST_REGISTER:
            raise self._wrong(
                line, day, text,
                f"{name} deve essere un numero come 1234,567, mai negativo e con la virgola per i "
                "decimali.",
            )  # fmt: skip
        return value


def quarters(attributes):
    """(Dst, numbers, texts) of the quarter-hours that a row has; blank ones it has not."""
    names, texts = attributes[::2], attributes[1::2]
    if names == USUAL and "" not in texts[1:]:
        return texts[0], WHOLE[96], texts[1:]
    dst, found = "", {}
    for name, text in zip(names, texts, strict=True):
        number = QUARTER.fullmatch(name)
        if number and text.strip():
            found[int(number[1])] = text
        elif name == "Dst":
            dst = text.strip()
    numbers = tuple(sorted(found))
    return dst, numbers, [found[number] for number in numbers]


def whole(values, constant):
    """`values` times `constant`, as whole numbers that add up to the right total.

    Where they are not whole already their running total is rounded, not each of them: over a
    day nothing is lost or gained.
    """
    if constant != 1:
        values = [value * constant for value in values]
    if type(sum(values)) is int:
        return values
    totals = [int(total.quantize(1, ROUND_HALF_UP)) for total in accumulate(map(Decimal, values))]
    return [after - before for before, after in zip((0, *totals), totals, strict=False)]


def listed(names):
    """The first of many names."""
    return ", ".join(names[:6]) + (", …" if len(names) > 6 else "")
