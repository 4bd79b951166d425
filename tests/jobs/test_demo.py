"""The demo: its data, its settings, its mail page, and that production knows nothing of it."""

import datetime as dt
import re
import select
import socket
import subprocess
import sys
from itertools import pairwise

import pytest
from stdnum import iban
from stdnum.it import codicefiscale, iva

import models
from app import ConfigurationError, create_app
from domain import (
    consumption,
    documents,
    history,
    invoices,
    readings,
    register,
    standard_answers,
    windows,
)
from domain import desk as the_desk
from domain.clock import rome_day, utcnow
from domain.errors import Refused
from domain.mail import outbox
from jobs import acquire_readings, demo, seed_demo, send_reminders
from jobs.demo_world import archive, contacts, desk, people
from models import (
    Account,
    BilledConsumption,
    ContactBatch,
    ContactChange,
    Customer,
    Document,
    ImportedFile,
    Invoice,
    InvoiceSupply,
    Operator,
    ReadingBatch,
    RegisterEntry,
    SelfReading,
    StoredFile,
    SupplyPoint,
    TicketMessage,
    UploadedFile,
)
from tests.conftest import ON_POSTGRESQL, in_own_context
from tests.pages import PARTIAL

pytestmark = pytest.mark.skipif(ON_POSTGRESQL, reason="the demo's archive is of SQLite")
TODAY = dt.date(2026, 11, 23)
FOR_THE_CLERK = {
    "letture_distributore_demo.csv": "rejected",
    "clienti_cessati_demo.csv": "held",
}


@pytest.fixture
def few_neighbours(monkeypatch):
    monkeypatch.setattr(people, "NEIGHBOURS", 6)


@pytest.fixture
def demo_app(settings, few_neighbours):
    app = create_app(settings | {"DEMO": True, "UTILITY_VAT": people.UTILITY_VAT})
    app.config["MAIL_IN_BACKGROUND"] = False
    with app.app_context():
        yield app
    models.db.close_all()


# -- Only where it belongs -----------------------------------------------------------------


def test_production_refuses_the_demo(settings):
    with pytest.raises(ConfigurationError, match="dimostrazione"):
        create_app(settings | {"ENV": "production", "DEMO": True})


def test_without_the_demo_nothing_of_it_is_reachable(app, client):
    assert not [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/demo")]
    for path in ("/demo/posta", "/demo/telefono"):
        assert client.get(path).status_code == 404


def test_without_the_demo_nothing_is_seeded(app):
    with pytest.raises(Refused):
        seed_demo.run(app, now=utcnow())
    assert not Customer.select().exists()
    assert not list((app.config["DATA_DIR"] / "inbox").glob("*.csv"))


def test_the_settings_of_a_real_portal_do_not_reach_the_demo(tmp_path, monkeypatch):
    monkeypatch.setenv("PORTALE_DATABASE_URL", "postgresql://vero")
    monkeypatch.setattr(demo, "ROOT", tmp_path)
    (tmp_path / ".env").write_text("PORTALE_MAIL_SERVER=smtp.vero.it\nPORTALE_ENV=production\n")
    given = demo.settings(8010, tmp_path / "demo-data")
    assert given["PORTALE_DATABASE_URL"] == given["PORTALE_MAIL_SERVER"] == ""
    assert (given["PORTALE_ENV"], given["PORTALE_DEMO"]) == ("development", "1")
    assert given["PORTALE_DATA_DIR"] == str(tmp_path / "demo-data")


def test_the_secret_key_is_kept_and_private(tmp_path):
    first = demo.secret_key(tmp_path / "dati")
    assert len(first) >= 32
    assert demo.secret_key(tmp_path / "dati") == first
    assert (tmp_path / "dati" / "secret_key").stat().st_mode & 0o077 == 0


def test_a_busy_port_is_told_in_a_sentence():
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        with pytest.raises(demo.CannotStart, match=f"la porta {port} è occupata"):
            demo.refuse_busy_port(port)
    demo.refuse_busy_port(port)


# -- The data ------------------------------------------------------------------------------


def test_seeding_gives_the_ready_customer_years_of_data(demo_app):
    now = utcnow()
    assert seed_demo.run(demo_app, now=now) == "Dati di prova caricati."
    imported = dict(ImportedFile.select(ImportedFile.name, ImportedFile.state).tuples())
    assert FOR_THE_CLERK.items() <= imported.items()
    assert {imported[name] for name in imported.keys() - FOR_THE_CLERK.keys()} == {"applied"}

    ready = Customer.get(code="000002")
    assert (ready.name, ready.address) == ("PROVA S.P.A.", "VIA DI PROVA 35 - 59100 PRATO (PO)")
    supplies = list(SupplyPoint.select().where(SupplyPoint.customer == ready))
    assert {(row.service, row.has_corrector) for row in supplies} == {
        ("EE", False),
        ("GAS", False),
        ("GAS", True),
    }
    assert [row.code for row in supplies if row.ended_on] == ["PR002879"]

    billed = Invoice.select().where(Invoice.customer == ready)
    assert min(row.date for row in billed).year == 2014
    assert billed.where(Invoice.kind == "credit_note").exists()
    today = now.date()
    assert billed.where(~Invoice.paid, Invoice.due_on > today).exists()
    assert billed.where(~Invoice.paid, Invoice.due_on < today).exists()
    for stored in StoredFile.select().join(Invoice).where(Invoice.customer == ready):
        assert (demo_app.config["DATA_DIR"] / "documents" / stored.path).stat().st_size == (
            stored.size
        )

    states = {row.state for row in SelfReading.select()}
    assert states == {"validated", "rejected", "pending", "cancelled"}
    assert ready.phone == contacts.PHONE
    for batch in (ReadingBatch.get(), ContactBatch.get()):
        taken = demo_app.config["DATA_DIR"] / "outbox" / "presi" / batch.file_name
        assert taken.read_bytes() == bytes(batch.content)
    assert not ContactChange.select().where(ContactChange.settled_at.is_null()).exists()


@pytest.mark.slow
def test_the_demo_publishes_old_new_coming_and_past_documents(demo_app):
    now = utcnow()
    seed_demo.run(demo_app, now=now)
    today, ready = rome_day(now), Customer.get(code="000002")
    for category in (documents.PERSONAL, documents.FORMS, documents.RULES, documents.INFO):
        assert documents.count(category, ready.id, today=today) > 3
    shown = {row.title for row in documents.page(documents.NOTICES, ready.id, today=today)}
    stored = Document.select().where(Document.category == documents.NOTICES)
    hidden = [row for row in stored if row.title not in shown]
    assert {row.visible_from > today for row in hidden} == {True, False}
    last_access = Account.get(username=ready.code).last_access_at
    new = [row for row in Document.select() if documents.is_new(row, last_access)]
    assert 0 < len(new) < 8


@pytest.mark.slow
def test_a_second_start_keeps_the_data_and_a_window_is_open_again(demo_app):
    now = utcnow()
    seed_demo.run(demo_app, now=now)
    gas = SupplyPoint.get(code="PR002876")
    account = Account.get(username="000002")
    counter = archive.counter_on({"codice_fornitura": gas.code, "consumo_annuo": gas.annual_use,
                                  "correttore": "N", "cifre": 5}, now.date())  # fmt: skip
    readings.submit(gas, counter, None, account=account.id, confirmed=False, now=now)
    before = Invoice.select().count(), SelfReading.select().count()

    later = now + dt.timedelta(days=100)
    assert seed_demo.run(demo_app, now=later) == "Dati di prova già presenti."
    assert (Invoice.select().count(), SelfReading.select().count()) == before
    open_now, next_one = windows.coming(gas, now=later, limit=5)
    assert windows.is_open(open_now, now=later)
    assert not windows.is_open(next_one, now=later)


@pytest.mark.slow
def test_a_first_start_cut_short_begins_again(demo_app, monkeypatch):
    monkeypatch.setattr(seed_demo, "open_account", lambda *, now: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        seed_demo.run(demo_app, now=utcnow())
    assert not SelfReading.select().exists()
    monkeypatch.undo()
    monkeypatch.setattr(people, "NEIGHBOURS", 6)
    assert seed_demo.run(demo_app, now=utcnow()) == "Dati di prova caricati."


@pytest.mark.slow
def test_the_same_day_gives_the_same_files():
    assert list(archive.files(TODAY)) == list(archive.files(TODAY))
    assert list(archive.documents(TODAY)) == list(archive.documents(TODAY))


@pytest.mark.slow
def test_what_the_invoices_charged_follows_the_seasons_and_is_complete(demo_app):
    seed_demo.run(demo_app, now=utcnow())
    assert {row.kind for row in BilledConsumption.select()} == {"actual", "self_read", "estimated"}
    named = InvoiceSupply.select(Invoice.number, InvoiceSupply.supply).join(Invoice)
    numbers = set(named.tuples())
    for supply in SupplyPoint.select():
        periods = consumption.periods(supply)
        assert periods, supply.code
        for earlier, later in pairwise(periods):
            assert later.starts_on == earlier.ends_on + dt.timedelta(1), supply.code
        charged = {(row.invoice_number, supply.id) for row in periods if row.invoice_number}
        assert charged <= numbers, supply.code
    gas = SupplyPoint.get(code="PR002876")
    months = consumption.by_month(consumption.periods(gas))
    assert months[2025, 1].total > 5 * months[2025, 7].total


@pytest.mark.slow
def test_a_year_of_history_waits_for_who_looks(demo_app):
    seed_demo.run(demo_app, now=utcnow())
    account = Account.get(username=people.READY["code"])
    for group in history.GROUPS:
        assert history.page(account.id, group=group, limit=1), group
    latest = history.page(account.id, group="accessi", limit=1)[0]
    assert latest.at == account.last_access_at
    ended = SupplyPoint.get(SupplyPoint.ended_on.is_null(False))
    assert invoices.counts(ended.customer_id, ended.id, today=TODAY)


@pytest.mark.slow
@pytest.mark.parametrize("day", [dt.date(2026, 1, 1), dt.date(2028, 2, 29), dt.date(2027, 12, 31)])
def test_the_files_can_be_made_on_any_day(day):
    assert dict(archive.files(day))["fatture_demo.csv"].count(b"\n") > 1000


def test_codes_have_the_right_check_digits():
    for person in archive.everybody():
        if "vat_number" in person:
            assert iva.is_valid(person["vat_number"]), person
        else:
            assert codicefiscale.is_valid(person["tax_code"]), person
    assert iva.is_valid(people.UTILITY_VAT)
    assert iban.is_valid(people.UTILITY_IBAN)
    assert iban.is_valid(people.READY["iban"])


def test_documents_are_sound_pdf_files():
    for name, content in archive.documents(TODAY):
        assert content.startswith(b"%PDF-1.4\n"), name
        table = int(re.search(rb"startxref\n(\d+)\n%%EOF\n$", content)[1])
        assert content[table:].startswith(b"xref\n0 8\n")
        for number, place in enumerate(re.findall(rb"(\d{10}) 00000 n", content), start=1):
            assert content[int(place):].startswith(b"%d 0 obj\n" % number)  # fmt: skip
        stream = re.search(rb"/Length (\d+) >>\nstream\n(.*)\nendstream", content, re.S)
        assert len(stream[2]) == int(stream[1])


# -- The mail page -------------------------------------------------------------------------

MAIL = """\
From: Portale <portale@prova.example>
To: {to}
Subject: {subject}
Date: Mon, 23 Nov 2026 06:30:00 +0100
Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/plain; charset=utf-8

{text}
--b
Content-Type: text/html; charset=utf-8

<script>alert(1)</script>
--b--
"""


def put_mail(app, name, **values):
    folder = app.config["DATA_DIR"] / "posta"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.eml").write_text(MAIL.format(**values))


def test_the_mail_page_says_when_there_is_none(demo_app):
    page = demo_app.test_client().get("/demo/posta")
    assert page.status_code == 200
    assert "Nessuna mail per ora." in page.text


def test_the_mail_page_shows_the_newest_and_any_other(demo_app):
    put_mail(demo_app, "prima", to="a@posta.example", subject="Uno", text="testo della prima")
    put_mail(demo_app, "seconda", to="b@posta.example", subject="Due", text="<b>Password</b>: x")
    browser = demo_app.test_client()
    page = browser.get("/demo/posta").text
    assert "&lt;b&gt;Password&lt;/b&gt;: x" in page
    assert "testo della prima" not in page
    assert page.index("Due") < page.index("Uno")
    assert "<script>alert" not in page
    assert "testo della prima" in browser.get("/demo/posta?mail=prima").text


def test_the_list_refreshes_itself_as_a_partial(demo_app):
    put_mail(demo_app, "una", to="a@posta.example", subject="Uno", text="x")
    headers = {"HX-Request": "true", "HX-Request-Type": "partial"}
    partial = demo_app.test_client().get("/demo/posta", headers=headers).text
    assert partial.lstrip().startswith('<div id="mails"')
    assert 'hx-trigger="every' in partial


@pytest.mark.parametrize("name", ["../secret_key", "%00", "nessuna", "a" * 5000])
def test_a_name_that_is_not_a_mail_shows_the_list_alone(demo_app, name):
    put_mail(demo_app, "una", to="a@posta.example", subject="Uno", text="testo")
    page = demo_app.test_client().get("/demo/posta", query_string={"mail": name})
    assert page.status_code == 200
    assert "testo" not in page.text


DEAF = """
import signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
worker = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
worker += "print(flush=True); signal.alarm(30); signal.pause()"
subprocess.run([sys.executable, "-c", worker])
"""


def test_a_server_that_does_not_stop_is_killed_with_its_workers(monkeypatch):
    monkeypatch.setattr(demo, "STOPS_WITHIN", 0.1)
    command = [sys.executable, "-c", DEAF]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as server:
        server.stdout.readline()  # the worker is there
        demo.stop(server)
        ended, _writable, _odd = select.select([server.stdout], [], [], 10)
        assert ended  # and is gone: nobody holds the pipe any more


# -- The desk ------------------------------------------------------------------------------


def test_the_operators_of_the_demo_get_in_with_the_code_of_the_page(demo_app):
    desk.open_to_all(demo_app.secret_key, now=utcnow())
    demo_app.config["WTF_CSRF_ENABLED"] = False
    demo_app.wsgi_app = in_own_context(demo_app.wsgi_app)
    for each in people.DESK:
        browser = demo_app.test_client()
        data = {"username": each["username"], "password": people.DESK_PASSWORD}
        assert browser.post("/staff/login", data=data).location == "/staff"
        page = browser.get("/demo/telefono").text
        code = re.search(rf"{each['username']} .*?(\d{{3}} \d{{3}})</dd>", page)[1]
        assert browser.post("/staff/codice", data={"code": code}).location == "/staff"
        assert each["name"] in browser.get("/staff").text


def test_operators_of_the_demo_are_made_once(demo_app):
    for _start in range(2):
        desk.open_to_all(demo_app.secret_key, now=utcnow())
    assert Operator.select().count() == len(people.DESK)
    assert register.first_broken(register.key(demo_app.secret_key)) is None


def test_a_morning_waits_at_the_desk(demo_app):
    now = utcnow()
    seed_demo.run(demo_app, now=now)
    tiles = {tile.name: tile for tile in the_desk.tiles(now=now)}
    assert {tiles[name].state for name in ("tickets", "files", "mail")} == {the_desk.LATE}
    assert tiles["tickets"].about.overdue == 1
    assert len(tiles["files"].about.last) == tiles["files"].about.held == 1
    assert (tiles["mail"].about.failed, tiles["mail"].about.failing) == (1, 1)
    assert tiles["readings"].about.pending > 2
    odd = SelfReading.select().where(SelfReading.confirmed, SelfReading.state == "pending")
    told = SelfReading.select().where(SelfReading.taken_for.is_null(False))
    assert odd.exists()
    assert told.exists()
    assert TicketMessage.select().where(TicketMessage.internal).exists()
    assert len(standard_answers.all_of_them()) == 2
    assert UploadedFile.select(UploadedFile.outcome).scalar() == "applied"
    formatted = Document.select().where(Document.service == "GAS", Document.source.is_null(False))
    assert formatted.exists()
    assert RegisterEntry.select().count() > 8
    assert register.first_broken(register.key(demo_app.secret_key)) is None
    assert sum(count for _month, count in the_desk.registered(now=now)) > 1


@pytest.mark.slow
def test_no_mail_of_the_morning_goes_out(demo_app):
    now = utcnow()
    seed_demo.run(demo_app, now=now)
    acquire_readings.run(demo_app, now=now)
    send_reminders.run(demo_app, now=now)
    assert outbox.claim(now=now + dt.timedelta(minutes=5)) is None


def test_the_welcome_tells_how_to_get_into_the_desk():
    told = demo.welcome(8010)
    assert "http://127.0.0.1:8010/staff" in told
    assert "http://127.0.0.1:8010/demo/telefono" in told
    for each in people.DESK:
        assert each["username"] in told
    assert people.DESK_PASSWORD in told


def test_the_codes_of_the_demo_refresh_as_a_partial(demo_app):
    page = demo_app.test_client().get("/demo/telefono", headers=PARTIAL).text
    assert "Nessun operatore ha ancora un secondo fattore." in page
    assert "<html" not in page
