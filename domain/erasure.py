"""The request that personal data be erased: made, withdrawn, settled (see erasing.py).

Article 17 of Regulation (EU) 2016/679 gives the right, and leaves out what a law wants kept;
article 12 wants an answer within a month. Article 2220 of the Italian civil code has
accounting records and invoices kept for ten years.
"""

import peewee as pw
from flask_babel import gettext as _

from domain import history, mail
from domain.errors import Refused
from models import Account, Customer, ErasureRequest, Prepared, writing


def _open(customer_id):
    """The conditions that a request of the customer was neither withdrawn nor settled."""
    return (
        ErasureRequest.customer == customer_id,
        ErasureRequest.withdrawn_at.is_null(),
        ErasureRequest.settled_at.is_null(),
    )


_open_request = Prepared(
    "customer",
    lambda customer: ErasureRequest.select(ErasureRequest.made_at).where(*_open(customer)),
)


def open_request(customer_id):
    """When the open request of a customer was made: a row with `made_at`, or None."""
    return _open_request.first(customer=customer_id)


def ask(customer_id, account_id, *, now):
    """Request the erasure of a customer's data, with a receipt by mail, or raise Refused."""
    try:
        with writing():
            ErasureRequest.create(customer=customer_id, account=account_id, made_at=now)
            _tell("erasure_asked", customer_id, account_id, now)
    except pw.IntegrityError:
        if open_request(customer_id) is None:
            raise
        raise Refused(_("La richiesta di cancellazione è già stata registrata.")) from None


def withdraw(customer_id, account_id, *, now):
    """Take the open request back, with a receipt by mail, or raise Refused."""
    with writing():
        withdrawn = ErasureRequest.update(withdrawn_at=now).where(*_open(customer_id)).execute()
        if not withdrawn:
            raise Refused(_("Non c'è una richiesta di cancellazione da ritirare."))
        _tell("erasure_withdrawn", customer_id, account_id, now)


def settle(customer_id, *, refusal, now):
    """Close the open request: declined for the reason `refusal`, or done where that is None.

    In the transaction of the caller, who tells the customer; raises Refused where there is none.
    """
    done = {ErasureRequest.settled_at: now, ErasureRequest.refusal: refusal}
    if not ErasureRequest.update(done).where(*_open(customer_id)).execute():
        raise Refused(_("La richiesta non c'è più: il cliente l'ha ritirata, o è già stata evasa."))
    if refusal is not None:
        history.record("erasure_declined", now=now, customer=customer_id)


def _tell(kind, customer_id, account_id, now):
    """A receipt goes out whatever notices the customer prefers."""
    account = Account.get_by_id(account_id)
    code = Customer.get_by_id(customer_id).code
    mail.queue(kind, account.email, account=account, params={"code": code}, now=now)
    history.record(kind, now=now, account=account_id, customer=customer_id)
