"""What `make load` says at its end is only worth something if it would say otherwise."""

import sys

import pytest

from tests.load.__main__ import command, reading_faults

SENT = [("PR1", 10, 303), ("PR1", 10, 422), ("PR2", 20, 303), ("PR3", 30, 0)]
STORED = [("PR1", 10, 1), ("PR2", 20, 2), ("PR3", 30, 3)]


def test_no_fault_where_all_is_well():
    assert reading_faults(SENT, STORED, [2, 1, 3]) == []
    assert reading_faults(SENT, STORED[:2], [1, 2]) == []  # nobody was told that it was taken


@pytest.mark.parametrize(
    ("sent", "stored", "delivered", "fault"),
    [
        (SENT, STORED[1:], [2, 3], "perse"),
        (SENT, [("PR1", 11, 1), *STORED[1:]], [1, 2, 3], "perse"),
        ([*SENT, SENT[0]], STORED, [1, 2, 3], "accettate due volte"),
        (SENT, [*STORED, ("PR1", 10, 4)], [1, 2, 3, 4], "doppie"),
        (SENT, [*STORED, ("PR4", 40, 4)], [1, 2, 3, 4], "mai inviate"),
        (SENT, STORED, [1, 2], "non consegnate"),
        (SENT, STORED, [1, 2, 3, 3], "consegnate due volte"),
        (SENT, STORED, [1, 2, 3, 9], "consegnate e non in archivio"),
    ],
)
def test_each_fault_is_told(sent, stored, delivered, fault):
    assert any(f"Letture {fault}:" in each for each in reading_faults(sent, stored, delivered))


def test_the_portal_is_started_as_in_production():
    parts = command(8123)
    assert parts[:3] == [sys.executable, "-m", "granian"]
    assert parts[parts.index("--port") + 1] == "8123"
    assert parts[parts.index("--workers") + 1] == "2"
    assert parts[parts.index("--host") + 1] == "127.0.0.1"
