"""`make screenshots`: the pictures of README.md, taken of the demo, into docs/img/."""

import sqlite3
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from jobs.demo_world import people
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.portal import ROOT
from tests.browser.test_demo import Demo
from tests.browser.test_guide import Guide
from tests.jobs.process import until

PICTURES = (  # file, path, width and height
    ("elenco-fatture", "/forniture/PR002875/fatture", 1280, 860),
    ("autolettura-contatore", "/forniture/PR002876/autolettura", 1280, 860),
)


def main():
    (ROOT / "docs" / "img").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        data = Path(folder) / "demo-data"
        demo = Demo(data)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            demo.wait()
            until(lambda: first_round_is_over(data / "portale.db"))
            take(browser, demo.address)
        finally:
            browser.close()
            demo.stop()


def first_round_is_over(archive):
    """Whether the demo's jobs have run once: they would acquire the reading of the picture."""
    ended = "SELECT 1 FROM job_run WHERE job = 'send_mail' AND finished_at IS NOT NULL"
    return sqlite3.connect(archive).execute(ended).fetchone()


def take(browser, address):
    context = browser.new_context(base_url=address, locale="it-IT", color_scheme="light")
    page = context.new_page()
    page.goto("/")
    guide = Guide(page, people.READY["code"])
    guide.sign_in(people.READY_PASSWORD)
    page.wait_for_url("**/home")
    enter_reading(page, guide)
    for name, path, width, height in PICTURES:
        page.set_viewport_size({"width": width, "height": height})
        page.goto(path, wait_until="networkidle")
        page.screenshot(path=ROOT / "docs" / "img" / f"{name}.png")
        print(f"docs/img/{name}.png")


def enter_reading(page, guide):
    """One that waits, so that the picture shows what happens to it."""
    page.goto("/forniture/PR002876/autolettura")
    latest = page.locator("#readings tbody td.number").first.inner_text()
    guide.add_reading(str(int(latest) + 85))
    page.wait_for_url("**/autolettura")


if __name__ == "__main__":
    main()
