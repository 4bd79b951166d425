"""Two machines with the portal, one PostgreSQL, nginx in front as deploy/ shows it."""

import http.client
import os
import re
import ssl
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playhouse.pool import MaxConnectionsExceeded

import models
from domain import connections
from domain.clock import utcnow
from domain.mail import outbox
from jobs import runner
from models import Customer, ImportedFile, OutgoingMail, ReadingBatch, SelfReading
from tests import smtp
from tests.conftest import ON_POSTGRESQL, required
from tests.factories import PASSWORD, make_account, make_customer, make_gas, make_self_reading
from tests.jobs import process
from views.assets import KEPT

pytestmark = pytest.mark.skipif(not ON_POSTGRESQL, reason="needs a server of PostgreSQL")
ROOT = Path(__file__).parent.parent
NGINX = "/usr/sbin/nginx"
HOST = "portale.example.it"
PLANNED = re.findall(r"-m jobs\.(\w+)", (ROOT / "deploy" / "portale.cron").read_text())
JOBS = [name for name in PLANNED if name != "check"]  # which fails until the others have run


@pytest.fixture
def shared(app, settings):
    """Settings of both machines, which share the data folder."""
    return settings | {
        "ENV": "production", "BASE_URL": f"https://{HOST}", "PROXY_HOPS": 1,
        "DATABASE_CONNECTIONS": 5,
    }  # fmt: skip


@pytest.fixture
def nodes(shared):
    """The port of each machine's server, and its process."""
    with ExitStack() as running:
        started = dict(running.enter_context(node(shared)) for _machine in range(2))
        for port in started:
            process.until(lambda port=port: answers(port))
        yield started


@contextmanager
def node(settings):
    port = smtp.free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "app:create_app",
         "--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--blocking-threads", "8",
         "--no-ws", "--no-log"],
        cwd=ROOT, env=process.environment(settings), start_new_session=True,
    )  # fmt: skip
    try:
        yield port, server
    finally:
        server.terminate()
        server.wait(20)


def answers(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/login", headers={"Host": HOST})
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@pytest.fixture
def proxy(nodes, tmp_path):
    """nginx with the example, where only ports and paths are put in; its HTTPS port."""
    if not os.path.exists(NGINX):
        required("no nginx: apt-get install nginx")
    certificate, _context = smtp.certificate(tmp_path, HOST)
    first, second = nodes
    port = smtp.free_port()
    example = (ROOT / "deploy" / "nginx-two-nodes.conf").read_text()
    for given, ours in {
        r" *listen \[::\].*\n": "",
        r"listen 80;": f"listen 127.0.0.1:{smtp.free_port()};",
        r"listen 443 ": f"listen 127.0.0.1:{port} ",
        r"10\.0\.0\.11:8000": f"127.0.0.1:{first}",
        r"10\.0\.0\.12:8000": f"127.0.0.1:{second}",
        r"/etc/letsencrypt/\S+/fullchain.pem": str(certificate),
        r"/etc/letsencrypt/\S+/privkey.pem": str(tmp_path / "key.pem"),
        r"/var/log/nginx/": f"{tmp_path}/",
    }.items():
        example, found = re.subn(given, ours, example)
        assert found, given
    (tmp_path / "portale.conf").write_text(example)
    places = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    ours = " ".join(f"{name}_temp_path {tmp_path}/{name};" for name in places)
    (tmp_path / "nginx.conf").write_text(
        f"user root; daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error.log;\n"
        "events {}\n"
        f"http {{ gzip on; {ours} include {tmp_path}/portale.conf; }}\n"  # as Debian's
    )
    command = [NGINX, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
    server = subprocess.Popen([*command, "-e", str(tmp_path / "error.log")])
    try:
        visitor = Visitor(port, tmp_path / "portale.log")
        process.until(lambda: server.poll() is not None or visitor.reaches())
        yield visitor
    finally:
        server.terminate()
        server.wait(20)


class Visitor:
    """A browser, as far as cookies and forms go, on the way through the proxy."""

    def __init__(self, port, log):
        self.port = port
        self.log = log
        self.cookies = {}

    def reaches(self):
        try:
            return self.get("/login")[0] == 200
        except OSError:
            return False

    def get(self, path):
        return self.ask("GET", path)

    def post(self, path, **fields):
        return self.ask("POST", path, urlencode(fields))

    def ask(self, method, path, body=None, headers=()):
        """(status, text, headers) of one request, on a connection of its own."""
        trusting = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=trusting)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Host": HOST, "Cookie": cookies, "Referer": f"https://{HOST}/", **dict(headers)}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _equals, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        connection.close()
        return answer.status, text, answer.headers

    def log_in(self, username):
        form = self.get("/login")[1]
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)[1]
        return self.post("/login", username=username, password=PASSWORD, csrf_token=token)

    def served_by(self):
        """The port of the machine that answered each request so far."""
        last = (re.search(r":(\d+) [\d.]+$", line) for line in self.log.read_text().splitlines())
        return [int(found[1]) for found in last if found]


def test_pages_come_from_either_machine_and_go_on_when_one_is_gone(proxy, nodes):
    customer = make_customer("000002", name="ROSSI MARIO")
    make_gas(customer)
    make_account(customer)
    status, _text, headers = proxy.log_in("000002")
    assert (status, headers["Location"]) == (303, "/")
    for _page in range(8):
        assert "ROSSI MARIO" in follow(proxy, "/")
    assert set(proxy.served_by()[-8:]) == set(nodes)
    gone = min(nodes)
    os.killpg(nodes[gone].pid, 9)
    nodes[gone].wait()
    for _page in range(8):
        assert "ROSSI MARIO" in follow(proxy, "/")
    assert set(proxy.served_by()[-8:]) == set(nodes) - {gone}


def follow(visitor, path):
    """The text of a page, after its redirects."""
    status, text, headers = visitor.get(path)
    while status in {302, 303}:
        status, text, headers = visitor.get(headers["Location"])
    assert status == 200
    return text


def test_files_come_from_either_machine_to_be_kept(proxy):
    address = re.search(r'href="(/static/\w+/style\.css)"', proxy.get("/login")[1])[1]
    for _machine in range(2):
        status, _text, headers = proxy.get(address)
        assert status == 200
        assert headers["Cache-Control"] == KEPT
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_file_that_one_machine_does_not_have_is_asked_of_the_other(proxy, nodes):
    proxy.get("/static/x/niente.js")
    assert re.search(r"127\.0\.0\.1:\d+, 127\.0\.0\.1:\d+ ", proxy.log.read_text())


def test_the_proxy_compresses_nothing_by_itself(proxy):
    zipped = {"Accept-Encoding": "gzip"}
    answers = [
        proxy.ask("GET", "/login", headers={**zipped, "Sec-Fetch-Site": site})[2]
        for site in ("cross-site", "none")
    ]
    assert [each["Content-Encoding"] for each in answers] == [None, "gzip"]


def test_the_proxy_tells_each_machine_whom_it_serves(proxy):
    make_account(make_customer("000002"))
    for _try in range(12):  # counted by address, on whichever machine
        answer = proxy.log_in("000003")
    assert answer[0] == 429


@pytest.mark.processes
def test_two_machines_run_every_job_at_once_and_each_thing_is_done_once(app, shared, mail_server):
    customer = make_customer()
    gas = make_gas(customer)
    make_self_reading(gas, utcnow().date(), 100)
    account = make_account(customer)
    for _mail in range(5):
        outbox.queue("erasure_asked", account.email, account=account, now=utcnow())
    data = app.config["DATA_DIR"]
    columns = "codice_cliente;denominazione;partita_iva\n"
    for n in range(5):
        (data / "inbox" / f"clienti_{n}.csv").write_text(f"{columns}90000{n};NUOVO;01234567897\n")
    environment = process.environment(shared, MAIL_PORT=mail_server.port, PROXY_HOPS=0)
    running = [
        subprocess.Popen(
            [sys.executable, "-m", f"jobs.{name}"], cwd=ROOT, env=environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for name in JOBS
        for _machine in range(2)
    ]  # fmt: skip
    told = [each.communicate(timeout=120)[0] for each in running]
    assert {each.returncode for each in running} <= {0, 75}, "\n".join(told)
    for name in JOBS:
        assert any(f" {name} exit=0" in line for line in told), told
    assert Customer.select().where(Customer.name == "NUOVO").count() == 5
    assert ImportedFile.select().count() == 5
    assert len(list((data / "inbox" / "archivio").rglob("*.csv"))) == 5
    assert ReadingBatch.select().count() == SelfReading.select().count() == 1
    assert len(list((data / "outbox").glob("autoletture_*.csv"))) == 1
    assert OutgoingMail.select().where(OutgoingMail.state == "sent").count() == 5
    assert len(mail_server.messages()) == 5
    assert 1 <= len(list((data / "backup").iterdir())) <= 2


def test_the_server_soon_asks_after_a_machine_that_vanished(app, settings):
    seconds = [
        int(models.db.execute_sql(f"SHOW tcp_keepalives_{name}").fetchone()[0])
        for name in ("idle", "interval", "count")
    ]
    assert seconds[0] + seconds[1] * seconds[2] == 60
    with runner.locked_on_server(settings["DATABASE_URL"], "sample"):
        held = models.db.execute_sql(
            "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        )
        assert held.fetchone()[0] == 1


def test_a_thread_waits_where_the_server_takes_no_more_connections(app, settings):
    """As with `max_connections` of the server, which other machines have used up."""
    models.db.execute_sql("DROP ROLE IF EXISTS few")
    models.db.execute_sql("CREATE ROLE few LOGIN CONNECTION LIMIT 1")
    models.db.close_all()
    database = connections.connect(settings["DATABASE_URL"].replace("postgres@", "few@"), timeout=3)
    try:
        database.connect()
        results = []

        def other():
            try:
                with database.connection_context():
                    results.append(database.execute_sql("SELECT 1").fetchone()[0])
            except MaxConnectionsExceeded as error:
                results.append(str(error))

        for patient in (True, False):
            waiting = threading.Thread(target=other)
            waiting.start()
            if patient:
                waiting.join(0.3)
                database.close()
            waiting.join()
            if patient:
                database.connect()
        assert results[0] == 1
        assert "Max connections" in results[1]
    finally:
        database.close_all()
        connections.connect(settings["DATABASE_URL"])
        models.db.execute_sql("DROP ROLE few")
