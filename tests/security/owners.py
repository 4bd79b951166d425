"""A customer who has one of each thing, and which of it each route of the portal names."""

import datetime as dt

from peewee import fn

from domain.clock import rome_day, utcnow
from models import BilledConsumption, Document, Invoice, MeasuredDay, SelfReading, StoredFile
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
    make_mandate,
    make_measured_day,
    make_self_reading,
    make_ticket,
)
from tests.security.routes import with_method
from views.documents import PAGES

# No login is asked for; what they give away is the matter of other rows.
OPEN = {
    "static",
    "health.health",
    "health.ready",
    "public_pages.privacy",
    "public_pages.accessibility",
    "guide.contents",
    "guide.chapter",
    "guide.whole",
    "guide.picture",
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
    "notices.ask",
    "notices.stop",
    "records.email_link",
    "records.confirm_email",
    "mandates.invitation",
    "mandates.accept",
    "mandates.register",
    "language.choose",
}
# Those of them that an address with a secret opens: each try is counted.
BY_SECRET = {"preferences.feed", "notices.ask", "records.email_link", "mandates.invitation"}


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

    def mandate(self):
        """One that the customer gave."""
        return make_mandate(self.customer, self.gas)

    def held(self):
        """One that the customer's login holds, of another customer who has a login."""
        giver = make_customer()
        make_account(giver)
        return make_mandate(giver, make_electricity(giver), account=self.account)

    def attachment(self):
        ticket = self.ticket()
        key = 98_700 + ticket.id  # not a number that a page shows for other reasons
        return {"code": ticket.code, "key": make_attachment(self.app, ticket, id=key).id}

    def document(self, category):
        """A document of theirs, or one that all may see."""
        whose = self.customer if category == "personal" else None
        # Short ones stand elsewhere in a page too, and what is published takes the next one.
        number = (Document.select(fn.MAX(Document.id)).scalar() or 901) + 100
        file = make_file(self.app, f"d{number}-{StoredFile.select().count()}.pdf")
        values = {"id": number, "text": "Testo", "file": file}
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
    "guide.chapter_within": lambda _owner: {"name": "fatture"},
    "frame.choose": lambda own: {"fornitura": own.gas.code},
    "invoices.pdf": lambda own: {"key": own.invoice().id},
    "invoices.as_zip": lambda own: {"id": own.invoice().id},
    "invoices.payment": lambda own: {"key": own.invoice().id},
    "readings.ask_to_cancel": lambda own: {"reading_id": own.reading().id},
    "readings.cancel": lambda own: {"reading_id": own.reading().id},
    "mandates.revoke": lambda own: {"key": own.mandate().id},
    "mandates.give_back": lambda own: {"key": own.held().id},
    "mandates.act": lambda own: {"per": own.held().id},
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
    "auth.code",
    "auth.give_code",
    "auth.factor",
    "auth.add_factor",
    "auth.remove_factor",
    "auth.renew_recovery_codes",
    "auth.recovery_codes",
    "auth.recovery_codes_as_text",
    "auth.put_codes_away",
    "home.index",
    "invoices.index",
    "readings.index",
    "readings.reading_windows",
    "readings.new",
    "readings.submit",
    "mandates.index",
    "mandates.give",
    "mandates.received",
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
    "guide.contents_within",
    *(f"documents.{page}_index" for page in PAGES),
}

# What these show is the same for all customers; only the supply in the address is one's own.
FOR_ALL = {name for name in OBJECTS if name.startswith("documents.")} - {
    "documents.documenti_read",
    "documents.documenti_pdf",
}
FOR_ALL |= {"guide.chapter_within"}

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


def routes(app, *methods):
    """(rule, method) of all that needs a customer's login."""
    for rule, method in with_method(app, *methods):
        if rule.endpoint not in OPEN and not rule.endpoint.startswith("staff_"):
            yield rule, method


def own_values(rule, owner):
    """The values of a rule's address that are `owner`'s; a route not told of here fails."""
    assert rule.endpoint in NAMELESS | OBJECTS.keys(), (
        f"{rule.endpoint} ({rule.rule}) is new: tell tests/security/owners.py how to "
        "make what its address names (OBJECTS), that it names nothing of a customer's but a "
        "supply (NAMELESS), or that it asks for no login (OPEN)"
    )
    named = OBJECTS[rule.endpoint](owner) if rule.endpoint in OBJECTS else {}
    return {"supply_code": owner.gas.code, **named}


def address(app, rule, values):
    """Where `rule` is asked with `values`; those that are no part of it become parameters."""
    unknown = {"supply_code"} - rule.arguments
    named = {name: value for name, value in values.items() if name not in unknown}
    return app.url_map.bind("localhost").build(rule.endpoint, named)
