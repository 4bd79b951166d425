"""Row 12: no other site makes a customer's browser do something."""

import pytest

from tests.factories import make_account, make_customer, make_gas
from tests.security.routes import UNSAFE, archive, path_of, with_method


@pytest.fixture
def signed_in(with_csrf, sign_in):
    """A browser that could do anything, if its forms were its own."""
    customer = make_customer()
    make_gas(customer, code="PR000001")
    return sign_in(make_account(customer))


def token_of(browser, path="/forniture/PR000001/password"):
    page = browser.get(path).get_data(as_text=True)
    return page.split('name="csrf_token" value="')[1].split('"')[0]


def unsafe_routes(app):
    return [
        (path_of(app, rule, "1", supply_code="PR000001"), method)
        for rule, method in with_method(app, *UNSAFE)
    ]


def assert_refused(app, browser, **request):
    before = archive()
    for path, method in unsafe_routes(app):
        answer = browser.open(path, method=method, **request)
        assert answer.status_code == 400, path
        assert archive() == before, path


def test_row_12_without_a_token(app, signed_in):
    assert_refused(app, signed_in)
    assert_refused(app, app.test_client())


def test_row_12_with_a_token_of_nobody(app, signed_in):
    assert_refused(app, signed_in, data={"csrf_token": "x"})


def test_row_12_with_the_token_of_another_browser(app, signed_in):
    foreign = token_of(app.test_client(), "/login")
    token_of(signed_in)
    assert_refused(app, signed_in, data={"csrf_token": foreign})


def test_row_12_with_a_token_that_expired(app, signed_in):
    token = token_of(signed_in)
    app.config["WTF_CSRF_TIME_LIMIT"] = -1
    assert_refused(app, signed_in, data={"csrf_token": token})


def test_row_12_from_another_site_even_with_the_token(app, signed_in):
    data = {"csrf_token": token_of(signed_in)}
    assert_refused(app, signed_in, data=data, headers={"Sec-Fetch-Site": "cross-site"})


def test_row_12_with_the_token_it_works(signed_in):
    data = {"csrf_token": token_of(signed_in)}
    for site in ("same-origin", "none"):
        answer = signed_in.post(
            "/forniture/PR000001/password", data=data, headers={"Sec-Fetch-Site": site}
        )
        assert answer.status_code == 422  # read, and something is missing
    assert signed_in.post("/logout", data=data).status_code == 303
