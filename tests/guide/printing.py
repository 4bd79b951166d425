"""The guide as PDF, with the name, the colours and the words of whoever has these settings."""

import tempfile
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from playwright.sync_api import sync_playwright
from pypdf import PdfReader

import models
from app import create_app
from domain import guide, operator_sessions, schema
from domain.clock import utcnow
from models import Operator
from tests.browser.conftest import CHROMIUM, FLAGS

PATHS = {guide.CUSTOMERS: "/guida/intera", guide.DESK: "/staff/guida/intera"}
SITE = "http://localhost"
# The number of its page beside each chapter of the contents.
NUMBERED = """
(numbers) => {
  for (const leaf of document.querySelectorAll(".leaf")) {
    leaf.textContent = numbers[leaf.dataset.of];
  }
}
"""


def write(folder, settings=None):
    """guida-cliente.pdf and guida-sportello.pdf in `folder`; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    with portal(settings or {}) as client, opened(client) as page:
        return [printed(page, audience, folder) for audience in guide.AUDIENCES]


@contextmanager
def portal(settings):
    """A client of a portal with an empty archive, in which an operator is signed in."""
    with tempfile.TemporaryDirectory() as folder:
        own = {"ENV": "development", "DATA_DIR": Path(folder), "DATABASE_URL": "", **settings}
        app = create_app(own, any_release=True)
        with app.app_context():
            schema.migrations().up()
            yield signed_in(app)
        models.db.close_all()


def signed_in(app):
    now = utcnow()
    operator = Operator.create(
        username="guida", name="Guida", email="guida@localhost", role="operator",
        password_hash="-", must_change_password=False, totp_since=now, created_at=now,
    )  # fmt: skip
    row = operator_sessions.load(operator_sessions.open_session(operator, now=now), now=now)
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_operator"] = operator_sessions.verified(row.session, now=now)
    return client


@contextmanager
def opened(client):
    """A page of Chromium that asks `client` instead of a server."""

    def answer(route):
        path = route.request.url.removeprefix(SITE)
        given = client.get(path, headers={"Host": "localhost", "Accept-Language": "it"})
        route.fulfill(status=given.status_code, headers=dict(given.headers), body=given.data)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(locale="it-IT", color_scheme="light")
        page.route(f"{SITE}/**", answer)
        yield page
        browser.close()


def printed(page, audience, folder):
    """Printed twice: on which page a chapter begins is known once it has been."""
    page.goto(SITE + PATHS[audience])
    page.locator("img").evaluate_all(
        "all => Promise.all(all.map(each => { each.loading = 'eager'; return each.decode(); }))"
    )
    page.evaluate(NUMBERED, beginnings(on_paper(page)))
    path = folder / f"guida-{audience}.pdf"
    path.write_bytes(on_paper(page))
    return path


def on_paper(page):
    return page.pdf(prefer_css_page_size=True, print_background=True, tagged=True, outline=True)


def beginnings(pdf):
    """The page on which each chapter begins, by its name."""
    reader = PdfReader(BytesIO(pdf))
    return {
        name.removeprefix("/"): reader.get_destination_page_number(found) + 1
        for name, found in reader.named_destinations.items()
    }
