"""The customers, for locust: what each kind of them does, and how often.

Run by tests.load, which has written the plan of the run as JSON to $LOAD_PLAN. Locust has an
environment of its own: nothing of the portal is imported here.
"""

import itertools
import json
import os
import random
import re
import time
from pathlib import Path

import gevent
from locust import FastHttpUser, LoadTestShape, constant_throughput, events, task

PLAN = json.loads(Path(os.environ["LOAD_PLAN"]).read_text())
CSRF = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
PAGES = ("home", "fatture", "autolettura", "prelievi", "anagrafica", "storico", "ticket",
         "contratti", "dati-tecnici", "documenti")  # fmt: skip
TWICE = 10  # one reading of so many is sent twice at once
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

started = time.monotonic()
asked = []  # (phase, kind, milliseconds, status)
readings = []  # [supply, counter, status]; 0 until there is an answer
mistakes = []  # of this program, which is to have none
readers = iter(PLAN["readers"])
counters = itertools.count(1)


def phase():
    """Which third of the run this is: 0, 1 or 2."""
    return min(int(3 * (time.monotonic() - started) / PLAN["seconds"]), 2)


@events.request.add_listener
def note(name, response_time, response, exception, **_more):
    asked.append((phase(), name, response_time, getattr(response, "status_code", 0)))


@events.user_error.add_listener
def mistaken(exception, **_more):
    mistakes.append(repr(exception))


@events.quitting.add_listener
def tell(**_more):
    result = {"asked": asked, "readings": readings, "mistakes": mistakes}
    Path(PLAN["result"]).write_text(json.dumps(result))


class Customer(FastHttpUser):
    """Somebody with an address of their own, as the proxy in front of the portal tells it."""

    abstract = True
    host = PLAN["address"]
    network_timeout = connection_timeout = 60
    concurrency = 2

    def on_start(self):
        self.address = f"10.{random.randrange(256)}.{random.randrange(256)}.{next(counters) % 256}"
        self.cookies = {}
        # Not by `allow_redirects`, which is forgotten where two requests are under way.
        self.client.client.redirect_response_codes = frozenset()

    def ask(self, kind, path, form=None):
        """One request; every status is an answer here, and judged when the run has ended."""
        headers = {
            "Host": PLAN["host"],
            "X-Forwarded-For": self.address,
            "X-Forwarded-Proto": "https",
            "User-Agent": AGENT,
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
        }
        with self.client.request(
            "GET" if form is None else "POST", path, name=kind, headers=headers, data=form,
            catch_response=True,
        ) as answer:  # fmt: skip
            answer.success()
            for each in answer.headers.getlist("set-cookie") if answer.headers else ():
                name, _equals, value = each.partition(";")[0].partition("=")
                self.cookies[name] = value
            return answer

    def token(self, answer):
        found = CSRF.search(answer.text or "")
        return found[1] if found else ""


class Reader(Customer):
    """Signed in already; looks at pages."""

    fixed_count = 100
    wait_time = constant_throughput(0.5)

    def on_start(self):
        super().on_start()
        self.who = random.choice(PLAN["browsers"])
        self.cookies = dict(self.who["cookies"])

    @task
    def look(self):
        self.ask("pagina", f"/forniture/{self.who['supply']}/{random.choice(PAGES)}")


class Downloader(Reader):
    fixed_count = 20
    wait_time = constant_throughput(0.25)

    @task
    def look(self):
        invoice = random.choice(self.who["invoices"])
        self.ask("PDF", f"/forniture/{self.who['supply']}/fatture/{invoice}/pdf")


class Newcomer(Customer):
    """Comes with another address each time, and signs in with the right password."""

    fixed_count = 20
    wait_time = constant_throughput(0.25)

    @task
    def sign_in(self):
        self.on_start()
        form = {
            "csrf_token": self.token(self.ask("modulo di accesso", "/login")),
            "username": random.choice(PLAN["logins"]),
            "password": PLAN["password"],
        }
        self.ask("accesso", "/login", form)


class SelfReader(Customer):
    """In the last hour of the window: each sends one reading, some press «Salva» twice."""

    fixed_count = 40
    wait_time = constant_throughput(0.5)

    @task
    def enter(self):
        who = next(readers, None) if phase() > 0 else None
        if who is None:
            return
        self.cookies = dict(who["cookies"])
        path = f"/forniture/{who['supply']}/autolettura/nuova"
        form = {"csrf_token": self.token(self.ask("modulo di lettura", path)),
                "counter": str(1000 + next(counters) % 90_000)}  # fmt: skip
        times = 1 + (random.randrange(TWICE) == 0)
        gevent.joinall([gevent.spawn(self.send, who, path, form) for _time in range(times)])

    def send(self, who, path, form):
        sent = [who["supply"], int(form["counter"]), 0]
        readings.append(sent)
        sent[2] = self.ask("lettura", path, form).status_code


class Guesser(Customer):
    """Tries a password at many codes, from few addresses."""

    fixed_count = 100
    wait_time = constant_throughput(1)

    def on_start(self):
        super().on_start()
        self.address = f"192.0.2.{next(counters) % 20}"
        self.csrf = None

    @task
    def guess(self):
        if phase() < 2:
            return
        if not self.csrf:
            self.csrf = self.token(self.ask("modulo di accesso", "/login"))
        form = {
            "csrf_token": self.csrf,
            "username": random.choice(PLAN["logins"]),
            "password": "Primavera-2026!",
        }
        self.ask("accesso a caso", "/login", form)


class UntilItsEnd(LoadTestShape):
    """All of them from the first seconds to the last."""

    kinds = (Reader, Downloader, Newcomer, SelfReader, Guesser)
    together = sum(kind.fixed_count for kind in kinds)

    def tick(self):
        return (self.together, 50) if self.get_run_time() < PLAN["seconds"] else None
