"""Files that come with a message of a ticket: checked, kept, put in place.

They lie in documents/ticket/ under names of our own making. A file arrives under
ARRIVING, flushed to the disk, before the transaction that makes its row, and gets its place
after it. So a process killed anywhere leaves at most a file that is still arriving: with a
row it is put in place when it is asked for, without one it is swept away.
"""

import hashlib
import logging
import os
import secrets
from contextlib import contextmanager
from typing import NamedTuple

from flask_babel import gettext as _
from peewee import fn

from domain import files
from domain.errors import Refused
from domain.formats import uploads
from models import Attachment, Prepared, Ticket, TicketMessage

log = logging.getLogger("portale.tickets")

MB = 1024 * 1024
MOST = 3  # in one message
LARGEST = 5 * MB
QUOTA = 50 * MB  # of what one customer sent
LONGEST_NAME = 200
FOLDER = "ticket"
ARRIVING = "ticket/.arriving"
ABANDONED = 24 * 3600  # seconds after which its writer is gone, even if the clock was set
ENDINGS = {"pdf": (".pdf",), "jpg": (".jpg", ".jpeg"), "png": (".png",)}


class Upload(NamedTuple):
    """A file that has arrived, with its place relative to documents/."""

    path: str
    name: str
    kind: str
    size: int
    sha256: str


@contextmanager
def received(given, documents, *, now):
    """The Uploads of `given`, (name, stream) pairs, while the message that has them is written.

    `documents` is the folder documents/. Raises Refused for what is not taken. Inside, call
    `keep`; afterwards what was kept is in its place and nothing else is left.
    """
    arrived = []
    try:
        check_number(given)
        if given:
            sweep(documents, now=now)
        for name, stream in given:
            arrived.append(_receive(name, stream, documents))
        yield arrived
    except BaseException:
        for upload in arrived:
            arriving(documents, upload.path).unlink(missing_ok=True)
        raise
    kept = _kept(upload.path for upload in arrived)
    for upload in arrived:
        if upload.path in kept:
            settle(upload, documents)
        else:
            arriving(documents, upload.path).unlink(missing_ok=True)


def check_number(given):
    if len(given) > MOST:
        raise Refused(_("Si possono allegare al massimo %(most)s file per messaggio.", most=MOST))


def _receive(given_name, stream, documents):
    """Check one file and keep it under its arriving name."""
    name = shown_name(given_name)
    stream.seek(0, os.SEEK_END)
    size = stream.tell()
    kind = _kind(stream, size, name)
    path = f"{FOLDER}/{secrets.token_hex(16)}.{kind}"
    target = arriving(documents, path)
    digest = hashlib.sha256()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        files.write_synced(target, _hashed(stream, digest))
        files.sync_folder(target.parent)
    except OSError as error:
        target.unlink(missing_ok=True)
        log.error("an attachment could not be kept: %s", error)
        raise Refused(
            _(
                "Al momento gli allegati non si possono salvare: inviare il messaggio senza "
                "allegati, o riprovare più tardi."
            )
        ) from error
    return Upload(path, with_ending(name, kind), kind, size, digest.hexdigest())


def _hashed(stream, digest):
    stream.seek(0)
    while chunk := stream.read(MB):
        digest.update(chunk)
        yield chunk


def shown_name(name):
    """The customer's name for a file, fit to be shown; Refused for what is no file's name."""
    if len(name) > LONGEST_NAME:
        raise Refused(
            _(
                "Il nome di un file è più lungo di %(longest)s caratteri: rinominarlo e "
                "allegarlo di nuovo.",
                longest=LONGEST_NAME,
            )
        )
    shown = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    if not shown.strip(" .") or "/" in shown or "\\" in shown:
        raise Refused(_("Il nome di un file non è valido: rinominarlo e allegarlo di nuovo."))
    return shown


def with_ending(name, kind):
    """`name` with the ending of what it really is."""
    return name if name.lower().endswith(ENDINGS[kind]) else f"{name}{ENDINGS[kind][0]}"


def _kind(stream, size, name):
    """The kind of a file by its content, or Refused."""
    if size == 0:
        raise Refused(
            _("Il file «%(name)s» è vuoto: controllarlo e allegarlo di nuovo.", name=name)
        )
    if size > LARGEST:
        raise Refused(
            _(
                "Il file «%(name)s» supera %(megabytes)s MB: ridurlo e allegarlo di nuovo.",
                name=name,
                megabytes=LARGEST // MB,
            )
        )
    try:
        return uploads.kind(stream, size)
    except uploads.TooLarge:
        raise Refused(
            _("L'immagine «%(name)s» ha troppi punti: ridurla e allegarla di nuovo.", name=name)
        ) from None
    except uploads.Unknown:
        raise Refused(
            _(
                "Il file «%(name)s» non è un PDF, JPG o PNG leggibile: allegare un file di uno di "
                "questi tipi.",
                name=name,
            )
        ) from None


def keep(message, arrived, customer_id):
    """Make the rows of Uploads, in the caller's transaction, which has locked the customer."""
    if not arrived:
        return
    own = message.by_customer and message.author is None
    if own and sent_by(customer_id) + sum(upload.size for upload in arrived) > QUOTA:
        raise Refused(
            _(
                "Lo spazio per gli allegati, %(megabytes)s MB in tutto, è esaurito: inviare il "
                "messaggio senza allegati, o mandarli al servizio clienti in altro modo.",
                megabytes=QUOTA // MB,
            )
        )
    rows = [{"message": message.id, **upload._asdict()} for upload in arrived]
    Attachment.insert_many(rows).execute()


def sent_by(customer_id):
    """How many bytes the attachments take that the customer sent, and no operator."""
    return (
        Attachment.select(fn.COALESCE(fn.SUM(Attachment.size), 0))
        .join(TicketMessage)
        .join(Ticket)
        .where(
            Ticket.customer == customer_id,
            TicketMessage.by_customer,
            TicketMessage.author.is_null(),
        )
        .scalar()
    )


# -- Places --------------------------------------------------------------------------------


def arriving(documents, path):
    return documents / ARRIVING / path.rpartition("/")[2]


def _kept(paths):
    """Which of `paths` have a row."""
    paths = list(paths)
    if not paths:
        return set()
    rows = Attachment.select(Attachment.path).where(Attachment.path.in_(paths))
    return {row.path for row in rows}


def settle(attachment, documents):
    """Put a file that has a row in its place, unless it is there already.

    One that cannot be moved now waits where it arrived: whoever asks for it tries again.
    """
    source = arriving(documents, attachment.path)
    if not files.is_file(source):
        return
    try:
        files.move(source, documents / attachment.path)
    except OSError as error:
        if files.is_file(source):  # else another request was first
            log.error("an attachment could not be put in its place: %s", error)


def sweep(documents, *, now):
    """Finish or remove what killed processes left, once nobody can be writing it any more."""
    old = now.timestamp() - ABANDONED
    for path in (documents / ARRIVING).glob("*"):
        try:
            if path.stat().st_mtime > old:
                continue
            place = f"{FOLDER}/{path.name}"
            if _kept([place]):
                files.move(path, documents / place)
            else:
                path.unlink()
        except OSError:  # another process was first, or nobody may touch it
            continue


# -- Found again ---------------------------------------------------------------------------

_of_ticket = Prepared(
    "ticket",
    lambda ticket: (
        Attachment.select(
            Attachment.id,
            Attachment.message,
            Attachment.path,
            Attachment.name,
            Attachment.size,
            Attachment.sha256,
        )
        .join(TicketMessage)
        .where(TicketMessage.ticket == ticket, ~TicketMessage.internal)
        .order_by(Attachment.id)
    ),
)


def of_ticket(ticket_id):
    """Rows (id, message, path, name, size, sha256) of a ticket's attachments, in order."""
    return _of_ticket(ticket=ticket_id)
