"""Acquisition: pending self-readings go to billing."""

from domain import handover
from domain.formats import billing_readings
from models import Customer, ReadingBatch, SelfReading, SupplyPoint


class Readings(handover.Goods):
    prefix = "autoletture"
    row, batch = SelfReading, ReadingBatch
    columns, key = billing_readings.COLUMNS, billing_readings.KEY
    marks = {"state": "acquired"}
    cells = staticmethod(billing_readings.cells)

    def waiting(self):
        return SelfReading.state == "pending"

    def rows_where(self, condition):
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


READINGS = Readings()


def acquire(outbox, *, now):
    """Hand all pending self-readings to billing as one file in the folder `outbox`."""
    return handover.hand_over(READINGS, outbox, now=now)
