"""What the demo has instead of a mail server and of a telephone. Nothing of this in production."""

import email
from email.policy import default as modern
from typing import NamedTuple

import pyotp
from flask import Blueprint, current_app, request

from domain import operators, second_factor
from domain.clock import utcnow
from views.htmx import page_or_partial

bp = Blueprint("demo", __name__, url_prefix="/demo")

SHOWN = 50  # mails


class Mail(NamedTuple):
    """A mail as its reader sees it: `text` is the plain part, nothing in it is executed."""

    name: str
    recipient: str
    subject: str
    sent_at: object  # aware datetime, or None
    text: str


def init_app(app):
    if app.config["DEMO"]:
        app.register_blueprint(bp)


@bp.get("/posta")
def mails():
    listed = [read(path) for path in newest()]
    chosen = request.args.get("mail") or (listed[0].name if listed else "")
    shown = next((mail for mail in listed if mail.name == chosen), None)
    return page_or_partial("demo/posta.html", "demo/_mails.html", mails=listed, shown=shown)


def newest():
    """The files of the mails, the latest first."""
    files = (current_app.config["DATA_DIR"] / "posta").glob("[!.]*.eml")
    return sorted(files, key=lambda path: path.stat().st_mtime_ns, reverse=True)[:SHOWN]


def read(path):
    message = email.message_from_bytes(path.read_bytes(), policy=modern)
    body = message.get_body(("plain",))
    return Mail(
        name=path.stem,
        recipient=str(message["To"]),
        subject=str(message["Subject"]),
        sent_at=message["Date"].datetime if message["Date"] else None,
        text=body.get_content() if body else "",
    )


@bp.get("/telefono")
def telephone():
    """The codes that the operators' telephones would show."""
    keys, now = operators.keys(current_app.secret_key), utcnow()
    rows = [row for row in operators.listed() if row.totp_nonce]
    codes = [(row, pyotp.TOTP(operators.secret(row, keys)).at(now)) for row in rows]
    left = second_factor.STEP - int(now.timestamp()) % second_factor.STEP
    return page_or_partial("demo/telefono.html", "demo/_codes.html", codes=codes, left=left)
