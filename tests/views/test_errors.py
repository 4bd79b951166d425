import errno
import re
import sqlite3
import time

import peewee as pw
import psycopg
import pytest
from flask import abort, request
from werkzeug.exceptions import TooManyRequests

import models
from domain import connections
from tests.conftest import ON_POSTGRESQL, make_app
from tests.factories import make_account, make_customer, make_gas, make_window
from tests.pages import PARTIAL
from views import errors


@pytest.fixture
def app(settings):
    """One of its own, which takes new pages."""
    app = make_app(settings)
    with app.app_context():
        yield app
    models.db.close_all()


@pytest.fixture
def failing(app):
    """A client of a portal with pages that fail as told."""

    @app.get("/errore/<int:code>")
    def fail(code):
        if code == 429:
            raise TooManyRequests(retry_after=int(request.args.get("dopo", 300)))
        abort(code)

    @app.route("/errore/guasto", methods=["GET", "POST"])
    def break_down():
        raise ZeroDivisionError("dettaglio interno")

    @app.route("/errore/archivio", methods=["GET", "POST"])
    def archive_gone():
        raise pw.OperationalError("database is locked")

    return app.test_client()


@pytest.mark.parametrize("code", sorted(errors.PAGES))
def test_each_page_says_what_happened_and_what_to_do(failing, code):
    answer = failing.get(f"/errore/{code}")
    assert answer.status_code == code
    words = errors.PAGES[code]
    for sentence in (words.title, words.happened):
        assert str(sentence) in answer.text.replace("&#39;", "'")
    assert 'lang="it"' in answer.text
    assert '<a class="btn btn-primary" href="/">' in answer.text


@pytest.mark.parametrize(("code", "like"), [(405, 400), (410, 400), (501, 500)])
def test_other_codes_borrow_the_nearest_page(failing, code, like):
    answer = failing.get(f"/errore/{code}")
    assert answer.status_code == code
    assert str(errors.PAGES[like].title) in answer.text


@pytest.mark.parametrize("code", sorted(errors.PAGES))
def test_htmx_gets_a_small_alert_and_the_page_stays(failing, code):
    answer = failing.get(f"/errore/{code}", headers=PARTIAL)
    assert answer.status_code == code
    assert answer.headers["HX-Retarget"] == "#alerts"
    assert answer.headers["HX-Reswap"] == "innerHTML"
    assert "<!doctype" not in answer.text
    assert 'class="alert' in answer.text


@pytest.mark.parametrize(
    ("seconds", "sentence"),
    [(20, "tra un minuto"), (60, "tra un minuto"), (61, "tra 2 minuti"), (300, "tra 5 minuti")],
)
def test_too_many_tries_says_when_to_come_back(failing, seconds, sentence):
    answer = failing.get(f"/errore/429?dopo={seconds}")
    assert answer.headers["Retry-After"] == str(seconds)
    assert sentence in answer.text


def test_a_wrong_method_says_which_are_right(client):
    answer = client.post("/health")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_a_fault_shows_no_detail(failing):
    answer = failing.get("/errore/guasto")
    assert answer.status_code == 500
    assert "Qualcosa non ha funzionato" in answer.text
    assert "dettaglio interno" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(("number", "code"), [(errno.ENOSPC, 503), (errno.EIO, 500)])
def test_a_full_disk_is_no_fault_of_ours(app, number, code):
    @app.route("/errore/disco", methods=["GET", "POST"])
    def full():
        raise OSError(number, "dettaglio interno")

    for answer in (app.test_client().get("/errore/disco"), app.test_client().post("/errore/disco")):
        assert answer.status_code == code
        assert ("non ha spazio per i file" in answer.text) == (code == 503)
        assert "dettaglio interno" not in answer.text


def test_an_old_page_says_to_reload(app, client):
    app.config["WTF_CSRF_ENABLED"] = True
    answer = client.post("/logout")
    assert answer.status_code == 400
    assert "aperta da troppo tempo" in answer.text


def test_what_was_typed_is_kept_but_no_secret(failing):
    answer = failing.post(
        "/errore/archivio?a=1",
        data={"counter": ["45.000", '"><b>'], "password": "segreta-77", "csrf_token": "vecchio"},
    )
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert '<form method="post" action="/errore/archivio?a=1">' in answer.text
    assert '<input type="hidden" name="counter" value="45.000">' in answer.text
    assert 'value="&#34;&gt;&lt;b&gt;"' in answer.text
    assert "segreta-77" not in answer.text
    assert '<input class="form-control" type="password" id="password"' in answer.text
    assert "vecchio" not in answer.text
    assert re.search(r'name="csrf_token" value="[^"]{40,}"', answer.text)
    assert "Riprova" in answer.text


def test_the_form_stays_on_this_site(app):
    address = {"PATH_INFO": "//example.com/x"}
    with app.test_request_context(method="POST", data={"a": "1"}, environ_overrides=address):
        assert errors.typed().address == "/example.com/x"


def test_a_visit_that_fails_has_nothing_to_send_again(failing):
    answer = failing.get("/errore/archivio")
    assert answer.status_code == 503
    assert "<form" not in answer.text


def test_pages_render_without_archive_and_account(failing, sign_in, monkeypatch):
    browser = sign_in(make_account())

    def gone(*_args, **_options):
        raise pw.OperationalError("connection refused")

    monkeypatch.setattr(models.db.obj, "execute_sql", gone)
    for path in ("/", "/forniture/PR000001/fatture", "/errore/404", "/errore/archivio"):
        answer = browser.get(path)
        assert answer.status_code == 503
        assert "Attendere qualche secondo e riprovare." in answer.text
    assert failing.get("/errore/404").status_code == 404


@pytest.mark.parametrize("missing", ["nowhere", "customer.forgotten"])
def test_an_archive_that_was_not_migrated_asks_for_it_in_the_log(app, caplog, missing):
    table, _dot, column = missing.partition(".")

    @app.get("/errore/vecchio")
    def outdated():
        return models.db.execute_sql(f"SELECT {column or 1} FROM {table}").fetchall()

    assert app.test_client().get("/errore/vecchio").status_code == 503
    assert "run python -m jobs.migrate" in caplog.text


@pytest.fixture
def locked(app, settings):
    """The archive as while somebody else writes for a long time; waits are cut short."""
    models.db.close_all()
    connections.connect(settings["DATABASE_URL"], timeout=0.3)
    if ON_POSTGRESQL:
        other = psycopg.connect(settings["DATABASE_URL"])
        other.execute("LOCK TABLE self_reading IN ACCESS EXCLUSIVE MODE")
    else:
        other = sqlite3.connect(app.config["DATA_DIR"] / "portale.db")
        other.execute("BEGIN IMMEDIATE")
    yield
    other.close()


def test_a_busy_archive_keeps_the_reading_that_was_typed(request, sign_in):
    customer = make_customer()
    make_gas(customer, code="PR000001")
    make_window()
    browser = sign_in(make_account(customer))
    request.getfixturevalue("locked")
    started = time.monotonic()
    answer = browser.post("/forniture/PR000001/autolettura/nuova", data={"counter": "45.000"})
    assert time.monotonic() - started < 3
    assert answer.status_code == 503
    assert "Attendere qualche secondo e riprovare." in answer.text
    assert 'name="counter" value="45.000"' in answer.text
    assert 'action="/forniture/PR000001/autolettura/nuova"' in answer.text


def test_a_submission_beyond_the_limit_is_refused(client):
    answer = client.post("/login", data={"username": "y" * 100_000})
    assert answer.status_code == 413
    assert "Invio troppo grande" in answer.text
