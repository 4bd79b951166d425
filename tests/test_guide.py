"""docs/guida/: what it names stands on the pages, and the portal shows it as it is written.

Each step is walked in a browser by tests/guide/pictures.py; here it is enough that a label
stands anywhere where it could.
"""

import datetime as dt
import html
import re

import pytest

from domain import guide
from domain.clock import rome_day, utcnow
from models import ReadingBatch
from tests.factories import (
    make_account,
    make_consumption,
    make_contract,
    make_customer,
    make_document,
    make_electricity,
    make_gas,
    make_import,
    make_invoice,
    make_mail,
    make_mandate,
    make_measured_day,
    make_meter_reading,
    make_operator,
    make_self_reading,
    make_standard_answer,
    make_ticket,
    make_upload,
    make_window,
)
from tests.guide import rendering

OF_STRANGERS = ("login", "registrazione", "password-dimenticata", "accessibilita")
OF_CUSTOMERS = (
    "home", "fatture", "password", "secondo-fattore", "autolettura", "anagrafica", "prelievi",
    "prelievi?anno=2021", "ticket", "ticket/nuovo", "dati-tecnici", "contratti", "documenti",
    "modulistica", "normative", "comunicati", "informazioni", "storico", "preferenze", "deleghe",
)  # fmt: skip
OF_THE_DESK = (
    "", "clienti", "autoletture", "periodi", "periodi/nuovo", "documenti", "documenti/nuovo",
    "ticket", "caricamenti", "posta", "operatori", "operatori/nuovo", "registro",
)  # fmt: skip


def words(answer):
    """What stands on a page, for who sees it and for who hears it."""
    assert answer.status_code in {200, 422}, answer.request.path
    heard = re.findall(r'(?:aria-label|value)="([^"]*)"', answer.text)
    shown = re.sub(r"<[^>]*>", " ", answer.text)
    return " ".join(html.unescape(" ".join([shown, *heard])).split())


def labels(audience):
    sources = (path.read_text("utf-8") for path in rendering.chapters(audience))
    return set().union(*map(rendering.labels, sources))


@pytest.fixture
def rich(app):
    """A customer of whom every page has something to say."""
    customer = make_customer(phone="0574 000002")
    gas = make_gas(customer, has_corrector=True)
    electricity = make_electricity(customer)
    today = rome_day(utcnow())
    iban = "IT60X0542811101000000123456"
    make_window()
    make_mandate(customer, gas)
    for supply in (gas, electricity):
        make_invoice(customer, supply, state="paid")
        make_invoice(customer, supply, date=today, iban=iban)
        make_consumption(supply, dt.date(2021, 1, 1), dt.date(2021, 2, 28))
        make_consumption(supply, dt.date(2020, 1, 1), dt.date(2020, 2, 28))
        make_contract(supply, dt.date(2020, 1, 1))
    make_meter_reading(gas, today - dt.timedelta(days=60), 800)
    batch = ReadingBatch.create(number=1, created_at=utcnow(), content=b"")
    make_self_reading(gas, today - dt.timedelta(days=1), 900)
    for days, state in enumerate(("acquired", "validated", "rejected"), start=2):
        make_self_reading(gas, today - dt.timedelta(days=days), 900, state=state, batch=batch)
    make_measured_day(electricity, today - dt.timedelta(days=1))
    make_document(customer=customer, category="personal")
    for category in ("forms", "rules", "notices", "info"):
        make_document(category=category)
    return customer, gas, electricity


def test_what_the_guide_of_customers_names_stands_on_their_pages(client, sign_in, rich):
    customer, gas, electricity = rich
    seen = {words(client.get(f"/{path}")) for path in OF_STRANGERS}
    newcomer = make_customer()
    claim = {"code": newcomer.code, "tax_id": newcomer.vat_number}
    seen.add(words(client.post("/registrazione", data=claim | {"tax_id": "1"})))
    client.post("/registrazione", data=claim)
    seen.add(words(client.get("/registrazione/conferma")))

    before = utcnow() - dt.timedelta(days=2)
    browser = sign_in(make_account(customer, last_access_at=before))
    here = f"/forniture/{gas.code}"
    odd = {"counter": "1", "corrector": "1"}
    seen.add(words(browser.post(f"{here}/autolettura/nuova", data=odd)))
    asked = [
        make_ticket(customer, category="complaint", due_on=rome_day(utcnow())),
        make_ticket(customer, state="answered"),
        make_ticket(customer, state="closed", closed_at=utcnow()),
    ]
    seen |= {words(browser.get(f"{here}/ticket/{each.code}")) for each in asked}
    seen |= {words(browser.get(f"{here}/{path}")) for path in OF_CUSTOMERS}
    seen.add(words(browser.get(f"/forniture/{electricity.code}/misure")))
    for list_of, step in (("fatture", "pagamento"), ("autolettura", "cancella")):
        page = browser.get(f"{here}/{list_of}").text
        seen.add(words(browser.get(re.search(rf'href="({here}/{list_of}/\d+/{step})"', page)[1])))
    seen.add("Li ho messi al sicuro")  # templates/_second_factor.html, once a code is given
    assert missing(guide.CUSTOMERS, seen) == set()


def test_what_the_guide_of_clerks_names_stands_at_the_desk(app, client, sign_in_operator, rich):
    customer, gas, _electricity = rich
    account = make_account(customer, totp_nonce="1" * 32, totp_since=utcnow())
    make_mail(account, state="failed")
    make_standard_answer()
    clerk, document = make_operator(), make_document()
    ticket = make_ticket(customer, category="complaint")
    browser = sign_in_operator(make_operator("administrator"))
    paths = (
        *OF_THE_DESK,
        f"clienti/{customer.code}",
        f"operatori/{clerk.username}",
        f"documenti/{document.id}",
        f"ticket/{ticket.code}",
        f"autoletture/nuova?fornitura={gas.code}",
        f"caricamenti/{make_import(state='held').id}",
        f"caricamenti/attesa/{make_upload(app).id}",
    )
    seen = {words(client.get("/staff/login"))}
    seen |= {words(browser.get(f"/staff/{path}".rstrip("/"))) for path in paths}
    draft = {"title": "Prova", "audience": "all", "category": "notices", "text": "Prova"}
    seen.add(words(browser.post("/staff/documenti/nuovo", data=draft, follow_redirects=True)))
    made = sign_in_operator(clerk, verified=False)
    seen.add(words(made.get("/staff/codice")))
    browser.post(f"/staff/clienti/{customer.code}/accessi/{account.id}/vista")
    seen |= {words(browser.get(f"/forniture/{gas.code}/{path}")) for path in OF_CUSTOMERS[-10:]}
    seen.add("Li ho messi al sicuro")  # templates/_second_factor.html, once a code is given
    assert missing(guide.DESK, seen) == set()


def missing(audience, seen):
    return {label for label in labels(audience) if not any(label in each for each in seen)}


# -- What is written and what the portal has -------------------------------------------------


def test_the_pages_are_those_that_make_guide_writes():
    wanted = rendering.pieces()
    there = {path: path.read_text("utf-8") for path in guide.ROOM.glob("*/*.html")}
    assert there.keys() == wanted.keys(), "run: make guide"
    stale = sorted(path.name for path, text in wanted.items() if there[path] != text)
    assert not stale, "run: make guide"


@pytest.mark.parametrize("audience", guide.AUDIENCES)
def test_each_chapter_leads_where_there_is_something(audience):
    named = {chapter.name for chapter in guide.chapters(audience)}
    for source in rendering.chapters(audience):
        text = source.read_text("utf-8")
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if not target.startswith("https:"):
                assert (source.parent / target).resolve().exists(), (source.name, target)
        written = (guide.ROOM / audience / f"{source.stem}.html").read_text("utf-8")
        assert set(re.findall(r"\{to:([\w-]+)\}", written)) <= named
        assert all(re.findall(r'<img [^>]*alt="([^"]*)"', written)), source.name


def test_pictures_are_small_and_each_is_shown():
    there = {path.name: path.stat().st_size for path in rendering.PICTURES.iterdir()}
    drawn = {name for name in there if name.endswith(".svg")}
    assert there.keys() - drawn == rendering.pictures()
    assert {name for name, size in there.items() if size > 40_000} == set()
