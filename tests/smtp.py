"""A real SMTP server on a free loopback port, that takes, refuses or breaks as told."""

import asyncio
import email
import email.policy
import queue
import socket
import ssl
import subprocess
from contextlib import contextmanager

from aiosmtpd.controller import Controller


class MailServer:
    """What the server took, and what it answers instead, by recipient or to every text.

    An answer is a line such as `550 no such user`, or one of CUT and SILENT.
    """

    CUT, SILENT = "cut", "silent"

    def __init__(self):
        self.port = free_port()
        self.taken = queue.Queue()  # messages, as they arrive
        self.to_recipient = {}
        self.to_text = "250 OK"
        self.connections = 0

    def messages(self):
        """The messages taken since the last call."""
        found = []
        while not self.taken.empty():
            found.append(self.taken.get())
        return found

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(self, server, session, envelope, address, options):
        answer = await self.answer(server, self.to_recipient.get(address, "250 OK"))
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):
        answer = await self.answer(server, self.to_text)
        if answer.startswith("250"):
            text = email.message_from_bytes(envelope.content, policy=email.policy.default)
            text.envelope_to = envelope.rcpt_tos
            text.envelope_from = envelope.mail_from
            self.taken.put(text)
        return answer

    async def answer(self, server, wanted):
        if wanted == self.CUT:
            server.transport.abort()
            return "421 gone"
        if wanted == self.SILENT:
            await asyncio.Event().wait()
        return wanted


@contextmanager
def serving(**options):
    """A MailServer that listens; `options` are aiosmtpd's."""
    server = MailServer()
    controller = Controller(server, hostname="127.0.0.1", port=server.port, **options)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


@contextmanager
def silent():
    """The port of a server that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def certificate(folder, name="localhost"):
    """(path of a self-signed certificate for `name`, the server's TLS context)."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
         "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    return cert, context
