"""How days, instants, numbers and money are written in Italy.

Plain functions, since a page writes hundreds of them; templates know most as filters.
"""

from functools import lru_cache

from domain.clock import ROME, rome_day


@lru_cache(10_000)  # the same few thousand days over and over
def day(value):
    """`gg/mm/aaaa`, or nothing for no day."""
    return f"{value.day:02d}/{value.month:02d}/{value.year:04d}" if value else ""


def short_day(value):
    """`gg/mm/aa`."""
    return f"{value:%d/%m/%y}"


def time(instant):
    """`hh:mm` on the clock of Rome."""
    return f"{instant.astimezone(ROME):%H:%M}"


def moment(instant):
    """`gg/mm/aaaa, hh:mm` in Rome."""
    return f"{day(rome_day(instant))}, {time(instant)}"


def whole(number):
    """A whole number with its thousands marked: 45000 -> `45.000`."""
    return f"{number:,}".replace(",", ".")


def thousandths(number):
    """A number given in thousandths, without the decimals it does not need: `1.234,5`."""
    units, rest = divmod(abs(number), 1000)
    decimals = f",{rest:03d}".rstrip("0") if rest else ""
    return f"{'-' if number < 0 else ''}{whole(units)}{decimals}"


def seconds(number):
    """Seconds with two decimals: `0,42`."""
    return f"{number:.2f}".replace(".", ",")


def decimal(number):
    """A Decimal without the zeros it does not need: `1.234,5`."""
    units, _point, decimals = f"{number:,f}".partition(".")
    decimals = decimals.rstrip("0")
    return units.replace(",", ".") + (f",{decimals}" if decimals else "")


def kilo(number):
    """Wh as kWh, W as kW, always with three decimals: 1234500 -> `1.234,500`."""
    units, rest = divmod(number, 1000)
    return f"{units},{rest:03d}" if units < 1000 else f"{whole(units)},{rest:03d}"


def file_size(size):
    """Bytes in the unit that people know: `1,4 MB`, `312 KB`."""
    if size < 1_000_000:
        return f"{max(1, round(size / 1000))}\N{NO-BREAK SPACE}KB"
    return f"{size / 1_000_000:.1f}\N{NO-BREAK SPACE}MB".replace(".", ",")


def money(cents):
    """Whole cents as `1.234,56 €`."""
    euros, cents_left = divmod(abs(cents), 100)
    sign = "-" if cents < 0 else ""
    return f"{sign}{whole(euros)},{cents_left:02d}\N{NO-BREAK SPACE}€"


def iban(text):
    """In groups of four, as printed."""
    joined = "".join(text.split())
    return " ".join(joined[i : i + 4] for i in range(0, len(joined), 4))
