import datetime as dt

import pytest

from domain import ticket_deadlines
from domain.clock import ROME
from tests.ticketing import DEADLINES


@pytest.mark.parametrize(
    ("at", "due"),
    [
        ("2026-11-23 00:00", dt.date(2026, 12, 23)),
        ("2026-11-23 23:59", dt.date(2026, 12, 23)),
        ("2026-11-24 00:00", dt.date(2026, 12, 24)),
        ("2026-10-24 23:30", dt.date(2026, 11, 23)),  # the night of the clock change
        ("2026-02-01 12:00", dt.date(2026, 3, 3)),
        ("2028-01-31 12:00", dt.date(2028, 3, 1)),  # a leap year
    ],
)
def test_days_are_calendar_days_in_italy(at, due):
    now = dt.datetime.fromisoformat(at).replace(tzinfo=ROME)
    assert ticket_deadlines.due_on("complaint", deadlines=DEADLINES, now=now) == due
