"""A portal as in production: its own process, TLS, its jobs as cron runs them, real mail."""

import base64
import hashlib
import os
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from asn1crypto import pem, x509

from tests import smtp

ROOT = Path(__file__).parent.parent.parent
HOST = "portale.example"  # the browser is told that it is this machine
READY_WITHIN = 30  # seconds


class Certificate(NamedTuple):
    """A certificate of our own; `fingerprint` is how the browser is told to trust it."""

    path: Path
    key: Path
    fingerprint: str


def certificate(folder):
    path, _context = smtp.certificate(folder, HOST)
    _type, _headers, der = pem.unarmor(path.read_bytes())
    public_key = x509.Certificate.load(der).public_key.dump()
    fingerprint = base64.b64encode(hashlib.sha256(public_key).digest()).decode()
    return Certificate(path, folder / "key.pem", fingerprint)


class Portal:
    """`address` for the browser, `data` the folder, `mail` what the portal has sent."""

    def __init__(self, data, mail, settings):
        self.data = data
        self.mail = mail
        self.address = settings["PORTALE_BASE_URL"]
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("PORTALE_")},
            **settings,
        }

    def job(self, name, *options):
        """Run a job as cron does; it must succeed. Returns what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", f"jobs.{name}", *options],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def load(self, files, attachments=()):
        """Import (name, text) pairs through the inbox, with the (name, bytes) they name."""
        for name, content in attachments:
            (self.data / "inbox" / "allegati" / name).write_bytes(content)
        for name, text in files:
            (self.data / "inbox" / name).write_text(text)
        told = self.job("import_inbox")
        rejected = self.data / "inbox" / "scartati"
        assert not rejected.exists() or not list(rejected.iterdir()), told

    def next_mail(self):
        """The next message that the mail server takes."""
        return self.mail.taken.get(timeout=15)


@contextmanager
def running(data, certificate):
    """A migrated, empty portal with its data in the folder `data`; ends with its server."""
    port = smtp.free_port()
    with smtp.serving() as mail:
        portal = Portal(data, mail, {
            "PORTALE_ENV": "production",
            "PORTALE_DATA_DIR": str(data),
            "PORTALE_SECRET_KEY": "una-chiave-di-prova-lunga-abbastanza",
            "PORTALE_BASE_URL": f"https://{HOST}:{port}",
            "PORTALE_UTILITY_NAME": "Prova Energia",
            "PORTALE_UTILITY_VAT": "01234567897",
            "PORTALE_UTILITY_CONTACTS": "telefono 0574 000000",
            "PORTALE_MAIL_SERVER": "127.0.0.1",
            "PORTALE_MAIL_PORT": str(mail.port),
        })  # fmt: skip
        portal.job("migrate")
        server = subprocess.Popen(
            [sys.executable, "-m", "granian", "--interface", "wsgi", "--factory",
             "app:create_app", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
             "--blocking-threads", "4", "--no-ws", "--no-log", "--http", "1",
             "--ssl-certificate", certificate.path, "--ssl-keyfile", certificate.key],
            cwd=ROOT, env=portal.environment,
        )  # fmt: skip
        try:
            wait_until_ready(port, server)
            yield portal
        finally:
            server.terminate()
            server.wait(20)


def wait_until_ready(port, server):
    unverified = ssl.create_default_context()
    unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
    request = urllib.request.Request(f"https://127.0.0.1:{port}/login", headers={"Host": HOST})
    until = time.monotonic() + READY_WITHIN
    while True:
        assert server.poll() is None, "the server ended"
        try:
            urllib.request.urlopen(request, timeout=5, context=unverified).close()
            return
        except urllib.error.HTTPError:
            raise
        except OSError:
            assert time.monotonic() < until, "the server does not answer"
            time.sleep(0.05)
