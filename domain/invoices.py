"""Invoices as the customer sees them: state on a day, which a supply shows, how to pay."""

from collections import Counter
from functools import cache
from typing import NamedTuple

import peewee as pw
from flask_babel import gettext as _
from stdnum import iban as ibans

from domain import italian
from domain.formats import epc
from models import (
    Instalment,
    Invoice,
    InvoiceSupply,
    MandateSupply,
    Prepared,
    PreparedUnder,
    StoredFile,
    SupplyPoint,
)

PAID, TO_PAY, OVERDUE, CREDIT = STATES = ("pagata", "da_pagare", "scaduta", "a_credito")
SORTS = ("-data", "numero", "scadenza", "importo", "stato")  # the first is the default
MOST_DOCUMENTS = 100  # in one ZIP

# What is shown of an invoice wherever it appears.
_SHOWN_COLUMNS = (
    Invoice.id,
    Invoice.number,
    Invoice.date,
    Invoice.due_on,
    Invoice.amount_cents,
    Invoice.kind,
    Invoice.paid,
    Invoice.iban,
    Invoice.document,
)


def state(invoice, today):
    """One of STATES on the day `today`. What is due today is not overdue yet."""
    if invoice.kind == "credit_note" or invoice.amount_cents < 0:
        return CREDIT
    if invoice.paid or invoice.amount_cents == 0:
        return PAID
    return OVERDUE if invoice.due_on and invoice.due_on < today else TO_PAY


def _in_state(wanted, today):
    """The condition that `state` gives `wanted`."""
    credit = (Invoice.kind == "credit_note") | (Invoice.amount_cents < 0)
    if wanted == CREDIT:
        return credit
    settled = Invoice.paid | (Invoice.amount_cents == 0)
    if wanted == PAID:
        return ~credit & settled
    open_ = ~credit & ~settled
    if wanted == OVERDUE:
        return open_ & (Invoice.due_on < today)
    return open_ & (Invoice.due_on.is_null() | (Invoice.due_on >= today))


def _shown(customer, supply, mandate=None):
    """The invoices of `customer` that name `supply` or no supply at all.

    The customer is asked for even where the supply is named: a supply that has changed hands
    must not show its former customer's invoices. Who acts under a `mandate` sees what concerns
    no other supply than those of the mandate.
    """
    among_several = InvoiceSupply.select(pw.Value(1)).where(
        InvoiceSupply.invoice == Invoice.id, InvoiceSupply.supply == supply
    )
    named = (Invoice.supply == supply) | (
        Invoice.supply.is_null() & (~Invoice.names_supplies | pw.fn.EXISTS(among_several))
    )
    shown = (Invoice.customer == customer) & named
    return shown if mandate is None else shown & _concerns_only(mandate, customer)


def _concerns_only(mandate, customer):
    """The condition that an invoice is about supplies of the mandate alone.

    One that names no supply is about all that the customer has.
    """
    entrusted = MandateSupply.of(mandate)
    others_named = InvoiceSupply.select(pw.Value(1)).where(
        InvoiceSupply.invoice == Invoice.id, InvoiceSupply.supply.not_in(entrusted)
    )
    others = SupplyPoint.select(pw.Value(1)).where(
        SupplyPoint.customer == customer, SupplyPoint.id.not_in(entrusted)
    )
    return (Invoice.names_supplies & ~pw.fn.EXISTS(others_named)) | (
        ~Invoice.names_supplies & ~pw.fn.EXISTS(others)
    )


def _order(sort, today):
    """The columns to sort by; the newest first among equals.

    After the date as the index goes on, so that the usual order needs no sorting.
    """
    keys = {
        "numero": Invoice.number,
        "scadenza": Invoice.due_on,
        "importo": Invoice.amount_cents,
        "stato": pw.Case(
            None,
            [(_in_state(each, today), place) for place, each in enumerate((OVERDUE, TO_PAY, PAID))],
            3,
        ),
    }
    indexed = (
        Invoice.year, Invoice.date, Invoice.supply, Invoice.names_supplies, Invoice.id,
    )  # fmt: skip
    newest = tuple(column.desc() for column in indexed)
    if sort == "-data":
        return newest
    if sort == "data":
        return indexed
    key = keys[sort.removeprefix("-")]
    nulls = "last" if key is Invoice.due_on else None
    first = key.desc(nulls=nulls) if sort.startswith("-") else key.asc(nulls=nulls)
    return first, *newest


@cache
def _listing(sort, by_year, wanted):
    def build(customer, supply, today, year, limit, offset, mandate):
        query = Invoice.select(*_SHOWN_COLUMNS).where(_shown(customer, supply, mandate))
        if by_year:
            query = query.where(Invoice.year == year)
        if wanted:
            query = query.where(_in_state(wanted, today))
        return query.order_by(*_order(sort, today)).limit(limit).offset(offset)

    return PreparedUnder("customer supply today year limit offset", build)


def page(
    customer, supply, mandate=None, *, today, sort, year=None, wanted=None, limit=20, offset=0
):
    """Rows of the invoices that `supply` shows, in `sort` order.

    `customer`, `supply` and `mandate` are ids, `supply` None for a customer without any, and
    `mandate` for the customer.
    """
    return _listing(sort, year is not None, wanted)(
        customer=customer,
        supply=supply,
        mandate=mandate,
        today=today,
        year=year,
        limit=limit,
        offset=offset,
    )


@cache
def _counts(wanted):
    def build(customer, supply, today, mandate):
        matches = pw.Case(None, [(_in_state(wanted, today), 1)], 0) if wanted else pw.Value(1)
        return (
            Invoice.select(Invoice.year, pw.fn.SUM(matches).alias("matching"))
            .where(_shown(customer, supply, mandate))
            .group_by(Invoice.year)
            .order_by(Invoice.year.desc())
        )

    return PreparedUnder("customer supply today", build)


def counts(customer, supply, mandate=None, *, today, wanted=None):
    """How many invoices of each year are in the state `wanted`; all years, the latest first.

    It tells at once which years there are and how long the list is: counting in the list's
    own query would cost SQLite more than the list.
    """
    given = {"customer": customer, "supply": supply, "mandate": mandate, "today": today}
    rows = _counts(wanted)(**given)
    return {row.year: row.matching for row in rows}


_one = PreparedUnder(
    "customer supply invoice",
    lambda customer, supply, invoice, mandate: Invoice.select(
        *_SHOWN_COLUMNS, Invoice.payment_code
    ).where(_shown(customer, supply, mandate), Invoice.id == invoice),
)


def one(customer, supply, mandate, invoice_id):
    """The invoice with that id if `supply` shows it, else None."""
    return _one.first(customer=customer, supply=supply, mandate=mandate, invoice=invoice_id)


def _unpaid(customer, supply, mandate=None):
    """The condition that `supply` shows an invoice of which something is to be paid."""
    return _shown(customer, supply, mandate) & unpaid()


def unpaid():
    """The condition that of an invoice something is to be paid."""
    return ~Invoice.paid & (Invoice.amount_cents > 0) & (Invoice.kind == "invoice")


_next_to_pay = PreparedUnder(
    "customer supply",
    lambda customer, supply, mandate: (
        Invoice.select(*_SHOWN_COLUMNS, pw.fn.COUNT(Invoice.id).over().alias("total"))
        .where(_unpaid(customer, supply, mandate))
        .order_by(Invoice.due_on.asc(nulls="last"), Invoice.id)
        .limit(1)
    ),
)


def next_to_pay(customer, supply, mandate=None):
    """The unpaid invoice that is due first, with the `total` of unpaid ones, or None."""
    return _next_to_pay.first(customer=customer, supply=supply, mandate=mandate)


_unpaid_instalments = Prepared(
    "customer supply",
    lambda customer, supply: (
        Invoice.select(
            Invoice.id.alias("invoice"),
            Invoice.number,
            pw.fn.COALESCE(Instalment.amount_cents, Invoice.amount_cents).alias("amount_cents"),
            Invoice.due_on.alias("first_due_on"),
            Instalment.due_on,
        )
        .left_outer_join(Instalment, on=Instalment.invoice == Invoice.id)
        .where(_unpaid(customer, supply), Invoice.due_on.is_null(False))
        .order_by(Invoice.id, Instalment.due_on, Instalment.id)
    ),
)


class Due(NamedTuple):
    """What has to be paid on a day, the `place`-th payment of an invoice."""

    invoice: int  # its id
    number: str
    place: int
    due_on: object
    amount_cents: int


def unpaid_instalments(customer, supply):
    """What `supply` has to pay and when: a list of `Due`, invoice after invoice."""
    places = Counter()
    result = []
    for row in _unpaid_instalments(customer=customer, supply=supply):
        places[row.invoice] += 1
        due_on = row.due_on or row.first_due_on
        result.append(Due(row.invoice, row.number, places[row.invoice], due_on, row.amount_cents))
    return result


def documents(customer, supply, mandate, invoice_ids):
    """The stored files of those invoices that `supply` shows, the newest invoice first.

    Each carries the `number` of its invoice.
    """
    return list(
        StoredFile.select(StoredFile, Invoice.number)
        .join(Invoice, on=Invoice.document == StoredFile.id)
        .where(
            _shown(customer, supply, mandate), Invoice.id.in_(list(invoice_ids)[:MOST_DOCUMENTS])
        )
        .order_by(Invoice.date.desc(), Invoice.id.desc())
        .objects()
    )


class Payment(NamedTuple):
    """One transfer that the customer has to make; `code` is its QR drawing, or None."""

    due_on: object
    amount_cents: int
    reason: str
    code: epc.Drawing | None


def payable(invoice, today):
    """Whether there are payment data to show: something is due, and an account to pay to."""
    return bool(invoice.iban) and state(invoice, today) in {TO_PAY, OVERDUE}


def payments(invoice, beneficiary):
    """The transfers that pay `invoice`, one for each instalment."""
    due = list(
        Instalment.select(Instalment.due_on, Instalment.amount_cents)
        .where(Instalment.invoice == invoice.id, Instalment.amount_cents > 0)
        .order_by(Instalment.due_on, Instalment.id)
        .tuples()
    ) or [(invoice.due_on, invoice.amount_cents)]
    return [
        Payment(due_on, cents, reason, _code(beneficiary, invoice.iban, cents, reason))
        for place, (due_on, cents) in enumerate(due, 1)
        for reason in [_reason(invoice, place, len(due))]
    ]


def _reason(invoice, place, count):
    """The «causale», in characters that every bank takes."""
    if invoice.payment_code:
        text = invoice.payment_code
    else:
        text = _(
            "Fattura %(number)s del %(day)s",
            number=invoice.number,
            day=italian.day(invoice.date),
        )
    if count > 1:
        text = _("%(text)s rata %(place)s di %(count)s", text=text, place=place, count=count)
    return epc.plain(text, epc.REMITTANCE_LENGTH)


def _code(beneficiary, iban, cents, reason):
    """The QR code of a transfer; None where a mistyped IBAN would send money astray."""
    if not ibans.is_valid(iban):
        return None
    try:
        return epc.drawing(epc.payload(beneficiary, iban, cents, reason))
    except ValueError:
        return None
