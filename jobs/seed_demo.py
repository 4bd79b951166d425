"""Fill the archive of the demo; nothing to schedule, `make demo` runs it at each start.

The first time it puts the files of a fictional billing system into the inbox and imports
them as any utility would. Every time it moves the reading windows, so that one is open.
"""

import datetime as dt

from domain import acquisition, handover, passwords, register, ticket_deadlines
from domain.clock import rome_day, rome_instant
from domain.errors import Refused
from jobs import import_inbox, runner
from jobs.demo_world import archive, contacts, desk, history, mandates, morning, people, tickets
from models import (
    Account,
    Customer,
    Document,
    Grant,
    ReadingBatch,
    SelfReading,
    SupplyPoint,
    writing,
)

NOON = dt.time(12)
LONG_AGO, LATELY = dt.timedelta(days=1100), dt.timedelta(days=3, hours=2)
SOME_TIME = dt.timedelta(days=60)
REASON = "Lettura non coerente con quella del distributore del mese successivo."


def run(app, *, now):
    if not app.config["DEMO"]:
        raise Refused("I dati di prova si caricano soltanto nella dimostrazione: «make demo».")
    folder, today = app.config["DATA_DIR"], rome_day(now)
    first_time = not Account.select().where(Account.username == people.READY["code"]).exists()
    if first_time:
        for name, content in archive.documents(today):
            (folder / "inbox" / "allegati" / name).write_bytes(content)
        for name, content in archive.files(today):
            (folder / "inbox" / name).write_bytes(content)
    name, content = archive.windows(today)
    (folder / "inbox" / name).write_bytes(content)
    import_inbox.run(app, now=now)
    desk.open_to_all(app.secret_key, now=now - SOME_TIME)
    if first_time:
        with writing():  # all at once: a first start cut short begins again
            readings = hand_over_readings(today, now=now)
            age_documents()
            account = open_account(now=now)
            deadlines = ticket_deadlines.of(app.config)
            tickets.live(account, folder / "documents", deadlines=deadlines, today=today, now=now)
            history.live(account, today=today)
            mandates.live(account, now=now)
            changes = contacts.live(account, account.grants.get().customer, today=today)
            morning.live(app, today=today, now=now)
        for batch in (readings, changes):
            taken = folder / "outbox" / handover.TAKEN / batch.file_name
            taken.write_bytes(batch.content)
        morning.send_files(app, today=today, now=now)
    register.verify(register.key(app.secret_key), now=now)
    if answers := outcomes():
        (folder / "inbox" / "esiti_demo.csv").write_bytes(archive.table(answers))
        import_inbox.run(app, now=now)
    return "Dati di prova caricati." if first_time else "Dati di prova già presenti."


def hand_over_readings(today, *, now):
    """Years of self-readings, in one batch that billing has taken."""
    supplies = {row.code: row for row in SupplyPoint.select()}
    given = archive.self_readings(archive.all_supplies(today), today)
    for place, (supply, day, counter, corrector) in enumerate(given):
        SelfReading.create(
            supply=supplies[supply["codice_fornitura"]],
            day=day,
            counter=counter,
            corrector=corrector,
            meter_serial=supply["matricola"],
            confirmed=place % 11 == 5,
            entered_at=rome_instant(day, NOON),
        )
    batch, _readings = handover.assign(acquisition.READINGS, now=now - LATELY)
    batch.placed_at = now - LATELY
    batch.save()
    return batch


def outcomes():
    """What billing answers about the first batch, as rows of `esiti`; none once it has."""
    waiting = SelfReading.select().join(ReadingBatch).order_by(SelfReading.id)
    waiting = waiting.where(ReadingBatch.number == 1, SelfReading.state == "acquired")
    return [
        {"lotto": "000001", "id_lettura": reading.id, "esito": "RESPINTA", "motivo": REASON}
        if place % 24 == 20
        else {"lotto": "000001", "id_lettura": reading.id, "esito": "VALIDATA", "motivo": None}
        for place, reading in enumerate(waiting)
    ]


def age_documents():
    """As if each document had been published on its day: few are new since the last access."""
    for document in Document.select():
        document.added_at = rome_instant(document.date, dt.time())
        document.save()


def open_account(*, now):
    """The ready login; returns it."""
    account = Account.create(
        username=people.READY["code"],
        email=people.READY["email"],
        password_hash=passwords.hashed(people.READY_PASSWORD),
        created_at=now - LONG_AGO,
        last_access_at=now - LATELY,
    )
    Grant.create(account=account, customer=Customer.get(code=people.READY["code"]))
    return account


if __name__ == "__main__":
    runner.main("seed_demo", run)
