import datetime as dt
from threading import Barrier, Thread

import pytest

from domain import ticket_desk, ticket_list, tickets
from models import Account, Event, OutgoingMail, Ticket, TicketMessage, db
from tests.factories import make_account, make_customer, make_gas
from tests.ticketing import DAY, LATER, NOW, again, events, mails, opened, refused, texts


@pytest.fixture
def customer(app):
    return make_customer("000002")


@pytest.fixture
def account(customer):
    return make_account(customer)


# -- Opening -------------------------------------------------------------------------------


def test_a_ticket_has_a_code_that_can_be_read_on_the_telephone(account):
    first, second = opened(account), opened(account, subject="Altro")
    assert first.code == f"T2026-{first.id:06d}"
    assert second.code == f"T2026-{first.id + 1:06d}"


def test_the_year_of_the_code_is_the_one_in_italy(account):
    ticket = opened(account, now=dt.datetime(2026, 12, 31, 23, 30, tzinfo=dt.UTC))
    assert ticket.code.startswith("T2027-")


def test_what_was_sent_twice_is_one_ticket(account):
    first = opened(account)
    second = opened(account, now=NOW + dt.timedelta(seconds=59))
    assert first.id == second.id
    assert TicketMessage.select().count() == 1
    assert len(mails()) == len(events()) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"now": NOW + dt.timedelta(seconds=61)},
        {"text": "Altro testo"},
        {"subject": "Altro"},
        {"category": "complaint"},
    ],
    ids=str,
)
def test_what_differs_or_comes_later_is_another(account, other):
    opened(account)
    opened(account, **other)
    assert Ticket.select().count() == 2


def test_the_same_words_about_another_supply_are_another(customer, account):
    opened(account)
    opened(account, supply=make_gas(customer))
    assert Ticket.select().count() == 2


def test_the_same_words_of_another_login_are_another(customer, account):
    opened(account)
    opened(make_account(customer, username="altra"))
    assert Ticket.select().count() == 2


def test_two_at_once_have_two_codes_and_one_sent_twice_at_once_is_one(account):
    both = Barrier(2)
    made = []

    def send(subject):
        both.wait()
        try:
            made.append(opened(account, subject=subject).code)
        finally:
            db.close()

    for subjects in (("uno", "due"), ("tre", "tre")):
        threads = [Thread(target=send, args=[subject]) for subject in subjects]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(made) == 4
    assert len(set(made)) == Ticket.select().count() == 3


# -- By when it must be answered -----------------------------------------------------------


@pytest.mark.parametrize(
    ("category", "due"),
    [
        ("complaint", dt.date(2026, 12, 23)),
        ("billing", dt.date(2027, 1, 22)),
        ("information", None),
        ("data_change", None),
        ("other", None),
    ],
)
def test_days_are_counted_from_the_day_after_the_opening(account, category, due):
    assert opened(account, category=category).due_on == due


# -- Mail ----------------------------------------------------------------------------------


@pytest.mark.parametrize("category", ["complaint", "billing"])
def test_what_has_a_deadline_gets_a_receipt_even_without_notices(account, category):
    Account.update(notices=False).execute()
    opened(account, category=category)
    assert mails() == [("complaint_receipt", account.email)]


def test_the_rest_is_acknowledged_to_who_wants_notices(account):
    opened(account)
    assert mails() == [("ticket_opened", account.email)]
    Account.update(notices=False).execute()
    opened(account, subject="Altro")
    assert len(mails()) == 1


def test_the_queue_knows_neither_subject_nor_text(account):
    ticket = opened(account, category="complaint", subject="Segreto", text="Riservato")
    ticket_desk.answer(ticket.id, "Confidenziale", author="Marta", now=LATER)
    kept = " ".join(row.params for row in OutgoingMail.select())
    assert ticket.code in kept
    assert not any(word in kept for word in ("Segreto", "Riservato", "Confidenziale"))


# -- Its evolution -------------------------------------------------------------------------


def test_an_answer_moves_the_turn(account):
    ticket = opened(account)
    assert ticket.state == "open"
    ticket_desk.answer(ticket.id, "Ecco.", author="Marta", now=LATER)
    assert again(ticket).state == "answered"
    assert [row.code for row in ticket_list.waiting_for_customer(ticket.customer_id)] == [
        ticket.code
    ]
    tickets.answer(ticket.id, account.id, "Grazie.", now=LATER + DAY)
    assert again(ticket).state == "open"
    assert again(ticket).updated_at == LATER + DAY
    assert ticket_list.waiting_for_customer(ticket.customer_id) == []
    assert texts(ticket) == ["Testo", "Ecco.", "Grazie."]


def test_an_answer_sent_twice_is_one(account):
    ticket = opened(account)
    for _click in range(2):
        tickets.answer(ticket.id, account.id, "Grazie.", now=LATER)
    assert texts(ticket) == ["Testo", "Grazie."]


def test_a_closed_ticket_takes_no_answer_until_it_is_reopened(account):
    ticket = opened(account)
    tickets.close(ticket.id, account.id, now=LATER)
    assert (again(ticket).state, again(ticket).closed_at) == ("closed", LATER)
    with refused("è chiuso"):
        tickets.answer(ticket.id, account.id, "Ancora.", now=LATER)
    with refused("già chiuso"):
        ticket_desk.answer(ticket.id, "Ancora.", author="Marta", now=LATER)
    with refused("già chiuso"):
        tickets.close(ticket.id, account.id, now=LATER)
    with refused("già chiuso"):
        ticket_desk.close(ticket.id, author="Marta", now=LATER)
    tickets.reopen(ticket.id, account.id, "Non ha funzionato.", now=LATER)
    assert (again(ticket).state, again(ticket).closed_at) == ("open", None)
    turns = [(turn.kind, turn.text) for turn, _files in ticket_list.turns(ticket.id)]
    assert turns == [("text", "Testo"), ("closed", ""), ("reopened", "Non ha funzionato.")]


def test_reopening_sent_twice_is_one_and_what_is_open_is_not_reopened(account):
    ticket = opened(account)
    with refused("già aperto"):
        tickets.reopen(ticket.id, account.id, "Ancora.", now=LATER)
    tickets.close(ticket.id, account.id, now=LATER)
    for _click in range(2):
        tickets.reopen(ticket.id, account.id, "Ancora.", now=LATER)
    assert texts(ticket) == ["Testo", "", "Ancora."]


def test_the_words_of_an_answer_or_of_a_reopening_may_reopen_it(account):
    ticket = opened(account)
    tickets.answer(ticket.id, account.id, "Ancora.", now=LATER)
    for _time in range(2):
        tickets.close(ticket.id, account.id, now=LATER)
        tickets.reopen(ticket.id, account.id, "Ancora.", now=LATER)
        assert again(ticket).state == "open"
    assert texts(ticket) == ["Testo", "Ancora.", "", "Ancora.", "", "Ancora."]


def test_a_ticket_is_reopened_within_ninety_days(account):
    ticket = opened(account)
    ticket_desk.close(ticket.id, author="Marta", now=NOW)
    with refused("più di 90 giorni"):
        tickets.reopen(
            ticket.id, account.id, "Ancora.", now=NOW + 90 * DAY + dt.timedelta(seconds=1)
        )
    tickets.reopen(ticket.id, account.id, "Ancora.", now=NOW + 90 * DAY)
    assert again(ticket).state == "open"


def test_reopening_moves_no_deadline(account):
    ticket = opened(account, category="complaint")
    tickets.close(ticket.id, account.id, now=LATER)
    tickets.reopen(ticket.id, account.id, "Ancora.", now=LATER + DAY)
    assert again(ticket).due_on == ticket.due_on


def test_the_history_tells_what_happened_without_what_was_said(account):
    ticket = opened(account, supply=make_gas(account.grants.get().customer))
    ticket_desk.answer(ticket.id, "Ecco.", author="Marta", now=LATER)
    tickets.answer(ticket.id, account.id, "Grazie.", now=LATER)
    tickets.close(ticket.id, account.id, now=LATER)
    tickets.reopen(ticket.id, account.id, "Ancora.", now=LATER)
    kinds = ("opened", "answered", "answered", "closed", "reopened")
    assert events() == [(f"ticket_{kind}", {"code": ticket.code}) for kind in kinds]
    who = [(row.account_id, row.customer_id, row.supply_id) for row in Event.select()]
    mine = (account.id, ticket.customer_id, ticket.supply_id)
    assert who.count(mine) == 4
    assert who.count((None, *mine[1:])) == 1
