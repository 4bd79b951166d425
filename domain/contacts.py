"""Contacts that customers correct: telephone, fax and, once its link was opened, e-mail.

What a customer changed holds until billing confirms it: it is handed over, and what
imports bring in its place is not taken until they bring the same. Of two changes of one
contact the later settles the earlier; one that was not handed over yet never goes out.
"""

import re

from domain import handover, history
from domain.formats import billing_contacts
from models import ContactBatch, ContactChange, Customer, is_sqlite, writing


# -- The customer's side -------------------------------------------------------------------


def change(customer_id, values, *, account, now):
    """Make `values` (text or None by field) the customer's contacts; they hold at once."""
    with writing():
        customer = locked([customer_id])[customer_id]
        for field, value in values.items():
            if value != getattr(customer, field):
                _change_one(customer, field, value, account, now)


def _change_one(customer, field, value, account, now):
    replaced = getattr(customer, field)
    previous = replaced
    earlier = open_changes([customer.id]).get((customer.id, field))
    if earlier:
        if earlier.batch_id is None:  # billing never heard of it
            previous = earlier.previous
        settle([earlier], now=now)
    ContactChange.create(
        customer=customer, field=field, value=value, previous=previous, account=account, made_at=now
    )
    Customer.update({field: value}).where(Customer.id == customer.id).execute()
    history.record(
        "contact_changed", now=now, account=account, customer=customer.id,
        field=field, value=value, previous=replaced,
    )  # fmt: skip


def locked(customer_ids):
    """The customers by id; nobody else changes their contacts before the transaction ends."""
    rows = Customer.select().where(Customer.id.in_(customer_ids)).order_by(Customer.id)
    return {row.id: row for row in (rows if is_sqlite() else rows.for_update())}


# -- What waits for billing ----------------------------------------------------------------


def open_changes(customer_ids):
    """{(customer id, field): change} of what billing has not confirmed yet."""
    rows = ContactChange.select().where(
        ContactChange.customer.in_(customer_ids), ContactChange.settled_at.is_null()
    )
    return {(row.customer_id, row.field): row for row in rows}


def settle(changes, *, now):
    ids = [row.id for row in changes]
    ContactChange.update(settled_at=now).where(ContactChange.id.in_(ids)).execute()


def is_confirmed_by(row, value):
    """Whether `value`, from billing, means that it has taken over the change `row`.

    Before the change was handed over, billing may say the same only because it has not
    heard of an earlier one yet.
    """
    return row.batch_id is not None and _plain(row.field, value) == _plain(row.field, row.value)


def _plain(field, value):
    """A contact without what different programs write differently."""
    if field == "email":
        return (value or "").strip().lower()
    digits = re.sub(r"[^\w+]", "", value or "").lower()
    return re.sub(r"^(\+|00)39", "", digits)


class Contacts(handover.Goods):
    prefix = "anagrafiche"
    row, batch = ContactChange, ContactBatch
    columns, key = billing_contacts.COLUMNS, billing_contacts.KEY
    cells = staticmethod(billing_contacts.cells)

    def waiting(self):
        return ContactChange.batch.is_null() & ContactChange.settled_at.is_null()

    def rows_where(self, condition):
        return (
            ContactChange.select(
                ContactChange.id,
                Customer.code.alias("customer"),
                ContactChange.field,
                ContactChange.value,
                ContactChange.previous,
                ContactChange.made_at,
            )
            .join(Customer)
            .where(condition)
            .order_by(ContactChange.id)
            .namedtuples()
        )


CONTACTS = Contacts()


def hand_over(outbox, *, now):
    """Hand all changes that wait to billing as one file in the folder `outbox`."""
    return handover.hand_over(CONTACTS, outbox, now=now)
