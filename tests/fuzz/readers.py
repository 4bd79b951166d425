"""What each reader of domain/formats/ promises about any bytes at all.

A check takes the bytes and raises, whatever it raises, where a promise is broken: only the
refusals of the format itself are answers, every refusal is a sentence, and what is read has
the shape that the archive keeps.
"""

import base64
import datetime as dt
import io
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

from domain import measures
from domain.clock import quarter_hours
from domain.formats import batch_csv, fatturapa, flusso_misure, packed, svg, table, uploads, zips
from domain.formats.flusso_misure.points import ENERGIES, HIGHEST_QUARTER, HIGHEST_REGISTER
from domain.imports.inbox import KINDS
from domain.imports.upsert import Cells
from tests import fatturapa as einvoice
from tests import flows
from tests.domain.formats import test_svg
from tests.domain.formats.test_uploads import PDF, jpeg, png

EXAMPLES = Path(__file__).parents[2] / "docs" / "esempi"
HIGHEST = 2**63 - 1  # that a column keeps
PIECE = 1 << 16


def examples(*patterns):
    return [path.read_bytes() for each in patterns for path in sorted(EXAMPLES.glob(each))]


def sentence(problem):
    """A whole sentence for a clerk, rather than what Python says."""
    text = str(problem)
    assert text[:1].isupper(), text
    assert text.endswith((".", ")")), text
    assert "Error" not in text, text


def storable(value):
    """What a column of either database can keep."""
    if isinstance(value, str):
        value.encode()
        assert "\x00" not in value, value
    elif isinstance(value, int):
        assert -HIGHEST <= value <= HIGHEST, value
    elif isinstance(value, dt.date):
        assert table.FIRST_YEAR <= value.year <= table.LAST_YEAR, value
    elif isinstance(value, Decimal):
        assert value.is_finite(), value
    elif isinstance(value, (list, tuple)):
        for each in value:
            storable(each)
    else:
        assert value is None or isinstance(value, dt.time), value


# -- table: every kind of CSV --------------------------------------------------------------


def names(cell):
    return cell.names if isinstance(cell, Cells) else [cell.name]


KNOWN = {kind: [name for cell in KINDS[kind].cells for name in names(cell)] for kind in KINDS}


def kind_by_header(content):
    """The kind whose columns the first line names most of."""
    header = content[:5000].decode("cp1252", "replace").splitlines()[:1]
    found = {name.strip(' "').lower() for line in header for name in line.split(";")}
    return max(KNOWN, key=lambda kind: len(found & set(KNOWN[kind])) / len(KNOWN[kind]))


def check_table(content):
    kind = kind_by_header(content)
    try:
        found = table.Table(io.BytesIO(content), [cell.column() for cell in KINDS[kind].cells])
    except table.Unreadable as refusal:
        sentence(refusal)
        return
    assert set(found.names) <= set(KNOWN[kind])
    fields = {cell.name: cell.field for cell in KINDS[kind].cells}
    last = 1
    for row in found:
        assert row.number > last
        last = row.number
        check_row(row, fields)


def check_row(row, fields):
    for column, text, message in row.problems + row.doubts:
        assert column is None or column.rstrip("0123456789") in {
            name.rstrip("0123456789") for name in fields
        }
        assert isinstance(text, str)
        sentence(message)
    assert row.problems or set(row.values) <= set(fields)
    for name, value in row.values.items():
        storable(value)
        longest = getattr(fields[name], "max_length", None)
        assert longest is None or not isinstance(value, str) or len(value) <= longest, name


# -- e-invoices and flows ------------------------------------------------------------------


def check_fatturapa(content):
    items = list(fatturapa.read(io.BytesIO(content), "fattura.xml"))
    assert items
    for item in items:
        if isinstance(item, fatturapa.Unreadable):
            sentence(item)
        elif isinstance(item, fatturapa.Invoice):
            check_invoice(item)
        else:
            assert isinstance(item, fatturapa.Skipped), item


def check_invoice(invoice):
    assert 0 < len(invoice.number) <= 40
    assert type(invoice.date) is dt.date
    assert type(invoice.total_cents) is int
    assert not (invoice.is_credit_note and invoice.total_cents > 0)
    for due, cents in invoice.instalments:
        assert type(due) is dt.date
        assert type(cents) is int
    storable([cents for _due, cents in invoice.instalments])
    storable([value for value in vars(invoice).values() if isinstance(value, (str, int))])
    storable([invoice.notes, invoice.causale, invoice.contracts])
    for each in invoice.attachments:
        storable(each.name)
        assert isinstance(each.content, bytes)


def check_flow(content):
    flusso_misure.is_flow(io.BytesIO(content))
    items = []
    try:
        items.extend(flusso_misure.read(io.BytesIO(content)))
    except flusso_misure.Unreadable as refusal:
        sentence(refusal)
    for place, item in enumerate(items):
        assert isinstance(item, flusso_misure.Point if place else flusso_misure.Flow)
        if place:
            check_point(item)


def check_point(point):
    assert len(point.pod) <= 20 or point.problems
    for problem in point.problems:
        sentence(problem.message)
        storable([problem.where, problem.value])
    for day in point.days:
        assert day.quantity in ENERGIES.values()
        assert len(day.values) == quarter_hours(day.day) in measures.COUNTS
        assert all(type(each) is int and 0 <= each <= HIGHEST_QUARTER for each in day.values)
        packed.pack(day.values)
    for register in point.registers:
        assert type(register.value) is int
        assert 0 <= register.value <= HIGHEST_REGISTER


# -- the others ----------------------------------------------------------------------------


def check_uploads(content):
    try:
        kind = uploads.kind(io.BytesIO(content), len(content))
    except (uploads.Unknown, uploads.TooLarge):
        return
    assert kind in {"pdf", "jpg", "png"}


def check_zips(content):
    try:
        archive, infos = zips.opened(io.BytesIO(content))
    except zips.BadArchive as refusal:
        sentence(refusal)
        return
    for info in infos:
        name = zips.name_of(info)
        assert "/" not in name
        assert "\\" not in name
        zips.is_left_by_a_system(info)
        check_member(archive, info)


def check_member(archive, info):
    size = 0
    try:
        with zips.member(archive, info) as stream:
            while piece := stream.read(PIECE):
                assert len(piece) <= PIECE
                size += len(piece)
    except zips.BadArchive as refusal:
        sentence(refusal)
    assert size <= info.file_size


def check_batch(content):
    for line in batch_csv.read(content):
        assert all(isinstance(name, str) for name in line)
        assert all(value is None or isinstance(value, str) for value in line.values())


def check_svg(content):
    try:
        svg.check(content)
    except svg.NotADrawing:
        return
    for element in ElementTree.fromstring(content.decode("utf-8-sig")).iter():
        names = [str(name).rpartition("}")[2].lower() for name in (element.tag, *element.attrib)]
        assert "script" not in names
        assert not any(name.startswith("on") for name in names[1:])


def check_packed(content):
    for width in (1, 2, 4):
        numbers = [int.from_bytes(content[at : at + width]) for at in range(0, len(content), width)]
        assert packed.unpack(packed.pack(numbers)) == numbers


# -- valid files, from which the hostile ones are made -------------------------------------


def einvoices():
    terms = einvoice.payment(None, GiorniTerminiPagamento=30)
    made = einvoice.xml(
        einvoice.body("1", attachments=[einvoice.attachment()], causale=["POD IT001E12345678"]),
        einvoice.body("2", "2026-02-28", "TD04", total=None, contract="C1"),
        einvoice.body("3", total="1.00", payments=[terms]),
    )
    packed_up = einvoice.xml(
        einvoice.body(attachments=[einvoice.attachment(einvoice.zipped({"a.pdf": PDF}))])
    )
    small = einvoice.xml()
    return [
        *examples("fattura_elettronica_*.xml"),
        made,
        packed_up,
        einvoice.signed(made),
        einvoice.signed(einvoice.signed(small)),
        einvoice.signed_in_pieces(small),
        einvoice.signed_in_pieces(small, wrap=einvoice.tlv),
        einvoice.pem(einvoice.signed(small)),
        base64.encodebytes(einvoice.signed(small)),
        einvoice.zipped({"a.xml": small, "b.xml.p7m": einvoice.signed(small), "c.txt": b"x"}),
    ]


def measure_flows():
    october, march = dt.date(2026, 10, 25), dt.date(2026, 3, 29)
    day = dt.date(2026, 5, 3)
    constants = "<Ka>2</Ka><Kr>1,5</Kr><Kp>1</Kp>"
    return [
        *examples("flusso_misure_*.xml"),
        flows.flow(
            flows.point(*flows.october(october, list(range(100))), month="10/2026"),
            flows.point(flows.row(march, [7] * 92), month="03/2026", kind="S"),
        ).encode(),
        flows.flow(
            flows.point(
                flows.row(day, [10] * 96), flows.row(day, [3] * 96, energy="Er"),
                "<EaF1>1234,567</EaF1><PotF1>3,1</PotF1>", constants=constants,
            ),
            flows.point(flows.row(day, [1] * 96), block="Curva", day="03/05/2026"),
            code="RNO", root="FlussoMisureR",
        ).encode(),
        flows.flow(
            flows.point("<EaF1>1</EaF1>", block="Consumo"), code="VNO2G", encoding="UTF-16"
        ).encode("utf-16"),
    ]  # fmt: skip


def archives():
    flow = measure_flows()[1]
    return [
        einvoice.zipped({"a.xml": flow, "x/b.xml": einvoice.xml(), "__MACOSX/._a.xml": b"x"}),
        einvoice.zipped({"a.xml": bytes(5000), "b.pdf": PDF}, compression=0),
        einvoice.zipped({}),
    ]


def drawings():
    """And what is none: hostile ones are not far from it."""
    inside = (*test_svg.DRAWINGS, *test_svg.OTHERS)
    return [f"{test_svg.START}{each}</svg>".encode() for each in inside]


READERS = {  # by the name of the format: (check, valid files)
    "table": (check_table, examples("*_esempio.csv")),
    "fatturapa": (check_fatturapa, einvoices()),
    "flusso_misure": (check_flow, measure_flows()),
    "uploads": (check_uploads, [PDF, png(), jpeg(), jpeg(before=b"\xff\xff\xfe\x00\x04hi")]),
    "zips": (check_zips, archives()),
    "batch_csv": (check_batch, examples("autoletture_*.csv", "anagrafiche_*.csv")),
    "packed": (check_packed, [bytes(range(96)), bytes(96)]),
    "svg": (check_svg, drawings()),
}
