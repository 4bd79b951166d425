"""Measure flows: from XML to days, registers and what is wrong with them."""

import datetime as dt
import io

import pytest

from domain.formats import flusso_misure
from domain.formats.flusso_misure import Flow, Unreadable
from tests import flows
from tests.flows import POD, flow, numbers, october, point, row

DAY = dt.date(2026, 5, 11)
MARCH, OCTOBER = dt.date(2026, 3, 29), dt.date(2026, 10, 25)
VALUES = [100 + n for n in range(96)]


def read(text):
    content = text if isinstance(text, bytes) else text.encode()
    return list(flusso_misure.read(io.BytesIO(content)))


def only(text):
    """The one Point of a flow, without problems."""
    _flow, found = read(text)
    assert found.problems == []
    return found


def problem(*rows, **options):
    """(line, where, value, message) of the only problem of a flow with these rows."""
    code = options.pop("code", "PDO")
    _flow, found = read(flow(point(*rows, **options), code=code))
    assert found.days == []
    (one,) = found.problems
    return one


def refusal(content):
    with pytest.raises(Unreadable) as caught:
        read(content)
    return str(caught.value)


# -- What a flow says ----------------------------------------------------------------------


def test_a_row_is_a_day_in_whole_watt_hours():
    found = only(flow(point(row(DAY, ["0,101", "12", "1,5", *["0"] * 93]))))
    (day,) = found.days
    assert (found.pod, day.day, day.quantity, day.estimated) == (POD, DAY, "active", False)
    assert day.values == [101, 12_000, 1500, *[0] * 93]


def test_a_flow_says_its_code_and_for_whom_it_is():
    head, _point = read(flow(point(row(DAY, VALUES)), code="RFO2G"))
    assert isinstance(head, Flow)
    assert (head.code, head.user_vat, head.is_known) == ("RFO2G", flows.UTILITY, True)
    assert head.rectifies


@pytest.mark.parametrize(
    ("code", "root", "known", "rectifies"),
    [("PDO", "FlussoMisure", True, False), ("PNO2G", "FlussoDati", True, False),
     ("RNO", "FlussoMisure", True, True), ("SNM", "FlussoMisureR", True, True),
     ("XYZ2G", "FlussoMisure", False, False)],
)  # fmt: skip
def test_codes_and_roots(code, root, known, rectifies):
    head, _point = read(flow(point(row(DAY, VALUES)), code=code, root=root))
    assert (head.is_known, head.rectifies) == (known, rectifies)


def test_namespaces_and_prefixes_are_ignored():
    text = flow(point(row(DAY, VALUES)), attributes=' xmlns:m="http://example.it/m"')
    for name in ("FlussoMisure", "IdentificativiFlusso", "DatiPod", "Pod", "Misura", "Ea"):
        text = text.replace(f"<{name}", f"<m:{name}").replace(f"</{name}", f"</m:{name}")
    assert only(text.replace("<m:PodX", "<PodX")).days[0].values == VALUES


@pytest.mark.parametrize("encoding", ["UTF-8", "windows-1252", "iso-8859-15", "utf-16"])
def test_any_usual_encoding_is_read(encoding):
    text = flow(point(row(DAY, VALUES)), encoding=encoding).replace("DP0001", "Società")
    assert only(text.encode(encoding)).days[0].values == VALUES


@pytest.mark.parametrize("block", ["Misura", "Curva", "Consumo"])
def test_rows_may_be_in_any_of_the_blocks(block):
    assert only(flow(point(row(DAY, VALUES), block=block))).days[0].values == VALUES


def test_active_and_reactive_energy_are_told_apart():
    found = only(flow(point(row(DAY, VALUES), row(DAY, [7] * 96, energy="Er"))))
    assert [(day.quantity, day.values[0]) for day in found.days] == [
        ("active", 100),
        ("reactive", 7),
    ]


def test_an_estimate_is_one():
    assert only(flow(point(row(DAY, VALUES), kind="S"))).days[0].estimated


def test_a_day_may_be_given_by_the_date_of_the_measure():
    text = flow(point(row(DAY, VALUES).replace(">11<", "><"), day="11/05/2026"))
    assert only(text).days[0].day == DAY


def test_attributes_come_in_any_order():
    turned = " ".join(f'E{n}="{flows.kwh(VALUES[n - 1])}"' for n in range(96, 0, -1))
    assert only(flow(point(f'<Ea {turned} Dst="0">11</Ea>'))).days[0].values == VALUES


# -- Days on which the clocks change ----------------------------------------------------------


def test_the_two_rows_of_october_are_a_hundred_values_in_time_order():
    values = list(range(1000, 1100))
    summer, winter = october(OCTOBER, values)
    for rows in ((summer, winter), (winter, summer)):
        assert only(flow(point(*rows, month="10/2026"))).days[0].values == values


def test_october_in_two_blocks_is_estimated_where_one_is():
    summer, winter = october(OCTOBER, [1] * 100)
    text = flow(point(summer, "</Misura><Misura><TipoDato>S</TipoDato>", winter, month="10/2026"))
    assert [(day.estimated, len(day.values)) for day in only(text).days] == [(True, 100)]


def test_the_hour_that_march_skips_is_absent_or_empty():
    values = list(range(1000, 1092))
    absent = row(MARCH, values)
    empty = row(MARCH, [*map(flows.kwh, values[:8]), *[""] * 4, *map(flows.kwh, values[8:])],
                only=range(1, 97))  # fmt: skip
    for each in (absent, empty):
        assert only(flow(point(each, month="03/2026"))).days[0].values == values


@pytest.mark.parametrize(
    ("rows", "month", "told"),
    [
        ([row(DAY, [1] * 95, only=range(1, 96))], "05/2026", "mancano E96"),
        ([row(DAY, [1] * 92, only=numbers(MARCH))], "05/2026", "mancano E9, E10, E11, E12"),
        ([row(DAY, [1] * 97, only=range(1, 98))], "05/2026", "E97 non devono"),
        ([row(DAY, [*["1"] * 50, "", *["1"] * 45])], "05/2026", "mancano E51"),
        ([row(MARCH, [1] * 96, only=range(1, 97))], "03/2026", "E9, E10, E11, E12 non devono"),
        ([row(OCTOBER, [1] * 96)], "10/2026", "E97"),
        (october(OCTOBER, [1] * 100)[:1], "10/2026", "solo quella con Dst 2"),
        (october(OCTOBER, [1] * 100)[1:], "10/2026", "solo quella con Dst 3"),
        ([row(OCTOBER, [1] * 96, dst="2")], "10/2026", "E13"),
        (october(DAY, [1] * 100)[:1], "05/2026", "Dst può essere 2 o 3 solo"),
        ([row(DAY, VALUES, dst="4")], "05/2026", "Dst può essere"),
        ([row(DAY, VALUES, dst="9" * 30)], "05/2026", "Dst può essere"),
        (['<Ea Dst="0">11</Ea>'], "05/2026", "ne ha 0"),
    ],
)
def test_a_wrong_number_of_quarter_hours_is_told_with_pod_and_day(rows, month, told):
    line, where, _value, message = problem(*rows, month=month)
    assert line == 9
    assert where.startswith(f"{POD} ")
    assert where[-7:] == month
    assert told in message


def test_the_same_half_of_october_twice_is_taken_once_if_it_is_the_same():
    summer, winter = october(OCTOBER, [1] * 100)
    other = october(OCTOBER, [2] * 100)[0]
    assert len(only(flow(point(summer, summer, winter, month="10/2026"))).days) == 1
    _flow, found = read(flow(point(summer, other, winter, month="10/2026")))
    assert "Due righe diverse con Dst 2" in found.problems[0].message


# -- Numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        "-1",
        "-0,001",
        "1.5",
        "1e400",
        "1,",
        ",5",
        "0x10",
        "NaN",
        "inf",
        "9" * 400,
        "1 000",
        "٣",
        "a",
    ],
)
def test_what_is_no_number_is_told_with_its_quarter_hour(value):
    line, where, shown, message = problem(row(DAY, [*["0"] * 40, value, *["0"] * 55]))
    assert (line, where, shown) == (9, f"{POD} 11/05/2026", value)
    assert message.startswith("E41 ")


def test_more_than_400_megawatts_are_a_mistake():
    assert problem(row(DAY, ["0", "100000,000", *["0"] * 94])).message.startswith("E2 supera")
    assert only(flow(point(row(DAY, ["99999,999"] * 96)))).days[0].values == [99_999_999] * 96


def test_finer_decimals_are_rounded_so_that_the_day_adds_up():
    found = only(flow(point(row(DAY, ["0,0015"] * 96))))
    assert sum(found.days[0].values) == 144
    assert set(found.days[0].values) == {1, 2}


@pytest.mark.parametrize(
    ("code", "factor"), [("PDO", 1), ("PDO2G", 1), ("RFO2G", 1), ("PNO", 20), ("RFO", 20)]
)
def test_constants_multiply_the_older_flows_but_pdo(code, factor):
    constants = "<Ka>20,000</Ka><Kr>3</Kr><Kp>2</Kp>"
    text = flow(
        point(row(DAY, VALUES), row(DAY, [8] * 96, energy="Er"), "<EaF1>1,5</EaF1>",
              constants=constants), code=code,
    )  # fmt: skip
    found = only(text)
    assert found.days[0].values == [factor * value for value in VALUES]
    assert found.days[1].values == [8 if factor == 1 else 24] * 96
    assert found.registers[0].value == 1500 * factor


def test_a_constant_with_decimals_keeps_the_total_of_the_day():
    text = flow(point(row(DAY, [1] * 96), constants="<Ka>1,5</Ka>"), code="RFO")
    assert sum(only(text).days[0].values) == 144


@pytest.mark.parametrize("constant", ["0", "-1", "x", "1e9", "9" * 40])
def test_an_impossible_constant_is_told(constant):
    assert "Ka" in problem(row(DAY, VALUES), code="RFO", constants=f"<Ka>{constant}</Ka>").message


# -- Registers --------------------------------------------------------------------------------


def test_registers_are_read_with_their_day():
    text = "<EaF1>1234,567</EaF1><ErF3>2</ErF3><PotF2>3,3</PotF2><EaF2/>"
    by_month = only(flow(point(text, month="02/2024"), code="PNO"))
    assert [(each.day, each.name, each.value) for each in by_month.registers] == [
        (dt.date(2024, 2, 29), "EaF1", 1_234_567),
        (dt.date(2024, 2, 29), "ErF3", 2000),
        (dt.date(2024, 2, 29), "PotF2", 3300),
    ]
    by_day = only(flow(point(text, day="11/05/2026", block="Consumo"), code="PNO"))
    assert {(each.day, each.kind) for each in by_day.registers} == {(DAY, "consumption")}


@pytest.mark.parametrize("value", ["-1", "x", "1e400", "9" * 40])
def test_a_register_that_is_no_number_is_told(value):
    one = problem(f"<EaF1>{value}</EaF1>", code="PNO")
    assert (one.line, one.value) == (9, value)
    assert "EaF1" in one.message


# -- What a DatiPod lacks ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"pod": ""}, "Manca il Pod"),
        ({"pod": "I" * 21}, "Manca il Pod"),
        ({"kind": "X"}, "TipoDato"),
        ({"month": ""}, "MeseAnno"),
        ({"month": "13/2026"}, "MeseAnno"),
        ({"month": "05/1026"}, "MeseAnno"),
        ({"month": "9" * 30}, "MeseAnno"),
        ({"day": "31/02/2026"}, "DataMisura"),
        ({"month": "02/2026"}, "non esiste"),
    ],
)
def test_what_is_missing_or_impossible_is_told(options, told):
    assert told in problem(row(dt.date(2026, 5, 31), VALUES), **options).message


def test_one_bad_row_does_not_hide_another():
    _flow, found = read(flow(point(row(DAY, ["x"] * 96), row(DAY, ["y"] * 96))))
    assert [each.line for each in found.problems] == [9, 10]


# -- Hostile ----------------------------------------------------------------------------------


GOOD = flow(point(row(DAY, VALUES)))
HEAD, REST = GOOD.split("\n", 1)
BOMB = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "ha"}">' for n in range(10))


@pytest.mark.parametrize(
    "dtd",
    [
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
        f"<!DOCTYPE x [{BOMB}]>",
        '<!DOCTYPE FlussoMisure SYSTEM "http://127.0.0.1:1/x.dtd">',
        "<!DOCTYPE FlussoMisure>",
        '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:1/x"> %p;]>',
    ],
)
def test_row_20_a_dtd_is_refused(dtd):
    assert "DTD" in refusal(f"{HEAD}\n{dtd}\n{REST.replace('DP0001', '&e;')}")


@pytest.mark.parametrize(
    "hostile",
    [
        GOOD.replace('Dst="0"', f'Dst="{"0" * 10_000_000}"'),
        GOOD.replace("<DatiPod>", f"<!--{'x' * 3_000_000}--><DatiPod>"),
        GOOD.replace("<DatiPod>", "<DatiPod>" + "<a>" * 10_000 + "</a>" * 10_000),
        GOOD.replace("<DatiPod>", "<DatiPod>" + "<a/>" * 10_000),
        GOOD.replace("<DatiPod>", "".join(f"<a{n}/>" for n in range(20_000)) + "<DatiPod>"),
        GOOD.replace("<DatiPod>", "<DatiPod><DatiPod>", 1).replace("</DatiPod>", "</DatiPod>" * 2),
        GOOD.replace("<Misura>", "<Misura><Misura>").replace("</Misura>", "</Misura></Misura>"),
        GOOD.replace("<DatiPod>", "<Ea E1='1'>01</Ea><DatiPod>"),
        GOOD.replace(">11</Ea>", ">11<x/></Ea>"),
        GOOD.replace("DP0001", "DP\0001"),
        GOOD.replace('Dst="0"', 'Dst="0" Dst="1"'),
        GOOD.replace("FlussoMisure", "FlussoAltro"),
        GOOD.replace('"PDO"', '"qualcosa"'),
        GOOD.replace(' CodFlusso="PDO"', ""),
        flow(),
        "",
        "non è XML",
        HEAD.replace("UTF-8", "utf-7") + REST,
        HEAD.replace("UTF-8", "inesistente") + REST,
        HEAD.replace("UTF-8", "UTF-16") + REST,
        GOOD.encode().replace(b"DP0001", b"DP\xff"),
    ],
)
def test_what_is_no_flow_is_refused_with_a_sentence(hostile):
    assert refusal(hostile).endswith((".", "…"))


def test_a_text_of_any_length_is_cut():
    found = only(GOOD.replace("DP0001", "D" * 5_000_000))
    assert found.days[0].values == VALUES


def test_a_flow_cut_at_any_byte_is_refused_at_its_end():
    short = flow(point(row(DAY, ["0"] * 96))).encode()
    whole = len(short) - 1  # without the > nothing is closed
    for size in range(whole + 1):
        with pytest.raises(Unreadable):
            read(short[:size])
    assert read(short)


@pytest.mark.parametrize(
    ("content", "is_flow"),
    [(GOOD.encode(), True), (b"\xef\xbb\xbf" + GOOD.encode(), True), (GOOD.encode()[:200], True),
     (GOOD.encode("utf-16"), False), (b"<p:FatturaElettronica/>", False), (b"PK", False),
     (b"", False), (b"\x30\x82", False), (b"<FlussoMisure", False)],
)  # fmt: skip
def test_a_flow_is_known_by_its_root(content, is_flow):
    assert flusso_misure.is_flow(io.BytesIO(content)) == is_flow
