"""Tables that page, sort and filter by their address: `?pag=2&righe=20&ordine=-data`."""

from urllib.parse import quote_plus

from flask import redirect, request

ROWS_CHOICES = (10, 20, 50, 100)
LARGEST_PAGE = 1_000_000


class TableState:
    """What the address asks of a table, cleaned: unknown values fall back to the default.

    `sorts` are the allowed keys of `ordine` (a leading `-` turns it round), the first is
    the default. `filters` maps a parameter to the function that cleans its text, which
    returns None for "no filter". `args` stands in for the address's own parameters where
    those belong to another table.
    """

    def __init__(self, path, sorts, *, filters=None, rows=20, args=None):
        args = asked(request.args if args is None else args)
        self.path = path
        self.rows_choices = ROWS_CHOICES
        self.sorts = sorts
        self.rows = number(args.get("righe"), rows)
        if self.rows not in ROWS_CHOICES:
            self.rows = rows
        self.page = max(1, min(number(args.get("pag"), 1), LARGEST_PAGE))
        self.sort = args.get("ordine", sorts[0])
        if self.sort.removeprefix("-") not in {key.removeprefix("-") for key in sorts}:
            self.sort = sorts[0]
        self._usual = {"pag": 1, "righe": rows, "ordine": sorts[0]}
        self.filters = {name: clean(args.get(name, "")) for name, clean in (filters or {}).items()}

    @property
    def offset(self):
        return (self.page - 1) * self.rows

    def pages(self, total):
        return max(1, -(-total // self.rows))

    def stay_within(self, total):
        """Turn back to the last page of `total` rows, where one beyond it was asked for."""
        self.page = min(self.page, self.pages(total))

    def _query(self, changes):
        """The parameters that differ from their defaults, after `changes`."""
        asked = {"pag": self.page, "righe": self.rows, "ordine": self.sort, **self.filters}
        asked.update(changes)
        usual = self._usual
        return [
            (name, value)
            for name, value in asked.items()
            if value != usual.get(name) and value not in (None, "")
        ]

    def href(self, **changes):
        """The table's address with `changes`; whatever is the default stays out of it."""
        query = [f"{name}={quoted(value)}" for name, value in self._query(changes)]
        return f"{self.path}?{'&'.join(query)}" if query else self.path

    def kept(self, *without):
        """(name, value) pairs that a form of the table carries along, `without` its own."""
        return self._query(dict.fromkeys(without))

    @property
    def sorting(self):
        """{key: (direction as `aria-sort` wants it, the address that sorts by it)}.

        The address turns the order round where the table is sorted by that key already.
        """
        sorted_by = self.sort.removeprefix("-")
        result = {}
        for key in (each.removeprefix("-") for each in self.sorts):
            direction = "none"
            if key == sorted_by:
                direction = "descending" if self.sort.startswith("-") else "ascending"
            turned = f"-{key}" if self.sort == key else key
            result[key] = direction, self.href(ordine=turned, pag=1)
        return result


def last_page(table, first):
    """To the last page, where the rows tell their total and there was none beyond the last.

    `first`: one row of the table, or none.
    """
    return redirect(table.href(pag=table.pages(first[0].total if first else 0)), 303)


def asked(args):
    """The parameters of an address as a plain dict: what lacks in werkzeug's costs an exception."""
    return args.to_dict() if args else {}


def quoted(value):
    """A parameter's value as an address spells it; most need no quoting."""
    text = str(value)
    return text if text.isascii() and text.replace("-", "").isalnum() else quote_plus(text)


def number(text, default):
    """A whole number typed in an address, or `default` for anything else."""
    if text and text.isascii() and text.isdigit() and len(text) <= 9:
        return int(text)
    return default
