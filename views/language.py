"""The language of the screen: Italian, the language of the source, German or English.

Who is signed in reads what they chose; anybody else what they chose in this browser, else what
the browser asks for, where the setting BROWSER_LANGUAGES lets it; else Italian.

Templates say `_("…")`: without variables it is put in when the template is compiled
(`views.compiling`), once for each language. Everything else, views and domain alike, imports
Flask-Babel's `gettext` as `_`, and its `lazy_gettext` as `_l` where the text is made before
any request, as in forms and in the menu.
"""

from functools import cached_property

import flask_babel
from flask import current_app, request

from domain import language
from domain.language import LANGUAGES, SOURCE

COOKIE = "lingua"  # what was chosen in a browser


class Catalogues(flask_babel.Domain):
    """Where Flask-Babel finds the texts; its own way looks for files and locales each time."""

    def gettext(self, string, **variables):
        text = language.translated(string)
        return text % variables if variables else text

    def ngettext(self, singular, plural, num, **variables):
        return counted(singular, plural, num, **variables)


class Babel(flask_babel.Babel):
    domain_instance = cached_property(lambda _self: Catalogues())


def spoken(text, **values):
    """`_("pag. %(n)s", n=3)` of the Italian templates."""
    return text % values if values else text


def translated(text, **values):
    """The same of the others."""
    return spoken(language.translated(text), **values)


def counted(one, many, num, **values):
    """`ngettext("%(num)s anno", "%(num)s anni", 3)`, here and in templates."""
    return language.counted(one, many, num) % {"num": num, **values}


def init_app(app):
    app.config["BABEL_DEFAULT_LOCALE"] = SOURCE
    Babel(app, configure_jinja=False, locale_selector=language.current)
    app.jinja_env.globals.update(
        {"_": spoken, "ngettext": counted, "language": SOURCE, "LANGUAGES": LANGUAGES}
    )

    @app.before_request
    def listen():
        language.speak(of_browser())


def of_browser():
    """What was chosen in this browser, else what it asks for and the utility lets it have."""
    chosen = request.cookies.get(COOKIE)
    if chosen in LANGUAGES:
        return chosen
    followed = current_app.config["BROWSER_LANGUAGES"]
    if not followed:
        return SOURCE
    return request.accept_languages.best_match([SOURCE, *followed]) or SOURCE


def follow(row):
    """Speak what `row`, an account or an operator who is signed in, chose; if they did."""
    if row and row.language in LANGUAGES:
        language.speak(row.language)
