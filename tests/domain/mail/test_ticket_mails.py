"""The mails of tickets: what they carry, and what they keep to the portal."""

import datetime as dt
import email
import email.policy

import pytest

from domain import mail, receipts, ticket_desk, tickets
from domain.mail import messages
from models import OutgoingMail, Ticket
from tests.factories import make_account, make_customer, make_gas

NOW = dt.datetime(2026, 11, 23, 8, 30, tzinfo=dt.UTC)
DEADLINES = {"complaint": 30, "billing": 60}


@pytest.fixture
def account(app):
    return make_account(make_customer("000002", name="PROVA S.P.A."), email="rosa@example.it")


def opened(account, category):
    customer = account.grants.get().customer
    return tickets.open_ticket(
        customer.id,
        make_gas(customer),
        account.id,
        category=category,
        subject="Segreto",
        text="Riservato",
        deadlines=DEADLINES,
        now=NOW,
    )


def composed():
    row = OutgoingMail.select().order_by(OutgoingMail.id.desc()).first()
    wire = messages.compose(row, now=NOW).as_bytes()
    return email.message_from_bytes(wire, policy=email.policy.default)


def bodies(message):
    return [message.get_body((kind,)).get_content() for kind in ("plain", "html")]


@pytest.mark.parametrize(
    ("category", "name", "due"),
    [
        ("complaint", "Reclamo", "23/12/2026"),
        ("billing", "Rettifica di fatturazione", "22/01/2027"),
    ],
)
def test_the_receipt_comes_with_its_pdf(account, category, name, due):
    ticket = opened(account, category)
    message = composed()
    assert message["Subject"] == f"Prova Energia: ricevuta {ticket.code}"
    for body in bodies(message):
        assert f"il ticket {ticket.code}, categoria «{name}»" in body
        assert f"entro il {due}" in body
        assert "Segreto" not in body
        assert "Riservato" not in body
    (paper,) = message.iter_attachments()
    assert paper.get_content_type() == "application/pdf"
    assert paper.get_filename() == f"ricevuta_{ticket.code}.pdf"
    expected = receipts.pdf(receipts.find(ticket.code), utility="Prova Energia", contacts="")
    assert paper.get_content() == expected


def test_who_has_no_login_gets_the_receipt_too(app, mail_server):
    ticket = ticket_desk.open_for_customer(
        make_customer(email="carta@example.it").id,
        None,
        category="complaint",
        subject="Segreto",
        text="Riservato",
        author="Marta",
        deadlines=DEADLINES,
        now=NOW,
    )
    message = composed()
    assert message["To"] == "carta@example.it"
    (paper,) = message.iter_attachments()
    assert paper.get_filename() == f"ricevuta_{ticket.code}.pdf"
    assert not any("Riservato" in body or "Segreto" in body for body in bodies(message))
    assert mail.send_due().sent == 1


@pytest.mark.parametrize("email", [None, ""])
def test_who_has_no_address_gets_no_mail(app, email):
    ticket_desk.open_for_customer(
        make_customer(email=email).id, None, category="complaint", subject="S", text="T",
        author="Marta", deadlines=DEADLINES, now=NOW,
    )  # fmt: skip
    assert OutgoingMail.select().count() == 0


def test_the_queue_keeps_no_copy_of_the_pdf(account):
    opened(account, "complaint")
    assert len(OutgoingMail.get().params) < 200


@pytest.mark.parametrize("answered", [False, True])
def test_the_other_mails_carry_nothing(account, answered):
    ticket = opened(account, "information")
    if answered:
        ticket_desk.answer(ticket.id, "Confidenziale", author="Marta", now=NOW)
    message = composed()
    assert list(message.iter_attachments()) == []
    for body in bodies(message):
        assert ticket.code in body
        assert "Informazioni" in body
        assert not any(word in body for word in ("Segreto", "Riservato", "Confidenziale"))


def test_the_receipt_leaves_through_a_real_server(account, mail_server):
    opened(account, "complaint")
    assert mail.send_due().sent == 1


def test_the_receipt_of_a_ticket_that_is_gone_is_given_up(account, mail_server):
    ticket = opened(account, "complaint")
    Ticket.delete().where(Ticket.id == ticket.id).execute()
    assert mail.send_due().failed == 1
    assert OutgoingMail.get().state == "failed"
