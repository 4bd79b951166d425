"""What the reader says instead of an invoice."""

from dataclasses import dataclass


class Unreadable(Exception):
    """The text is the Italian sentence for the clerk.

    `element` and `value` say which element of the invoice holds what, where that is known;
    `entry` is the file's name (inside its ZIP) and `body` the invoice in it, from 1.
    """

    def __init__(self, message, element="", value=""):
        super().__init__(message)
        self.element = element
        self.value = value
        self.entry = ""
        self.body = 0


@dataclass(frozen=True)
class Skipped:
    """A file of a ZIP that was left alone, and why (Italian)."""

    entry: str
    reason: str
