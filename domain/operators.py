"""Operators: getting in with a password and a second factor, and who of them may what."""

import hmac
import re
import secrets
from typing import NamedTuple

import peewee as pw
from flask_babel import gettext as _

from domain import credentials, operator_sessions, passwords, register, second_factor, throttle
from domain.connections import locking
from domain.errors import Refused
from domain.second_factor import OF_OPERATORS
from models import Operator, OperatorSession, writing

ROLES = ("operator", "administrator")
USERNAME = re.compile(r"[a-z][a-z0-9._-]{1,63}")
GROUPS_OF_FIRST_PASSWORD = 4  # of four characters each: 79 bits


class Keys(NamedTuple):
    """Both are derived from the portal's SECRET_KEY, and in no database."""

    second_factor: bytes
    seals: bytes


def keys(secret_key):
    of_codes = hmac.digest(secret_key.encode(), b"portale: second factor", "sha256")
    return Keys(of_codes, register.key(secret_key))


# -- Getting in ----------------------------------------------------------------------------


def sign_in(username, password, *, address, browser=None, now):
    """Open a session that waits for the second factor; return its token, or raise Refused.

    One sentence and one call of Argon2 whatever the reason. `browser` is the KnownBrowser of
    operators whose second factor was given there before, or None.
    """
    username = username.strip().lower()
    operator = Operator.get_or_none(Operator.username == username)
    tries = _login_tries(operator, username, address, browser)
    throttle.reserve(tries, now=now)
    if not passwords.matches(operator.password_hash if operator else None, password):
        raise _wrong_login()
    with writing():
        fresh = OF_OPERATORS.locked(operator.id)
        if fresh.disabled_at or fresh.password_hash != operator.password_hash:
            raise _wrong_login()
        throttle.give_back(tries, now=now)
        if fresh.totp_nonce is None:
            nonce = second_factor.nonce()
            Operator.update(totp_nonce=nonce).where(Operator.id == fresh.id).execute()
        return operator_sessions.open_session(fresh, now=now)


def _login_tries(operator, username, address, browser):
    """A known browser has a budget apart: who guesses from elsewhere shuts nobody out."""
    if operator and browser and operator.id in browser.accounts:
        return [(throttle.OPERATOR_BROWSER, f"{operator.id}:{browser.id}")]
    return [
        (throttle.OPERATOR_ADDRESS, throttle.place(address)),
        (throttle.OPERATOR_NAME, username),
    ]


def _wrong_login():
    return Refused(_("Utente o password non corretti."))


# -- The password --------------------------------------------------------------------------


def change_password(operator, new, *, session_id, now, keys, words=()):
    """Make `new` the password; return the token that replaces the session's.

    Every other session ends. `words` are further hints for judging its strength.
    """
    hints = [*words, operator.username, operator.name, operator.email]
    passwords.check_strength(new, hints=hints)
    changes = {"password_hash": passwords.hashed(new), "must_change_password": False}
    with writing():
        fresh = OF_OPERATORS.locked(operator.id)
        if not fresh.totp_since:  # who knew the first password knows no secret
            changes["totp_nonce"] = second_factor.nonce()
        _check_open(session_id)
        Operator.update(**changes).where(Operator.id == operator.id).execute()
        operator_sessions.end_all(operator, but=session_id)
        register.record("password_changed", operator.username, key=keys.seals, now=now)
        return operator_sessions.renew(session_id)


def _check_open(session_id):
    if not OperatorSession.select().where(OperatorSession.id == session_id).exists():
        raise Refused(_("L'accesso è stato chiuso nel frattempo: autenticarsi di nuovo."))


def confirm_password(operator, password, *, now):
    """Raise Refused unless `password` is the one in use."""
    tries = [(throttle.CHANGE_ACCOUNT, f"operator {operator.id}")]
    throttle.reserve(tries, now=now)
    if not passwords.matches(operator.password_hash, password):
        raise Refused(_("La password attuale non è corretta."))
    with writing():
        throttle.give_back(tries, now=now)


# -- The second factor ---------------------------------------------------------------------


def secret(operator, keys):
    return second_factor.secret(operator, keys.second_factor)


def give_code(operator_id, session_id, code, *, address, now, keys):
    """Let the session in: `code` is the telephone's or a recovery code.

    Return its new token and, the first time, what `recovery_codes` shows the codes by.
    """

    def enter(operator, kind):
        _check_open(session_id)
        first_time = operator.totp_since is None
        shown_by = None
        if first_time:
            Operator.update(totp_since=now).where(Operator.id == operator.id).execute()
            shown_by = OF_OPERATORS.make_codes(operator, keys.second_factor)
            register.record("second_factor_enrolled", operator.username, key=keys.seals, now=now)
        told = {"address": address} | ({"recovery": True} if kind == "recovery" else {})
        register.record("signed_in", operator.username, key=keys.seals, now=now, **told)
        return operator_sessions.verified(session_id, now=now), shown_by

    return _with_code(operator_id, code, enter, address=address, now=now, keys=keys)


def renew_codes(operator_id, code, *, address, now, keys):
    """Replace the recovery codes, `code` being right; return what they are shown by."""

    def renew(operator, _kind):
        register.record("recovery_codes_made", operator.username, key=keys.seals, now=now)
        return OF_OPERATORS.make_codes(operator, keys.second_factor)

    return _with_code(operator_id, code, renew, address=address, now=now, keys=keys)


def _with_code(operator_id, code, action, *, address, now, keys):
    """`action` in the transaction that uses `code` up; a wrong one is written in the register."""

    def refused(operator):
        told = {"key": keys.seals, "now": now, "address": address}
        register.record("second_factor_failed", operator.username, **told)

    return OF_OPERATORS.with_code(
        operator_id, code, action, refused=refused, now=now, key=keys.second_factor
    )


def recovery_codes(operator_id, shown_by, keys):
    """The codes that were made with `shown_by`; none once replaced."""
    return OF_OPERATORS.shown_codes(operator_id, shown_by, keys.second_factor)


# -- What administrators do ----------------------------------------------------------------


def listed():
    """All of them by name, those who may no more at the end."""
    return Operator.select().order_by(Operator.disabled_at.is_null(False), Operator.name)


def create(username, name, email, role, *, now):
    """A new operator; return it with its first password, to be told and forgotten."""
    username = username.strip().lower()
    if not USERNAME.fullmatch(username):
        raise Refused(
            _(
                "L'utente si scrive con almeno due lettere minuscole, cifre, punti o trattini, "
                "e comincia con una lettera: ad esempio m.rossi."
            )
        )
    password = first_password()
    values = {"name": name, "email": email, "role": role, "created_at": now}
    kept = passwords.hashed(password)
    try:
        with writing():
            operator = Operator.create(username=username, password_hash=kept, **values)
    except pw.IntegrityError:
        raise Refused(_("C'è già un operatore con questo utente: sceglierne un altro.")) from None
    return operator, password


def first_password():
    """A password that only opens the page where one's own is chosen."""
    groups = (
        "".join(secrets.choice(credentials.ALPHABET) for _place in range(4))
        for _group in range(GROUPS_OF_FIRST_PASSWORD)
    )
    return "-".join(groups)


def reset(operator_id):
    """Begin again with a new first password, which is returned, and no second factor.

    Both: who says to have lost the telephone may be somebody who has found the password.
    """
    password = first_password()
    changes = {
        "password_hash": passwords.hashed(password),
        "must_change_password": True,
        "totp_nonce": None,
        "totp_since": None,
        "totp_step": None,
    }
    with writing():
        Operator.update(**changes).where(Operator.id == operator_id).execute()
        OF_OPERATORS.forget_codes(operator_id)
        operator_sessions.end_all(operator_id)
    return password


def choose_language(operator_id, language):
    with writing():
        Operator.update(language=language).where(Operator.id == operator_id).execute()


def set_role(operator_id, role):
    with writing():
        if role != "administrator":
            _keep_an_administrator(operator_id)
        Operator.update(role=role).where(Operator.id == operator_id).execute()


def disable(operator_id, *, now):
    with writing():
        _keep_an_administrator(operator_id)
        Operator.update(disabled_at=now).where(
            Operator.id == operator_id, Operator.disabled_at.is_null()
        ).execute()
        operator_sessions.end_all(operator_id)


def enable(operator_id):
    with writing():
        Operator.update(disabled_at=None).where(Operator.id == operator_id).execute()


def _keep_an_administrator(but):
    """Raise Refused where nobody else could administer; of two at once the second is refused."""
    active = locking(
        Operator.select(Operator.id)
        .where(Operator.role == "administrator", Operator.disabled_at.is_null())
        .order_by(Operator.id)
    )
    administrators = {row.id for row in active}
    if administrators == {but}:
        raise Refused(
            _("È l'unico amministratore attivo: prima nominarne un altro, poi cambiare questo.")
        )
