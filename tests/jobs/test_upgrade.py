"""An archive of an earlier release comes to this one, whatever happens on the way."""

import subprocess
import sys
from pathlib import Path

import pytest
from playhouse.migrations import Runner

import models
from app import ConfigurationError, create_app
from domain import connections, operator_sessions, schedule, schema, sessions
from domain.backups import contents, making
from domain.clock import utcnow
from domain.errors import Refused
from domain.release import VERSION
from jobs import migrate
from models import Account, Customer, Operator, RegisterEntry, StoredFile, SupplyPoint
from tests import archives, every_page, strace
from tests.conftest import ON_POSTGRESQL, Browser, in_own_context
from tests.jobs import process
from tests.security.owners import Owner

RELEASES = sorted(path.stem for path in archives.FOLDER.glob("*.sql"))
LATER = "9999_later"
# The walk asks for strange filters and missing things too, and for parts of what leads elsewhere.
ANSWERED = {200, 401, 404, 422}
MIGRATE = [sys.executable, "-m", "jobs.migrate"]


@pytest.fixture
def nothing_yet(settings, tmp_path):
    """Settings of a portal whose archive is empty, and that archive bound."""
    url = f"sqlite:///{tmp_path / 'earlier.db'}"
    if ON_POSTGRESQL:
        server = connections.connect(settings["DATABASE_URL"])
        server.execute_sql("CREATE DATABASE earlier")
        server.close_all()
        url = f"{settings['DATABASE_URL'].rpartition('/')[0]}/earlier"
    connections.connect(url)
    yield {**settings, "DATABASE_URL": url, "SECRET_KEY": archives.KEY}
    models.db.close_all()
    if ON_POSTGRESQL:
        server = connections.connect(settings["DATABASE_URL"])
        server.execute_sql("DROP DATABASE earlier WITH (FORCE)")
        server.close_all()


@pytest.fixture(params=RELEASES)
def earlier(nothing_yet, request):
    """Settings of a portal of an earlier release, with its rows and files."""
    return filled(nothing_yet, request.param)


@pytest.fixture
def previous(nothing_yet):
    """The same of one release only."""
    return filled(nothing_yet, RELEASES[-1])


def filled(settings, name):
    archives.load(name)
    documents = settings["DATA_DIR"] / "documents"
    paths = [row[0] for row in models.db.execute_sql("SELECT path FROM stored_file").fetchall()]
    if models.db.table_exists("attachment"):
        paths += [row[0] for row in models.db.execute_sql("SELECT path FROM attachment").fetchall()]
    for path in paths:
        (documents / path).parent.mkdir(parents=True, exist_ok=True)
        (documents / path).write_bytes(b"%PDF-1.4\n%%EOF\n")
    models.db.close_all()
    return settings


def upgrade(settings, **options):
    """What jobs.migrate says."""
    models.db.close_all()
    app = create_app(settings, any_release=True)
    try:
        with app.app_context():
            return migrate.run(app, now=utcnow(), **options)
    finally:
        models.db.close_all()


def assert_kept(before):
    """Every row is where it was, with what it held."""
    for table, (names, rows) in before.items():
        assert archives.rows_of(table, names) == rows, table


def after(name):
    """The first migration that an archive whose last one is `name` has not."""
    names = [step.name for step in schema.migrations().migrations()]
    return names[names.index(name) + 1]


def copies(settings):
    return making.finished(settings["DATA_DIR"] / "backup")


# -- It arrives ----------------------------------------------------------------------------


def test_every_row_is_where_it_was_and_in_a_copy(earlier):
    before, last = archives.everything(), schema.applied()[-1]
    said = upgrade(earlier)
    assert_kept(before)
    assert schema.missing() == schema.unknown() == []
    [copy] = copies(earlier)
    assert said.startswith(f"Archivio aggiornato alla versione {VERSION}: {after(last)}")
    assert said.endswith(f"La copia di prima è in {copy}.")
    manifest = contents.verify(copy)
    assert manifest["migrations"][-1] == last
    assert manifest["lost"] == []
    assert manifest["rows"]["stored_file"] == StoredFile.select().count()
    assert upgrade(earlier) == f"L'archivio è già aggiornato alla versione {VERSION}."
    assert copies(earlier) == [copy]


@pytest.mark.slow
@pytest.mark.everywhere
def test_every_page_answers_and_every_job_runs(earlier):
    upgrade(earlier)
    app = create_app(earlier)
    app.test_client_class = Browser
    app.wsgi_app = in_own_context(app.wsgi_app)
    app.config.update(WTF_CSRF_ENABLED=False, MAIL_IN_BACKGROUND=False)
    with app.app_context():
        owner = owner_of(app)
        browser = signed_in(app, "_user_id", sessions.open_session(owner.account, now=utcnow()))
        seen = list(every_page.of_customer(app, owner, browser, "GET"))
        assert [page.name for page in seen if page.status not in ANSWERED] == []
        assert sum(owner.customer.name in page.text for page in seen) > 30
        if operator := Operator.get_or_none():
            token = operator_sessions.open_session(operator, now=utcnow())
            row = operator_sessions.load(token, now=utcnow())
            token = operator_sessions.verified(row.session, now=utcnow())
            desk = list(every_page.of_desk(app, owner, signed_in(app, "_operator", token)))
            assert [page.name for page in desk if page.status not in ANSWERED] == []
            assert sum(operator.name in page.text for page in desk) > 20
            assert RegisterEntry.select().count() > 2
    for job in schedule.JOBS:
        done = process.job(earlier, job.name)
        expected = {0, 75} if job.name == "send_mail" else {0}  # nobody takes its mail here
        assert done.returncode in expected, done.stdout + done.stderr


def owner_of(app):
    """The customer of the archive, for tests that walk every page."""
    owner = Owner.__new__(Owner)
    owner.app = app
    owner.customer = Customer.get(Customer.name.startswith("CLIENTE"))
    owner.account = Account.get()
    owner.gas = SupplyPoint.get(SupplyPoint.service == "GAS")
    owner.electricity = SupplyPoint.get(SupplyPoint.service == "EE")
    owner.today = every_page.rome_day(utcnow())
    return owner


def signed_in(app, name, token):
    browser = app.test_client()
    with browser.session_transaction() as cookie:
        cookie[name] = token
        cookie["_fresh"] = True
    return browser


# -- It does not begin ---------------------------------------------------------------------


def test_without_a_copy_nothing_is_changed(previous, monkeypatch):
    before = schema.applied()
    folder = previous["DATA_DIR"] / "backup"
    folder.write_text("un file, dove va la cartella")
    with pytest.raises(Refused, match="non è stato toccato, perché la copia di sicurezza non è"):
        upgrade(previous)
    assert schema.applied() == before
    folder.unlink()
    monkeypatch.setattr(migrate, "ROOM", 10**9)
    with pytest.raises(Refused, match=r"restano [\d.]+ MB e ne servono almeno"):
        upgrade(previous)
    assert folder.stat().st_mode & 0o777 == 0o700, "copies are for the portal's user alone"
    assert schema.applied() == before
    assert copies(previous) == []
    assert "copia" not in upgrade(previous, no_backup=True)
    assert schema.missing() == []
    assert copies(previous) == []


def test_the_portal_starts_on_an_archive_of_its_own_release_only(previous):
    with pytest.raises(ConfigurationError, match="eseguire prima «python -m jobs"):
        create_app(previous)
    upgrade(previous)
    create_app(previous)
    models.db.execute_sql(
        f"INSERT INTO schema_migration (name, applied) VALUES ('{LATER}', '2026-01-01')"
    )
    models.db.close_all()
    for start in (create_app, upgrade):
        with pytest.raises((ConfigurationError, Refused), match="più recente di questa"):
            start(previous)


@pytest.mark.slow
def test_asked_by_systemd_it_says_why_it_does_not_start(previous):
    done = process.finished([sys.executable, "app.py"], previous)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Il portale non parte. L'archivio non è pronto")
    assert len(done.stderr.splitlines()) == 1
    job = process.job(previous, "send_mail")
    assert (job.returncode, "jobs.migrate" in job.stdout) == (1, True)
    upgrade(previous)
    assert process.finished([sys.executable, "app.py"], previous).returncode == 0


# -- It is cut, or done twice at once ------------------------------------------------------


def test_a_step_that_fails_leaves_nothing_and_the_next_run_goes_on(nothing_yet, monkeypatch):
    filled(nothing_yet, "0003_exchange")
    before, run = archives.everything(), Runner._run

    def cut(self, name, module, *more, **options):
        if name == "0005_search":
            module.up = failing(module.up)
        run(self, name, module, *more, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Runner, "_run", cut)
        with pytest.raises(OSError, match="No space"):
            upgrade(nothing_yet)
    assert schema.applied()[-1] == "0004_desk"
    assert not models.db.table_exists("search_text")
    upgrade(nothing_yet)
    assert_kept(before)
    assert schema.missing() == []


def failing(up):
    def fail(migrator, database):
        up(migrator, database)
        raise OSError(28, "No space left on device")

    return fail


@pytest.mark.slow
def test_killed_or_refused_while_it_writes_the_next_run_goes_on(nothing_yet, tmp_path):
    strace.needed()
    failed = 0
    filled(nothing_yet, "0003_exchange")
    before = archives.everything()
    models.db.close_all()
    archive = Path(nothing_yet["DATABASE_URL"].removeprefix("sqlite:///"))
    kept = archive.read_bytes()
    for where in strace.faults(strace.calls_of(MIGRATE, nothing_yet, tmp_path / "calls"), 2):
        for rest in archive.parent.glob(f"{archive.name}*"):
            rest.unlink()
        archive.write_bytes(kept)
        failed += strace.faulty(MIGRATE, nothing_yet, *where).returncode != 0
        done = process.finished(MIGRATE, nothing_yet)
        assert done.returncode == 0, (where, done.stdout + done.stderr)
        connections.connect(nothing_yet["DATABASE_URL"])
        assert_kept(before)
        assert schema.missing() == []
        models.db.close_all()
    assert failed > 8


@pytest.mark.slow
@pytest.mark.everywhere
def test_two_machines_at_once_do_it_once(previous):
    before = archives.everything()
    environment = process.environment(previous)
    running = [
        subprocess.Popen(
            MIGRATE, cwd=process.ROOT, env=environment, stdout=subprocess.PIPE, text=True
        )
        for _machine in range(2)
    ]
    told = [each.communicate(timeout=120)[0] for each in running]
    assert sorted(each.returncode for each in running) in ([0, 0], [0, 75]), told
    assert sum("Archivio aggiornato" in text for text in told) == 1
    assert_kept(before)
    assert schema.missing() == []
