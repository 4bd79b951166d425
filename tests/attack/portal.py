"""The demo under attack: its server with a log of every answer, and who is signed in there."""

import http.cookiejar
import re
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from contextlib import contextmanager

from jobs import demo
from jobs.demo_world import people

ANSWERED = re.compile(r"^answered (\d{3}) (.*)$", re.M)
TROUBLE = re.compile(r"^.*(?:Traceback \(most recent|panicked at|\[ERROR\]|\[CRITICAL\]).*$", re.M)


class Portal:
    """`address` of the server, `environment` of its jobs; `log` holds what it says."""

    def __init__(self, address, environment, log):
        self.address = address
        self.environment = environment
        self.log = log
        self._read = 0

    def new_lines(self):
        """What the server has written since this was last asked."""
        with self.log.open(errors="replace") as log:
            log.seek(self._read)
            text = log.read()
            self._read = log.tell()
        return text

    def failed_jobs(self):
        """The jobs of cron that do not get over what the attack has left; none, one hopes."""
        return [name for name in demo.JOBS if demo.job(name, self.environment)]


def answers(text):
    """(how many answers of each status, the lines that must not be) of a server's log."""
    found = ANSWERED.findall(text)
    broken = [f"{status} {what}" for status, what in found if status.startswith("5")]
    return Counter(status for status, _what in found), broken + TROUBLE.findall(text)


@contextmanager
def running(data, log, port):
    """A freshly seeded demo on loopback; it ends with its server."""
    environment = demo.settings(port, data)
    for name in ("migrate", "seed_demo"):
        if demo.job(name, environment):
            sys.exit(f"{name} non è riuscito.")
    with log.open("wb") as output:
        server = subprocess.Popen(
            [
                sys.executable, "-m", "granian", "--interface", "wsgi", "--factory",
                "tests.attack.server:create_app", "--host", demo.HOST, "--port", str(port),
                "--workers", "2", "--blocking-threads", "64", "--no-ws", "--access-log",
                "--access-log-fmt", "answered %(status)d %(method)s %(path)s?%(query_string)s",
            ],
            cwd=demo.ROOT, env={**environment, "PYTHONUNBUFFERED": "1"}, stdout=output,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        demo.wait_until_ready(port, server)
        yield Portal(f"http://{demo.HOST}:{port}", environment, log)
    finally:
        demo.stop(server)


class Visitor:
    """A browser of somebody's: its cookies, as the login has left them."""

    def __init__(self, portal, name):
        self.portal, self.name = portal, name
        self.home = f"{portal.address}/login"
        self._jar = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._jar))

    def open(self, path, **data):
        """(status, address, text) of the page at the end of all redirects."""
        body = urllib.parse.urlencode(data).encode() if data else None
        try:
            with self._opener.open(f"{self.portal.address}{path}", body, timeout=60) as answer:
                return answer.status, answer.url, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as answer:
            return answer.code, answer.url, answer.read().decode(errors="replace")

    def post(self, path, page=None, **data):
        return self.open(path, csrf_token=self.token(page or path), **data)

    def token(self, path):
        """The CSRF token of the form at `path`."""
        _status, _address, text = self.open(path)
        return re.search(r'name="csrf_token" value="([^"]+)"', text)[1]

    def is_still_in(self):
        return self.open(self.home.removeprefix(self.portal.address))[1] == self.home

    @property
    def cookies(self):
        return "; ".join(f"{each.name}={each.value}" for each in self._jar)

    def cookie_file(self):
        """The same as wapiti reads them."""
        kept = {
            each.name: {"value": each.value, "expires": each.expires, "secure": False,
                        "port": None, "version": 0}
            for each in self._jar
        }  # fmt: skip
        return {demo.HOST: {"/": kept}}


def nobody(portal):
    visitor = Visitor(portal, "chiunque")
    visitor.token("/login")  # a cookie for the token that forms carry
    return visitor


def customer(portal):
    visitor = Visitor(portal, "cliente")
    visitor.post("/login", username=people.READY["code"], password=people.READY_PASSWORD)
    return signed_in(visitor, "/")


def operator(portal):
    """An administrator, who may do everything; the second factor comes from the demo's page."""
    visitor = Visitor(portal, "operatore")
    username = people.DESK[0]["username"]
    visitor.post("/staff/login", username=username, password=people.DESK_PASSWORD)
    _status, _address, telephone = Visitor(portal, "telefono").open("/demo/telefono")
    shown = re.search(rf"<dt>{username} .*?</dt><dd[^>]*>(\d+) (\d+)<", telephone)
    visitor.post("/staff/codice", code="".join(shown.groups()))
    return signed_in(visitor, "/staff")


def signed_in(visitor, home):
    """`visitor`, with `visitor.home` where it was led; ends the run if it was not let in."""
    _status, visitor.home, _text = visitor.open(home)
    if "/login" in visitor.home or "/codice" in visitor.home:
        sys.exit(f"L'accesso come {visitor.name} non è riuscito: {visitor.home}")
    visitor.open("/forniture/-/password" if home == "/" else "/staff/password")
    return visitor
