"""A login against one bare Argon2 verification; a junk login against the same."""

import http.client
import re
import time
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

from domain import passwords
from domain.connections import connect
from models import Account, Throttle, db
from tests.bench import archive, server
from tests.bench.invoices import SMALL, settings

PASSWORD = "Nuvole-su-quattro-campi-39"
ROUNDS = 40


class Browser:
    """A browser on the login page: one connection, its cookie, the form's token."""

    def __init__(self, address):
        self._connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=20)
        self._connection.request("GET", "/login")
        answer = self._connection.getresponse()
        token = re.search(r'name="csrf_token" value="([^"]+)"', answer.read().decode())[1]
        self._cookie = answer.getheader("Set-Cookie").partition(";")[0]
        self._token = token

    def seconds(self, username, password, expected):
        """How long the answer to one login takes."""
        form = {"csrf_token": self._token, "username": username, "password": password}
        headers = {"Cookie": self._cookie, "Content-Type": "application/x-www-form-urlencoded"}
        start = time.perf_counter()
        self._connection.request("POST", "/login", urlencode(form), headers)
        answer = self._connection.getresponse()
        answer.read()
        seconds = time.perf_counter() - start
        if answer.status != expected:
            raise SystemExit(f"login answered {answer.status}, expected {expected}")
        return seconds


def run(root=Path("bench-data")):
    """Rows of (what, per second, anchor's per second, ratio, promise)."""
    folder = (root / "small").resolve()
    url = archive.build(folder, customers=SMALL)
    connect(url)
    kept = passwords.hashed(PASSWORD)
    Account.update(password_hash=kept).where(Account.username == "999999").execute()
    Throttle.delete().execute()
    db.close()
    named = {f"PORTALE_{key}": str(value) for key, value in settings(folder, url).items()}
    right, junk, bare = [], [], []
    with server.granian("app:create_app", **named) as portal:
        browser = Browser(portal)
        for _round in range(ROUNDS):
            right.append(browser.seconds("999999", PASSWORD, 303))
            bare.append(verification(kept))
        for _try in range(10):
            browser.seconds("000001", "sbagliata", 422)
        for _round in range(ROUNDS):
            junk.append(browser.seconds("000001", "sbagliata", 429))
            bare.append(verification(kept))
    anchor = 1 / median(bare)
    return [
        ("Login / Argon2 alone", 1 / median(right), anchor, median(bare) / median(right), ""),
        (
            "Junk login / Argon2 alone", 1 / median(junk), anchor, median(bare) / median(junk),
            "over 1: nothing is hashed",
        ),
    ]  # fmt: skip


def verification(kept):
    start = time.perf_counter()
    assert passwords.matches(kept, PASSWORD)
    return time.perf_counter() - start
