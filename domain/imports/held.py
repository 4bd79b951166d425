"""Files that were held because they would end too many rows: somebody must decide."""

from flask_babel import gettext as _
from peewee import fn

from domain import files
from domain.connections import locking
from domain.errors import Refused
from models import ImportedFile, writing


def waiting():
    """The rows of files that nobody decided upon: of the same content only the last that came."""
    later = ImportedFile.alias()
    came_again = later.select(later.id).where(
        later.sha256 == ImportedFile.sha256, later.id > ImportedFile.id
    )
    return ImportedFile.select().where(
        ImportedFile.state == "held",
        ImportedFile.discarded_at.is_null(),
        ~fn.EXISTS(came_again),
    )


def confirmed_files(inbox):
    """The paths of the files that an operator confirmed, in that order."""
    confirmed = waiting().where(ImportedFile.confirmed_at.is_null(False))
    for row in list(confirmed.order_by(ImportedFile.confirmed_at, ImportedFile.id)):
        path = file_of(inbox, row)
        if path is not None:
            yield path


def file_of(inbox, row):
    """Where the file of a held row lies, or None where somebody took it away."""
    for name in (row.name, files.with_mark(row.name, row.sha256)):
        path = inbox / "sospesi" / name
        if files.is_file(path) and files.digest(path) == row.sha256:
            return path
    return None


def confirm(key, *, inbox, now):
    """The next import takes the held file, however many rows it ends."""
    with writing():
        row = _undecided(key)
        if file_of(inbox, row) is None:
            raise Refused(_("Il file non è più in inbox/sospesi: caricarlo di nuovo."))
        _set(row, confirmed_at=now)


def discard(key, *, inbox, now):
    """The held file is not taken: it goes to inbox/scartati, where nothing reads it."""
    with writing():
        row = _undecided(key)
        _set(row, discarded_at=now)
        path = file_of(inbox, row)
        if path is not None:
            folder = inbox / "scartati"
            folder.mkdir(exist_ok=True)
            files.move(path, files.free_place(folder, row.name, row.sha256))


def _undecided(key):
    row = locking(waiting().where(ImportedFile.id == key)).first()
    if row is None or row.confirmed_at:
        raise Refused(_("Su questo file è già stato deciso."))
    return row


def _set(row, **values):
    ImportedFile.update(values).where(ImportedFile.id == row.id).execute()
