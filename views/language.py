"""The language of the screen: Italian, the language of the source, and so far the only one.

Templates say `_("…")`: without variables it is put in when the template is compiled
(`views.compiling`), with variables it is `spoken`. Everything else, views and domain alike,
imports Flask-Babel's `gettext` as `_`, and its `lazy_gettext` as `_l` where the text is made
before any request, as in forms and in the menu.
"""

from functools import lru_cache

from flask import g
from flask_babel import Babel, get_locale, get_translations

SOURCE = "it"


class Speaker:
    """`_("pag. %(n)s", n=3)` in one language."""

    def __init__(self, translations):
        self._translate = translations.ugettext

    def __call__(self, text, **values):
        text = self._translate(text)
        return text % values if values else text


@lru_cache
def speaker(_locale):
    """The Speaker of a locale; called where that locale is the current one."""
    return Speaker(get_translations())


def spoken(text, **values):
    """The text in the language of this request: `_` of the templates."""
    if "speaker" not in g:
        g.speaker = speaker(str(get_locale()))
    return g.speaker(text, **values)


def init_app(app):
    app.config["BABEL_DEFAULT_LOCALE"] = SOURCE
    Babel(app)
    app.jinja_env.globals["_"] = spoken
