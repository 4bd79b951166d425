"""Debian's browsers around a portal of its own, listening for whatever goes wrong.

A test asks for a page with `open_browser` and gets Chromium's; with
`@pytest.mark.parametrize("browser", BROWSERS)` it runs in each of them.
"""

import os
from urllib.parse import urlsplit

import pytest

from tests.browser import portal as portals
from tests.conftest import required

BROWSERS = ("chromium", "firefox")
SIZES = {"phone": {"width": 390, "height": 844}, "desk": {"width": 1280, "height": 900}}
CHROMIUM = "/usr/bin/chromium"
FIREFOX = "/usr/bin/firefox-esr"
FLAGS = [
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
    f"--host-resolver-rules=MAP {portals.HOST} 127.0.0.1",
]  # fmt: skip
PREFERENCES = {"network.dns.localDomains": portals.HOST}
# Chromium also writes an error where a form came back with what is wrong in it.
FORM_CAME_BACK = "the server responded with a status of 422"
REPORT_CSP = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error("CSP", event.violatedDirective, event.blockedURI, event.sourceFile);
});
"""


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    return portals.certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def playwright():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(playwright, certificate):
    if not os.path.exists(CHROMIUM):
        required("no browser: apt-get install chromium")
    trusted = f"--ignore-certificate-errors-spki-list={certificate.fingerprint}"
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, trusted])
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def firefox(playwright):
    if not os.path.exists(FIREFOX):
        required("no Firefox: apt-get install firefox-esr")
    browser = playwright.firefox.launch(
        channel="moz-firefox", executable_path=FIREFOX, firefox_user_prefs=PREFERENCES
    )
    yield browser
    browser.close()


@pytest.fixture
def settings(settings, portal):
    """For an `app` in this process at the archive of the portal that the browser sees."""
    own = {name: portal.environment[f"PORTALE_{name}"] for name in ("SECRET_KEY", "UTILITY_VAT")}
    archive = f"sqlite:///{portal.data / 'portale.db'}"
    return {**settings, **own, "DATA_DIR": portal.data, "DATABASE_URL": archive}


def enter(page, portal, client):
    """Give `page` the cookie of the test client `client`, which is signed in there."""
    value = client.get_cookie("portale").value
    page.context.add_cookies([{"name": "__Host-portale", "value": value, "url": portal.address}])
    return page


@pytest.fixture
def browser():
    """The name of the browser of a test."""
    return "chromium"


@pytest.fixture(scope="module")
def portal(tmp_path_factory, certificate):
    """One portal for the tests of a module; each brings its own customers."""
    with portals.running(tmp_path_factory.mktemp("portal"), certificate) as portal:
        yield portal


@pytest.fixture
def open_browser(request, browser, portal):
    """`open_browser(**options)`: a page of a new browser profile.

    The test fails if the page wrote an error, asked for something that failed or that another
    host has, broke the security policy or opened a script's dialog.
    """
    troubles, contexts = [], []
    launched = request.getfixturevalue(browser)
    # Firefox knows no single certificate to trust.
    trust = {"ignore_https_errors": True} if browser == "firefox" else {}

    def _open(**options):
        context = launched.new_context(
            base_url=portal.address,
            locale="it-IT",
            timezone_id="Europe/Rome",
            **{"viewport": SIZES["desk"], **trust, **options},
        )
        contexts.append(context)
        context.set_default_timeout(10_000)
        context.add_init_script(REPORT_CSP)
        page = context.new_page()
        listen(page, troubles, portal.address)
        return page

    yield _open
    for context in contexts:
        context.close()
    assert not troubles


ABANDONED = {"net::ERR_ABORTED", "NS_BINDING_ABORTED"}  # a download, or a page left behind


def listen(page, troubles, address):
    def on_console(message):
        if message.type == "error" and FORM_CAME_BACK not in message.text:
            troubles.append(f"{page.url}: {message.text}")

    def on_failed(request):
        if request.failure not in ABANDONED:
            troubles.append(f"{request.method} {request.url}: {request.failure}")

    def on_response(response):
        if response.status >= 400 and response.status != 422:
            troubles.append(f"{response.request.method} {response.url}: {response.status}")

    def on_dialog(dialog):
        troubles.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def on_request(request):
        if urlsplit(request.url).netloc not in {"", urlsplit(address).netloc}:  # the first: data:
            troubles.append(f"{page.url} asks another host: {request.url}")

    page.on("request", on_request)
    page.on("console", on_console)
    page.on("pageerror", lambda error: troubles.append(f"{page.url}: {error}"))
    page.on("requestfailed", on_failed)
    page.on("response", on_response)
    page.on("dialog", on_dialog)
