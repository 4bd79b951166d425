"""An operator's browser, as far as cookies and forms go, at the machine that was installed."""

import http.client
import re
import socket
import ssl
from urllib.parse import urlencode

import pyotp

from tests.install.machine import Failed

PASSWORD = "cavallo-prugna-temporale-51"
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
KEY = re.compile(r'<dd class="key">(.*?)</dd>', re.S)


class Desk:
    def __init__(self, site, certificate):
        self.site = site
        self.trusting = ssl.create_default_context(cafile=certificate)
        self.cookies = {}

    def begin(self, username, password):
        """From the first password to the page of today, with a second factor of one's own."""
        self.send("/staff/login", username=username, password=password)
        self.send("/staff/password", new_password=PASSWORD, repeat_password=PASSWORD)
        secret = re.sub(r"<[^>]*>|\s", "", KEY.search(self.page("/staff/secondo-fattore"))[1])
        self.send("/staff/secondo-fattore", code=pyotp.TOTP(secret).now())
        self.send("/staff/codici")
        if "<h1" not in self.page("/staff") or "Maria Rossi" not in self.page("/staff"):
            raise Failed("Dopo l'accesso non c'è la pagina dello sportello.")

    def send(self, path, **fields):
        """Fill in the form of a page; it must lead on."""
        token = TOKEN.search(self.page(path))[1]
        status, text, _headers = self.ask("POST", path, urlencode({**fields, "csrf_token": token}))
        if status != 303:
            raise Failed(f"POST {path}: {status}\n{text[-3000:]}")

    def page(self, path):
        status, text, _headers = self.ask("GET", path)
        if status != 200:
            raise Failed(f"GET {path}: {status}\n{text[-3000:]}")
        return text

    def ask(self, method, path, body=None):
        """(status, text, headers) of one request, on a connection of its own."""
        connection = Here(self.site, context=self.trusting, timeout=20)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Cookie": cookies, "Referer": f"https://{self.site}/"}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _equals, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        connection.close()
        return answer.status, text, answer.headers


class Here(http.client.HTTPSConnection):
    """To whatever name, on this machine; the certificate is checked against the name."""

    def connect(self):
        plain = socket.create_connection(("127.0.0.1", 443), self.timeout)
        self.sock = self._context.wrap_socket(plain, server_hostname=self.host)
