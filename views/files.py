"""Files on their way in, and out: stored ones, and those that are made while they are sent."""

import tempfile

import flask
from flask import current_app, request, send_file, session
from flask_login import current_user
from werkzeug.http import dump_options_header
from zipstream import ZIP_DEFLATED, ZIP_STORED, ZipStream

from domain import history
from domain.clock import utcnow
from domain.files import FreeNames, beneath, safe_name
from domain.formats import sheets
from models import Customer
from views.access import recognised
from views.staff.access import next_stop, noting

MB = 1024 * 1024


class Request(flask.Request):
    """What is too large for memory waits beside the archive: /tmp may be memory too."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._streams = []

    def _get_file_stream(self, *_told, **_more):
        uploads = current_app.config["DATA_DIR"] / "uploads"
        stream = tempfile.SpooledTemporaryFile(MB // 2, dir=uploads)  # noqa: SIM115
        self._streams.append(stream)
        return stream

    def close(self):
        """Those of a form that was refused halfway too: werkzeug knows nothing of them."""
        super().close()
        for stream in self._streams:
            stream.close()


def takes_files(view):
    """Marks a view whose form has files: for who is signed in, its limit is MAX_UPLOAD_LENGTH."""
    view.takes_files = "MAX_UPLOAD_LENGTH"
    return view


def takes_archives(view):
    """Marks a view of the desk that takes files of any number of rows: its limit is UPLOAD_MB."""
    view.takes_files = "UPLOAD_MB"
    return view


def room(view):
    """How many bytes this request to `view` may have beyond those of any form, or None."""
    taken, config = getattr(view, "takes_files", None), current_app.config
    if taken == "MAX_UPLOAD_LENGTH" and (is_a_customer() or not next_stop()):
        return config[taken]
    if taken == "UPLOAD_MB" and not next_stop():
        return config[taken] * MB
    return None


def is_a_customer():
    """Whether the session is one that still lasts: its cookie outlives it."""
    return "_user_id" in session and recognised(session["_user_id"]) is not None


def documents_folder():
    return current_app.config["DATA_DIR"] / "documents"


def on_disk(stored):
    """The path of a stored file, or None where it is missing or not under documents/."""
    return beneath(documents_folder(), stored.path)


def send_stored(stored, path):
    """A stored file as an attachment; the browser may keep it but must ask again.

    It is sent whole or not at all: «Storico» would not tell of a piece of it.
    """
    response = send_file(
        path,
        mimetype="application/pdf" if stored.name.lower().endswith(".pdf") else None,
        as_attachment=True,
        download_name=safe_name(stored.name),
        conditional=False,
        etag=stored.sha256,
    ).make_conditional(request)
    response.headers["Content-Security-Policy"] = "sandbox"
    response.cache_control.private = True
    return response


def send_made(content, name, mimetype, **headers):
    """An attachment that was made just now (bytes), or is made while it is sent (chunks)."""
    headers["Content-Disposition"] = dump_options_header(
        "attachment", {"filename": safe_name(name)}
    )
    headers["Content-Security-Policy"] = "sandbox"
    return current_app.response_class(content, mimetype=mimetype, headers=headers)


def send_excel_csv(name, columns, rows):
    """A table for people as `sheets.excel_csv` writes it."""
    return send_made(sheets.excel_csv(columns, rows), name, "text/csv")


def send_workbook(name, title, columns, rows):
    """The same as XLSX: a ZIP, whose parts must be complete before it is sent, so it is written
    to the disk first."""
    book = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the response)
    sheets.xlsx(book, title, columns, rows)
    book.seek(0)
    response = send_file(
        book, mimetype=sheets.XLSX, as_attachment=True, download_name=safe_name(name),
        conditional=False,
    )  # fmt: skip
    response.headers["Cache-Control"] = "no-store"
    return response


def unique_names(names):
    """`names`, made safe and different from each other."""
    return list(map(FreeNames(), names))


def send_zip(files, name):
    """(stored file, path) pairs as one ZIP, made while it is sent; PDFs hardly shrink."""
    archive = ZipStream(sized=True)
    for (_stored, path), entry in zip(
        files, unique_names(stored.name for stored, _path in files), strict=True
    ):
        archive.add_path(path, entry)
    return send_made(archive, name, "application/zip", **{"Content-Length": len(archive)})


PACKED = (".pdf", ".jpg", ".png")  # their content hardly shrinks


def send_made_zip(files, name):
    """(name, chunks of bytes) pairs as one ZIP, whose files are made while it is sent."""
    return send_made(zipped(files), name, "application/zip")


def zipped(files):
    """The bytes of that ZIP; no file is asked for before the one ahead of it has left."""
    archive = ZipStream()
    for name, chunks in files:
        method = ZIP_STORED if name.lower().endswith(PACKED) else ZIP_DEFLATED
        archive.add(chunks, name, compress_type=method)
        yield from archive.all_files()
    yield from archive.footer()


def noted(response, kind, **details):
    """`response`, a download by the signed-in customer, once it is written into «Storico».

    Not where the browser only asks whether it is still the same. `details` as `history.record`
    takes them, with `customer` and `supply`.
    """
    if request.method == "GET" and response.status_code == 200:
        if current_user.is_view:
            note_of_operator(kind, **details)
        else:
            who = {"account": current_user.writer, "delegate": current_user.delegate}
            history.note(kind, now=utcnow(), **who, **details)
    return response


def note_of_operator(kind, *, customer, **details):
    """Who looks as a customer downloads something: it is no deed of the customer's."""
    code = Customer.get_by_id(customer).code
    with noting("view_downloaded", customer=code, event=kind):
        history.record(kind, now=utcnow(), customer=customer, **details)
