"""Files moved, hashed and written so that a killed process leaves nothing half-done."""

import hashlib
import os
import re
import stat
from itertools import count
from pathlib import Path

LONGEST_NAME = 200  # bytes; leaves room for what we append to a name


def is_plain_name(name):
    """Whether `name` is the name of a file, without folders, that any file system takes."""
    return (
        0 < len(name.encode("utf-8", "replace")) <= LONGEST_NAME
        and not name.startswith(".")
        and not any(letter in "/\\" or not letter.isprintable() for letter in name)
    )


def safe_name(name):
    """A file name that no system takes for a path, a device or a hidden file."""
    cleaned = re.sub(r"[^\w .()-]", "_", name.replace("\\", "/").rsplit("/", 1)[-1])
    return cleaned.strip(" .")[-100:] or "documento"


class FreeNames:
    """Gives safe names, each only once, even where case does not count."""

    def __init__(self):
        self._taken = set()

    def __call__(self, name):
        name = safe_name(name)
        stem, dot, ending = name.rpartition(".") if "." in name else (name, "", "")
        numbered = (f"{stem} ({n}){dot}{ending}" for n in count(2))
        while name.lower() in self._taken:
            name = next(numbered)
        self._taken.add(name.lower())
        return name


def beneath(root, relative):
    """The path of the file `relative` to the folder `root`; None where it is missing or outside."""
    try:
        root = root.resolve()
        path = (root / relative).resolve()
        return path if path.is_relative_to(root) and path.is_file() else None
    except (OSError, ValueError, RuntimeError):  # the last: links in a ring, before Python 3.13
        return None


def is_file(path):
    """Whether `path` is a regular file itself, not a link to one."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def digest(path):
    """SHA-256 of a regular file, as hexadecimal text."""
    with open_plain(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def open_plain(path):
    """Open a file for reading bytes; a symbolic link in its place raises OSError."""
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")


def with_mark(name, sha256):
    """`bolletta.pdf` -> `bolletta~1a2b3c4d.pdf`: same name, other content."""
    path = Path(name)
    return f"{path.stem}~{sha256[:8]}{path.suffix}"


def sync_folder(folder):
    """Make names that were added to, or removed from, `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync(path):
    """Flush to the disk what others wrote into a file."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_synced(path, chunks):
    """Write a new file and flush it to the disk."""
    with open(path, "wb") as stream:
        for chunk in chunks:
            stream.write(chunk)
        stream.flush()
        os.fsync(stream.fileno())


def free_place(folder, name, sha256):
    """Where in `folder` content with that digest goes without overwriting anything.

    Where a different file has that name already, the new one gets a mark from its content.
    """
    target = folder / name
    if target.exists() and digest(target) != sha256:
        return folder / with_mark(name, sha256)
    return target


def move(path, target):
    """Move a file, for good once this returns."""
    os.replace(path, target)
    sync_folder(target.parent)
    sync_folder(path.parent)
