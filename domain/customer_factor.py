"""The second factor of a customer's login: for who wants it, asked for after the password.

Until its code is right a session opens nothing (see domain/sessions.py), whatever it was opened
with. What may be added is derived from the session that asks: nothing is kept until the first
code is right.
"""

import hmac

from flask_babel import gettext as _

from domain import accounts, history, mail, second_factor, sessions
from domain.errors import Refused
from domain.second_factor import OF_CUSTOMERS
from models import Account, writing


def key(secret_key):
    """The key of the secrets (bytes), derived from the portal's SECRET_KEY."""
    return hmac.digest(secret_key.encode(), b"portale: second factor of customers", "sha256")


# -- Getting in ----------------------------------------------------------------------------


def give_code(account_id, code, *, token, address, browser, agent, now, key):
    """Let the session in: `code` is the telephone's or a recovery code; return its new token.

    `browser` is the KnownBrowser or None, `agent` what it calls itself.
    """

    def enter(account, kind):
        row = _open_session(token, now)
        details = {"mailed": True} if row.must_change_password else {}
        details |= {"recovery": True} if kind == "recovery" else {}
        accounts.note_access(account, address, agent, now, **details)
        return sessions.verified(token, account, now=now)

    return _with_code(account_id, code, enter, address=address, browser=browser, now=now, key=key)


def _open_session(token, now):
    row = sessions.load(token, now=now, quietly=True)
    if row is None:
        raise Refused(_("L'accesso è stato chiuso nel frattempo: autenticarsi di nuovo."))
    return row


def _with_code(account_id, code, action, *, address, browser, now, key):
    """`action` in the transaction that uses `code` up; «Storico» tells of a wrong one.

    A known browser has a budget apart: whoever has found the password shuts its owner out of none.
    """

    def refused(account):
        history.record("second_factor_failed", now=now, account=account, address=address)

    known = browser and account_id in browser.accounts
    return OF_CUSTOMERS.with_code(
        account_id, code, action,
        refused=refused, now=now, key=key, apart=f":{browser.id}" if known else "",
    )  # fmt: skip


# -- Adding and removing -------------------------------------------------------------------


def proposed(account_id, *, token, key):
    """The account with the second factor that the session `token` may add to it; not saved."""
    account = Account.get_by_id(account_id)
    account.totp_nonce = hmac.digest(key, f"proposed\0{token}".encode(), "sha256")[:16].hex()
    account.totp_step = None
    return account


def add(account_id, code, *, token, now, key):
    """Ask for a code from now on, `code` being right for what was `proposed`.

    Every other session ends, of whoever was in with the password alone. Returns the token that
    replaces `token`, and what `OF_CUSTOMERS.shown_codes` shows the recovery codes by.
    """
    with writing():
        if OF_CUSTOMERS.locked(account_id).totp_since:
            raise Refused(_("Il secondo fattore è già attivo."))
        _open_session(token, now)
        account = proposed(account_id, token=token, key=key)
        step = second_factor.step_of(account, second_factor.plain(code), now=now, key=key)
        if step is None:
            raise second_factor.no_good()
        changes = {"totp_nonce": account.totp_nonce, "totp_since": now, "totp_step": step}
        Account.update(changes).where(Account.id == account_id).execute()
        shown_by = OF_CUSTOMERS.make_codes(account, key)
        sessions.end_all(account_id, but=token)
        _tell("second_factor_added", account, now)
        return sessions.renew(token), shown_by


def remove(account_id, code, *, token, address, browser, now, key):
    """Ask for no code any more, `code` being right; return the token that replaces `token`."""

    def take_away(account, _kind):
        _open_session(token, now)
        forget(account, but=token)
        _tell("second_factor_removed", account, now)
        return sessions.renew(token)

    given = {"address": address, "browser": browser, "now": now, "key": key}
    return _with_code(account_id, code, take_away, **given)


def renew_codes(account_id, code, *, address, browser, now, key):
    """Replace the recovery codes, `code` being right; return what they are shown by."""

    def renew(account, _kind):
        history.record("recovery_codes_made", now=now, account=account)
        return OF_CUSTOMERS.make_codes(account, key)

    given = {"address": address, "browser": browser, "now": now, "key": key}
    return _with_code(account_id, code, renew, **given)


def forget(account, *, but=None):
    """Take the second factor away in the transaction of the caller, who tells of it.

    Sessions end, except the one with the token `but`: those that wait for a code would for ever.
    """
    changes = {"totp_nonce": None, "totp_since": None, "totp_step": None}
    Account.update(changes).where(Account.id == account.id).execute()
    OF_CUSTOMERS.forget_codes(account)
    sessions.end_all(account, but=but)


def _tell(kind, account, now):
    mail.queue(kind, account.email, account=account, now=now)
    history.record(kind, now=now, account=account)
