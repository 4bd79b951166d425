"""ZIP files from outside: what is suspicious about them, read without ever using their paths."""

import stat
import struct
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import PurePosixPath

MAX_FILES = 20_000
MAX_TOTAL = 2 * 1024**3
MAX_RATIO = 200  # XML packs 10 to 60 times, a meter that stands still 115 times

ENCRYPTED = 0x1
KNOWN_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # Python unpacks others without limit
DAMAGED = (
    zipfile.BadZipFile, struct.error, zlib.error, EOFError, NotImplementedError,
    OSError, RuntimeError, ValueError, IndexError, OverflowError,
)  # fmt: skip


class BadArchive(Exception):
    """The text is the Italian sentence; `member` names the file within that is at fault."""

    def __init__(self, message, member=""):
        super().__init__(message)
        self.member = member


@contextmanager
def reading():
    """Inside, whatever a damaged archive makes fail is a BadArchive."""
    try:
        yield
    except DAMAGED:
        raise BadArchive(
            "Il file ZIP è danneggiato, incompleto o di un tipo non riconosciuto. "
            "Occorre crearlo di nuovo."
        ) from None


def is_zip(stream):
    """Whether the seekable `stream` begins as a ZIP does; it is rewound."""
    start = stream.read(2)
    stream.seek(0)
    return start == b"PK"


def opened(stream):
    """The archive in `stream` and the files in it, or BadArchive if anything is suspicious."""
    with reading():
        archive = zipfile.ZipFile(stream)
    infos = [info for info in archive.infolist() if not info.filename.endswith("/")]
    if len(infos) > MAX_FILES or sum(info.file_size for info in infos) > MAX_TOTAL:
        raise BadArchive("Il file ZIP è troppo grande: occorre dividerlo in più file.")
    for info in infos:
        problem = suspicion(info)
        if problem:
            raise BadArchive(problem, info.filename)
    return archive, infos


def suspicion(info):
    """Why a ZIP with this file is refused as a whole, or None."""
    if info.flag_bits & ENCRYPTED:
        return "Il file ZIP è protetto da password: occorre crearlo senza."
    if info.compress_type not in KNOWN_METHODS:
        return "Il file ZIP è compresso in un modo insolito: occorre crearlo di nuovo."
    if stat.S_ISLNK(info.external_attr >> 16):
        return "Il file ZIP contiene un collegamento a un altro file: non è ammesso."
    if info.file_size > max(info.compress_size * MAX_RATIO, 100_000):
        return "Il file ZIP è compresso in modo anomalo: per sicurezza non viene letto."
    if info.filename.lower().endswith(".zip"):
        return "Il file ZIP contiene un altro ZIP: occorre estrarlo prima."
    return None


def name_of(info):
    """The name of a file in an archive, without its folders."""
    return PurePosixPath(info.filename.replace("\\", "/")).name


def is_left_by_a_system(info):
    """Whether a system put the file there for itself, as macOS does."""
    return "__MACOSX/" in info.filename or name_of(info).startswith(".")


def content(archive, info):
    """The bytes of a file in an archive, never more of them than it says that it has."""
    with reading(), archive.open(info) as stream:
        return stream.read(info.file_size + 1)  # one more: then its checksum is looked at


class Member:
    """A file in an archive while it is read; what is damaged is a BadArchive."""

    def __init__(self, stream):
        self._stream = stream

    def read(self, size):
        with reading():
            return self._stream.read(size)


@contextmanager
def member(archive, info):
    """The file of `info` as a stream to be read once."""
    with reading():
        stream = archive.open(info)
    with stream:
        yield Member(stream)
