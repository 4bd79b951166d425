"""How soon after its data have arrived the curve of a year is on screen, in headless Chromium."""

import tempfile
from pathlib import Path
from statistics import median

from playhouse.migrations import Runner
from playwright.sync_api import sync_playwright

from domain import connections
from tests.bench import archive, server
from tests.bench.invoices import settings
from tests.browser import measured
from tests.browser.conftest import CHROMIUM, FLAGS

ROUNDS = 9
PROMISE = 300  # ms
YEAR = f"/forniture/{measured.SUPPLY}/misure?dal={measured.FIRST}&al={measured.LAST}"
# From the last byte of the data to the task after the frame that shows the curve.
WATCH = """
window.drawn = new Promise((resolve) => {
  new MutationObserver((changes, observer) => {
    if (!document.querySelector(".curve[data-state=drawn]")) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
  }).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-state"] });
});
"""
ELAPSED = """async () => {
  const shown = await window.drawn;
  const data = performance.getEntriesByType("resource").find((each) => /curva/.test(each.name));
  return shown - data.responseEnd;
}"""


def run():
    """Rows of (what, per second, promised per second, ratio, promise)."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        url = f"sqlite:///{Path(folder) / 'portale.db'}"
        database = connections.connect(url)
        Runner(database, archive.MIGRATIONS).up()
        database.close_all()
        measured.fill(url)
        named = {f"PORTALE_{key}": str(value) for key, value in settings(folder, url).items()}
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        with server.granian("app:create_app", **named) as portal:
            taken = median(milliseconds(browser, portal))
        browser.close()
    rate, promised = 1000 / taken, 1000 / PROMISE
    told = f"{taken:.0f} ms after its data; {PROMISE} ms or less"
    return [("Curve of a year, on screen", rate, promised, rate / promised, told)]


def milliseconds(browser, portal):
    """What each of ROUNDS visits takes."""
    page = browser.new_page(base_url=portal, viewport={"width": 1280, "height": 900})
    page.add_init_script(WATCH)
    measured.sign_in(page)
    result = []
    for _round in range(ROUNDS):
        page.goto(YEAR)
        result.append(page.evaluate(ELAPSED))
    return result
