"""The guide for customers and the one for clerks, chapter by chapter.

Written in docs/guida/ and made HTML ahead, into templates/guide/ (tests/guide/rendering.py).
What depends on the utility stands in braces there, as in the pages of domain/public_pages.py.
"""

import re
from functools import cache
from html import escape
from pathlib import Path
from typing import NamedTuple

from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from domain import public_pages

CUSTOMERS, DESK = AUDIENCES = ("cliente", "sportello")
TITLES = {CUSTOMERS: _l("Guida al portale"), DESK: _l("Guida per lo sportello")}
OWN_WORDS = {CUSTOMERS: "guida", DESK: "guida-sportello"}  # of the utility: see branding.py
ROOM = Path(__file__).parent.parent / "templates" / "guide"
_PLACE = re.compile(r"\{([a-z_]+)(?::([\w.-]+))?\}")


class Chapter(NamedTuple):
    name: str  # in its address
    title: str
    written: str  # HTML with places in braces


@cache
def chapters(audience):
    """The chapters of a guide, in their order."""
    return tuple(map(_read, sorted((ROOM / audience).glob("*.html"))))


def _read(path):
    title, _end, written = path.read_text("utf-8").partition("\n")
    name = path.stem.partition("-")[2]
    return Chapter(name, re.fullmatch(r"<h1>(.+)</h1>", title)[1], written)


def beside(audience, name):
    """The chapter `name` of a guide, the one before and the one after; None where there is none."""
    every = chapters(audience)
    place = next((place for place, each in enumerate(every) if each.name == name), None)
    if place is None:
        return None, None, None
    before, after = every[:place][-1:], every[place + 1 :][:1]
    return every[place], *(each[0] if each else None for each in (before, after))


def text(chapter, config, *, to, picture):
    """A chapter as markup. `to` gives the address of a chapter, `picture` that of a picture."""
    known = {
        **public_pages.known(config),
        "indirizzo": config["BASE_URL"],
        "giorni_reclamo": str(config["COMPLAINT_DAYS"]),
        "giorni_rettifica": str(config["BILLING_CORRECTION_DAYS"]),
    }
    addresses = {"to": to, "picture": picture}

    def fill(place):
        name, of = place[1], place[2]
        return escape(addresses[name](of) if of else known[name])

    return Markup(_PLACE.sub(fill, chapter.written))  # noqa: S704 (our own file)
