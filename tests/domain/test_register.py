"""The register: whatever is done to a row, the chain shows it."""

import datetime as dt
import json

import pytest

from domain import register, register_sentences
from models import RegisterEntry, db
from tests.factories import make_operator
from tests.together import at_once

KEY = register.key("una-chiave-di-prova-lunga-abbastanza")
NOW = dt.datetime(2026, 11, 23, 8, 0, 10, 123456, tzinfo=dt.UTC)


def record(kind="customer_read", operator="anna", *, now=NOW, **details):
    register.record(kind, operator, key=KEY, now=now, **details)


@pytest.fixture
def five(app):
    for n in range(5):
        record(customer=f"{n:06d}", place=n)


def entry(number):
    return RegisterEntry.get(number=number)


def change(place, **values):
    RegisterEntry.update(**values).where(RegisterEntry.number == place).execute()


def test_rows_are_numbered_and_the_chain_is_whole(five):
    assert [row.number for row in register.entries()] == [5, 4, 3, 2, 1]
    assert register.first_broken(KEY) is None


def test_an_empty_register_is_whole(app):
    assert register.first_broken(KEY) is None
    assert register.head() == (0, "")


@pytest.mark.parametrize(
    "edited",
    [
        {"operator": "bruno"},
        {"kind": "signed_in"},
        {"customer_code": "999999"},
        {"customer_code": None},
        {"details": "{}"},
        {"at": NOW + dt.timedelta(microseconds=1)},
        {"seal": "0" * 64},
    ],
    ids=lambda edited: next(iter(edited)),
)
def test_an_edited_row_breaks_the_chain(five, edited):
    change(3, **edited)
    assert register.first_broken(KEY) == 3


def test_an_edited_row_cannot_be_sealed_again_without_the_key(five):
    row = entry(3)
    row.operator = "bruno"
    row.seal = register.seal(row, entry(2).seal, register.key("un'altra chiave"))
    row.save()
    assert register.first_broken(KEY) == 3


def test_a_removed_row_breaks_the_chain(five):
    entry(3).delete_instance()
    assert register.first_broken(KEY) == 3


def test_a_removed_row_whose_number_is_taken_over_breaks_it_too(five):
    entry(3).delete_instance()
    change(4, number=3)
    change(5, number=4)
    assert register.first_broken(KEY) == 3


def test_an_inserted_row_breaks_the_chain(five):
    change(5, number=6)
    change(4, number=5)
    RegisterEntry.create(
        number=4, at=NOW, operator="bruno", kind="customer_read", details="{}", seal="f" * 64
    )
    assert register.first_broken(KEY) == 4


def test_a_row_copied_to_the_end_breaks_the_chain(five):
    row = entry(3)
    row.id, row.number = None, 6
    row.save(force_insert=True)
    assert register.first_broken(KEY) == 6


def test_rows_in_another_order_break_the_chain(five):
    change(2, number=100)
    change(3, number=2)
    change(100, number=3)
    assert register.first_broken(KEY) == 2


def test_removing_the_first_rows_breaks_the_chain(five):
    RegisterEntry.delete().where(RegisterEntry.number <= 2).execute()
    assert register.first_broken(KEY) == 1


def test_another_key_finds_the_first_row_broken(five):
    assert register.first_broken(register.key("un'altra chiave")) == 1


def test_writers_at_once_make_one_chain(app):
    at_once(*[lambda n=n: record(operator=f"o{n}", customer=f"{n:06d}") for n in range(12)])
    assert [row.number for row in register.entries()] == list(range(12, 0, -1))
    assert register.first_broken(KEY) is None


def test_what_is_not_done_leaves_no_row(five):
    with db.atomic() as transaction:
        record()
        transaction.rollback()
    record()
    assert register.head()[0] == 6
    assert register.first_broken(KEY) is None


def test_a_kind_that_nobody_knows_is_refused(app):
    with pytest.raises(ValueError, match="no such entry"):
        record("dreamt")


# -- Verifying -----------------------------------------------------------------------------


def test_what_was_verified_is_kept(five):
    assert register.last_check() is None
    register.verify(KEY, now=NOW)
    check = register.last_check()
    assert (check.at, check.number, check.broken) == (NOW, 5, None)
    change(4, details="{}")
    register.verify(KEY, now=NOW + dt.timedelta(hours=1))
    check = register.last_check()
    assert (check.number, check.broken) == (5, 4)


def test_the_last_rows_removed_after_a_check_are_missed(five):
    register.verify(KEY, now=NOW)
    RegisterEntry.delete().where(RegisterEntry.number > 3).execute()
    assert register.first_broken(KEY) is None  # the chain alone cannot tell
    for _twice in range(2):
        assert register.verify(KEY, now=NOW).broken == 4


def test_the_last_rows_removed_and_written_anew_show_in_the_head(five):
    kept = register.head()
    RegisterEntry.delete().where(RegisterEntry.number == 5).execute()
    record(operator="bruno")
    assert register.first_broken(KEY) is None
    assert register.head()[0] == kept[0]
    assert register.head() != kept


# -- Sentences -----------------------------------------------------------------------------


def test_every_kind_has_a_sentence_and_no_other(app):
    assert set(register_sentences.TOLD) == set(register.KINDS)
    assert len(set(register.KINDS)) == len(register.KINDS)


def test_kinds_are_told_apart_by_their_label(app):
    labels = [str(told.label) for told in register_sentences.TOLD.values()]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("details", ["", "[]", "null", "{}", '{"address": null}', "\0", "{"])
def test_details_of_another_version_are_told_in_general_terms(app, details):
    for kind in (*register.KINDS, "of a later version"):
        assert register_sentences.sentence(kind, details)


def test_sentences_say_what_happened(app):
    def told(kind, **details):
        return register_sentences.sentence(kind, json.dumps(details))

    assert told("signed_in", address="192.0.2.1") == (
        "Entra nello sportello, dall'indirizzo 192.0.2.1."
    )
    assert told("signed_in", address="::1", recovery=True) == (
        "Entra nello sportello con un codice di recupero, dall'indirizzo ::1."
    )
    assert told("operator_created", whom="anna", role="operator") == "Crea l'operatore anna."
    assert told("operator_reset", whom="anna") == (
        "Azzera password e secondo fattore dell'operatore anna."
    )
    assert told("register_downloaded", count=7) == "Scarica il registro: 7 righe."


# -- To be read ----------------------------------------------------------------------------


def test_entries_are_those_asked_for(app):
    make_operator(username="anna")
    day = dt.timedelta(days=1)
    record(customer="000001", now=NOW - day)
    record("signed_in", address="x", now=NOW)
    record("signed_in", "bruno", address="x", now=NOW + day)

    def numbers(**asked):
        return [row.number for row in register.entries(**asked)]

    today = dt.date(2026, 11, 23)
    assert numbers(operator="anna") == [2, 1]
    assert numbers(kind="signed_in") == [3, 2]
    assert numbers(customer="000001") == [1]
    assert numbers(since=today) == [3, 2]
    assert numbers(until=today) == [2, 1]
    assert numbers(since=today, until=today, operator="bruno") == []
    assert register.operators() == ["anna", "riga di comando"]


def test_a_long_register_is_read_in_parts(app, monkeypatch):
    monkeypatch.setattr(register, "ROWS_AT_ONCE", 2)
    for n in range(5):
        record(customer=f"{n:06d}")
    query = register.entries()
    db.close()
    assert [row.number for row in register.up_to(query, 4)] == [4, 3, 2, 1]
    assert [row.number for row in register.up_to(query, 5)] == [5, 4, 3, 2, 1]
