import datetime as dt
from functools import partial

import pytest

from domain import attachments, ticket_desk, ticket_list, tickets
from models import Account, Attachment, Grant, Ticket, TicketMessage
from tests.factories import make_account, make_customer, make_ticket
from tests.ticketing import DAY, DEADLINES, LATER, NOW, again, events, mails, opened, refused, texts
from tests.together import at_once


@pytest.fixture
def customer(app):
    return make_customer("000002")


@pytest.fixture
def account(customer):
    return make_account(customer)


def test_the_first_answer_is_kept(account):
    ticket = opened(account)
    ticket_desk.note(ticket.id, "Nota", author="Marta", now=NOW)
    assert again(ticket).answered_at is None
    for days in (1, 2):
        ticket_desk.answer(ticket.id, f"{days}", author="Marta", now=NOW + days * DAY)
    assert again(ticket).answered_at == NOW + DAY


def test_a_ticket_for_who_called_is_the_customers_and_waits_for_the_utility(customer, account):
    Account.update(notices=False).execute()
    other = make_account(customer, username="altra", email="altra@example.it")
    make_account(customer, username="chiusa", email="chiusa@example.it", disabled_at=NOW)
    ticket = called(customer)
    assert (ticket.state, ticket.account) == ("open", None)
    (turn,) = ticket.messages
    assert (turn.by_customer, turn.account, turn.author) == (True, None, "Marta")
    assert mails() == [("complaint_receipt", account.email), ("complaint_receipt", other.email)]
    assert events() == [("ticket_opened", {"code": ticket.code})]


def called(customer, **values):
    values = {"category": "complaint", "subject": "Oggetto", "text": "Testo", **values}
    return ticket_desk.open_for_customer(
        customer.id, None, author="Marta", deadlines=DEADLINES, now=NOW, **values
    )


def test_a_call_that_is_sent_twice_is_one_ticket_and_of_another_customer_another(customer):
    first = called(customer)
    with pytest.raises(ticket_desk.Repeated) as repeated:
        called(customer)
    assert repeated.value.ticket == first
    called(make_customer())
    called(customer, subject="Altro")
    assert Ticket.select().count() == 3


def test_of_two_clerks_who_answer_at_once_one_is_told(account):
    ticket = opened(account)
    seen = ticket.messages.get().id

    answer = partial(ticket_desk.answer, ticket.id, "Ecco.", seen=seen, now=LATER)
    done, told = sorted(at_once(*(partial(answer, author=name) for name in ("A", "B"))), key=bool)
    assert done is None
    assert "Nel frattempo" in str(told)
    assert texts(ticket) == ["Testo", "Ecco."]


@pytest.mark.parametrize(
    "changed", [{"text": "Altro"}, {"author": "Bruno"}, {"now": LATER + dt.timedelta(minutes=2)}]
)
def test_only_the_very_same_answer_counts_as_sent_twice(account, changed):
    ticket = opened(account)
    given = {"text": "Ecco.", "author": "Marta", "seen": ticket.messages.get().id, "now": LATER}
    ticket_desk.answer(ticket.id, **given)
    with pytest.raises(ticket_desk.Repeated):
        ticket_desk.answer(ticket.id, **given)
    with refused("Nel frattempo"):
        ticket_desk.answer(ticket.id, **given | changed)


def test_a_note_with_the_words_of_an_answer_is_no_answer(account):
    ticket = opened(account)
    given = {"text": "Ecco.", "author": "Marta", "seen": ticket.messages.get().id, "now": LATER}
    ticket_desk.note(ticket.id, **given)
    with refused("Nel frattempo"):
        ticket_desk.answer(ticket.id, **given)
    assert again(ticket).state == "open"


@pytest.mark.parametrize("by", ["the customer", "a note"])
def test_what_came_meanwhile_must_be_read_before_closing(account, by):
    ticket = opened(account)
    seen = ticket.messages.get().id
    if by == "a note":
        ticket_desk.note(ticket.id, "Aspettare!", author="Bruno", now=LATER)
    else:
        tickets.answer(ticket.id, account.id, "Aggiungo.", now=LATER)
    with refused("Nel frattempo"):
        ticket_desk.close(ticket.id, author="Marta", seen=seen, now=LATER)
    assert again(ticket).state == "open"


def test_every_login_of_the_customer_is_told_of_an_answer(customer, account):
    other = make_account(customer, username="altra", email="altra@example.it")
    make_account(customer, username="muta", email="muta@example.it", notices=False)
    make_account(customer, username="chiusa", email="chiusa@example.it", disabled_at=NOW)
    make_account(make_customer(), email="estranea@example.it")
    ticket = make_ticket(customer)
    ticket_desk.answer(ticket.id, "Ecco.", author="Marta", now=LATER)
    assert mails() == [("ticket_answered", account.email), ("ticket_answered", other.email)]


def test_an_account_without_its_customer_any_more_is_told_nothing(customer, account):
    Grant.delete().where(Grant.account == account).execute()
    ticket_desk.answer(make_ticket(customer).id, "Ecco.", author="Marta", now=NOW)
    assert mails() == []


# -- Notes that no customer sees -----------------------------------------------------------


def test_a_note_is_among_no_turns_of_the_customer(account, app):
    ticket = opened(account)
    ticket_desk.note(ticket.id, "Riservato", author="Marta", now=LATER)
    assert texts(ticket) == ["Testo"]
    note = TicketMessage.get(TicketMessage.internal)
    Attachment.create(message=note, path="ticket/x.pdf", name="x.pdf", kind="pdf", size=9,
                      sha256="0")  # fmt: skip
    assert attachments.of_ticket(ticket.id) == []
    assert attachments.sent_by(ticket.customer_id) == 0


def test_a_note_moves_nothing_and_tells_nobody(account):
    ticket = opened(account)
    before, mailed, recorded = again(ticket), mails(), events()
    ticket_desk.note(ticket.id, "Riservato", author="Marta", now=LATER)
    assert (mails(), events()) == (mailed, recorded)
    after = again(ticket)
    assert (after.state, after.updated_at) == (before.state, before.updated_at)
    assert ticket_list.waiting_for_customer(ticket.customer_id) == []


def test_a_note_does_not_make_an_answer_of_the_customer_one_sent_twice(account):
    ticket = opened(account)
    ticket_desk.note(ticket.id, "Grazie.", author="Marta", now=LATER)
    tickets.answer(ticket.id, account.id, "Grazie.", now=LATER)
    assert texts(ticket) == ["Testo", "Grazie."]
