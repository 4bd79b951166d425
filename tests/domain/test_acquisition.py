import csv
import datetime as dt
import io
import json

import pytest

from domain import acquisition, readings
from domain.errors import Refused
from domain.formats.billing_readings import COLUMNS
from models import OutgoingMail, ReadingBatch, SelfReading
from tests.factories import make_account, make_customer, make_gas, make_self_reading
from tests.together import at_once

NOW = dt.datetime(2026, 11, 23, 9, 30, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 23)


@pytest.fixture
def outbox(app):
    return app.config["DATA_DIR"] / "outbox"


def make_pending(number=1):
    """That many pending readings, each of its own supply."""
    return [make_self_reading(make_gas(), TODAY, 100 + n) for n in range(number)]


def files(outbox):
    """Name and text of what billing sees, also of what it has taken."""
    found = [*outbox.glob("[!.]*.csv"), *outbox.glob("presi/*.csv")]
    return {path.name: path.read_bytes().decode() for path in found}


def rows(text):
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))


def handed_over(outbox):
    """The id of every reading in every file."""
    return sorted(int(row["id_lettura"]) for text in files(outbox).values() for row in rows(text))


def states():
    return [row.state for row in SelfReading.select().order_by(SelfReading.id)]


def is_finished(outbox):
    """Whether each acquired reading is in exactly one file, and each batch is placed as stored."""
    acquired = SelfReading.select().where(SelfReading.state == "acquired").order_by(SelfReading.id)
    placed = {
        batch.file_name: bytes(batch.content).decode()
        for batch in ReadingBatch.select().where(ReadingBatch.placed_at.is_null(False))
    }
    return handed_over(outbox) == [row.id for row in acquired] and files(outbox) == placed


# -- The file -------------------------------------------------------------------------------


def test_the_file_is_what_the_contract_says(outbox):
    supply = make_gas(make_customer("000002"), code="PR000001", pdr="00880000000001",
                      meter_serial="AB12", has_corrector=True)  # fmt: skip
    reading = make_self_reading(
        supply, TODAY, 12_345, corrector=678, confirmed=True,
        entered_at=dt.datetime(2026, 11, 23, 9, 12, 5, 999, tzinfo=dt.UTC),
    )  # fmt: skip
    done = acquisition.acquire(outbox, now=NOW)
    assert done == (0, 1, 1)
    assert files(outbox) == {
        "autoletture_000001.csv": ";".join(COLUMNS) + "\r\n"
        f"000001;{reading.id};000002;PR000001;00880000000001;AB12;23/11/2026;12345;678;"
        "2026-11-23T10:12:05+01:00;S\r\n"
    }


def test_the_hour_of_entry_has_the_offset_of_its_day(outbox):
    entered_at = dt.datetime(2026, 7, 1, 22, 30, tzinfo=dt.UTC)
    make_self_reading(make_gas(), dt.date(2026, 7, 2), 5, entered_at=entered_at)
    acquisition.acquire(outbox, now=NOW)
    [row] = rows(files(outbox)["autoletture_000001.csv"])
    assert row["inserita_il"] == "2026-07-02T00:30:00+02:00"
    assert (row["lettura_correttore"], row["confermata"]) == ("", "N")


def test_cells_are_quoted_where_needed_and_never_changed(outbox):
    make_self_reading(make_gas(meter_serial='=1;"A"'), TODAY, 5)
    acquisition.acquire(outbox, now=NOW)
    text = files(outbox)["autoletture_000001.csv"]
    assert ';"=1;""A""";' in text
    assert rows(text)[0]["matricola"] == '=1;"A"'


def test_only_pending_readings_are_handed_over(outbox):
    [first, second] = make_pending(2)
    readings.cancel(second, account=None, now=NOW)
    acquisition.acquire(outbox, now=NOW)
    assert handed_over(outbox) == [first.id]
    assert states() == ["acquired", "cancelled"]


# -- At the same time -----------------------------------------------------------------------


@pytest.mark.parametrize("attempt", range(5))
def test_a_cancel_racing_the_acquisition_has_exactly_one_winner(outbox, attempt):
    pending = make_pending(6)
    cancels = [
        lambda reading=reading: readings.cancel(reading, account=None, now=NOW)
        for reading in pending
    ]
    *cancelled, _acquired = at_once(*cancels, lambda: acquisition.acquire(outbox, now=NOW))
    for answer, reading in zip(
        cancelled, SelfReading.select().order_by(SelfReading.id), strict=True
    ):
        if reading.state == "cancelled":
            assert answer is None
            assert reading.batch is None
        else:
            assert isinstance(answer, Refused)
            assert "appena stata acquisita" in str(answer)
    assert is_finished(outbox)


# -- Who entered them is told --------------------------------------------------------------


def test_each_login_gets_one_mail_for_all_of_its_readings(outbox):
    customer = make_customer("000002")
    account, other = make_account(customer, email="rosa@example.it"), make_account()
    supplies = [make_gas(customer, f"PR{n}") for n in range(2)]
    for counter, supply in zip((45_000, 7), supplies, strict=True):
        make_self_reading(supply, TODAY, counter, account=account)
    make_self_reading(make_gas(), TODAY, 5, account=other)
    make_self_reading(make_gas(), TODAY, 6)  # nobody's
    acquisition.acquire(outbox, now=NOW)
    acquisition.acquire(outbox, now=NOW)
    mails = OutgoingMail.select().order_by(OutgoingMail.id)
    assert [(row.kind, row.recipient) for row in mails] == [
        ("reading_acquired", "rosa@example.it"),
        ("reading_acquired", other.email),
    ]
    assert json.loads(mails[0].params)["readings"] == [
        {"supply": "PR0", "day": "2026-11-23", "counter": 45_000},
        {"supply": "PR1", "day": "2026-11-23", "counter": 7},
    ]


def test_who_wants_no_such_mail_gets_none(outbox):
    account = make_account(notices_readings=False)
    make_self_reading(make_gas(), TODAY, 5, account=account)
    acquisition.acquire(outbox, now=NOW)
    assert states() == ["acquired"]
    assert not OutgoingMail.select().exists()


def test_what_is_taken_back_tells_nobody(outbox, monkeypatch):
    make_self_reading(make_gas(), TODAY, 5, account=make_account())
    monkeypatch.setattr(acquisition.mail, "queue_notices", lambda *_given, **_more: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        acquisition.acquire(outbox, now=NOW)
    assert states() == ["pending"]
