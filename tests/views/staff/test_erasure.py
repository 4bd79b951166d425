"""The answer to a customer who asks that personal data be erased."""

import datetime as dt

import pytest

from domain import erasure, register
from domain.clock import rome_day, utcnow
from models import Account, Customer, ErasureRequest, OutgoingMail, RegisterEntry, Ticket
from tests.factories import (
    make_account,
    make_attachment,
    make_customer,
    make_gas,
    make_invoice,
    make_operator,
    make_ticket,
)
from tests.security.routes import archive

YESTERDAY = rome_day(utcnow()) - dt.timedelta(days=1)


@pytest.fixture
def customer(app):
    """One who has left and asks to be erased."""
    customer = make_customer("000777", name="ROSSI MARIA", phone="0574 123456")
    account = make_account(customer, email="canarino@example.it")
    supply = make_gas(customer, ended_on=YESTERDAY)
    make_invoice(customer, supply, date=YESTERDAY)
    ticket = make_ticket(customer, state="closed", closed_at=utcnow())
    make_attachment(app, ticket)
    erasure.ask(customer.id, account.id, now=utcnow())
    return customer


@pytest.fixture
def desk(sign_in_operator):
    return sign_in_operator(make_operator(username="m.verdi"))


HERE = "/staff/clienti/000777/cancellazione"


def written():
    rows = RegisterEntry.select().order_by(RegisterEntry.number)
    return [(row.kind, row.customer_code) for row in rows if row.kind != "customer_read"]


def mails():
    rows = OutgoingMail.select().where(OutgoingMail.kind != "erasure_asked")
    return [(row.kind, row.recipient) for row in rows]


def test_the_page_says_what_goes_and_what_stays(desk, customer):
    page = desk.get(HERE).text
    assert "ROSSI MARIA" in page
    erased, kept = page.split("Che cosa la legge vuole conservato")
    assert "<dt>Allegati dei ticket</dt><dd>1</dd>" in erased
    assert "<dt>Fatture</dt><dd>1</dd>" in kept
    assert "articolo 2220 del codice civile" in kept
    assert "dopo 180 giorni, le copie di sicurezza dopo 14." in kept
    assert [row.kind for row in RegisterEntry.select()] == ["customer_read"]


def test_today_and_the_sheet_lead_there(desk, customer):
    assert f'href="{HERE}"' in desk.get("/staff").text
    assert f'href="{HERE}"' in desk.get("/staff/clienti/000777").text


def test_who_asks_by_letter_is_erased_too(app, desk):
    make_customer("000778")
    assert "/000778/cancellazione" in desk.get("/staff/clienti/000778").text
    page = desk.get("/staff/clienti/000778/cancellazione").text
    assert "non dal portale" in page
    assert "Non accogliere la richiesta" not in page
    desk.post("/staff/clienti/000778/cancellazione", data={"code": "000778"})
    assert Customer.get().erased_at
    assert ErasureRequest.get().settled_at


def test_erasing_is_told_written_and_done(app, desk, customer):
    answer = desk.post(HERE, data={"code": "000777"}, follow_redirects=True)
    assert "Dati personali cancellati; il cliente ne è avvisato" in answer.text
    assert "sono stati cancellati il" in answer.text
    assert "0574 123456" not in answer.text
    assert Customer.get().erased_at
    assert Account.get().email == ""
    assert mails() == [("erasure_done", "canarino@example.it")]
    assert written() == [("customer_erased", "000777")]
    documents = app.config["DATA_DIR"] / "documents"
    assert not [path for path in documents.rglob("*") if path.is_file()]
    assert "Cancellazione dei dati" not in desk.get("/staff").text
    key = register.key(app.secret_key)
    assert register.first_broken(key) is None


def test_twice_is_once(desk, customer):
    desk.post(HERE, data={"code": "000777"})
    before = archive()
    answer = desk.post(HERE, data={"code": "000777"}, follow_redirects=True)
    assert "già stati cancellati" in answer.text
    after = archive()
    del before[RegisterEntry], after[RegisterEntry]
    assert {t: r for t, r in before.items() if "session" not in t._meta.table_name} == {
        t: r for t, r in after.items() if "session" not in t._meta.table_name
    }
    assert written() == [("customer_erased", "000777")]


@pytest.mark.parametrize("code", ["", "000778", "canarino", "\x00", "9" * 400])
def test_without_the_right_code_nothing_is_erased(desk, customer, code):
    answer = desk.post(HERE, data={"code": code})
    assert answer.status_code == 422
    assert "is-invalid" in answer.text
    assert Customer.get().erased_at is None
    assert written() == []


def test_a_customer_with_a_supply_in_service_is_not_erased(desk, customer):
    make_gas(customer)
    page = desk.get(HERE).text
    assert "finché dura il contratto" in page
    assert "Cancella i dati personali</button>" not in page
    answer = desk.post(HERE, data={"code": "000777"}, follow_redirects=True)
    assert "finché dura il contratto" in answer.text
    assert Customer.get().erased_at is None
    assert mails() == []


def test_declining_needs_a_reason_and_tells_it(desk, customer, sign_in):
    assert desk.post(f"{HERE}/rifiuta", data={"reason": " "}).status_code == 422
    assert mails() == []
    data = {"reason": "Il contratto è in corso."}
    answer = desk.post(f"{HERE}/rifiuta", data=data, follow_redirects=True)
    assert "il cliente ne riceve il motivo" in answer.text
    assert mails() == [("erasure_declined", "canarino@example.it")]
    assert written() == [("erasure_declined", "000777")]
    code = customer.supplies.get().code
    seen = sign_in(Account.get()).get(f"/forniture/{code}/storico").text
    assert "non è stata accolta" in seen
    again = desk.post(f"{HERE}/rifiuta", data=data, follow_redirects=True)
    assert "la richiesta non c'è più" in again.text.lower().replace("&#39;", "'")
    assert len(mails()) == 1


def test_the_ticket_of_an_erased_customer_still_opens_at_the_desk(desk, customer):
    code = customer.supplies.get().customer.code
    desk.post(HERE, data={"code": code})
    ticket = desk.get("/staff/ticket/" + Ticket.get().code)
    assert ticket.status_code == 200
    assert "(cancellato)" in ticket.text


def test_a_customer_that_does_not_exist(desk):
    for path in ("000999", "9" * 30, "%00"):
        assert desk.get(f"/staff/clienti/{path}/cancellazione").status_code == 404
        assert desk.post(f"/staff/clienti/{path}/cancellazione").status_code == 404
