"""What a clerk is told about one file: counts, and every bad row in plain Italian."""

import datetime as dt

LISTED = 1000  # errors kept of each file, and as many warnings; the rest are only counted
SHOWN = 200  # characters kept of a cell


class Rejected(Exception):
    """The file was not taken; `report` says why."""

    def __init__(self, report):
        super().__init__(report.name)
        self.report = report


class Report:
    """Filled while one file is read.

    `row` is the row as a spreadsheet numbers it (the header is row 1), or None when the
    problem concerns the whole file; `column` and `value` may be empty. Messages are whole
    Italian sentences that say what to do.
    """

    def __init__(self, name, kind=None):
        self.name = "".join(letter if letter.isprintable() else "\ufffd" for letter in name)
        self.kind = kind
        self.size = 0  # bytes
        self.seconds = 0.0  # that judging took
        self.rows = self.added = self.changed = self.unchanged = 0
        self.unknown = []  # PODs of a flow that no supply has, the first LISTED
        self.notes = []  # sentences about the file as a whole
        self.warnings = []
        self.warning_count = 0
        self.errors = []
        self.error_count = 0

    def error(self, row, column, value, message):
        """The file will be rejected."""
        self.error_count += 1
        if len(self.errors) < LISTED:
            self.errors.append(_problem(row, column, value, message))

    def warn(self, row, column, value, message):
        """Odd, but taken."""
        self.warning_count += 1
        if len(self.warnings) < LISTED:
            self.warnings.append(_problem(row, column, value, message))

    def in_order(self):
        """Problems by row, as a clerk goes through the file."""
        for problems in (self.errors, self.warnings):
            problems.sort(key=lambda problem: problem[0])

    def tell(self, sentence):
        self.notes.append(str(sentence))

    def as_dict(self):
        """What is stored with the file, ready for JSON."""
        return {
            "rows": self.rows,
            "added": self.added,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "unknown": self.unknown,
            "notes": self.notes,
            "warning_count": self.warning_count,
            "warnings": self.warnings,
            "error_count": self.error_count,
            "errors": self.errors,
        }


def _problem(row, column, value, message):
    if isinstance(value, dt.date):
        value = f"{value:%d/%m/%Y}"
    value = "" if value is None else str(value).replace("\x00", "\ufffd")
    if len(value) > SHOWN:
        value = value[:SHOWN] + "…"
    return [row, column or "", value, str(message)]
