"""Pages and their partials at one address."""

from flask import current_app, render_template, request

VARY = {"Vary": "HX-Request, HX-Request-Type"}


def wants_partial():
    """Whether htmx asks for the piece that it will swap, not for the page."""
    return (
        request.headers.get("HX-Request") == "true"
        and request.headers.get("HX-Request-Type") == "partial"
    )


def page_or_partial(page, partial, /, **context):
    """Render `partial` when htmx asks for it, else `page`, which includes that partial."""
    text = render_template(partial if wants_partial() else page, **context)
    return current_app.response_class(text, headers=VARY)
