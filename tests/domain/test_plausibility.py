import datetime as dt
from decimal import Decimal

import pytest

from domain.errors import Refused
from domain.plausibility import QMAX, Meter, Reading, judge, used

TODAY = dt.date(2026, 11, 23)
G4 = Meter(digits=5, meter_class="G4", annual_use=1200, coefficient_c=Decimal("1.02"))


@pytest.fixture(autouse=True)
def words(app):
    """Sentences need the portal's language."""


def days_ago(days, counter, corrector=None):
    return Reading(TODAY - dt.timedelta(days=days), counter, corrector)


def today(counter, corrector=None):
    return Reading(TODAY, counter, corrector)


def test_an_ordinary_value_is_taken_without_a_word():
    assert judge(G4, today(12_400), days_ago(30, 12_300)) == []


def test_a_first_reading_has_nothing_to_be_compared_with():
    assert judge(G4, today(99_999), None) == []


def test_zero_consumption_is_odd():
    assert judge(G4, today(12_300), days_ago(30, 12_300)) == [
        "La lettura del contatore è uguale all'ultima, 12300 del 24/10/2026: consumo zero."
    ]


def test_lower_than_the_last_is_odd():
    assert judge(G4, today(12_299), days_ago(30, 12_300)) == [
        "La lettura del contatore è inferiore all'ultima, 12300 del 24/10/2026."
    ]


# -- Digits ---------------------------------------------------------------------------------


def test_all_digits_of_the_meter_may_be_nines():
    assert judge(G4, today(99_999), days_ago(30, 99_900)) == []


def test_more_digits_than_the_meter_has_are_refused():
    with pytest.raises(Refused, match="Il contatore ha 5 cifre"):
        judge(G4, today(100_000), None)


def test_an_unknown_counter_has_eight_digits():
    assert judge(Meter(), today(99_999_999), None) == []
    with pytest.raises(Refused, match="8 cifre"):
        judge(Meter(), today(100_000_000), None)


def test_more_digits_than_the_corrector_has_are_refused():
    meter = G4._replace(corrector_digits=6)
    assert judge(meter, today(1, 999_999), None) == []
    with pytest.raises(Refused, match="Il correttore ha 6 cifre"):
        judge(meter, today(1, 1_000_000), None)


def test_a_number_beyond_what_the_archive_holds_is_refused_whatever_the_meter_says():
    with pytest.raises(Refused):
        judge(Meter(digits=30), today(2_147_483_648), None)


# -- The most that a class can pass ---------------------------------------------------------


@pytest.mark.parametrize(("meter_class", "flow"), QMAX.items())
def test_what_the_class_can_pass_is_qmax_for_every_hour(meter_class, flow):
    meter = Meter(digits=8, meter_class=meter_class)
    ceiling = flow * 24 * 10
    assert judge(meter, today(ceiling), days_ago(10, 0)) == []
    [reason] = judge(meter, today(ceiling + 1), days_ago(10, 0))
    assert f"un contatore {meter_class} può misurare" in reason


def test_ten_times_what_the_class_can_pass_is_still_a_question_and_one_more_is_refused():
    meter = Meter(digits=8, meter_class="G4")
    assert judge(meter, today(14_400), days_ago(10, 0))
    with pytest.raises(Refused, match=r"14\.401 m³, e un contatore G4 .* 1\.440\. Controllare"):
        judge(meter, today(14_401), days_ago(10, 0))


def test_a_class_nobody_knows_sets_no_ceiling():
    assert judge(Meter(digits=8, meter_class="G1000"), today(90_000_000), days_ago(1, 0)) == []
    assert judge(Meter(digits=8), today(90_000_000), days_ago(1, 0)) == []


def test_the_class_is_read_in_small_letters_too():
    assert judge(Meter(digits=8, meter_class="g4"), today(1_441), days_ago(10, 0))


def test_a_slip_of_yesterday_does_not_lock_the_right_value_out():
    meter = Meter(digits=5, meter_class="G4")
    slip, taken = days_ago(1, 1_234), days_ago(60, 12_300)
    with pytest.raises(Refused):
        judge(meter, today(12_346), slip)
    assert judge(meter, today(12_346), slip, taken)


def test_impossible_from_both_is_refused():
    with pytest.raises(Refused):
        judge(G4, today(99_000), days_ago(1, 12_301), days_ago(30, 12_300))


# -- Far above the usual --------------------------------------------------------------------


def test_far_above_the_usual_is_more_than_four_times_the_year_pro_rata():
    meter = Meter(digits=8, annual_use=3_650)
    assert judge(meter, today(400), days_ago(10, 0)) == []
    assert judge(meter, today(401), days_ago(10, 0)) == [
        "Il consumo di 401 Smc in 10 giorni è molto superiore al solito (circa 100 Smc nello "
        "stesso numero di giorni)."
    ]


def test_below_the_floor_nothing_is_far_above():
    meter = Meter(digits=8, annual_use=0)
    assert judge(meter, today(50), days_ago(1, 0)) == []
    assert judge(meter, today(51), days_ago(1, 0))


def test_without_a_known_yearly_use_nothing_is_far_above():
    assert judge(Meter(digits=8), today(50_000), days_ago(10, 0)) == []


def test_the_usual_is_in_smc_the_counter_in_cubic_metres():
    meter = Meter(digits=8, annual_use=3_650, coefficient_c=Decimal("1.1"))
    assert judge(meter, today(363), days_ago(10, 0)) == []
    assert judge(meter, today(364), days_ago(10, 0))


def test_with_a_corrector_its_value_is_what_is_billed():
    meter = Meter(digits=8, corrector_digits=8, annual_use=3_650)
    assert judge(meter, today(100, 400), days_ago(10, 0, 0)) == []
    assert judge(meter, today(100, 401), days_ago(10, 0, 0))


def test_above_the_class_is_said_once_not_also_as_far_above():
    assert len(judge(G4, today(17_000), days_ago(30, 12_300))) == 1


# -- Corrector ------------------------------------------------------------------------------


def test_a_corrector_that_goes_back_or_stands_still_is_odd():
    meter = G4._replace(corrector_digits=6)
    [still] = judge(meter, today(12_400, 500), days_ago(30, 12_300, 500))
    assert still.startswith("La lettura del correttore è uguale")
    [back] = judge(meter, today(12_400, 499), days_ago(30, 12_300, 500))
    assert back.startswith("La lettura del correttore è inferiore")


def test_a_last_reading_without_corrector_is_compared_by_its_counter():
    assert judge(G4, today(12_400, 7), days_ago(30, 12_300)) == []


def test_a_corrector_rolls_over_too():
    meter = G4._replace(corrector_digits=6)
    assert judge(meter, today(12_400, 80), days_ago(30, 12_300, 999_990)) == []


# -- Roll-over ------------------------------------------------------------------------------


def test_99998_to_00003_is_five_cubic_metres():
    assert judge(G4, today(3), days_ago(1, 99_998)) == []
    assert used(99_998, 3, 1, digits=5).amount == 5


def test_a_roll_over_above_the_usual_is_far_above_not_lower():
    [reason] = judge(G4, today(900), days_ago(30, 99_900))
    assert "1.020 Smc" in reason  # 1000 m3, coefficient 1,02
    assert "molto superiore al solito" in reason


def test_more_than_half_the_range_is_no_roll_over():
    meter = Meter(digits=5)
    assert judge(meter, today(0), days_ago(30, 50_000)) == []
    [reason] = judge(meter, today(0), days_ago(30, 49_999))
    assert "inferiore" in reason


def test_more_than_a_quarter_of_what_the_class_can_pass_is_no_roll_over():
    meter = Meter(digits=5, meter_class="G4")  # 1440 m3 in ten days
    assert judge(meter, today(359), days_ago(10, 99_999)) == []
    [reason] = judge(meter, today(360), days_ago(10, 99_999))
    assert "inferiore" in reason
