"""Registration, login, recovery and change of password, at their edges."""

import datetime as dt

import pytest

from domain import accounts, credentials, passwords, sessions
from domain.accounts import KnownBrowser
from domain.clock import utcnow
from domain.errors import Refused
from domain.throttle import TooManyTries
from models import Account, Customer, Grant, OutgoingMail, Session
from tests.factories import PASSWORD, make_account, make_customer
from tests.together import at_once

NOW = utcnow()
KEY = credentials.key("una-chiave-di-prova-lunga-abbastanza")
HERE, ELSEWHERE = "192.0.2.1", "192.0.2.2"
STRONG = "lampada fiume orologio tramonto"
TAX_CODE, VAT = "RSSMRA60A41H501X", "01114601006"


def after(**time):
    return NOW + dt.timedelta(**time)


def sign_in(username, password, *, address=HERE, browser=None, agent="", now=NOW):
    where = {"address": address, "browser": browser, "agent": agent}
    return accounts.sign_in(username, password, **where, now=now, key=KEY)


def claim(code, tax_id, *, address=HERE, now=NOW):
    return accounts.claim(code, tax_id, address=address, now=now)


def register(customer, email="maria@example.it", *, keep=False, address=HERE, now=NOW):
    return accounts.register(customer.id, email, keep=keep, address=address, now=now)


def recover(code, *, address=HERE, now=NOW):
    accounts.recover(code, address=address, now=now)


def mails(kind):
    return [row.recipient for row in OutgoingMail.select().where(OutgoingMail.kind == kind)]


# -- Login ---------------------------------------------------------------------------------


def test_a_password_opens_a_session_that_goes_everywhere(app):
    account, token = sign_in(make_account().username, PASSWORD)
    row = sessions.load(token, now=NOW)
    assert row.account == account.id
    assert not row.must_change_password


def test_a_mailed_secret_opens_a_session_for_the_change_of_password(app):
    account = make_account()
    secret = credentials.issue(account, now=NOW, key=KEY, lifetime=credentials.RECOVERY)
    _account, token = sign_in(account.username, secret)
    assert sessions.load(token, now=NOW).must_change_password
    with pytest.raises(Refused):
        sign_in(account.username, secret)


def test_a_login_disabled_while_its_password_is_verified_stays_out(app, monkeypatch):
    account = make_account()

    def disabled_meanwhile(_kept, _password):
        Account.update(disabled_at=NOW).execute()
        return True

    monkeypatch.setattr(passwords, "matches", disabled_meanwhile)
    with pytest.raises(Refused):
        sign_in(account.username, PASSWORD)
    assert Session.select().count() == 0


def test_right_passwords_use_no_tries_up(app, monkeypatch):
    account = make_account()
    monkeypatch.setattr(passwords, "matches", lambda _kept, _password: True)
    for _ in range(30):
        sign_in(account.username, PASSWORD)
    assert Session.select().count() == 30


def test_an_address_has_ten_failures_in_five_minutes(app, monkeypatch):
    monkeypatch.setattr(passwords, "matches", lambda _kept, _password: False)
    for n in range(10):
        with pytest.raises(Refused, match="non corretti"):
            sign_in(f"{n:06d}", "x")
    with pytest.raises(TooManyTries):
        sign_in("000099", "x")
    for address, now in ((ELSEWHERE, NOW), (HERE, after(minutes=5))):
        with pytest.raises(Refused, match="non corretti"):
            sign_in("000099", "x", address=address, now=now)


def test_a_known_browser_keeps_a_budget_of_its_own(app, monkeypatch):
    account = make_account()
    known = KnownBrowser("b", (account.id,))
    other = KnownBrowser("c", (account.id + 1,))
    with monkeypatch.context() as patch:
        patch.setattr(passwords, "matches", lambda _kept, _password: False)
        for n in range(25):
            with pytest.raises(Refused):
                sign_in(account.username, "x", address=f"192.0.2.{n}")
    with pytest.raises(TooManyTries):
        sign_in(account.username, PASSWORD)
    with pytest.raises(TooManyTries):
        sign_in(account.username, PASSWORD, browser=other)
    assert sign_in(account.username, PASSWORD, browser=known)
    for _ in range(10):
        with pytest.raises(Refused, match="non corretti"):
            sign_in(account.username, "x", browser=known)
    with pytest.raises(TooManyTries):
        sign_in(account.username, PASSWORD, browser=known)


# -- Registration --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        "01114601006",
        "IT01114601006",
        " it 011 146 01006",
        "rssmra60a41h501x",
        "RSS MRA 60A41 H501X",
    ],
)
def test_the_tax_code_or_the_vat_number_however_typed(app, typed):
    customer = make_customer(tax_code=TAX_CODE, vat_number=VAT)
    assert claim(f" {customer.code}", typed) == customer


def test_a_stored_number_of_odd_shape_is_compared_alike(app):
    customer = make_customer(tax_code=None, vat_number="IT 01114601006")
    assert claim(customer.code, VAT) == customer


@pytest.mark.parametrize("typed", ["", " ", "-", "01114601007", "None"])
def test_another_number_is_refused(app, typed):
    customer = make_customer(tax_code=None, vat_number=VAT)
    with pytest.raises(Refused):
        claim(customer.code, typed)


def test_one_number_may_be_wrong_for_five_codes_a_day(app):
    customer = make_customer(vat_number=VAT)
    for n in range(5):
        with pytest.raises(Refused, match="Con questi dati"):
            claim(f"99{n:04d}", VAT, address=f"192.0.2.{n}")
    with pytest.raises(TooManyTries):
        claim(customer.code, VAT, address="192.0.2.99", now=after(hours=23))
    assert claim(customer.code, VAT, now=after(hours=24)) == customer


def test_a_code_may_be_tried_ten_times_an_hour(app):
    customer = make_customer(vat_number=VAT)
    for n in range(10):
        with pytest.raises(Refused, match="Con questi dati"):
            claim(customer.code, f"{n:011d}", address=f"192.0.2.{n}")
    with pytest.raises(TooManyTries):
        claim(customer.code, VAT, address="192.0.2.99")


def test_many_customers_of_one_number_can_all_register(app):
    for _ in range(12):
        customer = make_customer(vat_number=VAT)
        assert claim(customer.code, VAT) == customer


def test_the_owner_is_told_of_an_attempt_once_a_day(app):
    account = make_account(make_customer(vat_number=VAT), email="padrone@example.it")
    for now in (NOW, after(hours=23), after(hours=25)):
        with pytest.raises(Refused):
            claim(account.username, VAT, now=now)
        OutgoingMail.update(state="sent").execute()
    assert mails("registration_attempt") == ["padrone@example.it"] * 2


def test_a_disabled_login_is_neither_told_nor_replaced(app):
    account = make_account(
        make_customer(vat_number=VAT), password=False, disabled_at=NOW, created_at=after(days=-30)
    )
    with pytest.raises(Refused):
        claim(account.username, VAT)
    assert OutgoingMail.select().count() == 0


def test_registration_makes_all_or_nothing(app, monkeypatch):
    customer = make_customer(email="vecchio@example.it")

    def broken(kind, *_args, **_more):
        raise RuntimeError(kind)

    monkeypatch.setattr("domain.mail.queue", broken)
    with pytest.raises(RuntimeError):
        register(customer, keep=True)
    assert Account.select().count() == Grant.select().count() == 0
    assert Customer.get_by_id(customer.id).email == "vecchio@example.it"


def test_no_notice_where_the_address_is_the_known_one(app):
    register(make_customer(email="Maria@Example.it"), "maria@example.it")
    assert mails("registration_notice") == []


def test_all_known_addresses_are_told_where_billing_keeps_several_in_one(app):
    register(make_customer(email="maria@example.it; a@example.it, b@example.it (casa)"))
    assert sorted(mails("registration_notice")) == ["a@example.it", "b@example.it"]


def test_a_login_never_used_can_be_registered_anew_after_three_days(app):
    customer = make_customer(vat_number=VAT)
    account = register(customer, "mraia@example.it")
    mistaken = credentials.issue(account, now=NOW, key=KEY, lifetime=credentials.FIRST_ACCESS)
    with pytest.raises(Refused):
        claim(customer.code, VAT, now=after(hours=71))
    assert claim(customer.code, VAT, now=after(hours=72)) == customer
    renewed = register(customer, now=after(hours=71, minutes=59, seconds=60))
    assert (renewed.id, renewed.email) == (account.id, "maria@example.it")
    assert mails("first_access") == ["mraia@example.it", "maria@example.it"]
    assert mails("registration_notice") == ["mraia@example.it"]
    assert credentials.redeem(customer.code, mistaken, now=NOW, key=KEY) is None
    with pytest.raises(Refused):
        register(customer, "ladro@example.it", now=after(hours=73))


def test_a_login_in_use_is_never_registered_anew(app):
    account = make_account(make_customer(vat_number=VAT), created_at=after(days=-900))
    with pytest.raises(Refused):
        claim(account.username, VAT)


# -- Recovery ------------------------------------------------------------------------------


def test_at_most_three_mails_in_any_six_hours(app):
    account = make_account()
    for minutes in (0, 350, 355, 358, 361, 365, 700, 715):
        recover(account.username, now=after(minutes=minutes))
        OutgoingMail.update(state="sent").execute()
    made = [row.created_at - NOW for row in OutgoingMail.select().order_by(OutgoingMail.id)]
    assert [int(each.total_seconds() / 60) for each in made] == [0, 350, 355, 361, 715]


def test_mails_that_still_wait_count_as_well(app):
    account = make_account()
    for day in range(5):
        recover(account.username, now=after(days=day))
    assert len(mails("recovery")) == 3


def test_no_mail_while_three_secrets_are_alive(app):
    account = make_account()
    for _ in range(3):
        credentials.issue(account, now=NOW, key=KEY, lifetime=credentials.FIRST_ACCESS)
    recover(account.username, now=after(hours=71))
    assert mails("recovery") == []
    recover(account.username, now=after(hours=73))
    assert mails("recovery") == [account.email]


def test_a_login_without_own_password_yet_can_be_recovered(app):
    recover(make_account(password=False, email="maria@example.it").username)
    assert mails("recovery") == ["maria@example.it"]


@pytest.mark.parametrize("case", ["unknown", "unregistered", "disabled"])
def test_nobody_else_gets_a_mail(app, case):
    code = "999999"
    if case == "unregistered":
        code = make_customer(email="x@example.it").code
    elif case == "disabled":
        code = make_account(disabled_at=NOW).username
    recover(code)
    assert OutgoingMail.select().count() == 0


def test_an_address_may_ask_ten_times_an_hour(app):
    for n in range(10):
        recover(f"{n:06d}")
    with pytest.raises(TooManyTries):
        recover("000099")
    recover("000099", address=ELSEWHERE)


# -- Change of password --------------------------------------------------------------------


def test_the_customers_own_data_make_a_weak_password(app):
    customer = make_customer(name="BIANCHI LUISELLA", city="SANTARCANGELO", phone="0541123456")
    account = make_account(customer, email="luisella.bianchi@example.it")
    token = sessions.open_session(account, now=NOW)
    for weak in ("bianchiluisella", "santarcangelo0541123456", "luisella.bianchi@example.it"):
        with pytest.raises(passwords.TooWeak):
            accounts.change_password(account.id, weak, token=token, now=NOW)
    with pytest.raises(passwords.TooWeak):
        accounts.change_password(
            account.id, "ravennatenergia", token=token, now=NOW, words=["ravennatenergia"]
        )
    accounts.change_password(account.id, STRONG, token=token, now=NOW)


def test_the_session_goes_on_under_a_new_token(app):
    account = make_account()
    token = sessions.open_session(account, now=NOW, must_change_password=True)
    fresh = accounts.change_password(account.id, STRONG, token=token, now=NOW)
    assert sessions.load(token, now=NOW) is None
    assert not sessions.load(fresh, now=NOW).must_change_password


# -- All at once ---------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["new", "never used"])
def test_of_simultaneous_registrations_one_wins(app, case):
    customer = make_customer()
    if case == "never used":
        make_account(customer, password=False, created_at=after(days=-4))
    outcomes = at_once(
        *[lambda n=n: register(customer, f"x{n}@example.it").email for n in range(6)]
    )
    [winner] = [each for each in outcomes if not isinstance(each, Refused)]
    assert Account.get().email == winner
    assert Account.select().count() == Grant.select().count() == 1
    assert mails("first_access") == [winner]


def test_saving_twice_at_once_is_registering_once(app):
    customer = make_customer(email="vecchio@example.it")
    outcomes = at_once(*[lambda: register(customer, "maria@example.it").username] * 4)
    assert outcomes == [customer.code] * 4
    assert mails("first_access") == ["maria@example.it"]
    assert mails("registration_notice") == ["vecchio@example.it"]
    with pytest.raises(Refused):
        register(customer, "maria@example.it", now=after(minutes=1))


def test_of_simultaneous_recoveries_three_are_mailed(app):
    account = make_account()
    at_once(*[lambda n=n: recover(account.username, address=f"192.0.2.{n}") for n in range(8)])
    assert mails("recovery") == [account.email] * 3


def test_of_simultaneous_uses_of_a_secret_one_gets_in(app, monkeypatch):
    account = make_account()
    monkeypatch.setattr(passwords, "matches", lambda _kept, _password: False)
    secret = credentials.issue(account, now=NOW, key=KEY, lifetime=credentials.RECOVERY)
    outcomes = at_once(*[lambda: sign_in(account.username, secret)[0].id] * 6)
    assert sorted(map(type, outcomes), key=str) == [Refused] * 5 + [int]
    assert account.id in outcomes
    assert Session.select().count() == 1


def test_a_change_whose_session_ends_while_it_is_hashed_changes_nothing(app, monkeypatch):
    account = make_account()
    owner = sessions.open_session(account, now=NOW)
    thief = sessions.open_session(account, now=NOW)
    hashed = passwords.hashed

    def overtaken(password):
        kept = hashed(password)
        monkeypatch.undo()
        accounts.change_password(account.id, STRONG, token=owner, now=NOW)
        return kept

    monkeypatch.setattr(passwords, "hashed", overtaken)
    with pytest.raises(Refused, match="chiuso nel frattempo"):
        accounts.change_password(account.id, "quattro gatti sul tetto rosso", token=thief, now=NOW)
    assert sign_in(account.username, STRONG)


def test_a_login_disabled_during_a_change_keeps_its_password(app, monkeypatch):
    account = make_account()
    token = sessions.open_session(account, now=NOW)

    def disabled(_password):
        Account.update(disabled_at=NOW).execute()
        return "other"

    monkeypatch.setattr(passwords, "hashed", disabled)
    with pytest.raises(Refused, match="chiuso nel frattempo"):
        accounts.change_password(account.id, STRONG, token=token, now=NOW)
    assert Account.get().password_hash == account.password_hash
