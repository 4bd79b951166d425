"""«Storico»: what happened on this account, and the supplies that have ended."""

from flask import Blueprint
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user, login_required

from domain import history, history_sentences, supplies
from domain.clock import rome_day, utcnow
from domain.notation import moment
from views import filters
from views.frame import listed_supply, own_supplies
from views.htmx import page_or_partial
from views.paging import TableState, last_page

bp = Blueprint("history", __name__)

LABELS = {
    "accessi": _l("Accessi"),
    "letture": _l("Letture"),
    "modifiche": _l("Modifiche"),
    "documenti": _l("Documenti"),
    "ticket": _l("Ticket"),
    "deleghe": _l("Deleghe"),
}


FILTERS = {
    "tipo": filters.among(history.GROUPS),
    "dal": filters.day,
    "al": filters.day,
}


def init_app(app):
    app.register_blueprint(bp)


@bp.get("/forniture/<supply_code>/storico")
@login_required
def index(supply_code):
    supply = listed_supply(supply_code)
    table = TableState(f"/forniture/{supply_code}/storico", ("-data",), filters=FILTERS)
    group, since, until = table.filters.values()
    asked = {"group": group, "since": since, "until": until}
    rows = history.page(current_user.id, **asked, limit=table.rows, offset=table.offset)
    if not rows and table.page > 1:
        return last_page(table, history.page(current_user.id, **asked, limit=1))
    return page_or_partial(
        "history/index.html",
        "history/_events.html",
        supply=supply,
        page="storico",
        title=_("Storico"),
        table=table,
        total=rows[0].total if rows else 0,
        rows=[written(row) for row in rows],
        labels=LABELS,
        ended=ended_supplies(),
    )


def written(row):
    """An event as the list writes it: when, group, sentence, supply, who if another."""
    group = history.group_of(row.kind)
    return (
        moment(row.at),
        LABELS[group] if group else "",
        history_sentences.sentence(row.kind, row.details),
        row.supply or "",
        who(row),
    )


def who(row):
    """Who did it, where it was not the login that looks; nobody's login is the utility."""
    if row.account == current_user.id:
        return ""
    return who_else(row)


def who_else(row):
    """Who did it, where it was no login of the customer."""
    delegate = history_sentences.delegate(row.details)
    if delegate:
        return _("Con la delega a %(name)s.", name=delegate)
    if row.kind in history.OF_DELEGATES:  # their sentence says who
        return ""
    if row.login is None:
        return _("Dal servizio clienti.")
    return _("Con l'accesso di %(login)s.", login=row.login)


def ended_supplies():
    today = rome_day(utcnow())
    return [each for each in own_supplies() if supplies.has_ended(each, today)]
