"""The language of the screen: Italian, the language of the source, and so far the only one.

Templates say `_("…")`: without variables it is put in when the template is compiled
(`views.compiling`), with variables it is `spoken`, which looks nothing up. Everything else,
views and domain alike, imports Flask-Babel's `gettext` as `_`, and its `lazy_gettext` as `_l`
where the text is made before any request, as in forms and in the menu.
"""

from flask_babel import Babel

SOURCE = "it"


def spoken(text, **values):
    """`_("pag. %(n)s", n=3)` of the templates."""
    return text % values if values else text


def init_app(app):
    app.config["BABEL_DEFAULT_LOCALE"] = SOURCE
    Babel(app)
    app.jinja_env.globals["_"] = spoken
