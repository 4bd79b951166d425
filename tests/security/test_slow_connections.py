"""Connections that send or read slowly, or not at all, must not shut the others out."""

import re
import socket
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from jobs import demo
from tests.factories import make_account, make_customer, make_file, make_invoice
from tests.jobs import process

ROOT = Path(__file__).parents[2]
MANY = 50
FORM = "Host: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
HALF_SENT = (
    "GET /login HT",
    f"POST /login HTTP/1.1\r\n{FORM}Content-Length: 500\r\n\r\nusername=1",
    f"POST /login HTTP/1.1\r\n{FORM}Transfer-Encoding: chunked\r\n\r\n5\r\nuser=\r\n",
)


@pytest.fixture
def server(settings, app):
    """The port of the real server, started as the demo starts it."""
    with socket.socket() as probe:
        probe.bind((demo.HOST, 0))
        port = probe.getsockname()[1]
    given = process.environment(settings, BASE_URL=f"http://{demo.HOST}:{port}")
    running = demo.start_server(port, given)
    try:
        demo.wait_until_ready(port, running)
        yield port
    finally:
        demo.stop(running)


@contextmanager
def held_open(port, text, many):
    """`many` connections that sent `text` and wait."""
    with ExitStack() as opened:
        connections = []
        for _ in range(many):
            connection = opened.enter_context(socket.create_connection((demo.HOST, port), 10))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(text.encode())
            connections.append(connection)
        yield connections


def assert_answers(port):
    request = "GET /login HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    with socket.create_connection((demo.HOST, port), 5) as connection:
        connection.sendall(request.encode())
        assert connection.recv(12) == b"HTTP/1.1 200"


def test_the_portal_answers_while_many_requests_are_half_sent(server):
    for text in HALF_SENT:
        with held_open(server, text, MANY):
            for _ in range(10):
                assert_answers(server)


def test_the_portal_answers_while_many_read_a_document_slowly(app, sign_in, server):
    customer = make_customer()
    document = make_file(app, "grande.pdf", b"%PDF-1.4\n" + bytes(20_000_000))
    invoice = make_invoice(customer, document=document)
    cookie = sign_in(make_account(customer)).get_cookie("portale").value
    request = (
        f"GET /forniture/-/fatture/{invoice.id}/pdf HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Cookie: portale={cookie}\r\n\r\n"
    )
    with held_open(server, request, MANY) as connections:
        assert {connection.recv(12) for connection in connections} == {b"HTTP/1.1 200"}
        for _ in range(10):
            assert_answers(server)


@pytest.mark.parametrize("name", ["deploy/portale.service", "deploy/Containerfile"])
def test_a_portal_in_production_has_as_many_threads(name):
    def threads(text):
        return re.search(r"--blocking-threads\W+(\d+)", text)[1]

    assert threads((ROOT / name).read_text()) == threads((ROOT / "jobs/demo.py").read_text())
