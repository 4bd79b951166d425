"""Measure flows: what they bring to the archive, in whichever order they come."""

import datetime as dt
import io
import itertools
import stat
import zipfile
from pathlib import Path

import pytest

from domain import measures
from domain.clock import utcnow
from domain.formats.flusso_misure.points import CONSTANTS, ENERGIES
from domain.formats.flusso_misure.rows import KNOWN_CODES
from domain.formats.flusso_misure.stream import BLOCKS, ROOTS
from domain.imports.ranked import Ranked
from models import ImportedFile, MeasuredDay, RegisterReading
from tests import fatturapa
from tests.domain.imports.test_kinds import said
from tests.factories import make_customer, make_electricity, make_measured_day
from tests.fatturapa import zipped
from tests.flows import POD, flow, october, point, row

DOCS = Path(__file__).parents[3] / "docs"
DAY = dt.date(2026, 5, 11)
ONE = dt.timedelta(days=1)
OCTOBER = dt.date(2026, 10, 25)
OTHER = "IT001E00000077"


@pytest.fixture
def supply(app):
    return make_electricity(pod=POD)


@pytest.fixture
def drop(desk):
    """`drop(name, content)`: put a file in the inbox, run, and give its outcome."""

    def _drop(name, content, **options):
        content = content if isinstance(content, bytes) else content.encode()
        (desk.inbox / name).write_bytes(content)
        (outcome,) = desk.run(**options)
        return outcome

    return _drop


def taken(outcome):
    assert outcome.state == "applied", outcome.report.errors
    return outcome.report


def rejected(outcome):
    assert outcome.state == "rejected", outcome.report.notes
    assert not MeasuredDay.select().exists()
    return outcome.report.errors


def one_day(value, *, day=DAY, code="PDO", kind="E", pod=POD):
    """A flow of a single day, the same in every quarter-hour."""
    return flow(point(row(day, [value] * 96), kind=kind, pod=pod), code=code)


def kept(supply, quantity="active"):
    return measures.days(supply, dt.date.min, dt.date.max, quantity)


def counts(report):
    return report.rows, report.added, report.changed, report.unchanged


# -- What a flow brings ------------------------------------------------------------------------


def test_a_flow_brings_the_curves_of_its_pods(drop, supply):
    other = make_electricity(pod=OTHER)
    month = [row(DAY + n * ONE, list(range(n, n + 96))) for n in range(3)]
    text = flow(
        point(*month, row(DAY, [3] * 96, energy="Er")), point(row(DAY, [7] * 96), pod=OTHER)
    )
    report = taken(drop("curve.xml", text))
    assert (report.kind, counts(report), report.warning_count) == (
        "flusso di misure", (5, 5, 0, 0), 0,
    )  # fmt: skip
    assert kept(supply) == [(DAY + n * ONE, False, list(range(n, n + 96))) for n in range(3)]
    assert kept(supply, "reactive") == [(DAY, False, [3] * 96)]
    assert kept(other) == [(DAY, False, [7] * 96)]


def test_the_day_of_october_has_its_hundred_values(drop, supply):
    values = list(range(100, 200))
    text = flow(point(*reversed(october(OCTOBER, values)), month="10/2026"))
    taken(drop("ottobre.xml", text))
    assert kept(supply) == [(OCTOBER, False, values)]


def test_the_same_bytes_again_change_nothing_and_another_file_with_the_same_is_unchanged(
    drop, supply
):
    taken(drop("a.xml", one_day(5)))
    again = drop("b.xml", one_day(5))
    assert again.state == "repeated"
    assert "Già importato" in again.report.notes[0]
    assert counts(taken(drop("c.xml", one_day(5) + "\n"))) == (1, 0, 0, 1)
    assert kept(supply) == [(DAY, False, [5] * 96)]


def test_a_dry_run_tells_and_writes_nothing(drop, supply):
    assert counts(taken(drop("a.xml", one_day(5), dry_run=True))) == (1, 1, 0, 0)
    assert not MeasuredDay.select().exists()


def test_registers_of_flows_without_curves_are_kept(drop, supply):
    text = flow(
        point("<EaF1>10,5</EaF1><PotF1>3,3</PotF1>", day="11/05/2026", constants="<Ka>2</Ka>"),
        code="PNO",
    )
    assert counts(taken(drop("registri.xml", text))) == (2, 2, 0, 0)
    rows = RegisterReading.select().order_by(RegisterReading.register)
    assert [(row.supply_id, row.day, row.kind, row.register, row.value) for row in rows] == [
        (supply.id, DAY, "reading", "EaF1", 21_000),
        (supply.id, DAY, "reading", "PotF1", 3300),
    ]


def test_a_register_is_replaced_as_a_curve_is(drop, supply):
    def registers(value, code, kind="E"):
        return flow(point(f"<EaF1>{value}</EaF1>", day="11/05/2026", kind=kind), code=code)

    taken(drop("1.xml", registers(30, "RNO")))
    taken(drop("2.xml", registers(20, "PNO")))
    taken(drop("3.xml", registers(10, "RNO", "S")))
    row = RegisterReading.get()
    assert (row.value, row.estimated, row.rectified) == (30_000, False, True)


def test_the_example_in_the_docs_is_taken(drop, supply):
    report = taken(
        drop("esempio.xml", (DOCS / "esempi" / "flusso_misure_esempio.xml").read_bytes())
    )
    assert (counts(report), report.warning_count, report.notes) == ((3, 3, 0, 0), 0, [])
    assert [len(day.values) for day in kept(supply)] == [96, 100]


def test_the_docs_tell_every_code_root_and_block():
    text = (DOCS / "formati.md").read_text()
    section = text.partition("\n## Flussi di misura\n")[2].partition("\n## ")[0]
    for name in (*KNOWN_CODES, *ROOTS, *BLOCKS, *ENERGIES, *CONSTANTS.values()):
        assert f"`{name}`" in section, name


# -- Which one is kept ---------------------------------------------------------------------------

VERSIONS = {
    "estimate": (1, "PDO", "S"),
    "rectified estimate": (2, "RFO2G", "S"),
    "actual": (3, "PDO", "E"),
    "rectified": (4, "RFO2G", "E"),
}


@pytest.mark.parametrize(
    "names",
    [order for n in (2, 4) for order in itertools.permutations(VERSIONS, n)],
    ids=" ".join,
)
def test_the_best_measure_is_kept_in_whichever_order_they_come(drop, supply, names):
    for n, name in enumerate(names):
        value, code, kind = VERSIONS[name]
        taken(drop(f"{n}.xml", one_day(value, code=code, kind=kind)))
    best, _code, kind = max(VERSIONS[name] for name in names)
    assert kept(supply) == [(DAY, kind == "S", [best] * 96)]


@pytest.mark.parametrize("order", list(itertools.permutations(VERSIONS, 3)), ids=" ".join)
def test_within_one_zip_too(drop, supply, order):
    entries = {
        f"{n}.xml": one_day(VERSIONS[name][0], code=VERSIONS[name][1], kind=VERSIONS[name][2])
        for n, name in enumerate(order)
    }
    report = taken(drop("tutti.zip", zipped({k: v.encode() for k, v in entries.items()})))
    assert (report.rows, report.added) == (3, 1)
    best, _code, kind = max(VERSIONS[name] for name in order)
    assert kept(supply) == [(DAY, kind == "S", [best] * 96)]


def test_of_two_alike_the_last_is_kept(drop, supply):
    for code in ("PDO", "RFO"):
        taken(drop(f"{code}1.xml", one_day(1, code=code)))
        report = taken(drop(f"{code}2.xml", one_day(2, code=code)))
        assert counts(report) == (1, 0, 1, 0)
        assert kept(supply)[0].values == [2] * 96


def test_what_is_not_taken_is_told(drop, supply):
    taken(drop("1.xml", one_day(1)))
    report = taken(drop("2.xml", one_day(2, kind="S")))
    assert counts(report) == (1, 0, 0, 1)
    assert "effettive o rettificate: 1." in report.notes[0]


def test_a_rectification_with_the_same_values_is_remembered(drop, supply):
    taken(drop("1.xml", one_day(1)))
    assert counts(taken(drop("2.xml", one_day(1, code="RFO2G")))) == (1, 0, 0, 1)
    taken(drop("3.xml", one_day(9)))
    assert kept(supply)[0].values == [1] * 96


def test_the_csv_of_measures_keeps_its_rules(desk, drop, supply):
    def csv(value, kind="E"):
        desk.put(
            "misure.csv", "pod;data;tipo;" + ";".join(f"q{n}" for n in range(1, 97)),
            f"{POD};{DAY};{kind};" + ";".join([str(value)] * 96),
        )  # fmt: skip
        (outcome,) = desk.run()
        return taken(outcome)

    taken(drop("1.xml", one_day(1, code="RFO2G")))
    assert csv(5, kind="S").unchanged == 1
    assert csv(1).unchanged == 1
    assert MeasuredDay.get().rectified
    assert csv(2).changed == 1
    assert kept(supply)[0].values == [2] * 96


# -- Whose it is ----------------------------------------------------------------------------


def test_unknown_pods_are_counted_and_named(drop, supply):
    others = [point(row(DAY, [1] * 96), pod=f"IT001E{n:08d}") for n in range(7)]
    report = taken(drop("a.xml", flow(*others, *others, point(row(DAY, [2] * 96)))))
    assert counts(report) == (15, 1, 0, 0)
    assert report.notes == [
        "POD che nessuna fornitura ha, ignorati: 7 (IT001E00000000, IT001E00000001, "
        "IT001E00000002, IT001E00000003, IT001E00000004, …)."
    ]
    assert [each.supply_id for each in MeasuredDay.select()] == [supply.id]


def test_the_same_file_brings_the_rest_once_its_pods_are_known(drop, supply):
    text = flow(point(row(DAY, [1] * 96)), point(row(DAY, [2] * 96), pod=OTHER))
    taken(drop("a.xml", text))
    assert drop("a.xml", text).state == "repeated"
    other = make_electricity(pod=OTHER)
    assert counts(taken(drop("a.xml", text))) == (2, 1, 0, 1)
    assert kept(other)[0].values == [2] * 96
    assert drop("a.xml", text).state == "repeated"


@pytest.mark.parametrize(
    ("known", "said"), [(POD + "X", POD), (POD, POD + "X"), (POD, f" {POD.lower()} ")]
)
def test_a_pod_is_known_without_its_check_character_too(drop, known, said):
    supply = make_electricity(pod=known)
    taken(drop("a.xml", one_day(5, pod=said)))
    assert kept(supply)[0].values == [5] * 96


def test_a_pod_of_two_supplies_is_of_the_one_active_on_that_day(drop):
    first = make_electricity(pod=POD, ended_on=DAY - ONE)
    second = make_electricity(pod=POD, active_from=DAY)
    taken(drop("a.xml", flow(point(row(DAY - ONE, [1] * 96), row(DAY, [2] * 96)))))
    stored = {each.supply_id: each.day for each in MeasuredDay.select()}
    assert stored == {first.id: DAY - ONE, second.id: DAY}


def test_days_on_which_no_supply_was_active_are_kept_hidden_and_told(drop):
    supply = make_electricity(pod=POD, active_from=DAY)
    text = flow(point(*(row(DAY + n * ONE, [1] * 96) for n in (-2, -1, 0))))
    report = taken(drop("a.xml", text))
    assert said(report.warnings) == [(4, POD)]
    assert "non era attiva: 2." in report.warnings[0][3]
    assert [each.day for each in kept(supply)] == [DAY]


def test_a_flow_for_another_user_and_an_unusual_code_are_warnings(drop, supply):
    text = one_day(5, code="XYZ").replace("01234567890", "11111111115")
    report = taken(drop("a.xml", text))
    assert said(report.warnings) == [(2, "CodFlusso"), (2, "PIvaUtente")]
    assert kept(supply)


# -- What is wrong --------------------------------------------------------------------------


def test_errors_are_told_with_line_pod_and_day_and_nothing_is_written(desk, drop, supply):
    good, bad = row(DAY, [1] * 96), row(DAY + ONE, ["x", *["0"] * 95])
    errors = rejected(drop("a.xml", flow(point(good), point(bad, pod=OTHER))))
    assert [error[:3] for error in errors] == [[17, f"{OTHER} 12/05/2026", "x"]]
    told = (desk.inbox / "scartati" / "a.xml.errori.csv").read_text("utf-8-sig")
    assert f"17;{OTHER} 12/05/2026;x;E1 deve essere un numero" in told


def test_the_same_day_twice_with_other_values_is_an_error(drop, supply):
    rows = row(DAY, [1] * 96), row(DAY, [2] * 96)
    for text in (flow(point(*rows)), flow(*map(point, rows))):
        errors = rejected(drop("a.xml", text))
        assert errors[0][1] == f"{POD} 11/05/2026"
        assert "È già alla riga 9 con altri valori" in errors[0][3]


def test_the_same_day_twice_with_the_same_values_is_taken_once(drop, supply):
    assert taken(drop("a.xml", flow(*[point(row(DAY, [1] * 96))] * 2))).added == 1


def test_a_day_to_come_is_an_error(drop, supply):
    errors = rejected(drop("a.xml", one_day(1), now=utcnow().replace(year=2026, month=5, day=10)))
    assert said(errors) == [(9, f"{POD} 11/05/2026")]


@pytest.mark.parametrize("size", [60, 200, 500, 1500])
def test_a_flow_that_is_cut_is_rejected_whole(drop, supply, size):
    make_measured_day(supply, DAY, [1] * 96)
    outcome = drop("a.xml", one_day(2)[:size])
    assert outcome.state == "rejected"
    assert kept(supply)[0].values == [1] * 96


@pytest.mark.slow
def test_a_flow_cut_anywhere_changes_nothing(drop, supply):
    content = one_day(2).encode()
    for size in range(0, len(content) - 1, 5):  # at every byte: tests of the format
        rejected(drop("a.xml", content[:size]))
        assert kept(supply) == []
    taken(drop("a.xml", content))
    assert kept(supply)[0].values == [2] * 96


@pytest.mark.parametrize(
    "content",
    [
        one_day(1).replace("\n", '\n<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>\n', 1),
        one_day(1).replace("DP0001", "D\0"),
        one_day(1).replace('Dst="0"', f'Dst="{"0" * 3_000_000}"'),
        one_day(1).replace("<Misura>", "<a>" * 10_000),
        one_day(1).replace(POD, "\u202e=cmd()"),
    ],
    ids=["dtd", "nul", "long", "deep", "pod"],
)
def test_hostile_flows_are_rejected(drop, supply, content):
    outcome = drop("a.xml", content)
    assert outcome.state == "rejected" or outcome.report.unknown
    assert not MeasuredDay.select().exists()


def test_what_stops_while_it_writes_leaves_nothing_and_the_next_run_ends_it(
    desk, drop, supply, monkeypatch
):
    text = flow(point(row(DAY, [1] * 96), "<EaF1>1</EaF1>"))
    with monkeypatch.context() as patch:
        patch.setattr(Ranked, "write", stopping(Ranked.write, at=2))
        with pytest.raises(KeyboardInterrupt):
            drop("a.xml", text)
    assert not MeasuredDay.select().exists()
    assert (desk.inbox / "a.xml").exists()
    assert taken(desk.run()[0]).added == 2
    assert kept(supply)[0].values == [1] * 96


def stopping(write, at):
    """`write`, which the person at the keyboard stops when it runs for the `at`th time."""
    runs = itertools.count(1)

    def stopped(self):
        write(self)
        if next(runs) == at:
            raise KeyboardInterrupt

    return stopped


# -- In a ZIP -------------------------------------------------------------------------------


def test_flows_in_a_zip_are_one_transaction(drop, supply):
    good = one_day(1).encode()
    report = taken(drop("a.zip", zipped({"x/1.XML": good, "leggimi.txt": b"?"})))
    assert report.added == 1
    assert (
        "File ignorati nello ZIP, perché non sono .xml: 1 (il primo è leggimi.txt)." in report.notes
    )
    bad = one_day(2, day=DAY + ONE).replace("0,002", "due").encode()
    outcome = drop("b.zip", zipped({"1.xml": one_day(3).encode(), "2.xml": bad}))
    assert outcome.state == "rejected"
    assert outcome.report.errors[0][3].startswith("2.xml: E1 deve essere un numero")
    assert kept(supply) == [(DAY, False, [1] * 96)]


def test_a_flow_is_known_by_its_content(drop, supply):
    taken(drop("fattura.xml", one_day(1)))
    assert ImportedFile.get().kind == "flusso di misure"
    invoice = drop("PDO.xml", fatturapa.xml())
    assert invoice.report.kind == "fattura elettronica"


@pytest.mark.parametrize("names", [("1.xml", "2.xml"), ("2.xml", "1.xml")])
def test_flows_and_invoices_in_one_zip_are_rejected(drop, supply, names):
    make_customer(vat_number="09876543210")
    content = zipped(dict(zip(names, (one_day(1).encode(), fatturapa.xml()), strict=True)))
    errors = rejected(drop("misto.zip", content))
    assert "non è un" in errors[0][3]


def link():
    info = zipfile.ZipInfo("b.xml")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    "entries",
    [
        {"a.xml": one_day(1).encode(), "b.xml": b"<a>" + b" " * 5_000_000},
        {"a.xml": one_day(1).encode(), link(): b"/etc/passwd"},
        {"a.xml": one_day(1).encode(), "b.zip": zipped({"c.xml": b"<a/>"})},
    ],
    ids=["bomb", "link", "nested"],
)
def test_suspicious_zips_are_rejected(drop, supply, entries):
    assert rejected(drop("a.zip", zipped(entries)))


def test_a_damaged_zip_is_rejected(drop, supply):
    content = zipped({"a.xml": one_day(1).encode()}, zipfile.ZIP_STORED)
    for damaged in (content[:-30], content.replace(b"0,001", b"0,002")):
        assert "danneggiato" in rejected(drop("a.zip", damaged))[0][3]


# -- At scale -------------------------------------------------------------------------------


def test_rows_cost_few_queries(drop, count_queries):
    customer = make_customer()
    pods = [make_electricity(customer).pod for _n in range(40)]
    month = [row(DAY.replace(day=n), [n] * 96) for n in range(1, 32)]
    text = flow(*(point(*month, pod=pod) for pod in pods))
    with count_queries() as queries:
        assert taken(drop("a.xml", text)).added == 40 * 31
    assert len(queries) < 25


def test_a_zip_is_read_as_a_stream(desk, supply, monkeypatch):
    """Never a whole file in memory: no read asks for more than a chunk."""
    asked = []
    read = zipfile.ZipExtFile.read

    def watched(self, size=-1):
        asked.append(size)
        return read(self, size)

    monkeypatch.setattr(zipfile.ZipExtFile, "read", watched)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", one_day(1))
    (desk.inbox / "a.zip").write_bytes(stream.getvalue())
    assert taken(desk.run()[0]).added == 1
    assert asked
    assert all(0 < size <= 1 << 16 for size in asked)
