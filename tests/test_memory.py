"""What the portal's processes take, after a tour of every page in every language."""

import http.client
import re
import shlex
import subprocess
import sys
from contextlib import contextmanager

import pytest

from domain.language import LANGUAGES
from tests import every_page, smtp
from tests.browser.portal import ROOT
from tests.factories import make_operator
from tests.jobs import process
from tests.load import watch
from tests.security import desk, owners
from views.language import COOKIE

pytestmark = pytest.mark.slow

MOST = 200  # MB of resident memory, of both workers together
ROUNDS = 3  # of the tour, so that each worker has met each page in each language


@contextmanager
def server(settings):
    """The portal as portale.service starts it; the address of its server, and its workers."""
    text = (ROOT / "deploy" / "portale.service").read_text().replace("\\\n", " ")
    parts = shlex.split(re.search(r"^ExecStart=\S+(.*)", text, re.M)[1])
    memory = [each.split("=") for each in re.findall(r"^Environment=(MALLOC\w+=\d+)", text, re.M)]
    port = smtp.free_port()
    parts[parts.index("--port") + 1] = str(port)
    portal = subprocess.Popen(
        [sys.executable, "-m", "granian", *parts, "--no-log"],
        cwd=ROOT, env={**process.environment(settings), **dict(memory)},
    )  # fmt: skip
    try:
        process.until(lambda: answers(port))
        yield port, watch.children(portal.pid)
    finally:
        portal.terminate()
        portal.wait(30)


def answers(port):
    try:
        return ask(port, "/health") == 200
    except OSError:
        return False


def ask(port, path, cookie=""):
    """The status of one request, on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers={"Cookie": cookie})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def tour(app, sign_in, sign_in_operator):
    """(cookie, path) of all that a customer and an operator may look at, files included."""
    owner = every_page.rich(app)
    customer, operator = sign_in(owner.account), sign_in_operator(make_operator("administrator"))
    for browser, found, values in (
        (customer, owners.routes(app, "GET"), owners.own_values),
        (operator, desk.routes(app, "GET"), desk.values_of),
    ):
        for rule, _method in found:
            path = owners.address(app, rule, values(rule, owner))
            if browser.get(path).status_code == 200:
                yield browser.get_cookie("portale").value, path


def test_two_workers_stay_small(app, settings, sign_in, sign_in_operator):
    pages = list(tour(app, sign_in, sign_in_operator))
    assert len(pages) > 90
    with server(settings) as (port, workers):
        for spoken in list(LANGUAGES) * ROUNDS:
            for value, path in pages:
                assert ask(port, path, f"portale={value}; {COOKIE}={spoken}") < 500, path
        found = [mebibytes * 1.048576 for mebibytes in watch.resident(workers)]
    print(f"resident memory of the workers: {found} MB")
    assert len(found) == 2
    assert sum(found) < MOST
