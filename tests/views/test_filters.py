"""Whatever an address asks of a filter is either fit for both databases or asks for nothing."""

import datetime as dt

import pytest

from views import filters


@pytest.mark.parametrize(("text", "asked"), [("si", "si"), ("", None), ("forse", None)])
def test_one_of_some_choices(text, asked):
    assert filters.among({"si": 1, "no": 2})(text) == asked


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("  Via\tdi   Prova ", "Via di Prova"),
        ("", None),
        (" \n ", None),
        ("a\x00b", None),
        ("a\ud800", None),
        ("x" * 101, "x" * 100),
    ],
)
def test_words_are_on_one_line_and_can_be_kept(text, asked):
    assert filters.words(text) == asked


@pytest.mark.parametrize("text", ["2026-11-23", "23/11/2026"])
def test_a_day_in_either_way(text):
    assert filters.day(text) == dt.date(2026, 11, 23)


@pytest.mark.parametrize("text", ["", "ieri", "2026-02-30", "\x00", "9" * 20])
def test_what_is_no_day_asks_for_nothing(text):
    assert filters.day(text) is None
