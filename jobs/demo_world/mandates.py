"""A mandate that the ready login gave: an accountant reads the invoices."""

import datetime as dt

from domain import history
from domain.clock import rome_day
from domain.mandates import INVOICES
from models import Account, Mandate, MandateSupply, SupplyPoint

NAME, EMAIL = "STUDIO PROVETTI", "studio@provetti.example"
LASTS = dt.timedelta(days=365)
GIVEN, ACCEPTED, USED = (dt.timedelta(days=days, hours=3) for days in (40, 38, 6))


def live(account, *, now):
    """Given, accepted and used, as «Storico» tells it."""
    customer, until = account.grants.get().customer, rome_day(now - GIVEN + LASTS)
    supplies = SupplyPoint.select().where(
        SupplyPoint.customer == customer, SupplyPoint.ended_on.is_null()
    )
    delegate = Account.create(username="D00001", email=EMAIL, created_at=now - ACCEPTED)
    mandate = Mandate.create(
        customer=customer, name=NAME, email=EMAIL, scope=INVOICES, ends_on=until,
        given_at=now - GIVEN, account=delegate, accepted_at=now - ACCEPTED,
        used_on=rome_day(now - USED),
    )  # fmt: skip
    for supply in supplies:
        MandateSupply.create(mandate=mandate, supply=supply)
    told = {"customer": customer, "name": NAME}
    given = {"scope": INVOICES, "until": until.isoformat(), "supplies": len(supplies)}
    history.record("mandate_given", now=now - GIVEN, account=account, **told, **given)
    history.record("mandate_accepted", now=now - ACCEPTED, **told)
    history.record("mandate_used", now=now - USED, **told)
