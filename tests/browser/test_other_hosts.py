"""No page makes the browser ask another host for anything: whoever visits is told to nobody.

`open_browser` fails any test of a browser for such a request; here one goes to every menu.
"""

import pytest

from domain import public_pages
from tests.browser.conftest import listen
from tests.factories import make_account, make_customer, make_electricity, make_operator
from views.frame import MENU
from views.staff.access import MENU as DESK

pytestmark = pytest.mark.browser


@pytest.fixture
def settings(settings, portal):
    """Those of a portal in this process, at the archive of the one that the browser sees."""
    key = portal.environment["PORTALE_SECRET_KEY"]
    archive = f"sqlite:///{portal.data / 'portale.db'}"
    return {**settings, "SECRET_KEY": key, "DATA_DIR": portal.data, "DATABASE_URL": archive}


def as_signed_in(page, portal, signed_in):
    value = signed_in.get_cookie("portale").value
    page.context.add_cookies([{"name": "__Host-portale", "value": value, "url": portal.address}])


@pytest.mark.slow
def test_row_24_nobody_else_learns_who_visits(open_browser, portal, app, sign_in, sign_in_operator):
    """`open_browser` fails the test for each request to another host."""
    customer = make_customer()
    supply = make_electricity(customer)
    visited = {
        sign_in(make_account(customer)): [
            f"/forniture/{supply.code}/{path}" for path, *_rest in MENU
        ],
        sign_in_operator(make_operator("administrator")): [
            *(f"/staff/{path}" if path else "/staff" for path, *_rest in DESK),
            f"/staff/clienti/{customer.code}",
        ],
    }
    for signed_in, paths in visited.items():
        page = open_browser()
        as_signed_in(page, portal, signed_in)
        for path in paths:
            assert page.goto(path).status == 200
    page = open_browser()
    for path in (
        "/login",
        "/registrazione",
        "/staff/login",
        *map("/{}".format, public_pages.TITLES),
    ):
        assert page.goto(path).status == 200


def test_row_24_a_request_to_another_host_would_be_seen(chromium, portal):
    troubles = []
    page = chromium.new_page()
    listen(page, troubles, portal.address)
    page.set_content('<img src="http://elsewhere.invalid/x.png">')
    page.close()
    assert any("asks another host: http://elsewhere.invalid/x.png" in each for each in troubles)
