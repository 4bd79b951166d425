import datetime as dt

import pytest

from domain import window_rules
from domain import windows_planning as planning
from domain.clock import ROME
from domain.errors import NeedsConfirmation, Refused
from domain.window_rules import Hours
from domain.window_scopes import Scope
from models import ReadingWindow
from tests.domain.imports.conftest import Desk
from tests.factories import make_gas, make_self_reading, make_window
from tests.together import at_once

NOW = dt.datetime(2026, 11, 23, 10, 0, tzinfo=dt.UTC)
WHOLE_DAYS = Hours(dt.time(0, 0), dt.time(23, 59))
ALL = Scope()


@pytest.fixture(autouse=True)
def archive(app):
    """Every test here reads the archive."""


def day(text):
    return dt.date.fromisoformat(text)


def at(text, fold=0):
    """The instant when clocks in Italy show `text`."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=ROME, fold=fold).astimezone(dt.UTC)


def window(first, last, **values):
    """For all gas supplies, from midnight to midnight, unless told otherwise."""
    return make_window(at(first), at(last) + dt.timedelta(days=1), **values)


def planned(first, last, scope=ALL, hours=WHOLE_DAYS):
    return planning.plan([(day(first), day(last))], hours, scope, now=NOW)


def months(first, last):
    return window_rules.months(day(f"{first}-01"), day(f"{last}-01"))


# -- Rules ---------------------------------------------------------------------------------


def test_hours_are_those_of_italy_on_the_days_of_the_clock_change_too():
    march, october = (planned(first, last).windows[0] for first, last in (
        ("2027-03-27", "2027-03-31"), ("2027-10-27", "2027-10-31")))  # fmt: skip
    assert (march.opens_at, march.closes_at) == (at("2027-03-27"), at("2027-04-01"))
    assert march.closes_at - march.opens_at == dt.timedelta(days=5, hours=-1)
    assert (october.opens_at, october.closes_at) == (at("2027-10-27"), at("2027-11-01"))
    assert october.closes_at - october.opens_at == dt.timedelta(days=5, hours=1)


def test_in_the_hour_that_comes_twice_it_is_open_from_the_first_to_the_second():
    hours = Hours(dt.time(2, 30), dt.time(2, 30))
    (only,) = planned("2027-10-31", "2027-10-31", hours=hours).windows
    assert only.opens_at == at("2027-10-31 02:30", fold=0)
    assert only.closes_at == at("2027-10-31 02:30", fold=1) + dt.timedelta(minutes=1)


def test_a_window_that_ends_before_it_begins_is_refused():
    with pytest.raises(Refused, match="finisce prima di iniziare"):
        planned("2026-12-05", "2026-12-01")
    with pytest.raises(Refused, match="finisce prima di iniziare"):
        planned("2026-12-01", "2026-12-01", hours=Hours(dt.time(18), dt.time(8)))


# -- The preview ---------------------------------------------------------------------------


def test_what_is_there_already_and_what_is_past_is_left_out():
    window("2026-12-27", "2026-12-31")
    spans = window_rules.last_days(5, months("2026-10", "2027-01"))
    plan = planning.plan(spans, WHOLE_DAYS, ALL, now=NOW)
    assert [(each.is_past, each.is_known) for each in plan.windows] == [
        (True, False), (False, False), (False, True), (False, False),
    ]  # fmt: skip
    assert [each.opens_at for each in plan.new] == [at("2026-11-26"), at("2027-01-27")]


def test_the_same_days_for_others_are_no_repetition():
    supply = make_gas(distributor_vat="1")
    window("2026-12-27", "2026-12-31", supply=supply)
    window("2026-12-27", "2026-12-31", distributor_vat="1")
    assert planned("2026-12-27", "2026-12-31").new
    for scope in (Scope(supply.id, supply.code), Scope(distributor_vat="1")):
        assert not planned("2026-12-27", "2026-12-31", scope).new


def test_overlaps_are_told_where_some_supply_has_both():
    own, other = make_gas(distributor_vat="1"), make_gas(distributor_vat="2")
    of_all = window("2026-12-01", "2026-12-02")
    of_first = window("2026-12-02", "2026-12-03", distributor_vat="1")
    of_second = window("2026-12-03", "2026-12-04", distributor_vat="2")
    of_own = window("2026-12-04", "2026-12-05", supply=own)
    of_other = window("2026-12-05", "2026-12-06", supply=other)
    window("2026-12-10", "2026-12-11")

    def told(scope):
        (only,) = planned("2026-12-01", "2026-12-09", scope).windows
        return [each.id for each in only.overlaps]

    assert told(ALL) == [each.id for each in (of_all, of_first, of_second, of_own, of_other)]
    assert told(Scope(distributor_vat="1")) == [of_all.id, of_first.id, of_own.id]
    assert told(Scope(own.id, own.code)) == [of_all.id, of_first.id, of_own.id]
    assert told(Scope(distributor_vat="3")) == [of_all.id]


def test_windows_that_only_touch_do_not_overlap():
    window("2026-12-01", "2026-12-02")
    (only,) = planned("2026-12-03", "2026-12-04").windows
    assert only.overlaps == []


# -- Making --------------------------------------------------------------------------------


def create(plan, days, scope=ALL):
    return planning.create(days, WHOLE_DAYS, scope, seal=plan.seal, now=NOW)


def test_what_was_shown_is_made_and_made_once():
    days = window_rules.last_days(5, months("2026-12", "2027-02"))
    plan = planning.plan(days, WHOLE_DAYS, ALL, now=NOW)
    assert len(create(plan, days)) == 3
    with pytest.raises(planning.NothingNew):
        create(plan, days)
    found = ReadingWindow.select().order_by(ReadingWindow.opens_at)
    assert [(each.opens_at, each.closes_at) for each in found] == [
        (at("2026-12-27"), at("2027-01-01")),
        (at("2027-01-27"), at("2027-02-01")),
        (at("2027-02-24"), at("2027-03-01")),
    ]


def test_confirmed_twice_at_once_it_is_made_once():
    days = window_rules.last_days(5, months("2026-12", "2027-02"))
    plan = planning.plan(days, WHOLE_DAYS, ALL, now=NOW)
    at_once(*[lambda: create(plan, days)] * 4)
    assert ReadingWindow.select().count() == 3


def test_what_was_not_shown_is_not_made():
    days = window_rules.last_days(5, months("2026-12", "2027-02"))
    plan = planning.plan(days, WHOLE_DAYS, ALL, now=NOW)
    shown_less = planning.plan(days[:2], WHOLE_DAYS, ALL, now=NOW)
    with pytest.raises(planning.Changed):
        create(shown_less, days)
    window("2026-12-29", "2027-01-03")  # somebody made it meanwhile
    with pytest.raises(planning.Changed) as changed:
        create(plan, days)
    assert len(changed.value.plan.windows[0].overlaps) == 1
    assert ReadingWindow.select().count() == 1


def test_the_desk_and_the_import_never_make_one_twice(app):
    supply = make_gas(code="PR000001", distributor_vat="00488410010")
    scopes = ALL, Scope(supply.id, supply.code), Scope(distributor_vat="00488410010")
    days = [(day("2026-12-27"), day("2026-12-31"))]
    for scope in scopes:
        create(planning.plan(days, WHOLE_DAYS, scope, now=NOW), days, scope)
    before = list(ReadingWindow.select().order_by(ReadingWindow.id).tuples())
    report = Desk(app.config["DATA_DIR"]).take(
        "periodi.csv",
        "dal;dalle_ore;al;alle_ore;codice_fornitura;distributore_piva",
        "27/12/2026;00:00;31/12/2026;24:00;;",
        "27/12/2026;00:00;31/12/2026;23:59;PR000001;",
        "27/12/2026;00:00;31/12/2026;24:00;;00488410010",
    )
    assert (report.added, report.changed, report.unchanged) == (0, 0, 3)
    assert list(ReadingWindow.select().order_by(ReadingWindow.id).tuples()) == before
    for scope in scopes:
        assert not planning.plan(days, WHOLE_DAYS, scope, now=NOW).new


# -- Changing, removing --------------------------------------------------------------------


def change(row, first, last, scope=ALL, *, confirmed=False):
    span = day(first), WHOLE_DAYS.opening, day(last), WHOLE_DAYS.closing
    planning.change(planning.one(row.id), span, scope, confirmed=confirmed, now=NOW)


def test_a_window_is_changed_and_so_is_its_key():
    row = window("2026-12-01", "2026-12-02")
    change(row, "2026-12-03", "2026-12-04")
    kept = ReadingWindow.get()
    assert (kept.opens_at, kept.closes_at) == (at("2026-12-03"), at("2026-12-05"))
    assert kept.key == "2026-12-03 00:00 2026-12-04 23:59 -"


def test_the_id_that_billing_gave_stays():
    row = window("2026-12-01", "2026-12-02")
    ReadingWindow.update(key="id 7").execute()
    change(row, "2026-12-03", "2026-12-04")
    assert ReadingWindow.get().key == "id 7"
    assert planning.import_id(planning.one(row.id)) == "7"


def test_a_change_to_what_another_is_already_is_refused():
    row = window("2026-12-01", "2026-12-02")
    window("2026-12-03", "2026-12-04")
    with pytest.raises(Refused, match="già un periodo uguale"):
        change(row, "2026-12-03", "2026-12-04", confirmed=True)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (("2026-12-01", "2026-12-02"), ("2026-12-05", "2026-12-10"), "Si sovrappone"),
        (("2026-12-01", "2026-12-02"), ("2026-11-01", "2026-11-02"), "già finito"),
        (("2026-11-20", "2026-11-30"), ("2026-12-01", "2026-12-02"), "È aperto adesso"),
        (("2026-12-01", "2026-12-02"), ("2026-11-20", "2026-11-30"), "Sarà aperto subito"),
    ],
)
def test_what_follows_from_a_change_has_to_be_confirmed(before, after, words):
    window("2026-12-08", "2026-12-09")
    row = window(*before)
    with pytest.raises(NeedsConfirmation, match=words):
        change(row, *after)
    assert ReadingWindow.get_by_id(row.id).opens_at == at(before[0])
    change(row, *after, confirmed=True)
    assert ReadingWindow.get_by_id(row.id).opens_at == at(after[0])


def test_a_window_that_is_gone_is_not_changed():
    row = window("2026-12-01", "2026-12-02")
    found = planning.one(row.id)
    assert planning.delete(found)
    assert not planning.delete(found)
    span = day("2026-12-03"), WHOLE_DAYS.opening, day("2026-12-04"), WHOLE_DAYS.closing
    with pytest.raises(Refused, match="eliminato"):
        planning.change(found, span, ALL, confirmed=True, now=NOW)


def consequences(row):
    return " ".join(planning.consequences(planning.one(row.id), now=NOW))


def test_what_customers_see_after_an_open_window_is_deleted():
    row = window("2026-11-20", "2026-11-30")
    assert "il prossimo periodo non è ancora stato stabilito" in consequences(row)
    window("2026-12-27", "2026-12-31", distributor_vat="1")  # not of all of them
    assert "non è ancora stato stabilito" in consequences(row)
    window("2027-01-27", "2027-01-31")
    assert "Il prossimo periodo va dal 27/01/2027" in consequences(row)
    window("2026-11-22", "2026-11-24")
    assert "resta aperto un altro periodo, dal 22/11/2026" in consequences(row)


def test_what_customers_see_after_one_to_come_or_past_is_deleted():
    row = window("2026-12-01", "2026-12-02")
    assert "nessun altro periodo è stabilito" in consequences(row)
    window("2027-01-27", "2027-01-31")
    assert "il prossimo sarà dal 27/01/2027" in consequences(row)
    past = window("2026-10-01", "2026-10-02")
    make_self_reading(make_gas(), day("2026-10-02"), 5)
    told = consequences(past)
    assert "già arrivate in questo periodo restano: 1." in told
    assert "per i clienti non cambia nulla" in told


# -- The list ------------------------------------------------------------------------------


def test_each_window_counts_the_readings_of_its_days_and_its_supplies(count_queries):
    own, other = make_gas(distributor_vat="1"), make_gas(distributor_vat="2")
    for number in range(1, 6):
        make_self_reading(own, day(f"2026-10-0{number}"), number)
    make_self_reading(own, day("2026-10-06"), 6, state="cancelled")
    make_self_reading(other, day("2026-10-02"), 7)
    some = [
        window("2026-10-01", "2026-10-06"),
        window("2026-10-02", "2026-10-03"),
        window("2026-10-01", "2026-10-06", distributor_vat="1"),
        window("2026-10-01", "2026-10-06", supply=other),
        window("2026-10-07", "2026-10-08"),
    ]
    rows = [planning.one(each.id) for each in some]
    with count_queries() as queries:
        assert tuple(planning.counts(rows)) == (6, 3, 5, 1, 0)
    assert len(queries) == 1
    assert planning.counts([]) == ()
