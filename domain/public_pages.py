"""The pages that anybody may read: privacy notice, accessibility statement.

Their texts are marks or HTML like those of the desk, with places in braces. A text of the utility
(domain/branding.py) stands in for the one that comes with the portal.
"""

import re
from pathlib import Path

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from domain import language
from domain.formatting import formatted, plain

TITLES = {  # by the path of the page, which is the name of its file too
    "informativa-privacy": _l("Informativa sulla privacy"),
    "accessibilita": _l("Dichiarazione di accessibilità"),
}
OURS = Path(__file__).parent.parent / "templates" / "public"
_PLACE = re.compile(r"\{([a-z_]+)\}")


def text(name, config):
    """The page `name` as safe markup: the utility's own, else the one of the portal."""
    written = own(name, config)
    if written is None:
        spoken = language.current()
        suffix = "" if spoken == language.SOURCE else f".{spoken}"
        written = (OURS / f"{name}{suffix}.txt").read_text("utf-8")
    return formatted(filled(written, config))


def filled(written, config):
    """A text with what is known in place of the braces; others stay as they are."""
    places = known(config)
    return _PLACE.sub(lambda place: places.get(place[1], place[0]), written)


def own(name, config):
    """A text of the utility as it was written; None where it has none."""
    return config["BRANDING"].text(name)


def addition(name, config):
    """What the utility adds to a page, as safe markup; nothing where it adds nothing."""
    written = own(name, config)
    return formatted(filled(written, config)) if written else ""


def addition_in_words(name, config):
    """The same without formatting."""
    written = own(name, config)
    return plain(filled(written, config)) if written else ""


def known(config):
    """What stands in each place."""
    years = config["KEEP_MEASURES_YEARS"]
    return {
        "utility": config["UTILITY_NAME"],
        "partita_iva": config["UTILITY_VAT"] or _("indicata in fattura"),
        "contatti": config["UTILITY_CONTACTS"] or _("i recapiti indicati in fattura"),
        "giorni_mail": str(config["KEEP_MAIL_DAYS"]),
        "giorni_file": str(config["KEEP_FILES_DAYS"]),
        "giorni_copie": str(config["BACKUP_DAYS"]),
        "mesi_accessi": str(config["KEEP_ACCESSES_MONTHS"]),
        "anni_storico": str(config["KEEP_HISTORY_YEARS"]),
        "misure": ngettext("%(num)s anno", "%(num)s anni", years)
        if years
        else _("finché dura il rapporto"),
    }
