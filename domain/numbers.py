"""Numbers as they are written in Italy."""


def italian(number):
    """A whole number with its thousands marked: 45000 -> `45.000`."""
    return f"{number:,}".replace(",", ".")
