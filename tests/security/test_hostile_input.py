"""Row 19: whatever arrives, the answer is a sentence, never a 5xx; on both databases."""

import datetime as dt
import io
import re
from functools import cache

import pytest
from flask_wtf import FlaskForm
from wtforms import Field

import forms
from tests.factories import (
    make_account,
    make_attachment,
    make_consumption,
    make_customer,
    make_document,
    make_electricity,
    make_file,
    make_gas,
    make_invoice,
    make_measured_day,
    make_self_reading,
    make_ticket,
    make_window,
)
from tests.security.routes import UNSAFE, path_of, with_method

HOSTILE = [
    "9" * 20,
    "-1",
    "0",
    "\x00",
    "a\x00b",
    "%00",
    "1e309",
    "NaN",
    "१२३",  # digits, but not ours
    "'; DROP TABLE account; --",
    "<script>alert(1)</script>",
    "{{ 7 * 7 }}",
    "../../etc/passwd",
    "\u202e\u0000\uffff\U0001f41d",
    "x" * 5000,
    "",
]
RAW = ["%ff%fe", "%c3%28", "%ed%a0%80", "%00", "%2e%2e%2f", "%5c", "%0d%0aX-A:%20b"]


DAY = dt.date(2026, 1, 2)


def there(app, rule):
    """The address of `rule` for things that the customer of `reach` has."""
    electric = rule.endpoint.startswith(("measure", "consumption"))
    return path_of(app, rule, "1", supply_code="PR000002" if electric else "PR000001")


@pytest.fixture
def reach(app, sign_in):
    """`reach(signed_in)`: a new browser, of nobody or of a customer who has one of each thing."""
    customer = make_customer()
    supply = make_gas(customer, code="PR000001")
    make_invoice(customer, supply)
    make_window()
    make_document(text="Testo", file=make_file(app, "a.pdf"))
    make_self_reading(supply, "2026-01-02", 100)
    make_attachment(app, make_ticket(customer, "1", category="complaint", due_on=DAY), id=1)
    power = make_electricity(customer, code="PR000002")
    make_measured_day(power, DAY)
    make_measured_day(power, DAY, quantity="reactive")
    make_consumption(power, DAY, DAY)
    account = make_account(customer)

    def _reach(signed_in):
        browser = sign_in(account) if signed_in else app.test_client()
        if not signed_in:
            with browser.session_transaction() as cookie:
                cookie["registration"] = [make_customer().id, 9e9]
        return browser

    return _reach


@cache
def field_names():
    """The name of every field of every form, and the parameters of addresses."""
    names = {"next", "pag", "righe", "ordine", "anno", "stato", "fornitura", "pagina", "key", "id"}
    names |= {"con", "vista", "cerca", "dal", "al", "quantita", "formato", "tipo"}
    for form in vars(forms).values():
        if isinstance(form, type) and issubclass(form, FlaskForm):
            names |= {name for name in dir(form) if name.islower() and is_field(form, name)}
    return sorted(names)


def is_field(form, name):
    return isinstance(getattr(form, name), Field) or hasattr(getattr(form, name), "field_class")


def check(answer, what):
    assert answer.status_code < 500, what
    assert b"Traceback" not in answer.get_data(), what


BOTH = pytest.mark.parametrize("signed_in", [False, True], ids=["nobody", "customer"])


def test_row_19_the_fields_are_found():
    assert {"username", "new_password", "tax_id", "email", "keep"} <= set(field_names())


@pytest.mark.slow
@pytest.mark.everywhere
@BOTH
def test_row_19_hostile_parts_of_the_address(app, reach, signed_in):
    for rule, method in with_method(app, "GET", *UNSAFE):
        for value in (*HOSTILE, "PR000001"):
            browser = reach(signed_in)
            if rule.arguments and value:
                check(browser.open(path_of(app, rule, value), method=method), (rule, value))
                path = path_of(app, rule, value, supply_code="PR000001")
                check(browser.open(path, method=method), (rule, value))


@BOTH
def test_row_19_bytes_that_are_no_text(app, reach, signed_in):
    for rule, method in with_method(app, "GET", *UNSAFE):
        browser = reach(signed_in)
        for raw in RAW:
            path = re.sub(r"<[^>]*>", raw, rule.rule)
            answer = browser.open(f"{path}?next={raw}&pag={raw}&{raw}={raw}", method=method)
            check(answer, (rule, raw))
            assert "X-A" not in answer.headers


@pytest.mark.slow
@pytest.mark.everywhere
@BOTH
def test_row_19_hostile_parameters(app, reach, signed_in):
    for rule, _method in with_method(app, "GET"):
        browser = reach(signed_in)
        path = there(app, rule)
        for value in HOSTILE:
            query = dict.fromkeys(field_names(), value)
            check(browser.get(path, query_string=query), (rule, value))
            twice = [(name, each) for name in field_names() for each in (value, "1", value)]
            check(browser.get(path, query_string=twice), (rule, value))


@pytest.mark.slow
@pytest.mark.everywhere
@BOTH
def test_row_19_hostile_forms(app, reach, signed_in):
    for rule, method in with_method(app, *UNSAFE):
        path = there(app, rule)
        for value in HOSTILE:
            browser = reach(signed_in)
            filled = dict.fromkeys(field_names(), value)
            check(browser.open(path, method=method, data=filled), (rule, value))
            twice = {name: [value, "1", value] for name in field_names()}
            check(reach(signed_in).open(path, method=method, data=twice), (rule, value))


@BOTH
def test_row_19_files_where_text_is_expected(app, reach, signed_in):
    for rule, method in with_method(app, *UNSAFE):
        path = there(app, rule)
        files = {name: (io.BytesIO(b"\xff"), "x.txt") for name in field_names()}
        check(reach(signed_in).open(path, method=method, data=files), rule)


FORM = "application/x-www-form-urlencoded"
BODIES = [
    (FORM, b"username=%ff&password=\xff\xfe&code=%00&email=%ed%a0%80"),
    (FORM, b"&&&=&=%&%zz=%zz"),
    (f"{FORM}; charset=utf-7", b"username=+AAA-&password=x"),
    ("multipart/form-data", b"x"),
    ("multipart/form-data; boundary=", b"--\r\n"),
    ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--"),
    (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="code"; filename="x"\r\n\r\n\xff\r\n--b--',
    ),
    ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="code"'),
    ("application/json", b"[1, 2]"),
    ("application/json", b'{"username": {"a": 1}, "password": [1]}'),
    ("application/json", b"{"),
    ("text/plain", b"username=x"),
    ("\xff/\xff", b"\xff"),
    (FORM, b"a=1&" * 20000),
    (FORM, b"username=" + b"x" * 70_000),
]


@BOTH
@pytest.mark.parametrize("number", range(len(BODIES)))
def test_row_19_hostile_bodies(app, reach, signed_in, number):
    content_type, body = BODIES[number]
    for rule, method in with_method(app, *UNSAFE):
        path = there(app, rule)
        answer = reach(signed_in).open(path, method=method, data=body, content_type=content_type)
        check(answer, rule)


@pytest.mark.parametrize(
    "header",
    [
        {"Cookie": "portale=x; portale-noto=x; remember_token=x"},
        {"Cookie": "remember_token=1|\u00e8"},
        {"Cookie": "remember_token=a|" + "0" * 128},
        {"Cookie": "portale=\u00ff.\u00ff.\u00ff; portale-noto=\u00ff.\u00ff.\u00ff"},
        {"Cookie": "=; ;;=x;" + "a=b;" * 500},
        {"X-CSRFToken": "\u00ff"},
        {"HX-Request": "\u00ff", "HX-Request-Type": "partial"},
        {"Accept-Language": "x" * 3000},
        {"Range": "bytes=9-1,-1,a"},
        {"If-None-Match": '"', "If-Modified-Since": "ieri"},
        {"Content-Length": "-1"},
        {"Content-Length": "x"},
        {"X-Forwarded-For": "\u00ff", "X-Forwarded-Proto": "javascript"},
    ],
    ids=str,
)
def test_row_19_hostile_headers(app, with_csrf, header):
    for rule, method in with_method(app, "GET", *UNSAFE):
        path = there(app, rule)
        check(app.test_client().open(path, method=method, headers=header), rule)


@pytest.mark.parametrize(
    "path", ["//", "/%2f", "/.", "/forniture//home", "/\u0000", "/" + "x" * 9000]
)
def test_row_19_addresses_of_nothing(client, path):
    assert client.get(path).status_code in {303, 308, 404}
