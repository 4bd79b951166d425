"""Mailed secrets: a second, short-lived credential that works once.

A secret is 24 characters of an alphabet without look-alikes (118 bits). Only its
HMAC-SHA256 is kept, under a key that is not in the database, so that a stolen copy of
the database opens nothing.
"""

import datetime as dt
import hashlib
import hmac
import secrets

from models import Account, MailedSecret, writing

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
LENGTH = 24
RECOVERY = dt.timedelta(hours=6)
FIRST_ACCESS = dt.timedelta(hours=72)  # many customers read their mail the next day
MOST_ALIVE = 3


def key(secret_key):
    """The key of the secrets' HMAC (bytes), derived from the portal's SECRET_KEY."""
    return hmac.digest(secret_key.encode(), b"portale: mailed secrets", "sha256")


def issue(account, *, now, key, lifetime):
    """Give `account` a new secret, valid for `lifetime`; return it, to be mailed and forgotten.

    Beyond three alive the oldest stops working.
    """
    secret = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    with writing():
        kept = alive(account, now=now).order_by(MailedSecret.id.desc()).limit(MOST_ALIVE - 1)
        void(account, now=now, but=[row.id for row in kept])
        MailedSecret.create(
            account=account,
            digest=_digest(account.username, secret, key),
            created_at=now,
            expires_at=now + lifetime,
        )
    return secret


def find(username, secret, *, now, key):
    """The secret that would open the login `username` now, or None; only reads."""
    if len(_plain(secret)) != LENGTH:
        return None
    return (
        MailedSecret.select(MailedSecret, Account)
        .join(Account)
        .where(
            MailedSecret.digest == _digest(username, secret, key),
            MailedSecret.used_at.is_null(),
            MailedSecret.expires_at > now,
            Account.username == username,
            Account.disabled_at.is_null(),
        )
        .first()
    )


def redeem(username, secret, *, now, key):
    """Use up `secret` of the login `username`; return its account, or None if it is no good.

    Of two browsers that try at once, one gets the account.
    """
    found = find(username, secret, now=now, key=key)
    if found is None:
        return None
    with writing():
        mine = (
            MailedSecret.update(used_at=now)
            .where(MailedSecret.id == found.id, MailedSecret.used_at.is_null())
            .execute()
        )
    return found.account if mine else None


def alive(account, *, now):
    """The secrets of `account` that would still open."""
    return MailedSecret.select().where(
        MailedSecret.account == account,
        MailedSecret.used_at.is_null(),
        MailedSecret.expires_at > now,
    )


def void(account, *, now, but=()):
    """Make the secrets of `account` useless, except those with an id in `but`."""
    MailedSecret.update(used_at=now).where(
        MailedSecret.account == account,
        MailedSecret.used_at.is_null(),
        MailedSecret.id.not_in(list(but)),
    ).execute()


def _plain(secret):
    """As it was made, however it was typed: telephones capitalise, people leave blanks."""
    return "".join(secret.split()).replace("-", "").lower()


def _digest(username, secret, key):
    return hmac.new(key, f"{username}\0{_plain(secret)}".encode(), hashlib.sha256).hexdigest()
