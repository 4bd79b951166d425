"""Files attached to an e-invoice: base64, plain or zipped."""

import base64
import binascii
import io
import zipfile
from dataclasses import dataclass

from domain.formats import zips
from domain.formats.fatturapa.errors import Unreadable

MAX_BYTES = 20 * 1024 * 1024  # of all files attached to one invoice


@dataclass(frozen=True)
class Attachment:
    name: str
    content: bytes


def attachments(body):
    """Yield each attached file of `body`; of a ZIP its first PDF."""
    left = MAX_BYTES
    for node in body.findall("Allegati"):
        name = " ".join((node.findtext("NomeAttachment") or "").split())
        text = "".join((node.findtext("Attachment") or "").split())
        try:
            content = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise Unreadable(
                "L'allegato è danneggiato: non è in base64.", "Attachment", name
            ) from None
        if content.startswith(b"PK\x03\x04"):
            found = unpacked(content, name, left)
        else:
            found = Attachment(name, content)
        if found:
            left -= len(found.content)
            yield found


def unpacked(content, name, left):
    """The first PDF of a zipped attachment, if it holds one; `left` bytes at most."""
    try:
        with zips.reading(), zipfile.ZipFile(io.BytesIO(content)) as archive:
            for info in archive.infolist():
                if info.filename.lower().endswith(".pdf"):
                    if info.file_size > left or zips.suspicion(info):
                        raise Unreadable(
                            "L'allegato è troppo grande, protetto o compresso in modo anomalo.",
                            "Attachment",
                            name,
                        )
                    return Attachment(info.filename, zips.content(archive, info))
        return None
    except zips.BadArchive:
        raise Unreadable("L'allegato compresso è danneggiato.", "Attachment", name) from None
