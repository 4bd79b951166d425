import datetime as dt

import pytest

from domain import windows
from domain.clock import ROME, rome_day
from tests.factories import make_gas, make_window

SECOND = dt.timedelta(seconds=1)


@pytest.fixture(autouse=True)
def archive(app):
    """Every test here reads the archive."""


def at(text, fold=0):
    """The instant when clocks in Italy show `text`."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=ROME, fold=fold).astimezone(dt.UTC)


def window_between(start, end, **values):
    first, last = dt.datetime.fromisoformat(start), dt.datetime.fromisoformat(end)
    opens_at, closes_at = windows.bounds(first.date(), first.time(), last.date(), last.time())
    return make_window(opens_at, closes_at, **values)


def is_open(supply, instant):
    first = windows.first_coming(supply, now=instant)
    return windows.refusal(first, now=instant) is None


def test_open_from_the_first_second_of_its_first_minute_to_the_last_of_its_last():
    supply = make_gas()
    window_between("2026-12-01 08:00", "2026-12-05 18:30")
    assert not is_open(supply, at("2026-12-01 07:59:59"))
    assert is_open(supply, at("2026-12-01 08:00:00"))
    assert is_open(supply, at("2026-12-05 18:30:59"))
    assert not is_open(supply, at("2026-12-05 18:31:00"))


def test_a_window_that_has_just_closed_is_neither_open_nor_coming():
    window = make_window()
    assert windows.is_open(window, now=window.closes_at - SECOND)
    assert not windows.is_open(window, now=window.closes_at)
    assert windows.first_coming(make_gas(), now=window.closes_at) is None


def test_open_at_night_too_without_a_break():
    supply = make_gas()
    window_between("2026-12-01 08:00", "2026-12-05 18:30")
    assert is_open(supply, at("2026-12-02 00:00:00"))
    assert is_open(supply, at("2026-12-03 03:17:00"))


def test_a_window_to_the_end_of_the_day_closes_at_midnight_in_rome_not_in_utc():
    supply = make_gas()
    window_between("2026-07-01 00:00", "2026-07-05 23:59")
    assert not is_open(supply, at("2026-07-01 00:00") - SECOND)
    assert is_open(supply, dt.datetime(2026, 6, 30, 22, 0, tzinfo=dt.UTC))
    assert is_open(supply, dt.datetime(2026, 7, 5, 21, 59, 59, tzinfo=dt.UTC))
    assert not is_open(supply, dt.datetime(2026, 7, 5, 22, 0, tzinfo=dt.UTC))


def test_the_hour_that_comes_twice_in_october_belongs_to_the_window_both_times():
    supply = make_gas()
    window_between("2026-10-25 02:15", "2026-10-25 02:45")
    assert not is_open(supply, at("2026-10-25 02:14:59"))
    assert is_open(supply, at("2026-10-25 02:15:00"))
    assert is_open(supply, at("2026-10-25 02:30", fold=1))
    assert is_open(supply, at("2026-10-25 02:45:59", fold=1))
    assert not is_open(supply, at("2026-10-25 02:46:00", fold=1))


def test_over_the_october_change_a_window_lasts_an_hour_more():
    window = window_between("2026-10-24 12:00", "2026-10-25 11:59")
    assert window.closes_at - window.opens_at == dt.timedelta(hours=25)


def test_over_the_march_change_a_window_lasts_an_hour_less():
    window = window_between("2026-03-28 12:00", "2026-03-29 11:59")
    assert window.closes_at - window.opens_at == dt.timedelta(hours=23)


def test_an_end_in_the_hour_that_march_skips_is_as_many_minutes_after_the_change():
    supply = make_gas()
    window_between("2026-03-28 08:00", "2026-03-29 02:30")
    assert is_open(supply, at("2026-03-29 01:59:59"))
    assert is_open(supply, at("2026-03-29 03:30:59"))
    assert not is_open(supply, at("2026-03-29 03:31:00"))


def test_the_columns_show_the_minutes_that_billing_gave():
    window = window_between("2026-12-01 08:00", "2026-12-05 23:59")
    assert windows.shown(window) == ("01/12/2026", "08:00", "05/12/2026", "23:59")


@pytest.mark.parametrize(
    ("start", "end"),
    [("2026-10-25 02:15", "2026-10-25 02:45"), ("2026-03-29 01:00", "2026-03-29 03:30")],
)
def test_the_columns_show_the_same_hours_on_the_days_of_the_clock_change(start, end):
    _day, start_time, _day, end_time = windows.shown(window_between(start, end))
    assert (start_time, end_time) == (start[-5:], end[-5:])


def test_the_day_of_a_reading_is_the_one_in_rome():
    assert rome_day(dt.datetime(2026, 7, 1, 22, 0, tzinfo=dt.UTC)) == dt.date(2026, 7, 2)
    assert rome_day(dt.datetime(2026, 7, 1, 21, 59, 59, tzinfo=dt.UTC)) == dt.date(2026, 7, 1)
    assert rome_day(dt.datetime(2026, 12, 1, 23, 0, tzinfo=dt.UTC)) == dt.date(2026, 12, 2)


def test_closed_says_when_the_next_window_is():
    window = window_between("2026-12-01 08:00", "2026-12-05 23:59")
    assert windows.refusal(window, now=at("2026-11-23 10:00")) == (
        "In questo momento non è possibile inserire autoletture. Il prossimo periodo va "
        "dal 01/12/2026 alle ore 08:00 al 05/12/2026 alle ore 23:59."
    )


def test_closed_says_so_when_no_window_is_planned():
    supply = make_gas()
    window_between("2026-11-01 08:00", "2026-11-05 23:59")
    first = windows.first_coming(supply, now=at("2026-11-23 10:00"))
    assert "non è ancora stato stabilito" in windows.refusal(first, now=at("2026-11-23 10:00"))


def test_windows_of_the_supply_of_its_distributor_and_of_all_count_and_no_others():
    supply = make_gas(distributor_vat="11111111111")
    mine = [
        make_window(supply=supply),
        make_window(distributor_vat="11111111111"),
        make_window(),
    ]
    make_window(supply=make_gas())
    make_window(distributor_vat="22222222222")
    found = windows.coming(supply, now=mine[0].opens_at, limit=10)
    assert sorted(row.opens_at for row in found) == sorted(window.opens_at for window in mine)
    assert {row.total for row in found} == {3}


def test_a_supply_without_known_distributor_has_only_its_own_windows_and_those_for_all():
    supply = make_gas(distributor_vat=None)
    make_window(distributor_vat="22222222222")
    assert windows.first_coming(supply, now=at("2026-11-23 10:00")) is None


def test_windows_come_in_the_order_of_their_opening():
    supply = make_gas()
    window_between("2027-01-01 08:00", "2027-01-05 23:59")
    window_between("2026-12-01 08:00", "2026-12-05 23:59")
    found = windows.coming(supply, now=at("2026-11-23 10:00"), limit=10)
    assert [windows.shown(row)[0] for row in found] == ["01/12/2026", "01/01/2027"]
