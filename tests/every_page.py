"""Every page of the portal in its states, for whoever checks them all.

The routes are those of tests/security: one that is not told of there fails.
"""

import datetime as dt
from typing import NamedTuple

from domain import credentials, mandate_links
from domain.clock import rome_day, utcnow
from tests.factories import (
    make_account,
    make_consumption,
    make_customer,
    make_delegate,
    make_electricity,
    make_gas,
    make_invoice,
    make_mandate,
    make_measured_day,
    make_meter_reading,
    make_operator,
    make_window,
)
from tests.pages import PARTIAL
from tests.security import desk, owners
from tests.security.owners import Owner, address
from tests.security.routes import UNSAFE, path_of, with_method

# What a page shows besides, by where it is: pages that turn, filters that find nothing or refuse.
CHOICES = {
    "invoices.index": ("righe=10&pag=2&ordine=importo", "anno=1999", "stato=pagata", "pag=x"),
    "measures.index": ("dal=01/01/2020&al=31/01/2020", "dal=ieri&al=domani"),
    "consumption.index": ("anno=2021", "anno=1999"),
    "history.index": ("righe=10&pag=2", "tipo=niente"),
    "documents.comunicati_index": ("cerca=niente+di+simile",),
    "staff_customers.index": ("cerca=cliente", "cerca=niente+di+simile"),
    "staff_readings.index": ("stato=pending", "cerca=niente+di+simile"),
    "staff_tickets.index": ("stato=closed", "cerca=niente+di+simile"),
    "staff_documents.index": ("cerca=niente+di+simile",),
    "staff_register.index": ("dal=ieri", "operatore=nessuno"),
}


class Page(NamedTuple):
    who: str
    method: str
    path: str
    is_partial: bool
    status: int
    text: str

    @property
    def name(self):
        return f"{self.who}: {self.method} {self.path}{' partial' if self.is_partial else ''}"


class Pages:
    """Opens addresses as one visitor and gives those that are answered with a page."""

    def __init__(self, app, browser, who):
        self.app = app
        self.browser = browser
        self.who = who

    def open(self, path, method="GET", headers=(), **options):
        answer = self.browser.open(path, method=method, headers=dict(headers), **options)
        if answer.mimetype == "text/html" and answer.status_code != 303:
            is_partial = not answer.text.lstrip().startswith("<!doctype")
            if is_partial or not headers:  # some answer with the page, asked for a partial or not
                yield Page(self.who, method, path, is_partial, answer.status_code, answer.text)

    def walk(self, found, values):
        """All of the (rule, method) in `found`: pages, partials, choices, forms sent empty."""
        for rule, method in found:
            path = address(self.app, rule, values(rule))
            yield from self.open(path, method)
            if method == "GET":
                yield from self.open(path, headers=PARTIAL)
            for choice in CHOICES.get(rule.endpoint, ()):
                yield from self.open(f"{path.partition('?')[0]}?{choice}")


def strangers(app):
    pages = Pages(app, app.test_client(), "nobody")
    for rule, method in with_method(app, "GET", *UNSAFE):
        if rule.endpoint in owners.OPEN | desk.DOOR:
            yield from pages.open(path_of(app, rule), method)
    yield from pages.open("/niente")
    customer = make_customer()
    claim = {"code": customer.code, "tax_id": customer.vat_number}
    pages.browser.post("/registrazione", data=claim)
    yield from pages.open("/registrazione/conferma")
    yield from pages.open("/registrazione/conferma", "POST", data={"email": "nessuno"})


def of_customer(app, owner, browser, *methods):
    """All that `owner`, who is rich, meets in `browser`."""
    found = owners.routes(app, *methods)
    pages = Pages(app, browser, "customer")
    yield from pages.walk(found, lambda rule: owners.own_values(rule, owner))


def of_desk(app, owner, browser):
    """All that operators read, `owner` being their customer."""
    pages = Pages(app, browser, "desk")
    yield from pages.walk(desk.routes(app, "GET"), lambda rule: desk.values_of(rule, owner))


def customers(app, sign_in):
    """Of who has one of each thing and many invoices, who has nothing yet, who has no supply."""
    owner = rich(app)
    yield from of_customer(app, owner, sign_in(owner.account), "GET", *UNSAFE)
    newcomer = make_customer()
    supplies = make_gas(newcomer, meter_class=None), make_electricity(newcomer)
    pages = Pages(app, sign_in(make_account(newcomer)), "newcomer")
    for supply in supplies:
        yield from pages.walk(empty(app), lambda _rule, code=supply.code: {"supply_code": code})
    first_time = sign_in(make_account(password=False), must_change_password=True)
    yield from Pages(app, first_time, "first access").open("/password")
    nobody = Pages(app, sign_in(make_account(make_customer())), "without supplies")
    yield from nobody.open("/", follow_redirects=True)
    yield from delegates(app, sign_in)


def delegates(app, sign_in):
    """Of who is invited, of who acts for a customer, of who does so no more."""
    owner, login = Owner(app), make_delegate()
    waiting = make_mandate(owner.customer, owner.gas)
    key = credentials.key(app.secret_key)
    invitation = f"/delega/{mandate_links.make(waiting.id, waiting.email, now=utcnow(), key=key)}"
    yield from Pages(app, app.test_client(), "invited").open(invitation)
    yield from Pages(app, app.test_client(), "invited").open(invitation, "POST")
    yield from Pages(app, sign_in(login), "no delegate any more").open("/forniture/-/password")
    make_mandate(owner.customer, owner.gas, owner.electricity, account=login)
    make_mandate(owner.customer, owner.gas, account=login, ended_at=utcnow(), ended_by="delegate")
    pages, here = Pages(app, sign_in(login), "delegate"), f"/forniture/{owner.gas.code}"
    for path in (invitation, "/deleghe", f"{here}/home", f"{here}/anagrafica", f"{here}/storico"):
        yield from pages.open(path)


def rich(app):
    owner = Owner(app)
    make_window()
    today = rome_day(utcnow())
    for number in range(25):
        make_invoice(owner.customer, owner.gas, date=today - dt.timedelta(days=30 * number))
    for days in (400, 200, 60):
        make_meter_reading(owner.gas, today - dt.timedelta(days=days), 1000 - days)
    owner.reading()
    for days in range(1, 40):
        make_measured_day(owner.electricity, today - dt.timedelta(days=days))
    for supply in (owner.gas, owner.electricity):
        for year in (2020, 2021):
            make_consumption(supply, dt.date(year, 1, 1), dt.date(year, 2, 28))
    return owner


def empty(app):
    """The pages of lists and forms, which need nothing but a supply."""
    for rule, method in owners.routes(app, "GET"):
        if rule.endpoint in owners.NAMELESS | {"consumption.index", "measures.index"}:
            yield rule, method


def operators(app, sign_in_operator):
    administrator = make_operator("administrator")
    pages = Pages(app, sign_in_operator(administrator), "empty desk")
    for rule, method in desk.routes(app, "GET"):
        if rule.endpoint in desk.NAMELESS:
            yield from pages.walk([(rule, method)], lambda _rule: {})
    owner = rich(app)
    yield from of_desk(app, owner, sign_in_operator(administrator))
    for rule, method in desk.routes(app, *UNSAFE):
        # Signed in each time: some of what is posted ends the session.
        pages = Pages(app, sign_in_operator(administrator), "desk")
        yield from pages.walk([(rule, method)], lambda rule: desk.values_of(rule, owner))


def entrance(app, sign_in_operator):
    """The steps between the password and the desk."""
    steps = {
        "/staff/password": {"must_change_password": True},
        "/staff/secondo-fattore": {"totp_nonce": None, "totp_since": None},
        "/staff/codice": {},
    }
    for path, values in steps.items():
        browser = sign_in_operator(make_operator(**values), verified=False)
        for method in ("GET", "POST"):
            yield from Pages(app, browser, "entrance").open(path, method)
