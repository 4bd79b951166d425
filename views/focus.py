"""Where one reads on in a page: the first thing that asks for it has it."""

from flask import g


def init_app(app):
    app.jinja_env.globals["takes_focus"] = takes_focus


def takes_focus():
    """Whether nothing before has taken it: a page has one `autofocus`."""
    free = not g.get("focus_taken", False)
    g.focus_taken = True
    return free
