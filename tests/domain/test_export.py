"""«Scarica i miei dati»: complete, of nobody else, and never much at once."""

import csv
import datetime as dt
import io
import json
import re
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from domain import export, measures
from domain.errors import Refused
from models import (
    Attachment,
    BilledConsumption,
    ContactChange,
    Contract,
    Document,
    ErasureRequest,
    Grant,
    Nickname,
    RegisterReading,
    StoredFile,
    TicketMessage,
    db,
)
from tests.factories import (
    make_account,
    make_customer,
    make_electricity,
    make_event,
    make_file,
    make_gas,
    make_invoice,
    make_mandate,
    make_measured_day,
    make_meter_reading,
    make_operator,
    make_self_reading,
    make_ticket,
)
from tests.together import at_once
from views.files import zipped

NOW = dt.datetime(2026, 11, 23, 8, 30, tzinfo=dt.UTC)
DAY = dt.date(2026, 10, 25)


@pytest.fixture
def customer(app):
    return make_customer("000002", name="PROVÀ S.P.A.", phone="0544 1234")


@pytest.fixture
def account(customer):
    return make_account(customer)


@pytest.fixture
def documents(app):
    return app.config["DATA_DIR"] / "documents"


@pytest.fixture
def take(account, documents):
    """`take()`: what is in the ZIP, by name."""

    def _take():
        content = b"".join(zipped(export.parts(account.id, documents, now=NOW)))
        archive = zipfile.ZipFile(io.BytesIO(content))
        assert archive.testzip() is None
        assert len(set(archive.namelist())) == len(archive.namelist())
        return {name: archive.read(name) for name in archive.namelist()}

    return _take


def make_consumption(supply, starts_on, **values):
    values = {"ends_on": starts_on + dt.timedelta(days=29), "total": 123456, "unit": "kWh",
              "kind": "actual", **values}  # fmt: skip
    return BilledConsumption.create(supply=supply, starts_on=starts_on, **values)


def make_document(customer, title, **values):
    values = {"category": "personal", "date": DAY, "folded": title, "added_at": NOW, **values}
    return Document.create(customer=customer, title=title, **values)


def test_an_empty_customer_has_a_sensible_export(take):
    taken = take()
    assert list(taken)[-1] == "LEGGIMI.txt"
    assert json.loads(taken["000002/fatture.json"]) == []
    assert "non sono disponibili" not in taken["LEGGIMI.txt"].decode()


def test_row_26_the_customer_and_the_login_without_secrets(take, customer, account):
    ContactChange.create(
        customer=customer, field="phone", value="0544 1234", previous="0544 9", made_at=NOW
    )
    ErasureRequest.create(customer=customer, account=account, made_at=NOW)
    taken = take()
    about = json.loads(taken["000002/cliente.json"])
    assert about["denominazione"] == "PROVÀ S.P.A."
    assert "PROVÀ" in taken["000002/cliente.json"].decode()  # readable as it is
    assert about["contatti_cambiati"][0] == {
        "contatto": "telefono",
        "quando": "2026-11-23T09:30:00+01:00",
        "da": "0544 9",
        "a": "0544 1234",
        "confermato_il": None,
    }
    assert about["richieste_di_cancellazione"][0]["fatta_il"] == "2026-11-23T09:30:00+01:00"
    login = json.loads(taken["accesso.json"])
    assert (login["user"], login["email"]) == ("000002", account.email)
    assert (login["lingua"], login["avvisi_per_posta"]) == ("Italiano", True)
    assert login["secondo_fattore_dal"] is None
    everything = b"".join(taken.values())
    assert account.password_hash.encode() not in everything
    assert b"argon2" not in everything


def test_mandates_given_and_received(take, customer, account):
    gas = make_gas(customer, code="PR000001")
    other = make_customer(name="ROSSI ROSA")
    make_mandate(customer, gas, name="STUDIO VERDI", given_at=NOW, scope="invoices")
    make_mandate(other, make_gas(other, code="PR000007"), account=account)
    taken = take()
    [given] = json.loads(taken["000002/cliente.json"])["deleghe_date"]
    assert (given["a"], given["permesso"], given["forniture"]) == (
        "STUDIO VERDI", "solo_fatture", ["PR000001"],
    )  # fmt: skip
    [received] = json.loads(taken["accesso.json"])["deleghe_ricevute"]
    assert (received["da"], received["forniture"]) == ("ROSSI ROSA", ["PR000007"])
    assert not [name for name in taken if "PR000007" in name]  # what is the other's stays there


def test_invoices_with_their_documents(app, take, customer):
    one, two = make_gas(customer, code="PR000001"), make_gas(customer, code="PR000002")
    file = make_file(app, "f1.pdf", b"%PDF uno")
    make_invoice(customer, one, two, number="F/1", date=dt.date(2026, 10, 1), document=file)
    make_invoice(customer, one, number="F2", date=dt.date(2026, 10, 2), paid=True)
    taken = take()
    first, second = json.loads(taken["000002/fatture.json"])
    assert first == {
        "numero": "F/1",
        "data": "2026-10-01",
        "scadenza": "2026-10-21",
        "iban": None,
        "tipo": "fattura",
        "importo": 123.45,
        "stato": "da_pagare",
        "forniture": ["PR000001", "PR000002"],
        "rate": [{"scadenza": "2026-10-21", "importo": 123.45}],
        "documento": "000002/fatture/f1.pdf",
    }
    assert (second["stato"], second["documento"]) == ("pagata", None)
    assert taken["000002/fatture/f1.pdf"] == b"%PDF uno"


def test_personal_documents_that_were_published(app, take, customer):
    make_document(customer, "Contratto", file=make_file(app, "c.pdf", b"%PDF c"))
    make_document(customer, "Domani", visible_from=dt.date(2026, 11, 24))
    make_document(customer, "Scaduto", visible_to=dt.date(2026, 1, 1), text="Un testo")
    make_document(customer, "Ritirato", withdrawn_at=NOW)
    make_document(None, "Modulo per tutti", category="forms")
    taken = take()
    found = json.loads(taken["000002/documenti.json"])
    assert {each["titolo"] for each in found} == {"Contratto", "Scaduto"}
    assert taken["000002/documenti/c.pdf"] == b"%PDF c"


def test_tickets_with_messages_and_attachments(take, customer, documents):
    ticket = make_ticket(customer, "T2026-000001", now=NOW)
    (documents / "ticket").mkdir(exist_ok=True)
    message = TicketMessage.get()
    for name in ("abc", "def"):
        (documents / "ticket" / name).write_bytes(name.encode())
        Attachment.create(message=message, path=f"ticket/{name}", name="foto.jpg", kind="jpg",
                          size=3, sha256="0" * 64)  # fmt: skip
    TicketMessage.create(
        ticket=ticket, at=NOW, by_customer=False, author="Ufficio clienti", text="Ecco."
    )
    taken = take()
    found = json.loads(taken["000002/ticket/T2026-000001/ticket.json"])
    assert (found["categoria"], found["stato"]) == ("informazioni", "aperto")
    asked, answered = found["messaggi"]
    assert asked["di"] == "cliente"
    assert [each["documento"] for each in asked["allegati"]] == [
        "000002/ticket/T2026-000001/foto.jpg",
        "000002/ticket/T2026-000001/foto (2).jpg",
    ]
    assert (answered["di"], answered["firma"]) == ("fornitore", "Ufficio clienti")
    assert taken["000002/ticket/T2026-000001/foto.jpg"] == b"abc"
    assert taken["000002/ticket/T2026-000001/foto (2).jpg"] == b"def"


def test_notes_among_operators_stay_with_the_utility(take, customer, documents):
    ticket = make_ticket(customer, "T2026-000001", now=NOW)
    note = TicketMessage.create(
        ticket=ticket, at=NOW, by_customer=False, author="Marta", text="Segreto", internal=True
    )
    (documents / "ticket").mkdir(exist_ok=True)
    (documents / "ticket" / "abc").write_bytes(b"abc")
    Attachment.create(message=note, path="ticket/abc", name="nascosto.pdf", kind="pdf", size=3,
                      sha256="0" * 64)  # fmt: skip
    taken = take()
    found = json.loads(taken["000002/ticket/T2026-000001/ticket.json"])
    assert [each["di"] for each in found["messaggi"]] == ["cliente"]
    assert not any("nascosto" in name for name in taken)
    assert not any(b"Segreto" in content or b"nascosto" in content for content in taken.values())


def test_an_attachment_that_a_killed_process_left_half_way_is_there(take, customer, documents):
    make_ticket(customer, "T2026-000001")
    (documents / "ticket" / ".arriving").mkdir(parents=True)
    (documents / "ticket" / ".arriving" / "abc").write_bytes(b"abc")
    Attachment.create(message=TicketMessage.get(), path="ticket/abc", name="foto.jpg", kind="jpg",
                      size=3, sha256="0" * 64)  # fmt: skip
    assert take()["000002/ticket/T2026-000001/foto.jpg"] == b"abc"


def test_supplies_with_names_contracts_readings_and_consumption(take, customer, account):
    supply = make_gas(customer, code="PR000001", coefficient_c="1.012345")
    Nickname.create(account=account, supply=supply, text="Casa")
    Contract.create(code="C1", supply=supply, offer="Fissa", starts_on=DAY, deposit_cents=5000)
    make_self_reading(supply, DAY, 120, account=account)
    make_meter_reading(supply, DAY, 118)
    make_consumption(supply, DAY, unit="Smc")
    taken = take()
    (about,) = json.loads(taken["000002/forniture.json"])
    assert (about["codice_fornitura"], about["nome"]) == ("PR000001", "Casa")
    assert about["coefficiente_c"] == 1.012345
    own = "000002/forniture/PR000001"
    assert json.loads(taken[f"{own}/contratti.json"])[0]["deposito"] == 50.0
    readings = json.loads(taken[f"{own}/letture.json"])
    assert readings["autoletture"][0]["stato"] == "da_acquisire"
    assert not readings["autoletture"][0]["comunicata_per_telefono"]
    assert readings["letture"][0]["contatore"] == 118
    (period,) = json.loads(taken[f"{own}/prelievi.json"])
    assert (period["totale"], period["unita"], period["tipo"]) == (123.456, "Smc", "effettivo")


def test_a_reading_told_by_telephone_says_so(take, customer):
    supply = make_gas(customer, code="PR000001")
    told = {"account": None, "taken_for": customer, "operator": make_operator()}
    make_self_reading(supply, DAY, 120, **told)
    readings = json.loads(take()["000002/forniture/PR000001/letture.json"])
    assert [each["comunicata_per_telefono"] for each in readings["autoletture"]] == [True]


def test_registers_of_electricity_meters_of_ones_own_days(take, customer):
    supply = make_electricity(customer, code="PR000002", active_from=DAY)
    for day in (DAY - dt.timedelta(days=1), DAY):
        RegisterReading.create(supply=supply, day=day, kind="reading", register="EaF1",
                               value=1_234_500, estimated=False, rectified=False)  # fmt: skip
    readings = json.loads(take()["000002/forniture/PR000002/letture.json"])
    assert readings["registri"] == [
        {"data": DAY.isoformat(), "registro": "EaF1", "stimata": False, "valore": 1234.5,
         "tipo": "lettura"}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("day", "first", "last", "number"),
    [
        (dt.date(2026, 10, 25), "2026-10-25T00:00:00+02:00", "2026-10-25T23:45:00+01:00", 100),
        (dt.date(2026, 3, 29), "2026-03-29T00:00:00+01:00", "2026-03-29T23:45:00+02:00", 92),
    ],
)
def test_measures_by_year_with_days_of_any_length(take, customer, day, first, last, number):
    supply = make_electricity(customer, code="PR000005")
    values = list(range(1, number + 1))
    make_measured_day(supply, day, values)
    make_measured_day(supply, dt.date(2025, 12, 31), estimated=True)
    make_measured_day(supply, day, quantity="reactive")
    taken = take()
    own = "000002/forniture/PR000005"
    assert {name for name in taken if name.endswith(".csv")} == {
        f"{own}/misure_attiva_2025.csv",
        f"{own}/misure_attiva_2026.csv",
        f"{own}/misure_reattiva_2026.csv",
    }
    rows = read_csv(taken[f"{own}/misure_attiva_2026.csv"])
    assert [row["inizio"] for row in (rows[0], rows[-1])] == [first, last]
    assert {(row["pod"], row["unita"], row["tipo"]) for row in rows} == {(supply.pod, "Wh", "E")}
    assert len({row["inizio"] for row in rows}) == number
    assert sum(int(row["valore"]) for row in rows) == sum(values)
    assert read_csv(taken[f"{own}/misure_attiva_2025.csv"])[0]["tipo"] == "S"


def read_csv(content):
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_what_happened(take, customer, account):
    make_event("access", at=NOW, account=account, address="192.0.2.1")
    make_event("contact_changed", at=NOW, customer=customer, field="phone")
    make_event("access", at=NOW, account=make_account(), address="198.51.100.7")
    events = json.loads(take()["storico.json"])
    assert [event["evento"] for event in events] == ["access", "contact_changed"]
    assert events[0]["dettagli"] == {"address": "192.0.2.1"}
    assert events[0]["descrizione"] == "Accesso al portale, dall'indirizzo 192.0.2.1."


def test_what_the_document_tells_of_it_is_so(take):
    text = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text()
    assert f"al massimo {export.MOST_A_DAY}\nvolte in 24 ore" in text
    told = set(re.findall(r"^\| `([\w.]+)` \|", text, re.M))
    assert {name for name in take() if "/" not in name} == told


def test_of_many_at_once_no_more_begin_than_may_in_a_day(app, account, customer):
    def begin():
        export.begin(account.id, customer.id, now=NOW)
        return "begun"

    outcomes = at_once(*[begin] * 9)
    assert outcomes.count("begun") == 5
    assert sum(isinstance(each, Refused) for each in outcomes) == 4


# -- Of nobody else ------------------------------------------------------------------------


def test_row_26_nothing_of_other_customers(app, take, customer):
    other = make_customer("000099", name="ALTRO CLIENTE")
    supply = make_electricity(other, code="PR000099")
    make_invoice(other, supply, number="F99", document=make_file(app, "altro.pdf", b"%PDF altro"))
    make_document(other, "Documento altrui")
    make_ticket(other, "T2026-999999")
    make_measured_day(supply, DAY)
    taken = take()
    everything = b"".join([*taken.values(), *(name.encode() for name in taken)])
    for foreign in (b"000099", b"ALTRO", b"F99", b"altro.pdf", b"altrui", b"T2026-999999"):
        assert foreign not in everything


def test_row_26_nothing_of_who_had_the_supply_before(take, customer):
    since = dt.date(2026, 7, 1)
    supply = make_electricity(customer, code="PR000005", active_from=since)
    former = make_account(make_customer())
    before = since - dt.timedelta(days=1)
    for day in (before, since):
        make_measured_day(supply, day)
        make_meter_reading(supply, day, day.month)
        make_self_reading(supply, day, day.month, account=former if day == before else None)
        make_consumption(supply, day)
    Contract.create(code="C1", supply=supply, offer="Di prima",
                    starts_on=dt.date(2020, 1, 1), ends_on=before)  # fmt: skip
    taken = take()
    own = "000002/forniture/PR000005"
    assert json.loads(taken[f"{own}/contratti.json"]) == []
    assert [each["dal"] for each in json.loads(taken[f"{own}/prelievi.json"])] == ["2026-07-01"]
    readings = json.loads(taken[f"{own}/letture.json"])
    assert [each["data"] for each in readings["letture"]] == ["2026-07-01"]
    assert [each["data"] for each in readings["autoletture"]] == ["2026-07-01"]
    rows = read_csv(taken[f"{own}/misure_attiva_2026.csv"])
    assert rows[0]["inizio"] == "2026-07-01T00:00:00+02:00"
    assert len(rows) == 96


def test_row_26_nothing_of_who_has_the_supply_after(take, customer):
    end = dt.date(2026, 6, 30)
    supply = make_electricity(customer, code="PR000005", ended_on=end)
    for day in (end, end + dt.timedelta(days=1), dt.date(2027, 1, 1)):
        make_measured_day(supply, day)
        make_meter_reading(supply, day, 5)
        make_consumption(supply, day)
    taken = take()
    own = "000002/forniture/PR000005"
    assert [name for name in taken if name.endswith(".csv")] == [f"{own}/misure_attiva_2026.csv"]
    assert len(read_csv(taken[f"{own}/misure_attiva_2026.csv"])) == measures.count(end)
    assert len(json.loads(taken[f"{own}/prelievi.json"])) == 1
    assert len(json.loads(taken[f"{own}/letture.json"])["letture"]) == 1


def test_both_customers_of_one_login(take, account):
    Grant.create(account=account, customer=make_customer("000003"))
    taken = take()
    assert {"000002/cliente.json", "000003/cliente.json"} <= set(taken)


# -- Whatever lies on the disk -------------------------------------------------------------


def test_a_missing_document_is_told_in_the_index(app, take, customer):
    make_invoice(customer, document=make_file(app, "persa.pdf"))
    outside = StoredFile.create(path="../portale.db", name="x.pdf", size=1, sha256="0" * 64)
    make_invoice(customer, document=outside)
    (app.config["DATA_DIR"] / "documents" / "persa.pdf").unlink()
    taken = take()
    assert [each["documento"] for each in json.loads(taken["000002/fatture.json"])] == [None] * 2
    index = taken["LEGGIMI.txt"].decode()
    assert "non sono disponibili (2)" in index
    assert "- 000002/fatture/persa.pdf\n" in index
    assert not [name for name in taken if name.endswith(".pdf")]


def test_a_document_removed_meanwhile_is_told_too(app, customer, account, documents):
    make_invoice(customer, document=make_file(app, "persa.pdf"))
    taken = {}
    for name, chunks in export.parts(account.id, documents, now=NOW):
        taken[name] = b"".join(chunks)
        if name == "000002/fatture.json":
            (documents / "persa.pdf").unlink()
    assert "000002/fatture/persa.pdf" not in taken
    assert "- 000002/fatture/persa.pdf\n" in taken["LEGGIMI.txt"].decode()


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\x\\..\\y.pdf", "a/b.pdf", "x" * 300])
def test_no_name_leads_out_of_the_archive(app, take, customer, name):
    stored = make_file(app, "f1.pdf")
    stored.name = name[:255]
    stored.save()
    make_invoice(customer, document=stored)
    (found,) = [each for each in take() if each.startswith("000002/fatture/")]
    assert found.count("/") == 2
    assert ".." not in found.split("/")
    assert "\\" not in found


def test_years_of_data_and_large_documents_never_lie_in_memory(app, customer, account, documents):
    supply = make_electricity(customer)
    for day in range(400):
        make_measured_day(supply, dt.date(2024, 1, 1) + dt.timedelta(days=day))
    large = 4_000_000
    for number in range(12):
        make_invoice(customer, supply, document=make_file(app, f"{number}.pdf", bytes(large)))
    sent = 0
    tracemalloc.start()
    try:
        for chunk in zipped(export.parts(account.id, documents, now=NOW)):
            sent += len(chunk)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sent > 12 * large
    assert peak < 4_000_000, peak


def test_between_two_files_no_connection_is_held(app, account, documents):
    db.close()
    for _name, _chunks in export.parts(account.id, documents, now=NOW):
        assert db.is_closed()
