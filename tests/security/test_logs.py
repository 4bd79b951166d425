"""Row 24: no password, secret, token or tax code is ever logged, however much is logged."""

import datetime as dt
import logging
import re
from pathlib import Path

import pytest

from domain import accounts, agenda, credentials, email_links, mail, mandate_links, search, tickets
from domain.clock import utcnow
from models import EmailChange, JobRun, OutgoingMail
from tests.factories import (
    PASSWORD,
    make_account,
    make_customer,
    make_electricity,
    make_gas,
    make_mail,
    make_mandate,
    make_operator,
)
from tests.jobs import process
from tests.security.owners import BY_SECRET
from tests.security.routes import path_of

ROOT = Path(__file__).parents[2]

STRONG = "canarino lampada fiume orologio"
WRONG = "canarino sbagliato"
TAX_CODE, VAT = "RSSMRA60A41H501X", "01114601006"


@pytest.fixture
def logged(caplog):
    """What every logger of the process wrote, from DEBUG on."""
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


def token_of(browser, path):
    page = browser.get(path).get_data(as_text=True)
    return page.split('name="csrf_token" value="')[1].split('"')[0]


def test_row_24_the_logs_are_watched(client, logged):
    client.post("/password-dimenticata", data={"code": "canarino"})
    assert "canarino" in logged.text  # SQL and its values


def test_row_24_no_secret_is_logged(app, with_csrf, browser_at, secret_of, logged, monkeypatch):
    account = make_account(make_customer(tax_code=TAX_CODE, vat_number=VAT))
    fresh = make_customer(tax_code=TAX_CODE, vat_number=VAT)
    secret = secret_of(account)
    logged.clear()
    canaries = {PASSWORD, STRONG, WRONG, TAX_CODE, VAT, secret}
    browser = browser_at("192.0.2.1")

    def post(path, page=None, **data):
        data["csrf_token"] = token_of(browser, page or path)
        canaries.add(data["csrf_token"])
        answer = browser.post(path, data=data)
        canaries.update(cookie.value for cookie in cookies(browser))
        return answer.status_code

    assert post("/registrazione", code=fresh.code, tax_id="00000000000") == 422
    assert post("/registrazione", code=account.username, tax_id=TAX_CODE) == 422
    assert post("/registrazione", code=fresh.code, tax_id=VAT) == 303
    assert post("/registrazione/conferma", email="canarino") == 422
    assert post("/registrazione/conferma", email="maria@example.it") == 303
    assert post("/password-dimenticata", code=account.username) == 303
    assert post("/login", username=account.username, password=WRONG) == 422
    assert post("/login", username=account.username, password=secret) == 303
    assert post("/password", new_password="canarino", repeat_password="canarino") == 422
    assert post("/password", new_password=STRONG, repeat_password=STRONG) == 303
    page = "/forniture/-/password"
    wrong = {"password": WRONG, "new_password": PASSWORD, "repeat_password": PASSWORD}
    assert post(page, **wrong) == 422
    assert post(page, **{**wrong, "password": STRONG}) == 303
    assert post("/logout", page) == 303
    assert browser.post("/login", data={"password": WRONG}).status_code == 400

    def broken(*_args, **_more):
        raise RuntimeError

    monkeypatch.setattr(accounts, "sign_in", broken)
    assert post("/login", username=account.username, password=WRONG) == 500

    assert logged.records
    for canary in canaries:
        assert canary not in logged.text


def test_row_24_no_address_that_opens_something_is_logged(app, browser_at, sign_in, logged):
    customer = make_customer(email="vecchia@example.it")
    gas = make_gas(customer)
    account = make_account(customer)
    agenda.make(account.id, gas, now=utcnow())
    EmailChange.create(
        account=account, customer=customer, address="nuova@example.it", asked_at=utcnow()
    )
    calendar = agenda.token(agenda.link(account.id, gas), key=app.secret_key)
    key = credentials.key(app.secret_key)
    email = email_links.make(account, "nuova@example.it", now=utcnow(), key=key)
    mandate = make_mandate(customer, gas)
    invitation = mandate_links.make(mandate.id, mandate.email, now=utcnow(), key=key)
    browser = browser_at("192.0.2.1")
    logged.clear()
    assert browser.get(f"/calendario/{calendar}.ics").status_code == 200
    assert browser.get(f"/conferma-indirizzo/{email}").status_code == 200
    assert browser.post(f"/conferma-indirizzo/{email}").status_code == 303
    assert browser.get(f"/conferma-indirizzo/{email}").status_code == 200
    assert browser.get(f"/calendario/{calendar}x.ics").status_code == 404
    assert browser.get(f"/delega/{invitation}").status_code == 200
    assert browser.get(f"/delega/{invitation}x").status_code == 410
    assert browser.get(browser.post(f"/delega/{invitation}/accetta").location).status_code == 200
    chosen = {"new_password": STRONG, "repeat_password": STRONG}
    assert browser.post(f"/delega/{invitation}", data=chosen).status_code == 303
    assert browser.post(f"/delega/{invitation}/accetta").status_code == 303
    assert sign_in(account).get(f"/forniture/{gas.code}/preferenze").status_code == 200
    assert logged.records
    for canary in (calendar, email, invitation):
        assert canary not in logged.text


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("deploy/nginx*.conf")), ids=lambda path: path.name
)
def test_row_24_nor_does_the_proxy_in_front_log_it(app, path):
    """An address with a token is all that it takes."""
    silent = re.findall(
        r"location ~ (\S+) \{\s+access_log off;\s+proxy_pass http://\w", path.read_text()
    )
    secret = [rule for rule in app.url_map.iter_rules() if "token" in rule.arguments]
    assert {rule.endpoint for rule in secret} >= BY_SECRET
    for rule in secret:
        path = path_of(app, rule, "canarino")
        assert any(re.match(pattern, path) for pattern in silent), path


# -- Personal data -------------------------------------------------------------------------

PERSONAL = {
    "name": "CANARINI GIALLA", "tax": TAX_CODE, "vat": VAT, "email": "canarina@example.it",
    "phone": "0574 987654", "pod": "IT001E09876543", "street": "VIA DEL CANARINO",
    "text": "Il canarino non canta",
}  # fmt: skip


@pytest.fixture
def known_by_all(app):
    """A customer with a login, each of whose data is a canary."""
    customer = make_customer(
        name=PERSONAL["name"], tax_code=TAX_CODE, vat_number=VAT, phone=PERSONAL["phone"],
        email=PERSONAL["email"], street=PERSONAL["street"],
    )  # fmt: skip
    make_electricity(customer, pod=PERSONAL["pod"])
    return make_account(customer, email=PERSONAL["email"])


def names_nobody(text):
    return [canary for canary in PERSONAL.values() if canary in text] == []


@pytest.fixture
def warned(caplog):
    """What every logger of the process wrote, but for DEBUG: that is SQL with its values."""
    caplog.set_level(logging.ERROR, logger="mail.log")  # of the mail server beside us
    caplog.set_level(logging.INFO)
    return caplog


def test_row_24_the_desk_logs_no_personal_data(
    known_by_all, sign_in, sign_in_operator, warned, monkeypatch
):
    account, desk = known_by_all, sign_in_operator(make_operator())
    code = account.grants.get().customer.code
    sheet = f"/staff/clienti/{code}"
    for found in (PERSONAL["email"], PERSONAL["pod"], PERSONAL["name"]):
        assert code in desk.get("/staff/clienti", query_string={"cerca": found}).text
    assert desk.get(sheet).status_code == 200
    changed = {"email": f"x{PERSONAL['email']}", "confirmed": "1"}
    for path, data in (
        (f"{sheet}/accessi/{account.id}/email", changed),
        (f"{sheet}/accessi/{account.id}/invia", {}),
        (f"{sheet}/cancellazione", {"code": PERSONAL["tax"]}),
        (f"{sheet}/nessuna-pagina", {"x": PERSONAL["name"]}),
    ):
        assert desk.post(path, data=data).status_code < 500

    def broken(*_args, **_more):
        raise RuntimeError

    monkeypatch.setattr(tickets, "open_ticket", broken)
    data = {"category": "other", "subject": PERSONAL["name"], "text": PERSONAL["text"]}
    answer = sign_in(account).post("/forniture/-/ticket/nuovo", data=data)
    assert answer.status_code in {404, 500}
    monkeypatch.setattr(search, "customers", broken)
    assert desk.get("/staff/clienti", query_string={"cerca": PERSONAL["email"]}).status_code == 500
    assert warned.records
    assert names_nobody(warned.text)


def test_row_24_mail_that_is_refused_is_logged_without_its_address(
    known_by_all, mail_server, warned
):
    address = PERSONAL["email"]
    for reply in ("550 5.1.1 <{}>: unknown", "451 {}: later", "421 {} go away"):
        row = make_mail(known_by_all)
        mail_server.to_recipient[address] = reply.format(address)
        tally = mail.send_due()
        row = OutgoingMail.get_by_id(row.id)
        assert row.last_error
        assert names_nobody(row.last_error)
        assert names_nobody(tally.trouble)
        row.delete_instance()
    assert len(warned.records) >= 3
    assert names_nobody(warned.text)


@pytest.mark.processes
def test_row_24_jobs_write_no_personal_data(known_by_all, app, settings):
    """As cron runs them: what they print goes into the system's log."""
    inbox = app.config["DATA_DIR"] / "inbox"
    header = "codice_cliente;denominazione;codice_fiscale;partita_iva;email;telefono;cap"
    known, phone = PERSONAL["email"], PERSONAL["phone"]
    rows = (
        f"000001;{PERSONAL['name']};{TAX_CODE};{VAT};{known};{phone};59100",
        f"{PERSONAL['name']};;{PERSONAL['text']};{VAT}0;{known} {known};{phone};59100",
    )
    (inbox / "clienti.csv").write_text("\n".join((header, *rows)))
    supplies = "codice_fornitura;codice_cliente;servizio;pod_pdr"
    (inbox / "forniture.csv").write_text(f"{supplies}\nPR1;000999;EE;{PERSONAL['pod']}\n")
    (inbox / "misure.csv").write_text(f"pod;data\n{PERSONAL['pod']};{PERSONAL['text']}\n")
    make_mail(known_by_all)
    make_mail(known_by_all, state="sent", sent_at=utcnow() - dt.timedelta(days=400))
    for name in ("import_inbox", "send_mail", "purge"):
        done = process.job(settings, name)
        assert done.stdout
        assert names_nobody(done.stdout + done.stderr), name
    assert names_nobody(str(list(JobRun.select().dicts())))
    assert (inbox / "scartati" / "clienti.csv.errori.csv").exists()


def test_row_24_no_server_logs_what_is_asked_for():
    """Searches are part of the address: the desk's hold names."""
    asked = {"request", "request_uri", "args", "query_string", "http_referer"}
    for path in ROOT.glob("deploy/*"):
        text = path.read_text()
        assert "--access-log" not in text, path.name
        if path.name.startswith("nginx"):
            [(name, fields)] = re.findall(r"^log_format (\w+) (.*?);", text, re.M | re.S)
            assert not asked & set(re.findall(r"\$(\w+)", fields))
            for server in text.split("\nserver {\n")[1:]:
                own = re.findall(r"^    access_log (?:off|\S+ (\w+));", server, re.M)
                assert set(own or ["combined"]) <= {"", name}, path.name


def cookies(browser):
    return [each for each in (browser.get_cookie(n) for n in ("portale", "portale-noto")) if each]
