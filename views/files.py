"""Stored files on their way out: one as an attachment, several as one streamed ZIP."""

import re
from itertools import count

from flask import current_app, request, send_file
from flask_login import current_user
from werkzeug.http import dump_options_header
from zipstream import ZipStream

from domain import history
from domain.clock import utcnow


def on_disk(stored):
    """The path of a stored file, or None where it is missing or not under documents/."""
    root = (current_app.config["DATA_DIR"] / "documents").resolve()
    try:
        path = (root / stored.path).resolve()
        return path if path.is_relative_to(root) and path.is_file() else None
    except (OSError, ValueError, RuntimeError):  # the last: links in a ring, before Python 3.13
        return None


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


def safe_name(name):
    """A file name that no system takes for a path, a device or a hidden file."""
    cleaned = re.sub(r"[^\w .()-]", "_", name.replace("\\", "/").rsplit("/", 1)[-1])
    return cleaned.strip(" .")[-100:] or "documento"


def unique_names(names):
    """`names`, made safe and different from each other even where case does not count."""
    taken, result = set(), []
    for name in map(safe_name, names):
        stem, dot, ending = name.rpartition(".") if "." in name else (name, "", "")
        numbered = (f"{stem} ({n}){dot}{ending}" for n in count(2))
        while name.lower() in taken:
            name = next(numbered)
        taken.add(name.lower())
        result.append(name)
    return result


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


def noted(response, kind, **details):
    """`response`, a download by the signed-in customer, once it is written into «Storico».

    Not where the browser only asks whether it is still the same. `details` as `history.record`
    takes them, with `customer` and `supply`.
    """
    if request.method == "GET" and response.status_code == 200:
        history.note(kind, now=utcnow(), account=current_user.id, **details)
    return response
