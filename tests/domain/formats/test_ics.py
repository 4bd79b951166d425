"""Calendars as other programs read them."""

import datetime as dt
from zoneinfo import ZoneInfo

from icalendar import Calendar

from domain.formats import ics

STAMP = dt.datetime(2026, 11, 22, 23, tzinfo=dt.UTC)
ROME = ZoneInfo("Europe/Rome")


def entry(**values):
    values = {
        "key": "scadenza-1",
        "starts": dt.date(2026, 12, 1),
        "ends": None,
        "title": "Da pagare",
        "text": "Fattura 1",
        "address": "https://portale.example/forniture/PR000001/fatture",
        **values,
    }
    return ics.Entry(**values)


def made(*entries, name="PR000001"):
    return ics.calendar(name, entries, stamp=STAMP, host="portale.example")


def events(content):
    return Calendar.from_ical(content).walk("VEVENT")


def test_an_empty_calendar_is_a_calendar():
    content = made()
    calendar = Calendar.from_ical(content)
    assert (calendar["version"], str(calendar["name"])) == ("2.0", "PR000001")
    assert calendar["prodid"]
    assert content.startswith(b"BEGIN:VCALENDAR\r\n")
    assert content.endswith(b"END:VCALENDAR\r\n")
    assert events(content) == []


def test_programs_are_told_when_to_ask_again():
    lines = made().decode().split("\r\n")
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT12H" in lines
    assert "X-PUBLISHED-TTL:PT12H" in lines
    assert "X-WR-CALNAME:PR000001" in lines


def test_a_due_date_is_a_whole_day():
    (event,) = events(made(entry()))
    assert event.decoded("dtstart") == dt.date(2026, 12, 1)
    assert event.decoded("dtend") == dt.date(2026, 12, 2)
    assert event["uid"] == "scadenza-1@portale.example"
    assert event.decoded("dtstamp") == STAMP
    assert event["transp"] == "TRANSPARENT"


def test_instants_are_in_utc_on_both_sides_of_a_clock_change():
    starts = dt.datetime(2026, 10, 24, 8, tzinfo=ROME)
    ends = dt.datetime(2026, 10, 26, 8, tzinfo=ROME)
    content = made(entry(starts=starts.astimezone(dt.UTC), ends=ends.astimezone(dt.UTC)))
    assert b"DTSTART:20261024T060000Z\r\n" in content
    assert b"DTEND:20261026T070000Z\r\n" in content
    (event,) = events(content)
    assert (event.decoded("dtstart"), event.decoded("dtend")) == (starts, ends)


def test_hostile_text_stays_in_its_place():
    hostile = "a;b,c\\d\nEND:VEVENT\r\nBEGIN:VALARM \N{SNOWMAN} " + "è" * 300
    content = made(entry(title=hostile, text=hostile), name=hostile)
    calendar = Calendar.from_ical(content)
    (event,) = calendar.walk("VEVENT")
    plain = hostile.replace("\r\n", "\n")
    assert (event["summary"], event["description"]) == (plain, plain)
    named = rb"NAME:a\;b\,c\\d\nEND:VEVENT\nBEGIN:VALARM"
    assert b"\r\n" + named in content
    assert calendar.walk("VALARM") == []


def test_lines_are_folded_at_75_bytes_and_no_letter_is_cut():
    content = made(entry(title="è" * 300))
    assert max(map(len, content.split(b"\r\n"))) <= 75
    for line in content.split(b"\r\n"):
        line.decode()
    assert str(events(content)[0]["summary"]) == "è" * 300


def test_the_same_entries_give_the_same_bytes():
    assert made(entry()) == made(entry())
