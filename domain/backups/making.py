"""Making a copy, and keeping those of the last days."""

import datetime as dt
import errno
import hashlib
import os
import re
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from domain import attachments, files
from domain.backups import contents
from domain.backups.engines import ENGINES, name_of

UNFINISHED = ".in-corso-"
NAMED = "%Y-%m-%dT%H%M%S"  # UTC
FINISHED = re.compile(r"\d{4}-\d\d-\d\dT\d{6}")
FILES = {  # what an archive names of documents/, by table
    "stored_file": "SELECT path, sha256 FROM stored_file",
    "attachment": "SELECT path, sha256 FROM attachment",
}
NOT_THERE = {errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.EISDIR}


class Made(NamedTuple):
    """A finished copy.

    `documents` counts its files of documents/, `copied` those that were not in the copy
    before; `lost` are paths that the archive names, but not there or not as it says.
    """

    folder: Path
    documents: int
    copied: int
    lost: list


def make(root, data_dir, url, *, migrations, days, now, progress=iter):
    """Copy the archive at `url` and documents/ to a new folder in `root`; return Made.

    `migrations` are the names of those applied. Copies older than `days` go once the new
    one is in place.
    """
    with private():
        root.mkdir(parents=True, exist_ok=True)
        sweep(root)
        earlier = max(finished(root), default=None)
        final = free_name(root, now)
        draft = root / f"{UNFINISHED}{final.name}"
        draft.mkdir()
        try:
            documents = Documents(data_dir / "documents", draft, earlier)
            fill(draft, documents, url, migrations=migrations, now=now, progress=progress)
            os.rename(draft, final)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        files.sync_folder(root)
        prune(root, days, now=now, but=final)
    return Made(final, documents.taken, documents.copied, documents.lost)


@contextmanager
def private():
    """Inside, what is made is for this user alone: copies hold personal data."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def free_name(root, now):
    """Another machine may have made one in this very second."""
    while (root / now.strftime(NAMED)).exists():
        now += dt.timedelta(seconds=1)
    return root / now.strftime(NAMED)


def finished(root):
    """The folders in `root` that are whole copies."""
    return [path for path in root.iterdir() if FINISHED.fullmatch(path.name) and path.is_dir()]


def made_at(folder):
    """The instant that a copy is named after."""
    return dt.datetime.strptime(folder.name, NAMED).replace(tzinfo=dt.UTC)


def sweep(root):
    """Remove what killed runs left."""
    for path in root.glob(f"{UNFINISHED}*"):
        shutil.rmtree(path)


def prune(root, days, *, now, but):
    """Remove copies older than `days`; never `but`, which is good."""
    oldest = (now - dt.timedelta(days=days)).strftime(NAMED)
    for path in finished(root):
        if path.name < oldest and path != but:
            leaving = root / f"{UNFINISHED}{path.name}"
            os.rename(path, leaving)  # at once no copy any more
            shutil.rmtree(leaving)


def fill(draft, documents, url, *, migrations, now, progress):
    """Write all of a copy into the folder `draft`, and read it again."""
    engine = ENGINES[name_of(url)]
    archive, wanted = draft / engine.NAME, draft / ".wanted"
    with (
        engine.snapshot(url, archive, files_named) as (rows, named),
        contents.Sums(wanted) as listed,
    ):
        for path, digest in named:
            listed.add(digest, f"{contents.DOCUMENTS}/{path}")
    with contents.Sums(draft / contents.SUMS) as sums:
        sums.add(files.digest(archive), archive.name)
        # Only now: what a row of that state names was in documents/ before the row was.
        for digest, path in progress(contents.listed(wanted)):
            documents.take(path, digest, sums)
        documents.take_others(sums)
    wanted.unlink()
    contents.seal(
        draft, made_at=now.isoformat(timespec="seconds"), database=name_of(url),
        server=engine.version(url), migrations=migrations, rows=rows,
        documents=documents.taken, lost=documents.lost,
    )  # fmt: skip
    contents.verify_archive(draft, contents.read(draft))


def files_named(tables):
    """The query for (path, sha256) of each file that an archive with those tables names.

    One of an earlier release, copied before it is brought to this one, may lack some of them.
    """
    return " UNION ALL ".join(query for table, query in FILES.items() if table in tables)


class Documents:
    """The files under `folder` on their way to the copy `draft`.

    What the copy `earlier` has, read again and found good, is the same file once more (a
    hard link): documents never change. The rest is copied, and read again as well.
    """

    def __init__(self, folder, draft, earlier):
        self.folder = folder
        self.draft = draft
        self.earlier = earlier
        self.taken = self.copied = 0
        self.lost = []

    def take(self, path, digest, sums):
        """Take a file that the archive names, at `path` in the copy; it should have `digest`."""
        target = self._room_for(path)
        found = digest if self._linked(path, digest, target) else self._copied(path, target)
        if found != digest:
            self.lost.append(path)
        if found:
            sums.add(found, path)
            self.taken += 1

    def take_others(self, sums):
        """Take what no row names yet: the next invoices may."""
        for folder, names, found in os.walk(self.folder):
            names[:] = [name for name in names if not name.startswith(".")]
            within = Path(folder).relative_to(self.folder)
            for name in found:
                path = f"{contents.DOCUMENTS}/{within / name}"
                if files.is_plain_name(name) and not (self.draft / path).exists():
                    digest = self._copied(path, self._room_for(path))
                    if digest:
                        sums.add(digest, path)
                        self.taken += 1

    def _room_for(self, path):
        target = self.draft / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def _linked(self, path, digest, target):
        if self.earlier is None:
            return False
        try:
            if files.digest(self.earlier / path) != digest:
                return False
            os.link(self.earlier / path, target, follow_symlinks=False)
        except OSError:  # not there, unreadable, too many links, or a disk that knows none
            return False
        return True

    def _copied(self, path, target):
        """Copy a file, flushed to the disk, and read it again; its digest, None if not there."""
        try:
            stream = self._open(path.removeprefix(f"{contents.DOCUMENTS}/"))
        except OSError as error:
            if error.errno not in NOT_THERE:
                raise
            return None
        digest = hashlib.sha256()
        with stream:
            files.write_synced(target, hashed(stream, digest))
        if files.digest(target) != digest.hexdigest():
            raise OSError(errno.EIO, "ciò che si rilegge non è ciò che è stato scritto", path)
        self.copied += 1
        return digest.hexdigest()

    def _open(self, path):
        """Open a document; one that has just arrived may be on its way to its place."""
        place = self.folder / path
        arriving = self.folder / attachments.ARRIVING / place.name
        for each in (place, arriving):
            with suppress(FileNotFoundError):
                return files.open_plain(each)
        return files.open_plain(place)


def hashed(stream, digest):
    while chunk := stream.read(1 << 20):
        digest.update(chunk)
        yield chunk
