"""Error pages of our own: a sentence that says what to do, never a trace."""

import logging

import peewee as pw
from flask import make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError, ServiceUnavailable

from views.htmx import wants_partial

log = logging.getLogger("portale")
OWN_PAGES = {400, 403, 404, 413, 422, 429, 500, 503}
NEVER_KEPT = {"csrf_token", "password", "new_password", "repeat_password"}


def init_app(app):
    app.register_error_handler(CSRFError, refused)
    app.register_error_handler(HTTPException, refused)
    app.register_error_handler(pw.OperationalError, archive_busy)
    app.register_error_handler(Exception, broken)


def refused(error):
    return answer(error.code, headers=error.get_headers())


def archive_busy(error):
    log.error("archive not available: %s", error)
    return answer(503, headers=[("Retry-After", "10")])


def broken(error):
    log.exception("unexpected error on %s %s", request.method, request.endpoint)
    return answer(InternalServerError.code)


def answer(code, headers=()):
    """The page of an error, or for htmx a small alert that leaves the page as it is."""
    name = code if code in OWN_PAGES else (500 if code >= 500 else 400)
    if wants_partial():
        response = make_response(render_template("errors/_alert.html", code=name), code)
        response.headers["HX-Retarget"] = "#alerts"
        response.headers["HX-Reswap"] = "innerHTML"
    else:
        kept = typed() if code == ServiceUnavailable.code else []
        response = make_response(render_template(f"errors/{name}.html", kept=kept), code)
    for key, value in headers:
        if key.lower() in {"retry-after", "allow"}:
            response.headers[key] = value
    return response


def typed():
    """What a failed POST carried, to send it again without typing it twice."""
    if request.method != "POST":
        return []
    try:
        return [pair for pair in request.form.items(multi=True) if pair[0] not in NEVER_KEPT]
    except HTTPException:
        return []
