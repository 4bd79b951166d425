"""Row 25: whatever an operator does at the desk is one entry of the register, walked by route."""

import pytest

from domain import register
from models import DocumentDraft, OperatorSession, RegisterEntry, Session, Throttle, UploadedFile
from tests.factories import make_window
from tests.security.clerk import TYPED, Clerk
from tests.security.desk import routes
from tests.security.owners import Owner, address
from tests.security.routes import UNSAFE, archive, with_method

# What changes nothing that anybody but the operators sees: drafts, trials, the cookie.
SILENT = {
    "staff_publishing.prepare": {DocumentDraft},
    "staff_publishing.prepare_change": {DocumentDraft},
    "staff_publishing.change_draft": {DocumentDraft},
    "staff_publishing.retitle": {DocumentDraft},
    "staff_publishing.drop": {DocumentDraft},
    "staff_uploads.try_again": {UploadedFile},
    "staff_uploads.choose_kind": {UploadedFile},
    "staff_tickets.use_standard_answer": set(),
    "staff_customers.leave": set(),
    "staff_entrance.put_codes_away": set(),
}
# What is an entry although here there is nothing to change: no session, no mail, nobody disabled.
UNSEEN = {
    "staff_customers.enable",
    "staff_entrance.close_all_sessions",
    "staff_entrance.logout",
    "staff_mails.retry_all",
    "staff_operators.close_sessions",
    "staff_operators.enable",
}
OF_THE_REQUEST = {OperatorSession, Session, Throttle}


@pytest.fixture
def clerk(app, sign_in_operator):
    clerk = Clerk(app, Owner(app), sign_in_operator)
    make_window()
    return clerk


def walked(app):
    """(rule, method) of what operators do once inside, and at their own access."""
    yield from routes(app, *UNSAFE)
    for rule, method in with_method(app, "POST"):
        if rule.endpoint in {"staff_entrance.change_password", "staff_entrance.logout"}:
            yield rule, method


def test_row_25_each_deed_is_one_entry(app, clerk):
    for rule, method in walked(app):
        name = rule.endpoint
        values = clerk.named(rule)
        browser, path = clerk.browser(), address(app, rule, values)
        typed = TYPED[name](clerk, values) if name in TYPED else {}
        before, last = stored(), register.head()[0]
        assert browser.open(path, method=method, data=typed).status_code in {200, 303}, rule
        after = stored()
        changed = {table for table in after if after[table] != before[table]}
        if name in SILENT:
            assert changed <= SILENT[name], rule
            continue
        entries = list(RegisterEntry.select().where(RegisterEntry.number > last))
        assert [entry.operator for entry in entries] == ["capo"], rule
        assert changed > {RegisterEntry} or name in UNSEEN, rule
    assert register.first_broken(register.key(app.secret_key)) is None


@pytest.mark.slow
def test_row_25_what_is_refused_is_no_entry(app, clerk):
    """Forms that were left empty, and decisions that others have taken already."""
    for rule, method in walked(app):
        browser, path = clerk.browser(), address(app, rule, clerk.named(rule))
        before, last = stored(), register.head()[0]
        if browser.open(path, method=method).status_code == 422:
            assert (stored(), register.head()[0]) == (before, last), rule


def stored():
    """Everything but what tells how a request came."""
    return {table: rows for table, rows in archive().items() if table not in OF_THE_REQUEST}
