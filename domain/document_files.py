"""PDFs that operators send to publish them: checked, kept, swept away when nothing names them.

They lie in documents/avvisi/ under names of our own making from when they arrive. Who names
them decides who gets them: for a day a draft, that is operators; then a row of StoredFile, that
is whom its document is for. What nothing names goes after a day, and so do drafts.
"""

import hashlib
import logging
import os
import secrets
from contextlib import contextmanager

from flask_babel import gettext as _

from domain import attachments, files, publishing
from domain.errors import Refused
from domain.formats import uploads
from domain.publishing import FOLDER
from models import StoredFile

log = logging.getLogger("portale.documents")

MB = 1024 * 1024
MOST = 20  # at once
LARGEST = 5 * MB


@contextmanager
def received(given, folder, *, now):
    """The files of `given`, (name, stream) pairs, as Items name them, while a draft is made.

    `folder` is documents/. Raises Refused for what is not taken; then nothing is left of it.
    """
    arrived = []
    try:
        if len(given) > MOST:
            raise Refused(_("Si possono caricare al massimo %(most)s file alla volta.", most=MOST))
        sweep(folder, now=now)
        for name, stream in given:
            arrived.append(_receive(name, stream, folder))
        yield arrived
    except BaseException:
        for path, *_rest in arrived:
            (folder / path).unlink(missing_ok=True)
        raise


def _receive(given_name, stream, folder):
    name = attachments.shown_name(given_name)
    stream.seek(0, os.SEEK_END)
    size = stream.tell()
    _check(stream, size, name)
    path = f"{FOLDER}/{secrets.token_hex(16)}.pdf"
    stream.seek(0)
    digest = hashlib.file_digest(stream, "sha256").hexdigest()
    stream.seek(0)
    try:
        (folder / FOLDER).mkdir(exist_ok=True)
        files.write_synced(folder / path, iter(lambda: stream.read(MB), b""))
        files.sync_folder(folder / FOLDER)
    except OSError as error:
        (folder / path).unlink(missing_ok=True)
        log.error("a document could not be kept: %s", error)
        raise Refused(
            _("Al momento i file non si possono salvare: riprovare più tardi.")
        ) from error
    return path, attachments.with_ending(name, "pdf"), size, digest


def _check(stream, size, name):
    """Refuse what is not a PDF by its content, or too large."""
    if size > LARGEST:
        raise Refused(
            _("Il file «%(name)s» supera %(most)s MB: ridurlo e caricarlo di nuovo.",
              name=name, most=LARGEST // MB)
        )  # fmt: skip
    try:
        kind = uploads.kind(stream, size)
    except (uploads.Unknown, uploads.TooLarge):
        kind = None
    if kind != "pdf":
        raise Refused(
            _("Il file «%(name)s» non è un PDF leggibile: si pubblicano solo PDF.", name=name)
        )


def sweep(folder, *, now):
    """Remove drafts, and files that nothing names, after a day."""
    publishing.forget_drafts(now=now)
    old = (now - publishing.LASTING).timestamp()
    found = [path for path in (folder / FOLDER).glob("*.pdf") if _modified(path) < old]
    if not found:
        return
    # The drafts first: what one of them loses in between, a row of StoredFile has by then.
    named = publishing.draft_files()
    for path in found:
        place = f"{FOLDER}/{path.name}"
        if place not in named and not StoredFile.select().where(StoredFile.path == place).exists():
            path.unlink(missing_ok=True)


def _modified(path):
    try:
        return path.stat().st_mtime
    except OSError:  # another process was first
        return float("inf")
