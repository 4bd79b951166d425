"""A second factor beside the password: codes of a telephone (TOTP), and codes for its loss.

Operators must have one, customers may. The secret is in no copy of the database: it is derived
from a key outside it and a number of the login's own (`totp_nonce`). Recovery codes are derived
in the same way and only their HMAC is kept, so that the page that shows them can be opened again
until it is put away.
"""

import base64
import hashlib
import hmac
import re
import secrets

import pyotp
from flask_babel import gettext as _

from domain import throttle
from domain.connections import locking
from domain.errors import Refused
from models import AccountRecoveryCode, RecoveryCode, writing

STEP = 30  # seconds that a code is for
TOLERATED = 1  # steps that a telephone's clock may be early or late
RECOVERY_CODES = 10
RECOVERY_DIGITS = 12


def nonce():
    """A new number for a secret to be derived from."""
    return secrets.token_hex(16)


def secret(login, key):
    """The secret that the telephone of `login`, a row, keeps: in base32 (20 bytes)."""
    derived = hmac.digest(key, f"totp\0{login.totp_nonce}".encode(), "sha256")
    return base64.b32encode(derived[:20]).decode()


def address_of_secret(login, key, *, issuer):
    """What the QR code of the enrolment says (`otpauth://…`)."""
    totp = pyotp.TOTP(secret(login, key))
    return totp.provisioning_uri(name=login.username, issuer_name=issuer)


def step_of(login, code, *, now, key):
    """The step that `code` is for, if it is near and after that of the last code used."""
    if login.totp_nonce is None:
        return None
    totp, current = pyotp.TOTP(secret(login, key)), int(now.timestamp()) // STEP
    used = -1 if login.totp_step is None else login.totp_step
    for step in range(current - TOLERATED, current + TOLERATED + 1):
        if step > used and _same(totp.generate_otp(step), code):
            return step
    return None


def plain(code):
    """As a telephone shows it, however it was typed."""
    return re.sub(r"[\s-]", "", code)


def no_good():
    return Refused(
        _("Questo codice non vale: aspettare che il telefono ne mostri un altro e scriverlo.")
    )


def _same(code, given):
    return hmac.compare_digest(code.encode(), given.encode())


class SecondFactor:
    """That of the logins of one table."""

    def __init__(self, owner, *limits):
        """`owner`: the field of the recovery codes that says whose they are; `limits`: to tries."""
        self.owner, self.limits = owner, limits
        self.logins, self.codes = owner.rel_model, owner.model

    def locked(self, login_id):
        """The login as it is now; nobody else changes it before the transaction ends."""
        return locking(self.logins.select().where(self.logins.id == login_id)).get()

    def with_code(self, login_id, code, action, *, refused, now, key, apart=""):
        """What `action(login, kind of the code)` returns, in the transaction that uses `code` up.

        A wrong code is counted, with those of the same enrolment that have the same `apart`,
        and `refused(login)` writes of it, before it is refused.
        """
        enrolment = self.logins.get_by_id(login_id).totp_nonce
        if enrolment is None:
            raise no_good()
        tries = [(limit, f"{enrolment}{apart}") for limit in self.limits]
        throttle.reserve(tries, now=now)
        with writing():
            login = self.locked(login_id)
            kind = self._use(login, plain(code), now, key)
            if kind:
                throttle.give_back(tries, now=now)
                return action(login, kind)
            refused(login)
        raise no_good()

    def _use(self, login, code, now, key):
        """Use `code` up: "totp" or "recovery", or None where it is no good (any more)."""
        step = step_of(login, code, now=now, key=key)
        if step is not None:
            self.logins.update(totp_step=step).where(self.logins.id == login.id).execute()
            return "totp"
        used = self.codes.update(used_at=now).where(
            self.owner == login,
            self.codes.digest == _digest(login.id, code, key),
            self.codes.used_at.is_null(),
        )
        return "recovery" if used.execute() else None

    # -- Recovery codes --------------------------------------------------------------------

    def make_codes(self, login, key):
        """New recovery codes instead of those from before; return what they are shown by."""
        shown_by = nonce()
        self.forget_codes(login)
        for code in _codes(login.id, shown_by, key):
            self.codes.create(**{self.owner.name: login}, digest=_digest(login.id, code, key))
        return shown_by

    def forget_codes(self, login):
        self.codes.delete().where(self.owner == login).execute()

    def shown_codes(self, login_id, shown_by, key):
        """The codes made with `shown_by`, in the order of the page; none once replaced."""
        codes = _codes(login_id, shown_by, key)
        kept = self.codes.select().where(
            self.owner == login_id, self.codes.digest == _digest(login_id, codes[0], key)
        )
        return codes if kept.exists() else []

    def codes_left(self, login_id):
        """How many recovery codes still work."""
        left = self.codes.select().where(self.owner == login_id, self.codes.used_at.is_null())
        return left.count()


def _codes(login_id, shown_by, key):
    derived = (
        hmac.digest(key, f"codes\0{login_id}\0{shown_by}\0{n}".encode(), "sha256")
        for n in range(RECOVERY_CODES)
    )
    numbers = (int.from_bytes(each) % 10**RECOVERY_DIGITS for each in derived)
    return [f"{number:0{RECOVERY_DIGITS}d}" for number in numbers]


def _digest(login_id, code, key):
    kept = f"code\0{login_id}\0{code}".encode()
    return hmac.new(key, kept, hashlib.sha256).hexdigest()


OF_OPERATORS = SecondFactor(
    RecoveryCode.operator, throttle.OPERATOR_CODE, throttle.OPERATOR_CODE_DAY
)
OF_CUSTOMERS = SecondFactor(
    AccountRecoveryCode.account, throttle.CUSTOMER_CODE, throttle.CUSTOMER_CODE_DAY
)
