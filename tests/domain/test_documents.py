"""Which documents are published, found, and new; for whom."""

import datetime as dt

import pytest

from domain import documents
from domain.documents import FORMS, INFO, NOTICES, PERSONAL, RULES
from tests.factories import make_customer, make_document

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
