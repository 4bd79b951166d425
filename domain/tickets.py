"""What customers ask the utility, and its evolution: opened, answered, closed, reopened.

`open`: the utility's turn; `answered`: the customer's; `closed` by either. Attachments are
`received` (see domain/attachments.py) by the caller, around the call that keeps them.
"""

import datetime as dt
import secrets

import peewee as pw
from flask_babel import gettext as _
from peewee import fn

from domain import attachments, history, mail
from domain.clock import rome_day
from domain.connections import locking
from domain.errors import Refused
from domain.receipts import CATEGORIES
from models import (
    Account,
    Customer,
    Grant,
    Operator,
    Prepared,
    SupplyPoint,
    Ticket,
    TicketMessage,
    writing,
)

SENT_TWICE_WITHIN = dt.timedelta(minutes=1)
REOPENED_WITHIN = dt.timedelta(days=90)
STATES = ("open", "answered", "closed")


# -- The list ------------------------------------------------------------------------------

SORTS = (
    "-aggiornato", "aggiornato", "codice", "-codice", "oggetto", "-oggetto", "categoria",
    "-categoria", "stato", "-stato",
)  # fmt: skip


def _rank(column, values):
    """The place of a column's value among `values`, for sorting as they are listed."""
    return pw.Case(column, [(value, place) for place, value in enumerate(values)])


_COLUMNS = {
    "aggiornato": Ticket.updated_at,
    "codice": Ticket.id,
    "oggetto": fn.LOWER(Ticket.subject),
    "categoria": _rank(Ticket.category, CATEGORIES),
    "stato": _rank(Ticket.state, ("answered", "open", "closed")),
}


def _of(customer, only):
    """The condition that a ticket is the customer's and, unless None, about the supply `only`:
    who acts under a mandate sees no others."""
    own = Ticket.customer == customer
    return own if only is None else own & (Ticket.supply == only)


class _Asked:
    """A select of tickets, for the customer and for who sees those about one supply alone."""

    def __init__(self, names, build):
        self._all = Prepared(names, lambda *given: build(*given, None))
        self._some = Prepared(f"{names} only", build)

    def __call__(self, *, only=None, **given):
        return self._some(only=only, **given) if only else self._all(**given)


def _page(sort, state):
    column = _COLUMNS[sort.removeprefix("-")]

    def build(customer, limit, offset, only):
        query = Ticket.select(
            Ticket.code,
            Ticket.subject,
            Ticket.category,
            Ticket.state,
            Ticket.updated_at,
            Ticket.due_on,
            fn.COUNT(Ticket.id).over().alias("total"),
        ).where(_of(customer, only))
        if state:
            query = query.where(Ticket.state == state)
        order = column.desc() if sort.startswith("-") else column.asc()
        return query.order_by(order, Ticket.id.desc()).limit(limit).offset(offset)

    return _Asked("customer limit offset", build)


_pages = {(sort, state): _page(sort, state) for sort in SORTS for state in (None, *STATES)}


def page(customer_id, only=None, *, sort, state, limit, offset=0):
    """Rows of the customer's tickets; `sort` of SORTS, `state` of STATES or None for all.

    `only` is the id of the supply that they are about, None: whatever. Rows carry `total`, the
    number of rows on all pages.
    """
    return _pages[sort, state](customer=customer_id, only=only, limit=limit, offset=offset)


_waiting = _Asked(
    "customer",
    lambda customer, only: (
        Ticket.select(Ticket.code, Ticket.subject, Ticket.updated_at)
        .where(_of(customer, only), Ticket.state == "answered")
        .order_by(Ticket.updated_at.desc(), Ticket.id.desc())
    ),
)


def waiting_for_customer(customer_id, only=None):
    """Rows (code, subject, updated_at) of the tickets that wait for the customer, latest first."""
    return _waiting(customer=customer_id, only=only)


# -- One ticket ----------------------------------------------------------------------------

_one = _Asked(
    "customer code",
    lambda customer, code, only: (
        Ticket.select(
            Ticket.id,
            Ticket.code,
            Ticket.customer,
            Ticket.category,
            Ticket.subject,
            Ticket.state,
            Ticket.opened_at,
            Ticket.closed_at,
            Ticket.due_on,
            SupplyPoint.code.alias("supply_code"),
        )
        .join(SupplyPoint, pw.JOIN.LEFT_OUTER)
        .where(_of(customer, only), Ticket.code == code)
    ),
)


def one(customer_id, code, only=None):
    """The customer's ticket with that code as a row, or None; `only` as of `page`."""
    rows = _one(customer=customer_id, code=code, only=only) if is_code(code) else []
    return rows[0] if rows else None


def is_code(text):
    """Whether any ticket might have it: databases refuse to look for the rest."""
    return len(text) <= Ticket.code.max_length and text.isascii() and text.isprintable()


_turns = Prepared(
    "ticket",
    lambda ticket: (
        TicketMessage.select(
            TicketMessage.id,
            TicketMessage.at,
            TicketMessage.kind,
            TicketMessage.by_customer,
            TicketMessage.author,
            TicketMessage.delegate,
            TicketMessage.text,
        )
        .where(TicketMessage.ticket == ticket, ~TicketMessage.internal)
        .order_by(TicketMessage.id)
    ),
)


def turns(ticket_id):
    """[(row of a turn, rows of its attachments)] as the customer reads them, in order."""
    found = {}
    for row in attachments.of_ticket(ticket_id):
        found.setdefault(row.message, []).append(row)
    return [(turn, found.get(turn.id, [])) for turn in _turns(ticket=ticket_id)]


def can_be_reopened(ticket, *, now):
    return ticket.state == "closed" and now <= ticket.closed_at + REOPENED_WITHIN


# -- What customers do ---------------------------------------------------------------------
#
# `account_id` is the login that does it; None where `delegate`, a name, does it under a mandate.


def deadlines_of(settings):
    """{category: calendar days within which it must be answered}."""
    return {"complaint": settings["COMPLAINT_DAYS"], "billing": settings["BILLING_CORRECTION_DAYS"]}


def due_on(category, *, deadlines, now):
    """The last day for an answer, or None where no rule sets one.

    `deadlines` is {category: calendar days}. They are counted from the day after the opening,
    in Italy (TIQV, annex A to ARERA's 413/2016/R/com, articles 4 and 5: calendar days from
    the one on which the request was received).
    """
    days = deadlines.get(category)
    return rome_day(now) + dt.timedelta(days=days) if days else None


def open_ticket(
    customer_id, supply, account_id, *, category, subject, text, arrived=(), delegate=None,
    deadlines, now,
):  # fmt: skip
    """Open a ticket and return it; the very same one sent twice is opened once.

    `supply` is the row or id of the supply that it concerns, or None; `arrived` are the
    Uploads that come with it. What has a deadline gets a receipt by mail, the rest a notice.
    """
    if delegate and category == "data_change":
        raise Refused(_("La delega non permette di chiedere la modifica dei dati del cliente."))
    with writing():
        lock(customer_id)
        same = (
            Ticket.subject == subject, Ticket.category == category, Ticket.supply == supply,
            TicketMessage.delegate == delegate,
        )  # fmt: skip
        again = _sent_twice(account_id, text, arrived, now, *same)
        if again:
            return again.ticket
        ticket = _new(
            customer_id, supply, account_id, category, subject, deadlines=deadlines, now=now
        )
        _add(ticket, text, arrived, **_by(account_id, delegate), now=now)
        _record("ticket_opened", ticket, account_id, now, delegate)
        told = [Account.get_by_id(account_id)] if account_id else list(_logins(customer_id))
        for account in told:
            _confirm(ticket, account, now)
        return ticket


def _by(account_id, delegate):
    """Who writes a turn for the customer, as it keeps it."""
    return {"by_customer": True, "account": account_id, "delegate": delegate}


def _new(customer_id, supply, account_id, category, subject, *, deadlines, now):
    """A ticket with its code, still without a turn."""
    ticket = Ticket.create(
        code=secrets.token_hex(10),  # until its id is known
        customer=customer_id,
        supply=supply,
        account=account_id,
        category=category,
        subject=subject,
        opened_at=now,
        updated_at=now,
        due_on=due_on(category, deadlines=deadlines, now=now),
    )
    ticket.code = f"T{rome_day(now).year}-{ticket.id:06d}"
    ticket.save(only=[Ticket.code])
    return ticket


def _confirm(ticket, account, now):
    """Tell by mail that the ticket is there, without what it says."""
    if ticket.due_on is None:
        mail.queue_notice("ticket_opened", account, params=told(ticket), now=now)
        return
    _send_receipt(ticket, account.email, account, now)


def _send_receipt(ticket, address, account, now):
    """To `address`, where there is one."""
    if address:
        params = told(ticket) | {"due": ticket.due_on.isoformat()}
        mail.queue("complaint_receipt", address, account=account, params=params, now=now)


def told(ticket):
    """What mail says of a ticket: neither its subject nor its text."""
    return {"code": ticket.code, "category": ticket.category}


def answer(ticket_id, account_id, text, arrived=(), *, delegate=None, now):
    """Add the customer's answer: the utility's turn again. Raises Refused once it is closed."""
    with writing():
        ticket = locked(ticket_id)
        if _sent_twice(account_id, text, arrived, now, *_turn_of(ticket, "text", delegate)):
            return
        if ticket.state == "closed":
            raise Refused(_("Il ticket è chiuso: per scrivere ancora occorre riaprirlo."))
        _add(ticket, text, arrived, **_by(account_id, delegate), now=now)
        _set(ticket, "open", now)
        _record("ticket_answered", ticket, account_id, now, delegate)


def close(ticket_id, account_id, *, delegate=None, now):
    """Close a ticket for the customer; Refused if it is closed already."""
    with writing():
        ticket = locked(ticket_id)
        _refuse_closed(ticket)
        _add(ticket, "", kind="closed", **_by(account_id, delegate), now=now)
        _set(ticket, "closed", now)
        _record("ticket_closed", ticket, account_id, now, delegate)


def reopen(ticket_id, account_id, text, arrived=(), *, delegate=None, now):
    """Open a closed ticket again, `text` says why; Refused if it is open or closed too long."""
    with writing():
        ticket = locked(ticket_id)
        if ticket.state != "closed" and _sent_twice(
            account_id, text, arrived, now, *_turn_of(ticket, "reopened", delegate)
        ):
            return
        _refuse_open(ticket)
        if not can_be_reopened(ticket, now=now):
            raise Refused(
                _(
                    "Il ticket è chiuso da più di %(days)s giorni e non si può più riaprire: "
                    "aprirne uno nuovo.",
                    days=REOPENED_WITHIN.days,
                )
            )
        _add(ticket, text, arrived, kind="reopened", **_by(account_id, delegate), now=now)
        _set(ticket, "open", now)
        _record("ticket_reopened", ticket, account_id, now, delegate)


def _refuse_closed(ticket):
    if ticket.state == "closed":
        raise Refused(_("Il ticket è già chiuso."))


def _refuse_open(ticket):
    if ticket.state != "closed":
        raise Refused(_("Il ticket è già aperto."))


# -- What the utility does -----------------------------------------------------------------
#
# `author` is who signs for the utility. `seen` is the id of the last turn that the operator had
# read, notes counted, or None where nobody else can be writing: see `_refuse_unseen`.


class Repeated(Refused):
    """The very same thing was sent to `ticket` a moment ago: nothing was done again."""

    def __init__(self, ticket):
        super().__init__(_("È già stato registrato."))
        self.ticket = ticket


def open_for_customer(
    customer_id, supply, *, category, subject, text, arrived=(), author, deadlines, now
):
    """Open a ticket for who called or wrote, `text` in the operator's words, and return it.

    Sent twice it is opened once: Repeated. What has a deadline gets its receipt by mail at every
    login of the customer, or without one at the address that billing knows.
    """
    with writing():
        lock(customer_id)
        same = (
            Ticket.customer == customer_id, Ticket.subject == subject,
            Ticket.category == category, Ticket.supply == supply, TicketMessage.author == author,
        )  # fmt: skip
        again = _sent_twice(None, text, arrived, now, *same)
        if again:
            raise Repeated(again.ticket)
        ticket = _new(customer_id, supply, None, category, subject, deadlines=deadlines, now=now)
        _add(ticket, text, arrived, by_customer=True, author=author, now=now)
        _record("ticket_opened", ticket, None, now)
        logins = list(_logins(customer_id))
        for account in logins:
            _confirm(ticket, account, now)
        if not logins and ticket.due_on:
            _send_receipt(ticket, Customer.get_by_id(customer_id).email, None, now)
        return ticket


def answer_for_utility(ticket_id, text, arrived=(), *, author, seen=None, then_close=False, now):
    """Add the utility's answer: the customer's turn, who is told by mail; or the end of it."""
    with writing():
        ticket = locked(ticket_id)
        _refuse_unseen(ticket, seen, author, now, text=text, files=arrived)
        _refuse_closed(ticket)
        _add(ticket, text, arrived, author=author, now=now)
        if ticket.answered_at is None:
            ticket.answered_at = now
            ticket.save(only=[Ticket.answered_at])
        _set(ticket, "answered", now)
        _record("ticket_answered", ticket, None, now)
        for account in _logins(ticket.customer_id):
            mail.queue_notice("ticket_answered", account, params=told(ticket), now=now)
        if then_close:
            _close(ticket, author, now)


def close_for_utility(ticket_id, *, author, seen=None, now):
    """Close a ticket for the utility; Refused if it is closed already."""
    with writing():
        ticket = locked(ticket_id)
        _refuse_unseen(ticket, seen, author, now, kind="closed")
        _refuse_closed(ticket)
        _close(ticket, author, now)


def _close(ticket, author, now):
    _add(ticket, "", kind="closed", author=author, now=now)
    _set(ticket, "closed", now)
    _record("ticket_closed", ticket, None, now)


def reopen_for_utility(ticket_id, *, author, seen=None, now):
    """Open a closed ticket again, however long it was closed: the utility's turn."""
    with writing():
        ticket = locked(ticket_id)
        _refuse_unseen(ticket, seen, author, now, kind="reopened")
        _refuse_open(ticket)
        _add(ticket, "", kind="reopened", author=author, now=now)
        _set(ticket, "open", now)
        _record("ticket_reopened", ticket, None, now)


def note(ticket_id, text, *, author, seen=None, now):
    """Add a note that only operators read: for the customer nothing has changed."""
    with writing():
        ticket = locked(ticket_id)
        _refuse_unseen(ticket, seen, author, now, text=text, internal=True)
        _add(ticket, text, author=author, internal=True, now=now)


def assign(ticket_id, operator_id, *, instead_of):
    """Give a ticket to an operator, None for nobody, if it still is `instead_of`'s; else Refused.

    Returns the operator's user name, or None.
    """
    with writing():
        ticket = locked(ticket_id)
        if ticket.assigned_to_id == operator_id:
            raise Repeated(ticket)
        if ticket.assigned_to_id != instead_of:
            raise Refused(_("Nel frattempo il ticket è stato assegnato diversamente."))
        able = Operator.id == operator_id, Operator.disabled_at.is_null()
        operator = Operator.select().where(*able).first()
        if operator_id and not operator:
            raise Refused(_("Questo operatore non può ricevere ticket: sceglierne un altro."))
        ticket.assigned_to = operator
        ticket.save(only=[Ticket.assigned_to])
        return operator and operator.username


def _refuse_unseen(ticket, seen, author, now, *, kind="text", text="", files=(), internal=False):
    """Refused where the ticket went on after the turn `seen`, so that nobody answers it twice.

    Repeated where it went on with just what is sent now.
    """
    if seen is None:
        return
    since = ticket.messages.where(TicketMessage.id > seen).order_by(TicketMessage.id)
    unseen = since.first()
    if unseen is None:
        return
    sent = [upload.sha256 for upload in files]
    if (
        (unseen.kind, unseen.text, unseen.author, unseen.internal) == (kind, text, author, internal)
        and not unseen.by_customer
        and unseen.at > now - SENT_TWICE_WITHIN
        and _files_of(unseen) == sorted(sent)
    ):
        raise Repeated(ticket)
    raise Refused(
        _(
            "Nel frattempo il ticket è cambiato e non è stato registrato nulla: leggere che cosa "
            "c'è di nuovo e, se va ancora bene, inviare di nuovo."
        )
    )


def _logins(customer_id):
    """Those that are open; mail to others would tell nobody."""
    return (
        Account.select()
        .join(Grant)
        .where(Grant.customer == customer_id, Account.disabled_at.is_null())
        .order_by(Account.id)
    )


# -- Within their transactions -------------------------------------------------------------


def lock(customer_id):
    """Whoever sends something for the same customer waits: twice is seen, and so is the quota."""
    list(locking(Customer.select(Customer.id).where(Customer.id == customer_id)))


def locked(ticket_id):
    """The ticket as it is now, for this transaction alone."""
    ticket = locking(Ticket.select().where(Ticket.id == ticket_id)).get()
    lock(ticket.customer_id)
    return ticket


def _sent_twice(account_id, text, arrived, now, *same):
    """The turn with the same text and files that the same login sent a moment ago, or None."""
    turns = (
        TicketMessage.select(TicketMessage, Ticket)
        .join(Ticket)
        .where(
            TicketMessage.account == account_id,
            TicketMessage.at > now - SENT_TWICE_WITHIN,
            TicketMessage.text == text,
            *same,
        )
    )
    files = sorted(upload.sha256 for upload in arrived)
    return next((turn for turn in turns if _files_of(turn) == files), None)


def _files_of(turn):
    return sorted(attachment.sha256 for attachment in turn.attachments)


def _turn_of(ticket, kind, delegate):
    """The conditions that a turn is one of that kind in `ticket`, by that delegate or by none."""
    return (
        Ticket.id == ticket.id, TicketMessage.kind == kind, TicketMessage.delegate == delegate,
    )  # fmt: skip


def _add(ticket, text, arrived=(), *, now, **values):
    """A turn, the utility's and a text unless `values` say otherwise."""
    message = TicketMessage.create(
        ticket=ticket, at=now, text=text, **{"by_customer": False, **values}
    )
    attachments.keep(message, arrived, ticket.customer_id)


def _set(ticket, state, now):
    ticket.state, ticket.updated_at = state, now
    ticket.closed_at = now if state == "closed" else None
    ticket.save(only=[Ticket.state, Ticket.updated_at, Ticket.closed_at])


def _record(kind, ticket, account, now, delegate=None):
    history.record(
        kind,
        now=now,
        account=account,
        delegate=delegate,
        customer=ticket.customer_id,
        supply=ticket.supply_id,
        code=ticket.code,
    )
