"""`esiti`: what billing answers about readings, and what the customer is told."""

import datetime as dt
import json

import pytest

from domain.imports import outcomes
from domain.imports.inbox import KINDS
from models import ImportedFile, OutgoingMail, ReadingBatch, SelfReading
from tests.factories import make_account, make_customer, make_gas, make_self_reading

HEADER = "lotto;id_lettura;esito;motivo"
NOW = dt.datetime(2026, 11, 23, 9, 30, tzinfo=dt.UTC)
DAY = dt.date(2026, 11, 20)


def make_batch(number=1):
    return ReadingBatch.create(number=number, created_at=NOW, content=b"", placed_at=NOW)


@pytest.fixture
def batch(app):
    return make_batch()


@pytest.fixture
def account(app):
    return make_account(make_customer("000002"))


@pytest.fixture
def acquired(account, batch):
    """`acquired()`: a reading that billing has, entered by `account`."""

    def make(supply=None, day=DAY, **values):
        supply = supply or make_gas(account.grants.get().customer)
        values = {"state": "acquired", "batch": batch, "account": account, **values}
        return make_self_reading(supply, day, 100, **values)

    return make


def now_of(reading):
    row = SelfReading.get_by_id(reading.id)
    return row.state, row.reason


def mails():
    return [
        (row.kind, row.recipient, json.loads(row.params))
        for row in OutgoingMail.select().order_by(OutgoingMail.id)
    ]


def test_each_reading_gets_its_outcome_and_whoever_entered_it_a_mail(desk, acquired, account):
    good, bad, waiting = acquired(), acquired(), acquired()
    report = desk.take(
        "esiti.csv", HEADER, f"000001;{good.id};VALIDATA;",
        f"1;{bad.id};respinta;Non coerente con il distributore.",
    )  # fmt: skip
    assert (report.rows, report.added, report.changed, report.unchanged) == (2, 0, 2, 0)
    assert report.warnings == []
    assert now_of(good) == ("validated", None)
    assert now_of(bad) == ("rejected", "Non coerente con il distributore.")
    assert now_of(waiting) == ("acquired", None)
    told = {"day": "2026-11-20", "reason": None, "supply": good.supply.code}
    assert mails() == [
        ("reading_validated", account.email, told),
        ("reading_rejected", account.email,
         told | {"supply": bad.supply.code, "reason": "Non coerente con il distributore."}),
    ]  # fmt: skip


def test_an_outcome_that_is_known_already_changes_nothing_and_mails_nobody(desk, acquired):
    reading = acquired()
    desk.take("esiti_1.csv", HEADER, f"1;{reading.id};RESPINTA;Illeggibile.")
    report = desk.take("esiti_2.csv", HEADER, f"000001;{reading.id};RESPINTA;Illeggibile.")
    assert (report.changed, report.unchanged) == (0, 1)
    assert len(mails()) == 1


def test_a_better_reason_replaces_the_first_without_another_mail(desk, acquired):
    reading = acquired()
    desk.take("esiti_1.csv", HEADER, f"1;{reading.id};RESPINTA;Altro.")
    desk.take("esiti_2.csv", HEADER, f"1;{reading.id};RESPINTA;Cifre invertite.")
    assert now_of(reading) == ("rejected", "Cifre invertite.")
    desk.take("esiti_3.csv", "lotto;id_lettura;esito", f"1;{reading.id};RESPINTA")
    assert now_of(reading) == ("rejected", "Cifre invertite.")  # the column is not there
    assert len(mails()) == 1


def test_a_rejection_without_a_reason_is_taken_with_a_warning(desk, acquired):
    reading = acquired()
    report = desk.take("esiti.csv", HEADER, f"1;{reading.id};RESPINTA;")
    assert report.warnings == [[2, "motivo", "", outcomes.NO_REASON]]
    assert now_of(reading) == ("rejected", None)


def test_a_validated_reading_has_no_reason(desk, acquired):
    reading = acquired()
    desk.take("esiti.csv", HEADER, f"1;{reading.id};VALIDATA;OK")
    assert now_of(reading) == ("validated", None)


def test_billing_may_correct_itself_and_the_clerk_is_warned(desk, acquired):
    reading = acquired()
    desk.take("esiti_1.csv", HEADER, f"1;{reading.id};VALIDATA;")
    report = desk.take("esiti_2.csv", HEADER, f"1;{reading.id};RESPINTA;Sbagliata.")
    assert report.warnings == [
        [2, "esito", "RESPINTA", "L'esito precedente era VALIDATA: vale quello nuovo."]
    ]
    assert now_of(reading) == ("rejected", "Sbagliata.")
    report = desk.take("esiti_3.csv", HEADER, f"000001;{reading.id};VALIDATA;")
    assert report.warning_count == 1
    assert now_of(reading) == ("validated", None)
    assert [kind for kind, *_rest in mails()] == [
        "reading_validated", "reading_rejected", "reading_validated",
    ]  # fmt: skip


def test_a_reading_of_another_batch_or_of_none_is_an_error_of_its_row(desk, acquired):
    make_batch(2)
    reading, other, pending = acquired(), acquired(), make_self_reading(make_gas(), DAY, 5)
    errors = desk.reject(
        "esiti.csv", HEADER, f"1;{reading.id};VALIDATA;", f"1;{reading.id};RESPINTA;Doppia.",
        f"2;{other.id};VALIDATA;", f"1;{pending.id};VALIDATA;", "3;999999999;VALIDATA;",
    )  # fmt: skip
    assert [(row, column, message) for row, column, _value, message in errors] == [
        (3, "lotto", "La riga ha la stessa chiave della 2: lasciarne una sola."),
        (4, "lotto", outcomes.OTHER_BATCH),
        (5, "lotto", outcomes.OTHER_BATCH),
        (6, "id_lettura", outcomes.UNKNOWN_READING),
    ]
    assert now_of(reading) == ("acquired", None)
    assert mails() == []


@pytest.mark.parametrize(
    "line",
    ["1;x;VALIDATA;", "1;-1;VALIDATA;", "1;99999999999999999999;VALIDATA;", "1;1;FORSE;",
     "1;1;;", ";1;VALIDATA;", "1;;VALIDATA;", "1;1;RESPINTA;" + "x" * 501, "1;1;RESPINTA;a\x00b",
     "1.000;1;VALIDATA;"],
)  # fmt: skip
def test_hostile_cells_are_errors_of_their_row(desk, line):
    assert {row for row, *_rest in desk.reject("esiti.csv", HEADER, line)} == {2}


# -- One live reading of a supply and day ---------------------------------------------------


@pytest.mark.parametrize("state", ["pending", "acquired", "validated"])
def test_a_rejected_reading_is_not_validated_beside_another_of_that_day(desk, acquired, state):
    first = acquired(state="rejected")
    batch = None if state == "pending" else first.batch
    other = acquired(first.supply, state=state, batch=batch)
    line = f"1;{first.id};VALIDATA;"
    [[row, column, _value, message]] = desk.reject("esiti.csv", HEADER, line)
    assert (row, column, message) == (2, "id_lettura", outcomes.ANOTHER_THAT_DAY)
    assert [now_of(first)[0], now_of(other)[0]] == ["rejected", state]


def test_one_file_may_exchange_two_readings_of_a_day(desk, acquired):
    first = acquired(state="rejected")
    other = acquired(first.supply)
    desk.take("esiti.csv", HEADER, f"1;{first.id};VALIDATA;", f"1;{other.id};RESPINTA;Doppia.")
    assert [now_of(first)[0], now_of(other)[0]] == ["validated", "rejected"]


def test_two_rejected_readings_of_a_day_are_not_both_validated(desk, acquired):
    first = acquired(state="rejected")
    other = acquired(first.supply, state="rejected")
    errors = desk.reject("esiti.csv", HEADER, f"1;{first.id};VALIDATA;", f"1;{other.id};VALIDATA;")
    assert [(row, message) for row, _column, _value, message in errors] == [
        (3, outcomes.ANOTHER_THAT_DAY)
    ]


def test_a_reading_entered_while_the_file_is_judged_rejects_it_by_row(desk, acquired, app):
    first, good = acquired(state="rejected"), acquired()

    class Meanwhile(outcomes.Outcomes):
        def place(self, entries, documents):
            acquired(first.supply, state="pending", batch=None)

    desk.put("esiti.csv", HEADER, f"1;{good.id};VALIDATA;", f"1;{first.id};VALIDATA;")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(KINDS, "esiti", Meanwhile())
        (outcome,) = desk.run()
    assert outcome.state == "rejected"
    [[row, column, _value, message]] = outcome.report.errors
    assert (row, column, message) == (3, "id_lettura", outcomes.ANOTHER_THAT_DAY)
    assert now_of(good) == ("acquired", None)  # all or nothing
    assert mails() == []
    assert ImportedFile.get().state == "rejected"


# -- Who is told ----------------------------------------------------------------------------


def test_who_wants_no_notices_or_is_disabled_or_unknown_gets_no_mail(desk, acquired, app):
    silent = make_account(make_customer(), notices=False)
    closed = make_account(make_customer(), disabled_at=NOW)
    given = [acquired(account=who) for who in (silent, closed, None)]
    desk.take("esiti.csv", HEADER, *(f"1;{each.id};VALIDATA;" for each in given))
    assert {now_of(each)[0] for each in given} == {"validated"}
    assert mails() == []


def test_the_queries_do_not_grow_with_the_readings(desk, acquired, count_queries):
    given = [acquired() for _n in range(60)]
    counts = []
    for name, some in (("esiti_1.csv", given[:3]), ("esiti_2.csv", given[3:])):
        desk.put(name, HEADER, *(f"1;{each.id};VALIDATA;" for each in some))
        with count_queries() as queries:
            desk.run()
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert len(mails()) == 60
