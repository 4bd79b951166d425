"""Files attached to an e-invoice: base64, plain or zipped."""

import base64
import binascii
import io
import zipfile
from dataclasses import dataclass

from domain.formats.fatturapa.errors import Unreadable
from domain.formats.fatturapa.unzip import DAMAGED

MAX_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True)
class Attachment:
    name: str
    content: bytes


def attachments(body):
    """Yield each attached file of `body`; of a ZIP its first PDF."""
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
            yield from unpacked(content, name)
        else:
            yield Attachment(name, content)


def unpacked(content, name):
    """The first PDF of a zipped attachment, if it holds one."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for info in archive.infolist():
                if info.filename.lower().endswith(".pdf"):
                    if info.file_size > MAX_BYTES:
                        raise Unreadable("L'allegato è troppo grande.", "Attachment", name)
                    yield Attachment(info.filename, archive.read(info))
                    return
    except DAMAGED:
        raise Unreadable("L'allegato compresso è danneggiato.", "Attachment", name) from None
