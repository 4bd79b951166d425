"""Handing over to billing, as files in outbox/: each thing goes out exactly once.

A batch is born in one transaction, together with the bytes of its file, and of those that
go out beside it; from then on nothing in it can be taken back. Placing a file may be
repeated from any point where it was cut: the same name and the same bytes, until its
`placed_at` says that it is done. The batch's own file comes last: where it is, all are.
"""

import fcntl
import os
import re
from contextlib import contextmanager
from typing import NamedTuple

from peewee import fn

from domain import files
from domain.connections import alone_on_server
from domain.formats import batch_csv
from models import is_sqlite, writing

TAKEN = "presi"  # where billing moves what it has taken


class HandedOver(NamedTuple):
    """What a run did: `completed` batches that an earlier run left unfinished, and its own."""

    completed: int
    number: int | None
    rows: int


class Goods:
    """What is handed over in files of its own. Subclasses say what is particular to theirs."""

    prefix = ""  # of the files' names
    row = None  # the table of what is handed over; it has `id` and `batch`
    batch = None  # the table of its batches
    columns = ()  # of the file; the first is the batch
    key = ()  # columns that tell a row from one that got the same id after a restored backup
    marks = {}  # what handing over sets in a row beside its batch

    @property
    def names(self):
        """What matches the names of their files; its group that is found is the batch."""
        return rf"{self.prefix}_([0-9]{{6,9}})\.csv"

    def waiting(self):
        """The condition that a row waits to be handed over."""
        raise NotImplementedError

    def rows_where(self, condition):
        """Rows with all that their line in the file needs, in the order of their ids."""
        raise NotImplementedError

    def rows_of(self, batch):
        """The rows of `batch`, as a list."""
        return list(self.rows_where(self.row.batch == batch))

    def cells(self, row):
        """The line of `row`, without the batch."""
        raise NotImplementedError

    def add_files(self, batch, rows):
        """Store what goes out beside the file of `batch`, inside its transaction."""

    def tell(self, batch, *, now):
        """Queue the mail that tells of `batch`, inside its transaction."""

    def unplaced_files(self, batch):
        """The files beside the one of `batch` that have no place yet."""
        return ()


def hand_over(goods, outbox, *, now):
    """Hand all that waits to billing, as one file in the folder `outbox`."""
    with alone_in(outbox):
        table = goods.batch
        unfinished = list(table.select().where(table.placed_at.is_null()).order_by(table.number))
        for batch in unfinished:
            complete(goods, batch, outbox, now=now)
        adopt(goods, outbox, now=now)
        batch, count = assign(goods, now=now)
        if batch:
            complete(goods, batch, outbox, now=now)
    return HandedOver(len(unfinished), batch and batch.number, count)


def alone_in(folder):
    """Wait until no other process hands over into `folder`; a killed one lets go by itself.

    On PostgreSQL machines may share the folder over a network where file locks do not hold:
    its server decides, on the very connection that then writes.
    """
    return alone_here(folder) if is_sqlite() else alone_on_server("outbox")


@contextmanager
def alone_here(folder):
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def assign(goods, *, now):
    """Make a batch of what waits; return it with the number of its rows."""
    with writing() as transaction:
        if not goods.row.select().where(goods.waiting()).exists():
            return None, 0
        batch = goods.batch.create(number=last_number(goods) + 1, created_at=now, content=b"")
        # The update decides between this and a cancellation of the same instant.
        count = goods.row.update(batch=batch, **goods.marks).where(goods.waiting()).execute()
        if not count:
            transaction.rollback()
            return None, 0
        rows = goods.rows_of(batch)
        batch.content = batch_csv.write(goods.columns, batch.number, map(goods.cells, rows))
        batch.save(only=[goods.batch.content])
        goods.add_files(batch, rows)
        goods.tell(batch, now=now)
    return batch, count


def last_number(goods):
    return goods.batch.select(fn.MAX(goods.batch.number)).scalar() or 0


def adopt(goods, outbox, *, now):
    """Take up files that the archive does not know, which happens after a restored backup.

    Their numbers are not used again, and what is in them and waits here as it did when the
    backup was made counts as handed over: billing has it.
    """
    folders = [folder for folder in (outbox, outbox / TAKEN) if folder.is_dir()]
    names = {name for folder in folders for name in os.listdir(folder)}
    of_ours = filter(None, map(re.compile(goods.names).fullmatch, names))
    last = last_number(goods)
    for number in sorted({number_in(found) for found in of_ours}):
        if number > last:
            own = goods.batch(number=number).file_name
            content = read_from(folders, own) if own in names else b""
            adopt_batch(goods, number, content, now=now)


def adopt_batch(goods, number, content, *, now):
    sent = {tuple(map(line.get, goods.key)) for line in batch_csv.read(content)}
    with writing():
        batch = goods.batch.create(number=number, created_at=now, content=content, placed_at=now)
        for row in list(goods.rows_where(goods.waiting())):
            if key_of(goods, row) in sent:
                goods.row.update(batch=batch, **goods.marks).where(
                    goods.row.id == row.id, goods.waiting()
                ).execute()


def number_in(found):
    return int(found[found.lastindex])


def key_of(goods, row):
    """The cells of `row` that stand in the columns of the key, as text."""
    line = dict(zip(goods.columns[1:], goods.cells(row), strict=True))
    return tuple(str(line[column]) for column in goods.key)


def read_from(folders, name):
    """The bytes of the file `name`, from the last of `folders` if it is being moved there."""
    *others, last = (folder / name for folder in folders)
    for path in others:
        try:
            return path.read_bytes()
        except FileNotFoundError:
            continue
    return last.read_bytes()


def complete(goods, batch, outbox, *, now):
    """Put every file of `batch` in `outbox`, its own last."""
    for file in (*goods.unplaced_files(batch), batch):
        place(file, outbox, now=now)


def place(file, outbox, *, now):
    """Put a file in `outbox`, unless it is there or billing has taken it.

    `file` is a row, of a batch or of what goes beside it, with the name and the bytes.
    """
    final = outbox / file.file_name
    # In this order: a file that billing moves in between is seen in one place or the other.
    if not final.exists() and not (outbox / TAKEN / file.file_name).exists():
        temporary = outbox / f".{file.file_name}"
        files.write_synced(temporary, [file.content])
        os.replace(temporary, final)
    files.sync_folder(outbox)
    table = type(file)
    with writing():
        table.update(placed_at=now).where(table.id == file.id).execute()
