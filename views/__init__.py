"""Read the request, ask the domain, answer: a module for each menu entry, and what they share."""

from importlib import import_module

MODULES = (  # in menu order
    "assets", "compression", "format", "focus", "auth", "frame", "home", "invoices", "readings",
    "records", "preferences", "mandates", "notices", "consumption", "tickets", "supplies",
    "measures", "measure_files", "documents", "history", "public_pages", "guide", "switcher",
    "staff", "demo", "health",
)  # fmt: skip


def init_app(app):
    for name in MODULES:
        import_module(f"views.{name}").init_app(app)
    # Known to every template, rather than imported by each: an import costs each rendering.
    app.jinja_env.globals["m"] = app.jinja_env.get_template("_macros.html").module
