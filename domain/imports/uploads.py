"""Files that operators send with the browser: kept, tried, and then put into the inbox.

A file lies in uploads/FOLDER/NAME, under a FOLDER of our own making, and has a row. Trying it
only reads the archive. Into the inbox it goes whole, under its own name, as if it had been
copied there: what imports it is the same job. PDFs go to inbox/allegati at once, since there
they do nothing until a row names them.
"""

import datetime as dt
import hashlib
import json
import logging
import os
import secrets
import shutil
from contextlib import contextmanager
from pathlib import PurePath
from typing import NamedTuple

from flask_babel import gettext as _

from domain import files
from domain.errors import Refused
from domain.formats import zips
from domain.imports.documents import is_pdf
from domain.imports.inbox import BEING_WRITTEN, KINDS, TABLES, Trial, kind_of
from models import UploadedFile, writing

log = logging.getLogger("portale.imports")

MB = 1024 * 1024
TRIED_AT_ONCE = 4 * MB  # of content; what is larger is tried by the next run of the job
KEPT = dt.timedelta(days=7)
ABANDONED = 24 * 3600  # seconds after which whoever was sending a file is gone


class Arrived(NamedTuple):
    """A file on the disk, which has no row yet."""

    folder: str
    name: str
    size: int
    sha256: str


def folder_of(data_dir):
    return data_dir / "uploads"


def place_of(data_dir, upload):
    return folder_of(data_dir) / upload.folder / upload.name


# -- Arriving ------------------------------------------------------------------------------


@contextmanager
def received(data_dir, name, stream):
    """The file (binary stream) that the browser calls `name`, on the disk; or raise Refused.

    Inside, call `keep`; afterwards what has no row is gone from uploads/.
    """
    arrived = _receive(data_dir, name, stream)
    try:
        yield arrived
    except BaseException:
        forget(data_dir, arrived.folder)
        raise
    if not UploadedFile.select().where(UploadedFile.folder == arrived.folder).exists():
        forget(data_dir, arrived.folder)


def _receive(data_dir, name, stream):
    check_name(name)
    if is_document(name) and not is_pdf(stream.read(1024)):
        raise Refused(_("«%(name)s» non è un PDF: convertirlo in PDF.", name=name))
    stream.seek(0)
    folder, digest = secrets.token_hex(16), hashlib.sha256()
    place = folder_of(data_dir) / folder
    try:
        place.mkdir(parents=True)
        files.write_synced(place / name, _hashed(stream, digest))
        files.sync_folder(place)
        files.sync_folder(place.parent)
        return Arrived(folder, name, (place / name).stat().st_size, digest.hexdigest())
    except OSError as error:
        shutil.rmtree(place, ignore_errors=True)
        log.error("an uploaded file could not be kept: %s", error)
        raise Refused(
            _("Al momento il file non si può salvare: controllare lo spazio sul disco e riprovare.")
        ) from error


def check_name(name):
    """Raise Refused for a name under which the inbox does not take a file."""
    if not files.is_plain_name(name):
        raise Refused(
            _(
                "Il nome «%(name)s» non va bene: senza cartelle, senza punto all'inizio, senza "
                "segni che non si stampano e non più lungo di %(most)s byte.",
                name=shown(name),
                most=files.LONGEST_NAME,
            )
        )
    if name.lower().endswith(BEING_WRITTEN):
        raise Refused(
            _(
                "Il nome «%(name)s» è quello di un file ancora in scrittura: toglierne la fine "
                "«.tmp» o «.part».",
                name=name,
            )
        )
    if not (is_document(name) or kind_of(name) or is_table(name)):
        raise Refused(
            _(
                "«%(name)s» non è un file che il portale legge: servono CSV, XML, P7M, ZIP o PDF "
                "(un foglio di Excel va salvato come CSV).",
                name=name,
            )
        )


def shown(name):
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in name)[:100]


def is_document(name):
    return name.lower().endswith(".pdf")


def is_table(name):
    return PurePath(name.lower()).suffix in TABLES


def _hashed(stream, digest):
    while chunk := stream.read(MB):
        digest.update(chunk)
        yield chunk


def keep(data_dir, arrived, *, operator, now):
    """The row of a file that arrived, until somebody decides about it; Refused if it has one.

    A PDF gets none: it is put among the documents that rows may name.
    """
    if is_document(arrived.name):
        return _attach(data_dir, arrived)
    with writing():
        same = UploadedFile.get_or_none(
            UploadedFile.sha256 == arrived.sha256, UploadedFile.name == arrived.name
        )
        if same:
            raise Refused(_("«%(name)s» c'è già, tra i file in attesa.", name=arrived.name))
        return UploadedFile.create(**arrived._asdict(), operator=operator, at=now)


def _attach(data_dir, arrived):
    _put(
        folder_of(data_dir) / arrived.folder / arrived.name,
        data_dir / "inbox" / "allegati" / arrived.name,
        arrived.sha256,
        _(
            "In inbox/allegati c'è già un altro documento di nome «%(name)s»: cambiare nome al "
            "file.",
            name=arrived.name,
        ),
    )


def forget(data_dir, folder):
    """Remove a file that arrived, once it is somewhere else or nobody wants it."""
    shutil.rmtree(folder_of(data_dir) / folder, ignore_errors=True)


def _put(source, target, sha256, taken):
    """Give a file its second name, which nothing loses: `taken` says why it cannot be that one."""
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise Refused(_("Il file non c'è più: caricarlo di nuovo.")) from None
    except FileExistsError:
        if not files.is_file(target) or files.digest(target) != sha256:
            raise Refused(taken) from None
    files.sync_folder(target.parent)


# -- Trying --------------------------------------------------------------------------------


def kind(upload):
    """The kind that its name tells, or None where somebody must say it."""
    return kind_of(upload.name)


def try_small(data_dir, uploads, *, utility_vat, now):
    """Try as many of `uploads` as a request has time for; the others wait for the job."""
    room = TRIED_AT_ONCE
    for upload in filter(kind, uploads):
        room -= weight(place_of(data_dir, upload))
        if room >= 0:
            try_out(data_dir, upload, utility_vat=utility_vat, now=now)


def weight(path):
    """How many bytes there are to read in a file, unpacked; 0 where that fails at once."""
    try:
        with files.open_plain(path) as stream:
            if zips.is_zip(stream):
                return sum(info.file_size for info in zips.opened(stream)[1])
        return path.stat().st_size
    except (OSError, zips.BadArchive):
        return 0


def try_out(data_dir, upload, *, utility_vat, now):
    """Read the file against the archive and keep what would become of it."""
    path = place_of(data_dir, upload)
    if not files.is_file(path):
        raise Refused(_("Il file non c'è più: caricarlo di nuovo."))
    outcome = Trial(data_dir, utility_vat=utility_vat).take(path, now=now)
    upload.outcome, upload.tried_at = outcome.state, now
    upload.report = json.dumps(outcome.report.as_dict(), ensure_ascii=False)
    with writing():
        upload.save(only=[UploadedFile.outcome, UploadedFile.report, UploadedFile.tried_at])


def choose_kind(data_dir, upload, chosen):
    """Give a file whose name does not tell its kind one that does."""
    if chosen not in KINDS or kind(upload):
        raise Refused(_("Scegliere che cosa contiene il file."))
    name = f"{chosen}_{upload.name}"
    check_name(name)
    old = place_of(data_dir, upload)
    upload.name = name
    _put(old, place_of(data_dir, upload), upload.sha256, _("Il nome è già usato."))
    with writing():
        upload.save(only=[UploadedFile.name])
    old.unlink(missing_ok=True)


# -- Decided -------------------------------------------------------------------------------


def load(data_dir, upload):
    """Put the file into the inbox, where the next import takes it. In the caller's transaction.

    Refused where somebody decided before, or the inbox has another file of that name. `forget`
    its folder afterwards. Stopped in between, the file is in both places and nothing is lost:
    what is imported twice changes nothing.
    """
    if not kind(upload):
        raise Refused(_("Scegliere che cosa contiene il file."))
    remove(upload)
    _put(
        place_of(data_dir, upload),
        data_dir / "inbox" / upload.name,
        upload.sha256,
        _(
            "In inbox aspetta già un altro file di nome «%(name)s»: riprovare dopo la prossima "
            "importazione.",
            name=upload.name,
        ),
    )


def remove(upload):
    """The row of a file that waits no more goes, in the caller's transaction; once, or Refused."""
    if not UploadedFile.delete().where(UploadedFile.id == upload.id).execute():
        raise Refused(_("Su questo file è già stato deciso."))


# -- Listed, and what the job does ---------------------------------------------------------

WITHOUT_REPORT = (
    UploadedFile.id, UploadedFile.folder, UploadedFile.name, UploadedFile.sha256,
    UploadedFile.size, UploadedFile.at, UploadedFile.operator, UploadedFile.outcome,
    UploadedFile.tried_at,
)  # fmt: skip


def waiting():
    """The files that wait for a decision, the latest first, without their reports."""
    return UploadedFile.select(*WITHOUT_REPORT).order_by(UploadedFile.id.desc())


def try_waiting(data_dir, *, utility_vat, now):
    """Try what no request has tried; return how many files."""
    untried = [each for each in waiting().where(UploadedFile.tried_at.is_null()) if kind(each)]
    present = [each for each in untried if files.is_file(place_of(data_dir, each))]
    for upload in reversed(present):
        try_out(data_dir, upload, utility_vat=utility_vat, now=now)
    return len(present)


def clean_up(data_dir, *, now):
    """Remove files that nobody decided about, and what was sent and got no row."""
    with writing():
        UploadedFile.delete().where(UploadedFile.at < now - KEPT).execute()
    old = now.timestamp() - ABANDONED
    found = [path.name for path in folder_of(data_dir).glob("*") if _changed_before(path, old)]
    kept = {folder for (folder,) in UploadedFile.select(UploadedFile.folder).tuples()}
    for name in found:
        if name not in kept:
            forget(data_dir, name)


def _changed_before(path, instant):
    try:
        return path.stat().st_mtime < instant
    except FileNotFoundError:  # a request was first
        return False
