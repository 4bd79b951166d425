"""From a row of the queue to a message in text and HTML, for one pair of templates."""

import json
from email import policy
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from urllib.parse import urlsplit

import flask_mail
from email_validator import EmailNotValidError, validate_email
from flask import current_app, render_template

from domain import (
    credentials,
    email_links,
    language,
    mandate_links,
    notation,
    public_pages,
    receipts,
)
from domain.mail import links
from domain.mail.outbox import GROUPS
from domain.mail.params import written
from domain.mail.transport import Undeliverable
from domain.text import one_line
from models import Customer, Grant

LIFETIMES = {
    "first_access": credentials.FIRST_ACCESS,
    "recovery": credentials.RECOVERY,
    "email_change": email_links.LIFETIME,
    "mandate_invitation": mandate_links.LIFETIME,
}


def complaint_receipt(context):
    """(name, type, bytes) of the PDF that goes with the mail; it is not kept in the queue."""
    ticket = receipts.find(context["code"])
    if ticket is None:
        raise Undeliverable("il ticket non c'è più")
    content = receipts.pdf(ticket, utility=context["utility"], contacts=context["contacts"])
    return receipts.file_name(ticket.code), "application/pdf", content


ATTACHMENTS = {"complaint_receipt": complaint_receipt}


class Message(flask_mail.Message):
    """Flask-Mail's, with a logo, and with headers folded by the older rules of Python.

    The newer ones put blanks into long names with accents.
    """

    WIRE = policy.compat32.clone(linesep="\r\n")
    LOGO = "logo@portale"  # what the HTML calls it
    logo = None  # a Picture, which goes with the HTML: nothing is asked of the portal

    def _message(self):
        message = super()._message()
        if self.logo:
            parts = message.get_payload()[0].get_payload()  # text, HTML
            parts[-1] = with_picture(parts[-1], self.logo, self.LOGO)
        return message

    def as_bytes(self):
        return self._message().as_bytes(policy=self.WIRE)


def with_picture(page, picture, name):
    """The HTML part `page` and the picture that it calls `cid:name` (RFC 2387, RFC 2392)."""
    image = MIMEImage(picture.content, "png")
    image.add_header("Content-ID", f"<{name}>")
    image.add_header("Content-Disposition", "inline", filename=picture.name)
    related = MIMEMultipart("related", type="text/html")
    related.attach(page)
    related.attach(image)
    return related


def compose(row, secret=None, *, now):
    """The message of `row`; `secret` is what lets in, for the kinds that carry one.

    Subject is the first line of the text template. Raises Undeliverable for an address
    that no server would take.
    """
    with language.speaking(language.of_mail(row)):
        return _compose(row, secret, now)


def _compose(row, secret, now):
    branding = current_app.config["BRANDING"]
    context = {
        **written(json.loads(row.params)),
        "account": row.account,
        "customer": customer_of(row.account),
        "secret": secret,
        "expires_at": notation.at(now + LIFETIMES[row.kind]) if secret else None,
        "happened_at": notation.at(row.created_at),
        "portal": current_app.config["BASE_URL"],
        "utility": one_line(current_app.config["UTILITY_NAME"]),
        "contacts": current_app.config["UTILITY_CONTACTS"],
        "legal": public_pages.addition("pie-di-pagina", current_app.config),
        "legal_words": public_pages.addition_in_words("pie-di-pagina", current_app.config),
        "logo": Message.LOGO if branding.mail_logo else None,
        "colors": colors(branding.palette),
        "masked": masked,
        "unsubscribe": unsubscribe(row),
    }
    subject, _newline, text = render_template(f"email/{row.kind}.txt", **context).partition("\n")
    message = Message(
        subject=one_line(subject),
        recipients=[plain_address(row.recipient)],
        body=text.strip() + "\n",
        html=render_template(f"email/{row.kind}.html", **context),
        extra_headers={"Auto-Submitted": "auto-generated", **one_click(context["unsubscribe"])},
    )
    # As a pair: given as text, a comma in the name would cut the address.
    message.sender = (context["utility"], current_app.config["MAIL_SENDER"])
    message.msgId = message_id(row)
    message.logo = branding.mail_logo
    if row.kind in ATTACHMENTS:
        message.attach(*ATTACHMENTS[row.kind](context))
    return message


def unsubscribe(row):
    """The address that ends the notices that `row` is one of, or None where it is none."""
    if row.kind not in GROUPS or row.account is None:
        return None
    token = links.make(row.account, GROUPS[row.kind], key=current_app.config["SECRET_KEY"])
    return f"{current_app.config['BASE_URL']}/avvisi/{token}"


def one_click(address):
    """The headers by which a mail program ends notices at `address` (RFC 2369, RFC 8058)."""
    if address is None:
        return {}
    return {
        "List-Unsubscribe": f"<{address}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def message_id(row):
    """The same at each attempt, so that whoever gets a mail twice sees it once."""
    host = urlsplit(current_app.config["BASE_URL"]).hostname
    return f"<{row.created_at:%Y%m%dT%H%M%S}-{row.id}@{host}>"


def plain_address(text):
    """`text` as SMTP wants it (ASCII), or Undeliverable."""
    try:
        return validate_email(
            text,
            check_deliverability=False,
            globally_deliverable=False,
            allow_smtputf8=False,
            test_environment=True,  # addresses in .test, where the portal is tried out
        ).ascii_email
    except EmailNotValidError as error:
        raise Undeliverable(f"indirizzo non valido: {error}") from error


def customer_of(account):
    """The customer that a login acts for first, or None."""
    if account is None:
        return None
    granted = Customer.select().join(Grant).where(Grant.account == account)
    return granted.order_by(Grant.id).first()


def masked(address):
    """`m•••@example.it`: enough to know one's own address, no more."""
    local, _at, host = address.rpartition("@")
    return f"{local[:1]}•••@{host}"


def colors(palette):
    """The utility's colours: of the header, of buttons and links in light and dark.

    The header has one for both: many mail programs show a mail in dark without telling it.
    """
    light, dark = palette.light, palette.dark
    return {
        "surface": light.brand,
        "ink": light.on_brand,
        "light": light.accent,
        "on_light": light.on_accent,
        "dark": dark.accent,
        "on_dark": dark.on_accent,
    }
