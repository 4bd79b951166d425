"""What is printed of a page: what it says, without what paper cannot do.

In Chromium: Playwright shows Firefox no print.
"""

import pytest
from playwright.sync_api import expect

from tests import every_page
from tests.browser.conftest import enter
from tests.factories import make_operator

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAPER = {"width": 700, "height": 1000}  # about A4 within its margins
IDLE = ".menu, .logout, .actions, .shortcuts, .step, .pager form, .filters button, .bottom"


def on_paper(page, path):
    """Open `path` at the desk and turn to its print: nothing of it is beyond the margin."""
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(path, wait_until="networkidle")
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size(PAPER)
    for each in page.locator(IDLE).all():
        expect(each).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= PAPER["width"]
    return page.get_by_role("main")


def test_a_customers_pages_on_paper(open_browser, portal, app, sign_in):
    owner = every_page.rich(app)
    page = enter(open_browser(), portal, sign_in(owner.account))
    place = f"/forniture/{owner.gas.code}"

    invoices = on_paper(page, f"{place}/fatture?stato=scaduta")
    expect(invoices.get_by_label("Stato", exact=True)).to_be_visible()  # which ones these are
    expect(invoices.get_by_text("pag. 1 di 2")).to_be_visible()  # ... and that there are more
    expect(invoices.get_by_role("columnheader", name="Doc")).to_have_count(0)

    readings = on_paper(page, f"{place}/autolettura")
    expect(readings.get_by_text("Da acquisire")).to_be_visible()
    expect(readings.get_by_role("columnheader", name="Cancella")).to_have_count(0)
    expect(readings.locator("figure")).to_be_visible()

    consumption = on_paper(page, f"{place}/prelievi")
    expect(consumption.locator("figure").first).to_be_visible()

    measures = on_paper(page, f"/forniture/{owner.electricity.code}/misure")
    canvas = measures.locator("canvas").bounding_box()
    assert 0 < canvas["x"] + canvas["width"] <= PAPER["width"]  # the whole curve


def test_an_operators_pages_on_paper(open_browser, portal, app, sign_in_operator):
    owner = every_page.rich(app)
    ticket = owner.ticket()
    page = enter(open_browser(), portal, sign_in_operator(make_operator()))
    queue = on_paper(page, "/staff/ticket")
    expect(queue.get_by_text(ticket.code)).to_be_visible()
    expect(queue.get_by_text("Registro dei reclami")).to_be_hidden()
    sheet = on_paper(page, f"/staff/clienti/{owner.customer.code}")
    expect(sheet.get_by_text(owner.gas.code).first).to_be_visible()
