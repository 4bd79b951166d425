"""`make demo` as a newcomer meets it: the ready login, and a registration in the browser."""

import re
import signal
import subprocess
import sys
import threading

import pytest
from playwright.sync_api import expect

from jobs.demo_world import people
from tests import smtp
from tests.browser.accessible import findings
from tests.browser.portal import ROOT
from tests.browser.test_guide import OWN_PASSWORD, Guide

pytestmark = pytest.mark.browser

READY_WITHIN = 60  # seconds


class Demo:
    """The demo's process, with what it has printed until it was ready."""

    def __init__(self, data):
        self.address = f"http://127.0.0.1:{smtp.free_port()}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "jobs.demo", "--data", data,
             "--port", self.address.rpartition(":")[2]],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.printed = ""

    def wait(self):
        overdue = threading.Timer(READY_WITHIN, self.process.kill)
        overdue.start()
        for line in self.process.stdout:
            self.printed += line
            if "Ctrl-C" in line:
                break
        overdue.cancel()
        assert "Ctrl-C" in self.printed, self.printed

    def stop(self):
        """What Ctrl-C does; returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=20)
        return self.process.returncode


@pytest.fixture(scope="module")
def portal(tmp_path_factory):
    demo = Demo(tmp_path_factory.mktemp("demo") / "demo-data")
    try:
        demo.wait()
        yield demo
    finally:
        assert demo.stop() == 0


def test_what_is_printed_lets_one_in(open_browser, portal):
    assert portal.address in portal.printed
    code, password = re.search(r"User (\S+) +Password (\S+)", portal.printed).groups()
    page = open_browser()
    page.goto("/")
    guide = Guide(page, code)
    guide.see("Dimostrazione: dati inventati.")
    guide.sign_in(password)
    guide.heading("Home Page")
    guide.see(people.READY["name"])


def test_a_newcomer_registers_with_the_mail_on_its_page(open_browser, portal):
    code, vat_number = re.search(
        r"Codice cliente (\S+) +Partita IVA (\S+)", portal.printed
    ).groups()
    page = open_browser()
    post = page.context.new_page()
    post.goto("/demo/posta")
    expect(post.get_by_text("Nessuna mail per ora.")).to_be_visible()

    guide = Guide(page, code)
    page.goto("/registrazione")
    guide.fill("Codice cliente presente in fattura", code)
    guide.fill("Codice fiscale o partita IVA", vat_number)
    guide.press("Conferma")
    guide.fill("E-Mail", "nuovo@posta.example")
    guide.press("Salva")
    guide.heading("Autenticazione")

    post.get_by_role("link", name="nuovo@posta.example").click()  # it appeared by itself
    text = post.get_by_role("article").inner_text()
    guide.sign_in(re.search(r"Password: (\S+)", text)[1])
    post.reload()
    expect(post.get_by_role("article")).to_be_visible()  # not led away from the mail
    guide.fill("Nuova password", OWN_PASSWORD)
    guide.fill("Conferma nuova password", OWN_PASSWORD)
    guide.press("Conferma")
    guide.heading("Home Page")
    guide.see(people.NEWCOMER["name"])


# -- The main pages under axe; all of them are in test_accessible.py -----------------------

CUSTOMER = [f"/forniture/PR002876/{page}" for page in ("home", "fatture", "autolettura", "ticket")]
DESK = [f"/staff{page}" for page in ("", "/clienti", "/ticket", "/caricamenti", "/documenti/nuovo")]


def sign_in_at_desk(page, username, password):
    page.goto("/staff/login")
    page.get_by_label("Utente").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Login").click()


def enter_desk(page, username):
    """With the code that the demo's telephone shows."""
    sign_in_at_desk(page, username, people.DESK_PASSWORD)
    telephone = page.context.new_page()
    telephone.goto("/demo/telefono")
    codes = telephone.locator("#codes").inner_text()
    code = re.search(rf"{username}\b.*?(\d{{3}}) (\d{{3}})", codes, re.S)
    telephone.close()
    page.get_by_label("Codice di 6 cifre").fill(code[1] + code[2])
    page.get_by_role("button", name="Conferma").click()
    page.wait_for_url("**/staff")


@pytest.mark.slow
def test_the_main_pages_bar_nobody(open_browser, portal):
    customer = open_browser(viewport={"width": 390, "height": 844}, color_scheme="dark")
    customer.goto("/")
    Guide(customer, people.READY["code"]).sign_in(people.READY_PASSWORD)
    customer.wait_for_url("**/home")
    clerk = open_browser()
    enter_desk(clerk, people.DESK[1]["username"])
    found = []
    for page, addresses in ((customer, CUSTOMER), (clerk, DESK)):
        for address in addresses:
            page.goto(address)
            found += findings(page)
    assert not found, "\n".join(found)
