"""`make screenshots`: the pictures of README.md, taken of the demo, into docs/img/."""

import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from jobs.demo_world import people
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.portal import ROOT
from tests.browser.test_demo import Demo, enter_desk
from tests.browser.test_guide import Guide

OF_CUSTOMERS = (  # file, path, width and height
    ("elenco-fatture", "/forniture/PR002875/fatture", 1280, 860),
    ("prelievi-fatturati", "/forniture/PR002875/prelievi", 1280, 860),
)
OF_THE_DESK = (("sportello", "/staff", 1280, 860),)
COLOURS = 128  # enough for a page; the file becomes a third


def main():
    (ROOT / "docs" / "img").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        demo = Demo(Path(folder) / "demo-data")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            demo.wait()
            take(browser, demo.address)
        finally:
            browser.close()
            demo.stop()


def take(browser, address):
    page = opened(browser, address)
    page.goto("/")
    Guide(page, people.READY["code"]).sign_in(people.READY_PASSWORD)
    page.wait_for_url("**/home")
    picture(page, OF_CUSTOMERS)
    page = opened(browser, address)
    enter_desk(page, people.DESK[0]["username"])
    picture(page, OF_THE_DESK)


def opened(browser, address):
    context = browser.new_context(base_url=address, locale="it-IT", color_scheme="light")
    return context.new_page()


def picture(page, pictures):
    for name, path, width, height in pictures:
        page.set_viewport_size({"width": width, "height": height})
        page.goto(path, wait_until="networkidle")
        taken = Image.open(io.BytesIO(page.screenshot()))
        taken.quantize(COLOURS, dither=Image.Dither.NONE).save(
            ROOT / "docs" / "img" / f"{name}.png", optimize=True
        )
        print(f"docs/img/{name}.png")


if __name__ == "__main__":
    main()
