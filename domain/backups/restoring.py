"""Putting a copy back, into a place that holds nothing."""

import hashlib
import os
import shutil
from typing import NamedTuple

from domain import files
from domain.backups import contents, making
from domain.backups.engines import ENGINES, name_of
from domain.errors import Refused

DRAFT = ".ripristino"
# What happened after the copy is unknown: who was signed in has left since, what was mailed
# may have been used or replaced, and what waited has most likely been sent.
VOIDED = {
    "session": "DELETE FROM session",
    "operator_session": "DELETE FROM operator_session",
    "mailed_secret": "DELETE FROM mailed_secret",
    "email_change": "DELETE FROM email_change",
    "outgoing_mail": (
        "UPDATE outgoing_mail SET state = 'failed', last_error = "
        "'Non spedita: era in coda quando fu fatta la copia ripristinata.' "
        "WHERE state = 'queued'"
    ),
}


class Restored(NamedTuple):
    """What was put back; `outdated` tells that jobs.migrate must follow."""

    rows: int
    documents: int
    outdated: bool


def restore(folder, data_dir, url, *, migrations, progress=iter):
    """Put the copy `folder` in place as the archive at `url` and `data_dir`/documents.

    `migrations` are the names of those of this release. Raises Refused, and changes nothing,
    where the copy is not good or the place holds anything. The archive comes last: until it
    is there, a run that was cut begins again.
    """
    manifest = contents.verify(folder, progress)
    refuse_misfit(manifest, url, migrations)
    draft = data_dir / DRAFT
    refuse_unless_empty(data_dir / "documents", url, begun=draft.exists())
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    documents = draft / "documents"
    copy_documents(folder, documents, progress)
    place = data_dir / "documents"
    shutil.rmtree(place, ignore_errors=True)
    os.rename(documents, place)
    files.sync_folder(data_dir)
    engine = ENGINES[manifest["database"]]
    statements = [each for table, each in VOIDED.items() if table in manifest["rows"]]
    engine.restore(folder / engine.NAME, url, statements)
    draft.rmdir()
    return Restored(
        sum(manifest["rows"].values()), manifest["documents"], manifest["migrations"] != migrations
    )


def refuse_misfit(manifest, url, migrations):
    if manifest["database"] != name_of(url):
        raise Refused(
            f"La copia è di un archivio {manifest['database']}, le impostazioni ne indicano uno "
            f"{name_of(url)}: correggere PORTALE_DATABASE_URL."
        )
    if not set(manifest["migrations"]) <= set(migrations):
        raise Refused(
            "La copia è stata fatta da una versione più recente del portale: installare quella."
        )


def refuse_unless_empty(documents, url, *, begun):
    """Only an empty place; but documents/ is ours where an earlier run has `begun`."""
    if not ENGINES[name_of(url)].is_empty(url):
        raise Refused(
            "L'archivio esiste già e un ripristino non sovrascrive nulla: indicarne uno vuoto."
        )
    if not begun and any(names for _folder, _folders, names in os.walk(documents)):
        raise Refused(
            f"La cartella {documents} non è vuota e un ripristino non sovrascrive nulla: "
            "spostarla altrove."
        )


def copy_documents(folder, target, progress):
    """Copy documents/ of the copy to the new folder `target`."""
    (target / "ticket").mkdir(parents=True)
    for digest, path in progress(contents.listed(folder / contents.SUMS)):
        if path.startswith(f"{contents.DOCUMENTS}/"):
            place = target / path.removeprefix(f"{contents.DOCUMENTS}/")
            place.parent.mkdir(parents=True, exist_ok=True)
            found = hashlib.sha256()
            with files.open_plain(folder / path) as stream:
                files.write_synced(place, making.hashed(stream, found))
            if found.hexdigest() != digest:
                raise Refused(f"Nella copia {path} è danneggiato.")
    for each, _folders, _names in os.walk(target):
        files.sync_folder(each)
