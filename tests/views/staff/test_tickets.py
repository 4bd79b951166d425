import datetime as dt
import io
import json
import re

import pytest

from domain import register, ticket_desk
from domain.clock import rome_day, utcnow
from models import (
    Attachment,
    Event,
    Operator,
    OutgoingMail,
    RegisterEntry,
    Ticket,
    TicketMessage,
)
from tests.factories import (
    make_account,
    make_attachment,
    make_customer,
    make_gas,
    make_operator,
    make_standard_answer,
    make_ticket,
)
from tests.pages import PARTIAL, text_of

QUEUE = "/staff/ticket"
NEW = f"{QUEUE}/nuovo"
PDF = b"%PDF-1.4\n%%EOF\n"
DAY = dt.timedelta(days=1)
CALLED = {"supply": "PR000001", "category": "complaint", "subject": "Bolletta", "text": "Troppo."}


@pytest.fixture
def customer(app):
    return make_customer("000002", name="ROSA PROVA")


@pytest.fixture
def account(customer):
    return make_account(customer)


@pytest.fixture
def operator(app):
    return make_operator(username="marta", name="Marta")


@pytest.fixture
def desk(sign_in_operator, operator):
    return sign_in_operator(operator)


def pdf(name="nota.pdf"):
    return io.BytesIO(PDF), name


def address_of(ticket):
    return f"{QUEUE}/{ticket.code}"


def codes(page):
    return re.findall(r'href="/staff/ticket/(T2026-[0-9]+)"', page.text)


def last_turn(ticket):
    return max(turn.id for turn in ticket.messages)


def entries():
    """(kind, customer, details) of what the register has, but for what was only read."""
    rows = RegisterEntry.select().order_by(RegisterEntry.number)
    return [
        (row.kind, row.customer_code, json.loads(row.details))
        for row in rows
        if row.kind != "ticket_read"
    ]


def again(ticket):
    return Ticket.get_by_id(ticket.id)


# -- The queue -----------------------------------------------------------------------------


def test_the_queue_shows_what_is_the_utilitys_turn_the_overdue_first(desk, customer):
    today = rome_day(utcnow())
    for subject, due, state in (
        ("Senza scadenza", None, "open"),
        ("Tra tre giorni", today + 3 * DAY, "open"),
        ("In ritardo", today - 2 * DAY, "open"),
        ("Del cliente", today, "answered"),
    ):
        make_ticket(customer, subject=subject, due_on=due, state=state, category="complaint")
    page = desk.get(QUEUE)
    text = text_of(page.text)
    assert text.index("In ritardo") < text.index("Tra tre giorni") < text.index("Senza scadenza")
    assert "scaduto da 2 giorni" in text
    assert "scade tra 3 giorni" in text
    assert "000002 ROSA PROVA" in text
    assert "Del cliente" not in text
    assert len(codes(desk.get(f"{QUEUE}?stato=tutti"))) == 4
    assert len(codes(desk.get(f"{QUEUE}?stato=risposti"))) == 1


def test_filters_narrow_the_queue_and_stay_in_its_links(desk, customer, operator):
    mine = make_ticket(customer, subject="Mia 100%", assigned_to=operator, category="billing")
    colleague = make_operator(name="Bruno")
    his = make_ticket(make_customer("000003"), subject="Sua", assigned_to=colleague)
    free = make_ticket(customer, subject="Libera")
    for query, expected in (
        ("assegnato=me", [mine]),
        (f"assegnato={colleague.id}", [his]),
        ("assegnato=nessuno", [free]),
        ("categoria=billing", [mine]),
        ("cliente=000003", [his]),
        ("cerca=LIB", [free]),
        ("cerca=0%25", [mine]),
        ("cerca=_", []),
        (f"cerca={his.code.lower()}", [his]),
        ("stato=x&categoria=y&assegnato=z", [mine, his, free]),
    ):
        assert codes(desk.get(f"{QUEUE}?{query}")) == [row.code for row in expected], query
    page = desk.get(f"{QUEUE}?assegnato=me&cliente=000002")
    assert "?ordine=aperto&amp;assegnato=me&amp;cliente=000002" in page.text


def test_an_empty_queue_says_so(desk, customer):
    assert "Nessun ticket aspetta una risposta." in desk.get(QUEUE).text
    assert "Nessun ticket corrisponde alla scelta." in desk.get(f"{QUEUE}?cerca=x").text


def test_htmx_gets_the_queue_alone(desk, customer):
    make_ticket(customer)
    partial = desk.get(QUEUE, headers=PARTIAL)
    assert partial.text.lstrip().startswith('<div id="queue">')
    assert "<html" not in partial.text


def test_a_page_beyond_the_last_leads_to_the_last(desk, customer):
    for _n in range(11):
        make_ticket(customer)
    assert len(codes(desk.get(f"{QUEUE}?righe=10&pag=7&cliente=000002"))) == 1


def test_the_pages_cost_few_queries_however_long(app, desk, customer, count_queries):
    ticket = make_ticket(customer)
    counts = []
    for more in (1, 40):
        for _n in range(more):
            make_ticket(customer, assigned_to=make_operator())
            TicketMessage.create(ticket=ticket, at=utcnow(), by_customer=False, text="Sì")
            make_attachment(app, ticket)
            make_standard_answer()
        for path in (QUEUE, address_of(ticket), f"{QUEUE}/risposte", f"{NEW}?cliente=000002"):
            desk.get(path)
            with count_queries() as queries:
                assert desk.get(path).status_code == 200
            counts.append(len(queries))
    assert counts[:4] == counts[4:]
    assert max(counts) <= 12


# -- One ticket ----------------------------------------------------------------------------


def test_a_ticket_is_shown_whole_and_its_reading_registered(app, desk, customer, account):
    supply = make_gas(customer, code="PR000001")
    ticket = make_ticket(customer, supply=supply, category="complaint", due_on=rome_day(utcnow()))
    make_attachment(app, ticket, "bolletta.pdf")
    ticket_desk.note(ticket.id, "Chiamare il distributore.", author="Bruno", now=utcnow())
    text = text_of(desk.get(address_of(ticket)).text)
    for words in ("Vorrei una spiegazione.", "bolletta.pdf", "scade oggi", "000002 ROSA PROVA",
                  "PR000001", "Chiamare il distributore.", "il cliente non la vede"):  # fmt: skip
        assert words in text
    entry = RegisterEntry.get()
    assert (entry.kind, entry.customer_code, entry.operator) == ("ticket_read", "000002", "marta")


def test_an_answer_reaches_the_customer_with_its_file(
    app, desk, customer, account, operator, sign_in
):
    make_gas(customer, code="PR000001")
    ticket = make_ticket(customer)
    data = {"text": "Ecco la spiegazione.", "attachments": pdf(), "letto": last_turn(ticket)}
    answer = desk.post(address_of(ticket), data=data)
    assert (answer.status_code, answer.location) == (303, address_of(ticket))
    assert "Risposta inviata." in desk.get(address_of(ticket)).text
    page = sign_in(account).get(f"/forniture/PR000001/ticket/{ticket.code}")
    assert "Ecco la spiegazione." in page.text
    assert "nota.pdf" in page.text
    assert "Marta" in page.text
    assert again(ticket).state == "answered"
    assert [row.kind for row in OutgoingMail.select()] == ["ticket_answered"]
    told = {"code": ticket.code, "closed": False}
    assert entries() == [("ticket_answered", "000002", told)]
    assert [row.kind for row in Event.select()] == ["ticket_answered"]
    assert register.first_broken(register.key(app.secret_key)) is None


def test_an_answer_may_close_the_ticket(desk, customer, account):
    ticket = make_ticket(customer)
    data = {"text": "Fatto.", "chiudi": "S", "letto": last_turn(ticket)}
    desk.post(address_of(ticket), data=data)
    assert "Risposta inviata, ticket chiuso." in desk.get(address_of(ticket)).text
    assert again(ticket).state == "closed"
    assert [turn.kind for turn in ticket.messages.order_by(TicketMessage.id)][1:] == [
        "text",
        "closed",
    ]
    assert entries()[0][2]["closed"] is True


@pytest.mark.parametrize("closing", [{}, {"chiudi": "S"}])
def test_an_answer_sent_twice_is_one(desk, customer, account, closing):
    ticket = make_ticket(customer)
    seen = last_turn(ticket)
    for _click in range(2):
        data = {"text": "Ecco.", "attachments": pdf(), "letto": seen, **closing}
        assert desk.post(address_of(ticket), data=data).status_code == 303
    assert Attachment.select().count() == OutgoingMail.select().count() == 1
    assert ticket.messages.where(TicketMessage.text == "Ecco.").count() == 1
    assert len(entries()) == 1


def test_the_second_of_two_clerks_is_told_and_loses_nothing(
    desk, customer, account, sign_in_operator
):
    ticket = make_ticket(customer)
    seen = last_turn(ticket)
    colleague = sign_in_operator(make_operator(name="Bruno"))
    desk.post(address_of(ticket), data={"text": "Di Marta.", "letto": seen})
    answer = colleague.post(address_of(ticket), data={"text": "Di Bruno.", "letto": seen})
    assert answer.status_code == 422
    assert "Nel frattempo il ticket è cambiato" in answer.text
    assert "Di Marta." in answer.text
    assert ">Di Bruno.<" in answer.text.replace("\n", "").replace("\r", "")
    assert [turn.text for turn in ticket.messages] == ["Vorrei una spiegazione.", "Di Marta."]
    seen = re.search(r'name="letto" value="(\d+)"', answer.text)[1]
    assert int(seen) == last_turn(ticket)
    colleague.post(address_of(ticket), data={"text": "Di Bruno.", "letto": seen})
    assert ticket.messages.count() == 3


@pytest.mark.parametrize("path", ["", "/nota", "/chiudi"])
@pytest.mark.parametrize("seen", [{}, {"letto": "x"}, {"letto": "-1"}, {"letto": "9" * 20}])
def test_who_does_not_say_what_was_read_changes_nothing(desk, customer, path, seen):
    ticket = make_ticket(customer)
    desk.post(address_of(ticket) + path, data={"text": "Ecco.", "note": "Nota.", **seen})
    assert ticket.messages.count() == 1
    assert again(ticket).state == "open"


@pytest.mark.parametrize("text", ["", "x" * 5001, "\x00"])
def test_a_bad_answer_or_note_is_told(desk, customer, text):
    ticket = make_ticket(customer)
    for path, name in (("", "text"), ("/nota", "note")):
        answer = desk.post(address_of(ticket) + path, data={name: text, "letto": last_turn(ticket)})
        assert answer.status_code == 422
        assert "is-invalid" in answer.text
    assert ticket.messages.count() == 1
    assert entries() == []


def test_a_file_that_is_none_is_refused_and_nothing_stays(app, desk, customer):
    ticket = make_ticket(customer)
    html = io.BytesIO(b"<script>"), "x.pdf"
    data = {"text": "Ecco.", "attachments": html, "letto": last_turn(ticket)}
    answer = desk.post(address_of(ticket), data=data)
    assert answer.status_code == 422
    assert "non è un PDF, JPG o PNG" in answer.text
    assert "Gli allegati vanno scelti di nuovo." in answer.text
    assert ticket.messages.count() == 1
    assert [p for p in (app.config["DATA_DIR"] / "documents").rglob("*") if p.is_file()] == []


def test_a_note_changes_nothing_for_the_customer(desk, customer, account):
    ticket = make_ticket(customer, updated_at=utcnow() - DAY)
    before = again(ticket).updated_at
    seen = last_turn(ticket)
    for _click in range(2):
        answer = desk.post(address_of(ticket) + "/nota", data={"note": "Riservato", "letto": seen})
        assert answer.status_code == 303
    assert "Riservato" in desk.get(address_of(ticket)).text
    now = again(ticket)
    assert (now.state, now.updated_at, now.answered_at) == ("open", before, None)
    assert ticket.messages.where(TicketMessage.internal).count() == 1
    assert OutgoingMail.select().count() == Event.select().count() == 0
    assert entries() == [("ticket_noted", "000002", {"code": ticket.code})]


def test_closing_and_reopening(desk, customer):
    ticket = make_ticket(customer, opened_at=utcnow() - 400 * DAY)
    seen = last_turn(ticket)
    for _click in range(2):
        desk.post(address_of(ticket) + "/chiudi", data={"letto": seen})
    page = desk.get(address_of(ticket)).text
    assert "Ticket chiuso." in page
    assert "Rispondi al cliente" not in page
    assert again(ticket).state == "closed"
    Ticket.update(closed_at=utcnow() - 300 * DAY).execute()
    seen = last_turn(ticket)
    for _click in range(2):
        desk.post(address_of(ticket) + "/riapri", data={"letto": seen})
    assert "Ticket riaperto." in desk.get(address_of(ticket)).text
    assert again(ticket).state == "open"
    assert [kind for kind, _customer, _details in entries()] == [
        "ticket_closed",
        "ticket_reopened",
    ]
    desk.post(address_of(ticket) + "/riapri", data={"letto": last_turn(ticket)})
    assert "Il ticket è già aperto." in desk.get(address_of(ticket)).text
    assert len(entries()) == 2


def test_a_closed_ticket_takes_no_answer(desk, customer):
    ticket = make_ticket(customer, state="closed", closed_at=utcnow())
    answer = desk.post(address_of(ticket), data={"text": "Ecco.", "letto": last_turn(ticket)})
    assert answer.status_code == 422
    assert "Il ticket è già chiuso." in answer.text
    assert entries() == []


# -- Assignment ----------------------------------------------------------------------------


def test_a_ticket_is_taken_given_and_let_go(desk, customer, operator):
    ticket, colleague = make_ticket(customer), make_operator(name="Bruno")
    assign = f"{address_of(ticket)}/assegna"
    assert "Prendi in carico" in desk.get(address_of(ticket)).text
    for chosen, before in ((operator.id, ""), (colleague.id, operator.id), ("", colleague.id)):
        answer = desk.post(assign, data={"a": chosen, "era": before})
        assert (answer.status_code, answer.location) == (303, address_of(ticket))
        assert again(ticket).assigned_to_id == (chosen or None)
    given = [details["to"] for _kind, _customer, details in entries()]
    assert given == ["marta", colleague.username, None]


def test_of_two_who_take_a_ticket_the_second_is_told(desk, customer, operator, sign_in_operator):
    ticket, colleague = make_ticket(customer), make_operator()
    assign = f"{address_of(ticket)}/assegna"
    desk.post(assign, data={"a": operator.id, "era": ""})
    browser = sign_in_operator(colleague)
    browser.post(assign, data={"a": colleague.id, "era": ""})
    assert "assegnato diversamente" in browser.get(address_of(ticket)).text
    assert again(ticket).assigned_to == operator
    desk.post(assign, data={"a": operator.id, "era": ""})  # twice is once
    assert len(entries()) == 1


@pytest.mark.parametrize("chosen", ["disabled", "999999", "9" * 20, "-1", "\x00"])
def test_who_is_not_there_gets_no_ticket(desk, customer, chosen):
    ticket = make_ticket(customer)
    if chosen == "disabled":
        chosen = make_operator(disabled_at=utcnow()).id
    desk.post(f"{address_of(ticket)}/assegna", data={"a": chosen, "era": ""})
    assert again(ticket).assigned_to is None


def test_the_tickets_of_an_operator_who_is_removed_are_nobodys(customer, operator):
    ticket = make_ticket(customer, assigned_to=operator)
    Operator.delete().where(Operator.id == operator.id).execute()
    assert again(ticket).assigned_to is None


# -- Standard answers ----------------------------------------------------------------------


def test_a_standard_answer_fills_the_text_and_keeps_what_was_typed(desk, customer):
    text = "Gentile {cliente}, per {codice} entro il {scadenza}. {operatore}"
    chosen = make_standard_answer("Presa in carico", text)
    ticket = make_ticket(customer, due_on=dt.date(2026, 12, 1))
    assert "Presa in carico" in desk.get(address_of(ticket)).text
    seen = last_turn(ticket)
    data = {"text": "Buongiorno.", "standard": chosen.id, "letto": seen}
    page = desk.post(f"{address_of(ticket)}/risposta-standard", data=data)
    assert page.status_code == 200
    filled = f"Gentile ROSA PROVA, per {ticket.code} entro il 01/12/2026. Marta"
    assert f"Buongiorno.\n\n{filled}" in page.text.replace("\r", "")
    assert f'name="letto" value="{seen}"' in page.text
    assert ticket.messages.count() == 1
    assert entries() == []


@pytest.mark.parametrize("chosen", ["", "999", "x"])
def test_without_a_standard_answer_the_text_stays(desk, customer, chosen):
    ticket = make_ticket(customer)
    page = desk.post(
        f"{address_of(ticket)}/risposta-standard", data={"text": "Mio testo", "standard": chosen}
    )
    assert page.status_code == 422
    assert "Mio testo" in page.text


def test_a_place_that_is_left_is_not_sent(desk, customer):
    ticket = make_ticket(customer)
    data = {"text": "Entro il {scadenza}.", "letto": last_turn(ticket)}
    answer = desk.post(address_of(ticket), data=data)
    assert answer.status_code == 422
    assert "Nel testo resta «{scadenza}»" in answer.text
    assert ticket.messages.count() == 1


# -- Downloads -----------------------------------------------------------------------------


def test_attachments_of_the_customer_are_downloaded_and_registered(app, desk, customer):
    row = make_attachment(app, make_ticket(customer), "Bolletta.pdf")
    address = f"{address_of(row.message.ticket)}/allegati/{row.id}"
    answer = desk.get(address)
    assert answer.data == PDF
    assert answer.headers["Content-Disposition"] == "attachment; filename=Bolletta.pdf"
    assert answer.headers["Content-Security-Policy"] == "sandbox"
    told = {"code": row.message.ticket.code, "attachment": row.id}
    assert entries() == [("ticket_file_read", "000002", told)]
    assert Event.select().count() == 0  # what an operator downloads is no event of theirs
    other = make_ticket(customer)
    assert desk.get(f"{address_of(other)}/allegati/{row.id}").status_code == 404
    (app.config["DATA_DIR"] / "documents" / row.path).unlink()
    assert "al momento non è disponibile" in desk.get(address).text


def test_the_receipt_is_there_for_who_has_no_login(desk, customer):
    ticket = make_ticket(customer, category="complaint", due_on=dt.date(2026, 12, 1))
    assert desk.get(f"{address_of(ticket)}/ricevuta.pdf").data.startswith(b"%PDF-")
    assert desk.get(f"{address_of(make_ticket(customer))}/ricevuta.pdf").status_code == 404


@pytest.mark.parametrize("code", ["x", "T2026-999999", "%00", "9" * 20, "-1", "è"])
def test_a_ticket_that_does_not_exist_is_missing(desk, code):
    for path in ("", "/allegati/1", "/ricevuta.pdf"):
        assert desk.get(f"{QUEUE}/{code}{path}").status_code == 404
    for path in ("", "/nota", "/chiudi", "/riapri", "/assegna", "/risposta-standard"):
        assert desk.post(f"{QUEUE}/{code}{path}", data={"text": "x"}).status_code == 404


# -- For who calls -------------------------------------------------------------------------


def test_a_ticket_is_opened_for_who_calls_with_its_receipt(desk, customer, account, sign_in):
    make_gas(customer, code="PR000001")
    assert "Codice cliente" in desk.get(NEW).text
    page = desk.get(f"{NEW}?cliente=000002").text
    assert "ROSA PROVA" in page
    assert '<option selected value="PR000001">' in page
    for _click in range(2):
        answer = desk.post(f"{NEW}?cliente=000002", data={**CALLED, "attachments": pdf()})
        ticket = Ticket.get()
        assert (answer.status_code, answer.location) == (303, address_of(ticket))
    assert Ticket.select().count() == 1
    assert (ticket.state, ticket.supply.code, ticket.account) == ("open", "PR000001", None)
    assert ticket.due_on == rome_day(utcnow()) + 30 * DAY
    assert [(row.kind, row.recipient) for row in OutgoingMail.select()] == [
        ("complaint_receipt", account.email)
    ]
    kinds = [(kind, whose) for kind, whose, _details in entries()]
    assert kinds == [("customer_read", "000002"), ("ticket_opened", "000002")]
    page = text_of(sign_in(account).get(f"/forniture/PR000001/ticket/{ticket.code}").text)
    assert "Cliente, registrato da Marta" in page
    assert "nota.pdf" in page


def test_who_has_no_login_gets_the_receipt_where_billing_writes(desk):
    make_customer("000004", email="carta@example.it")
    make_customer("000005")
    for code in ("000004", "000005"):
        answer = desk.post(f"{NEW}?cliente={code}", data={**CALLED, "supply": ""})
        assert answer.status_code == 303
    assert [row.recipient for row in OutgoingMail.select()] == ["carta@example.it"]


@pytest.mark.parametrize("code", ["999999", "x" * 100, "%00", "è"])
def test_for_a_code_that_nobody_has_it_is_asked_again(desk, code):
    for answer in (desk.get(f"{NEW}?cliente={code}"), desk.post(f"{NEW}?cliente={code}")):
        assert answer.status_code == 422
        assert "Nessun cliente ha questo codice" in answer.text


@pytest.mark.parametrize(
    "changed", [{"supply": "PR000009"}, {"subject": ""}, {"category": "x"}, {"text": "\x00"}]
)
def test_what_is_wrong_in_a_new_ticket_is_told(desk, customer, changed):
    make_gas(customer, code="PR000001")
    make_gas(code="PR000009")
    answer = desk.post(f"{NEW}?cliente=000002", data={**CALLED, **changed})
    assert answer.status_code == 422
    assert "is-invalid" in answer.text
    assert Ticket.select().count() == 0


# -- The register of complaints ------------------------------------------------------------


def test_the_register_of_complaints_is_downloaded_and_registered(desk, customer):
    make_ticket(customer, category="complaint", due_on=rome_day(utcnow()))
    make_ticket(customer, category="information")
    answer = desk.get(f"{QUEUE}/registro.csv?dal=2020-01-01&al=31/12/2090")
    assert answer.status_code == 200
    name = "registro_reclami_2020-01-01_2090-12-31.csv"
    assert answer.headers["Content-Disposition"] == f"attachment; filename={name}"
    lines = answer.data.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("Codice;Codice cliente;")
    assert len(lines) == 2
    asked = {"since": "2020-01-01", "until": "2090-12-31"}
    assert entries() == [("complaints_exported", None, asked)]


@pytest.mark.parametrize("asked", ["dal=x", "al=31/02/2026", "dal=2026-02-01&al=2026-01-01"])
def test_days_that_are_none_are_told(desk, asked):
    answer = desk.get(f"{QUEUE}/registro.csv?{asked}")
    assert (answer.status_code, answer.location) == (303, QUEUE)
    assert "alert-warning" in desk.get(QUEUE).text
    assert entries() == []


# -- Hostile input -------------------------------------------------------------------------

HOSTILE = ("9" * 20, "-1", "%00", "%ff%fe", "' OR 1=1", "x" * 5000, "%25_%5c", "1&%s=2")


@pytest.mark.parametrize("value", HOSTILE)
def test_no_parameter_of_the_queue_breaks_it(desk, customer, value):
    make_ticket(customer)
    for name in ("stato", "categoria", "assegnato", "cliente", "cerca", "ordine", "pag", "righe"):
        answer = desk.get(f"{QUEUE}?{name}={value.replace('%s', name)}")
        assert answer.status_code in {200, 303}, name
    for name in ("dal", "al"):
        assert desk.get(f"{QUEUE}/registro.csv?{name}={value}").status_code in {200, 303}


@pytest.mark.parametrize("value", ["9" * 20, "-1", "\x00", "\ufffd", "x" * 5000])
def test_no_hidden_field_breaks_a_ticket(desk, customer, value):
    ticket = make_ticket(customer)
    fields = dict.fromkeys(("letto", "a", "era", "standard", "chiudi", "supply", "category"), value)
    for path in ("", "/nota", "/chiudi", "/riapri", "/assegna", "/risposta-standard"):
        answer = desk.post(address_of(ticket) + path, data={"text": "x", "note": "x", **fields})
        assert answer.status_code in {200, 303, 422}, path
    answer = desk.post(f"{NEW}?cliente=000002", data={**CALLED, **fields})
    assert answer.status_code == 422
    assert Ticket.select().count() == TicketMessage.select().count() == 1
