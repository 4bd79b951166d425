"""Sentences made of what «Storico» and the register keep: a kind and its details, as JSON."""

import json

from flask_babel import gettext as _


def written(write, kind, details):
    """The sentence that `write`, {kind: function of the details}, makes of the JSON `details`.

    What a later version of the portal kept is told in general terms.
    """
    try:
        return write[kind](json.loads(details))
    except (AttributeError, KeyError, TypeError, ValueError):
        return _("Operazione registrata.")


def filled(text):
    """A function of details that puts them into `text`, whose places have their names."""
    return lambda given: text % given
