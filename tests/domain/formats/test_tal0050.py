"""The request to a distributor, element by element."""

import datetime as dt
from types import SimpleNamespace

import pytest
from lxml import etree

from domain.formats import tal0050

USER, DISTRIBUTOR = "01234567890", "09999010979"


def reading(**values):
    return SimpleNamespace(**{
        "pdr": "00881234567890", "meter_serial": "G0001", "day": dt.date(2026, 11, 6),
        "counter": 12345, "corrector": None, "corrector_serial": "C0001", **values,
    })  # fmt: skip


def parsed(*readings):
    return etree.fromstring(tal0050.write(USER, DISTRIBUTOR, readings))


def told(element):
    return [(each.tag, each.text) for each in element]


def test_the_request_is_what_the_contract_says():
    root = parsed(reading())
    assert (root.tag, dict(root.attrib)) == (
        "Prestazione", {"cod_servizio": "TAL", "cod_flusso": "0050"},
    )  # fmt: skip
    assert [each.tag for each in root] == ["IdentificativiRichiesta", "DatiPdR"]
    assert told(root[0]) == [("piva_utente", USER), ("piva_distr", DISTRIBUTOR)]
    assert told(root[1]) == [
        ("cod_pdr", "00881234567890"),
        ("matr_mis", "G0001"),
        ("data_com_autolet_cf", "06/11/2026"),
        ("let_tot_prel", "000012345"),
    ]


@pytest.mark.parametrize("serial", ["C0001", None])
def test_a_corrector_has_its_own_elements(serial):
    cells = told(parsed(reading(corrector=0, corrector_serial=serial))[1])
    assert cells[3:] == [
        ("let_tot_prel", "000012345"), ("let_tot_conv", "000000000"), ("matr_conv", serial),
    ]  # fmt: skip


def test_each_reading_is_there_once_in_its_order():
    root = parsed(*(reading(pdr=f"{n:014d}") for n in range(50)))
    assert [each.findtext("cod_pdr") for each in root[1:]] == [f"{n:014d}" for n in range(50)]


def test_a_counter_of_more_digits_is_not_cut():
    assert parsed(reading(counter=1_234_567_890))[1].findtext("let_tot_prel") == "1234567890"


@pytest.mark.parametrize("serial", ["<a>&\"']]>", "]]>", "<!DOCTYPE x>", "è ü 漢 🙂", "&#0;"])
def test_any_serial_number_is_text_and_nothing_else(serial):
    content = tal0050.write(USER, DISTRIBUTOR, [reading(meter_serial=serial)])
    assert etree.fromstring(content)[1].findtext("matr_mis") == serial
    assert content.startswith(b"<?xml version='1.0' encoding='UTF-8'?>\n<Prestazione ")
    assert b"<!DOCTYPE" not in content


@pytest.mark.parametrize("serial", ["a\x00b", "a\x1bb", "a\ud800b", "a\uffffb"])
def test_what_no_xml_may_hold_is_replaced(serial):
    assert parsed(reading(meter_serial=serial))[1].findtext("matr_mis") == "a\ufffdb"


def test_the_name_tells_batch_and_distributor():
    assert tal0050.file_name(12, DISTRIBUTOR) == "TAL0050_000012_09999010979.xml"


@pytest.mark.parametrize(
    ("text", "fits"),
    [("09999010979", True), ("00000000000", True), (None, False), ("", False), ("1234", False),
     ("//ETC/PASSWD", False), ("0999901097٩", False), ("09999010979\n", False)],
)  # fmt: skip
def test_only_eleven_digits_name_a_distributor(text, fits):
    assert tal0050.is_vat_number(text) is fits
