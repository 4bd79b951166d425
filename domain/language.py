"""Which language is spoken now, and what the texts of the source are in it.

The source is Italian. A request speaks the language that views/language.py finds for it, a mail
that of who gets it, a job Italian. The catalogues are the files of translations/, read when a
process speaks a language for the first time.
"""

from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

SOURCE = "it"
LANGUAGES = {"it": "Italiano", "de": "Deutsch", "en": "English"}  # as each calls itself
CATALOGUES = Path(__file__).parent.parent / "translations"

_spoken = ContextVar("language", default=SOURCE)
current = _spoken.get
speak = _spoken.set


@contextmanager
def speaking(language):
    """Inside, `language` is spoken."""
    before = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(before)


@cache
def catalogue(language):
    """What each text is in `language`: a string, or (one, many) for a text that counts."""
    if language == SOURCE:
        return {}
    with open(CATALOGUES / language / "LC_MESSAGES" / "messages.po", "rb") as file:
        entries = read_po(file, locale=language)
    return {
        entry.id if isinstance(entry.id, str) else entry.id[0]: entry.string
        for entry in entries
        if entry.id and entry.string and not entry.fuzzy
    }


def translated(text):
    return catalogue(_spoken.get()).get(text, text)


def counted(one, many, number):
    """`one` or `many` in the language spoken now; all of ours count like Italian."""
    forms = catalogue(_spoken.get()).get(one) or (one, many)
    return forms[number != 1]


def of_login(account):
    """The language for who has this login: chosen, or that of the last access. It may be None."""
    return (account and (account.language or account.last_language)) or SOURCE


def of_mail(row):
    """In which language a row of OutgoingMail speaks: its own, or that of its login."""
    return row.language or of_login(row.account)
