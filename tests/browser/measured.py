"""A customer with a year of quarter-hours, for browsers that draw them."""

import datetime as dt

from domain import connections
from domain.measures import count
from tests.factories import (
    PASSWORD,
    make_account,
    make_customer,
    make_electricity,
    make_measured_day,
)

CODE, SUPPLY = "000777", "PR777001"
LAST = dt.date(2026, 10, 31)
FIRST = LAST - dt.timedelta(days=364)
NOON_WH = 123
NOON = "0,492 kW"


def fill(url):
    """The measures of the year up to LAST in the archive at `url`; the day before is estimated."""
    database = connections.connect(url)
    with database.atomic():
        customer = make_customer(CODE)
        make_account(customer)
        supply = make_electricity(customer, SUPPLY)
        day = FIRST
        while day <= LAST:
            estimated = day == LAST - dt.timedelta(days=1)
            make_measured_day(supply, day, quarter_hours(day), estimated=estimated)
            day += dt.timedelta(days=1)
    database.close_all()


def quarter_hours(day):
    """Of a household: uneven, and more in the evening."""
    number = count(day)
    values = [
        40 + (place * 37 + day.toordinal() * 61) % 190 + (400 if 74 < place < 88 else 0)
        for place in range(number)
    ]
    values[number - 48] = NOON_WH
    return values


def sign_in(page):
    page.goto("/login")
    page.get_by_label("User", exact=True).fill(CODE)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Login").click()
    page.wait_for_url("**/home")
