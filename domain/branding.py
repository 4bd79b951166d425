"""What the utility puts in place of the portal's own: colours, pictures, texts, contacts.

Colours are settings; the rest are files of one folder (OVERRIDES_DIR), read when the portal
starts. Nothing of it keeps the portal from starting: what cannot be used is left aside, and
`warnings` says what to do, in Italian, to whoever administers the portal.
"""

import hashlib
import io
import re
from functools import partial
from pathlib import Path
from typing import NamedTuple

from domain import formatting, language, theme
from domain.formats import svg, uploads
from domain.text import one_line

COLORS = ("COLOR", "ACCENT", "COLOR_DARK", "ACCENT_DARK")  # settings, as theme.palette takes them
TEXTS = (
    "benvenuto-login", "benvenuto-home", "pie-di-pagina", "informativa-privacy", "accessibilita",
    "guida", "guida-sportello",
)  # fmt: skip
CONTACTS, STYLE = "contatti", "stile.css"
LARGEST = {".svg": 200_000, ".png": 200_000, ".txt": 200_000, ".css": 50_000}  # bytes
MIMETYPES = {".svg": "image/svg+xml", ".png": "image/png"}
LARGEST_IN_MAIL = 50_000  # bytes: it goes with each mail
LONGEST_CONTACT = 200  # characters

_NOT_FOR_US = re.compile(r"\.|(?:leggimi|readme)\b", re.IGNORECASE)
_ELSEWHERE = re.compile(r"@import|url\(\s*[\"']?\s*(?!#|data:)", re.IGNORECASE)
_TELEPHONE = re.compile(r"(\+?\d[\d\s./-]{1,20}\d)(\s*\(.*\))?")
_ADDRESS = re.compile(r"([^\s@<>\"?&%]+@[^\s@<>\"?&%]+\.[^\s@<>\"?&%]+)()")
_SITE = re.compile(r"https://([^\s<>\"]+)()")


def _to_call(number):
    return f"tel:{re.sub(r'[^+0-9]', '', number)}"


KEYS = ("pronto_intervento_gas", "telefono", "orari", "email", "pec", "indirizzo", "sito")
_LINKS = {  # of a contact: its shape (what is shown as a link, what after it), where it leads
    "pronto_intervento_gas": (_TELEPHONE, _to_call),
    "telefono": (_TELEPHONE, _to_call),
    "email": (_ADDRESS, "mailto:{}".format),
    "pec": (_ADDRESS, "mailto:{}".format),
    "sito": (_SITE, "https://{}".format),
}
STRICT = {"email": "un indirizzo di posta", "pec": "un indirizzo di posta",
          "sito": "un indirizzo «https://…»"}  # fmt: skip


class Unusable(ValueError):
    """The text says why a file cannot be used, in Italian."""


class Picture(NamedTuple):
    name: str
    content: bytes

    @property
    def mimetype(self):
        return MIMETYPES[Path(self.name).suffix]


class Contact(NamedTuple):
    """One of KEYS; `link` is where its value leads, or None; `more` stands after it."""

    key: str
    value: str
    link: str | None = None
    more: str = ""


class Branding(NamedTuple):
    """All that was found. `texts` by (name, language), `contacts` by language."""

    palette: theme.Palette
    style: str
    logo: Picture | None
    mail_logo: Picture | None
    favicon: Picture | None
    texts: dict
    contacts: dict
    warnings: list
    digest: str  # another one where anything of it is another

    def text(self, name):
        """What the utility wrote in the reader's language, or in Italian; None if nothing."""
        written = self.texts.get((name, language.current()))
        return written or self.texts.get((name, language.SOURCE))

    def contact_list(self):
        return self.contacts.get(language.current()) or self.contacts.get(language.SOURCE, [])


def read(config):
    """The Branding that the settings in `config` ask for."""
    warnings = []
    chosen = [_color(name, config[name], warnings) for name in COLORS]
    palette = theme.palette(chosen[0] or theme.OURS, *chosen[1:])
    warnings += _slips(palette, config)
    folder = _Folder(config["OVERRIDES_DIR"], warnings)
    logo, mail_logo = _logos(folder)
    icons = [folder.picture("favicon.svg"), folder.picture("favicon.png")]
    found = {
        "palette": palette,
        "style": folder.checked(STYLE, _style) or "",
        "logo": logo,
        "mail_logo": mail_logo,
        "favicon": icons[0] or icons[1],
        "texts": folder.texts(),
        "contacts": folder.contacts(),
    }
    folder.look_for_others()
    digest = hashlib.sha256(repr(found).encode()).hexdigest()
    return Branding(**found, warnings=warnings, digest=digest)


# -- Colours -------------------------------------------------------------------------------


def _color(name, value, warnings):
    """The colour of a setting; nothing where it is none."""
    if not value:
        return ""
    try:
        theme.channels(value)
    except ValueError:
        warnings.append(
            f"PORTALE_{name}: {one_line(value)[:40]!r} non è un colore come «#0b5c8c»; vale quello "
            "di serie."
        )
        return ""
    return value.lower()


def _slips(palette, config):
    """A sentence for each colour that was chosen for links and is not fit for them."""
    for slip, setting, by, surface in (
        (palette.light_slip, "ACCENT", "COLOR", "chiaro"),
        (palette.dark_slip, "ACCENT_DARK", "ACCENT_DARK", "scuro"),
    ):
        if slip:
            chosen = setting if config[setting] else by
            yield (
                f"PORTALE_{chosen}: {slip.chosen} per collegamenti e pulsanti su fondo {surface} "
                f"{slip.surface} ha contrasto {_ratio(slip.ratio)}:1, ne serve "
                f"{_ratio(theme.LEGIBLE)}:1; il più vicino che basta, e che il portale usa, è "
                f"{slip.used}: PORTALE_{setting}={slip.used}"
            )


def _ratio(number):
    """Rounded down: 4.49 is not 4.5."""
    return f"{int(number * 10) / 10:.1f}".replace(".", ",")


# -- Files ---------------------------------------------------------------------------------


class _Folder:
    """The folder of overrides; adds to `warnings` what it cannot use."""

    def __init__(self, path, warnings):
        self.path = Path(path)
        self.warnings = warnings
        self._known = set()

    def checked(self, name, check):
        """What `check` makes of the content of a file; None without it or where it refuses."""
        self._known.add(name)
        path = self.path / name
        try:
            content = _content(path)
            return None if content is None else check(content)
        except (Unusable, svg.NotADrawing) as reason:
            self.warnings.append(f"{path}: {reason}. Il file non è usato.")
        except OSError as error:
            self.warnings.append(f"{path}: non si legge ({error.strerror}). Il file non è usato.")
        return None

    def picture(self, name):
        check = svg.check if name.endswith(".svg") else _check_png

        def made(content):
            check(content)
            return Picture(name, content)

        return self.checked(name, made)

    def texts(self):
        found = {
            (name, code): self.checked(_in_language(name, code), _readable)
            for name in TEXTS
            for code in language.LANGUAGES
        }
        return {key: text for key, text in found.items() if text}

    def contacts(self):
        names = {code: _in_language(CONTACTS, code) for code in language.LANGUAGES}
        found = {
            code: self.checked(name, partial(self._contacts, name)) for code, name in names.items()
        }
        return {code: contacts for code, contacts in found.items() if contacts}

    def _contacts(self, name, content):
        """The contacts of a file in the order of KEYS; lines that are none are told."""
        given = {}
        for number, line in enumerate(_text(content).splitlines(), start=1):
            if line.strip() and not line.lstrip().startswith("#"):
                try:
                    contact = _contact(line)
                except Unusable as reason:
                    self.warnings.append(f"{self.path / name}, riga {number}: {reason}.")
                else:
                    given[contact.key] = contact
        return [given[key] for key in KEYS if key in given]

    def look_for_others(self):
        """A name that is nearly right would otherwise do nothing, and nobody would say why."""
        try:
            names = sorted(each.name for each in self.path.iterdir() if each.is_file())
        except FileNotFoundError:
            return
        except OSError as error:
            self.warnings.append(f"{self.path}: non si legge ({error.strerror}).")
            return
        others = [name for name in names if name not in self._known and not _NOT_FOR_US.match(name)]
        if others:
            shown = ", ".join(one_line(name) for name in others[:5])
            self.warnings.append(
                f"{self.path}: nomi che il portale non conosce: {shown}. Quelli giusti sono in "
                "docs/personalizzazione.md."
            )


def _in_language(name, code):
    return f"{name}.txt" if code == language.SOURCE else f"{name}.{code}.txt"


def _content(path):
    """The bytes of a file that is no larger than its kind may be; None where there is none."""
    if not path.exists():
        return None
    if not path.is_file():
        raise Unusable("non è un file")
    largest = LARGEST[path.suffix.lower()]
    with path.open("rb") as stream:
        content = stream.read(largest + 1)
    if len(content) > largest:
        raise Unusable(f"supera {largest // 1000} kB")
    return content


def _text(content):
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unusable("non è scritto in UTF-8") from None
    if "\0" in text:
        raise Unusable("non è un testo")
    return text


def _readable(content):
    text = _text(content)
    if formatting.is_tangled(text):
        raise Unusable("ha troppi elementi HTML lasciati aperti")
    return text


def _style(content):
    text = _text(content)
    if _ELSEWHERE.search(text):
        raise Unusable("prende altro da fuori (@import o url), che il browser non caricherebbe")
    return text


def _check_png(content):
    try:
        kind = uploads.kind(io.BytesIO(content), len(content))
    except (uploads.Unknown, uploads.TooLarge):
        kind = None
    if kind != "png":
        raise Unusable("non è un PNG intero")


def _logos(folder):
    """(the one of pages, the one of mails): no mail program shows an SVG to everybody."""
    drawn, png = folder.picture("logo.svg"), folder.picture("logo.png")
    if png and len(png.content) > LARGEST_IN_MAIL:
        folder.warnings.append(
            f"{folder.path / png.name}: supera {LARGEST_IN_MAIL // 1000} kB, e andrebbe in ogni "
            "mail: lì resta il nome."
        )
        return drawn or png, None
    return drawn or png, png


# -- Contacts ------------------------------------------------------------------------------


def _contact(line):
    """`telefono: 800 000 000` as a Contact."""
    written, colon, value = line.partition(":")
    key, value = re.sub(r"[\s_]+", "_", written.strip().lower()), one_line(value)
    if not colon or key not in KEYS:
        raise Unusable(f"non comincia con uno di: {', '.join(KEYS)}")
    if not value or len(value) > LONGEST_CONTACT:
        raise Unusable(f"dopo «{key}:» servono da 1 a {LONGEST_CONTACT} caratteri")
    shape, link = _LINKS.get(key, (None, None))
    found = shape and shape.fullmatch(value)
    if key in STRICT and not found:
        raise Unusable(f"«{key}» vuole {STRICT[key]}")
    if not found:
        return Contact(key, value)
    shown, more = found.groups("")
    return Contact(key, shown.rstrip("/"), link(shown), more)


def summary(branding):
    """The telephone number and the address to write to, on one line."""
    values = {each.key: each.value for each in branding.contacts.get(language.SOURCE, [])}
    return " - ".join(values[key] for key in ("telefono", "email") if key in values)
