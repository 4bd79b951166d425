"""Plain functions that make one row each, with defaults that make sense together."""

import datetime as dt
import hashlib
import itertools
import json

from argon2 import PasswordHasher

from domain import documents
from domain.clock import rome_day, utcnow
from domain.formats.packed import pack
from domain.imports.inbox import COUNTS
from domain.imports.report import Report
from domain.measures import count
from domain.text import town
from models import (
    Account,
    Attachment,
    BilledConsumption,
    Contract,
    Customer,
    Document,
    DocumentDraft,
    Event,
    Grant,
    ImportedFile,
    Instalment,
    Invoice,
    InvoiceSupply,
    Mandate,
    MandateSupply,
    MeasuredDay,
    MeterReading,
    Operator,
    OutgoingMail,
    ReadingWindow,
    SelfReading,
    StandardAnswer,
    StoredFile,
    SupplyPoint,
    Ticket,
    TicketMessage,
    UploadedFile,
)

PASSWORD = "Sette-mele-verdi-74"
# A real hash of PASSWORD, made once: hashing at every test would cost more than the tests.
PASSWORD_HASH = PasswordHasher(memory_cost=19456, time_cost=2, parallelism=1).hash(PASSWORD)

_counter = itertools.count(1)


def make_customer(code=None, **values):
    n = next(_counter)
    values.setdefault("name", f"CLIENTE {n} S.P.A.")
    if "tax_code" not in values:
        values.setdefault("vat_number", f"{n:011d}")
    values = {
        "street": "VIA DI PROVA",
        "street_number": "35",
        "postcode": "59100",
        "city": "PRATO",
        "province": "PO",
        **values,
    }
    return Customer.create(code=code or f"9{n:05d}", **values)


def make_account(customer=None, *, password=True, **values):
    """An account of `customer` that has chosen PASSWORD; `password=False`: not yet."""
    customer = customer or make_customer()
    values = {
        "username": customer.code,
        "email": f"{customer.code}@example.it",
        "password_hash": PASSWORD_HASH if password else None,
        "created_at": utcnow(),
        **values,
    }
    account = Account.create(**values)
    Grant.create(account=account, customer=customer)
    return account


def make_operator(role="operator", **values):
    """An operator with a password and a second factor of their own."""
    n = next(_counter)
    values = {
        "username": f"operatore{n}",
        "name": f"Operatore {n}",
        "email": f"operatore{n}@example.it",
        "password_hash": PASSWORD_HASH,
        "must_change_password": False,
        "totp_nonce": f"nonce-{n}",
        "totp_since": utcnow(),
        "created_at": utcnow(),
        **values,
    }
    return Operator.create(role=role, **values)


def make_mandate(customer, *supplies, account=None, scope="everything", **values):
    """A mandate of `customer`, which `account` has accepted if it is given."""
    now = utcnow()
    values = {
        "name": "STUDIO ROSSI",
        "email": "studio@example.it",
        "ends_on": rome_day(now) + dt.timedelta(days=30),
        "given_at": now,
        "account": account,
        "accepted_at": now if account else None,
        **values,
    }
    mandate = Mandate.create(customer=customer, scope=scope, **values)
    for supply in supplies:
        MandateSupply.create(mandate=mandate, supply=supply)
    return mandate


def make_delegate(**values):
    """A login of who is no customer."""
    n = next(_counter)
    values = {"username": f"D{n:05d}", "email": f"delegato{n}@example.it", **values}
    return Account.create(password_hash=PASSWORD_HASH, created_at=utcnow(), **values)


def make_gas(customer=None, code=None, **values):
    n = next(_counter)
    values = {
        "pdr": f"{n:014d}",
        "street": "VIA PROVA",
        "street_number": "5",
        "postcode": "48124",
        "city": "RAVENNA",
        "province": "RA",
        "digits": 5,
        "meter_class": "G4",
        "meter_serial": f"M{n}",
        "annual_use": 1200,
        **values,
    }
    values["town"] = town(values["city"])
    return SupplyPoint.create(
        code=code or f"PR{n:06d}", customer=customer or make_customer(), service="GAS", **values
    )


def make_electricity(customer=None, code=None, **values):
    n = next(_counter)
    values = {"pod": f"IT001E{n:08d}", "street": "VIA PROVA", "street_number": "5",
              "postcode": "48124", "city": "RAVENNA", "province": "RA", **values}  # fmt: skip
    values["town"] = town(values["city"])
    return SupplyPoint.create(
        code=code or f"PR{n:06d}", customer=customer or make_customer(), service="EE", **values
    )


def make_invoice(customer, supply=None, *others, number=None, date=None, **values):
    """An invoice with one instalment, on `supply` (and `others`) or on the whole customer."""
    n = next(_counter)
    date = date or dt.date(2026, 10, 1)
    values = {"due_on": date + dt.timedelta(days=20), "amount_cents": 12345, **values}
    invoice = Invoice.create(
        number=number or f"F{n}",
        year=date.year,
        date=date,
        customer=customer,
        names_supplies=supply is not None,
        supply=None if others else supply,
        **values,
    )
    for each in [supply, *others] if supply else []:
        InvoiceSupply.insert(invoice=invoice, supply=each).execute()
    if invoice.due_on:
        Instalment.create(invoice=invoice, due_on=invoice.due_on, amount_cents=invoice.amount_cents)
    return invoice


def make_file(app, name, content=b"%PDF-1.4\n%%EOF\n"):
    """A stored file, with its bytes under documents/."""
    (app.config["DATA_DIR"] / "documents" / name).write_bytes(content)
    return StoredFile.create(
        path=name, name=name, size=len(content), sha256=hashlib.sha256(content).hexdigest()
    )


def make_upload(app, name="clienti.csv", content=b"codice_cliente;denominazione\n", **values):
    """A file that an operator sent, on the disk and with its row."""
    sha256 = hashlib.sha256(content).hexdigest()
    values = {"folder": f"{next(_counter):032x}", "operator": "prova", "at": utcnow(), **values}
    place = app.config["DATA_DIR"] / "uploads" / values["folder"]
    place.mkdir(parents=True)
    (place / name).write_bytes(content)
    return UploadedFile.create(name=name, sha256=sha256, size=len(content), **values)


def make_import(name="clienti.csv", state="applied", report=None, **values):
    """What became of a file of the inbox, all done."""
    told = Report(name).as_dict() | (report or {})
    values = {
        "kind": "clienti",
        "sha256": f"{next(_counter):064x}",
        "size": 1000,
        "at": utcnow(),
        "settled_at": utcnow(),
        "seconds": 0.1,
        **{count: told[count] for count in COUNTS},
        **values,
    }
    return ImportedFile.create(name=name, state=state, report=json.dumps(told), **values)


def make_window(opens_at=None, closes_at=None, **values):
    """A reading window for all gas supplies, open now unless told otherwise."""
    now = utcnow()
    return ReadingWindow.create(
        key=f"test-{next(_counter)}",
        opens_at=opens_at or now - dt.timedelta(days=2),
        closes_at=closes_at or now + dt.timedelta(days=2),
        **values,
    )


def make_meter_reading(supply, day, counter, source="distributore", **values):
    values.setdefault("meter_serial", supply.meter_serial)
    return MeterReading.create(supply=supply, day=day, counter=counter, source=source, **values)


def make_self_reading(supply, day, counter, **values):
    values = {"entered_at": utcnow(), "meter_serial": supply.meter_serial, **values}
    return SelfReading.create(supply=supply, day=day, counter=counter, **values)


def make_measured_day(supply, day, values=None, *, quantity="active", **more):
    """The measures of a day, 100 Wh in each quarter-hour unless `values` are given."""
    content = pack(values or [100] * count(day))
    return MeasuredDay.create(supply=supply, quantity=quantity, day=day, values=content, **more)


def make_ticket(customer, code=None, *, texts=("Vorrei una spiegazione.",), now=None, **values):
    """A ticket with the customer's `texts`, open unless told otherwise."""
    now = now or utcnow()
    values = {"category": "information", "subject": "Una domanda", "opened_at": now,
              "updated_at": now, **values}  # fmt: skip
    code = code or f"T2026-9{next(_counter):05d}"
    ticket = Ticket.create(code=code, customer=customer, **values)
    for text in texts:
        TicketMessage.create(ticket=ticket, at=now, by_customer=True, text=text)
    return ticket


def make_standard_answer(title=None, text="Buongiorno {cliente}"):
    return StandardAnswer.create(title=title or f"Risposta {next(_counter)}", text=text)


def make_attachment(
    app, ticket, name="allegato.pdf", content=b"%PDF-1.4\n%%EOF\n", kind="pdf", **values
):
    """A file of the ticket's first message, with its bytes under documents/."""
    path = f"ticket/{next(_counter):032x}.{kind}"
    place = app.config["DATA_DIR"] / "documents" / path
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(content)
    return Attachment.create(
        message=ticket.messages.first(),
        path=path,
        name=name,
        kind=kind,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        **values,
    )


def make_event(kind, *, at=None, account=None, customer=None, supply=None, **details):
    """Something that happened, now unless told otherwise."""
    return Event.create(
        at=at or utcnow(), kind=kind, account=account, customer=customer, supply=supply,
        details=json.dumps(details),
    )  # fmt: skip


def make_consumption(supply, starts_on, ends_on, total=100_000, **values):
    """What was billed from day to day; quantities in thousandths."""
    values = {"unit": "Smc" if supply.is_gas else "kWh", "kind": "actual", **values}
    return BilledConsumption.create(
        supply=supply, starts_on=starts_on, ends_on=ends_on, total=total, **values
    )


def make_document(title=None, category="notices", *, customer=None, text=None, **values):
    """A notice for all, published today, or a document of `customer`."""
    now = utcnow()
    title = title or f"Documento {next(_counter)}"
    return Document.create(
        category="personal" if customer else category, title=title, customer=customer, text=text,
        folded=documents.folded(title, text), **{"date": rome_day(now), "added_at": now, **values},
    )  # fmt: skip


def make_draft(app, *titles, file=b"%PDF-1.4\n%%EOF\n", **wanted):
    """What is about to be published, a file for each title; for all unless told otherwise."""
    now = utcnow()
    wanted = {"category": "notices", "date": rome_day(now).isoformat(), "source": None,
              "customer_id": None, "service": None, "city": None, "town": None,
              "visible_from": None, "visible_to": None, **wanted}  # fmt: skip
    folder, items = app.config["DATA_DIR"] / "documents" / "avvisi", []
    folder.mkdir(exist_ok=True)
    for title in titles or [f"Bozza {next(_counter)}"]:
        path = f"avvisi/{next(_counter):032x}.pdf"
        (folder.parent / path).write_bytes(file)
        stored = path, f"{title}.pdf", len(file), hashlib.sha256(file).hexdigest()
        items.append((title, stored))
    content = json.dumps({**wanted, "items": items})
    return DocumentDraft.create(operator=make_operator(), made_at=now, content=content)


def make_contract(supply, starts_on, ends_on=None, **values):
    values = {"code": f"C{next(_counter)}", "offer": "LUCE SERENA", **values}
    return Contract.create(supply=supply, starts_on=starts_on, ends_on=ends_on, **values)


def make_mail(account=None, kind="password_changed", **values):
    """A mail that was queued now, to `account` or to nobody's login."""
    now = utcnow()
    values = {"recipient": account.email if account else "rosa@example.it", "created_at": now,
              "due_at": now, **values}  # fmt: skip
    return OutgoingMail.create(kind=kind, account=account, **values)
