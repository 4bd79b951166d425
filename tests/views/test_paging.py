"""The address of a table: cleaned, and as short as it can be."""

import pytest

from views.paging import TableState


@pytest.fixture
def table(app):
    def _table(query, **options):
        with app.test_request_context(f"/t?{query}"):
            return TableState("/t", ("-data", "numero"), **options)

    return _table


@pytest.mark.parametrize(
    "query",
    [
        "pag=0", "pag=-1", "pag=99999999999999999999", "pag=uno", "pag=%00", "pag=١", "righe=7",
        "righe=-20", "ordine=password", "ordine=", "pag=1&pag=2", "ordine=--data",
    ],
)  # fmt: skip
def test_odd_addresses_fall_back(table, query):
    state = table(query)
    assert 1 <= state.page <= 2
    assert state.rows == 20
    assert state.sort.lstrip("-") in {"data", "numero"}


def test_an_address_names_only_what_is_not_usual(table):
    state = table("pag=3&righe=50&ordine=numero")
    assert state.href() == "/t?pag=3&righe=50&ordine=numero"
    assert state.href(pag=1, righe=20, ordine="-data") == "/t"


def test_sorting_turns_round_and_starts_at_the_first_page(table):
    by_number = table("ordine=numero&pag=4").sorting
    assert by_number == {
        "data": ("none", "/t?ordine=data"),
        "numero": ("ascending", "/t?ordine=-numero"),
    }
    assert table("pag=4").sorting["data"] == ("descending", "/t?ordine=data")


def test_filters_stay_while_paging(table):
    state = table("anno=2025", filters={"anno": lambda text: text if text.isdigit() else None})
    assert state.href(pag=2) == "/t?pag=2&anno=2025"


def test_pages_of_an_empty_table(table):
    assert table("").pages(0) == 1
    assert table("righe=10").pages(21) == 3


@pytest.mark.parametrize(("total", "page"), [(0, 1), (20, 1), (21, 2), (2000, 9)])
def test_beyond_the_last_page_there_is_the_last(table, total, page):
    state = table("pag=9")
    state.stay_within(total)
    assert state.page == page
