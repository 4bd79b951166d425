"""Acquisition: pending self-readings go to billing, and to their distributors where asked."""

from itertools import groupby

from peewee import fn

from domain import handover, mail
from domain.formats import billing_readings, tal0050
from models import BatchFile, Customer, Prepared, ReadingBatch, SelfReading, SupplyPoint


def _rows(condition):
    """What the line of a reading needs, in the CSV and in a request."""
    return (
        SelfReading.select(
            SelfReading.id,
            Customer.code.alias("customer"),
            SupplyPoint.code.alias("supply"),
            SupplyPoint.pdr,
            SupplyPoint.distributor_vat,
            SupplyPoint.corrector_serial,
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
    )


def _told(row):
    """What the mail says of a reading."""
    _account, supply, day, counter = row
    return {"supply": supply, "day": day.isoformat(), "counter": counter}


# Thousands of rows: what converts them is found once.
_rows_of = Prepared("batch", lambda batch: _rows(SelfReading.batch == batch))


class Readings(handover.Goods):
    """`requester`: the VAT number of the utility, where distributors get requests of theirs."""

    prefix = "autoletture"
    row, batch = SelfReading, ReadingBatch
    columns, key = billing_readings.COLUMNS, billing_readings.KEY
    marks = {"state": "acquired"}
    cells = staticmethod(billing_readings.cells)

    def __init__(self, requester=None):
        self._requester = requester

    @property
    def names(self):
        return f"{super().names}|{tal0050.NAME}"

    def waiting(self):
        return SelfReading.state == "pending"

    def rows_where(self, condition):
        return _rows(condition).namedtuples()

    def rows_of(self, batch):
        return _rows_of(batch=batch.id)

    def add_files(self, batch, rows):
        if self._requester is None:
            return
        by_distributor = {}
        for row in rows:
            if tal0050.is_vat_number(row.distributor_vat):  # others would give no file name
                by_distributor.setdefault(row.distributor_vat, []).append(row)
        for vat, theirs in sorted(by_distributor.items()):
            BatchFile.create(
                batch=batch,
                file_name=tal0050.file_name(batch.number, vat),
                rows=len(theirs),
                content=tal0050.write(self._requester, vat, theirs),
            )

    def tell(self, batch, *, now):
        """One mail to each login for all of its readings."""
        rows = (
            SelfReading.select(
                SelfReading.account, SupplyPoint.code, SelfReading.day, SelfReading.counter
            )
            .join(SupplyPoint)
            .where(SelfReading.batch == batch, SelfReading.account.is_null(False))
            .order_by(SelfReading.account, SelfReading.id)
        )
        notices = (
            mail.Notice("reading_acquired", account, {"readings": list(map(_told, some))})
            for account, some in groupby(list(rows.tuples()), key=lambda row: row[0])
        )
        mail.queue_notices(notices, now=now)

    def unplaced_files(self, batch):
        files = BatchFile.select().where(BatchFile.batch == batch, BatchFile.placed_at.is_null())
        return list(files.order_by(BatchFile.id))


READINGS = Readings()


def acquire(outbox, *, now, requester=None):
    """Hand all pending self-readings to billing as one file in the folder `outbox`.

    With `requester`, the VAT number of the utility, beside it go the TAL.0050 requests to
    the distributors.
    """
    return handover.hand_over(Readings(requester), outbox, now=now)


def requested(number):
    """(files, readings in them) that batch `number` has for distributors."""
    figures = BatchFile.select(fn.COUNT(BatchFile.id), fn.COALESCE(fn.SUM(BatchFile.rows), 0))
    return figures.join(ReadingBatch).where(ReadingBatch.number == number).tuples().get()
