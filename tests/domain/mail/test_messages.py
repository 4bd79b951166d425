"""What a customer finds in each mail."""

import datetime as dt
import email
import email.policy
import html.parser
import json
import re
from email.header import decode_header, make_header
from email.utils import parseaddr, parsedate_to_datetime

import pytest

from domain import branding, theme
from domain.mail import messages, outbox
from models import OutgoingMail
from tests.domain.formats.test_uploads import png
from tests.factories import make_account, make_customer, make_ticket

NOW = dt.datetime(2026, 11, 23, 8, 30, tzinfo=dt.UTC)
SECRET = "abcdefghjkmnpqrstuvwxyz2"
KINDS = (*outbox.KINDS, "test")


class Words(html.parser.HTMLParser):
    """What is read on the page, and where its links lead."""

    def __init__(self, source):
        super().__init__()
        self.text, self.links, self.tags, self._hidden = "", [], [], False
        self.feed(source)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [value for name, value in attributes if name in {"href", "src"}]
        self._hidden = self._hidden or tag == "style"

    def handle_endtag(self, tag):
        self._hidden = self._hidden and tag != "style"

    def handle_data(self, data):
        self.text += "" if self._hidden else data


WINDOW = {"supplies": ["PR002874 (Pdr: 1); VIA PROVA 5"], "from_day": "01/12/2026",
          "from_time": "08:00", "to_day": "05/12/2026", "to_time": "23:59"}  # fmt: skip
INVOICE = {"number": "2026/1042", "due": "28/11/2026", "amount": "1.234,56 €", "credit": False}
MANDATE = {
    "mandate": 1, "customer_name": "PROVA S.P.A.", "delegate": "STUDIO ROSSI",
    "scope": "everything", "until": "2027-06-30",
}  # fmt: skip
PARAMS = {
    "mandate_invitation": MANDATE,
    "mandate_received": MANDATE | {"user": "D00001"},
    "mandate_accepted": MANDATE,
    "mandate_ended": MANDATE | {"by": "customer"},
    "erasure_declined": {"code": "000777", "reason": "Il contratto è in corso."},
    "erasure_done": {"code": "000777"},
    "email_corrected": {"new": "m•••@example.it"},
    "second_factor_removed": {"by_utility": True},
    "reading_acquired": {
        "readings": [{"supply": "PR002874", "day": "20/11/2026", "counter": "45.000"}]
    },
    "window_opens": WINDOW,
    "window_closes": WINDOW,
    "invoice_published": {"invoices": [INVOICE], "more": 0},
    "invoice_due": {"due": "28/11/2026", "invoices": [INVOICE], "more": 0},
    "document_published": {"document": "Nuove tariffe", "personal": False, "menu": "Comunicati"},
    "undelivered": {"count": 3, "reasons": [{"error": "550 no", "mails": 3}], "more": False},
}


def params_of(kind, account):
    """What the queue keeps for a mail of `kind`, as JSON."""
    if kind in PARAMS:
        return json.dumps(PARAMS[kind])
    if kind == "email_change_notice":
        return json.dumps({"new": "m•••@example.it"})
    if kind in {"reading_validated", "reading_rejected"}:
        return json.dumps({"supply": "PR002874", "day": "20/11/2026", "reason": "Illeggibile."})
    if kind not in {"ticket_opened", "complaint_receipt", "ticket_answered"}:
        return "{}"
    ticket = make_ticket(account.grants.get().customer, category="complaint", due_on=NOW.date())
    return json.dumps({"code": ticket.code, "category": "Reclamo", "due": "23/12/2026"})


def on_the_wire(kind, **customer):
    """The bytes of the message of `kind`."""
    customer = {"name": "PROVA S.P.A.", **customer}
    account = make_account(make_customer("000002", **customer), email="rosa@example.it")
    row = OutgoingMail(
        id=7,
        kind=kind,
        recipient="rosa@example.it",
        account=account,
        params=params_of(kind, account),
        created_at=NOW,
    )
    secret = SECRET if kind in messages.LIFETIMES else None
    return messages.compose(row, secret, now=NOW).as_bytes()


def composed(kind, **customer):
    return email.message_from_bytes(on_the_wire(kind, **customer), policy=email.policy.default)


def text_of(message):
    return message.get_body(("plain",)).get_content().replace("\r\n", "\n")


def page_of(message):
    return Words(message.get_body(("html",)).get_content())


@pytest.mark.parametrize("kind", KINDS)
def test_each_mail_says_who_writes_in_text_and_in_html(app, kind):
    app.config["UTILITY_CONTACTS"] = "Tel. 0574 000000"
    message = composed(kind)
    assert message["Subject"].startswith("Prova Energia: ")
    for words in (text_of(message), page_of(message).text):
        assert "Buongiorno," in words
        assert "portale clienti" in words
        assert "Tel. 0574 000000" in words
        assert "Messaggio automatico" in words
        assert not re.search(r"\bNone\b|Undefined|\{\{|%\(|\.\.\s", words)


@pytest.mark.parametrize("kind", KINDS)
def test_text_and_html_say_the_same(app, kind):
    message = composed(kind)
    page = " ".join(page_of(message).text.split())
    body, _footer = text_of(message).split("\n-- \n")
    paragraphs = [each.strip() for each in body.split("\n\n") if each.strip().endswith(".")]
    assert paragraphs
    assert [each for each in paragraphs if each not in page] == []


@pytest.mark.parametrize("kind", KINDS)
def test_links_lead_to_the_portal_and_nothing_is_loaded_from_elsewhere(app, kind):
    app.config["BASE_URL"] = "https://portale.example.it"
    message = composed(kind)
    page = page_of(message)
    found = page.links + re.findall(r"https?://\S+", text_of(message))
    own = re.compile(
        rf"https://portale\.example\.it/([a-z-]+(/{SECRET})?|staff/posta|avvisi/[\w.-]+)"
    )
    assert all(map(own.fullmatch, found))
    assert not {"img", "script", "link", "form"} & set(page.tags)


@pytest.mark.parametrize("kind", ["first_access", "recovery"])
def test_a_password_comes_with_the_user_name_the_place_and_the_time(app, kind):
    message = composed(kind)
    for words in (text_of(message), page_of(message).text):
        assert re.search(r"User:?\s+000002\b", words)
        assert re.search(r"Password:?\s+abcdefghjkmnpqrstuvwxyz2\b", words)
        assert "http://localhost/login" in words
        assert "una volta sola" in words
        assert "Chi non ha chiesto" in words
    until = {"first_access": "26/11/2026 alle 09:30", "recovery": "23/11/2026 alle 15:30"}[kind]
    assert f"fino al {until}" in text_of(message)


def test_the_notice_of_a_registration_names_the_customer_but_masks_the_address(app):
    words = text_of(composed("registration_notice"))
    assert "PROVA S.P.A., codice cliente 000002" in words
    assert "23/11/2026 alle 09:30" in words
    assert "r•••@example.it" in words
    assert "rosa@" not in words


@pytest.mark.parametrize("kind", ["registration_attempt", "password_changed"])
def test_who_was_not_the_one_is_told_what_to_do(app, kind):
    words = text_of(composed(kind))
    assert "23/11/2026 alle 09:30" in words
    assert "Altrimenti" in words
    assert "http://localhost/password-dimenticata" in words


def test_row_13_markup_in_a_name_is_only_text(app):
    name = "<b>ROSSI</b> & C. <img src=x>"
    message = composed("first_access", name=name)
    assert name in text_of(message)
    assert name in page_of(message).text
    assert "img" not in page_of(message).tags


@pytest.mark.parametrize(
    "name",
    ['Rossi, Bianchi & C. "Luce"', "Società dell'Energià d'Óltre", "A\r\nBcc: tutti@example.it",
     "Energia <info@altri.it>", "Gas;Luce:Acqua", "Azienda Municipalizzata " * 8,
     'Società "Più Luce", ' * 8],
)  # fmt: skip
def test_any_name_of_the_utility_makes_one_clean_sender(app, name):
    app.config.update(UTILITY_NAME=name, MAIL_SENDER="portale@example.it")
    message = email.message_from_bytes(on_the_wire("recovery"))
    shown, address = parseaddr(message["From"].replace("\r\n", ""))
    one_line = " ".join(name.split())
    assert (decoded(shown), address) == (one_line, "portale@example.it")
    assert decoded(message["Subject"]) == f"{one_line}: nuova password per il portale"
    assert message["Bcc"] is None


def decoded(header):
    return str(make_header(decode_header(header.replace("\r\n", ""))))


def test_headers_tell_machines_not_to_answer(app):
    app.config["BASE_URL"] = "https://portale.example.it:8443/"
    message = composed("recovery")
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == "<20261123T083000-7@portale.example.it>"
    assert parsedate_to_datetime(message["Date"]).tzinfo is not None
    assert message["To"] == "rosa@example.it"


@pytest.mark.parametrize("kind", KINDS)
def test_no_line_is_longer_than_mail_allows(app, kind):
    app.config["UTILITY_NAME"] = "Società " * 25
    assert max(map(len, on_the_wire(kind, name="N" * 200).split(b"\r\n"))) <= 998


def test_an_address_where_the_portal_is_tried_out_gets_its_mail():
    assert messages.plain_address("maria@example.test") == "maria@example.test"


# -- Ending notices ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", outbox.GROUPS)
def test_a_notice_can_be_ended_from_the_mail_itself(app, kind):
    app.config["BASE_URL"] = "https://portale.example.it"
    message = composed(kind)
    address = message["List-Unsubscribe"].strip(" <>")
    assert address.startswith("https://portale.example.it/avvisi/")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert address in text_of(message)
    assert address in page_of(message).links


@pytest.mark.parametrize("kind", [*outbox.ALWAYS, outbox.TO_OPERATORS, "test"])
def test_what_concerns_security_cannot(app, kind):
    message = composed(kind)
    assert message["List-Unsubscribe"] is message["List-Unsubscribe-Post"] is None
    assert "/avvisi/" not in text_of(message)


def test_several_readings_invoices_and_those_not_told(app, monkeypatch):
    params = {"invoices": [INVOICE, INVOICE | {"number": "2026/1043", "due": ""}], "more": 3}
    monkeypatch.setitem(PARAMS, "invoice_published", params)
    message = composed("invoice_published")
    assert message["Subject"] == "Prova Energia: 5 nuove fatture"
    words = text_of(message)
    assert "- numero 2026/1042, scadenza 28/11/2026, importo 1.234,56 €\n" in words
    assert "- numero 2026/1043, importo 1.234,56 €\n" in words
    assert "e altre 3." in words


def test_a_credit_note_is_no_invoice(app, monkeypatch):
    credit = {"number": "2026/9", "due": "", "amount": "-50,00 €", "credit": True}
    monkeypatch.setitem(PARAMS, "invoice_published", {"invoices": [credit], "more": 0})
    message = composed("invoice_published")
    words = text_of(message)
    assert message["Subject"] == "Prova Energia: nuova nota di credito 2026/9"
    assert "è disponibile una nuova nota di credito." in words
    assert "- nota di credito numero 2026/9, importo -50,00 €\n" in words
    assert "nuova fattura" not in words
    assert "per pagare" not in words
    shown = page_of(message).text
    assert "C'è una nuova nota di credito" in shown
    assert "per pagare" not in shown


def test_row_22_a_line_break_in_a_title_adds_no_header(app, monkeypatch):
    title = "Tariffe\r\nBcc: tutti@example.it\n\nTesto"
    monkeypatch.setitem(
        PARAMS, "document_published", PARAMS["document_published"] | {"document": title}
    )
    message = composed("document_published")
    assert message["Bcc"] is None
    assert "\n" not in message["Subject"]
    assert message["To"] == "rosa@example.it"


def test_row_22_nor_does_one_in_what_a_server_answered(app, monkeypatch):
    reasons = [{"error": "550 no\r\nBcc: tutti@example.it", "mails": 1}]
    monkeypatch.setitem(PARAMS, "undelivered", {"count": 1, "reasons": reasons, "more": False})
    assert composed("undelivered")["Bcc"] is None


# -- In the language of who gets it --------------------------------------------------------

GREETINGS = {"it": "Buongiorno,", "de": "Guten Tag,", "en": "Hello,"}
RAW = {
    "invoice_due": {
        "due": "2026-11-28", "more": 0,
        "invoices": [{"number": "7", "due": "2026-11-28", "amount": 123_456, "credit": False}],
    },
    "reading_acquired": {"readings": [{"supply": "PR1", "day": "2026-11-20", "counter": 45_000}]},
    "ticket_opened": {"code": "T2026-000001", "category": "complaint"},
    "document_published": {"document": "Tariffe", "personal": False, "menu": "notices"},
}  # fmt: skip


def spoken(kind, account, **values):
    row = outbox.queue(kind, "rosa@example.it", account=account, now=NOW, **values)
    message = messages.compose(row, SECRET if kind in messages.LIFETIMES else None, now=NOW)
    return message.subject, message.body, message.html


@pytest.mark.parametrize("language", GREETINGS)
def test_mail_speaks_the_language_that_was_chosen(app, language):
    account = make_account(language=language, last_language="it")
    _subject, text, page = spoken("password_changed", account)
    assert GREETINGS[language] in text
    assert f'<html lang="{language}">' in page
    assert GREETINGS[language] in page


def test_without_a_choice_it_is_that_of_the_last_access(app):
    assert "Guten Tag," in spoken("password_changed", make_account(last_language="de"))[1]
    assert "Buongiorno," in spoken("password_changed", make_account())[1]


def test_without_an_account_the_queue_knows_it(app):
    text = spoken("erasure_done", None, params={"code": "000777"}, language="de")[1]
    assert "Guten Tag," in text


@pytest.mark.parametrize(
    ("language", "facts"),
    [
        ("it", ["28/11/2026", "1.234,56\xa0€", "20/11/2026: 45.000", "«Reclamo»", "«Comunicati»"]),
        ("de", ["28.11.2026", "1.234,56\xa0€", "20.11.2026: 45.000", "Beschwerde", "Mitteilungen"]),
        ("en", ["28/11/2026", "€1,234.56", "45,000", "Complaint", "Notices"]),
    ],
)
def test_days_amounts_and_words_are_those_of_the_reader(app, language, facts):
    account = make_account(language=language)
    texts = "".join(spoken(kind, account, params=params)[1] for kind, params in RAW.items())
    assert [fact for fact in facts if fact not in texts] == []


@pytest.mark.parametrize(
    ("language", "told"),
    [("it", "fino al 30/06/2027 compreso."), ("de", "bis einschließlich 30.06.2027.")],
)
@pytest.mark.parametrize("scope", ["invoices", "everything"])
def test_what_a_mandate_permits_and_until_when_is_told_as_words(app, language, told, scope):
    account = make_account(language=language)
    params = MANDATE | {"user": "D00001", "scope": scope}
    _subject, text, page = spoken("mandate_received", account, params=params)
    sentence = next(line for line in text.splitlines() if line.endswith(told))
    assert f"<p>{sentence}</p>" in page


def test_what_an_earlier_release_queued_is_told_as_it_was_written(app):
    old = {"readings": [{"supply": "PR1", "day": "20/11/2026", "counter": "45.000"}]}
    assert "20/11/2026: 45.000" in spoken("reading_acquired", make_account(), params=old)[1]


# -- The utility's own ---------------------------------------------------------------------


@pytest.fixture
def own(app, tmp_path):
    """`own(files)`: the utility puts these in its folder."""

    def _own(files):
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        app.config["BRANDING"] = branding.read(app.config | {"OVERRIDES_DIR": tmp_path})

    return _own


def test_the_logo_goes_with_the_mail_and_nothing_is_asked_of_the_portal(own):
    own({"logo.png": png(), "logo.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>"})
    message = composed("complaint_receipt")
    page = page_of(message)
    assert "cid:logo@portale" in page.links
    assert 'alt="Prova Energia"' in message.get_body(("html",)).get_content()
    related = next(part for part in message.walk() if part.get_content_subtype() == "related")
    html_part, picture = related.iter_parts()
    assert html_part.get_content_subtype() == "html"
    assert picture["Content-ID"] == "<logo@portale>"
    assert picture.get_content() == png()
    assert [part.get_filename() for part in message.iter_attachments()][-1].endswith(".pdf")


def test_without_a_png_mails_carry_the_name(own):
    own({"logo.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>"})
    message = composed("recovery")
    assert "img" not in page_of(message).tags
    assert "Prova Energia" in page_of(message).text
    assert {part.get_content_type() for part in message.walk()} >= {"text/plain", "text/html"}
    assert "image/png" not in {part.get_content_type() for part in message.walk()}


def test_what_the_law_wants_stands_under_each_mail(own):
    own({"pie-di-pagina.txt": b"<b>{utility}</b> S.r.l.<br>REA PO-1<script>a()</script>"})
    message = composed("password_changed")
    assert "\n-- \nProva Energia\nProva Energia S.r.l.\nREA PO-1" in text_of(message)
    assert "REA PO-1" in page_of(message).text
    assert "script" not in page_of(message).tags


@pytest.mark.parametrize("color", ["#ffd500", "#0b0b0c", "#0f5132"])
def test_a_button_is_legible_whatever_the_colour(app, color):
    app.config["BRANDING"] = branding.read(app.config | {"COLOR": color})
    page = composed("recovery").get_body(("html",)).get_content()
    grounds = re.findall(r"\.(?:button|utility) \{[^}]*background: (#\w+); color: (#\w+)", page)
    assert len(grounds) == 3  # the header; the button in light and in dark
    assert all(theme.contrast(*pair) >= 4.5 for pair in grounds)
    assert theme.contrast(grounds[2][0], "#1d242c") >= 3
