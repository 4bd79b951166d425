"""«Sportello operatori»: a module for each entry of its menu, all under /staff."""

from importlib import import_module

MODULES = (  # in menu order
    "access", "entrance", "dashboard", "customers", "erasure", "self_readings", "windows",
    "documents", "publishing", "tickets", "standard_answers", "uploads", "mails", "operators",
    "register", "guide",
)  # fmt: skip


def init_app(app):
    for name in MODULES:
        import_module(f"views.staff.{name}").init_app(app)
