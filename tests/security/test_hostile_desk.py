"""Row 19 at the desk: whatever an operator's browser sends, the answer is never a 5xx."""

import io
import re
from itertools import product

import pytest

from tests.factories import make_operator, make_window
from tests.pages import PARTIAL
from tests.security.clerk import TYPED, Clerk
from tests.security.desk import routes, values_of
from tests.security.owners import Owner, address
from tests.security.routes import UNSAFE, path_of
from tests.security.test_hostile_input import BODIES, HOSTILE, RAW, check, field_names

# Parameters and fields of the desk's own that no form of forms.py has.
NAMES = (
    *("a", "era", "letto", "standard", "chiudi", "kind", "title", "sigillo", "come", "per_chi"),
    *("cliente", "operatore", "destinatario", "assegnato", "categoria", "motivo", "lotto", "da"),
    *("insolite", "quali", "mostra", "giorni", "files", "attachments"),
)


@pytest.fixture
def owner(app):
    return Owner(app)


@pytest.fixture
def browser(app, sign_in_operator):
    """A new browser of an administrator each time: some routes end the session."""
    operator = make_operator("administrator")
    return lambda: sign_in_operator(operator)


def names():
    return sorted({*field_names(), *NAMES})


@pytest.mark.slow
@pytest.mark.everywhere
def test_row_19_hostile_parts_of_the_desk_s_addresses(app, browser):
    for rule, method in routes(app, "GET", *UNSAFE):
        for value in filter(None, HOSTILE):
            if rule.arguments:
                answer = browser().open(path_of(app, rule, value), method=method)
                check(answer, (rule, value))


@pytest.mark.slow
@pytest.mark.everywhere
def test_row_19_bytes_at_the_desk_that_are_no_text(app, browser):
    for rule, method in routes(app, "GET", *UNSAFE):
        for raw in RAW:
            path = re.sub(r"<[^>]*>", raw, rule.rule)
            query = "&".join(f"{name}={raw}" for name in (*names(), raw))
            answer = browser().open(f"{path}?{query}", method=method)
            check(answer, (rule, raw))
            assert "X-A" not in answer.headers


@pytest.mark.slow
@pytest.mark.everywhere
def test_row_19_hostile_parameters_at_the_desk(app, owner, browser):
    for rule, _method in routes(app, "GET"):
        path = address(app, rule, values_of(rule, owner)).partition("?")[0]
        for value in HOSTILE:
            for headers in ({}, PARTIAL):
                query = dict.fromkeys(names(), value)
                check(browser().get(path, query_string=query, headers=headers), (rule, value))
            twice = [(name, each) for name in names() for each in (value, "1", value)]
            check(browser().get(path, query_string=twice), (rule, value))


@pytest.mark.slow
@pytest.mark.everywhere
def test_row_19_hostile_forms_at_the_desk(app, owner, browser):
    for rule, method in routes(app, *UNSAFE):
        for value in HOSTILE:
            path = address(app, rule, values_of(rule, owner))
            filled = dict.fromkeys(names(), value)
            check(browser().open(path, method=method, data=filled), (rule, value))


@pytest.mark.slow
@pytest.mark.everywhere
def test_row_19_one_hostile_field_in_a_good_form_of_the_desk(app, owner, sign_in_operator):
    clerk = Clerk(app, owner, sign_in_operator)
    make_window()
    for rule, method in routes(app, *UNSAFE):
        if rule.endpoint not in TYPED:
            continue
        good = TYPED[rule.endpoint](clerk, clerk.named(rule))
        for name, value in product(good, HOSTILE):
            path = address(app, rule, clerk.named(rule))
            answer = clerk.browser().open(path, method=method, data=good | {name: value})
            check(answer, (rule, name, value))


@pytest.mark.slow
def test_row_19_hostile_bodies_at_the_desk(app, owner, browser):
    for rule, method in routes(app, *UNSAFE):
        path = address(app, rule, values_of(rule, owner))
        for content_type, body in BODIES:
            answer = browser().open(path, method=method, data=body, content_type=content_type)
            check(answer, (rule, body))


@pytest.mark.slow
def test_row_19_files_of_the_desk_where_text_is_expected(app, owner, browser):
    for rule, method in routes(app, *UNSAFE):
        path = address(app, rule, values_of(rule, owner))
        for some in (names()[:40], names()[40:80], names()[80:]):
            files = {name: (io.BytesIO(b"\xff"), "x.txt") for name in some}
            check(browser().open(path, method=method, data=files), rule)
