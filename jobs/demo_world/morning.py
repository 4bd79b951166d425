"""What waits at the desk of the demo: a morning with something of everything to do."""

import datetime as dt
import io
import random

from domain import published, publishing, register, standard_answers, ticket_deadlines, ticket_desk
from domain.clock import rome_instant
from domain.documents import NOTICES
from domain.imports import uploads
from domain.mail import outbox
from domain.readings import told_to
from jobs.demo_world import archive, people
from models import (
    Account,
    Customer,
    Document,
    Grant,
    Operator,
    OutgoingMail,
    SelfReading,
    SupplyPoint,
    Ticket,
)

DAY, HOUR, MINUTE = dt.timedelta(days=1), dt.timedelta(hours=1), dt.timedelta(minutes=1)
BOSS, CLERK = (each["username"] for each in people.DESK)


def live(app, *, today, now):
    """Let it happen to the neighbours, in the transaction of the caller."""
    desk = {row.username: row for row in Operator.select()}
    customers = neighbours()
    register_accounts(customers, now=now)
    answer_often()
    ask(customers, desk, ticket_deadlines.of(app.config), today=today)
    publish(desk[BOSS], today=today, now=now)
    mail(customers, now=now)
    read_meters(customers, desk[CLERK], today=today, now=now)
    work(customers, register.key(app.secret_key), now=now)


def neighbours():
    first = next(people.neighbours())["code"]
    return list(Customer.select().where(Customer.code >= first).order_by(Customer.code))


# -- Accounts, standard answers ------------------------------------------------------------


def register_accounts(customers, *, now):
    """More and more of them: with the password of the ready login, or none of their own yet."""
    ready = Account.get(username=people.READY["code"])
    chance = random.Random(12)  # noqa: S311 - the same every time
    for place, customer in enumerate(customers[: 2 * len(customers) // 5]):
        made = now - 360 * chance.random() ** 1.6 * DAY
        account = Account.create(
            username=customer.code,
            email=customer.email,
            created_at=made,
            password_hash=None if place % 9 == 4 else ready.password_hash,
            last_access_at=None if place % 9 == 4 else made + (now - made) * chance.random(),
            disabled_at=now - DAY if place == 7 else None,
        )
        Grant.create(account=account, customer=customer)


def answer_often():
    standard_answers.save(
        None, "Serve un documento",
        "Buongiorno {cliente},\nper proseguire con la richiesta {codice} serve la copia di un "
        "documento d'identità: si può allegare qui sotto.\nCordiali saluti,\n{operatore}",
    )  # fmt: skip
    standard_answers.save(
        None, "Reclamo preso in carico",
        "Buongiorno {cliente},\nabbiamo ricevuto il reclamo {codice} e stiamo verificando. La "
        "risposta arriva entro il {scadenza}.\nCordiali saluti,\n{operatore}",
    )  # fmt: skip


# -- Tickets -------------------------------------------------------------------------------

# Which neighbour, days ago, hour, category, subject, text, to whom it is given, and the turns:
# days later, who, text.
STORIES = (
    (5, 47, "09:20", "complaint", "Conguaglio mai spiegato",
     "È il secondo sollecito: il conguaglio di primavera è il triplo del solito e nessuno mi ha "
     "detto perché. Chiedo una risposta scritta.", CLERK,
     ((2, "note", "Sentito il distributore: la lettura di marzo era stimata. Mandano il dettaglio "
       "entro la settimana, poi si può rispondere."),)),
    (2, 26, "15:05", "complaint", "Fornitura sospesa per errore",
     "La fornitura è rimasta sospesa per due giorni benché la fattura fosse pagata.", None, ()),
    (4, 20, "10:40", "billing", "Consumi di un altro appartamento",
     "In fattura ci sono i consumi dell'interno 4, il mio è il 5.", BOSS,
     ((1, "note", "Le matricole sono scambiate: aperta una verifica con il distributore."),)),
    (0, 6, "11:15", "data_change", "Nuovo indirizzo per la corrispondenza",
     "Dal primo del mese la corrispondenza va in VIA SALICI 12, 59100 Prato.", None, ()),
    (1, 3, "17:48", "information", "Costo di un aumento di potenza",
     "Quanto costa passare da 3 a 4,5 kW, e in quanto tempo?", CLERK,
     ((1, "answer", "Buongiorno,\nl'aumento si chiede con il modulo «Aumento o riduzione della "
       "potenza», in Modulistica. Di solito bastano cinque giorni lavorativi.\nCordiali saluti."),
      )),
    (3, 2, "08:55", "information", "Doppio addebito sul conto corrente",
     "Sul conto corrente la fattura di questo mese compare due volte.", None, ()),
    (6, 0, "07:30", "other", "Codice per l'accesso al portale di mia madre",
     "Vorrei seguire io le forniture di mia madre: come si fa?", None, ()),
    (9, 60, "12:00", "information", "Bonus sociale",
     "Il bonus sociale arriva da solo o va chiesto?", CLERK,
     ((1, "answer", "Buongiorno,\narriva da solo a chi presenta la dichiarazione per l'ISEE.\n"
       "Cordiali saluti."), (2, "close", ""))),
)  # fmt: skip


def ask(customers, desk, deadlines, *, today):
    for place, ago, hour, category, subject, text, given_to, turns in STORIES:
        if place >= len(customers):
            continue
        day, time = today - ago * DAY, dt.time.fromisoformat(hour)
        ticket = ticket_desk.open_for_customer(
            customers[place].id, None, category=category, subject=subject, text=text,
            author=desk[CLERK].name, deadlines=deadlines, now=rome_instant(day, time),
        )  # fmt: skip
        for later, what, words in turns:
            signed = {"author": desk[given_to].name, "now": rome_instant(day + later * DAY, time)}
            take_turn(ticket.id, what, words, signed)
        Ticket.update(assigned_to=given_to and desk[given_to]).where(
            Ticket.id == ticket.id
        ).execute()
    OutgoingMail.update(state="sent", sent_at=OutgoingMail.created_at).where(
        OutgoingMail.state == "queued"
    ).execute()


def take_turn(ticket_id, what, words, signed):
    if what == "note":
        ticket_desk.note(ticket_id, words, **signed)
    elif what == "answer":
        ticket_desk.answer(ticket_id, words, **signed)
    else:
        ticket_desk.close(ticket_id, **signed)


# -- Notices -------------------------------------------------------------------------------

FORMATTED = """\
Da lunedì i tecnici di **RETI DI PROVA S.P.A.** sostituiscono i contatori del gas più vecchi.

# Che cosa fare

- essere in casa nell'ora scritta nella cartolina;
- chiedere al tecnico *il tesserino*;
- conservare il foglio con l'ultima lettura.

Le regole della sostituzione sono su [arera.it](https://www.arera.it/consumatori).
"""
PLANNED = """\
Il **12 del mese** la via dello sportello di Vaiano è chiusa al traffico dalle 8 alle 14.

Per le pratiche urgenti resta aperto lo sportello di Prato.
"""


def publish(operator, *, today, now):
    """A notice for who has gas, one for a town that is still to come; their mail is long sent."""
    for title, text, audience, city, first in (
        ("Sostituzione dei contatori del gas", FORMATTED, published.GAS, "", today - DAY),
        ("Sportello di Vaiano: strada chiusa", PLANNED, published.TOWN, "VAIANO", today + 5 * DAY),
    ):
        wanted = publishing.wanted(
            audience, category=NOTICES, city=city, customer_code="", source=text, date=first,
            visible_from=first, visible_to=first + 30 * DAY,
        )  # fmt: skip
        draft = publishing.prepare(operator.id, wanted, title, [], now=now)
        publishing.publish(publishing.draft(draft, now=now), now=now)
    Document.update(announced_at=now).where(
        Document.announced_at.is_null(), Document.visible_from <= today
    ).execute()


# -- Mail ----------------------------------------------------------------------------------


def mail(customers, *, now):
    """One whose address does not exist, one that is tried again: nothing that is due now."""
    full, unknown = customers[1], customers[3]
    for customer, kind, ago, error, values in (
        (unknown, "recovery", 20 * HOUR, "550 5.1.1 User unknown",
         {"state": "failed", "attempts": 1, "reported": True}),
        (full, "ticket_answered", 40 * MINUTE, "452 4.2.2 Mailbox full",
         {"attempts": 3, "due_at": now + 5 * HOUR}),
    ):  # fmt: skip
        queued = outbox.queue(
            kind, customer.email, account=Account.get_or_none(username=customer.code),
            params={"code": "T", "category": ""}, now=now - ago,
        )  # fmt: skip
        OutgoingMail.update(last_error=error, **values).where(
            OutgoingMail.id == queued.id
        ).execute()


# -- Readings ------------------------------------------------------------------------------


def read_meters(customers, operator, *, today, now):
    """Readings of today, some of them odd, one told by telephone, one taken back."""
    gas = SupplyPoint.select().where(
        SupplyPoint.service == "GAS", SupplyPoint.customer.in_(customers)
    )  # the last ones: without a login, nothing of this goes out by mail
    for place, supply in enumerate(gas.order_by(SupplyPoint.code.desc()).limit(9)):
        shown = {"codice_fornitura": supply.code, "consumo_annuo": supply.annual_use,
                 "correttore": "N", "cifre": supply.digits}  # fmt: skip
        usual, odd = archive.counter_on(shown, today), place in {1, 4}
        told = told_to(operator, supply.customer_id) if place == 2 else {}
        SelfReading.create(
            supply=supply,
            day=today,
            counter=usual + (900 if place == 1 else -300 if place == 4 else 0),
            confirmed=odd,
            meter_serial=supply.meter_serial,
            entered_at=now - (10 - place) * MINUTE,
            state="cancelled" if place == 3 else "pending",
            cancelled_at=now - MINUTE if place == 3 else None,
            **told,
        )


# -- Files ---------------------------------------------------------------------------------


def send_files(app, *, today, now):
    """Two that the inbox will not take, and one that the clerk has sent and not yet loaded."""
    folder, customers = app.config["DATA_DIR"], neighbours()
    for name, rows in (
        ("letture_distributore_demo.csv", wrong_readings(today)),
        ("clienti_cessati_demo.csv", ended(customers[len(customers) // 2 :])),
    ):
        (folder / "inbox" / name).write_bytes(archive.table(rows))
    name, content = "clienti_telefoni_demo.csv", archive.table(telephones(customers[:4]))
    with uploads.received(folder, name, io.BytesIO(content)) as arrived:
        upload = uploads.keep(folder, arrived, operator=CLERK, now=now)
    uploads.try_out(folder, upload, utility_vat=app.config["UTILITY_VAT"], now=now)
    register.record("file_uploaded", CLERK, key=register.key(app.secret_key), now=now, name=name)


def wrong_readings(today):
    for supply, day, counter in (
        ("PR002876", today - DAY, "1234,5"),
        ("PR999999", today - DAY, "812"),
        ("PR002877", "31/02/2026", "77"),
    ):
        yield {"codice_fornitura": supply, "data": day, "contatore": counter,
               "fonte": "distributore"}  # fmt: skip


def ended(customers):
    """So many at once that somebody has to confirm it."""
    for row in map(known, customers):
        yield row | {"attivo": "N"}


def telephones(customers):
    for place, row in enumerate(map(known, customers)):
        yield row | {"telefono": f"0574 1{place:05d}"}


def known(customer):
    return {
        "codice_cliente": customer.code,
        "denominazione": customer.name,
        "codice_fiscale": customer.tax_code,
        "partita_iva": customer.vat_number,
    }


# -- The register --------------------------------------------------------------------------


def work(customers, key, *, now):
    """What the two operators did since yesterday, as the register tells it."""
    ours = [each.code for each in customers[:4]]
    told = (
        (25 * HOUR, BOSS, "signed_in", None, {"address": "203.0.113.10"}),
        (24.8 * HOUR, BOSS, "standard_answer_saved", None, {"answer": 1}),
        (24 * HOUR, BOSS, "customer_read", ours[0], {}),
        (23.9 * HOUR, BOSS, "customer_viewed", ours[0], {"login": ours[0]}),
        (23 * HOUR, BOSS, "signed_out", None, {}),
        (3 * HOUR, CLERK, "signed_in", None, {"address": "203.0.113.11"}),
        (2.9 * HOUR, CLERK, "ticket_read", ours[1], {"code": Ticket.get().code}),
        (2.5 * HOUR, CLERK, "customer_read", ours[1], {}),
        (2.4 * HOUR, CLERK, "login_resent", ours[1], {"login": ours[1]}),
        (8 * MINUTE, CLERK, "readings_read", ours[2], {}),
    )
    for ago, who, kind, customer, details in told:
        register.record(kind, who, key=key, now=now - ago, customer=customer, **details)
