"""Erasing a customer: what goes, what the law keeps for some years, what no import brings back.

Invoices, with what they were reckoned from, are kept as long as article 2220 of the civil code
wants (article 17, paragraph 3, letter b of Regulation (EU) 2016/679): the row of the customer
then still says to whom they were made out, and not how to reach anybody. Of tickets the complaints
register needs the row, but no text. A login loses everything but its number, which no other may
get: links and cookies of old carry it.

All this is one transaction. Files go after it: their names wait in `LeftoverFile`, so that a
process killed in between loses none. `again` does each night what time and imports ask for.
"""

import datetime as dt
import logging
from typing import NamedTuple

from flask_babel import gettext as _
from peewee import fn

from domain import accounts, attachments, erasure, files, mail, mandates
from domain.clock import rome_day
from domain.connections import locking
from domain.errors import Refused
from domain.language import of_login
from models import (
    TABLES,
    Account,
    Attachment,
    BilledConsumption,
    ContactChange,
    Contract,
    Customer,
    Document,
    EmailChange,
    ErasureRequest,
    Event,
    Grant,
    Invoice,
    InvoiceSupply,
    LeftoverFile,
    MeasuredDay,
    MeterReading,
    OutgoingMail,
    RegisterReading,
    SelfReading,
    StoredFile,
    SupplyPoint,
    Ticket,
    TicketMessage,
    any_of,
    writing,
)

log = logging.getLogger("portale.privacy")

YEARS_KEPT = 10
ERASED = "(cancellato)"  # in place of a text that may not be missing
SKIPPED = (  # of a row of an import
    "I dati personali di questo cliente sono stati cancellati su sua richiesta: la riga non è "
    "presa, finché il cliente non ha di nuovo una fornitura attiva."
)
DATED = (  # what invoices were reckoned from, and the day that it is of
    (BilledConsumption, BilledConsumption.ends_on),
    (MeterReading, MeterReading.day),
    (RegisterReading, RegisterReading.day),
    (SelfReading, SelfReading.day),
)


def kept_since(today):
    """The first day of what the law keeps: ten whole years before this one."""
    return dt.date(today.year - YEARS_KEPT, 1, 1)


# -- Whether it may be ---------------------------------------------------------------------


def obstacle(customer_id, *, today):
    """Why the customer cannot be erased now, as a sentence; or None."""
    if SupplyPoint.select().where(_own(customer_id), _in_service(today)).exists():
        return _(
            "Il cliente ha una fornitura attiva: finché dura il contratto i suoi dati servono a "
            "eseguirlo. La cancellazione è possibile quando tutte le forniture sono cessate."
        )
    if _pending(customer_id).exists():
        return _(
            "Un'autolettura del cliente aspetta di essere consegnata alla fatturazione: riprovare "
            "dopo la prossima acquisizione."
        )
    if Ticket.select().where(Ticket.customer == customer_id, Ticket.state == "open").exists():
        return _("Un ticket del cliente aspetta una risposta: prima va dato seguito e chiuso.")
    return None


def _own(customer_id):
    return SupplyPoint.customer == customer_id


def _in_service(today):
    return SupplyPoint.ended_on.is_null() | (SupplyPoint.ended_on >= today)


def _is_supplied(today):
    """The condition that a row of Customer has a supply in service."""
    own = SupplyPoint.customer == Customer.id
    return fn.EXISTS(SupplyPoint.select(SupplyPoint.id).where(own, _in_service(today)))


def _pending(customer_id):
    supplies = SupplyPoint.select(SupplyPoint.id).where(_own(customer_id))
    return SelfReading.select().where(
        SelfReading.state == "pending",
        SelfReading.supply.in_(supplies) | SelfReading.account.in_(_logins(customer_id)),
    )


def _logins(customer_id):
    """The ids of the logins that act for this customer alone, as a query."""
    others = Grant.alias()
    elsewhere = others.select(others.account).where(others.customer != customer_id)
    return Grant.select(Grant.account).where(
        Grant.customer == customer_id, Grant.account.not_in(elsewhere)
    )


class Reckoning(NamedTuple):
    """How much there is of what is erased, and from `invoices` on of what is kept."""

    logins: int
    events: int
    tickets: int
    attachments: int
    documents: int
    contracts: int
    measured_days: int
    expired_invoices: int
    invoices: int
    periods: int
    readings: int


def reckoning(customer_id, *, today):
    """What erasing the customer would erase and keep, counted."""
    since = kept_since(today)
    supplies = SupplyPoint.select(SupplyPoint.id).where(_own(customer_id))
    tickets = Ticket.select(Ticket.id).where(Ticket.customer == customer_id)
    messages = TicketMessage.select(TicketMessage.id).where(TicketMessage.ticket.in_(tickets))
    own_invoices = Invoice.select().where(Invoice.customer == customer_id)
    periods, *readings = (
        model.select().where(model.supply.in_(supplies), day >= since).count()
        for model, day in DATED
    )
    return Reckoning(
        logins=_logins(customer_id).count(),
        events=Event.select().where(_told_of(customer_id, _logins(customer_id))).count(),
        tickets=tickets.count(),
        attachments=Attachment.select().where(Attachment.message.in_(messages)).count(),
        documents=Document.select().where(Document.customer == customer_id).count(),
        contracts=Contract.select().where(Contract.supply.in_(supplies)).count(),
        measured_days=MeasuredDay.select().where(MeasuredDay.supply.in_(supplies)).count(),
        expired_invoices=own_invoices.where(Invoice.year < since.year).count(),
        invoices=own_invoices.where(Invoice.year >= since.year).count(),
        periods=periods,
        readings=sum(readings),
    )


def _told_of(customer_id, logins):
    return (Event.customer == customer_id) | Event.account.in_(logins)


# -- Settling a request --------------------------------------------------------------------


def decline(customer_id, reason, *, now):
    """Answer the open request with `reason`, which the customer reads by mail; or raise Refused."""
    with writing():
        erasure.settle(customer_id, refusal=reason, now=now)
        code = Customer.get_by_id(customer_id).code
        for account, address in _to_tell(customer_id):
            params = {"code": code, "reason": reason}
            mail.queue("erasure_declined", address, account=account, params=params, now=now)


def erase(customer_id, *, now):
    """Erase the customer, told by mail, or raise Refused; afterwards call `remove_files`.

    Settles the open request where there is one: who asks by letter has none.
    """
    today = rome_day(now)
    with writing():
        customer = locking(Customer.select().where(Customer.id == customer_id)).get()
        asked = erasure.open_request(customer_id)
        if customer.erased_at and not asked:
            raise Refused(_("I dati di questo cliente sono già stati cancellati."))
        sentence = obstacle(customer_id, today=today)
        if sentence:
            raise Refused(sentence)
        languages = {address: of_login(login) for login, address in _to_tell(customer_id)}
        if not asked:
            ErasureRequest.create(customer=customer_id, made_at=now)
        erasure.settle(customer_id, refusal=None, now=now)
        logins = [account for (account,) in _logins(customer_id).tuples()]
        known_by = {*languages, *accounts.addresses_in(customer.email)}
        _erase_tickets(customer_id, now)
        _erase_documents(customer_id)
        mandates.forget(customer_id, logins, now=now)
        _erase_logins(customer_id, logins, known_by)
        ContactChange.delete().where(ContactChange.customer == customer_id).execute()
        Customer.update(phone=None, fax=None, email=None, erased_at=now).where(
            Customer.id == customer_id
        ).execute()
        _erase_supplied(customer_id)
        _erase_expired(customer_id, kept_since(today))
        told = {"code": customer.code}
        for address, language in sorted(languages.items()):
            # Of no login: it is forgotten once it has gone.
            mail.queue("erasure_done", address, params=told, language=language, now=now)


def _to_tell(customer_id):
    """(login, its address) of each login, or (None, address) of the contacts where none is."""
    logins = list(
        Account.select().join(Grant).where(Grant.customer == customer_id).order_by(Account.id)
    )
    if logins:
        return [(login, login.email) for login in logins]
    contact = Customer.get_by_id(customer_id).email
    return [(None, address) for address in sorted(accounts.addresses_in(contact))]


def _erase_tickets(customer_id, now):
    """Their texts and files; the rows stay, for the complaints register."""
    tickets = Ticket.select(Ticket.id).where(Ticket.customer == customer_id)
    messages = TicketMessage.select(TicketMessage.id).where(TicketMessage.ticket.in_(tickets))
    held = Attachment.select(Attachment.path).where(Attachment.message.in_(messages))
    _leave_over(path for (path,) in held.tuples())
    TicketMessage.delete().where(TicketMessage.ticket.in_(tickets)).execute()
    Ticket.update(
        subject=ERASED, account=None, state="closed", closed_at=fn.COALESCE(Ticket.closed_at, now)
    ).where(Ticket.customer == customer_id).execute()


def _erase_documents(customer_id):
    own = Document.customer == customer_id
    held = Document.select(Document.file).where(own, Document.file.is_null(False))
    ids = [file for (file,) in held.tuples()]
    Document.delete().where(own).execute()
    _release(ids)


def _erase_logins(customer_id, logins, addresses):
    """Leave of each only its number, and of nobody an address in the queue of mail."""
    Event.delete().where(_told_of(customer_id, logins)).execute()
    EmailChange.delete().where(EmailChange.customer == customer_id).execute()
    own = SelfReading.account.in_(logins) & SelfReading.taken_for.is_null()
    SelfReading.update(taken_for=customer_id).where(own).execute()  # no next customer sees them
    _delete_of(logins)
    Grant.delete().where(Grant.customer == customer_id).execute()
    OutgoingMail.delete().where(
        OutgoingMail.account.is_null(), fn.LOWER(OutgoingMail.recipient).in_(
            [address.lower() for address in addresses]
        ),
    ).execute()  # fmt: skip
    _blank_logins(logins)


def _delete_of(logins):
    """What is a login's alone."""
    for model in TABLES:
        for field, target in model._meta.refs.items():
            if target is Account and field.on_delete == "CASCADE":
                model.delete().where(field.in_(logins)).execute()


def _blank_logins(logins):
    for login in logins:
        name = {Account.username: f"{ERASED} {login}", Account.email: ""}
        blank = {**_blank(Account), Account.disabled_at: Account.created_at}
        Account.update({**blank, **name}).where(Account.id == login).execute()


def forget_delegates(*, now):
    """Blank the logins that were made for a mandate once none is left; return how many."""
    with writing():
        idle = [login for (login,) in mandates.idle_logins(now=now).tuples()]
        _delete_of(idle)
        _blank_logins(idle)
    return len(idle)


def _erase_supplied(customer_id):
    """What was supplied how, beyond what an invoice is reckoned from."""
    own = SupplyPoint.select(SupplyPoint.id).where(_own(customer_id))
    Contract.delete().where(Contract.supply.in_(own)).execute()
    MeasuredDay.delete().where(MeasuredDay.supply.in_(own)).execute()
    void = SelfReading.state.in_(["cancelled", "rejected"])
    SelfReading.delete().where(void, SelfReading.supply.in_(own)).execute()
    passed_on = (
        SupplyPoint.select(SupplyPoint.id, SupplyPoint.active_from)
        .join(InvoiceSupply)
        .join(Invoice)
        .where(Invoice.customer == customer_id, ~_own(customer_id))
        .where(SupplyPoint.active_from.is_null(False))
        .distinct()
    )
    for supply, since in list(passed_on.tuples()):
        before = MeasuredDay.supply == supply, MeasuredDay.day < since
        MeasuredDay.delete().where(*before).execute()


def _erase_expired(customer_id, since):
    """What is older than the law wants it kept; with the last invoice goes whom it named."""
    own = SupplyPoint.select(SupplyPoint.id).where(_own(customer_id))
    for model, day in DATED:
        model.delete().where(model.supply.in_(own), day < since).execute()
    old = (Invoice.customer == customer_id) & (Invoice.year < since.year)
    held = Invoice.select(Invoice.document).where(old, Invoice.document.is_null(False))
    ids = [file for (file,) in held.tuples()]
    Invoice.delete().where(old).execute()
    _release(ids)
    if Invoice.select().where(Invoice.customer == customer_id).exists():
        return
    for model, _day in DATED:
        model.delete().where(model.supply.in_(own)).execute()
    SupplyPoint.update(_blank(SupplyPoint, "ended_on", "pdr")).where(_own(customer_id)).execute()
    SupplyPoint.update(pdr="").where(_own(customer_id), SupplyPoint.pdr.is_null(False)).execute()
    Customer.update(
        {**_blank(Customer, "erased_at"), Customer.name: ERASED, Customer.tax_code: ""}
    ).where(Customer.id == customer_id).execute()


def _blank(model, *kept):
    """{field: None} of all fields that may be, but those with the names `kept`."""
    return {
        field: None for field in model._meta.sorted_fields if field.null and field.name not in kept
    }


# -- Files ---------------------------------------------------------------------------------


def _release(file_ids):
    """Forget the files that neither a document nor an invoice has any more."""
    used = Document.select(Document.file).where(Document.file.in_(file_ids))
    used |= Invoice.select(Invoice.document).where(Invoice.document.in_(file_ids))
    free = StoredFile.id.in_(file_ids) & StoredFile.id.not_in(used)
    _leave_over(path for (path,) in StoredFile.select(StoredFile.path).where(free).tuples())
    StoredFile.delete().where(free).execute()


def _leave_over(paths):
    for path in list(paths):
        LeftoverFile.insert(path=path).on_conflict_ignore().execute()


def remove_files(documents):
    """Remove from the folder `documents` what was erased; return how many files."""
    removed = 0
    for row in list(LeftoverFile.select()):
        try:
            with writing():
                removed += _remove(documents, row.path)
                row.delete_instance()
        except OSError as error:  # the next night tries again
            log.error("an erased file could not be removed: %s", error.strerror)
    return removed


def _remove(documents, path):
    """Remove a file, unless an import has brought it again; whether it was there."""
    if StoredFile.select().where(StoredFile.path == path).exists():
        return False
    there = False
    for place in (documents / path, attachments.arriving(documents, path)):
        if files.is_file(place):
            place.unlink()
            files.sync_folder(place.parent)
            there = True
    return there


# -- Afterwards ----------------------------------------------------------------------------


def again(*, now):
    """Each night: erase what imports brought back and what the law keeps no longer.

    Who has a supply again is a customer again. Returns how many customers stay erased.
    """
    today = rome_day(now)
    erased = Customer.erased_at.is_null(False)
    with writing():
        Customer.update(erased_at=None).where(erased, _is_supplied(today)).execute()
    ids = [customer for (customer,) in Customer.select(Customer.id).where(erased).tuples()]
    for customer_id in ids:
        with writing():
            if locking(Customer.select().where(Customer.id == customer_id, erased)).first():
                _erase_supplied(customer_id)
                _erase_expired(customer_id, kept_since(today))
    return len(ids)


def still_erased(field, values, *, today):
    """Which customers no import may fill again, by `field` (Customer.code or Customer.id)."""
    query = Customer.select(field).where(
        any_of(field, values), Customer.erased_at.is_null(False), ~_is_supplied(today)
    )
    return {value for (value,) in query.tuples()}
