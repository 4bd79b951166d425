"""Rows 10, 12 and 16 at the operators' desk, walked from the routes that there are."""

import pytest

from models import Operator, OperatorSession, RegisterEntry
from tests.factories import PASSWORD, make_operator
from tests.pages import PARTIAL
from tests.security.desk import ADMINISTRATORS, routes, values_of
from tests.security.owners import Owner, address
from tests.security.routes import UNSAFE, archive
from tests.security.test_csrf import token_of
from tests.security.test_extra_fields import TYPED, columns_that_name, rows_of
from tests.security.test_values import HEADERS

# What operators read of a customer's, or take away: a line of the register, and nothing else.
RECORDED = {
    "staff_customers.sheet",
    "staff_readings.as_csv",
    "staff_readings.new",
    "staff_documents.read",
    "staff_documents.pdf",
    "staff_tickets.ticket",
    "staff_tickets.attachment",
    "staff_tickets.receipt",
    "staff_tickets.register",
    "staff_register.as_csv",
}
# Files that the browser may keep, to ask whether they are still the same.
KEPT = {"staff_documents.pdf", "staff_publishing.draft_pdf", "staff_tickets.attachment"}
KINDS = {"page": ("GET", {}), "partial": ("GET", PARTIAL), "head": ("HEAD", {})}


@pytest.fixture
def owner(app):
    return Owner(app)


@pytest.fixture
def browser(sign_in_operator):
    return sign_in_operator(make_operator("administrator"))


def paths(app, owner, *methods):
    """(rule, address, method) of all routes; what they name is made before any is asked."""
    return [
        (rule, address(app, rule, values_of(rule, owner)), method)
        for rule, method in routes(app, *methods)
    ]


def test_row_12_looking_changes_nothing_at_the_desk_but_the_register(app, owner, browser):
    recorded, walked = set(), paths(app, owner, "GET")
    before = archive()
    for rule, path, _method in walked:
        for kind, (verb, headers) in KINDS.items():
            assert browser.open(path, method=verb, headers=headers).status_code < 402, path
            after = archive()
            written = len(after[RegisterEntry]) - len(before[RegisterEntry])
            assert written <= 1, (kind, path)
            assert changed(before, after) <= {RegisterEntry, OperatorSession}, (kind, path)
            if written:
                recorded.add(rule.endpoint)
            before = after
    assert recorded == RECORDED


def changed(before, after):
    """The tables that do; the time of a session's last request does so once a minute."""
    return {table for table in after if after[table] != before[table]}


def test_row_12_no_other_site_makes_an_operators_browser_do_something(
    app, with_csrf, owner, browser
):
    own, foreign = token_of(browser, "/staff/password"), token_of(app.test_client(), "/login")
    attempts = (
        {},
        {"data": {"csrf_token": foreign}},
        {"data": {"csrf_token": own}, "headers": {"Sec-Fetch-Site": "cross-site"}},
    )
    walked = paths(app, owner, *UNSAFE)
    before = archive()
    for rule, path, method in walked:
        for attempt in attempts:
            assert browser.open(path, method=method, **attempt).status_code == 400, rule
    assert archive() == before
    assert browser.post("/staff/posta/riprova", data={"csrf_token": own}).status_code == 303


def test_row_16_pages_of_the_desk_are_kept_nowhere(app, owner, browser):
    for rule, path, _method in paths(app, owner, "GET"):
        answer = browser.get(path)
        kept = set(answer.headers["Cache-Control"].split(", "))
        may_keep = rule.endpoint in KEPT
        assert kept == ({"no-cache", "private"} if may_keep else {"no-store"}), rule
        for name in HEADERS.keys() - {"Strict-Transport-Security"}:
            own = name == "Content-Security-Policy" and answer.mimetype != "text/html"
            assert answer.headers[name] == ("sandbox" if own else HEADERS[name]), (name, rule)


def test_row_16_leaving_the_desk_clears_what_the_browser_kept(browser):
    answer = browser.post("/staff/logout")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'


def test_row_10_no_form_of_the_desk_reaches_what_it_does_not_name(app, owner, sign_in_operator):
    """Neither another customer's rows nor any operator's, the own ones included."""
    operator, stranger = make_operator(), Owner(app)
    hostile = {**columns_that_name(stranger), **TYPED, "role": "administrator", "state": "closed"}
    hostile |= {"operator": str(make_operator("administrator").id), "password": PASSWORD}
    walked = [each for each in paths(app, owner, *UNSAFE) if each[0].endpoint not in ADMINISTRATORS]
    untouched, own = rows_of(stranger), operators()
    for rule, path, method in walked:
        browser = sign_in_operator(operator)
        assert browser.open(path, method=method, data=hostile).status_code < 500, rule
    assert rows_of(stranger) == untouched
    assert operators() == own
    assert len(walked) > 30


def operators():
    """Who may do what, with which credentials."""
    columns = (Operator.role, Operator.password_hash, Operator.totp_nonce, Operator.disabled_at)
    return {row[0]: row[1:] for row in Operator.select(Operator.id, *columns).tuples()}
