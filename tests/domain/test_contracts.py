"""Which contract is in force, which are to come, and whose they are."""

import datetime as dt

import pytest

from domain import contracts
from tests.factories import make_contract, make_electricity

TODAY = dt.date(2026, 11, 23)


def day(offset):
    return TODAY + dt.timedelta(days=offset)


def sorted_out(supply):
    """The offers of each part."""
    found = contracts.of(supply, today=TODAY)
    return tuple([row.offer for row in part] for part in found)


@pytest.fixture
def supply(app):
    return make_electricity(active_from=day(-1000))


def test_contracts_are_told_apart_by_the_day(supply):
    make_contract(supply, day(-800), day(-401), offer="PRIMO")
    make_contract(supply, day(-400), day(-1), offer="SECONDO")
    make_contract(supply, day(0), day(30), offer="TERZO")
    make_contract(supply, day(61), offer="QUINTO")
    make_contract(supply, day(31), day(60), offer="QUARTO")
    assert sorted_out(supply) == (["TERZO"], ["QUARTO", "QUINTO"], ["SECONDO", "PRIMO"])


def test_both_days_belong_to_a_contract(supply):
    make_contract(supply, day(-10), day(0), offer="FINISCE OGGI")
    make_contract(supply, day(0), offer="INIZIA OGGI")
    assert sorted_out(supply) == (["INIZIA OGGI", "FINISCE OGGI"], [], [])


def test_no_contract_outlives_its_supply(app):
    ended = make_electricity(ended_on=day(-1))
    make_contract(ended, day(-100))
    assert sorted_out(ended) == ([], [], ["LUCE SERENA"])
    ends_today = make_electricity(ended_on=day(0))
    make_contract(ends_today, day(-100))
    assert sorted_out(ends_today) == (["LUCE SERENA"], [], [])


def test_a_former_customers_contracts_are_not_shown(app):
    supply = make_electricity(active_from=day(-50))
    make_contract(supply, day(-300), day(-51), offer="DI UN ALTRO")
    make_contract(supply, day(-50), offer="PROPRIO")
    assert sorted_out(supply) == (["PROPRIO"], [], [])


def test_the_next_customers_contracts_are_not_shown(app):
    supply = make_electricity(ended_on=day(-50))
    make_contract(supply, day(-300), day(-50), offer="PROPRIO")
    make_contract(supply, day(-49), offer="DI UN ALTRO")
    assert sorted_out(supply) == ([], [], ["PROPRIO"])


def test_of_an_unknown_beginning_all_are_shown(app):
    supply = make_electricity(active_from=None)
    make_contract(supply, day(-9000), day(-51), offer="ANTICO")
    assert sorted_out(supply) == ([], [], ["ANTICO"])


def test_other_supplies_contracts_are_not_shown(supply):
    make_contract(make_electricity(), day(-1))
    assert sorted_out(supply) == ([], [], [])
