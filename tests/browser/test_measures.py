"""«Misure elettriche» in the browser: a year of quarter-hours drawn and zoomed, or no script."""

import datetime as dt

import pytest
from playwright.sync_api import expect

from tests.browser import measured

pytestmark = pytest.mark.browser

PAGE = f"/forniture/{measured.SUPPLY}/misure"
DRAWN = "figure.curve[data-state=drawn]"
# Whether the canvas has a mark of the given colour property.
HAS_COLOUR = """([canvas, name]) => {
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name);
  probe.fillRect(0, 0, 1, 1);
  const wanted = probe.getImageData(0, 0, 1, 1).data;
  const found = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  for (let at = 0; at < found.length; at += 4) {
    if ([0, 1, 2, 3].every((part) => found[at + part] === wanted[part])) return true;
  }
  return false;
}"""


@pytest.fixture(scope="module")
def last_day(portal):
    """The last of a year of measures; the day before is estimated."""
    measured.fill(f"sqlite:///{portal.data / 'portale.db'}")
    return measured.LAST


def seen(page):
    """What the page tells of the part of the curve in sight."""
    return page.locator(".curve-range").text_content()


def place_of(locator):
    """Where it stands in the window, once it does."""
    locator.scroll_into_view_if_needed()
    return locator.bounding_box()


def has_colour(page, name):
    canvas = page.locator(f"{DRAWN} canvas").element_handle()
    return page.evaluate(HAS_COLOUR, [canvas, name])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_month_is_drawn_with_its_estimates_told_apart(open_browser, portal, last_day, scheme):
    page = open_browser(color_scheme=scheme)
    measured.sign_in(page)
    page.goto(PAGE)
    expect(page.locator(DRAWN)).to_be_visible()
    expect(page.get_by_role("img", name="Curva della potenza media")).to_be_visible()
    for colour in ("--accent", "--wait", "--wait-bg"):
        assert has_colour(page, colour), colour
    page.emulate_media(color_scheme="light" if scheme == "dark" else "dark")
    page.wait_for_timeout(100)  # the next frame is drawn in the other colours
    assert has_colour(page, "--accent")


@pytest.mark.slow
def test_zoom_by_mouse_and_by_keyboard(open_browser, portal, last_day):
    page = open_browser()
    measured.sign_in(page)
    page.goto(f"{PAGE}?dal={last_day - dt.timedelta(days=364)}&al={last_day}")
    plot = page.locator(f"{DRAWN} .u-over")
    expect(plot).to_be_visible()
    whole = seen(page)
    assert f"{last_day - dt.timedelta(days=364):%d/%m/%Y} 00:00" in whole

    box = place_of(plot)
    page.mouse.move(box["x"] + 200, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 260, box["y"] + 90, steps=4)
    page.mouse.up()
    zoomed = seen(page)
    assert zoomed != whole

    page.mouse.wheel(0, 300)  # scrolls the page, as anywhere else
    assert seen(page) == zoomed

    for button in ("Riduci", "Sposta avanti", "Ingrandisci", "Sposta indietro"):
        before = seen(page)
        page.get_by_role("button", name=button).focus()
        page.keyboard.press("Enter")
        assert seen(page) != before, button
    page.get_by_role("button", name="Tutto l'intervallo").press("Enter")
    assert seen(page) == whole


def test_the_value_under_the_pointer(open_browser, portal, last_day):
    page = open_browser()
    measured.sign_in(page)
    page.goto(f"{PAGE}?dal={last_day}&al={last_day}")
    box = place_of(page.locator(f"{DRAWN} .u-over"))
    page.mouse.move(box["x"] + box["width"] * (48 + 0.8) / 96, box["y"] + 20)  # of 12:00, its end
    told = page.locator(".curve-readout")
    expect(told).to_have_text(f"{last_day:%d/%m/%Y}, 12:00: {measured.NOON}")
    page.goto(f"{PAGE}?dal={last_day - dt.timedelta(days=1)}&al={last_day - dt.timedelta(days=1)}")
    box = place_of(page.locator(f"{DRAWN} .u-over"))
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 30)
    expect(told).to_contain_text("(stimata)")


@pytest.mark.slow
def test_the_hour_that_comes_twice_is_told_apart(open_browser, portal, last_day):
    page = open_browser()
    measured.sign_in(page)
    page.goto(f"{PAGE}?dal=2026-10-25&al=2026-10-25")
    box = place_of(page.locator(f"{DRAWN} .u-over"))
    for quarter_hour, told in (
        (8, "02:00 (ora legale)"),
        (12, "02:00 (ora solare)"),
        (16, "03:00"),
    ):
        page.mouse.move(box["x"] + box["width"] * (quarter_hour + 0.8) / 100, box["y"] + 20)
        expect(page.locator(".curve-readout")).to_contain_text(f"25/10/2026, {told}: ")


@pytest.mark.slow
def test_another_interval_redraws_and_another_order_does_not(open_browser, portal, last_day):
    page = open_browser()
    measured.sign_in(page)
    page.goto(PAGE)
    page.locator(DRAWN).wait_for()
    asked = []
    page.on("request", lambda request: asked.append(request))
    page.get_by_role("link", name="Totale", exact=True).click()
    page.wait_for_url("**ordine=totale**")
    expect(page.locator(DRAWN)).to_be_visible()
    assert not [request for request in asked if "/curva?" in request.url]
    page.get_by_role("link", name="Ultima settimana").click()
    week = f"curve-attiva-{last_day - dt.timedelta(days=6)}-{last_day}"
    expect(page.locator(f"#{week}[data-state=drawn]")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(1 + 7)
    page.get_by_label("Dal", exact=True).fill(f"{last_day - dt.timedelta(days=1)}")
    page.get_by_role("button", name="Filtra").click()
    two_days = f"curve-attiva-{last_day - dt.timedelta(days=1)}-{last_day}"
    expect(page.locator(f"#{two_days}[data-state=drawn]")).to_be_visible()
    expect(page.locator(".uplot")).to_have_count(1)
    assert not any(request.is_navigation_request() for request in asked)


@pytest.mark.slow
def test_an_interval_that_runs_backwards_is_told_in_its_place(open_browser, portal, last_day):
    page = open_browser()
    measured.sign_in(page)
    page.goto(PAGE)
    page.locator(DRAWN).wait_for()
    page.get_by_label("Al", exact=True).fill(f"{last_day - dt.timedelta(days=60)}")
    page.get_by_role("button", name="Filtra").click()
    expect(page.get_by_text("La data «Al» viene prima della data «Dal»")).to_be_visible()
    expect(page.get_by_label("Dal", exact=True)).not_to_have_value("")
    expect(page.locator(".uplot")).to_have_count(0)
    page.get_by_role("link", name="Ultimo mese").click()
    expect(page.locator(DRAWN)).to_be_visible()


@pytest.mark.slow
def test_data_that_do_not_arrive_are_told(open_browser, portal, last_day):
    page = open_browser()
    measured.sign_in(page)
    page.route("**/misure/curva?**", lambda route: route.fulfill(body="<!doctype html>"))
    page.goto(PAGE)
    expect(page.get_by_text("La curva non si è potuta caricare")).to_be_visible()
    expect(page.locator(".curve-tools")).to_be_hidden()
    expect(page.get_by_role("row")).to_have_count(1 + 31)


@pytest.mark.slow
def test_it_fits_a_telephone(open_browser, portal, last_day):
    page = open_browser(viewport={"width": 390, "height": 844})
    measured.sign_in(page)
    page.goto(PAGE)
    page.locator(DRAWN).wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.set_viewport_size({"width": 340, "height": 700})
    page.wait_for_timeout(100)
    assert page.evaluate("document.documentElement.scrollWidth") <= 340
    assert page.locator(".uplot").bounding_box()["width"] < 340


@pytest.mark.slow
def test_without_javascript_the_table_and_its_links_work(open_browser, portal, last_day):
    page = open_browser(java_script_enabled=False)
    measured.sign_in(page)
    page.goto(PAGE)
    told = "<noscript><p>La curva si disegna con JavaScript"  # which Playwright does not render
    assert told in page.content()
    expect(page.locator(".curve-tools")).to_be_hidden()
    page.get_by_role("link", name="Ultima settimana").click()
    expect(page.get_by_role("row")).to_have_count(1 + 7)
    page.get_by_label("Dal", exact=True).fill(f"{last_day}")
    page.get_by_role("button", name="Filtra").click()
    expect(page.get_by_role("row")).to_have_count(1 + 1)
    expect(page.get_by_role("row").nth(1)).to_contain_text(f"{last_day:%d/%m/%Y}")
