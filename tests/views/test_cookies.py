"""The signed cookie: remembered when it is right, refused when it is not."""

import datetime as dt
import sqlite3
import time

import pytest

import models
from app import create_app
from domain.clock import utcnow
from tests.conftest import ON_POSTGRESQL
from tests.factories import make_account, make_customer, make_gas


def cookie_of(browser):
    return browser.get_cookie("portale").value


def test_a_changed_cookie_signs_nobody_in(app, sign_in):
    customer = make_customer()
    make_gas(customer, code="PR000001")
    browser = sign_in(make_account(customer))
    assert browser.get("/forniture/PR000001/home").status_code == 200
    value = cookie_of(browser)
    stranger = app.test_client()
    for forged in (value[:-2] + "AA", value[1:], "", "a.b.c", "\N{SNOWMAN}"):
        stranger.set_cookie("portale", forged)
        assert stranger.get("/forniture/PR000001/home").status_code == 303


def test_a_cookie_is_believed_as_often_as_it_comes(sign_in):
    customer = make_customer()
    make_gas(customer, code="PR000001")
    browser = sign_in(make_account(customer))
    for _time in range(3):
        assert browser.get("/forniture/PR000001/home").status_code == 200


def test_a_cookie_of_another_key_is_refused(app, sign_in, settings):
    customer = make_customer()
    make_gas(customer, code="PR000001")
    browser = sign_in(make_account(customer))
    models.db.close_all()  # another portal takes its place
    other = create_app({**settings, "SECRET_KEY": "un-altra-chiave-di-prova-lunga-tanto"})
    stranger = other.test_client()
    stranger.set_cookie("portale", cookie_of(browser))
    assert stranger.get("/forniture/PR000001/home").status_code == 303


def test_a_page_notes_who_was_there(sign_in):
    customer = make_customer()
    make_gas(customer, code="PR000001")
    browser = sign_in(make_account(customer))
    past = utcnow() - dt.timedelta(minutes=5)
    models.Session.update(seen_at=past).execute()
    browser.get("/forniture/PR000001/home", headers={"X-Portale-Refresh": "1"})
    assert models.Session.get().seen_at == past
    browser.get("/forniture/PR000001/home")
    assert models.Session.get().seen_at > past + dt.timedelta(minutes=4)


@pytest.mark.skipif(ON_POSTGRESQL, reason="only SQLite has one writer at a time")
def test_a_page_does_not_wait_for_a_writer_to_note_who_was_there(app, sign_in, settings):
    customer = make_customer()
    make_gas(customer, code="PR000001")
    browser = sign_in(make_account(customer))
    models.Session.update(seen_at=utcnow() - dt.timedelta(minutes=5)).execute()
    other = sqlite3.connect(settings["DATA_DIR"] / "portale.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    start = time.monotonic()
    assert browser.get("/forniture/PR000001/home").status_code == 200
    assert time.monotonic() - start < 2
    other.execute("ROLLBACK")
    other.close()
