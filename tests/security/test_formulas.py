"""Row 21: no table for people, from any page, holds a text that a spreadsheet would run."""

import csv
import io
import json
import re
import zipfile

import pytest

from domain.formats.sheets import FORMULA, XLSX
from domain.imports.report import Report
from models import (
    BilledConsumption,
    ContactChange,
    Customer,
    ImportedFile,
    MeterReading,
    SelfReading,
    SupplyPoint,
    Ticket,
    TicketMessage,
    UploadedFile,
)
from tests.factories import make_operator
from tests.security.desk import routes, values_of
from tests.security.owners import OBJECTS, Owner, address
from tests.security.routes import with_method

RUN = "=cmd|' /C calc'!A0"
ERRORS = [[1, "@colonna", "+1", "-1"], [None, RUN, "\t1", "\r1"]]
REPORT = json.dumps(Report("clienti.csv").as_dict() | {"errors": ERRORS})
TEXTS = {
    Customer: ("name", "street", "city", "phone", "email"),
    SupplyPoint: ("street", "city", "meter_serial", "distributor", "use_category"),
    SelfReading: ("meter_serial", "reason"),
    MeterReading: ("source", "meter_serial"),
    ContactChange: ("value", "previous"),
    Ticket: ("subject",),
    TicketMessage: ("text", "author"),
    BilledConsumption: ("invoice_number",),
}
# Tables for programs: what is in them is theirs, sign for sign.
FOR_PROGRAMS = {"measure_files.download"}
NUMBER = re.compile(r"-[0-9][0-9.,]*")


@pytest.fixture
def owner(app):
    return Owner(app)


def poison():
    """Make formulas of the texts that others write."""
    for table, names in TEXTS.items():
        table.update({getattr(table, name): RUN for name in names}).execute()
    for table in (ImportedFile, UploadedFile):
        table.update(report=REPORT).execute()


def cells(answer):
    """The cells of a table for people, or None where it is something else."""
    if answer.mimetype == "text/csv":
        text = answer.get_data().decode("utf-8-sig")
        return [cell for row in csv.reader(io.StringIO(text), delimiter=";") for cell in row]
    if answer.mimetype == XLSX:
        with zipfile.ZipFile(io.BytesIO(answer.data)) as book:
            sheets = [book.read(name).decode() for name in book.namelist() if "/sheet" in name]
        assert not any("<f>" in sheet for sheet in sheets), "a formula in a workbook"
        return []
    return None


def check(rule, answer):
    """Whether it is a table for people, in which then nothing runs."""
    found = cells(answer)
    for cell in found or ():
        assert NUMBER.fullmatch(cell) or not cell.startswith(FORMULA), (rule, cell)
    return found is not None


def test_row_21_at_the_desk(app, owner, sign_in_operator):
    administrator, exports = make_operator("administrator", username=RUN[:60]), set()
    for rule, _get in routes(app, "GET"):
        path = address(app, rule, values_of(rule, owner))
        poison()
        if check(rule, sign_in_operator(administrator).get(path)):
            exports.add(rule.endpoint)
    named = {rule.endpoint for rule, _get in routes(app, "GET") if "csv" in rule.rule}
    assert exports >= named | {"staff_register.as_csv"}


def test_row_21_at_the_customers(app, owner, sign_in):
    browser, exports = sign_in(owner.account), set()
    for rule, _get in with_method(app, "GET"):
        if rule.endpoint in FOR_PROGRAMS or "supply_code" not in rule.arguments:
            continue
        values = {"supply_code": owner.electricity.code, "formato": "csv", "filename": "x"}
        values |= OBJECTS[rule.endpoint](owner) if rule.endpoint in OBJECTS else {}
        poison()
        if rule.arguments <= values.keys() and check(rule, browser.get(address(app, rule, values))):
            exports.add(rule.endpoint)
    assert exports >= {"consumption.as_csv", "consumption.as_xlsx"}
