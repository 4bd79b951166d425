"""The e-invoices of a ZIP, in bounded memory."""

from contextlib import contextmanager

from domain.formats import zips
from domain.formats.fatturapa.errors import Skipped, Unreadable
from domain.formats.fatturapa.tree import MAX_BYTES, TOO_BIG


def entries(stream, name):
    """Yield (file name, bytes or Skipped) of the ZIP in `stream`, or of `stream` itself."""
    if not zips.is_zip(stream):
        yield name, bounded(stream.read(MAX_BYTES * 2 + 1))
        return
    with reading():
        archive, infos = zips.opened(stream)
    found = 0
    for info in infos:
        entry = zips.name_of(info)
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
    """Inside, what is wrong with a ZIP is Unreadable."""
    try:
        with zips.reading():
            yield
    except zips.BadArchive as problem:
        raise Unreadable(problem, "ZIP" if problem.member else "", problem.member) from None


def why_skipped(info, entry):
    if zips.is_left_by_a_system(info):
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
        with reading():
            return zips.content(archive, info)
    except Unreadable as problem:
        problem.entry = entry
        raise
