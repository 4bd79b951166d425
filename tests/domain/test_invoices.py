import datetime as dt

import pytest

from domain import invoices
from models import Instalment, Invoice
from tests.factories import make_customer, make_gas, make_invoice

TODAY = dt.date(2026, 11, 23)
IBAN = "IT60X0542811101000000123456"
pytestmark = pytest.mark.usefixtures("app")


def of(customer, supply, **asked):
    rows = invoices.page(
        customer.id, supply.id, today=TODAY, sort=asked.pop("sort", "-data"), **asked
    )
    return [row.number for row in rows]


def test_a_due_day_is_not_overdue_until_it_has_passed():
    invoice = Invoice(kind="invoice", amount_cents=100, paid=False, due_on=TODAY)
    day = dt.timedelta(days=1)
    assert invoices.state(invoice, TODAY - day) == invoices.TO_PAY
    assert invoices.state(invoice, TODAY) == invoices.TO_PAY
    assert invoices.state(invoice, TODAY + day) == invoices.OVERDUE


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"amount_cents": 0}, invoices.PAID),
        ({"amount_cents": -1}, invoices.CREDIT),
        ({"amount_cents": -1, "paid": True}, invoices.CREDIT),
        ({"kind": "credit_note", "amount_cents": 100}, invoices.CREDIT),
        ({"paid": True}, invoices.PAID),
        ({"due_on": None}, invoices.TO_PAY),
    ],
)
def test_states(values, expected):
    values = {"kind": "invoice", "amount_cents": 1, "paid": False, "due_on": TODAY, **values}
    assert invoices.state(Invoice(**values), TODAY) == expected


def test_each_invoice_is_found_by_the_state_it_shows_and_by_no_other():
    customer = make_customer()
    supply = make_gas(customer)
    for kind in ("invoice", "credit_note"):
        for amount in (-100, 0, 100):
            for paid in (True, False):
                for due in (None, -1, 0, 1):
                    due_on = None if due is None else TODAY + dt.timedelta(days=due)
                    make_invoice(customer, supply, date=TODAY, kind=kind, amount_cents=amount,
                                 paid=paid, due_on=due_on)  # fmt: skip
    rows = invoices.page(customer.id, supply.id, today=TODAY, sort="stato", limit=100)
    assert len(rows) == 48
    for wanted in invoices.STATES:
        shown = {row.number for row in rows if invoices.state(row, TODAY) == wanted}
        assert set(of(customer, supply, wanted=wanted, limit=100)) == shown
        counted = invoices.counts(customer.id, supply.id, today=TODAY, wanted=wanted)
        assert counted == {TODAY.year: len(shown)}


def test_a_page_is_a_piece_of_the_list():
    customer = make_customer()
    supply = make_gas(customer)
    for number in "ABCDE":
        make_invoice(customer, supply, number=number)
    assert of(customer, supply, sort="numero", limit=2, offset=2) == ["C", "D"]
    assert of(customer, supply, sort="numero", limit=2, offset=4) == ["E"]
    assert of(customer, supply, sort="numero", limit=2, offset=6) == []


def test_years_are_those_of_what_the_supply_shows():
    customer = make_customer()
    supply, other = make_gas(customer), make_gas(customer)
    make_invoice(customer, supply, date=dt.date(2024, 1, 1), paid=True)
    make_invoice(customer, date=dt.date(2026, 1, 1))
    make_invoice(customer, date=dt.date(2026, 6, 1))
    make_invoice(customer, other, date=dt.date(2023, 1, 1))
    counts = invoices.counts(customer.id, supply.id, today=TODAY)
    assert list(counts.items()) == [(2026, 2), (2024, 1)]
    paid = invoices.counts(customer.id, supply.id, today=TODAY, wanted=invoices.PAID)
    assert paid == {2026: 0, 2024: 1}


def test_the_next_to_pay_is_what_is_due_first():
    customer = make_customer()
    supply = make_gas(customer)
    assert invoices.next_to_pay(customer.id, supply.id) is None
    make_invoice(customer, supply, number="SENZA", due_on=None)
    make_invoice(customer, supply, number="DOPO", due_on=TODAY + dt.timedelta(days=9))
    make_invoice(customer, supply, number="PRIMA", due_on=TODAY)
    make_invoice(customer, supply, number="PAGATA", due_on=dt.date(2020, 1, 1), paid=True)
    make_invoice(customer, supply, kind="credit_note", amount_cents=-1, due_on=None)
    assert invoices.next_to_pay(customer.id, supply.id).number == "PRIMA"


def payments(**values):
    customer = make_customer()
    supply = make_gas(customer)
    given = {"number": "2026/7", "date": dt.date(2026, 11, 2), "iban": IBAN, **values}
    made = make_invoice(customer, supply, **given)
    row = invoices.one(customer.id, supply.id, None, made.id)
    return made, lambda: invoices.payments(row, "Prova Energia")


def test_one_transfer_for_one_instalment():
    _made, pay = payments(amount_cents=5000, due_on=TODAY)
    (payment,) = pay()
    assert payment[:3] == (TODAY, 5000, "Fattura 2026/7 del 02/11/2026")
    assert payment.code is not None


def test_an_invoice_without_instalments_is_paid_at_once():
    _made, pay = payments(amount_cents=5000, due_on=None)
    (payment,) = pay()
    assert payment[:2] == (None, 5000)


def test_the_payment_code_is_the_reason_and_instalments_are_told_apart():
    made, pay = payments(amount_cents=5000, payment_code="000123456789")
    assert [each.reason for each in pay()] == ["000123456789"]
    Instalment.create(invoice=made, due_on=dt.date(2026, 1, 1), amount_cents=4000)
    assert [(each.amount_cents, each.reason) for each in pay()] == [
        (4000, "000123456789 rata 1 di 2"),
        (5000, "000123456789 rata 2 di 2"),
    ]


@pytest.mark.parametrize(
    "values", [{"iban": "IT00X0542811101000000123456"}, {"amount_cents": 100_000_000_000}]
)
def test_no_code_where_it_would_send_money_astray(values):
    _made, pay = payments(**values)
    assert pay()[0].code is None
