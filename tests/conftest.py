"""One portal per test, on SQLite or (TEST_DATABASE=postgresql) on a real PostgreSQL."""

import contextvars
import os
import shutil
import threading
from contextlib import contextmanager

import peewee as pw
import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import BytecodeCache
from playhouse.migrations import Runner

import models
from app import SETTINGS, bind_archive, create_app, read_settings
from domain import connections, mail, operator_sessions, sessions
from domain.clock import utcnow
from domain.formats import receipt
from domain.mail import sender
from tests import postgres, smtp

MIGRATIONS = os.path.join(os.path.dirname(__file__), "..", "jobs", "migrations")
ON_POSTGRESQL = os.environ.get("TEST_DATABASE", "sqlite") == "postgresql"


OF_EACH_TEST = {"DATA_DIR", "DATABASE_URL", "BACKUP_DIR", "OVERRIDES_DIR"}  # and in no template


class CompiledOnce(BytecodeCache):
    """Compiled templates, for all tests with the same settings, which are put into them."""

    def __init__(self):
        self._kept = {}

    def load_bytecode(self, bucket):
        bucket.code = self._kept.get(self._key(bucket))

    def dump_bytecode(self, bucket):
        self._kept[self._key(bucket)] = bucket.code

    def _key(self, bucket):
        config = bucket.environment.globals["config"]
        names = [each.name for each in SETTINGS if each.name not in OF_EACH_TEST]
        own = config["BRANDING"].digest, bucket.environment.language
        return bucket.key, bucket.checksum, *own, *(config[name] for name in names)


PRAGMAS = dict(connections.SQLITE_PRAGMAS)  # as the portal has them


@pytest.fixture(scope="session", autouse=True)
def nothing_is_done_twice_or_waits_for_the_disk():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Flask, "jinja_options", {"bytecode_cache": CompiledOnce()})
        patch.setitem(connections.SQLITE_PRAGMAS, "synchronous", "off")
        patch.setattr(receipt, "write_apart", receipt.write)  # the same: see its tests
        yield


def pytest_collection_modifyitems(config, items):
    """On PostgreSQL only what asks the archive: the rest has run on SQLite."""
    if ON_POSTGRESQL:
        others = [item for item in items if "migrated" not in item.fixturenames]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if "migrated" in item.fixturenames]


def required(reason):
    """Skip loudly on a laptop; fail where CI=true, which must have everything."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory):
    """The address of a database with all migrations applied, made once."""
    if ON_POSTGRESQL:
        with postgres.server(tmp_path_factory) as url:
            if url is None:
                required("no PostgreSQL server: apt-get install postgresql")
            yield _migrate(url)
    else:
        yield _migrate(f"sqlite:///{tmp_path_factory.mktemp('template') / 'portale.db'}")


def _migrate(url):
    database = connections.connect(url)
    Runner(database, MIGRATIONS).up()
    database.close_all()
    return url


@pytest.fixture(scope="session")
def cleaner(migrated):
    """A connection to PostgreSQL of its own, for `empty` alone."""
    database = pw.PostgresqlDatabase(migrated, prefer_psycopg3=True)
    yield database
    database.close()


def connected(database):
    if database.connect(reuse_if_open=True):
        database.connection().prepare_threshold = 0  # to plan takes longer than to look
    return database


def clean(database):
    """Empty what `database` is connected to, anew where a test has cut the connection."""
    try:
        empty(connected(database))
    except pw.OperationalError:
        database.close()
        empty(connected(database))


def empty(database):
    """Take out of a PostgreSQL database what a test has left; quicker than TRUNCATE of all."""
    names = [table._meta.table_name for table in models.TABLES]
    filled = " UNION ALL ".join(
        f"SELECT '{name}' WHERE EXISTS (SELECT FROM \"{name}\")" for name in names
    )
    counted = (
        "SELECT sequencename FROM pg_sequences WHERE last_value IS NOT NULL "
        "AND sequencename <> 'schema_migration_id_seq'"
    )
    run = database.execute_sql
    with database.atomic():
        run("SET LOCAL session_replication_role = replica")  # no order among the tables
        for (name,) in run(filled).fetchall():
            run(f'DELETE FROM "{name}"')
        for (name,) in run(counted).fetchall():
            run("SELECT setval(%s, 1, false)", (name,))


@pytest.fixture
def settings(request, migrated, tmp_path):
    """Settings of a portal with an empty archive."""
    data = tmp_path / "data"
    data.mkdir()
    if ON_POSTGRESQL:
        clean(request.getfixturevalue("cleaner"))
        url = migrated
    else:
        shutil.copy(migrated.removeprefix("sqlite:///"), data / "portale.db")
        url = f"sqlite:///{data / 'portale.db'}"
    return {
        "ENV": "development",
        "DATA_DIR": data,
        "DATABASE_URL": url,
        "SECRET_KEY": "una-chiave-di-prova-lunga-abbastanza",
        "BASE_URL": "http://localhost",
        "UTILITY_NAME": "Prova Energia",
        "UTILITY_VAT": "01234567890",
        "MAIL_SERVER": "127.0.0.1",
        "MAIL_PORT": 1,  # nobody listens: mail waits in the queue unless a test serves it
    }


def in_own_context(wsgi_app):
    """As a server does: no request finds what the test or another request left in `g`."""

    def answer(environ, start_response):
        return contextvars.Context().run(wsgi_app, environ, start_response)

    return answer


class Browser(FlaskClient):
    """A test client that reads each answer to its end, so that no file stays open."""

    def open(self, *args, buffered=True, **kwargs):
        return super().open(*args, buffered=buffered, **kwargs)


def make_app(settings):
    """A portal for a test that adds something to it."""
    app = create_app(settings)
    app.test_client_class = Browser
    app.config["WTF_CSRF_ENABLED"] = False  # tests of CSRF turn it on again
    app.config["MAIL_IN_BACKGROUND"] = False  # as in a job; tests of kick() turn it on again
    app.testing = False  # errors become the pages that customers see
    app.wsgi_app = in_own_context(app.wsgi_app)
    return app


_made = {}  # portals and their configuration, by the settings that they share


def reused(settings):
    """A portal like a new one, which would take longer to make than most tests do."""
    shared = tuple(item for item in settings.items() if item[0] not in OF_EACH_TEST)
    if shared not in _made:
        app = make_app(settings)
        _made[shared] = app, dict(app.config)
    app, config = _made[shared]
    own = read_settings(settings)
    app.config.clear()
    app.config.update(config, **{name: own[name] for name in OF_EACH_TEST})
    app.jinja_env.cache.clear()
    app.jinja_env.others.clear()
    mail.init_app(app)
    bind_archive(app.config)
    return app


@pytest.fixture
def app(settings):
    app = reused(settings)
    with app.app_context():
        yield app
    models.db.close_all()


@pytest.fixture
def mail_server(app):
    """A real SMTP server that takes the portal's mail; see tests/smtp.py."""
    with smtp.serving() as server:
        app.extensions["mail"].port = server.port
        yield server


@pytest.fixture
def background(app, monkeypatch):
    """The background sender at work; an event that is set each time it looked at the queue."""
    looked = threading.Event()
    send_due = sender.send_due

    def watched(**options):
        try:
            return send_due(**options)
        finally:
            looked.set()

    monkeypatch.setattr(sender, "send_due", watched)
    monkeypatch.setattr(sender, "PAUSE", 0)
    app.config["MAIL_IN_BACKGROUND"] = True
    return looked


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture
def sign_in(app):
    """`sign_in(account)`: a test client whose browser is signed in, without typing."""

    def _sign_in(account, **options):
        browser = app.test_client()
        token = sessions.open_session(account, now=utcnow(), **options)
        with browser.session_transaction() as cookie:
            cookie["_user_id"] = token
            cookie["_fresh"] = True
        return browser

    return _sign_in


@pytest.fixture
def sign_in_operator(app):
    """`sign_in_operator(operator)`: a browser at the desk, password and second factor given."""

    def _sign_in(operator, *, verified=True):
        browser = app.test_client()
        token = operator_sessions.open_session(operator, now=utcnow())
        if verified:
            row = operator_sessions.load(token, now=utcnow())
            token = operator_sessions.verified(row.session, now=utcnow())
        with browser.session_transaction() as cookie:
            cookie["_operator"] = token
        return browser

    return _sign_in


@pytest.fixture
def count_queries(app, monkeypatch):
    """`with count_queries() as queries:` lists the SQL that ran inside."""

    @contextmanager
    def _count():
        queries = []
        database = models.db.obj
        original = database.execute_sql

        def spy(sql, params=None, *args, **kwargs):
            queries.append(sql)
            return original(sql, params, *args, **kwargs)

        monkeypatch.setattr(database, "execute_sql", spy)
        try:
            yield queries
        finally:
            monkeypatch.undo()

    return _count
