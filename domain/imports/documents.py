"""Documents that imported files bring: found, checked, and placed under documents/.

A document gets its place before the database commits and leaves `inbox/allegati/` only
afterwards, so wherever a run is killed nothing is lost and the next one ends the same.
Nothing in documents/ is ever overwritten.
"""

import hashlib
import os
import re
from pathlib import Path
from typing import NamedTuple

from domain import files
from domain.errors import Refused
from models import Document, Invoice, StoredFile

INCOMING = ".incoming-"  # being written; swept at the next run if it was killed
CHUNK = 500


class Found(NamedTuple):
    """A document and its place: `path` under documents/; `source` unless it lies there."""

    name: str
    path: str
    size: int
    sha256: str
    source: Path | None = None


class Documents:
    """The documents of one run. With `dry_run` nothing is written to the disk."""

    def __init__(self, data_dir, *, dry_run=False):
        self.folder = data_dir / "documents"
        self.attachments = data_dir / "inbox" / "allegati"
        self.dry_run = dry_run
        self._attached = {}  # path -> (file being kept for it or None, sha256)
        self._owners = {}  # path -> ids of the customers who see it; None stands for all

    # -- named by a row ---------------------------------------------------------------------

    def find(self, names):
        """{name: Found, or the sentence that says why not} for the names in some rows."""
        names = set(names)
        if not names:
            return {}
        plain = [name for name in names if files.is_plain_name(name)]
        rows = StoredFile.select().where(StoredFile.name.in_(plain)).order_by(StoredFile.id)
        stored = {row.name: row for row in rows}  # the latest of each name
        return {name: self._find(name, stored.get(name)) for name in names}

    def _find(self, name, stored):
        if not files.is_plain_name(name):
            return (
                "Scrivere solo il nome del documento, senza cartelle e non più lungo di "
                f"{files.LONGEST_NAME} caratteri."
            )
        path = self.attachments / name
        if os.path.lexists(path):
            problem = _not_a_pdf(path)
            if problem:
                return problem
            sha256 = files.digest(path)
            return Found(name, self._place_for(name, sha256), path.stat().st_size, sha256, path)
        if stored and files.is_file(self.folder / stored.path):
            return Found(name, stored.path, stored.size, stored.sha256)
        path = self.folder / name
        if os.path.lexists(path):
            return _not_a_pdf(path) or Found(name, name, path.stat().st_size, files.digest(path))
        return (
            "Il documento non si trova in inbox/allegati: copiarlo lì e rimettere il file in inbox."
        )

    def place(self, found):
        """Copy a found document to its place; raise Refused if it changed in the meantime."""
        if found.source is None or self.dry_run:
            return
        target = self.folder / found.path
        if files.is_file(target) and files.digest(target) == found.sha256:
            return
        incoming = self.folder / f"{INCOMING}{found.sha256}"
        with _opened(found) as stream:
            files.write_synced(incoming, iter(lambda: stream.read(1 << 20), b""))
        if files.digest(incoming) != found.sha256:
            incoming.unlink()
            raise _changed(found)
        self._settle(incoming, target)

    def rows(self, found):
        """{path: id of its StoredFile}, made where missing. Inside a transaction."""
        wanted = {each.path: each for each in found}
        known = self._ids(wanted)
        missing = [
            {"path": each.path, "name": each.name, "size": each.size, "sha256": each.sha256}
            for path, each in wanted.items()
            if path not in known
        ]
        if missing:
            StoredFile.insert_many(missing).execute()
            known = self._ids(wanted)
        return known

    @staticmethod
    def _ids(paths):
        query = StoredFile.select(StoredFile.path, StoredFile.id)
        return dict(query.where(StoredFile.path.in_(list(paths))).tuples())

    # -- whose they are ---------------------------------------------------------------------

    def forget_owners(self):
        """Another file begins: what the rows of the last one claimed may not have been taken."""
        self._owners = {}

    def load_owners(self, found):
        """Look up who sees these documents already."""
        paths = [each.path for each in found]
        for model, field in ((Invoice, Invoice.document), (Document, Document.file)):
            query = model.select(StoredFile.path, model.customer).join(StoredFile, on=field)
            for path, owner in query.where(StoredFile.path.in_(paths)).distinct().tuples():
                self._owners.setdefault(path, set()).add(owner)

    def claim(self, found, owner):
        """Whether nobody but `owner` (the id of a customer, None for all) sees the document."""
        owners = self._owners.setdefault(found.path, set())
        owners.add(owner)
        return owners == {owner}

    # -- inside an e-invoice ----------------------------------------------------------------

    def attach(self, name, content):
        """Keep a PDF (bytes) that came inside another file; return it as Found.

        `place_attached` puts it in place, `rows` makes its row. `name` may be anything:
        what is unsafe in it is replaced.
        """
        name = safe_name(name)
        sha256 = hashlib.sha256(content).hexdigest()
        path = self._place_for(name, sha256)
        if path not in self._attached:
            incoming = None if self.dry_run else self.folder / f"{INCOMING}{path}"
            if incoming:
                files.write_synced(incoming, [content])
            self._attached[path] = incoming, sha256
        return Found(name, path, len(content), sha256)

    def place_attached(self):
        """Put in place what `attach` kept, before the transaction that makes its rows."""
        while self._attached:
            path, (incoming, _sha256) = self._attached.popitem()
            if incoming:
                self._settle(incoming, self.folder / path)

    def discard_attached(self):
        """Forget what `attach` kept: its file was rejected."""
        while self._attached:
            _path, (incoming, _sha256) = self._attached.popitem()
            if incoming:
                incoming.unlink()

    # -- afterwards -------------------------------------------------------------------------

    def clean_up(self):
        """Remove what killed runs left, and from `allegati/` what documents/ has by now."""
        for path in self.folder.glob(f"{INCOMING}*"):
            path.unlink()
        names = sorted(path.name for path in self.attachments.iterdir() if files.is_file(path))
        for start in range(0, len(names), CHUNK):
            rows = StoredFile.select().where(StoredFile.name.in_(names[start : start + CHUNK]))
            for row in rows:
                self._take_away(row)
        files.sync_folder(self.attachments)

    def _take_away(self, row):
        attachment, kept = self.attachments / row.name, self.folder / row.path
        if (
            files.is_file(attachment)
            and files.is_file(kept)
            and attachment.stat().st_size == row.size == kept.stat().st_size
            and files.digest(attachment) == row.sha256
        ):
            attachment.unlink()

    # -- places -----------------------------------------------------------------------------

    def _place_for(self, name, sha256):
        """`name`, or with a mark when other content has that place already."""
        row = StoredFile.get_or_none(StoredFile.path == name)
        target = self.folder / name
        if name in self._attached:
            free = self._attached[name][1] == sha256
        elif row:
            free = row.sha256 == sha256
        else:
            free = not os.path.lexists(target) or (
                files.is_file(target) and files.digest(target) == sha256
            )
        return name if free else files.with_mark(name, sha256)

    def _settle(self, incoming, target):
        try:
            os.link(incoming, target)
        except FileExistsError:
            if files.digest(target) != files.digest(incoming):
                raise
        incoming.unlink()
        files.sync_folder(self.folder)


def _opened(found):
    """The stream of a found document, which somebody may have taken away or replaced."""
    try:
        return files.open_plain(found.source)
    except OSError:
        raise _changed(found) from None


def _changed(found):
    return Refused(
        f"Il documento {found.name} è cambiato durante la lettura: è ancora in scrittura?"
    )


def is_pdf(head):
    """Whether bytes from the beginning of a file are a PDF's (ISO 32000-1, annex H.3.4.1)."""
    return b"%PDF-" in head[:1024]


def _not_a_pdf(path):
    if not files.is_file(path):
        return "Non è un file: al suo posto c'è una cartella o un collegamento."
    with files.open_plain(path) as stream:
        if not is_pdf(stream.read(1024)):
            return "Il documento non è un PDF: convertirlo in PDF e rimettere il file in inbox."
    return None


def safe_name(name):
    """A plain file name ending in `.pdf`, made of what is harmless in `name`."""
    name = re.split(r"[/\\]", str(name))[-1]
    stem = re.sub(r"\.pdf$", "", name, flags=re.IGNORECASE)
    stem = re.sub(r"[^\w .()-]", "_", stem, flags=re.ASCII).strip(" .")[:100]
    return f"{stem or 'documento'}.pdf"
