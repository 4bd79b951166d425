"""Acquisition: pending self-readings go to billing, each exactly once.

A batch is born in one transaction, together with the bytes of its file; from then on
nothing in it can be cancelled. Placing the file may be repeated from any point where it
was cut: the same name and the same bytes, until `placed_at` says that it is done.
"""

import fcntl
import os
import re
from contextlib import contextmanager
from typing import NamedTuple

from peewee import fn

from domain import files
from domain.formats import billing_readings
from models import Customer, ReadingBatch, SelfReading, SupplyPoint, writing

TAKEN = "presi"  # where billing moves what it has taken
FILE_NAME = re.compile(r"autoletture_([0-9]{6,9})\.csv")


class Acquired(NamedTuple):
    """What a run did: `completed` batches that an earlier run left unfinished, and its own."""

    completed: int
    number: int | None
    readings: int


def acquire(outbox, *, now):
    """Hand all pending self-readings to billing as one file in the folder `outbox`."""
    with alone_in(outbox):
        unfinished = list(
            ReadingBatch.select()
            .where(ReadingBatch.placed_at.is_null())
            .order_by(ReadingBatch.number)
        )
        for batch in unfinished:
            place(batch, outbox, now=now)
        adopt(outbox, now=now)
        batch, readings = assign(now=now)
        if batch:
            place(batch, outbox, now=now)
    return Acquired(len(unfinished), batch and batch.number, readings)


@contextmanager
def alone_in(folder):
    """Wait until no other process acquires into `folder`; a killed one lets go by itself."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def assign(*, now):
    """Make a batch of what is pending; return it with the number of its readings."""
    with writing() as transaction:
        if not SelfReading.select().where(SelfReading.state == "pending").exists():
            return None, 0
        batch = ReadingBatch.create(number=last_number() + 1, created_at=now, content=b"")
        # The update decides between this and a cancellation of the same instant.
        readings = (
            SelfReading.update(state="acquired", batch=batch)
            .where(SelfReading.state == "pending")
            .execute()
        )
        if not readings:
            transaction.rollback()
            return None, 0
        batch.content = billing_readings.write(batch.number, rows_where(SelfReading.batch == batch))
        batch.save(only=[ReadingBatch.content])
    return batch, readings


def last_number():
    return ReadingBatch.select(fn.MAX(ReadingBatch.number)).scalar() or 0


def adopt(outbox, *, now):
    """Take up files that the archive does not know, which happens after a restored backup.

    Their numbers are not used again, and readings in them that wait here as they did when
    the backup was made count as acquired: billing has them.
    """
    folders = [folder for folder in (outbox, outbox / TAKEN) if folder.is_dir()]
    names = {name for folder in folders for name in os.listdir(folder)}
    last = last_number()
    for found in sorted(filter(None, map(FILE_NAME.fullmatch, names)), key=number_in):
        if number_in(found) > last:
            adopt_batch(number_in(found), read_from(folders, found[0]), now=now)


def adopt_batch(number, content, *, now):
    sent = {key_of(row) for row in billing_readings.read(content)}
    with writing():
        batch = ReadingBatch.create(number=number, created_at=now, content=content, placed_at=now)
        for row in list(rows_where(SelfReading.state == "pending")):
            if (str(row.id), row.supply, billing_readings.entered(row)) in sent:
                SelfReading.update(state="acquired", batch=batch).where(
                    SelfReading.id == row.id, SelfReading.state == "pending"
                ).execute()


def number_in(found):
    return int(found[1])


def key_of(row):
    """What tells a reading from one that got the same id after a backup was restored."""
    return row.get("id_lettura"), row.get("codice_fornitura"), row.get("inserita_il")


def read_from(folders, name):
    """The bytes of the file `name`, from the last of `folders` if it is being moved there."""
    *others, last = (folder / name for folder in folders)
    for path in others:
        try:
            return path.read_bytes()
        except FileNotFoundError:
            continue
    return last.read_bytes()


def rows_where(condition):
    """Readings with all that their line in the file needs."""
    return (
        SelfReading.select(
            SelfReading.id,
            Customer.code.alias("customer"),
            SupplyPoint.code.alias("supply"),
            SupplyPoint.pdr,
            SelfReading.meter_serial,
            SelfReading.day,
            SelfReading.counter,
            SelfReading.corrector,
            SelfReading.entered_at,
            SelfReading.confirmed,
        )
        .join(SupplyPoint)
        .join(Customer)
        .where(condition)
        .order_by(SelfReading.id)
        .namedtuples()
    )


def place(batch, outbox, *, now):
    """Put the file of `batch` in `outbox`, unless it is there or billing has taken it."""
    final = outbox / batch.file_name
    # In this order: a file that billing moves in between is seen in one place or the other.
    if not final.exists() and not (outbox / TAKEN / batch.file_name).exists():
        temporary = outbox / f".{batch.file_name}"
        files.write_synced(temporary, [batch.content])
        os.replace(temporary, final)
    files.sync_folder(outbox)
    with writing():
        ReadingBatch.update(placed_at=now).where(ReadingBatch.id == batch.id).execute()
