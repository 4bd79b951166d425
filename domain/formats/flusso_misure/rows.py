"""What a flow brings."""

import datetime as dt
from typing import NamedTuple

KNOWN_CODES = {"PDO", "PNO", "RFO", "RNO", "VNO", "SNM"}


class Unreadable(Exception):
    """The flow as a whole cannot be read: the Italian sentence, and the line where known."""

    def __init__(self, message, line=None, element="", value=""):
        super().__init__(message)
        self.line = line
        self.element = element
        self.value = value


class Flow(NamedTuple):
    """What a file says of itself."""

    line: int
    root: str
    code: str
    user_vat: str

    @property
    def is_known(self):
        return self.code[:3] in KNOWN_CODES

    @property
    def rectifies(self):
        return self.code.startswith("R") or self.root.endswith("R")

    @property
    def has_constants(self):
        """Whether values are still to be multiplied by the meter's constants."""
        return not self.code.endswith("2G") and self.code != "PDO"


class Day(NamedTuple):
    """The quarter-hours of a day, in time order, in Wh or varh."""

    line: int
    day: dt.date
    quantity: str  # active, reactive
    estimated: bool
    values: list


class Register(NamedTuple):
    """A register such as EaF1: what it shows on `day`, or what passed until then."""

    line: int
    day: dt.date
    kind: str  # reading, consumption
    name: str
    estimated: bool
    value: int


class Problem(NamedTuple):
    """What is wrong, `where` (POD and day) and in which line of the file."""

    line: int
    where: str
    value: str
    message: str


class Point(NamedTuple):
    """A DatiPod."""

    line: int
    pod: str
    days: list
    registers: list
    problems: list
