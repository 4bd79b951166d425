"""What a mail tells besides its account, from the queue's JSON to the words of its reader.

In the queue days are `aaaa-mm-gg`, amounts cents, categories their keys, since who queues a mail
does not know in which language it will be read. Texts written in full, as earlier releases
queued them, stay as they are.
"""

import datetime as dt
from contextlib import suppress

from flask_babel import lazy_gettext as _l

from domain import documents, notation
from domain.receipts import CATEGORIES

MENU = {  # where a document is read, in the words of the menu
    documents.PERSONAL: _l("I miei documenti"),
    documents.FORMS: _l("Modulistica"),
    documents.RULES: _l("Normative"),
    documents.NOTICES: _l("Comunicati"),
    documents.INFO: _l("Informazioni"),
}


def _day(text):
    with suppress(ValueError):
        return notation.day(dt.date.fromisoformat(text))
    return text


def _word_of(words):
    return lambda key: str(words.get(key, key))


_WRITTEN = {
    **dict.fromkeys(("day", "due", "from_day", "to_day", "until"), _day),
    "amount": notation.money,
    "counter": notation.whole,
    "category": _word_of(CATEGORIES),
    "menu": _word_of(MENU),
}
_NUMBERS = {"amount", "counter"}


def written(params):
    """`params` of a row as its templates show them."""
    return {name: _written(name, value) for name, value in params.items()}


def _written(name, value):
    if isinstance(value, list):
        return [written(each) if isinstance(each, dict) else each for each in value]
    kind = int if name in _NUMBERS else str
    if name in _WRITTEN and isinstance(value, kind):
        return _WRITTEN[name](value)
    return value
