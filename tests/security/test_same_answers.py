"""Row 4: neither words nor time tell who is a customer."""

import statistics
import time

import pytest
from argon2 import PasswordHasher

from domain import mail, passwords, throttle
from domain.clock import utcnow
from models import Account, Throttle
from tests.factories import PASSWORD, make_account, make_customer

TAX_ID = "01114601006"
MOST_APART = 0.005  # seconds between medians


@pytest.fixture
def codes(app):
    """A code of each sort of person, by sort."""
    return {
        "unknown": "999999",
        "unregistered": make_customer(vat_number="00000000001").code,
        "registered": make_account(make_customer(vat_number="00000000002")).username,
        "disabled": make_account(
            make_customer(vat_number="00000000003"), disabled_at=utcnow()
        ).username,
    }


def post_login(browser, code):
    return browser.post("/login", data={"username": code, "password": "Estate2026!!"})


def post_recovery(browser, code):
    return browser.post("/password-dimenticata", data={"code": code})


def post_registration(browser, code):
    return browser.post("/registrazione", data={"code": code, "tax_id": TAX_ID})


ASKING = pytest.mark.parametrize("ask", [post_login, post_recovery, post_registration])


def seen(browser, answer, code):
    """What a stranger can compare of an answer, and of the page that it leads to."""
    headers = [(name, value) for name, value in answer.headers if name != "Set-Cookie"]
    cookies = sorted(value.split("=")[0] for value in answer.headers.getlist("Set-Cookie"))
    with browser.session_transaction() as cookie:
        kept = {name: value for name, value in cookie.items() if name != "csrf_token"}
    body = answer.get_data(as_text=True).replace(code, "CODE")
    page = browser.get("/login").get_data(as_text=True)
    return answer.status_code, headers, cookies, kept, without_token(body), without_token(page)


def without_token(page):
    return [line for line in page.splitlines() if "csrf_token" not in line]


@ASKING
def test_row_04_status_headers_and_body_are_the_same(browser_at, codes, ask):
    answers = {}
    for sort, code in codes.items():
        browser = browser_at("192.0.2.1")
        answers[sort] = seen(browser, ask(browser, code), code)
    for sort, answer in answers.items():
        assert answer == answers["unknown"], sort


def test_row_04_the_refusal_of_a_registered_customer_is_the_same(browser_at):
    make_account(make_customer(code="000002", vat_number=TAX_ID))
    make_customer(code="000003", vat_number="00000000001")
    answers = []
    for code in ("000002", "000003", "000004"):
        browser = browser_at("192.0.2.1")
        answers.append(seen(browser, post_registration(browser, code), code))
    assert answers[0] == answers[1] == answers[2]


def test_row_04_beyond_the_limits_the_answer_is_the_same(browser_at, codes):
    answers = []
    for code in codes.values():
        for n in range(throttle.RECOVERY_CODE.most):
            post_recovery(browser_at(f"192.0.2.{n}"), code)
        browser = browser_at("192.0.2.200")
        answers.append(seen(browser, post_recovery(browser, code), code))
    assert [answer[0] for answer in answers] == [429] * 4
    assert all(answer == answers[0] for answer in answers)


def test_row_04_every_login_costs_one_call_of_argon2(browser_at, codes, argon2_calls):
    browser = browser_at("192.0.2.1")
    for code in (*codes.values(), make_account(password=False).username):
        post_login(browser, code)
        assert argon2_calls == ["verify"]
        argon2_calls.clear()


@pytest.mark.parametrize("ask", [post_recovery, post_registration])
def test_row_04_the_sender_is_woken_for_everybody(browser_at, codes, monkeypatch, ask):
    woken = []
    monkeypatch.setattr(mail, "kick", lambda: woken.append(True))
    for code in codes.values():
        ask(browser_at("192.0.2.1"), code)
    assert woken == [True] * 4


def test_row_04_the_mail_server_changes_nothing(app, browser_at, codes, mail_server, background):
    """Whether it takes the mail, breaks off, or is not there."""
    answers = []
    for port, answer_to_text in ((mail_server.port, "250 OK"), (mail_server.port, "cut"), (1, "")):
        app.extensions["mail"].port, mail_server.to_text = port, answer_to_text
        for code in codes.values():
            browser = browser_at("192.0.2.1")
            answers.append(seen(browser, post_recovery(browser, code), code))
            assert background.wait(20)
            background.clear()
        Throttle.delete().execute()
    assert len(mail_server.messages()) == 1
    assert all(answer == answers[0] for answer in answers)


@pytest.fixture
def cheap_hashes(codes, monkeypatch):
    """Argon2 at its least: its own time, the same for all, would drown the difference."""
    hasher = PasswordHasher(memory_cost=8, time_cost=1, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", hasher)
    monkeypatch.setattr(passwords, "_nobodys", hasher.hash("the password of nobody"))
    Account.update(password_hash=hasher.hash(PASSWORD)).execute()


@pytest.mark.slow
@ASKING
def test_row_04_the_time_is_the_same(browser_at, codes, cheap_hashes, monkeypatch, ask):
    """What tells people apart does so in every round; what else the machine does, in some."""
    for name, limit in vars(throttle).copy().items():
        if isinstance(limit, throttle.Limit):
            monkeypatch.setattr(throttle, name, limit._replace(most=1_000_000))
    rounds = (gap_of_medians(browser_at, codes, ask) for _round in range(5))
    assert any(gap < MOST_APART for gap in rounds)


def gap_of_medians(browser_at, codes, ask):
    """Seconds between the slowest and the fastest sort of person, over interleaved tries."""
    times = {sort: [] for sort in codes}
    for n in range(60):
        for sort, code in codes.items():
            browser = browser_at(f"10.0.0.{n}")
            began = time.perf_counter()
            ask(browser, code)
            times[sort].append(time.perf_counter() - began)
    medians = [statistics.median(each) for each in times.values()]
    return max(medians) - min(medians)
