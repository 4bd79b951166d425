import datetime as dt
import json
from contextlib import contextmanager
from functools import partial
from threading import Barrier, Thread

import pytest

from domain import attachments, tickets
from domain.clock import ROME
from domain.errors import Refused
from models import Account, Attachment, Event, Grant, OutgoingMail, Ticket, TicketMessage, db
from tests.factories import make_account, make_customer, make_gas, make_ticket
from tests.together import at_once

NOW = dt.datetime(2026, 11, 23, 8, 30, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(minutes=5)
DEADLINES = {"complaint": 30, "billing": 60}
DAY = dt.timedelta(days=1)


@pytest.fixture
def customer(app):
    return make_customer("000002")


@pytest.fixture
def account(customer):
    return make_account(customer)


def opened(account, *, category="information", subject="Oggetto", text="Testo", now=NOW, **values):
    customer = account.grants.get().customer_id
    return tickets.open_ticket(
        customer,
        values.pop("supply", None),
        account.id,
        category=category,
        subject=subject,
        text=text,
        deadlines=DEADLINES,
        now=now,
        **values,
    )


def again(ticket):
    return Ticket.get_by_id(ticket.id)


def texts(ticket):
    return [turn.text for turn, _files in tickets.turns(ticket.id)]


def events():
    return [(row.kind, json.loads(row.details)) for row in Event.select().order_by(Event.id)]


def mails():
    return [(row.kind, row.recipient) for row in OutgoingMail.select().order_by(OutgoingMail.id)]


@contextmanager
def refused(words):
    with pytest.raises(Refused, match=words):
        yield


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


@pytest.mark.parametrize(
    ("at", "due"),
    [
        ("2026-11-23 00:00", dt.date(2026, 12, 23)),
        ("2026-11-23 23:59", dt.date(2026, 12, 23)),
        ("2026-11-24 00:00", dt.date(2026, 12, 24)),
        ("2026-10-24 23:30", dt.date(2026, 11, 23)),  # the night of the clock change
        ("2026-02-01 12:00", dt.date(2026, 3, 3)),
        ("2028-01-31 12:00", dt.date(2028, 3, 1)),  # a leap year
    ],
)
def test_days_are_calendar_days_in_italy(at, due):
    now = dt.datetime.fromisoformat(at).replace(tzinfo=ROME)
    assert tickets.due_on("complaint", deadlines=DEADLINES, now=now) == due


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
    tickets.answer_for_utility(ticket.id, "Confidenziale", author="Marta", now=LATER)
    kept = " ".join(row.params for row in OutgoingMail.select())
    assert ticket.code in kept
    assert not any(word in kept for word in ("Segreto", "Riservato", "Confidenziale"))


def test_every_login_of_the_customer_is_told_of_an_answer(customer, account):
    other = make_account(customer, username="altra", email="altra@example.it")
    make_account(customer, username="muta", email="muta@example.it", notices=False)
    make_account(customer, username="chiusa", email="chiusa@example.it", disabled_at=NOW)
    make_account(make_customer(), email="estranea@example.it")
    ticket = make_ticket(customer)
    tickets.answer_for_utility(ticket.id, "Ecco.", author="Marta", now=LATER)
    assert mails() == [("ticket_answered", account.email), ("ticket_answered", other.email)]


# -- Its evolution -------------------------------------------------------------------------


def test_an_answer_moves_the_turn(account):
    ticket = opened(account)
    assert ticket.state == "open"
    tickets.answer_for_utility(ticket.id, "Ecco.", author="Marta", now=LATER)
    assert again(ticket).state == "answered"
    assert [row.code for row in tickets.waiting_for_customer(ticket.customer_id)] == [ticket.code]
    tickets.answer(ticket.id, account.id, "Grazie.", now=LATER + DAY)
    assert again(ticket).state == "open"
    assert again(ticket).updated_at == LATER + DAY
    assert tickets.waiting_for_customer(ticket.customer_id) == []
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
        tickets.answer_for_utility(ticket.id, "Ancora.", author="Marta", now=LATER)
    with refused("già chiuso"):
        tickets.close(ticket.id, account.id, now=LATER)
    with refused("già chiuso"):
        tickets.close_for_utility(ticket.id, author="Marta", now=LATER)
    tickets.reopen(ticket.id, account.id, "Non ha funzionato.", now=LATER)
    assert (again(ticket).state, again(ticket).closed_at) == ("open", None)
    turns = [(turn.kind, turn.text) for turn, _files in tickets.turns(ticket.id)]
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
    tickets.close_for_utility(ticket.id, author="Marta", now=NOW)
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
    tickets.answer_for_utility(ticket.id, "Ecco.", author="Marta", now=LATER)
    tickets.answer(ticket.id, account.id, "Grazie.", now=LATER)
    tickets.close(ticket.id, account.id, now=LATER)
    tickets.reopen(ticket.id, account.id, "Ancora.", now=LATER)
    kinds = ("opened", "answered", "answered", "closed", "reopened")
    assert events() == [(f"ticket_{kind}", {"code": ticket.code}) for kind in kinds]
    who = [(row.account_id, row.customer_id, row.supply_id) for row in Event.select()]
    mine = (account.id, ticket.customer_id, ticket.supply_id)
    assert who.count(mine) == 4
    assert who.count((None, *mine[1:])) == 1


# -- What the utility does -----------------------------------------------------------------


def test_the_first_answer_is_kept(account):
    ticket = opened(account)
    tickets.note(ticket.id, "Nota", author="Marta", now=NOW)
    assert again(ticket).answered_at is None
    for days in (1, 2):
        tickets.answer_for_utility(ticket.id, f"{days}", author="Marta", now=NOW + days * DAY)
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
    return tickets.open_for_customer(
        customer.id, None, author="Marta", deadlines=DEADLINES, now=NOW, **values
    )


def test_a_call_that_is_sent_twice_is_one_ticket_and_of_another_customer_another(customer):
    first = called(customer)
    with pytest.raises(tickets.Repeated) as repeated:
        called(customer)
    assert repeated.value.ticket == first
    called(make_customer())
    called(customer, subject="Altro")
    assert Ticket.select().count() == 3


def test_of_two_clerks_who_answer_at_once_one_is_told(account):
    ticket = opened(account)
    seen = ticket.messages.get().id

    answer = partial(tickets.answer_for_utility, ticket.id, "Ecco.", seen=seen, now=LATER)
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
    tickets.answer_for_utility(ticket.id, **given)
    with pytest.raises(tickets.Repeated):
        tickets.answer_for_utility(ticket.id, **given)
    with refused("Nel frattempo"):
        tickets.answer_for_utility(ticket.id, **given | changed)


def test_a_note_with_the_words_of_an_answer_is_no_answer(account):
    ticket = opened(account)
    given = {"text": "Ecco.", "author": "Marta", "seen": ticket.messages.get().id, "now": LATER}
    tickets.note(ticket.id, **given)
    with refused("Nel frattempo"):
        tickets.answer_for_utility(ticket.id, **given)
    assert again(ticket).state == "open"


@pytest.mark.parametrize("by", ["the customer", "a note"])
def test_what_came_meanwhile_must_be_read_before_closing(account, by):
    ticket = opened(account)
    seen = ticket.messages.get().id
    if by == "a note":
        tickets.note(ticket.id, "Aspettare!", author="Bruno", now=LATER)
    else:
        tickets.answer(ticket.id, account.id, "Aggiungo.", now=LATER)
    with refused("Nel frattempo"):
        tickets.close_for_utility(ticket.id, author="Marta", seen=seen, now=LATER)
    assert again(ticket).state == "open"


# -- Notes that no customer sees -----------------------------------------------------------


def test_a_note_is_among_no_turns_of_the_customer(account, app):
    ticket = opened(account)
    tickets.note(ticket.id, "Riservato", author="Marta", now=LATER)
    assert texts(ticket) == ["Testo"]
    note = TicketMessage.get(TicketMessage.internal)
    Attachment.create(message=note, path="ticket/x.pdf", name="x.pdf", kind="pdf", size=9,
                      sha256="0")  # fmt: skip
    assert attachments.of_ticket(ticket.id) == []
    assert attachments.sent_by(ticket.customer_id) == 0


def test_a_note_moves_nothing_and_tells_nobody(account):
    ticket = opened(account)
    before, mailed, recorded = again(ticket), mails(), events()
    tickets.note(ticket.id, "Riservato", author="Marta", now=LATER)
    assert (mails(), events()) == (mailed, recorded)
    after = again(ticket)
    assert (after.state, after.updated_at) == (before.state, before.updated_at)
    assert tickets.waiting_for_customer(ticket.customer_id) == []


def test_a_note_does_not_make_an_answer_of_the_customer_one_sent_twice(account):
    ticket = opened(account)
    tickets.note(ticket.id, "Grazie.", author="Marta", now=LATER)
    tickets.answer(ticket.id, account.id, "Grazie.", now=LATER)
    assert texts(ticket) == ["Testo", "Grazie."]


# -- The list ------------------------------------------------------------------------------


def test_tickets_wait_in_the_order_of_their_answers(customer):
    for days, state in ((1, "answered"), (3, "answered"), (2, "answered"), (0, "open")):
        make_ticket(customer, subject=f"{days}", state=state, updated_at=NOW - days * DAY)
    make_ticket(make_customer(), state="answered")
    assert [row.subject for row in tickets.waiting_for_customer(customer.id)] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("-aggiornato", "bac"), ("aggiornato", "cab"), ("codice", "abc"), ("-codice", "cba"),
        ("oggetto", "cba"), ("-oggetto", "abc"), ("categoria", "cab"), ("stato", "bac"),
    ],
)  # fmt: skip
def test_orders(customer, sort, expected):
    rows = {
        "a": ("Zeta", "complaint", "open", 2),
        "b": ("beta", "billing", "answered", 1),
        "c": ("Alfa", "information", "closed", 3),
    }
    for subject, category, state, age in rows.values():
        make_ticket(
            customer, subject=subject, category=category, state=state,
            updated_at=NOW - age * DAY,
        )  # fmt: skip
    names = {row[0]: name for name, row in rows.items()}
    found = tickets.page(customer.id, sort=sort, state=None, limit=10)
    assert "".join(names[row.subject] for row in found) == expected


@pytest.mark.parametrize("sort", tickets.SORTS)
@pytest.mark.parametrize("state", [None, *tickets.STATES])
def test_every_order_shows_all_rows_once(customer, sort, state):
    for n in range(7):
        make_ticket(customer, state=tickets.STATES[n % 3], closed_at=NOW)
    rows = [
        row
        for offset in range(0, 9, 3)
        for row in tickets.page(customer.id, sort=sort, state=state, limit=3, offset=offset)
    ]
    expected = [t.code for t in Ticket.select() if state in (None, t.state)]
    assert sorted(row.code for row in rows) == sorted(expected)
    assert {row.total for row in rows} == {len(expected)}


@pytest.mark.parametrize("code", ["", "\x00", "T2026-\x00", "x" * 50, "è", "T2026-999999", "1"])
def test_a_code_that_does_not_exist_finds_nothing(customer, code):
    make_ticket(customer)
    assert tickets.one(customer.id, code) is None


def test_an_account_without_its_customer_any_more_is_told_nothing(customer, account):
    Grant.delete().where(Grant.account == account).execute()
    tickets.answer_for_utility(make_ticket(customer).id, "Ecco.", author="Marta", now=NOW)
    assert mails() == []
