"""Every page in another language: whatever is not data has been looked up in the catalogue."""

import html
import re

import pytest

from domain import language
from tests import every_page
from views import frame

pytestmark = pytest.mark.slow

TEXT = re.compile(r'>([^<>]+)<|(?:aria-label|title|placeholder|alt|data-[a-z]+)="([^"]*)"')
UNSEEN = re.compile(r"<(script|style)\b.*?</\1>", re.DOTALL)
WORDS = re.compile(r"[a-zà-ù]{3}")
IN_FILES = ("/informativa-privacy", "/accessibilita", "/guida")  # their texts are no catalogue's
DATA = re.compile(
    r"(Documento|Bozza|Risposta|Operatore|operatore|Fattura F|CLIENTE|CONDOMINIO|STUDIO) ?\d*.*"
    r"|.*@example\.it|.*Prova Energia|/.*|https?:.*|[a-z0-9-]+(\.[a-z]+)?|riga di comando"
    r"|Una domanda|Vorrei una spiegazione\.|Testo|Buongiorno \{cliente\}|Italiano|Deutsch|English"
    r"|fattura elettronica|flusso di misure|\w+ 20\d\d"
    r"|(Jan|Feb|März|Apr|Mai|Juni|Juli|Aug|Sept|Okt|Nov|Dez)\.?",
    re.DOTALL,
)


class Marked(dict):
    """A catalogue that knows every text."""

    def get(self, text, default=None):
        return f"⟦{text}⟧" if isinstance(text, str) and text else default


@pytest.fixture
def marked(app, monkeypatch):
    """German is Italian between brackets, and all browsers speak it."""

    def catalogue(code):
        return Marked() if code == "de" else {}

    def counted(one, many, number):
        return f"⟦{one if number == 1 else many}⟧"

    monkeypatch.setattr(language, "catalogue", catalogue)
    monkeypatch.setattr(language, "counted", counted)
    monkeypatch.setitem(app.config, "BROWSER_LANGUAGES", ("de",))
    forget(app)
    opened = app.test_client_class.open

    def in_german(browser, *args, headers=None, **options):
        headers = {"Accept-Language": "de", **dict(headers or {})}
        return opened(browser, *args, headers=headers, **options)

    monkeypatch.setattr(app.test_client_class, "open", in_german)
    monkeypatch.setattr(app.jinja_env, "bytecode_cache", None)
    yield
    forget(app)


def forget(app):
    """What was made in German before, or in this one."""
    app.jinja_env.others.clear()
    frame._menu.cache_clear()


def untranslated(pages):
    found = {}
    for page in pages:
        if page.path.startswith(IN_FILES) or "/guida" in page.path:
            continue
        for pieces in TEXT.findall(UNSEEN.sub("", page.text)):
            text = " ".join(html.unescape("".join(pieces)).split())
            if WORDS.search(text) and "⟦" not in text and not DATA.fullmatch(text):
                found.setdefault(text, page.name)
    return found


def test_of_strangers_and_customers(app, marked, sign_in):
    assert untranslated(every_page.strangers(app)) == {}
    assert untranslated(every_page.customers(app, sign_in)) == {}


def test_of_operators(app, marked, sign_in_operator):
    assert untranslated(every_page.operators(app, sign_in_operator)) == {}
    assert untranslated(every_page.entrance(app, sign_in_operator)) == {}
