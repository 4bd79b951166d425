"""How a table's filters clean what an address gives them; None means that nothing is asked.

See `TableState` in paging.py.
"""

from forms import typed_day

LONGEST = 100  # characters of a search


def among(choices):
    """One of `choices`, as it is."""
    return lambda text: text if text in choices else None


def words(text):
    """What is searched in texts, as both databases take it."""
    text = " ".join(text.split())[:LONGEST]
    return text if text and text.isprintable() else None


def day(text):
    """A day as it is typed, or as a browser's calendar gives it."""
    try:
        return typed_day(text)
    except ValueError:
        return None
