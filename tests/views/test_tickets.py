import datetime as dt
import html
import io
import re

import pytest

from domain import ticket_desk
from domain.clock import utcnow
from models import Attachment, Event, Ticket, TicketMessage
from tests.factories import (
    make_account,
    make_attachment,
    make_customer,
    make_electricity,
    make_gas,
    make_ticket,
)
from tests.pages import PARTIAL, text_of

LIST = "/forniture/PR000001/ticket"
NEW = f"{LIST}/nuovo"
PDF = b"%PDF-1.4\n%%EOF\n"
FILLED = {"subject": "Fattura 12/E", "category": "complaint", "text": "Riga uno\r\n\r\nRiga due"}


def pdf(name="nota.pdf"):
    return io.BytesIO(PDF), name


def address_of(ticket):
    return f"{LIST}/{ticket.code}"


def codes(page):
    return re.findall(r'class="code"[^>]*>([^<]+)<', page.text)


# -- The list ------------------------------------------------------------------------------


def test_without_tickets_the_page_says_what_they_are_for(browser, supply):
    page = browser.get(LIST)
    assert "Apri un ticket" in page.text
    assert "Non ci sono ancora ticket" in page.text
    assert "<table" not in page.text


def test_the_list_shows_which_ticket_waits_for_the_customer(browser, customer, supply):
    make_ticket(customer, subject="In attesa", state="answered", category="billing")
    make_ticket(customer, subject="Appena aperto")
    page = browser.get(LIST)
    assert text_of(page.text).count("attende la risposta del cliente") == 1
    row = next(row for row in page.text.split("<tr>") if "In attesa" in row)
    assert "Rettifica di fatturazione" in row
    assert "attende la risposta del cliente" in row


def test_the_filter_shows_one_state(browser, customer, supply):
    closed = make_ticket(customer, state="closed", closed_at=utcnow())
    make_ticket(customer)
    assert codes(browser.get(f"{LIST}?stato=closed")) == [closed.code]
    page = browser.get(f"{LIST}?stato=answered")
    assert "Nessun ticket corrisponde alla scelta." in page.text
    assert len(codes(browser.get(f"{LIST}?stato=x"))) == 2


def test_htmx_gets_the_table_alone(browser, customer, supply):
    make_ticket(customer)
    partial = browser.get(LIST, headers=PARTIAL)
    assert partial.text.lstrip().startswith('<div id="tickets">')
    assert "<html" not in partial.text
    assert "HX-Request" in partial.headers["Vary"]


def test_a_page_beyond_the_last_leads_to_the_last(browser, customer, supply):
    for _n in range(12):
        make_ticket(customer)
    assert browser.get(f"{LIST}?righe=10&pag=9").location == f"{LIST}?pag=2&righe=10"
    assert len(codes(browser.get(f"{LIST}?righe=10&pag=2"))) == 2
    assert browser.get(f"{LIST}?stato=closed&pag=3").location == f"{LIST}?stato=closed"


def test_the_list_shows_no_one_elses(browser, customer, supply):
    make_ticket(make_customer(), subject="Altrui")
    assert "Altrui" not in browser.get(LIST).text


def test_who_has_a_supply_now_sees_nothing_of_who_had_it(sign_in, customer, supply):
    ticket = make_ticket(customer, supply=supply, subject="Riservato")
    successor = make_customer()
    supply.customer = successor
    supply.save()
    browser = sign_in(make_account(successor))
    assert "Riservato" not in browser.get(LIST).text
    assert browser.get(address_of(ticket)).status_code == 404


@pytest.mark.parametrize("path", ["", "/nuovo"])
def test_a_customer_without_supplies_has_tickets_too(sign_in, path):
    customer = make_customer()
    browser = sign_in(make_account(customer))
    assert browser.get(f"/forniture/-/ticket{path}").status_code == 200
    answer = browser.post("/forniture/-/ticket/nuovo", data=FILLED)
    ticket = Ticket.get()
    assert (ticket.customer, ticket.supply) == (customer, None)
    assert answer.location == f"/forniture/-/ticket/{ticket.code}"
    assert browser.get(answer.location).status_code == 200


@pytest.mark.parametrize("page", [LIST, NEW])
def test_an_electricity_supply_and_an_ended_one_have_the_same_page(browser, customer, supply, page):
    make_electricity(customer, code="PR000002", ended_on=dt.date(2020, 1, 1))
    assert browser.get(page.replace("000001", "000002")).status_code == 200


def test_the_pages_cost_few_queries_however_long(app, browser, customer, supply, count_queries):
    ticket = make_ticket(customer)
    counts = []
    for more in (1, 40):
        for _n in range(more):
            make_ticket(customer)
            TicketMessage.create(ticket=ticket, at=utcnow(), by_customer=False, text="Sì")
            make_attachment(app, ticket)
        for path in (LIST, address_of(ticket), NEW):
            browser.get(path)
            with count_queries() as queries:
                browser.get(path)
            counts.append(len(queries))
    assert counts[:3] == counts[3:]
    assert max(counts) <= 6


# -- Opening -------------------------------------------------------------------------------


def test_a_ticket_is_opened_and_shown_with_its_lines_and_files(browser, customer, supply):
    answer = browser.post(NEW, data={**FILLED, "attachments": [pdf("uno.pdf"), pdf("due.pdf")]})
    ticket = Ticket.get()
    assert (answer.status_code, answer.location) == (303, address_of(ticket))
    page = browser.get(answer.location)
    assert f"Ticket {ticket.code} registrato." in page.text
    assert "Riga uno\n\nRiga due" in page.text
    assert "uno.pdf" in page.text
    assert "due.pdf" in page.text
    assert (ticket.customer, ticket.supply, ticket.category) == (customer, supply, "complaint")
    assert ticket.subject == "Fattura 12/E"
    assert ticket.messages.get().text == "Riga uno\n\nRiga due"


def test_sent_twice_it_is_one_ticket(browser, supply):
    first, second = (browser.post(NEW, data={**FILLED, "attachments": pdf()}) for _n in range(2))
    assert first.location == second.location
    assert Ticket.select().count() == Attachment.select().count() == 1


def test_a_complaint_shows_until_when_it_must_be_answered(app, browser, supply):
    app.config["COMPLAINT_DAYS"] = 20
    assert "entro 20 giorni" in browser.get(NEW).text
    browser.post(NEW, data=FILLED)
    ticket = Ticket.get()
    due = f"{ticket.due_on:%d/%m/%Y}"
    assert f"Risposta dovuta entro il {due}" in text_of(browser.get(address_of(ticket)).text)
    receipt = browser.get(f"{address_of(ticket)}/ricevuta.pdf")
    assert receipt.data.startswith(b"%PDF-")
    assert receipt.headers["Content-Disposition"] == (
        f"attachment; filename=ricevuta_{ticket.code}.pdf"
    )
    assert receipt.headers["Content-Security-Policy"] == "sandbox"
    assert receipt.headers["Cache-Control"] == "no-store"


def test_what_has_no_deadline_has_no_receipt(browser, customer, supply):
    ticket = make_ticket(customer)
    assert "ricevuta" not in browser.get(address_of(ticket)).text
    answer = browser.get(f"{address_of(ticket)}/ricevuta.pdf")
    assert answer.status_code == 404
    assert "non è prevista una ricevuta" in answer.text


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"subject": " "}, "Scrivere l'oggetto in poche parole."),
        ({"subject": "x" * 121}, "L'oggetto è troppo lungo"),
        ({"subject": "a\x00b"}, "caratteri che non si possono usare"),
        ({"category": ""}, "Scegliere la categoria."),
        ({"category": "bogus"}, "Scegliere la categoria."),
        ({"text": "\r\n "}, "Scrivere il testo."),
        ({"text": "x" * 5001}, "Il testo è troppo lungo"),
        ({"text": "a\x00b"}, "caratteri che non si possono usare"),
    ],
    ids=str,
)
def test_bad_input_is_told_and_what_was_typed_is_kept(browser, supply, changed, sentence):
    data = {**FILLED, **changed, "attachments": pdf()}
    answer = browser.post(NEW, data=data)
    assert answer.status_code == 422
    assert sentence in html.unescape(answer.text)
    assert "Gli allegati vanno scelti di nuovo." in answer.text
    kept = {"subject": 'value="Fattura 12/E"', "category": "complaint", "text": "Riga uno"}
    assert all(word in answer.text for name, word in kept.items() if name not in changed)
    assert Ticket.select().count() == Attachment.select().count() == 0


def test_a_text_of_the_longest_length_is_taken_whatever_its_line_ends(browser, supply):
    browser.post(NEW, data={**FILLED, "text": "à\r\n" * 2500})
    assert len(TicketMessage.get().text) == 4999  # the last end of line is no text


def test_fields_that_no_form_has_are_ignored(browser, customer, supply):
    extra = {"customer_id": "1", "state": "closed", "code": "X", "due_on": "2030-01-01",
             "account": "9", "by_customer": "", "author": "Utility"}  # fmt: skip
    browser.post(NEW, data={**FILLED, **extra})
    ticket = Ticket.get()
    assert (ticket.customer, ticket.state) == (customer, "open")
    assert ticket.code.startswith("T2")
    assert ticket.due_on.year != 2030
    message = ticket.messages.get()
    assert message.by_customer
    assert message.author is None


# -- Its evolution -------------------------------------------------------------------------


def test_a_ticket_reads_as_a_conversation(browser, customer, supply):
    browser.post(NEW, data=FILLED)
    ticket = Ticket.get()
    now = utcnow()
    ticket_desk.answer(ticket.id, "Buongiorno,\nEcco.", author="Marta", now=now)
    ticket_desk.close(ticket.id, author="Marta", now=now)
    page = browser.get(address_of(ticket)).text
    assert "Buongiorno,\nEcco." in page
    places = [page.index(words) for words in ("Riga uno", "Ecco.", '"turn-state"')]
    assert places == sorted(places)
    assert re.search(r'turn-state">Chiuso, \d\d/\d\d/\d{4}, \d\d:\d\d · Marta<', page)


def test_a_note_among_operators_is_shown_nowhere(app, browser, customer, supply):
    ticket = make_ticket(customer, category="complaint", due_on=dt.date(2026, 12, 1))
    here = "/forniture/PR000001"
    shown = (f"{here}/home", LIST, address_of(ticket), f"{here}/storico")
    before = [text_of(browser.get(path).text) for path in shown]
    ticket_desk.note(ticket.id, "Segretissimo", author="Bruno Interni", now=utcnow())
    assert [text_of(browser.get(path).text) for path in shown] == before
    note = TicketMessage.get(TicketMessage.internal)
    hidden = make_attachment(app, ticket, "nascosto.pdf")
    Attachment.update(message=note).execute()
    for path in (*shown, f"{address_of(ticket)}/ricevuta.pdf"):
        page = browser.get(path).data
        assert not any(word in page for word in (b"Segretissimo", b"Interni", b"nascosto"))
    assert browser.get(f"{address_of(ticket)}/allegati/{hidden.id}").status_code == 404


def test_an_answer_is_sent_with_its_file(browser, customer, supply):
    ticket = make_ticket(customer, state="answered")
    answer = browser.post(address_of(ticket), data={"text": "Grazie", "attachments": pdf()})
    assert (answer.status_code, answer.location) == (303, address_of(ticket))
    page = browser.get(answer.location).text
    assert "Risposta inviata." in page
    assert "nota.pdf" in page
    assert Ticket.get().state == "open"


def test_an_answer_sent_twice_is_one(browser, customer, supply):
    ticket = make_ticket(customer)
    for _click in range(2):
        browser.post(address_of(ticket), data={"text": "Grazie"})
    assert TicketMessage.select().count() == 2


@pytest.mark.parametrize("text", ["", "x" * 5001, "\x00"])
def test_a_bad_answer_is_told(browser, customer, supply, text):
    ticket = make_ticket(customer)
    for path in ("", "/riapri"):
        answer = browser.post(address_of(ticket) + path, data={"text": text})
        assert answer.status_code == 422
        assert "is-invalid" in answer.text
    assert TicketMessage.select().count() == 1


def test_closing_and_reopening(browser, customer, supply):
    ticket = make_ticket(customer)
    address = address_of(ticket)
    answer = browser.post(f"{address}/chiudi")
    assert (answer.status_code, answer.location) == (303, address)
    page = browser.get(address).text
    assert f"Ticket {ticket.code} chiuso." in page
    assert ">Chiudi il ticket<" not in page
    assert ">Riapri il ticket<" in page
    browser.post(f"{address}/chiudi")
    assert "Il ticket è già chiuso." in browser.get(address).text
    refused = browser.post(address, data={"text": "Ancora"})
    assert refused.status_code == 422
    assert "occorre riaprirlo" in refused.text
    assert "Ancora" in refused.text
    browser.post(f"{address}/riapri", data={"text": "Ancora"})
    assert "Ticket riaperto." in browser.get(address).text
    assert Ticket.get().state == "open"


def test_a_ticket_closed_for_long_offers_a_new_one(browser, customer, supply):
    closed_at = utcnow() - dt.timedelta(days=91)
    ticket = make_ticket(customer, state="closed", closed_at=closed_at)
    page = browser.get(address_of(ticket)).text
    assert "più di 90 giorni" in page
    assert ">Riapri il ticket<" not in page
    answer = browser.post(f"{address_of(ticket)}/riapri", data={"text": "Ancora"})
    assert answer.status_code == 422
    assert Ticket.get().state == "closed"


POSTS = {
    NEW: FILLED,
    "": {"text": "Ancora"},
    "/riapri": {"text": "Ancora"},
    "/chiudi": {},
}


@pytest.mark.parametrize("path", POSTS)
def test_strangers_change_nothing(app, customer, supply, stranger, path):
    ticket = make_ticket(customer)
    address = path if path == NEW else address_of(ticket) + path
    anonymous = app.test_client().post(address, data=POSTS[path])
    assert (anonymous.status_code, anonymous.location) == (303, "/login")
    assert stranger.post(address, data=POSTS[path]).status_code == 404
    in_their_own = address.replace("PR000001", "PR000009")
    if path != NEW:
        assert stranger.post(in_their_own, data=POSTS[path]).status_code == 404
    assert Ticket.get().state == "open"
    assert TicketMessage.select().count() == 1


# -- Downloads -----------------------------------------------------------------------------


def test_an_attachment_is_downloaded_under_the_customers_name(app, browser, customer, supply):
    row = make_attachment(app, make_ticket(customer), "Bolletta di luglio.pdf")
    address = f"{address_of(row.message.ticket)}/allegati/{row.id}"
    answer = browser.get(address)
    assert answer.data == PDF
    assert answer.mimetype == "application/pdf"
    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="Bolletta di luglio.pdf"'
    )
    event = Event.get()
    assert (event.kind, event.customer) == ("attachment_downloaded", customer)
    assert "Bolletta di luglio.pdf" in event.details


def test_an_attachment_of_another_ticket_is_missing(app, browser, customer, supply):
    row = make_attachment(app, make_ticket(customer))
    other = make_ticket(customer)
    assert browser.get(f"{address_of(other)}/allegati/{row.id}").status_code == 404


def test_an_attachment_that_is_gone_is_told(app, browser, customer, supply):
    row = make_attachment(app, make_ticket(customer))
    (app.config["DATA_DIR"] / "documents" / row.path).unlink()
    answer = browser.get(f"{address_of(row.message.ticket)}/allegati/{row.id}")
    assert answer.status_code == 404
    assert "al momento non è disponibile" in answer.text


def test_an_address_with_a_supply_of_ones_own_shows_all_ones_tickets(browser, customer, supply):
    make_gas(customer, code="PR000002")
    ticket = make_ticket(customer, supply=supply)
    assert browser.get(f"/forniture/PR000002/ticket/{ticket.code}").status_code == 200
