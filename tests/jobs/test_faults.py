"""Whatever cuts a run, killed, refused by the disk or left by the server, the next ends the same.

Of imports and of what is handed to billing the faults of the system are tried where they are
tested: tests/domain/imports/test_inbox.py, tests/domain/test_handover.py; of the tables' changes
in test_upgrade.py.
"""

import datetime as dt
import itertools
import os
import signal
import sys
from contextlib import contextmanager, suppress

import psycopg
import pytest

from domain import erasing
from domain.clock import rome_day, utcnow
from domain.errors import Refused
from jobs import acquire_readings, import_inbox, purge, runner
from models import Account, LeftoverFile, SupplyPoint
from tests import kept, strace
from tests.conftest import ON_POSTGRESQL
from tests.domain import test_handover
from tests.domain.imports import test_inbox
from tests.domain.imports.conftest import Desk
from tests.factories import (
    make_account,
    make_attachment,
    make_customer,
    make_delegate,
    make_document,
    make_electricity,
    make_event,
    make_file,
    make_gas,
    make_import,
    make_invoice,
    make_mail,
    make_mandate,
    make_measured_day,
    make_self_reading,
    make_ticket,
)

pytestmark = pytest.mark.slow
on_sqlite = pytest.mark.skipif(ON_POSTGRESQL, reason="the system's calls are the same on both")
on_postgresql = pytest.mark.skipif(not ON_POSTGRESQL, reason="SQLite has no server")

NOW = utcnow().replace(microsecond=0)
DAY = dt.timedelta(days=1)
LATER = NOW + 200 * DAY
LONG_AGO = NOW - 4000 * DAY
YESTERDAY = rome_day(NOW) - DAY


@pytest.fixture
def settings(settings):
    with kept.database_of_its_own(settings) as own:
        yield own


# -- What there is to do -------------------------------------------------------------------


def leaving(app):
    """A customer who has left, whom the law lets go with everything but two invoices."""
    customer = make_customer("000777", phone="0574 123456", email="altro@example.it")
    account = make_account(customer, email="rosa@example.it")
    power = make_electricity(customer, ended_on=YESTERDAY)
    for years in (0, 11):
        date = dt.date(YESTERDAY.year - years, 1, 1)
        make_invoice(customer, power, date=date, document=make_file(app, f"f{years}.pdf"))
    make_measured_day(power, YESTERDAY)
    make_document("Lettera", customer=customer, file=make_file(app, "lettera.pdf"))
    ticket = make_ticket(customer, state="closed", closed_at=NOW, account=account)
    make_attachment(app, ticket)
    make_event("access", account=account)
    make_mail(account)
    return customer


def much_to_purge(app):
    """Rows and files whose time is over; one erased, whose files wait and whom imports brought."""
    data = app.config["DATA_DIR"]
    customer = leaving(app)
    erasing.erase(customer.id, now=NOW)
    make_measured_day(SupplyPoint.get(customer=customer), YESTERDAY)
    Account.update(created_at=LONG_AGO).where(Account.id == make_delegate().id).execute()
    make_mandate(make_customer(), account=make_delegate())
    make_mail(state="sent", sent_at=LONG_AGO)
    make_event("access", at=LONG_AGO)
    make_import(at=NOW, report={"errors": [[1, "a", "b", "c"]]})
    make_self_reading(make_gas(), YESTERDAY, 2, state="cancelled", cancelled_at=LONG_AGO)
    for name in ("inbox/archivio/2026/01/clienti.csv", "inbox/scartati/x.csv", "outbox/presi/a.csv",
                 "inbox/clienti.csv"):  # fmt: skip
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text("x")
    arriving = data / "documents" / "ticket" / ".arriving"
    arriving.mkdir(exist_ok=True)
    with_row = make_attachment(app, make_ticket(make_customer()))
    os.replace(data / "documents" / with_row.path, arriving / with_row.path.rpartition("/")[2])
    (arriving / "without-row.pdf").write_text("x")
    for path in arriving.iterdir():
        os.utime(path, (0, 0))


JOBS = {
    "acquire_readings": acquire_readings.run,
    "import_inbox": import_inbox.run,
    "purge": purge.run,
}


def ran(app, name, now):
    """The exit code of a run of that job in this process, at the instant `now`."""
    usual = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(runner, "utcnow", lambda: now)
            code, _summary = runner.attempt(app, name, JOBS[name], {}, True, True)
    finally:
        signal.signal(signal.SIGTERM, usual)
    return code


# -- Killed, or refused by the disk --------------------------------------------------------

AS_CRON = """
import datetime
from jobs import purge, runner
runner.utcnow = lambda: datetime.datetime.fromisoformat({now!r})
runner.main("purge", purge.run)
"""
AS_AN_OPERATOR = """
import datetime
from app import create_app
from domain import erasing
app = create_app()
with app.app_context():
    erasing.erase({customer}, now=datetime.datetime.fromisoformat({now!r}))
    erasing.remove_files(app.config["DATA_DIR"] / "documents")
"""


def assert_ends_the_same(settings, code, again, most):
    """Try the `code` with faults; then `again()` makes all as it is where there was none."""
    strace.needed()
    command = [sys.executable, "-c", code]
    portal = kept.Kept(settings)
    calls = strace.calls_of(command, settings, portal.data.parent / "calls")
    undisturbed, failed = portal.seen(), 0
    for where in strace.faults(calls, most):
        portal.back()
        failed += strace.faulty(command, settings, *where).returncode != 0
        again()
        assert portal.seen() == undisturbed, where
    assert failed > 4 * most
    assert LeftoverFile.select().count() == 0


@on_sqlite
def test_a_purge_that_is_killed_or_refused_is_completed_by_the_next(app, settings):
    much_to_purge(app)
    code = AS_CRON.format(now=LATER.isoformat())

    def again():
        assert ran(app, "purge", LATER) == runner.DONE

    assert_ends_the_same(settings, code, again, 2)


@on_sqlite
def test_an_erasure_that_is_killed_or_refused_is_done_wholly_or_not(app, settings):
    customer = leaving(app).id
    code = AS_AN_OPERATOR.format(customer=customer, now=NOW.isoformat())

    def again():
        """The operator tries again; the night removes files that were left."""
        with suppress(Refused):
            erasing.erase(customer, now=NOW)
        erasing.remove_files(settings["DATA_DIR"] / "documents")

    assert_ends_the_same(settings, code, again, 2)


# -- The server of PostgreSQL stops --------------------------------------------------------


class Server:
    """The database server of `settings`, which goes away at the n-th thing it is asked."""

    def __init__(self, settings):
        self.settings = settings
        self.asked = []  # what it is asked for, since `going_away`

    @contextmanager
    def going_away(self, nth, leave, *, answered=False):
        """Inside, `leave(self)` is called before the `nth` thing is done, or once it is done.

        Then it is done, and who asked never hears of it.
        """
        wait, execute = psycopg.Connection.wait, psycopg.Cursor.execute
        self.asked = []

        def execute_named(cursor, statement, *args, **more):
            cursor.connection.asking = str(statement)
            return execute(cursor, statement, *args, **more)

        def wait_counted(connection, work, *args, **more):
            if connection.info.dbname != "work":
                return wait(connection, work, *args, **more)
            self.asked.append(getattr(connection, "asking", ""))
            if len(self.asked) != nth:
                return wait(connection, work, *args, **more)
            if answered:
                wait(connection, work, *args, **more)
            leave(self)
            if answered:
                connection.pgconn.finish()
                raise psycopg.OperationalError("server closed the connection unexpectedly")
            return wait(connection, work, *args, **more)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(psycopg.Connection, "wait", wait_counted)
            patch.setattr(psycopg.Cursor, "execute", execute_named)
            yield
        self.come_back()

    def cut(self):
        """As a restart that nobody notices otherwise."""
        kept.ask(self.settings, kept.CUT, ["work"])

    def refuse(self):
        """As one that stays away, until it comes back."""
        kept.ask(self.settings, "ALTER DATABASE work ALLOW_CONNECTIONS false")
        self.cut()

    def come_back(self):
        kept.ask(self.settings, "ALTER DATABASE work ALLOW_CONNECTIONS true")


def moments(asked, every):
    """(n, how the server leaves, whether that was done) for the n-th of what is `asked`.

    Each end of a transaction, done and not heard of; of all, one in `every`, not done.
    """
    leave = itertools.cycle((Server.refuse, Server.cut))
    for number, statement in enumerate(asked, 1):
        if statement == "COMMIT":
            yield number, next(leave), True
        if number % every == 0:
            yield number, next(leave), False


def assert_later_the_same(app, settings, name, every, *, now=NOW, seen=kept.Kept.seen):
    """Wherever the server goes the job ends with «later», and its next run as if undisturbed."""
    server, portal = Server(settings), kept.Kept(settings)
    portal.back()
    with server.going_away(0, None):
        assert ran(app, name, now) == runner.DONE
    undisturbed, asked = seen(portal), server.asked
    codes = []
    for number, leave, answered in moments(asked, every):
        where = number, leave.__name__, answered, asked[number - 1]
        portal.back()
        with server.going_away(number, leave, answered=answered):
            codes.append(ran(app, name, now))
        if codes[-1] != runner.TRY_LATER:  # only its record was still to be written
            assert (codes[-1], seen(portal)) == (runner.DONE, undisturbed), where
        assert ran(app, name, now) == runner.DONE, where
        assert seen(portal) == undisturbed, where
    assert codes.count(runner.TRY_LATER) > 10


@on_postgresql
@pytest.mark.everywhere
def test_a_purge_that_the_server_leaves(app, settings):
    much_to_purge(app)
    assert_later_the_same(app, settings, "purge", 4, now=LATER)
    assert LeftoverFile.select().count() == 0


@on_postgresql
@pytest.mark.everywhere
def test_an_acquisition_that_the_server_leaves(app, settings):
    app.config["TAL_0050"] = True
    test_handover.make_of_each()
    assert_later_the_same(app, settings, "acquire_readings", 4)
    outbox = settings["DATA_DIR"] / "outbox"
    assert len(list(outbox.iterdir())) == 5
    assert all(test_handover.is_finished(kind, outbox) for kind in test_handover.KINDS)


@on_postgresql
@pytest.mark.everywhere
def test_an_import_that_the_server_leaves(app, settings):
    desk = Desk(settings["DATA_DIR"])
    test_inbox.fill(desk)

    def seen(_portal):
        return test_inbox.world(desk)

    assert_later_the_same(app, settings, "import_inbox", 16, now=test_inbox.NOW, seen=seen)
