"""Which documents are published, found, and new; for whom."""

import datetime as dt

import pytest

from domain import documents, text
from domain.documents import FORMS, INFO, NOTICES, PERSONAL, RULES
from models import Account
from tests.factories import (
    make_account,
    make_customer,
    make_document,
    make_electricity,
    make_gas,
)

TODAY = dt.date(2026, 11, 23)


def day(offset):
    return TODAY + dt.timedelta(days=offset)


@pytest.fixture
def customer(app):
    return make_customer()


def titles(category, customer, **asked):
    rows = documents.page(category, customer.id, today=TODAY, **asked)
    total = documents.count(category, customer.id, today=TODAY, search=asked.get("search", ""))
    if "limit" not in asked:
        assert total == len(rows)
    return [row.title for row in rows]


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [
        (None, None, True), (0, None, True), (1, None, False), (None, 0, True), (None, -1, False),
        (-5, 5, True), (0, 0, True), (1, 5, False), (-5, -1, False),
    ],
)  # fmt: skip
def test_a_document_is_published_from_its_first_to_its_last_day(customer, first, last, shown):
    values = {"visible_from": first and day(first) if first != 0 else TODAY,
              "visible_to": last and day(last) if last != 0 else TODAY}  # fmt: skip
    document = make_document("Uno", **values)
    assert titles(NOTICES, customer) == (["Uno"] if shown else [])
    one = documents.one(NOTICES, customer.id, document.id, today=TODAY)
    assert (one is not None) == shown
    assert bool(documents.latest(customer.id, today=TODAY)) == shown


def test_each_category_has_its_own(customer):
    for category in (FORMS, RULES, NOTICES, INFO):
        make_document(category, category)
    make_document(PERSONAL, customer=customer)
    for category in (PERSONAL, FORMS, RULES, NOTICES, INFO):
        assert titles(category, customer) == [category]


def test_personal_documents_are_only_their_customers(customer):
    theirs = make_document("Di un altro", customer=make_customer())
    own = make_document("Proprio", customer=customer)
    assert titles(PERSONAL, customer) == ["Proprio"]
    for category in (PERSONAL, FORMS, NOTICES):
        assert documents.one(category, customer.id, theirs.id, today=TODAY) is None
    assert documents.one(NOTICES, customer.id, own.id, today=TODAY) is None
    assert documents.one(PERSONAL, customer.id, own.id, today=TODAY).title == "Proprio"
    assert [row.title for row in documents.latest(customer.id, today=TODAY)] == ["Proprio"]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", {"Novità «2026»", "Più energia", "Sconto del 10%_netto"}),
        ("novita", {"Novità «2026»"}),
        ("NOVITÀ", {"Novità «2026»"}),
        ("PIU", {"Più energia"}),
        ("energia più", {"Più energia"}),
        ("orario dell'ufficio", {"Novità «2026»"}),
        ("orario dell’ufficio", {"Novità «2026»"}),
        ("novità energia", set()),
        ("%", {"Sconto del 10%_netto"}),
        ("_", {"Sconto del 10%_netto"}),
        ("10%_", {"Sconto del 10%_netto"}),
        ("1_%", set()),
        ("!", set()),
        ("\\", set()),
        ("'", {"Novità «2026»"}),
        ('"; --', set()),
        ("\x00novita\x00", {"Novità «2026»"}),
        ("n o v i t a settimo", {"Novità «2026»"}),  # the first six words count
        ("n o v i t settimo", set()),
        ("\U0001f41d", set()),
        ("x" * 5000, set()),
    ],
)
def test_search_in_title_and_text_ignores_case_and_accents(customer, search, found):
    make_document("Novità «2026»", text="L'ORARIO dell’ufficio")
    make_document("Più energia")
    make_document("Sconto del 10%_netto")
    assert set(titles(NOTICES, customer, search=search)) == found


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("-data", ["beta", "Élite", "alfa"]),
        ("data", ["alfa", "Élite", "beta"]),
        ("titolo", ["alfa", "beta", "Élite"]),
        ("-titolo", ["Élite", "beta", "alfa"]),
    ],
)
def test_order_by_day_and_by_title(customer, sort, expected):
    make_document("alfa", date=day(-9))
    make_document("beta", date=day(-1))
    make_document("Élite", date=day(-5))
    assert titles(NOTICES, customer, sort=sort) == expected


def test_documents_of_one_day_the_latest_added_first(customer):
    for place in range(5):
        make_document(str(place), date=TODAY)
    assert titles(NOTICES, customer, limit=3) == ["4", "3", "2"]
    assert titles(NOTICES, customer, limit=3, offset=3) == ["1", "0"]


def test_a_list_has_only_the_beginning_of_a_text(customer):
    document = make_document(text="à" * 5000)
    (row,) = documents.page(NOTICES, customer.id, today=TODAY)
    assert row.text == "à" * (documents.EXCERPT + 1)
    assert documents.one(NOTICES, customer.id, document.id, today=TODAY).text == "à" * 5000


def test_the_latest_are_a_notice_for_all_and_a_document_of_that_customer(customer):
    assert documents.latest(customer.id, today=TODAY) == []
    make_document("Modulo", FORMS, date=TODAY)
    make_document("Altrui", customer=make_customer(), date=TODAY)
    make_document("Comunicato di prima", date=day(-9))
    make_document("Comunicato", date=day(-3))
    assert [row.title for row in documents.latest(customer.id, today=TODAY)] == ["Comunicato"]
    make_document("Lettera", customer=customer, date=day(-2))
    latest = documents.latest(customer.id, today=TODAY)
    assert [(row.category, row.title) for row in latest] == [
        (PERSONAL, "Lettera"),
        (NOTICES, "Comunicato"),
    ]


def instant(offset, hour=12):
    return dt.datetime.combine(day(offset), dt.time(hour), tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("added", "first_day", "since", "new"),
    [
        (instant(-5), None, instant(-6), True),
        (instant(-5), None, instant(-4), False),
        (instant(-5), None, instant(-5), False),
        (instant(-9), day(-2), instant(-3), True),
        (instant(-9), day(-2), instant(-1), False),
        (instant(-1), day(-9), instant(-2), True),
        # Midnight in Rome is 23:00 of the day before in UTC.
        (instant(-9), day(-2), instant(-3, 22), True),
        (instant(-9), day(-2), instant(-3, 23), False),
        (instant(-5), None, None, False),
    ],
)
def test_new_is_what_was_published_since_the_last_access(app, added, first_day, since, new):
    document = make_document(added_at=added, visible_from=first_day)
    assert documents.is_new(document, since) is new


# -- For whom ------------------------------------------------------------------------------


def seen_by(customer, document):
    """Whether a customer finds a notice in each of the ways to it, which must agree."""
    found = documents.one(NOTICES, customer.id, document.id, today=TODAY) is not None
    assert (document.title in titles(NOTICES, customer)) == found
    latest = [row.id for row in documents.latest(customer.id, today=TODAY)]
    assert (document.id in latest) == found
    return found


def reached(document, today=TODAY):
    return {account.username for account in documents.reached_accounts(document, today)}


@pytest.mark.parametrize(
    ("meant", "who"),
    [
        ({}, {"luce", "gas", "entrambi", "nessuna"}),
        ({"service": "EE"}, {"luce", "entrambi"}),
        ({"service": "GAS"}, {"gas", "entrambi"}),
        ({"city": "Forlì", "town": "forli"}, {"gas", "entrambi"}),
        ({"city": "RAVENNA", "town": "ravenna"}, {"luce"}),
        ({"city": "PRATO", "town": "prato"}, set()),  # there they live, but nothing is supplied
    ],
)
def test_who_is_meant_sees_it_and_nobody_else(app, meant, who):
    customers = {name: make_customer(code=name) for name in ("luce", "gas", "entrambi", "nessuna")}
    for each in customers.values():
        make_account(each)
    make_electricity(customers["luce"])
    make_gas(customers["gas"], city="FORLI'")
    make_gas(customers["entrambi"], city="Forlì")
    make_electricity(customers["entrambi"], city="FORLÌ")
    document = make_document(date=day(-1), **meant)
    assert {name for name, each in customers.items() if seen_by(each, document)} == who
    assert reached(document) == who


@pytest.mark.parametrize(
    ("begins", "ends", "seen"),
    [
        (None, None, True), (-9, None, True), (0, None, True), (1, None, False),
        (None, 0, True), (None, -3, True), (None, -4, False), (-9, -5, False), (-9, 5, True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("by", ["date", "visible_from"])
def test_a_supply_counts_that_was_in_service_since_the_document_could_be_read(
    customer, begins, ends, seen, by
):
    make_account(customer)
    make_gas(
        customer,
        active_from=None if begins is None else day(begins),
        ended_on=None if ends is None else day(ends),
    )
    document = make_document(**{"date": day(-90), by: day(-3)}, service="GAS")
    assert seen_by(customer, document) == seen
    assert reached(document) == ({customer.code} if seen else set())


def test_service_and_town_are_those_of_one_supply(customer):
    make_gas(customer, city="FORLI'")
    make_electricity(customer, city="RAVENNA")
    document = make_document(service="GAS", city="RAVENNA", town="ravenna")
    assert not seen_by(customer, document)


def test_what_is_withdrawn_is_seen_by_nobody(customer):
    own = make_document(customer=customer, withdrawn_at=instant(0))
    assert not seen_by(customer, make_document(withdrawn_at=instant(0)))
    assert documents.one(PERSONAL, customer.id, own.id, today=TODAY) is None


def test_reached_are_the_accounts_in_use_of_that_customer(customer):
    make_account(customer)
    make_account(make_customer())
    own = make_document(customer=customer)
    assert reached(own) == {customer.code}
    Account.update(disabled_at=instant(0)).execute()
    assert reached(own) == set()


def test_a_town_is_the_same_however_it_is_spelled():
    for spelled in ("FORLI'", "Forlì", "forlì ", "Forli’", "FORLI"):
        assert text.town(spelled) == "forli"
    assert text.town("Reggio nell'Emilia") == text.town("REGGIO NELL’EMILIA")
    assert text.town("  ") is text.town(None) is None
