"""Mandates: given, accepted, used, ended, whoever comes first."""

import datetime as dt
import json
from functools import partial

import pytest

from domain import (
    erasing,
    history,
    logins,
    mandate_links,
    mandate_list,
    mandates,
    readings,
    retention,
)
from domain.errors import Refused
from domain.history_sentences import SENTENCES, sentence
from domain.mail import sender, transport
from domain.mandates import EVERYTHING, INVOICES, Wanted
from domain.retention import Times
from domain.throttle import TooManyTries
from models import (
    Account,
    Customer,
    Event,
    Mandate,
    MandateSupply,
    OutgoingMail,
    SelfReading,
    Session,
    SupplyPoint,
)
from tests.factories import (
    PASSWORD,
    make_account,
    make_customer,
    make_delegate,
    make_electricity,
    make_gas,
    make_mandate,
    make_window,
)
from tests.together import at_once

NOW = dt.datetime(2026, 6, 15, 9, 0, tzinfo=dt.UTC)
TODAY = NOW.date()
KEY = b"chiave di prova"
HERE = {"address": "192.0.2.1", "now": NOW, "key": KEY}
STRONG = "canarino lampada fiume orologio"


@pytest.fixture
def rosa(app):
    """A login whose customer has a gas and an electricity supply."""
    customer = make_customer("000002", name="ROSSI ROSA")
    account = make_account(customer, email="rosa@example.it")
    account.customer = customer
    account.gas, account.electricity = make_gas(customer, "PR1"), make_electricity(customer, "PR2")
    return account


def wanted(*supplies, **values):
    given = {
        "name": "STUDIO VERDI",
        "email": "verdi@example.it",
        "scope": EVERYTHING,
        "supplies": supplies or ("PR1",),
        "ends_on": TODAY + dt.timedelta(days=30),
        **values,
    }
    return Wanted(**given)


def give(rosa, asked=None, *, password=PASSWORD, now=NOW):
    return mandates.give(rosa.customer.id, rosa.id, asked or wanted(), password, now=now)


def token_of(mandate, now=NOW):
    return mandate_links.make(mandate.id, mandate.email, now=now, key=KEY)


def accept_newly(token, password=STRONG, now=NOW):
    return mandates.accept_newly(
        token, password, words=(), agent="", address="192.0.2.1", now=now, key=KEY
    )[0]


def mails(kind):
    return [row.recipient for row in OutgoingMail.select().where(OutgoingMail.kind == kind)]


def told():
    """«Storico» of all, the first first."""
    rows = Event.select().where(Event.kind.startswith("mandate_")).order_by(Event.id)
    return [sentence(row.kind, row.details) for row in rows]


# -- Giving --------------------------------------------------------------------------------


def test_a_given_mandate_waits_for_its_invitation(rosa):
    mandate = give(rosa, wanted("PR1", "PR2"))
    assert MandateSupply.select().where(MandateSupply.mandate == mandate).count() == 2
    [mail] = OutgoingMail.select()
    assert (mail.kind, mail.recipient, mail.account) == (
        "mandate_invitation", "verdi@example.it", None,
    )  # fmt: skip
    assert json.loads(mail.params)["until"] == "2026-07-15"
    assert told() == [
        "Data una delega a STUDIO VERDI fino al 15/07/2026 (tutto tranne la modifica dei dati), "
        "in attesa che la accetti."
    ]
    assert [each.state for each in mandate_list.given(rosa.customer.id, now=NOW)] == ["invited"]


def test_given_twice_at_once_it_is_given_once(rosa):
    assert give(rosa) == give(rosa)
    assert mails("mandate_invitation") == ["verdi@example.it"]
    later = NOW + dt.timedelta(minutes=2)
    assert give(rosa, now=later).id != Mandate.select().order_by(Mandate.id).first().id


def test_given_for_another_supply_at_once_it_is_another_mandate(rosa):
    for supply in ("PR1", "PR2"):
        give(rosa, wanted(supply))
    assert [each.supplies for each in mandate_list.given(rosa.customer.id, now=NOW)] == [
        ("PR2",), ("PR1",),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"supplies": ()}, "almeno una"),
        ({"supplies": ("PR1", "PR999")}, "almeno una"),
        ({"supplies": ("PR1\x00",)}, "almeno una"),
        ({"ends_on": TODAY - dt.timedelta(days=1)}, "ultimo giorno"),
        ({"ends_on": dt.date(2028, 6, 16)}, "ultimo giorno"),
        ({"email": "ROSA@example.it"}, "proprio indirizzo"),
    ],
)
def test_what_cannot_be_given_is_refused(rosa, values, reason):
    with pytest.raises(Refused, match=reason):
        give(rosa, wanted()._replace(**values))
    assert not Mandate.select().exists()
    assert not OutgoingMail.select().exists()


@pytest.mark.parametrize("day", [TODAY, dt.date(2028, 6, 15)])
def test_the_first_and_the_last_day_can_be_chosen(rosa, day):
    assert give(rosa, wanted(ends_on=day)).ends_on == day


def test_two_years_from_a_leap_day_end_the_day_before():
    assert mandates.last_day(dt.date(2028, 2, 29)) == dt.date(2030, 2, 28)
    assert mandates.last_day(dt.date(2026, 8, 31)) == dt.date(2028, 8, 31)


def test_nothing_is_given_without_the_password(rosa):
    with pytest.raises(Refused, match="password"):
        give(rosa, password="sbagliata")
    assert not Mandate.select().exists()


def test_a_supply_of_another_customer_cannot_be_given(rosa):
    other = make_gas(make_customer())
    with pytest.raises(Refused, match="proprie forniture"):
        give(rosa, wanted(other.code))


def test_invitations_of_a_login_are_counted(rosa):
    for n in range(10):
        give(rosa, wanted(email=f"v{n}@example.it"))
    with pytest.raises(TooManyTries):
        give(rosa, wanted(email="ancora@example.it"))
    assert Mandate.select().count() == 10


def test_a_customer_has_twenty_at_most(rosa):
    for _n in range(mandates.MOST):
        make_mandate(rosa.customer, rosa.gas, ends_on=TODAY)
    with pytest.raises(Refused, match="al massimo 20"):
        give(rosa)


# -- Accepting -----------------------------------------------------------------------------


def test_who_has_no_login_gets_one_with_the_mandate(rosa):
    account = accept_newly(token_of(give(rosa)))
    assert account.username.startswith("D")
    assert account.email == "verdi@example.it"
    [row] = mandates.in_force(account.id, now=NOW)
    assert (row.supply, row.scope, row.delegate) == ("PR1", EVERYTHING, "STUDIO VERDI")
    assert mails("mandate_accepted") == ["rosa@example.it"]
    assert mails("mandate_received") == ["verdi@example.it"]
    assert told()[-1] == "STUDIO VERDI ha accettato la delega."
    assert Session.select().where(Session.account == account).count() == 1


def test_a_login_that_there_is_takes_the_mandate_beside_its_own(rosa):
    """And one login may hold those of several customers."""
    carlo, bruna = make_account(), make_account(make_customer(name="BRUNA"))
    gas = make_gas(bruna.grants.get().customer, "PR7")
    make_mandate(gas.customer, gas, account=carlo, ends_on=TODAY)
    mandates.accept(token_of(give(rosa)), carlo.id, **HERE)
    assert [row.supply for row in mandates.in_force(carlo.id, now=NOW)] == ["PR7", "PR1"]


def test_a_new_login_is_made_whether_or_not_the_address_has_one(rosa):
    """Nobody learns from an invitation whose address is known."""
    known = make_account(email="verdi@example.it")
    account = accept_newly(token_of(give(rosa)))
    assert account.id != known.id
    assert not mandates.in_force(known.id, now=NOW)


def test_a_weak_password_takes_nothing(rosa):
    token = token_of(give(rosa))
    with pytest.raises(Refused, match="si indovina"):
        accept_newly(token, "studioverdi2026")
    assert Account.select().count() == 1
    accept_newly(token)


def test_accepted_again_by_the_same_login_changes_nothing(rosa):
    carlo, token = make_account(), token_of(give(rosa))
    for _twice in range(2):
        mandates.accept(token, carlo.id, **HERE)
    assert len(mails("mandate_accepted")) == 1


def test_nobody_else_accepts_it_again(rosa):
    token = token_of(give(rosa))
    mandates.accept(token, make_account().id, **HERE)
    with pytest.raises(mandate_links.Accepted):
        mandates.accept(token, make_account().id, **HERE)
    with pytest.raises(mandate_links.Accepted):
        accept_newly(token)


def test_the_giver_does_not_accept_it(rosa):
    with pytest.raises(Refused, match="chi ha dato la delega"):
        mandates.accept(token_of(give(rosa)), rosa.id, **HERE)
    assert not mandates.in_force(rosa.id, now=NOW)


def test_an_invitation_ends_after_seven_days_or_with_the_mandate(rosa):
    mandate, short = give(rosa), give(rosa, wanted(ends_on=TODAY))
    tokens = token_of(mandate), token_of(short)
    week = {**HERE, "now": NOW + dt.timedelta(days=7)}
    tomorrow = {**HERE, "now": NOW + dt.timedelta(days=1)}
    for token, when in ((tokens[0], week), (tokens[1], tomorrow)):
        with pytest.raises(mandate_links.Void):
            mandates.opened(token, **when)
    assert mandates.opened(tokens[0], **tomorrow).id == mandate.id
    assert mandate_links.make(mandate.id, mandate.email, now=week["now"], key=KEY) is None
    assert [each.state for each in mandate_list.given(rosa.customer.id, now=week["now"])] == [
        "lapsed", "ended",
    ]  # fmt: skip


def test_who_holds_many_mandates_can_give_back_each_of_them(rosa):
    many, delegate = mandate_list.ENDED + 1, make_delegate()
    days = {"given_at": NOW, "accepted_at": NOW, "ends_on": TODAY}
    for _each in range(many):
        make_mandate(rosa.customer, account=delegate, **days)
    assert len(mandate_list.received(delegate.id, now=NOW)) == many


def test_one_in_force_is_listed_however_many_have_ended_since(rosa):
    days = {"given_at": NOW, "accepted_at": NOW, "ends_on": TODAY}
    old = make_mandate(rosa.customer, account=make_delegate(), **days)
    for _each in range(mandate_list.ENDED + 1):
        make_mandate(rosa.customer, ended_at=NOW, ended_by="customer", **days)
    listed = mandate_list.given(rosa.customer.id, now=NOW)
    assert (listed[0].id, listed[0].state) == (old.id, "active")
    assert len(listed) == 1 + mandate_list.ENDED
    every = mandate_list.given(rosa.customer.id, ended=mandate_list.EVERY, now=NOW)
    assert len(every) == 2 + mandate_list.ENDED


@pytest.mark.parametrize("token", ["", "x", "W10.x", "è", "a" * 4000])
def test_what_is_no_link_opens_nothing(app, token):
    with pytest.raises(mandate_links.Void):
        mandates.opened(token, **HERE)


def test_a_link_signed_with_another_key_opens_nothing(rosa):
    given = give(rosa)
    forged = mandate_links.make(given.id, given.email, now=NOW, key=b"altra")
    with pytest.raises(mandate_links.Void):
        mandates.opened(forged, **HERE)


def test_an_invitation_taken_back_is_never_mailed(rosa):
    mandate = give(rosa)
    mandates.revoke(rosa.customer.id, mandate.id, account=rosa.id, now=NOW)
    assert token_of(mandate) is None


@pytest.fixture
def instead(rosa):
    """Give a mandate in place of one that is erased: on SQLite it has the same number."""

    def give_instead():
        mandates.forget(rosa.customer.id, [rosa.id], now=NOW)
        rosa.customer = make_customer(name="BLU BRUNO")
        make_gas(rosa.customer, "PR9")
        return give(rosa, wanted("PR9"))

    return give_instead


def test_the_mail_of_an_erased_mandate_never_brings_the_link_of_the_next(rosa, instead):
    give(rosa, wanted(email="eva@example.net"))
    mail = OutgoingMail.get(OutgoingMail.recipient == "eva@example.net")
    assert sender.link(mail, now=NOW, key=KEY)
    instead()
    with pytest.raises(transport.Undeliverable):
        sender.link(mail, now=NOW, key=KEY)


def test_the_login_of_an_erased_mandate_keeps_nobody_from_the_next(rosa, instead):
    before = accept_newly(token_of(give(rosa)))
    after = accept_newly(token_of(instead()))
    assert before.username == "D00001"
    assert after.username == "D00002"


def test_of_two_who_accept_at_once_one_gets_it(rosa):
    token = token_of(give(rosa))
    tries = [partial(mandates.accept, token, make_account().id, **HERE) for _n in range(4)]
    results = at_once(*tries)
    assert [type(each) for each in results if each] == [mandate_links.Accepted] * 3
    assert len(mails("mandate_accepted")) == 1


def test_revoked_while_it_is_accepted_it_is_over(rosa):
    mandate, carlo = give(rosa), make_account()
    token = token_of(mandate)

    at_once(
        partial(mandates.revoke, rosa.customer.id, mandate.id, account=rosa.id, now=NOW),
        partial(mandates.accept, token, carlo.id, **HERE),
    )
    assert Mandate.get().ended_by == "customer"
    assert not mandates.in_force(carlo.id, now=NOW)


# -- Using ---------------------------------------------------------------------------------


def test_the_first_use_of_a_day_is_told(rosa):
    delegate = make_delegate()
    make_mandate(rosa.customer, rosa.gas, account=delegate)
    for hours in (0, 1, 24):
        now = NOW + dt.timedelta(hours=hours)
        [row] = mandates.in_force(delegate.id, now=now)
        mandates.note_use(row, now=now)
        mandates.note_use(row, now=now)
    assert told() == ["STUDIO ROSSI ha usato la delega."] * 2


def test_of_two_mandates_for_a_supply_the_wider_comes_first(rosa):
    delegate = make_delegate()
    make_mandate(rosa.customer, rosa.gas, account=delegate, scope=INVOICES)
    make_mandate(rosa.customer, rosa.gas, account=delegate, scope=EVERYTHING)
    assert [row.scope for row in mandates.in_force(delegate.id, now=NOW)] == [EVERYTHING, INVOICES]


def test_a_reading_entered_by_a_delegate_says_so_and_is_the_customers(rosa):
    make_window(NOW - dt.timedelta(days=1), NOW + dt.timedelta(days=1))
    reading = readings.submit(rosa.gas, 1000, None, delegate="STUDIO VERDI", now=NOW)
    assert reading.account_id == rosa.id
    [row] = readings.page(rosa.gas, sort="-data", limit=10, offset=0)
    assert row.delegate == "STUDIO VERDI"
    assert SelfReading.of(rosa.id).count() == 1
    event = Event.get()
    assert (event.account_id, json.loads(event.details)["delegate"]) == (None, "STUDIO VERDI")


# -- Ending --------------------------------------------------------------------------------


@pytest.fixture
def held(rosa):
    """A mandate that a delegate holds."""
    delegate = make_delegate(email="verdi@example.it")
    mandate = make_mandate(rosa.customer, rosa.gas, account=delegate, given_at=NOW)
    Mandate.update(accepted_at=NOW).execute()
    return Mandate.get_by_id(mandate.id)


def revoke(rosa, held):
    return mandates.revoke(rosa.customer.id, held.id, account=rosa.id, now=NOW)


def test_revoked_it_ends_once_and_both_are_told(rosa, held):
    assert revoke(rosa, held)
    assert not revoke(rosa, held)
    assert not mandates.in_force(held.account_id, now=NOW)
    assert mails("mandate_ended") == ["rosa@example.it", "verdi@example.it"]
    assert told() == ["Revocata la delega a STUDIO ROSSI."]


def test_it_can_be_given_back(rosa, held):
    assert mandates.give_back(held.account_id, held.id, now=NOW)
    assert told() == ["STUDIO ROSSI ha restituito la delega."]
    assert len(mails("mandate_ended")) == 2


def test_nobody_ends_the_mandates_of_others(rosa, held):
    assert not mandates.revoke(make_customer().id, held.id, account=rosa.id, now=NOW)
    assert not mandates.give_back(make_delegate().id, held.id, now=NOW)
    assert mandates.in_force(held.account_id, now=NOW)


def test_with_the_last_open_login_of_the_customer_it_ends(rosa, held):
    second = make_account(rosa.customer, username="secondo")
    logins.disable(second, rosa.customer.id, now=NOW)
    assert mandates.in_force(held.account_id, now=NOW)
    logins.disable(rosa, rosa.customer.id, now=NOW)
    logins.enable(rosa, rosa.customer.id, now=NOW)
    assert Mandate.get().ended_by == "utility"
    assert not mandates.in_force(held.account_id, now=NOW)
    assert told() == ["Chiusa la delega a STUDIO ROSSI."]


def test_the_night_after_the_last_day_writes_the_end_down(rosa, held):
    after = dt.datetime.combine(held.ends_on, dt.time(23), dt.UTC)  # the next day in Rome
    assert mandates.end_past(now=after) == 1
    assert mandates.end_past(now=after) == 0
    assert told() == ["La delega a STUDIO ROSSI è finita nel giorno stabilito."]
    assert not mails("mandate_ended")


def test_an_erased_customer_leaves_no_mandate(rosa, held):
    SupplyPoint.update(ended_on=dt.date(2020, 1, 1)).execute()
    erasing.erase(rosa.customer.id, now=NOW)
    assert not Mandate.select().exists()
    assert Customer.get_by_id(rosa.customer.id).erased_at


def test_an_erased_delegate_ends_what_others_gave(rosa):
    carlo = make_account(make_customer("000009"))
    make_mandate(rosa.customer, rosa.gas, account=carlo, name="CARLO")
    erasing.erase(carlo.grants.get().customer_id, now=NOW)
    assert Mandate.get().ended_by == "utility"


def test_what_ended_long_ago_goes_and_with_it_the_login_made_for_it(rosa, held):
    carlo = make_account()
    make_mandate(rosa.customer, rosa.gas, account=carlo)
    revoke(rosa, held)
    times = Times(90, 180, 24, 10, 0)
    Account.update(created_at=NOW).execute()
    for months, left in ((23, 2), (26, 1)):
        later = NOW + dt.timedelta(days=30.5 * months)
        for what, table, condition in retention.expired(times, now=later):
            if what == "deleghe finite":
                retention.purge_rows(table, condition)
        erasing.forget_delegates(now=later)
        assert Mandate.select().count() == left
    blank = Account.get_by_id(held.account_id)
    assert (blank.email, blank.password_hash) == ("", None)
    assert Account.get_by_id(carlo.id).email
    assert Account.get_by_id(rosa.id).email


def test_every_event_of_a_mandate_has_its_sentence():
    assert set(history.MANDATES) <= SENTENCES.keys()
    assert set(history.OF_DELEGATES) <= set(history.MANDATES)
