"""Row 18: the desk is for operators who gave their second factor; customers find nothing."""

import pytest

from domain.clock import utcnow
from models import Operator
from tests.factories import make_operator
from tests.pages import PARTIAL
from tests.security.desk import ADMINISTRATORS, DOOR, ENTRANCE, routes, values_of
from tests.security.owners import Owner, address
from tests.security.routes import UNSAFE, with_method

LEAVING = {"staff_entrance.close_all_sessions"}
KINDS = {"page": {}, "partial": PARTIAL}


@pytest.fixture
def owner(app):
    return Owner(app)


def paths(app, owner):
    for rule, method in routes(app, "GET", *UNSAFE):
        yield rule, address(app, rule, values_of(rule, owner)), method


def test_row_18_operators_find_every_page(app, owner, sign_in_operator):
    administrator = make_operator("administrator")
    for rule, path, method in paths(app, owner):
        answer = sign_in_operator(administrator).open(path, method=method)
        assert answer.status_code in {200, 303, 400, 413, 422}, rule
        assert rule.endpoint in LEAVING or "/login" not in (answer.location or ""), rule


def test_row_18_customers_find_nothing(app, owner, sign_in):
    for rule, method in with_method(app, "GET", *UNSAFE):
        if not rule.endpoint.startswith("staff_"):
            continue
        path = address(app, rule, dict.fromkeys(rule.arguments, "1"))
        for headers in KINDS.values():
            answer = sign_in(owner.account).open(path, method=method, headers=headers)
            assert answer.status_code == 404, rule


def test_row_18_nobody_else_gets_in(app, owner, sign_in_operator):
    disabled = make_operator()
    locked_out = sign_in_operator(disabled)
    Operator.update(disabled_at=utcnow()).where(Operator.id == disabled.id).execute()
    half_way = sign_in_operator(make_operator(), verified=False)
    first_time = sign_in_operator(make_operator(must_change_password=True))
    doors = (
        (app.test_client(), "/staff/login"),
        (locked_out, "/staff/login"),
        (half_way, "/staff/codice"),
        (first_time, "/staff/password"),
    )
    for rule, path, method in paths(app, owner):
        for browser, door in doors:
            answer = browser.open(path, method=method)
            assert (answer.status_code, answer.location) == (303, door), rule
            answer = browser.open(path, method=method, headers=PARTIAL)
            assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, door), rule


def test_row_18_what_is_for_administrators_does_not_exist_for_operators(
    app, owner, sign_in_operator
):
    operator = make_operator()
    for rule, path, method in paths(app, owner):
        answer = sign_in_operator(operator).open(path, method=method)
        assert (answer.status_code == 404) == (rule.endpoint in ADMINISTRATORS), rule


def test_row_18_every_route_of_the_desk_is_told_of(app):
    known = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert known >= DOOR | ENTRANCE | ADMINISTRATORS
