"""Row 13: whatever the archive holds is shown as text, on each page of customers and operators."""

from html.parser import HTMLParser

import peewee as pw

import models
from domain import credentials, mandate_links
from domain.clock import utcnow
from tests.factories import make_delegate, make_mail, make_mandate, make_operator
from tests.security import desk, owners
from tests.security.mandates import EVERYTHING, Giver, is_open
from tests.security.owners import Owner, address

HOSTILE = "\" onfocus=alert(1) '><img src=x onerror=alert(2)><script>alert(3)</script>"
# What customers, operators and the files of others write, as they please; codes, states and
# whatever the portal makes up itself has a shape that is checked where it comes in.
FREE = {
    models.Customer: "name street street_number postcode city province phone fax email",
    models.Account: "email",
    models.Operator: "name email",
    models.OutgoingMail: "recipient last_error",
    models.SupplyPoint: "pod pdr street street_number postcode city town province meter_serial "
    "distributor phases meter_type corrector_serial remi use_category",
    models.Contract: "offer market use price_type billing_period payment_method",
    models.StoredFile: "name",
    models.Invoice: "number payment_code",
    models.MeterReading: "source meter_serial",
    models.SelfReading: "reason delegate",
    models.Nickname: "text",
    models.BilledConsumption: "invoice_number",
    models.Ticket: "subject",
    models.TicketMessage: "author text delegate",
    models.Mandate: "name email",
    models.Attachment: "name",
    models.StandardAnswer: "text",
    models.Document: "title text city",
    models.ImportedFile: "name",
    models.UploadedFile: "name operator",
}


class Markup(HTMLParser):
    """What a browser would run, or load from elsewhere, in a page."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            runs = name.startswith("on") or "javascript:" in (value or "").lower()
            if runs or (name == "src" and not value.startswith(("/", "data:"))):
                self.found.append((tag, name, value))
        if tag == "script" and "src" not in dict(attrs):
            self.found.append((tag, "inline", ""))


def poison():
    """Put HOSTILE, as much of it as fits, into every free text of the archive."""
    for table, names in FREE.items():
        for name in names.split():
            field = getattr(table, name)
            longest = getattr(field, "max_length", None) or 500
            there = field.is_null(False) if name in {"pod", "pdr"} else True
            text = pw.fn.COALESCE(field, "").concat(HOSTILE)  # what was unique stays so
            table.update({field: pw.fn.SUBSTR(text, 1, longest)}).where(there).execute()


def pages(app, browser, asked):
    """(address, text) of each page that is HTML, whose things are all made beforehand."""
    addresses = [(rule, address(app, rule, values)) for rule, values in asked]
    poison()
    for rule, path in addresses:
        answer = browser.get(path)
        assert answer.status_code < 500, rule
        if answer.mimetype == "text/html":
            yield path, answer.text


def test_row_13_the_parser_sees_what_would_run():
    assert {each[0] for each in Markup(f"<b title='{HOSTILE}'>").found} == {"img", "script"}
    assert ("b", "onfocus", "alert(1)") in Markup(f'<b title="{HOSTILE}">').found
    assert Markup("<script src=/a.js></script><img src='data:,'>").found == []


def test_row_13_hostile_text_is_text_on_every_page_of_a_customer(app, sign_in):
    owner = Owner(app)
    asked = [(rule, owners.own_values(rule, owner)) for rule, _get in owners.routes(app, "GET")]
    told = 0
    for path, page in pages(app, sign_in(owner.account), asked):
        assert Markup(page).found == [], path
        told += "onerror=alert(2)" in page
    assert told > 20


def test_row_13_hostile_text_is_text_for_who_acts_for_a_customer_and_who_is_invited_to(
    app, sign_in
):
    giver, delegate = Giver(app), make_delegate()
    make_mandate(giver.customer, giver.gas, giver.electricity, account=delegate)
    asked = [
        (rule, owners.own_values(rule, giver))
        for rule, _get in owners.routes(app, "GET")
        if is_open(rule, EVERYTHING)
    ]
    browser, told = sign_in(delegate), 0
    for path, page in [*pages(app, browser, asked), ("/deleghe", browser.get("/deleghe").text)]:
        assert Markup(page).found == [], path
        told += "onerror=alert(2)" in page
    assert told > 20
    waiting = make_mandate(giver.customer, giver.gas, name=HOSTILE)
    token = mandate_links.make(
        waiting.id, waiting.email, now=utcnow(), key=credentials.key(app.secret_key)
    )
    page = app.test_client().get(f"/delega/{token}").text
    assert Markup(page).found == []
    assert page.count("onerror=alert(2)") == 2  # who gives it, and to whom


def test_row_13_hostile_text_is_text_on_every_page_of_the_desk(app, sign_in_operator):
    owner = Owner(app)
    make_mail(owner.account, state="failed")
    asked = [(rule, desk.values_of(rule, owner)) for rule, _get in desk.routes(app, "GET")]
    told = 0
    for path, page in pages(app, sign_in_operator(make_operator("administrator")), asked):
        assert Markup(page).found == [], path
        told += "onerror=alert(2)" in page
    assert told > 20
