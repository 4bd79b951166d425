"""A calendar to subscribe to (RFC 5545, with what RFC 7986 and Outlook add)."""

import datetime as dt
from typing import NamedTuple

REFRESH = dt.timedelta(hours=12)  # how often a calendar program may ask again
A_DAY = dt.timedelta(days=1)


class Entry(NamedTuple):
    """Something in a calendar: from an aware datetime to another, or a whole `starts` day.

    `key` stays the same for the same thing, so that a change of it is no second entry.
    """

    key: str
    starts: object
    ends: object
    title: str
    text: str
    address: str


def calendar(name, entries, *, stamp, host):
    """The bytes of a calendar called `name`, which may be empty.

    Instants are written in UTC: no clock change can move them. `stamp` (aware) is when the
    entries were known to be so; `host` makes their keys unique in the world.
    """
    # Loaded here: it costs 10 MB and a tenth of a second, and most processes never need it.
    from icalendar import Calendar, Event, vDuration, vText

    result = Calendar()
    result.add("prodid", "-//Portale clienti//Calendario//IT")
    result.add("version", "2.0")
    result.add("calscale", "GREGORIAN")
    result.add("name", vText(name))
    result.add("x-wr-calname", vText(name))
    result.add("refresh-interval", vDuration(REFRESH), parameters={"VALUE": "DURATION"})
    result.add("x-published-ttl", vDuration(REFRESH))
    for entry in entries:
        event = Event()
        event.add("uid", f"{entry.key}@{host}")
        event.add("dtstamp", stamp)
        event.add("dtstart", entry.starts)
        event.add("dtend", entry.ends or entry.starts + A_DAY)
        event.add("summary", entry.title)
        event.add("description", entry.text)
        event.add("url", entry.address)
        event.add("transp", "TRANSPARENT")  # nobody is busy because of it
        result.add_component(event)
    return result.to_ical()
