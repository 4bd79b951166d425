"""What every job shares: settings, lock, record, progress bar, log line, exit code.

A job ends with one line on standard output,

    2026-11-23T05:30:01Z send_mail exit=0 seconds=0.42 Inviate 3, rinviate 0, non recapitabili 0.

that is: when it ended (UTC), the job, its exit code, how long it took, and its summary.

| exit code | meaning |
|-----------|---------|
| 0  | done |
| 75 | try later: the job is running already, the archive is busy, or it was stopped (SIGTERM) |
| 1  | failed; the reason is in the line, and for the unexpected a trace is on standard error |
| 2  | wrong arguments or settings |
"""

import argparse
import errno
import fcntl
import hashlib
import inspect
import logging
import re
import signal
import sqlite3
import sys
import time
from contextlib import contextmanager, nullcontext

import peewee as pw
import psycopg
from tqdm import tqdm

import models
from app import ConfigurationError, create_app
from domain import connections, schema
from domain.clock import utcnow
from domain.errors import Refused
from models import JobRun, writing

log = logging.getLogger("portale.jobs")

DONE, FAILED, MISUSED, TRY_LATER = 0, 1, 2, 75
CACHE = -64_000  # KiB of the archive kept in memory: a job has one connection, and much to write
DISK_REFUSALS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES}
RUNS_KEPT = 500  # of each job


class TryLater(Exception):
    """Nothing is wrong with the job: the next run will do. The text says what it waits for."""


class Stopped(BaseException):
    """The process was asked to end; open transactions roll back on the way out."""


UNREACHABLE = (
    pw.OperationalError, pw.InterfaceError, sqlite3.OperationalError, psycopg.OperationalError,
)  # fmt: skip
BAD_ENDS = (Exception, Stopped, KeyboardInterrupt)


def main(name, run, arguments=None, *, migrated=True, recorded=True, alone=True):
    """Run a job as a process and exit.

    `arguments(parser)` adds the options of this job; `run` gets them by name. `migrated`:
    the job needs the tables of this release; `recorded`: the run leaves a JobRun row; `alone`:
    a second run at once is kept out. With the option `json` standard output is left to the job.
    """
    options = parse(name, run, arguments)
    started = time.monotonic()
    connections.SQLITE_PRAGMAS["cache_size"] = CACHE
    try:
        app = create_app(any_release=True)
    except (ConfigurationError, OSError, ValueError) as error:
        code, summary = MISUSED, error
    else:
        app.config["MAIL_IN_BACKGROUND"] = False  # this process ends too soon for that
        code, summary = attempt(app, name, run, options, migrated, recorded, alone)
    seconds = time.monotonic() - started
    print(
        f"{utcnow():%Y-%m-%dT%H:%M:%SZ} {name} exit={code} {seconds=:.2f} {one_line(summary)}",
        file=sys.stderr if options.get("json") else sys.stdout,
        flush=True,
    )
    sys.exit(code)


def parse(name, run, arguments):
    parser = argparse.ArgumentParser(
        prog=f"python -m jobs.{name}",
        description=inspect.getmodule(run).__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if arguments:
        arguments(parser)
    return vars(parser.parse_args())


def attempt(app, name, run, options, migrated, recorded, alone=True):
    """(exit code, summary) of one run; one that gets the lock leaves a JobRun row.

    But not a dry run, which leaves nothing at all.
    """
    recorded = recorded and not options.get("dry_run")
    signal.signal(signal.SIGTERM, stop)
    try:
        with app.app_context(), locked(app, name) if alone else nullcontext():
            row = begin(name, migrated)
            if recorded and migrated:
                save(row)
            try:
                result = DONE, run(app, now=row.started_at, **options)
            except BAD_ENDS as error:
                result = judged(name, error)
            if recorded:
                finish(row, *result)
    except BAD_ENDS as error:
        result = judged(name, error)
    return result


def judged(name, error):
    """(exit code, summary) of a run that ended with `error`."""
    if isinstance(error, TryLater):
        return TRY_LATER, error
    if refused_by_the_disk(error):
        return FAILED, f"Il disco non accetta dati, controllare lo spazio e i permessi: {error}"
    if isinstance(error, UNREACHABLE):
        return TRY_LATER, f"Archivio occupato o non raggiungibile: {error}"
    if isinstance(error, Stopped | KeyboardInterrupt):
        return TRY_LATER, "Interrotto: la prossima esecuzione riprende da qui."
    if isinstance(error, Refused):
        return FAILED, error
    log.error("%s failed", name, exc_info=error)
    return FAILED, f"{type(error).__name__}: {error}"


def refused_by_the_disk(error):
    """Whether somebody must make room or give a permission: waiting would not help."""
    if isinstance(error, pw.OperationalError | sqlite3.OperationalError):
        return re.search(r"disk (is full|I/O)|[Nn]o space left|readonly database", str(error))
    return isinstance(error, OSError) and error.errno in DISK_REFUSALS


def stop(_signal, _frame):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough
    raise Stopped


def one_line(text):
    """`text` without what would break a log line or what a database refuses."""
    return " ".join(str(text).replace("\0", "").split())


def locked(app, name):
    """Keep out a second run: by a file lock, and on PostgreSQL from all machines at once.

    There by the server alone, as file locks do not reach over every network. Either lock
    belongs to the process: the kernel or the server frees it when the process dies.
    """
    if models.is_sqlite():
        return locked_here(app.config["DATA_DIR"], name)
    return locked_on_server(app.config["DATABASE_URL"], name)


@contextmanager
def locked_here(data_dir, name):
    folder = data_dir / ".locks"
    folder.mkdir(exist_ok=True)
    with (folder / name).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TryLater("Già in esecuzione.") from None
        yield


@contextmanager
def locked_on_server(url, name):
    """The advisory lock of PostgreSQL, on a connection of its own that lives as long."""
    number = int.from_bytes(hashlib.sha256(f"portale {name}".encode()).digest()[:8], signed=True)
    database = pw.PostgresqlDatabase(
        url, prefer_psycopg3=True, connect_timeout=5, options=f"-c {connections.SOON_KNOWN_DEAD}"
    )
    with database.connection_context():
        if not database.execute_sql("SELECT pg_try_advisory_lock(%s)", (number,)).fetchone()[0]:
            raise TryLater("Già in esecuzione, qui o su un'altra macchina.")
        yield


def begin(name, migrated):
    """The JobRun row of a run that starts now, not saved yet."""
    if migrated:
        schema.refuse_another_release()
    return JobRun(job=name, started_at=utcnow())


def save(row):
    with writing():
        row.save()


def finish(row, code, summary):
    """Complete the row, and forget the oldest of its job. The run counts even if this fails."""
    row.finished_at, row.exit_code, row.summary = utcnow(), code, one_line(summary)
    models.db.close()  # whatever the job left open or broken
    try:
        with writing():
            row.save()
            same = JobRun.job == row.job
            newest = JobRun.select(JobRun.id).where(same).order_by(JobRun.id.desc())
            JobRun.delete().where(same, JobRun.id.not_in(newest.limit(RUNS_KEPT))).execute()
    except pw.PeeweeException as error:
        log.error("%s: run not recorded: %s", row.job, error)


def progress(work, desc):
    """A progress bar over an iterable, or with a total to `update()`; for a person only."""
    amount = {"total": work} if isinstance(work, int) else {"iterable": work}
    return tqdm(**amount, desc=desc, leave=False, disable=not sys.stderr.isatty())
