"""The files of a ZIP, in bounded memory and without ever using their paths."""

import lzma
import stat
import struct
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import PurePosixPath

from domain.formats.fatturapa.errors import Skipped, Unreadable
from domain.formats.fatturapa.tree import MAX_BYTES, TOO_BIG

MAX_FILES = 20_000
MAX_TOTAL = 2 * 1024**3
MAX_RATIO = 200  # XML packs 10 to 60 times

ENCRYPTED = 0x1
DAMAGED = (
    zipfile.BadZipFile, struct.error, zlib.error, lzma.LZMAError, EOFError, NotImplementedError,
    OSError, RuntimeError, ValueError, IndexError, OverflowError,
)  # fmt: skip


def entries(stream, name):
    """Yield (file name, bytes or Skipped) of the ZIP in `stream`, or of `stream` itself."""
    if stream.read(2) != b"PK":
        stream.seek(0)
        yield name, bounded(stream.read(MAX_BYTES * 2 + 1))
        return
    with reading():
        archive = zipfile.ZipFile(stream)
    found = 0
    for info in checked(archive):
        entry = PurePosixPath(info.filename.replace("\\", "/")).name
        reason = why_skipped(info, entry)
        if reason:
            yield entry, Skipped(entry, reason)
        else:
            found += 1
            yield entry, extract(archive, info, entry)
    if not found:
        raise Unreadable("Il file ZIP non contiene fatture elettroniche (.xml o .xml.p7m).")


def bounded(content):
    if len(content) > MAX_BYTES * 2:  # base64 with line breaks takes a third more than XML
        raise Unreadable(TOO_BIG)
    return content


@contextmanager
def reading():
    try:
        yield
    except DAMAGED:
        raise Unreadable(
            "Il file ZIP è danneggiato, incompleto o di un tipo non riconosciuto. "
            "Occorre crearlo di nuovo."
        ) from None


def checked(archive):
    """The files in `archive`, once nothing about them is suspicious."""
    infos = [info for info in archive.infolist() if not info.filename.endswith("/")]
    if len(infos) > MAX_FILES or sum(info.file_size for info in infos) > MAX_TOTAL:
        raise Unreadable("Il file ZIP è troppo grande: occorre dividerlo in più file.")
    for info in infos:
        problem = suspicion(info)
        if problem:
            raise Unreadable(problem, "ZIP", info.filename)
    return infos


def suspicion(info):
    """Why a ZIP with this file is refused as a whole, or None."""
    if info.flag_bits & ENCRYPTED:
        return "Il file ZIP è protetto da password: occorre crearlo senza."
    if stat.S_ISLNK(info.external_attr >> 16):
        return "Il file ZIP contiene un collegamento a un altro file: non è ammesso."
    if info.file_size > max(info.compress_size * MAX_RATIO, 100_000):
        return "Il file ZIP è compresso in modo anomalo: per sicurezza non viene letto."
    if info.filename.lower().endswith(".zip"):
        return "Il file ZIP contiene un altro ZIP: occorre estrarlo prima."
    return None


def why_skipped(info, entry):
    if "__MACOSX/" in info.filename or entry.startswith("."):
        return "file di servizio, non è una fattura"
    if "_MT_" in entry.upper():
        return "file di metadati del Sistema di Interscambio, non è una fattura"
    if not entry.lower().endswith((".xml", ".p7m")):
        return "non è un file .xml o .xml.p7m"
    return None


def extract(archive, info, entry):
    try:
        if info.file_size > MAX_BYTES * 2:
            raise Unreadable(TOO_BIG)
        with reading(), archive.open(info) as member:
            return bounded(member.read())
    except Unreadable as problem:
        problem.entry = entry
        raise
