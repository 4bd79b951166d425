"""Italian e-invoices: FatturaPA / FatturaElettronica 1.2.x and the simplified invoice.

    for item in read(stream, name):  # an Invoice, an Unreadable or a Skipped

A stream is one `.xml`, one `.xml.p7m`, or a ZIP of them; what it is shows from its bytes,
not from its name. Signatures are unwrapped, not verified.
Source: Agenzia delle Entrate, «Specifiche tecniche fatturazione elettronica», 1.9.
"""

from domain.formats.fatturapa.errors import Skipped, Unreadable
from domain.formats.fatturapa.invoice import Attachment, Invoice, invoices
from domain.formats.fatturapa.p7m import unwrap
from domain.formats.fatturapa.tree import parse
from domain.formats.fatturapa.unzip import entries

__all__ = ["Attachment", "Invoice", "Skipped", "Unreadable", "read"]


def read(stream, name):
    """Yield each invoice in the seekable binary `stream`, in order.

    What cannot be read is yielded too, as an Unreadable with its place and an Italian
    sentence; a file of a ZIP that is no invoice by its name is yielded as Skipped.
    """
    try:
        for entry, content in entries(stream, name):
            if isinstance(content, Skipped):
                yield content
            else:
                yield from _read_one(content, entry)
    except Unreadable as problem:  # of the ZIP as a whole
        problem.entry = problem.entry or name
        yield problem


def _read_one(content, entry):
    try:
        root = parse(unwrap(content))
    except Unreadable as problem:
        problem.entry = entry
        yield problem
    else:
        yield from invoices(root, entry)
