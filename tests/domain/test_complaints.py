import datetime as dt

import pytest

from domain import complaints, ticket_desk, tickets
from domain.clock import ROME
from domain.errors import Refused
from domain.formats import sheets
from domain.language import speaking
from models import Customer, Ticket
from tests.factories import make_account, make_customer, make_electricity, make_gas, make_ticket

TODAY = dt.date(2026, 11, 23)
DAY = dt.timedelta(days=1)


def at(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=ROME)


@pytest.fixture
def customer(app):
    return make_customer("000002")


def rows(since=None, until=None):
    columns, found = complaints.sheet(since, until, today=TODAY)
    titles = [str(column.title) for column in columns]
    return [dict(zip(titles, row, strict=True)) for row in found]


def codes(*days):
    return [row["Codice"] for row in rows(*days)]


def complaint(customer, opened="2026-11-01 10:00", due=dt.date(2026, 12, 1), **values):
    values = {"category": "complaint", "opened_at": at(opened), "due_on": due, **values}
    return make_ticket(customer, **values)


def test_a_complaint_with_all_that_happened(customer):
    supply = make_electricity(customer, code="PR000001", pod="IT001E00000001")
    ticket = complaint(
        customer, supply=supply, answered_at=at("2026-11-11 23:59"), state="closed",
        closed_at=at("2026-11-12 00:00"),
    )  # fmt: skip
    assert rows() == [
        {
            "Codice": ticket.code,
            "Codice cliente": "000002",
            "Punto di fornitura": "PR000001",
            "Servizio": "EE",
            "POD/PDR": "IT001E00000001",
            "Categoria": "Reclamo",
            "Arrivato il": dt.date(2026, 11, 1),
            "Risposta dovuta entro il": dt.date(2026, 12, 1),
            "Prima risposta il": dt.date(2026, 11, 11),
            "Giorni impiegati": 10,
            "Risposto nei termini": "sì",
            "Chiuso il": dt.date(2026, 11, 12),
            "Stato": "Chiuso",
        }
    ]


def test_only_complaints_and_billing_corrections_are_there(customer):
    supply = make_gas(customer, pdr="00000000000007")
    for category in ("information", "complaint", "billing", "data_change", "other"):
        make_ticket(customer, category=category, supply=supply)
    found = [(row["Categoria"], row["POD/PDR"]) for row in rows()]
    assert found == [
        ("Reclamo", "00000000000007"),
        ("Rettifica di fatturazione", "00000000000007"),
    ]


@pytest.mark.parametrize(
    ("due", "answered", "expected"),
    [
        (TODAY, TODAY, "sì"),
        (TODAY - DAY, TODAY, "no"),
        (TODAY - DAY, None, "no"),
        (TODAY, None, None),  # there is still time
        (None, TODAY, None),
    ],
)
def test_whether_it_was_answered_in_time(customer, due, answered, expected):
    moment = answered and dt.datetime.combine(answered, dt.time(23, 30), ROME)
    complaint(customer, due=due, answered_at=moment)
    assert rows()[0]["Risposto nei termini"] == expected


def test_days_are_counted_on_the_calendar_of_italy(customer):
    complaint(customer, "2026-10-24 23:30", answered_at=at("2026-10-25 23:45"))
    (row,) = rows()
    assert (row["Arrivato il"], row["Giorni impiegati"]) == (dt.date(2026, 10, 24), 1)


def test_the_first_answer_is_the_utilitys_first_text_that_the_customer_can_read(customer):
    account = make_account(customer)
    ticket = complaint(customer)
    steps = (
        (ticket_desk.note, {"text": "Nota", "author": "Marta"}),
        (ticket_desk.close, {"author": "Marta"}),
        (ticket_desk.reopen, {"author": "Marta"}),
        (tickets.answer, {"account_id": account.id, "text": "Allora?"}),
        (ticket_desk.answer, {"text": "Ecco.", "author": "Marta"}),
        (tickets.answer, {"account_id": account.id, "text": "Grazie."}),
        (ticket_desk.answer, {"text": "Prego.", "author": "Marta"}),
    )
    for days, (verb, given) in enumerate(steps, 1):
        verb(ticket.id, **given, now=ticket.opened_at + days * DAY)
    assert rows()[0]["Giorni impiegati"] == 5


def test_both_days_belong_to_the_interval(customer):
    first = complaint(customer, "2026-11-01 00:00").code
    last = complaint(customer, "2026-11-30 23:59").code
    for outside in ("2026-10-31 23:59", "2026-12-01 00:00"):
        complaint(customer, outside)
    november = dt.date(2026, 11, 1), dt.date(2026, 11, 30)
    assert codes(*november) == [first, last]
    assert len(codes()) == 4
    assert len(codes(november[0], None)) == 3
    assert len(codes(None, november[1])) == 3
    with pytest.raises(Refused, match="viene prima"):
        complaints.sheet(*reversed(november), today=TODAY)


def test_it_is_read_in_pieces_without_losing_a_row(customer, monkeypatch, count_queries):
    monkeypatch.setattr(complaints, "AT_ONCE", 3)
    expected = [complaint(customer).code for _n in range(7)]
    with count_queries() as queries:
        assert codes() == expected
    assert len([sql for sql in queries if sql.startswith("SELECT")]) == 3


def test_in_the_file_no_text_is_a_formula(customer):
    Customer.update(code="=1+1").execute()
    ticket = complaint(customer)
    columns, found = complaints.sheet(None, None, today=TODAY)
    text = b"".join(sheets.excel_csv(columns, found)).decode()
    assert text.startswith("\N{BYTE ORDER MARK}Codice;")
    assert f"\r\n{ticket.code};'=1+1;" in text
    assert ";01/11/2026;01/12/2026;;;;;Aperto\r\n" in text
    assert Ticket.select().count() == 1


def test_the_register_is_italian_whoever_asks(customer):
    complaint(customer)
    before = rows()
    with speaking("de"):
        assert rows() == before
    assert before[0]["Categoria"] == "Reclamo"
