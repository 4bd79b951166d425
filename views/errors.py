"""Error pages of our own: a sentence that says what to do, never a trace."""

import errno
import logging
import re
from typing import NamedTuple

import peewee as pw
from flask import g, make_response, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import AnonymousUserMixin
from flask_wtf.csrf import CSRFError
from playhouse.pool import MaxConnectionsExceeded
from werkzeug.exceptions import (
    Forbidden,
    HTTPException,
    InternalServerError,
    NotFound,
    ServiceUnavailable,
)

from views.htmx import wants_partial

log = logging.getLogger("portale")
UNAVAILABLE = (pw.OperationalError, pw.InterfaceError, MaxConnectionsExceeded)
RETRY_SECONDS = 10
# Typed again rather than repeated in a page.
SECRETS = {
    "password": _l("Password"),
    "new_password": _l("Nuova password"),
    "repeat_password": _l("Conferma nuova password"),
}


class Words(NamedTuple):
    title: object
    happened: object
    to_do: object


PAGES = {
    400: Words(
        _l("Richiesta non valida"),
        _l("Il portale non ha potuto leggere la richiesta."),
        _l("Tornare alla pagina precedente, ricaricarla e riprovare."),
    ),
    403: Words(
        _l("Accesso non consentito"),
        _l("Con questo accesso la pagina non si può aprire."),
        _l("Tornare alla pagina iniziale e scegliere una voce del menu."),
    ),
    404: Words(
        _l("Pagina non trovata"),
        _l("L'indirizzo non esiste, o ciò che indicava non è più disponibile."),
        _l("Tornare alla pagina iniziale e scegliere una voce del menu."),
    ),
    413: Words(
        _l("Invio troppo grande"),
        _l("Quanto è stato inviato supera la dimensione consentita e non è stato registrato."),
        _l("Ridurre il testo o i file e riprovare."),
    ),
    422: Words(
        _l("Dati da correggere"),
        _l("Alcuni dati inviati non sono validi e non è stato registrato nulla."),
        _l("Tornare alla pagina precedente, controllare i dati e riprovare."),
    ),
    429: Words(
        _l("Troppi tentativi"),
        _l("Per sicurezza, dopo molti tentativi ravvicinati il portale si ferma per un po'."),
        _l("Riprovare più tardi."),
    ),
    500: Words(
        _l("Qualcosa non ha funzionato"),
        _l("Si è verificato un errore imprevisto del portale, che è stato annotato."),
        _l("Riprovare tra qualche minuto; se l'errore si ripete, avvisare il servizio clienti."),
    ),
    503: Words(
        _l("Servizio momentaneamente occupato"),
        _l("L'archivio non ha risposto in tempo e non è stato registrato nulla."),
        _l("Attendere qualche secondo e riprovare."),
    ),
}


class Missing(NotFound):
    """A 404 that says in its own `sentence` what is not there."""

    def __init__(self, sentence):
        super().__init__()
        self.sentence = sentence


class ReadOnly(Forbidden):
    """An operator who looks as a customer asked for what only the customer may do."""

    sentence = _l(
        "Questa è la vista del cliente, in sola lettura: l'operazione la può fare solo il cliente. "
        "Non è stato registrato nulla."
    )


def init_app(app):
    app.register_error_handler(CSRFError, page_expired)
    app.register_error_handler(HTTPException, refused)
    for unavailable in UNAVAILABLE:
        app.register_error_handler(unavailable, archive_busy)
    app.register_error_handler(pw.ProgrammingError, archive_misunderstood)
    app.register_error_handler(OSError, disk_full)
    app.register_error_handler(Exception, broken)


def refused(error):
    return answer(error.code, headers=error.get_headers(), sentence=own_sentence(error))


def own_sentence(error):
    return getattr(error, "sentence", None)


def page_expired(error):
    return answer(
        error.code,
        sentence=_("La pagina era aperta da troppo tempo e per sicurezza non vale più."),
    )


def archive_busy(error):
    hint = "; run python -m jobs.migrate" if lacks_tables(error) else ""
    log.error("archive not available: %s%s", error, hint)
    retry = [("Retry-After", str(RETRY_SECONDS))]
    return answer(ServiceUnavailable.code, headers=retry)


def archive_misunderstood(error):
    """On PostgreSQL a missing table looks like a fault of ours."""
    return archive_busy(error) if lacks_tables(error) else broken(error)


def lacks_tables(error):
    """Whether the archive is older than the program: not migrated yet."""
    return re.search(r"no such (table|column)|(relation|column) .* does not exist", str(error))


def disk_full(error):
    """Where files wait while they come or are made there may be no room; other errors are ours."""
    if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
        return broken(error)
    log.error("no room on the disk: %s", error)
    sentence = _("Il portale al momento non ha spazio per i file: non è stato registrato nulla.")
    return answer(ServiceUnavailable.code, sentence=sentence, readable=False)


def broken(error):
    log.exception("unexpected error on %s %s", request.method, request.endpoint)
    return answer(InternalServerError.code)


def answer(code, headers=(), sentence=None, readable=True):
    """The page of an error, or for htmx a small alert that leaves the page as it is.

    `readable`: whether what was typed can be read, and so be sent again.
    """
    name = code if code in PAGES else (500 if code >= 500 else 400)
    carried = {k.lower(): v for k, v in headers if k.lower() in {"retry-after", "allow"}}
    words = PAGES[name]
    if sentence:
        words = words._replace(happened=sentence)
    if name == 429:
        words = words._replace(to_do=when_to_retry(carried.get("retry-after")) or words.to_do)
    forget_who_is_asking()
    if wants_partial():
        response = make_response(render_template("errors/_alert.html", words=words), code)
        response.headers["HX-Retarget"] = "#alerts"
        response.headers["HX-Reswap"] = "innerHTML"
    else:
        again = typed() if readable and code == ServiceUnavailable.code else None
        page = render_template("errors/page.html", title=words.title, words=words, again=again)
        response = make_response(page, code)
    response.headers.update(carried)
    return response


def forget_who_is_asking():
    """An error page must not ask the archive for the account: it may be what is missing."""
    if "_login_user" not in g:
        g._login_user = AnonymousUserMixin()


def when_to_retry(seconds):
    """`Retry-After` in words, in whole minutes; None where it does not say."""
    if not (seconds and str(seconds).isdigit()):
        return None
    minutes = -(-int(seconds) // 60)
    if minutes <= 1:
        return _("Riprovare tra un minuto.")
    return _("Riprovare tra %(minutes)s minuti.", minutes=minutes)


class Typed(NamedTuple):
    """A failed POST, to send it again: where, what was typed, the secrets to retype, and the
    fields whose files are to be chosen again."""

    address: str
    kept: list
    secrets: list
    files: list


def typed():
    if request.method != "POST":
        return None
    try:
        pairs = list(request.form.items(multi=True))
        files = [name for name, file in request.files.items() if file.filename]
    except HTTPException:
        return None
    return Typed(
        "/" + request.full_path.rstrip("?").lstrip("/\\"),
        [pair for pair in pairs if pair[0] not in {"csrf_token", *SECRETS}],
        [(name, SECRETS[name]) for name, _value in pairs if name in SECRETS],
        files,
    )
