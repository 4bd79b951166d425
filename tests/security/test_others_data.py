"""Rows 9 and 12: what is another's equals what does not exist, and looking changes nothing.

Both walk the routes, and a route that they are not told of fails.
"""

import datetime as dt
import re

import pytest

from domain.clock import rome_day, utcnow
from models import (
    Account,
    BilledConsumption,
    Document,
    Event,
    Invoice,
    MeasuredDay,
    SelfReading,
    Throttle,
)
from tests.factories import (
    make_account,
    make_attachment,
    make_consumption,
    make_customer,
    make_document,
    make_electricity,
    make_file,
    make_gas,
    make_invoice,
    make_measured_day,
    make_self_reading,
    make_ticket,
    make_window,
)
from tests.pages import PARTIAL
from tests.security.routes import UNSAFE, archive, path_of, with_method
from views.documents import PAGES

# No login is asked for; what they give away is the matter of other rows.
OPEN = {
    "static",
    "frame.theme",
    "frame.logo",
    "auth.login",
    "auth.sign_in",
    "auth.logout",
    "auth.recovery",
    "auth.recover",
    "auth.registration",
    "auth.registration_email",
    "auth.claim",
    "auth.register",
    "preferences.feed",
    "records.email_link",
    "records.confirm_email",
}
# Those of them that an address with a secret opens: each try is counted.
BY_SECRET = {"preferences.feed", "records.email_link"}


class Owner:
    """A customer who has one of each thing."""

    def __init__(self, app):
        self.app = app
        self.customer = make_customer()
        self.account = make_account(self.customer)
        self.gas = make_gas(self.customer)
        self.electricity = make_electricity(self.customer)
        self.today = rome_day(utcnow())

    def invoice(self):
        file = make_file(self.app, f"f{self.gas.id}-{Invoice.select().count()}.pdf")
        iban = "IT60X0542811101000000123456"
        due = {"date": self.today, "iban": iban}
        return make_invoice(self.customer, self.gas, document=file, **due)

    def reading(self):
        days = SelfReading.select().count()
        return make_self_reading(self.gas, self.today - dt.timedelta(days=days), 100)

    def ticket(self, **values):
        return make_ticket(self.customer, category="complaint", due_on=self.today, **values)

    def attachment(self):
        ticket = self.ticket()
        key = 98_700 + ticket.id  # not a number that a page shows for other reasons
        return {"code": ticket.code, "key": make_attachment(self.app, ticket, id=key).id}

    def document(self, category):
        """A document of theirs, or one that all may see."""
        whose = self.customer if category == "personal" else None
        number = 1001 + Document.select().count()  # short ones stand elsewhere in a page too
        values = {"id": number, "text": "Testo", "file": make_file(self.app, f"d{number}.pdf")}
        return make_document(None, category, customer=whose, **values)

    def measures(self):
        """The electricity supply, with the measures of one more day."""
        days = 1 + MeasuredDay.select().count()
        make_measured_day(self.electricity, self.today - dt.timedelta(days=days))
        return {"supply_code": self.electricity.code}

    def consumption(self):
        start = dt.date(2020 + BilledConsumption.select().count(), 1, 1)
        make_consumption(self.electricity, start, start.replace(month=2, day=28))
        return {"supply_code": self.electricity.code}


# What an address names beside a supply, in its path or its parameters, by route.
OBJECTS = {
    "frame.choose": lambda own: {"fornitura": own.gas.code},
    "invoices.pdf": lambda own: {"key": own.invoice().id},
    "invoices.as_zip": lambda own: {"id": own.invoice().id},
    "invoices.payment": lambda own: {"key": own.invoice().id},
    "readings.ask_to_cancel": lambda own: {"reading_id": own.reading().id},
    "readings.cancel": lambda own: {"reading_id": own.reading().id},
    "tickets.ticket": lambda own: {"code": own.ticket().code},
    "tickets.answer": lambda own: {"code": own.ticket().code},
    "tickets.reopen": lambda own: {"code": own.ticket(state="closed", closed_at=utcnow()).code},
    "tickets.close": lambda own: {"code": own.ticket().code},
    "tickets.receipt": lambda own: {"code": own.ticket().code},
    "tickets.attachment": lambda own: own.attachment(),
    "consumption.index": Owner.consumption,
    "consumption.billed_periods": Owner.consumption,
    "consumption.as_csv": Owner.consumption,
    "consumption.as_xlsx": Owner.consumption,
    "measures.index": Owner.measures,
    "measures.curve": Owner.measures,
    "measure_files.download": lambda own: {**own.measures(), "formato": "csv"},
}

for page, category in PAGES.items():
    for view in ("read", "pdf"):
        OBJECTS[f"documents.{page}_{view}"] = lambda own, category=category: {
            "key": own.document(category).id
        }

# Routes that name nothing but a supply, or not even that.
NAMELESS = {
    "frame.home_of_default",
    "auth.change_password",
    "auth.close_all_sessions",
    "auth.password_page",
    "auth.save_password",
    "home.index",
    "invoices.index",
    "readings.index",
    "readings.reading_windows",
    "readings.new",
    "readings.submit",
    "preferences.index",
    "preferences.save",
    "preferences.name_supply",
    "preferences.download",
    "preferences.ask_for_erasure",
    "preferences.erase",
    "preferences.withdraw",
    "preferences.make_calendar",
    "preferences.replace_calendar",
    "preferences.revoke_calendar",
    "tickets.index",
    "tickets.new",
    "tickets.submit",
    "records.index",
    "records.save_contacts",
    "records.ask_for_email",
    "records.withdraw_email",
    "history.index",
    "supplies.technical",
    "supplies.contracts",
    *(f"documents.{page}_index" for page in PAGES),
}

# What these show is the same for all customers; only the supply in the address is one's own.
FOR_ALL = {name for name in OBJECTS if name.startswith("documents.")} - {
    "documents.documenti_read",
    "documents.documenti_pdf",
}

# Downloads, which «Storico» tells of: the one thing that a GET of a customer writes.
RECORDED = {
    "consumption.as_csv",
    "consumption.as_xlsx",
    "measure_files.download",
    "invoices.pdf",
    "invoices.as_zip",
    "preferences.download",
    "tickets.receipt",
    "tickets.attachment",
    *(f"documents.{page}_pdf" for page in PAGES),
}

KINDS = {
    "page": ("GET", {}),
    "partial": ("GET", PARTIAL),
    "head": ("HEAD", {}),
}
POSTED = {"page": ("POST", {}), "partial": ("POST", KINDS["partial"][1])}


@pytest.fixture
def owner(app):
    make_window()
    return Owner(app)


@pytest.fixture
def stranger(app):
    return Owner(app)


def routes(app, *methods):
    """(rule, method) of all that needs a login."""
    for rule, method in with_method(app, *methods):
        if rule.endpoint not in OPEN:
            yield rule, method


def own_values(rule, owner):
    """The values of a rule's address that are `owner`'s; a route not told of here fails."""
    assert rule.endpoint in NAMELESS | OBJECTS.keys(), (
        f"{rule.endpoint} ({rule.rule}) is new: tell tests/security/test_others_data.py how to "
        "make what its address names (OBJECTS), that it names nothing of a customer's but a "
        "supply (NAMELESS), or that it asks for no login (OPEN)"
    )
    named = OBJECTS[rule.endpoint](owner) if rule.endpoint in OBJECTS else {}
    return {"supply_code": owner.gas.code, **named}


def missing(values):
    """Values of the same shape, of things that do not exist; other words stay as they are."""
    return {name: re.sub(r"(\d+)$", r"9\g<1>9", str(value)) for name, value in values.items()}


def address(app, rule, values):
    """Where `rule` is asked with `values`; those that are no part of it become parameters."""
    unknown = {"supply_code"} - rule.arguments
    named = {name: value for name, value in values.items() if name not in unknown}
    return app.url_map.bind("localhost").build(rule.endpoint, named)


def answered(browser, path, method, headers):
    """What the answer tells: status, where to, and its text."""
    answer = browser.open(path, method=method, headers=headers)
    lines = answer.get_data(as_text=True).splitlines()
    text = "\n".join(line for line in lines if "csrf_token" not in line)
    return answer.status_code, answer.location, answer.headers.get("HX-Redirect"), text


def kinds_of(method):
    return KINDS if method == "GET" else POSTED


def test_row_09_every_route_is_told_of(app, owner):
    for rule, _method in routes(app, "GET", *UNSAFE):
        values = own_values(rule, owner)
        assert rule.arguments <= set(values), f"{rule.endpoint}: {rule.arguments - set(values)}"
    known = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert OPEN | NAMELESS | OBJECTS.keys() | RECORDED | FOR_ALL <= known


def test_row_09_the_owner_sees_it(app, owner, sign_in):
    for rule, method in routes(app, "GET", *UNSAFE):
        path = address(app, rule, own_values(rule, owner))
        for kind, (verb, headers) in kinds_of(method).items():
            answer = sign_in(owner.account).open(path, method=verb, headers=headers)
            assert answer.status_code not in {401, 404}, (kind, path)
            assert "login" not in (answer.location or "") or rule.rule == "/sessioni/chiudi", path


def test_row_09_what_is_anothers_equals_what_does_not_exist(app, owner, stranger, sign_in):
    for rule, method in routes(app, "GET", *UNSAFE):
        if not rule.arguments and rule.endpoint in NAMELESS:
            continue
        theirs = own_values(rule, owner)
        pairs = [(theirs, missing(theirs))]
        mine = {"supply_code": stranger.gas.code}
        if theirs.keys() > mine.keys() and rule.endpoint not in FOR_ALL:
            pairs.append((theirs | mine, missing(theirs) | mine))
        for there, nowhere in pairs:
            for kind, (verb, headers) in kinds_of(method).items():
                browser = sign_in(stranger.account)
                seen, unseen = (
                    answered(browser, address(app, rule, values), verb, headers)
                    for values in (there, nowhere)
                )
                assert seen == unseen, (kind, there, rule)
                if rule.arguments > {"supply_code"} or (rule.arguments and there is theirs):
                    assert seen[0] == 404, (kind, rule)


def test_row_09_strangers_and_disabled_logins_are_sent_to_the_login(app, owner, sign_in):
    disabled = Owner(app)
    locked_out = sign_in(disabled.account)
    Account.update(disabled_at=utcnow()).where(Account.id == disabled.account).execute()
    for browser, own in ((app.test_client(), owner), (locked_out, disabled)):
        for rule, method in routes(app, "GET", *UNSAFE):
            path = address(app, rule, own_values(rule, own))
            for kind, (verb, headers) in kinds_of(method).items():
                answer = browser.open(path, method=verb, headers=headers)
                if kind == "partial":
                    to = answer.headers.get("HX-Redirect", "")
                    assert (answer.status_code, to.startswith("/login")) == (401, True), path
                else:
                    to = answer.location or ""
                    assert (answer.status_code, to.startswith("/login")) == (303, True), path
                assert own.customer.name not in answer.get_data(as_text=True)


def test_row_16_what_is_ones_own_is_kept_nowhere_or_only_to_ask_whether_it_changed(
    app, owner, sign_in
):
    browser = sign_in(owner.account)
    for rule, _method in routes(app, "GET"):
        answer = browser.get(address(app, rule, own_values(rule, owner)))
        kept = set(answer.headers["Cache-Control"].split(", "))
        is_file = rule.endpoint in RECORDED and "ETag" in answer.headers
        assert kept == ({"no-cache", "private"} if is_file else {"no-store"}), rule


def test_row_12_looking_changes_nothing_but_the_history_of_downloads(app, owner, sign_in):
    browser = sign_in(owner.account)
    for rule, method in routes(app, "GET"):
        path = address(app, rule, own_values(rule, owner))
        for kind, (verb, headers) in kinds_of(method).items():
            before = archive()
            browser.open(path, method=verb, headers=headers)
            after = archive()
            written = len(after.pop(Event)) - len(before.pop(Event))
            assert after == before, path
            may_write = rule.endpoint in RECORDED and verb == "GET"
            assert written == (1 if may_write else 0), (kind, path)


def test_row_12_nobody_changes_anything_by_looking(app, owner):
    for rule, _method in with_method(app, "GET"):
        for verb, headers in KINDS.values():
            before = archive()
            values = {"supply_code": owner.gas.code, "filename": "style.css"}
            app.test_client().open(path_of(app, rule, **values), method=verb, headers=headers)
            after = archive()
            if rule.endpoint in BY_SECRET:
                before.pop(Throttle)
                after.pop(Throttle)
            assert after == before, rule


def test_row_12_asking_again_for_what_is_kept_records_nothing(app, owner, sign_in):
    browser = sign_in(owner.account)
    path = f"/forniture/{owner.gas.code}/fatture/{owner.invoice().id}/pdf"
    tag = browser.get(path).headers["ETag"]
    assert Event.select().count() == 1
    assert browser.get(path, headers={"If-None-Match": tag}).status_code == 304
    assert Event.select().count() == 1
