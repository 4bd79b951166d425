"""What a customer prefers: language, mail of what is new, names for the supplies."""

from domain import history
from models import Account, Nickname, Prepared, writing

LANGUAGES = {"it": "Italiano"}  # those that every text is written in


_of = Prepared(
    "account",
    lambda account: Account.select(Account.language, Account.notices).where(Account.id == account),
)


def of(account_id):
    """The preferences of a login: a row with `language` and `notices`."""
    return _of.first(account=account_id)


def save(account_id, *, notices, language=None, now):
    """Note what the login prefers; `language` is one of LANGUAGES, or None to leave it."""
    wanted = {"notices": notices}
    if language in LANGUAGES:
        wanted["language"] = language
    with writing():
        before = of(account_id)
        changed = {name: v for name, v in wanted.items() if getattr(before, name) != v}
        if changed:
            Account.update(changed).where(Account.id == account_id).execute()
            history.record("preferences_changed", now=now, account=account_id, **changed)


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
