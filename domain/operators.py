"""Operators: getting in with a password and a second factor, and who of them may what.

The secret of the second factor is in no copy of the database: it is derived from SECRET_KEY and
a number of the operator's own. Recovery codes are derived in the same way and only their HMAC is
kept, so that the page that shows them can be opened again until it is put away.
"""

import base64
import hashlib
import hmac
import re
import secrets
from typing import NamedTuple

import peewee as pw
import pyotp
from flask_babel import gettext as _

from domain import credentials, operator_sessions, passwords, register, throttle
from domain.errors import Refused
from models import Operator, OperatorSession, RecoveryCode, locking, writing

ROLES = ("operator", "administrator")
USERNAME = re.compile(r"[a-z][a-z0-9._-]{1,63}")
STEP = 30  # seconds that a code of the second factor is for
TOLERATED = 1  # steps that a telephone's clock may be early or late
RECOVERY_CODES = 10
RECOVERY_DIGITS = 12
GROUPS_OF_FIRST_PASSWORD = 4  # of four characters each: 79 bits


class Keys(NamedTuple):
    """Both are derived from the portal's SECRET_KEY, and in no database."""

    second_factor: bytes
    seals: bytes


def keys(secret_key):
    second_factor = hmac.digest(secret_key.encode(), b"portale: second factor", "sha256")
    return Keys(second_factor, register.key(secret_key))


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
        fresh = _locked(operator.id)
        if fresh.disabled_at or fresh.password_hash != operator.password_hash:
            raise _wrong_login()
        throttle.give_back(tries, now=now)
        if fresh.totp_nonce is None:
            Operator.update(totp_nonce=_nonce()).where(Operator.id == fresh.id).execute()
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


def _locked(operator_id):
    """The operator as it is now; nobody else changes it before the transaction ends."""
    return locking(Operator.select().where(Operator.id == operator_id)).get()


def _nonce():
    return secrets.token_hex(16)


# -- The password --------------------------------------------------------------------------


def change_password(operator, new, *, session_id, now, keys, words=()):
    """Make `new` the password; return the token that replaces the session's.

    Every other session ends. `words` are further hints for judging its strength.
    """
    hints = [*words, operator.username, operator.name, operator.email]
    passwords.check_strength(new, hints=hints)
    changes = {"password_hash": passwords.hashed(new), "must_change_password": False}
    with writing():
        if not _locked(operator.id).totp_since:  # who knew the first password knows no secret
            changes["totp_nonce"] = _nonce()
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
    """The secret that the operator's telephone keeps, in base32 (20 bytes)."""
    derived = hmac.digest(keys.second_factor, f"totp\0{operator.totp_nonce}".encode(), "sha256")
    return base64.b32encode(derived[:20]).decode()


def address_of_secret(operator, keys, *, issuer):
    """What the QR code of the enrolment says (`otpauth://…`)."""
    totp = pyotp.TOTP(secret(operator, keys))
    return totp.provisioning_uri(name=operator.username, issuer_name=issuer)


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
            shown_by = _make_codes(operator, keys)
            register.record("second_factor_enrolled", operator.username, key=keys.seals, now=now)
        told = {"address": address} | ({"recovery": True} if kind == "recovery" else {})
        register.record("signed_in", operator.username, key=keys.seals, now=now, **told)
        return operator_sessions.verified(session_id, now=now), shown_by

    return _with_code(operator_id, code, enter, address=address, now=now, keys=keys)


def renew_codes(operator_id, code, *, address, now, keys):
    """Replace the recovery codes, `code` being right; return what they are shown by."""

    def renew(operator, _kind):
        register.record("recovery_codes_made", operator.username, key=keys.seals, now=now)
        return _make_codes(operator, keys)

    return _with_code(operator_id, code, renew, address=address, now=now, keys=keys)


def _with_code(operator_id, code, action, *, address, now, keys):
    """What `action(operator, kind of the code)` returns, in the transaction that uses `code` up.

    A wrong code is counted and written in the register before it is refused.
    """
    nonce = Operator.get_by_id(operator_id).totp_nonce  # a new enrolment counts anew
    tries = [(throttle.OPERATOR_CODE, nonce), (throttle.OPERATOR_CODE_DAY, nonce)]
    throttle.reserve(tries, now=now)
    code = re.sub(r"[\s-]", "", code)
    with writing():
        operator = _locked(operator_id)
        kind = _use(operator, code, now, keys)
        if kind:
            throttle.give_back(tries, now=now)
            return action(operator, kind)
        told = {"key": keys.seals, "now": now, "address": address}
        register.record("second_factor_failed", operator.username, **told)
    raise Refused(
        _("Questo codice non vale: aspettare che il telefono ne mostri un altro e scriverlo.")
    )


def _use(operator, code, now, keys):
    """Use `code` up: "totp" or "recovery", or None where it is no good (any more)."""
    step = _step_of(operator, code, now, keys)
    if step is not None:
        Operator.update(totp_step=step).where(Operator.id == operator.id).execute()
        return "totp"
    used = RecoveryCode.update(used_at=now).where(
        RecoveryCode.operator == operator,
        RecoveryCode.digest == _digest(operator.id, code, keys),
        RecoveryCode.used_at.is_null(),
    )
    return "recovery" if used.execute() else None


def _step_of(operator, code, now, keys):
    """The step that `code` is for, if it is near and after that of the last code used."""
    totp, current = pyotp.TOTP(secret(operator, keys)), int(now.timestamp()) // STEP
    used = -1 if operator.totp_step is None else operator.totp_step
    for step in range(current - TOLERATED, current + TOLERATED + 1):
        if step > used and _same(totp.generate_otp(step), code):
            return step
    return None


def _same(code, given):
    return hmac.compare_digest(code.encode(), given.encode())


# -- Recovery codes ------------------------------------------------------------------------


def _make_codes(operator, keys):
    """New recovery codes instead of those from before; return what they are shown by."""
    shown_by = _nonce()
    RecoveryCode.delete().where(RecoveryCode.operator == operator).execute()
    for code in _codes(operator.id, shown_by, keys):
        RecoveryCode.create(operator=operator, digest=_digest(operator.id, code, keys))
    return shown_by


def recovery_codes(operator_id, shown_by, keys):
    """The codes that were made with `shown_by`, in the order of the page; none once replaced."""
    codes = _codes(operator_id, shown_by, keys)
    kept = RecoveryCode.select().where(
        RecoveryCode.operator == operator_id,
        RecoveryCode.digest == _digest(operator_id, codes[0], keys),
    )
    return codes if kept.exists() else []


def codes_left(operator_id):
    """How many recovery codes still work."""
    return (
        RecoveryCode.select()
        .where(RecoveryCode.operator == operator_id, RecoveryCode.used_at.is_null())
        .count()
    )


def _codes(operator_id, shown_by, keys):
    derived = (
        hmac.digest(keys.second_factor, f"codes\0{operator_id}\0{shown_by}\0{n}".encode(), "sha256")
        for n in range(RECOVERY_CODES)
    )
    numbers = (int.from_bytes(each) % 10**RECOVERY_DIGITS for each in derived)
    return [f"{number:0{RECOVERY_DIGITS}d}" for number in numbers]


def _digest(operator_id, code, keys):
    kept = f"code\0{operator_id}\0{code}".encode()
    return hmac.new(keys.second_factor, kept, hashlib.sha256).hexdigest()


# -- What administrators do ----------------------------------------------------------------


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
        RecoveryCode.delete().where(RecoveryCode.operator == operator_id).execute()
        operator_sessions.end_all(operator_id)
    return password


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
