"""How days and money are written. Plain functions: a page of a table calls them often."""

from functools import lru_cache


def init_app(app):
    app.jinja_env.filters.update(day=day, money=money, iban=iban)


@lru_cache(10_000)  # the same few thousand days over and over
def day(value):
    """`gg/mm/aaaa`, or nothing for no day."""
    return f"{value.day:02d}/{value.month:02d}/{value.year:04d}" if value else ""


def money(cents):
    """Whole cents as `1.234,56 €`."""
    euros, cents_left = divmod(abs(cents), 100)
    sign = "-" if cents < 0 else ""
    return f"{sign}{euros:,}".replace(",", ".") + f",{cents_left:02d}\N{NO-BREAK SPACE}€"


def iban(text):
    """In groups of four, as printed."""
    joined = "".join(text.split())
    return " ".join(joined[i : i + 4] for i in range(0, len(joined), 4))
