"""Stored files on their way out: one as an attachment, several as one streamed ZIP."""

import io

from flask import current_app, request, send_file
from flask_login import current_user
from werkzeug.http import dump_options_header
from zipstream import ZIP_DEFLATED, ZIP_STORED, ZipStream

from domain import history
from domain.clock import utcnow
from domain.files import FreeNames, beneath, safe_name


def takes_files(view):
    """Marks a view whose form has files: for who is signed in, its limit is MAX_UPLOAD_LENGTH."""
    view.takes_files = True
    return view


def on_disk(stored):
    """The path of a stored file, or None where it is missing or not under documents/."""
    return beneath(current_app.config["DATA_DIR"] / "documents", stored.path)


def send_stored(stored, path):
    """A stored file as an attachment; the browser may keep it but must ask again."""
    response = send_file(
        path,
        mimetype="application/pdf" if stored.name.lower().endswith(".pdf") else None,
        as_attachment=True,
        download_name=safe_name(stored.name),
        etag=stored.sha256,
    )
    response.headers["Content-Security-Policy"] = "sandbox"
    response.cache_control.private = True
    return response


def send_pdf(content, name):
    """A PDF made just now, as an attachment."""
    response = send_file(
        io.BytesIO(content), mimetype="application/pdf", as_attachment=True, download_name=name
    )
    response.headers["Content-Security-Policy"] = "sandbox"
    response.cache_control.private = True
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
    return current_app.response_class(
        archive,
        mimetype="application/zip",
        headers={
            "Content-Length": len(archive),
            "Content-Disposition": dump_options_header("attachment", {"filename": safe_name(name)}),
            "Content-Security-Policy": "sandbox",
        },
    )


PACKED = (".pdf", ".jpg", ".png")  # their content hardly shrinks


def send_made_zip(files, name):
    """(name, chunks of bytes) pairs as one ZIP, whose files are made while it is sent."""
    return current_app.response_class(
        zipped(files),
        mimetype="application/zip",
        headers={
            "Content-Disposition": dump_options_header("attachment", {"filename": safe_name(name)}),
            "Content-Security-Policy": "sandbox",
        },
    )


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
        history.note(kind, now=utcnow(), account=current_user.id, **details)
    return response
