import itertools
import re

import pytest
import segno

from domain.formats import epc

IBAN = "IT60X0542811101000000123456"


def test_the_lines_stand_as_the_standard_numbers_them():
    text = epc.payload("Prova Energia S.p.A.", "IT60 X054 2811 1010 0000 0123 456", 12345, "F. 7")
    assert text.split("\n") == [
        "BCD", "002", "1", "SCT", "", "Prova Energia S.p.A.", IBAN, "EUR123.45", "", "", "F. 7"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cents", "amount"),
    [(1, "EUR0.01"), (100, "EUR1.00"), (99_999_999_999, "EUR999999999.99")],
)
def test_amounts_have_two_decimals(cents, amount):
    assert epc.payload("X", IBAN, cents, "x").split("\n")[7] == amount


@pytest.mark.parametrize("cents", [0, -1, 100_000_000_000])
def test_amounts_that_no_transfer_carries_are_refused(cents):
    with pytest.raises(ValueError):
        epc.payload("X", IBAN, cents, "x")


@pytest.mark.parametrize("iban", ["", "IT60", "X" * 40, "IT60X05428\n11101000000123456€"])
def test_what_is_no_iban_is_refused(iban):
    with pytest.raises(ValueError):
        epc.payload("X", iban, 100, "x")


def test_no_beneficiary_is_refused():
    with pytest.raises(ValueError):
        epc.payload("€€", IBAN, 100, "x")


def test_text_keeps_to_the_characters_of_sepa_and_to_one_line():
    text = epc.payload("Società «Luce» & C.", IBAN, 100, "n. 5/A\nBCD\t€ 3 – però")
    assert text.split("\n")[5] == "Societa Luce C."
    assert text.split("\n")[10] == "n. 5/A BCD 3 pero"


def test_long_texts_are_cut_where_the_standard_ends_and_still_fit_the_code():
    text = epc.payload("n" * 200, IBAN, 99_999_999_999, "c" * 500)
    lines = text.split("\n")
    assert (len(lines[5]), len(lines[10])) == (70, 140)
    assert len(text.encode()) <= 331
    code = segno.make_qr(text.encode(), error="m", boost_error=False)
    assert code.version <= 13


def test_the_drawing_is_the_code_module_by_module():
    text = epc.payload("Prova Energia", IBAN, 12345, "Fattura 7")
    code = segno.make_qr(text.encode(), error="m", boost_error=False)
    drawing = epc.drawing(text)
    dark = set()
    for x, y, width in re.findall(r"M(\d+) (\d+)\.5h(\d+)", drawing.path):
        dark |= {(int(y), column) for column in range(int(x), int(x) + int(width))}
    expected = {
        place
        for place in itertools.product(range(drawing.side), repeat=2)
        if list(code.matrix_iter(border=4))[place[0]][place[1]]
    }
    assert code.error == "M"
    assert dark == expected
