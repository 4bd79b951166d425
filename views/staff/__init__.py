"""«Sportello operatori»: a module for each entry of its menu, all under /staff."""

from importlib import import_module

MODULES = ("access", "entrance", "dashboard", "tickets", "standard_answers", "mails", "operators", "register")  # in menu order


def init_app(app):
    for name in MODULES:
        import_module(f"views.staff.{name}").init_app(app)
