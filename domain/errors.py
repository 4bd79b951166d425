"""Refusals: what the domain raises when a rule says no."""


class Refused(Exception):
    """The thing was not done; the text is the sentence that the customer reads."""


class NeedsConfirmation(Refused):
    """Odd but possible: `reasons` are sentences, and the customer may confirm."""

    def __init__(self, reasons):
        super().__init__(" ".join(str(reason) for reason in reasons))
        self.reasons = reasons
