"""Text made fit for where it is written, or for being compared."""

import re
import unicodedata


def one_line(text):
    """`text` on one line, without what steers a printer, a mail or the order of letters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def folded(text):
    """`text` as it is searched: without accents and without difference of case."""
    decomposed = unicodedata.normalize("NFKD", text.replace("’", "'"))
    return "".join(each for each in decomposed if not unicodedata.combining(each)).casefold()


def town(city):
    """A city as it is compared: «Forlì», «FORLI'» and «forli» are one. None of no city."""
    if not city:
        return None
    letters = re.sub(r"[^a-z0-9]", " ", folded(city).replace("'", ""))
    return " ".join(letters.split()) or None
