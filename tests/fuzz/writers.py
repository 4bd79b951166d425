"""What the writers of domain/formats/ promise about any text that a person may have typed.

What they write is read again, by a reader that is not ours where there is one, and says the
same.
"""

import csv
import datetime as dt
import io
import logging
import zipfile
from types import SimpleNamespace
from xml.etree import ElementTree

from icalendar import Calendar

from domain.clock import utcnow
from domain.formats import (
    batch_csv,
    billing_contacts,
    billing_readings,
    epc,
    errors_csv,
    ics,
    import_report,
    receipt,
    sheets,
    tal0050,
)
from domain.imports.report import Report

logging.getLogger("fpdf").setLevel(logging.ERROR)  # it tells of each letter that no font has

DAY = dt.date(2026, 11, 23)
AT = dt.datetime(2026, 11, 23, 10, 30, tzinfo=dt.UTC)
MOST_QR = 331  # bytes of a payload, as EPC069-12 wants
ADDRESS = "https://example.it/forniture/PR000002"  # made by the portal, never typed
IBAN = "IT60X0542811101000000123456"


def texts(content, count=4):
    """`count` texts out of the bytes: one for each line, as a database gives them back."""
    lines = content.decode("utf-8", "replace").replace("\x00", "").split("\n")
    joined = "\n".join(lines[count - 1 :])  # so that one of them has lines of its own
    return [*lines[: count - 1], joined, *[""] * count][:count]


def rows_of(content, encoding="utf-8"):
    return list(csv.reader(io.StringIO(content.decode(encoding), newline=""), delimiter=";"))


def check_batch_csv(content):
    given = texts(content)
    written = batch_csv.write(("lotto", "a", "b", "c", "d"), 7, [given])
    assert rows_of(written)[1:] == [["000007", *given]]
    assert list(batch_csv.read(written)[0].values()) == ["000007", *given]


def check_billing_contacts(content):
    given = texts(content)
    row = SimpleNamespace(
        id=1, customer=given[0], field="phone", value=given[1], previous=given[2], made_at=AT
    )
    written = batch_csv.write(billing_contacts.COLUMNS, 1, [billing_contacts.cells(row)])
    assert [len(line) for line in rows_of(written)] == [len(billing_contacts.COLUMNS)] * 2


def reading(content):
    given = texts(content)
    return SimpleNamespace(
        id=1, customer=given[0], supply=given[1], pdr=given[2], meter_serial=given[3], day=DAY,
        counter=len(content), corrector=len(given[0]), corrector_serial=given[1], entered_at=AT,
        confirmed=True,
    )  # fmt: skip


def check_billing_readings(content):
    cells = billing_readings.cells(reading(content))
    written = batch_csv.write(billing_readings.COLUMNS, 1, [cells])
    assert [len(line) for line in rows_of(written)] == [len(billing_readings.COLUMNS)] * 2


def check_tal0050(content):
    given = texts(content)
    tal0050.is_vat_number(given[0])
    written = tal0050.write(given[0], given[1], [reading(content)] * 2)
    assert len(ElementTree.fromstring(written).findall("DatiPdR")) == 2


def check_epc(content):
    name, iban, remittance, _more = texts(content)
    for number in (iban, IBAN):
        try:
            payload = epc.payload(name, number, len(content) * 1000, remittance)
        except ValueError:
            continue
        assert len(payload.split("\n")) == 11
        assert len(payload.encode()) <= MOST_QR
        assert epc.drawing(payload).path.startswith("M")


def check_errors_csv(content):
    given = texts(content)
    written = rows_of(errors_csv.write([(3, *given[:3]), (None, *given[1:])]), "utf-8-sig")
    assert [len(row) for row in written] == [len(errors_csv.COLUMNS)] * 3
    assert not any(cell.startswith(sheets.FORMULA) for row in written for cell in row)


def check_ics(content):
    title, text, name, _more = texts(content)
    entry = ics.Entry("1", DAY, None, title, text, ADDRESS)
    timed = ics.Entry("2", AT, AT + dt.timedelta(hours=1), text, title, ADDRESS)
    written = ics.calendar(name, [entry, timed], stamp=AT, host="example.it")
    assert all(len(line) <= 75 for line in written.split(b"\r\n"))
    assert len(Calendar.from_ical(written).walk("VEVENT")) == 2


def check_import_report(content):
    given = texts(content)
    report = Report(given[0])
    report.error(3, *given[:3])
    report.warn(None, *given[1:])
    report.tell(given[3])
    written = import_report.write(given[0], "rejected", DAY, 10, report.as_dict())
    assert len(written.decode("utf-8-sig").split("\r\n")) == 17


def check_sheets(content):
    given = texts(content)
    columns = [sheets.Column(title or "x") for title in given]
    written = b"".join(sheets.excel_csv(columns, [given, [len(content), DAY, utcnow(), None]]))
    found = rows_of(written, "utf-8-sig")
    assert [len(row) for row in found] == [4] * 3
    assert not any(cell.startswith(sheets.FORMULA) for cell in found[1])
    target = io.BytesIO()
    sheets.xlsx(target, given[0], columns, [given])
    with zipfile.ZipFile(target) as book:
        for name in book.namelist():
            if name.endswith(".xml"):
                ElementTree.fromstring(book.read(name))


def check_receipt(content):
    given = texts(content)
    facts, notes = ((given[0], given[1]),), (given[2], given[3])
    written = receipt.write(receipt.Receipt(*given, facts, notes, AT))
    assert written.startswith(b"%PDF-")


TYPED = [
    b"Rosa Bianchi\nVia Prova, 5\nIT60X0542811101000000123456\nRSSMRA80A01H501U",
    "Società «Luce» & figli\n=1+1\n02/11/2026\nPerché?\r\n\r\nSaluti".encode(),
    "Ελένη Παπά\n李明\nמשה\n🐝".encode(),
]
WRITERS = {  # by the name of the format: (check, texts)
    name.removeprefix("check_"): (check, TYPED)
    for name, check in list(globals().items())
    if name.startswith("check_")
}
WRITERS["receipt"] = check_receipt, [b"\n".join(TYPED)]  # each takes long
