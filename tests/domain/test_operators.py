"""Operators: what lets them in, once, and who may administer."""

import datetime as dt
import re

import pyotp
import pytest

from domain import operator_sessions, operators, register, second_factor, throttle
from domain.errors import Refused
from models import Operator, OperatorSession, RecoveryCode, RegisterEntry
from tests.factories import PASSWORD, make_operator
from tests.together import at_once

KEYS = operators.keys("una-chiave-di-prova-lunga-abbastanza")
NOW = dt.datetime(2026, 11, 23, 8, 0, 10, tzinfo=dt.UTC)
STRONG = "lampada fiume orologio tramonto"


def seconds(number):
    return dt.timedelta(seconds=number)


def code_of(operator, now=NOW):
    return pyotp.TOTP(operators.secret(operator, KEYS)).at(now)


def session_of(operator, now=NOW):
    """The id of a session that waits for the second factor."""
    token = operator_sessions.open_session(operator, now=now)
    return operator_sessions.load(token, now=now).session


def give(operator, code, now=NOW):
    return operators.give_code(
        operator.id, session_of(operator, now), code, address="192.0.2.1", now=now, keys=KEYS
    )


def kinds():
    return [row.kind for row in RegisterEntry.select().order_by(RegisterEntry.number)]


# -- The secret ----------------------------------------------------------------------------


def test_the_secret_is_derived_and_in_no_table(app):
    operator = make_operator()
    secret = operators.secret(operator, KEYS)
    assert re.fullmatch("[A-Z2-7]{32}", secret)
    assert secret != operators.secret(make_operator(), KEYS)
    assert secret != operators.secret(operator, operators.keys("un'altra chiave"))
    assert secret not in str(list(Operator.select().dicts()))


def test_the_address_of_the_secret_says_whose_it_is(app):
    operator = make_operator(username="m.rossi")
    address = second_factor.address_of_secret(operator, KEYS.second_factor, issuer="Prova Energia")
    parsed = pyotp.parse_uri(address)
    assert (parsed.name, parsed.issuer) == ("m.rossi", "Prova Energia")
    assert parsed.secret == operators.secret(operator, KEYS)


# -- Codes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("late", [-30, 0, 30])
def test_a_clock_may_be_one_step_off(app, late):
    operator = make_operator()
    token, shown_by = give(operator, code_of(operator, NOW + seconds(late)))
    assert operator_sessions.load(token, now=NOW).verified_at == NOW
    assert shown_by is None
    assert kinds() == ["signed_in"]


@pytest.mark.parametrize("late", [-60, 60])
def test_but_not_two(app, late):
    operator = make_operator()
    with pytest.raises(Refused, match="non vale"):
        give(operator, code_of(operator, NOW + seconds(late)))
    assert kinds() == ["second_factor_failed"]
    assert not OperatorSession.select().where(OperatorSession.verified_at.is_null(False)).exists()


def test_no_code_works_twice_nor_one_from_before_it(app):
    operator = make_operator()
    give(operator, code_of(operator))
    for late in (0, -30):
        with pytest.raises(Refused):
            give(operator, code_of(operator, NOW + seconds(late)))
    give(operator, code_of(operator, NOW + seconds(30)))


def test_of_two_with_the_same_code_one_gets_in(app):
    operator = make_operator()
    code = code_of(operator)
    ids = [session_of(operator), session_of(operator)]
    results = at_once(
        *(
            lambda each=each: operators.give_code(
                operator.id, each, code, address="192.0.2.1", now=NOW, keys=KEYS
            )
            for each in ids
        )
    )
    assert sum(isinstance(each, Refused) for each in results) == 1
    assert sorted(kinds()) == ["second_factor_failed", "signed_in"]


def test_the_token_from_before_the_code_opens_nothing(app):
    operator = make_operator()
    token = operator_sessions.open_session(operator, now=NOW)
    row = operator_sessions.load(token, now=NOW)
    fresh, _shown = operators.give_code(
        operator.id, row.session, code_of(operator), address="192.0.2.1", now=NOW, keys=KEYS
    )
    assert operator_sessions.load(token, now=NOW) is None
    assert operator_sessions.load(fresh, now=NOW).verified_at


@pytest.mark.parametrize("code", ["", "000", "१२३४५६", "abcdef", "9" * 64, "1e5", "-12345"])
def test_whatever_is_no_code_is_refused(app, code):
    with pytest.raises(Refused):
        give(make_operator(), code)


def test_a_session_ended_in_between_is_not_let_in(app):
    operator = make_operator()
    session = session_of(operator)
    operator_sessions.end_all(operator)
    with pytest.raises(Refused, match="chiuso nel frattempo"):
        operators.give_code(
            operator.id, session, code_of(operator), address="192.0.2.1", now=NOW, keys=KEYS
        )
    assert "signed_in" not in kinds()


def test_wrong_codes_are_limited_and_counted_by_enrolment(app):
    operator = make_operator()
    for _try in range(throttle.OPERATOR_CODE.most):
        with pytest.raises(Refused, match="non vale"):
            give(operator, "000000")
    with pytest.raises(throttle.TooManyTries):
        give(operator, code_of(operator))
    assert kinds() == ["second_factor_failed"] * throttle.OPERATOR_CODE.most
    give(make_operator(), code_of(Operator.select().order_by(Operator.id.desc()).get()))
    Operator.update(totp_nonce="another").where(Operator.id == operator.id).execute()
    operator = Operator.get_by_id(operator.id)
    give(operator, code_of(operator))


def test_wrong_codes_are_limited_by_the_day_too(app):
    operator, now, tried = make_operator(), NOW, 0
    while tried < throttle.OPERATOR_CODE_DAY.most:
        with pytest.raises(Refused, match="non vale"):
            give(operator, "000000", now)
        tried += 1
        if tried % throttle.OPERATOR_CODE.most == 0:
            now += throttle.OPERATOR_CODE.period + seconds(1)
    with pytest.raises(throttle.TooManyTries):
        give(operator, code_of(operator, now), now)
    later = NOW + throttle.OPERATOR_CODE_DAY.period
    give(operator, code_of(operator, later), later)


def test_right_codes_are_never_too_many(app):
    operator = make_operator()
    for n in range(throttle.OPERATOR_CODE.most + 3):
        now = NOW + seconds(30 * n)
        token, _shown_by = give(operator, code_of(operator, now), now)
        assert operator_sessions.load(token, now=now).verified_at == now


# -- Enrolment and recovery codes ----------------------------------------------------------


def enrolled():
    """(operator, its recovery codes), the second factor just enrolled."""
    operator = make_operator(totp_since=None)
    _token, shown_by = give(operator, code_of(operator))
    return Operator.get_by_id(operator.id), operators.recovery_codes(operator.id, shown_by, KEYS)


def test_the_first_code_enrols_and_makes_ten_recovery_codes(app):
    operator, codes = enrolled()
    assert operator.totp_since == NOW
    assert len(set(codes)) == second_factor.RECOVERY_CODES
    assert all(re.fullmatch(r"\d{12}", code) for code in codes)
    kept = str(list(RecoveryCode.select().dicts()))
    assert not any(code in kept for code in codes)
    assert kinds() == ["second_factor_enrolled", "signed_in"]


def test_a_recovery_code_gets_in_once_however_it_is_typed(app):
    operator, codes = enrolled()
    typed = f" {codes[3][:4]} {codes[3][4:8]}-{codes[3][8:]}"
    give(operator, typed)
    with pytest.raises(Refused):
        give(operator, typed)
    assert second_factor.OF_OPERATORS.codes_left(operator.id) == second_factor.RECOVERY_CODES - 1
    last = RegisterEntry.select().where(RegisterEntry.kind == "signed_in")
    assert '"recovery": true' in last.order_by(RegisterEntry.number.desc()).get().details


def test_of_two_with_the_same_recovery_code_one_gets_in(app):
    operator, codes = enrolled()
    ids = [session_of(operator), session_of(operator)]
    results = at_once(
        *(
            lambda each=each: operators.give_code(
                operator.id, each, codes[0], address="192.0.2.1", now=NOW, keys=KEYS
            )
            for each in ids
        )
    )
    assert sum(isinstance(each, Refused) for each in results) == 1


def test_the_recovery_code_of_another_is_no_good(app):
    _operator, codes = enrolled()
    with pytest.raises(Refused):
        give(make_operator(), codes[0])


def test_new_recovery_codes_void_the_old_ones(app):
    operator, codes = enrolled()
    later = NOW + seconds(30)
    shown_by = operators.renew_codes(
        operator.id, code_of(operator, later), address="192.0.2.1", now=later, keys=KEYS
    )
    fresh = operators.recovery_codes(operator.id, shown_by, KEYS)
    assert not set(fresh) & set(codes)
    with pytest.raises(Refused):
        give(operator, codes[0], later)
    give(operator, fresh[0], later)
    assert "recovery_codes_made" in kinds()


def test_codes_that_were_replaced_are_shown_no_more(app):
    operator = make_operator(totp_since=None)
    _token, shown_by = give(operator, code_of(operator))
    later = NOW + seconds(30)
    operators.renew_codes(
        operator.id, code_of(operator, later), address="192.0.2.1", now=later, keys=KEYS
    )
    assert operators.recovery_codes(operator.id, shown_by, KEYS) == []
    assert operators.recovery_codes(make_operator().id, shown_by, KEYS) == []


# -- The password --------------------------------------------------------------------------


def test_a_password_of_ones_own_voids_what_the_first_one_showed(app):
    operator = make_operator(totp_since=None, must_change_password=True)
    before, session = operators.secret(operator, KEYS), session_of(operator)
    other = operator_sessions.open_session(operator, now=NOW)
    token = operators.change_password(operator, STRONG, session_id=session, now=NOW, keys=KEYS)
    operator = Operator.get_by_id(operator.id)
    assert operators.secret(operator, KEYS) != before
    assert not operator.must_change_password
    assert operator_sessions.load(token, now=NOW).session == session
    assert operator_sessions.load(other, now=NOW) is None
    assert kinds() == ["password_changed"]


def test_the_telephone_stays_when_the_password_changes(app):
    operator = make_operator()
    operators.change_password(operator, STRONG, session_id=session_of(operator), now=NOW, keys=KEYS)
    assert Operator.get_by_id(operator.id).totp_nonce == operator.totp_nonce


@pytest.mark.parametrize("new", ["breve", "operatore.verdi 2026", "Prova Energia 2026"])
def test_a_password_that_is_easily_guessed_is_refused(app, new):
    operator = make_operator(username="operatore.verdi", name="Operatore Verdi")
    with pytest.raises(Refused):
        operators.change_password(
            operator, new, session_id=session_of(operator), now=NOW, keys=KEYS,
            words=["Prova Energia"],
        )  # fmt: skip
    assert kinds() == []


# -- Sign in -------------------------------------------------------------------------------


def sign_in(username, password=PASSWORD, address="192.0.2.1"):
    return operators.sign_in(username, password, address=address, now=NOW)


def test_a_user_name_is_the_same_in_capitals(app):
    make_operator(username="m.rossi")
    assert operator_sessions.load(sign_in(" M.Rossi "), now=NOW).username == "m.rossi"


def test_a_password_opens_a_session_that_opens_nothing_yet(app):
    row = operator_sessions.load(sign_in(make_operator().username), now=NOW)
    assert row.verified_at is None
    assert kinds() == []


def test_who_was_reset_gets_a_new_secret_at_the_next_password(app):
    operator = make_operator(totp_nonce=None, totp_since=None)
    sign_in(operator.username)
    assert Operator.get_by_id(operator.id).totp_nonce


# -- Administrators ------------------------------------------------------------------------


def test_a_new_operator_gets_in_with_the_first_password(app):
    operator, password = operators.create(
        "M.Verdi", "Mara Verdi", "m@example.it", "operator", now=NOW
    )
    assert re.fullmatch(r"(\w{4}-){3}\w{4}", password)
    row = operator_sessions.load(sign_in("m.verdi", password), now=NOW)
    assert (row.operator, row.must_change_password) == (operator.id, True)


@pytest.mark.parametrize("username", ["", "x", "1a", "mara verdi", "è", "a\0b", "riga di comando"])
def test_a_user_name_has_a_shape(app, username):
    with pytest.raises(Refused, match="si scrive"):
        operators.create(username, "Mara", "m@example.it", "operator", now=NOW)


def test_of_two_with_the_same_user_name_one_is_created(app):
    results = at_once(
        *[lambda: operators.create("m.verdi", "Mara", "m@example.it", "operator", now=NOW)] * 2
    )
    assert sum(isinstance(each, Refused) for each in results) == 1
    assert Operator.select().count() == 1


def test_reset_takes_all_that_let_one_in(app):
    operator, codes = enrolled()
    token = operator_sessions.open_session(operator, now=NOW)
    password = operators.reset(operator.id)
    assert operator_sessions.load(token, now=NOW) is None
    assert not RecoveryCode.select().exists()
    fresh = Operator.get_by_id(operator.id)
    assert (fresh.totp_since, fresh.totp_nonce, fresh.must_change_password) == (None, None, True)
    with pytest.raises(Refused):
        sign_in(operator.username, PASSWORD)
    assert sign_in(operator.username, password)
    assert codes


def test_the_last_active_administrator_stays(app):
    administrator = make_operator("administrator")
    make_operator("administrator", disabled_at=NOW)
    make_operator()
    for change in (
        lambda: operators.disable(administrator.id, now=NOW),
        lambda: operators.set_role(administrator.id, "operator"),
    ):
        with pytest.raises(Refused, match="unico amministratore"):
            change()
    fresh = Operator.get_by_id(administrator.id)
    assert (fresh.role, fresh.disabled_at) == ("administrator", None)


@pytest.mark.parametrize("n", range(5))
def test_two_administrators_cannot_both_go_at_once(app, n):
    one, other = make_operator("administrator"), make_operator("administrator")
    results = at_once(
        lambda: operators.set_role(one.id, "operator"),
        lambda: operators.disable(other.id, now=NOW),
    )
    assert sum(isinstance(each, Refused) for each in results) == 1
    active = Operator.select().where(
        Operator.role == "administrator", Operator.disabled_at.is_null()
    )
    assert active.count() == 1


def test_disabling_ends_what_is_open(app):
    make_operator("administrator")
    operator = make_operator()
    token = operator_sessions.open_session(operator, now=NOW)
    operators.disable(operator.id, now=NOW)
    assert not OperatorSession.select().exists()
    operators.enable(operator.id)
    assert operator_sessions.load(token, now=NOW) is None
    assert sign_in(operator.username)


def test_the_chain_holds_after_all_this(app):
    operator, codes = enrolled()
    give(operator, codes[0])
    assert register.first_broken(KEYS.seals) is None
