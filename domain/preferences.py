"""What a customer prefers: language, mail of what is new, names for the supplies."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from domain import history, throttle
from domain.errors import Refused
from domain.language import LANGUAGES
from domain.mail import links
from models import Account, Nickname, Prepared, writing

NOTICES = {  # by the group of domain.mail.outbox, as a customer reads them
    "readings": _l("Autoletture e periodi di lettura"),
    "invoices": _l("Fatture"),
    "documents": _l("Documenti e comunicati"),
    "tickets": _l("Ticket"),
}
FLAGS = ("notices", *(f"notices_{group}" for group in NOTICES))


_of = Prepared(
    "account",
    lambda account: Account.select(
        Account.language, *(getattr(Account, flag) for flag in FLAGS)
    ).where(Account.id == account),
)


def of(account_id):
    """The preferences of a login: a row with `language` and each of FLAGS."""
    return _of.first(account=account_id)


def save(account_id, *, language=None, now, **flags):
    """Note what the login prefers: some of FLAGS, one of LANGUAGES or None to leave it."""
    wanted = {name: flags[name] for name in FLAGS if name in flags}
    if language in LANGUAGES:
        wanted["language"] = language
    with writing():
        before = of(account_id)
        changed = {name: v for name, v in wanted.items() if getattr(before, name) != v}
        if changed:
            Account.update(changed).where(Account.id == account_id).execute()
            history.record("preferences_changed", now=now, account=account_id, **changed)


def notices_of_link(token, *, address, key, now):
    """(Account, group) of a link in a mail; Refused where it ends nothing.

    `address` is who opens it: links of no use are counted there, and beyond the limit
    TooManyTries is raised. A good one always works: the services that follow it for their
    customers ask from the same few addresses.
    """
    found = links.find(token, key=key)
    if found is None:
        throttle.reserve([(throttle.NOTICES_ADDRESS, throttle.place(address))], now=now)
        raise Refused(
            _(
                "Questo collegamento non vale più: l'accesso è chiuso o ha ora un altro indirizzo "
                "di posta elettronica."
            )
        )
    return found


def stop(account, group, *, now):
    """No more mail of this group for `account`."""
    save(account.id, **{f"notices_{group}": False}, now=now)


def name_supply(account_id, supply, text, *, now):
    """Call `supply` by `text` (40 characters at most), or by its code alone without any."""
    mine = (Nickname.account == account_id) & (Nickname.supply == supply.id)
    with writing():
        if text:
            Nickname.insert(account=account_id, supply=supply.id, text=text).on_conflict(
                conflict_target=[Nickname.account, Nickname.supply], update={Nickname.text: text}
            ).execute()
        else:
            Nickname.delete().where(mine).execute()
        history.record(
            "preferences_changed",
            now=now,
            account=account_id,
            customer=supply.customer_id,
            supply=supply.id,
            nickname=text,
        )
