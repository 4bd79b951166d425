import datetime as dt
import threading

import pytest

from domain import acquisition, readings
from domain.clock import ROME
from domain.errors import NeedsConfirmation, Refused
from models import ReadingBatch, SelfReading, db
from tests.factories import (
    make_account,
    make_electricity,
    make_gas,
    make_meter_reading,
    make_self_reading,
    make_window,
)

NOW = dt.datetime(2026, 11, 23, 9, 30, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 23)


@pytest.fixture(autouse=True)
def open_window(app):
    make_window(NOW - dt.timedelta(days=10), NOW + dt.timedelta(days=10))


def ago(days):
    return TODAY - dt.timedelta(days=days)


def submit(supply, counter, corrector=None, **values):
    return readings.submit(supply, counter, corrector, **{"account": None, "now": NOW, **values})


def stored():
    return [(row.day, row.counter, row.state) for row in SelfReading.select()]


# -- Submit ---------------------------------------------------------------------------------


def test_a_reading_is_stored_with_all_that_billing_and_the_customer_need():
    account = make_account()
    supply = make_gas(meter_serial="AB12")
    submit(supply, 12_345, account=account.id)
    reading = SelfReading.get()
    assert (reading.day, reading.counter, reading.corrector) == (TODAY, 12_345, None)
    assert (reading.state, reading.confirmed, reading.batch) == ("pending", False, None)
    assert (reading.meter_serial, reading.account, reading.entered_at) == ("AB12", account, NOW)


def test_the_day_is_the_one_in_rome_just_after_midnight():
    now = dt.datetime(2026, 11, 24, 0, 0, tzinfo=ROME).astimezone(dt.UTC)
    assert now.date() == TODAY
    assert submit(make_gas(), 12_345, now=now).day == dt.date(2026, 11, 24)


def test_electricity_is_refused():
    with pytest.raises(Refused, match="riguarda solo le forniture di gas"):
        submit(make_electricity(), 12_345)


def test_an_ended_supply_is_refused_from_the_day_after_its_last():
    with pytest.raises(Refused, match="cessata il 22/11/2026"):
        submit(make_gas(ended_on=ago(1)), 12_345)
    assert submit(make_gas(ended_on=TODAY), 12_345)


def test_outside_every_window_it_is_refused_and_nothing_is_stored():
    now = NOW + dt.timedelta(days=11)
    with pytest.raises(Refused, match="non è ancora stato stabilito"):
        submit(make_gas(), 12_345, now=now)
    assert stored() == []


def test_one_live_reading_a_day():
    supply = make_gas()
    submit(supply, 12_345)
    with pytest.raises(Refused, match="c'è già una lettura"):
        submit(supply, 12_346)
    assert stored() == [(TODAY, 12_345, "pending")]


def test_another_supply_has_its_own_reading_of_the_day():
    submit(make_gas(), 12_345)
    submit(make_gas(), 12_345)
    assert len(stored()) == 2


@pytest.mark.parametrize("state", ["cancelled", "rejected"])
def test_a_cancelled_or_rejected_reading_leaves_room_for_another(app, state):
    supply = make_gas()
    reading = submit(supply, 12_345)
    if state == "cancelled":
        readings.cancel(reading, account=None, now=NOW)
    else:
        acquisition.acquire(app.config["DATA_DIR"] / "outbox", now=NOW)
        SelfReading.update(state="rejected").execute()
    submit(supply, 12_346)
    assert sorted(stored()) == [(TODAY, 12_345, state), (TODAY, 12_346, "pending")]


def test_two_requests_at_once_leave_one_reading_and_the_other_gets_the_sentence():
    supply = make_gas()
    barrier = threading.Barrier(8)
    outcomes = []

    def try_it(counter):
        barrier.wait()
        try:
            submit(supply, counter)
            outcomes.append("taken")
        except Refused as refusal:
            outcomes.append(str(refusal))
        finally:
            db.close()

    threads = [threading.Thread(target=try_it, args=(12_000 + n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [readings.already_taken()] * 7 + ["taken"]
    assert len(stored()) == 1


def test_the_corrector_is_required_where_it_is_fitted():
    supply = make_gas(has_corrector=True, corrector_digits=6)
    with pytest.raises(Refused, match="anche la lettura del correttore"):
        submit(supply, 12_345)
    assert submit(supply, 12_345, 500).corrector == 500


def test_the_corrector_is_forbidden_where_none_is_fitted():
    with pytest.raises(Refused, match="non ha un correttore"):
        submit(make_gas(), 12_345, 500)


# -- Compared with what ---------------------------------------------------------------------


def test_an_odd_value_asks_and_stores_nothing():
    supply = make_gas()
    make_meter_reading(supply, ago(30), 12_345)
    with pytest.raises(NeedsConfirmation) as odd:
        submit(supply, 12_345)
    assert odd.value.reasons == [
        "La lettura del contatore è uguale all'ultima, 12345 del 24/10/2026: consumo zero."
    ]
    assert stored() == []


def test_an_odd_value_that_was_confirmed_is_stored_as_confirmed():
    supply = make_gas()
    make_meter_reading(supply, ago(30), 12_345)
    assert submit(supply, 12_345, confirmed=True).confirmed


def test_an_ordinary_value_is_not_confirmed_whatever_the_form_says():
    assert not submit(make_gas(), 12_345, confirmed=True).confirmed


def test_what_is_plainly_wrong_cannot_be_confirmed():
    with pytest.raises(Refused, match="5 cifre"):
        submit(make_gas(digits=5), 123_456, confirmed=True)


def test_the_latest_by_day_counts_whoever_took_it():
    supply = make_gas()
    make_meter_reading(supply, ago(60), 12_000)
    make_self_reading(supply, ago(30), 12_100)
    with pytest.raises(NeedsConfirmation, match="12100 del 24/10/2026"):
        submit(supply, 12_050)


def test_the_distributor_counts_where_it_came_later():
    supply = make_gas()
    make_self_reading(supply, ago(60), 12_300)
    make_meter_reading(supply, ago(30), 12_100)
    assert submit(supply, 12_200)


@pytest.mark.parametrize("state", ["cancelled", "rejected"])
def test_a_reading_that_does_not_count_is_not_compared(app, state):
    supply = make_gas()
    batch = None
    if state == "rejected":
        batch = ReadingBatch.create(number=1, created_at=NOW, content=b"", placed_at=NOW)
    make_self_reading(supply, ago(30), 90_000, state=state, batch=batch)
    assert submit(supply, 12_345)


def test_a_reading_that_the_distributor_took_today_is_not_compared():
    supply = make_gas()
    make_meter_reading(supply, TODAY, 12_345)
    assert submit(supply, 12_345)


def test_roll_over_needs_no_confirmation():
    supply = make_gas(digits=5)
    make_meter_reading(supply, ago(1), 99_998)
    assert not submit(supply, 3).confirmed


def test_after_a_meter_change_only_the_new_meter_is_compared():
    supply = make_gas(meter_serial="NEW")
    make_meter_reading(supply, ago(60), 45_210, meter_serial="OLD")
    make_meter_reading(supply, ago(30), 0, source="cambio_misuratore", meter_serial="NEW")
    assert readings.references(supply, TODAY)[0].counter == 0
    assert not submit(supply, 80).confirmed


def test_on_the_day_of_the_change_the_old_meters_last_reading_is_not_compared():
    supply = make_gas(meter_serial=None)
    make_meter_reading(supply, ago(30), 0, source="cambio_misuratore")
    make_meter_reading(supply, ago(30), 45_210)
    assert not submit(supply, 80).confirmed


def test_a_change_known_only_by_the_serial_number_starts_a_new_history():
    supply = make_gas(meter_serial="NEW")
    make_meter_reading(supply, ago(30), 45_210, meter_serial="OLD")
    assert readings.references(supply, TODAY) == (None, None)
    assert not submit(supply, 12).confirmed


def test_a_reading_without_serial_number_is_of_the_meter_before_it():
    supply = make_gas(meter_serial="A")
    make_meter_reading(supply, ago(60), 12_000, meter_serial="A")
    make_meter_reading(supply, ago(30), 12_100, meter_serial=None)
    assert readings.references(supply, TODAY)[0].counter == 12_100


def test_history_is_cut_where_the_meter_changes():
    supply = make_gas(meter_serial="C")
    make_meter_reading(supply, ago(90), 45_000, meter_serial="A")
    make_self_reading(supply, ago(80), 45_100, meter_serial="A")
    make_meter_reading(supply, ago(70), 0, source="cambio_misuratore", meter_serial="B")
    make_meter_reading(supply, ago(60), 50, meter_serial="B")
    make_self_reading(supply, ago(50), 10, meter_serial="C")
    assert [[known.counter for known in meter] for meter in readings.history(supply)] == [
        [45_000, 45_100],
        [0, 50],
        [10],
    ]


def test_a_slip_of_the_customers_own_does_not_lock_the_right_value_out():
    supply = make_gas()
    make_meter_reading(supply, ago(60), 12_300)
    make_self_reading(supply, ago(1), 1_234, confirmed=True)
    assert submit(supply, 12_345, confirmed=True)


# -- Cancel ---------------------------------------------------------------------------------


def test_a_pending_reading_can_be_cancelled():
    reading = submit(make_gas(), 12_345)
    readings.cancel(reading, account=None, now=NOW)
    reading = SelfReading.get()
    assert (reading.state, reading.cancelled_at) == ("cancelled", NOW)


def test_cancelled_twice_says_so():
    reading = submit(make_gas(), 12_345)
    readings.cancel(reading, account=None, now=NOW)
    with pytest.raises(Refused, match="già stata cancellata"):
        readings.cancel(reading, account=None, now=NOW + dt.timedelta(hours=1))
    assert SelfReading.get().cancelled_at == NOW


# -- The list -------------------------------------------------------------------------------


def counters(supply, sort="-data", limit=10, offset=0):
    return [row.counter for row in readings.page(supply, sort=sort, limit=limit, offset=offset)]


def test_the_list_has_the_newest_first_and_no_cancelled_ones():
    supply = make_gas()
    make_self_reading(supply, ago(2), 10)
    make_self_reading(supply, ago(1), 20)
    make_self_reading(supply, ago(3), 30)
    make_self_reading(supply, ago(0), 40, state="cancelled")
    make_self_reading(make_gas(), ago(0), 50)
    assert counters(supply) == [20, 10, 30]


def test_the_list_sorts_both_ways_and_empty_correctors_are_last():
    supply = make_gas()
    make_self_reading(supply, ago(3), 10, corrector=7)
    make_self_reading(supply, ago(2), 30, corrector=None)
    make_self_reading(supply, ago(1), 20, corrector=9)
    assert counters(supply, "data") == [10, 30, 20]
    assert counters(supply, "contatore") == [10, 20, 30]
    assert counters(supply, "-contatore") == [30, 20, 10]
    assert counters(supply, "correttore") == [10, 20, 30]
    assert counters(supply, "-correttore") == [20, 10, 30]


def test_the_list_knows_how_many_there_are_on_all_pages():
    supply = make_gas()
    for days in range(5):
        make_self_reading(supply, ago(days), 100 - days)
    rows = readings.page(supply, sort="-data", limit=2, offset=2)
    assert [row.counter for row in rows] == [98, 97]
    assert rows[0].total == 5
