"""Rows 9 and 12: what is another's equals what does not exist, and looking changes nothing.

Both walk the routes, and a route that they are not told of fails.
"""

import re

import pytest

from domain.clock import utcnow
from models import Account, Event, Throttle
from tests.factories import make_window
from tests.pages import PARTIAL
from tests.security.owners import (
    BY_SECRET,
    FOR_ALL,
    NAMELESS,
    OBJECTS,
    OPEN,
    RECORDED,
    Owner,
    address,
    own_values,
    routes,
)
from tests.security.routes import UNSAFE, archive, path_of, with_method

KINDS = {
    "page": ("GET", {}),
    "partial": ("GET", PARTIAL),
    "head": ("HEAD", {}),
}
POSTED = {"page": ("POST", {}), "partial": ("POST", KINDS["partial"][1])}


@pytest.fixture
def owner(app):
    make_window()
    return Owner(app)


@pytest.fixture
def stranger(app):
    return Owner(app)


def missing(values):
    """Values of the same shape, of things that do not exist; other words stay as they are."""
    return {name: re.sub(r"(\d+)$", r"9\g<1>9", str(value)) for name, value in values.items()}


def answered(browser, path, method, headers):
    """What the answer tells: status, where to, and its text."""
    answer = browser.open(path, method=method, headers=headers)
    lines = answer.get_data(as_text=True).splitlines()
    text = "\n".join(line for line in lines if "csrf_token" not in line)
    return answer.status_code, answer.location, answer.headers.get("HX-Redirect"), text


def kinds_of(method):
    return KINDS if method == "GET" else POSTED


def test_row_09_every_route_is_told_of(app, owner):
    for rule, _method in routes(app, "GET", *UNSAFE):
        values = own_values(rule, owner)
        assert rule.arguments <= set(values), f"{rule.endpoint}: {rule.arguments - set(values)}"
    known = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert OPEN | NAMELESS | OBJECTS.keys() | RECORDED | FOR_ALL <= known


def test_row_09_the_owner_sees_it(app, owner, sign_in):
    for rule, method in routes(app, "GET", *UNSAFE):
        path = address(app, rule, own_values(rule, owner))
        for kind, (verb, headers) in kinds_of(method).items():
            answer = sign_in(owner.account).open(path, method=verb, headers=headers)
            assert answer.status_code not in {401, 404}, (kind, path)
            assert "login" not in (answer.location or "") or rule.rule == "/sessioni/chiudi", path


def test_row_09_what_is_anothers_equals_what_does_not_exist(app, owner, stranger, sign_in):
    for rule, method in routes(app, "GET", *UNSAFE):
        if not rule.arguments and rule.endpoint in NAMELESS:
            continue
        theirs = own_values(rule, owner)
        pairs = [(theirs, missing(theirs))]
        mine = {"supply_code": stranger.gas.code}
        if theirs.keys() > mine.keys() and rule.endpoint not in FOR_ALL:
            pairs.append((theirs | mine, missing(theirs) | mine))
        for there, nowhere in pairs:
            for kind, (verb, headers) in kinds_of(method).items():
                browser = sign_in(stranger.account)
                seen, unseen = (
                    answered(browser, address(app, rule, values), verb, headers)
                    for values in (there, nowhere)
                )
                assert seen == unseen, (kind, there, rule)
                if rule.arguments > {"supply_code"} or (rule.arguments and there is theirs):
                    assert seen[0] == 404, (kind, rule)


def test_row_09_strangers_and_disabled_logins_are_sent_to_the_login(app, owner, sign_in):
    disabled = Owner(app)
    locked_out = sign_in(disabled.account)
    Account.update(disabled_at=utcnow()).where(Account.id == disabled.account).execute()
    for browser, own in ((app.test_client(), owner), (locked_out, disabled)):
        for rule, method in routes(app, "GET", *UNSAFE):
            path = address(app, rule, own_values(rule, own))
            for kind, (verb, headers) in kinds_of(method).items():
                answer = browser.open(path, method=verb, headers=headers)
                if kind == "partial":
                    to = answer.headers.get("HX-Redirect", "")
                    assert (answer.status_code, to.startswith("/login")) == (401, True), path
                else:
                    to = answer.location or ""
                    assert (answer.status_code, to.startswith("/login")) == (303, True), path
                assert own.customer.name not in answer.get_data(as_text=True)


def test_row_16_what_is_ones_own_is_kept_nowhere_or_only_to_ask_whether_it_changed(
    app, owner, sign_in
):
    browser = sign_in(owner.account)
    for rule, _method in routes(app, "GET"):
        answer = browser.get(address(app, rule, own_values(rule, owner)))
        kept = set(answer.headers["Cache-Control"].split(", "))
        is_file = rule.endpoint in RECORDED and "ETag" in answer.headers
        assert kept == ({"no-cache", "private"} if is_file else {"no-store"}), rule


def test_row_12_looking_changes_nothing_but_the_history_of_downloads(app, owner, sign_in):
    browser = sign_in(owner.account)
    for rule, method in routes(app, "GET"):
        path = address(app, rule, own_values(rule, owner))
        for kind, (verb, headers) in kinds_of(method).items():
            before = archive()
            browser.open(path, method=verb, headers=headers)
            after = archive()
            written = len(after.pop(Event)) - len(before.pop(Event))
            assert after == before, path
            may_write = rule.endpoint in RECORDED and verb == "GET"
            assert written == (1 if may_write else 0), (kind, path)


def test_row_12_nobody_changes_anything_by_looking(app, owner):
    for rule, _method in with_method(app, "GET"):
        for verb, headers in KINDS.values():
            before = archive()
            values = {"supply_code": owner.gas.code, "digest": "x", "name": "style.css"}
            app.test_client().open(path_of(app, rule, **values), method=verb, headers=headers)
            after = archive()
            if rule.endpoint in BY_SECRET:
                before.pop(Throttle)
                after.pop(Throttle)
            assert after == before, rule


def test_row_12_asking_again_for_what_is_kept_records_nothing(app, owner, sign_in):
    browser = sign_in(owner.account)
    path = f"/forniture/{owner.gas.code}/fatture/{owner.invoice().id}/pdf"
    tag = browser.get(path).headers["ETag"]
    assert Event.select().count() == 1
    assert browser.get(path, headers={"If-None-Match": tag}).status_code == 304
    assert Event.select().count() == 1
