"""Contacts that customers correct: telephone, fax and, once its link was opened, e-mail.

What a customer changed holds until billing confirms it: it is handed over, and what
imports bring in its place is not taken until they bring the same. Of two changes of one
contact the later settles the earlier; one that was not handed over yet never goes out.
"""

import re

from domain import handover, history
from domain.connections import locking
from domain.formats import billing_contacts
from models import ContactBatch, ContactChange, Customer, writing

# -- The customer's side -------------------------------------------------------------------


def change(customer_id, values, *, account, now):
    """Make `values` (text or None by field) the customer's contacts; they hold at once."""
    with writing():
        lock([customer_id])
        customer = Customer.get_by_id(customer_id)
        for field, value in values.items():
            if value != getattr(customer, field):
                _change_one(customer, field, value, account, now)


def _change_one(customer, field, value, account, now):
    replaced = previous = getattr(customer, field)
    of_the_same = (ContactChange.customer == customer) & (ContactChange.field == field)
    for earlier in settle(of_the_same, now=now):
        if earlier.batch_id is None:  # billing never heard of it
            previous = earlier.previous
    ContactChange.create(
        customer=customer, field=field, value=value, previous=previous, account=account, made_at=now
    )
    Customer.update({field: value}).where(Customer.id == customer.id).execute()
    history.record(
        "contact_changed", now=now, account=account, customer=customer.id,
        field=field, value=value, previous=replaced,
    )  # fmt: skip


def lock(customer_ids):
    """Nobody else changes the contacts of these customers before the transaction ends."""
    rows = Customer.select(Customer.id).where(Customer.id.in_(customer_ids))
    list(locking(rows.order_by(Customer.id)))


# -- What waits for billing ----------------------------------------------------------------


def open_changes(customer_ids):
    """What these customers changed and billing has not confirmed yet."""
    return ContactChange.select().where(
        ContactChange.customer.in_(customer_ids), ContactChange.settled_at.is_null()
    )


def settle(condition, *, now):
    """From now on imports rule again over the changes that `condition` names; return those."""
    still_open = condition & ContactChange.settled_at.is_null()
    settled = ContactChange.update(settled_at=now).where(still_open).returning(ContactChange)
    return list(settled.execute())


def is_confirmed_by(row, value):
    """Whether `value`, from billing, means that it has taken over the change `row`.

    Before the change was handed over, billing may say the same only because it has not
    heard of an earlier one yet.
    """
    return row.batch_id is not None and same(row.field, row.value, value)


def same(field, contact, other):
    """Whether two contacts differ at most in what programs write differently."""
    return _plain(field, contact) == _plain(field, other)


def _plain(field, value):
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
