"""What a clerk does at the desk: a deed for each route that changes something, ready to be done."""

import datetime as dt
import html
import io
import re

import pyotp

from domain import erasure, operators
from domain.clock import rome_day, utcnow
from models import Account, Operator
from tests.factories import (
    PASSWORD,
    make_account,
    make_customer,
    make_import,
    make_operator,
    make_standard_answer,
    make_upload,
    make_window,
)
from tests.security.desk import DOOR, ENTRANCE, values_of

STRONG = "lampada fiume orologio tramonto"


class Clerk:
    """Who does one thing after another, each in a new browser, on things that `owner` has."""

    def __init__(self, app, owner, sign_in_operator):
        self.app, self.owner, self.sign_in = app, owner, sign_in_operator
        self.row = make_operator("administrator", username="capo")

    def browser(self):
        return self.sign_in(self.row)

    def named(self, rule):
        """What the address of `rule` names, so that the deed can be done."""
        Account.update(disabled_at=None).execute()
        name = rule.endpoint
        if name in NAMED:
            return NAMED[name](self)
        return {} if name in DOOR | ENTRANCE else values_of(rule, self.owner)

    def window(self, _values):
        """A window as its preview posts it."""
        asked = {"come": "uno", **window_of(60)}
        page = self.browser().get("/staff/periodi/nuovo", query_string=asked).text
        form = page.split('<form method="post" action="/staff/periodi/nuovo">')[1]
        fields = re.findall(r'name="([^"]+)" value="([^"]*)"', form.split("</form>")[0])
        return {name: html.unescape(value) for name, value in fields}

    def code(self, _values):
        """What the telephone shows."""
        row = Operator.get_by_id(self.row.id)
        return {
            "code": pyotp.TOTP(operators.secret(row, operators.keys(self.app.secret_key))).now()
        }

    def held(self):
        """A file that was held, and where it lies."""
        upload = make_upload(self.app, f"clienti_{make_customer().code}.csv")
        folder = self.app.config["DATA_DIR"] / "inbox" / "sospesi"
        folder.mkdir(exist_ok=True)
        (folder / upload.name).write_bytes(b"codice_cliente;denominazione\n")
        return {"key": make_import(upload.name, "held", sha256=upload.sha256).id}

    def with_second_factor(self):
        """A login of the customer that has one."""
        values = {
            "username": f"{make_customer().code}-2",
            "totp_nonce": "n",
            "totp_since": utcnow(),
        }
        customer = self.owner.customer
        return {"code": customer.code, "key": make_account(customer, **values).id}

    def gone(self):
        """A customer without supplies who asked for erasure."""
        customer = make_customer()
        erasure.ask(customer.id, make_account(customer).id, now=utcnow())
        return {"code": customer.code}


def typed(**fields):
    return lambda _clerk, _values: dict(fields)


def window_of(days):
    """A window of one day, so many days from now, as it is typed."""
    day = rome_day(coming(days)).isoformat()
    hours = {"dalle_ore": "00:00", "alle_ore": "23:59"}
    return {"dal": day, "al": day, **hours, "per_chi": "tutte"}


def coming(days):
    return utcnow() + dt.timedelta(days=days)


DOCUMENT = {"text": "Testo", "audience": "tutti", "category": "notices", "date": "2026-01-02"}
SEEN = {"letto": "999999999"}  # whatever was written in the ticket
# What is typed, by route.
TYPED = {
    "staff_readings.submit": typed(counter="120", confirmed="120/None"),
    "staff_uploads.upload": lambda _clerk, _values: {
        "files": (io.BytesIO(b"codice_cliente\n"), "clienti.csv")
    },
    "staff_uploads.choose_kind": typed(kind="clienti"),
    "staff_customers.correct_email": typed(email="nuova@example.it", confirmed="1"),
    "staff_publishing.prepare": typed(title="Uno", **DOCUMENT),
    "staff_publishing.prepare_change": typed(title="Due", **DOCUMENT),
    "staff_publishing.change_draft": typed(title="Tre", **DOCUMENT),
    "staff_publishing.retitle": typed(title="Quattro"),
    "staff_operators.set_role": typed(role="administrator"),
    "staff_operators.create": typed(
        username="m.verdi", name="Mara Verdi", email="m@example.it", role="operator"
    ),
    "staff_entrance.change_password": typed(
        password=PASSWORD, new_password=STRONG, repeat_password=STRONG
    ),
    "staff_entrance.renew_codes": Clerk.code,
    "staff_windows.create": Clerk.window,
    "staff_windows.change": typed(**window_of(90)),
    "staff_tickets.answer": typed(text="Risposta", **SEEN),
    "staff_tickets.assign": lambda clerk, _values: {"a": clerk.row.id},
    "staff_tickets.note": typed(note="Nota", **SEEN),
    "staff_tickets.close": typed(**SEEN),
    "staff_tickets.reopen": typed(**SEEN),
    "staff_tickets.use_standard_answer": lambda _clerk, _values: {
        "standard": make_standard_answer().id
    },
    "staff_tickets.submit": typed(subject="Oggetto", category="other", text="Testo"),
    "staff_standard_answers.add": typed(title="Cinque", text="Testo"),
    "staff_standard_answers.change": typed(title="Sei", text="Testo"),
    "staff_erasure.erase": lambda _clerk, values: values,
    "staff_erasure.decline": typed(reason="Serve ancora"),
}
# What the address names, where what is usual would not do.
NAMED = {
    "staff_tickets.reopen": lambda clerk: {
        "code": clerk.owner.ticket(state="closed", closed_at=utcnow()).code
    },
    "staff_tickets.submit": lambda clerk: {"cliente": clerk.owner.customer.code},
    "staff_uploads.choose_kind": lambda clerk: {"key": make_upload(clerk.app, "export.csv").id},
    "staff_uploads.confirm": Clerk.held,
    "staff_uploads.discard_held": Clerk.held,
    "staff_windows.change": lambda _clerk: {"key": make_window(coming(30), coming(31)).id},
    "staff_erasure.erase": Clerk.gone,
    "staff_erasure.decline": Clerk.gone,
    "staff_customers.remove_factor": Clerk.with_second_factor,
}
