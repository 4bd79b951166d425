"""The texts of the source and their catalogues: `make translations` brings these up to date.

Nothing is guessed: a text that is new or was changed has no translation until somebody writes
it, and tests/test_translations.py fails until then.
"""

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir, extract_from_file
from babel.messages.pofile import read_po, write_po

from domain.language import CATALOGUES, LANGUAGES, SOURCE

ROOT = Path(__file__).parent.parent
METHODS = [("**.py", "python"), ("**.html", "jinja2"), ("**.txt", "jinja2")]
KEYWORDS = {**DEFAULT_KEYWORDS, "_l": None}
TRANSLATED = [code for code in LANGUAGES if code != SOURCE]


def source():
    """All texts of the source, as a Catalog without translations."""
    found = Catalog(project="Portale clienti", charset="utf-8")
    for folder in ("domain", "jobs", "views", "templates"):
        for name, _line, text, comments, _context in extract_from_dir(
            ROOT / folder, METHODS, keywords=KEYWORDS
        ):
            found.add(text, locations=[(f"{folder}/{name}", None)], auto_comments=comments)
    for _line, text, comments, _context in extract_from_file(
        "python", ROOT / "forms.py", keywords=KEYWORDS
    ):
        found.add(text, locations=[("forms.py", None)], auto_comments=comments)
    return found


def path_of(language):
    return CATALOGUES / language / "LC_MESSAGES" / "messages.po"


def read(language):
    with path_of(language).open("rb") as file:
        return read_po(file, locale=language)


def update():
    """Add what is new to each catalogue, take out what is gone; tell how many are to be written."""
    template = source()
    for language in TRANSLATED:
        catalogue = read(language)
        template.creation_date = catalogue.creation_date  # a run that finds nothing changes nothing
        catalogue.update(template, no_fuzzy_matching=True)
        with path_of(language).open("wb") as file:
            write_po(file, catalogue, width=100, ignore_obsolete=True, include_lineno=False)
        missing = [each for each in catalogue if each.id and not all(strings(each))]
        print(f"{LANGUAGES[language]}: {len(catalogue)} testi, {len(missing)} da tradurre")


def strings(message):
    """The translations of a message: one, or one for each number."""
    return list(message.string) if isinstance(message.string, tuple) else [message.string or ""]


if __name__ == "__main__":
    update()
