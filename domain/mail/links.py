"""Links that end a group of notices: signed, kept nowhere, good as long as the address is.

Who has the mail may follow its link without signing in; once the login has another address
the links in the old mailbox end nothing any more.
"""

import hashlib
import hmac

from itsdangerous import BadData, URLSafeSerializer

from domain.mail.outbox import NOTICES
from models import Account


def make(account, group, *, key):
    """The token that ends the notices of `group` for `account`."""
    return _signer(key).dumps([account.id, group, _mailbox(key, account.email)])


def find(token, *, key):
    """(Account, group) of the `token`, or None where it ends nothing."""
    try:
        account_id, group, mailbox = _signer(key).loads(token)
    except (BadData, ValueError):
        return None
    account = Account.get_or_none(Account.id == account_id, Account.disabled_at.is_null())
    known = account is not None and group in NOTICES
    return (account, group) if known and mailbox == _mailbox(key, account.email) else None


def _mailbox(key, address):
    return hmac.new(key.encode(), address.encode(), hashlib.sha256).hexdigest()[:16]


def _signer(key):
    return URLSafeSerializer(key, salt="portale: notices")
