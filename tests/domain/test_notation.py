"""Days, numbers and money in the language that is spoken."""

import datetime as dt

import pytest

from domain import italian, notation
from domain.language import LANGUAGES, speaking

DAY = dt.date(2026, 3, 9)
INSTANT = dt.datetime(2026, 3, 9, 23, 30, tzinfo=dt.UTC)  # after midnight in Rome

WRITTEN = {
    "day": (DAY, "09/03/2026", "09.03.2026", "09/03/2026"),
    "short_day": (DAY, "09/03/26", "09.03.26", "09/03/26"),
    "moment": (INSTANT, "10/03/2026, 00:30", "10.03.2026, 00:30", "10/03/2026, 00:30"),
    "at": (INSTANT, "10/03/2026 alle 00:30", "10.03.2026 um 00:30 Uhr", "10/03/2026 at 00:30"),
    "money": (123_456, "1.234,56\xa0€", "1.234,56\xa0€", "€1,234.56"),
    "whole": (1_234_567, "1.234.567", "1.234.567", "1,234,567"),
    "thousandths": (-1_234_500, "-1.234,5", "-1.234,5", "-1,234.5"),
    "kilo": (1_234_500, "1.234,500", "1.234,500", "1,234.500"),
    "seconds": (0.421, "0,42", "0,42", "0.42"),
    "file_size": (1_400_000, "1,4\xa0MB", "1,4\xa0MB", "1.4\xa0MB"),
    "span": (
        dt.timedelta(hours=1, minutes=5),
        "1 ora e 5 minuti",
        "1 Stunde und 5 Minuten",
        "1 hour and 5 minutes",
    ),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_each_language_writes_in_its_way(app, name):
    value, *expected = WRITTEN[name]
    shown = []
    for language in LANGUAGES:
        with speaking(language):
            shown.append(getattr(notation, name)(value))
    assert shown == expected


@pytest.mark.parametrize(
    ("cents", "shown"), [(-50, "-€0.50"), (0, "€0.00"), (100_000_000, "€1,000,000.00")]
)
def test_english_money_begins_with_its_sign(cents, shown):
    assert notation.of("en")["money"](cents) == shown


def test_no_day_is_written_as_nothing():
    assert {notation.of(language)["day"](None) for language in LANGUAGES} == {""}


def test_files_are_written_in_italian_whoever_asks():
    with speaking("en"):
        assert (italian.day(DAY), italian.whole(45_000)) == ("09/03/2026", "45.000")


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (-5, "meno di un minuto"),
        (0.9, "meno di un minuto"),
        (1, "1 minuto"),
        (59.9, "59 minuti"),
        (60, "1 ora"),
        (61, "1 ora e 1 minuto"),
        (47 * 60 + 59, "47 ore e 59 minuti"),
        (48 * 60, "2 giorni"),
    ],
)
def test_how_long_something_lasts(app, minutes, words):
    assert notation.span(dt.timedelta(minutes=minutes)) == words
