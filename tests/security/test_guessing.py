"""Rows 3, 5 and 6: guesses at passwords lock nobody out, and do not get far."""

import multiprocessing

import pytest

import models
from domain import throttle
from tests.factories import PASSWORD, make_account, make_customer
from tests.security.owners import BY_SECRET
from tests.security.routes import UNSAFE, path_of, with_method
from tests.security.workers import guess

HERE = "192.0.2.1"


def attempt(browser, username, password="Estate2026!!"):
    return browser.post("/login", data={"username": username, "password": password})


@pytest.mark.slow
@pytest.mark.everywhere
def test_row_03_a_thousand_wrong_tries_lock_nobody_out(browser_at, secret_of):
    account = make_account()
    owner = browser_at(HERE)
    assert attempt(owner, account.username, PASSWORD).status_code == 303
    owner.post("/logout")
    for n in range(1000):
        address = HERE if n % 2 else f"198.51.{n // 250}.{n % 250}"
        assert attempt(browser_at(address), account.username).status_code in {422, 429}
    assert attempt(browser_at(HERE), account.username, PASSWORD).status_code == 429

    assert attempt(owner, account.username, PASSWORD).status_code == 303
    secret = secret_of(account)
    assert attempt(browser_at(HERE), account.username, secret).status_code == 303


def test_row_03_a_known_browser_is_known_to_its_own_logins_only(browser_at, app):
    mine, other = make_account(), make_account()
    browser = browser_at(HERE)
    attempt(browser, mine.username, PASSWORD)
    statuses = [attempt(browser, other.username).status_code for _ in range(11)]
    assert statuses == [422] * 10 + [429]
    statuses = [attempt(browser, mine.username).status_code for _ in range(11)]
    assert statuses == [422] * 10 + [429]


@pytest.mark.parametrize("forged", ["", "x", "è", "WyJiIixbMV1d.AAAAAA.AAAAAAAAAAAAAAAAAAAA"])
def test_row_03_a_forged_cookie_makes_no_browser_known(browser_at, forged):
    account = make_account()
    browser = browser_at(HERE)
    browser.set_cookie("portale-noto", forged)
    statuses = [attempt(browser, account.username).status_code for _ in range(11)]
    assert statuses == [422] * 10 + [429]


@pytest.mark.slow
@pytest.mark.everywhere
def test_row_05_one_password_over_a_thousand_codes(browser_at, argon2_calls):
    for n in range(0, 1000, 100):
        make_account(make_customer(code=f"{n:06d}"))
    browser = browser_at(HERE)
    statuses = [attempt(browser, f"{n:06d}").status_code for n in range(1000)]
    assert statuses == [422] * 10 + [429] * 990
    assert argon2_calls == ["verify"] * 10


def test_row_05_all_addresses_of_an_ipv6_network_are_one(browser_at, argon2_calls):
    for n in range(30):
        attempt(browser_at(f"2001:db8:1:2:{n:x}::1"), f"{n:06d}")
    assert argon2_calls == ["verify"] * 10


def test_row_05_fifty_guesses_at_once_on_four_workers(app, settings, tmp_path):
    for n in range(0, 50, 7):
        make_account(make_customer(code=f"{n:06d}"))
    models.db.close()
    spawn = multiprocessing.get_context("spawn")
    start, answers, tally = spawn.Barrier(4), spawn.Queue(), tmp_path / "tally"
    workers = [
        spawn.Process(
            target=guess,
            args=(
                settings,
                [f"{n:06d}" for n in range(worker, 50, 4)],
                HERE,
                start,
                answers,
                str(tally),
            ),
        )
        for worker in range(4)
    ]
    for worker in workers:
        worker.start()
    statuses = sorted(status for _worker in workers for status in answers.get(timeout=60))
    for worker in workers:
        worker.join()
    assert statuses == [422] * 10 + [429] * 40
    assert tally.stat().st_size == 10


# Unsafe routes that a stranger reaches: what a stranger posts there, and how many times at
# most. A new one must be added here, with a limit of its own.
OPEN_ROUTES = {
    "auth.sign_in": (
        lambda n: {"username": f"{n:06d}", "password": "Estate2026!!"},
        throttle.LOGIN_ADDRESS,
    ),
    "auth.claim": (
        lambda n: {"code": f"{n:06d}", "tax_id": f"{n:011d}"},
        throttle.REGISTRATION_ADDRESS,
    ),
    "auth.register": (
        lambda n: {"email": f"x{n}@example.it"},
        throttle.REGISTRATION_ADDRESS,
    ),
    "auth.recover": (lambda n: {"code": f"{n:06d}"}, throttle.RECOVERY_ADDRESS),
    "records.confirm_email": (lambda n: {}, throttle.EMAIL_LINK),
    "notices.stop": (lambda n: {"List-Unsubscribe": "One-Click"}, throttle.NOTICES_ADDRESS),
    "mandates.accept": (lambda n: {}, throttle.MANDATE_LINK),
    "mandates.register": (lambda n: {}, throttle.MANDATE_LINK),
    "staff_entrance.sign_in": (
        lambda n: {"username": f"operatore{n}", "password": "Estate2026!!"},
        throttle.OPERATOR_ADDRESS,
    ),
}
CHANGES_ONLY_ONES_OWN_BROWSER = {"auth.logout", "staff_entrance.logout", "language.choose"}


def test_row_06_every_open_route_has_a_limit(app, browser_at):
    found = set()
    for rule, method in with_method(app, *UNSAFE):
        answer = browser_at(HERE).open(path_of(app, rule), method=method, data={})
        asks_to_sign_in = (answer.location or "").startswith(("/login", "/staff/login"))
        if rule.endpoint not in CHANGES_ONLY_ONES_OWN_BROWSER and not asks_to_sign_in:
            found.add(rule.endpoint)
    assert found == set(OPEN_ROUTES)


def test_row_06_wrong_addresses_of_calendars_have_a_limit(browser_at):
    here, wrong = browser_at(HERE), "/calendario/x.y.ics"
    statuses = [here.get(wrong).status_code for _n in range(throttle.CALENDAR_ADDRESS.most + 5)]
    assert statuses == [404] * throttle.CALENDAR_ADDRESS.most + [429] * 5
    assert here.head(wrong).status_code == 429
    assert browser_at("192.0.2.200").get(wrong).status_code == 404


def test_row_06_every_address_with_a_secret_has_a_limit(app, browser_at):
    """A new route with a token in it fails here until wrong ones are counted."""
    most = max(each.most for each in vars(throttle).values() if isinstance(each, throttle.Limit))
    rules = [rule for rule, _method in with_method(app, "GET") if "token" in rule.arguments]
    assert {rule.endpoint for rule in rules} == BY_SECRET
    for rule in rules:
        browser = browser_at(HERE)
        statuses = {browser.get(path_of(app, rule, f"{n}.y")).status_code for n in range(most + 1)}
        assert 429 in statuses, rule


@pytest.mark.parametrize("endpoint", OPEN_ROUTES)
def test_row_06_the_limit_holds(app, browser_at, endpoint):
    data, limit = OPEN_ROUTES[endpoint]
    browser = browser_at(HERE)
    if endpoint == "auth.register":  # reached after the first step; somebody else was faster
        customer = make_customer(code="000001", vat_number="01114601006")
        browser.post("/registrazione", data={"code": "000001", "tax_id": "01114601006"})
        make_account(customer)
    [rule] = [rule for rule, _method in with_method(app, "POST") if rule.endpoint == endpoint]
    statuses = [
        browser.post(path_of(app, rule), data=data(n)).status_code for n in range(limit.most + 5)
    ]
    assert statuses[limit.most :] == [429] * 5
    assert 429 not in statuses[: limit.most]
