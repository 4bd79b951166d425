"""The jobs that are expected to run by themselves, and how their last runs went."""

import datetime as dt
from typing import NamedTuple

from flask_babel import lazy_gettext as _l
from peewee import fn

from models import JobRun, Prepared

DONE, TRY_LATER = 0, 75  # exit codes, see jobs/runner.py
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)


class Job(NamedTuple):
    """What runs each `every`; it is late once no run has been done for `late_after`."""

    name: str
    label: str
    does: str
    every: dt.timedelta
    late_after: dt.timedelta


JOBS = (
    Job("import_inbox", _l("Importazione"), _l("i file della fatturazione e del distributore"),
        15 * MINUTE, 3 * HOUR),
    Job("acquire_readings", _l("Acquisizione"), _l("autoletture e contatti, alla fatturazione"),
        30 * MINUTE, 65 * MINUTE),
    Job("send_mail", _l("Posta"), _l("le mail che aspettano"), MINUTE, 15 * MINUTE),
    Job("send_reminders", _l("Promemoria"), _l("scadenze e periodi di lettura, ai clienti"),
        DAY, 26 * HOUR),
    Job("backup", _l("Copia di sicurezza"), _l("archivio e documenti"), DAY, 26 * HOUR),
    Job("purge", _l("Pulizia"), _l("ciò che non va più conservato"), DAY, 26 * HOUR),
)  # fmt: skip


def of(name):
    """The one of JOBS with that name."""
    return next(job for job in JOBS if job.name == name)


class Run(NamedTuple):
    """How a job is doing.

    `result` of its `last` run (a row, or None): `never`, `running`, `failed`, `postponed` or
    `done`. `late`: none was done for too long; `succeeded_at`: when the last that was began.
    """

    job: Job
    result: str
    late: bool
    last: object
    succeeded_at: dt.datetime | None

    @property
    def is_bad(self):
        return self.late or self.result in {"never", "failed"}

    @property
    def lasted(self):
        """How long the last run took, or None while it is not known."""
        if self.last is None or self.last.finished_at is None:
            return None
        return self.last.finished_at - self.last.started_at


def _newest(*conditions):
    wanted = JobRun.job.in_([job.name for job in JOBS]), *conditions
    return JobRun.select(fn.MAX(JobRun.id)).where(*wanted).group_by(JobRun.job)


_rows = Prepared(
    "",
    lambda: (
        JobRun.select(
            JobRun.job, JobRun.started_at, JobRun.finished_at, JobRun.exit_code, JobRun.summary
        )
        .where(
            JobRun.id.in_(_newest()) | JobRun.id.in_(_newest(JobRun.exit_code == DONE)),
        )
        .order_by(JobRun.id)
    ),
)


def runs(*, now):
    """A Run for each of JOBS."""
    rows = _rows()
    last = {row.job: row for row in rows}
    succeeded = {row.job: row.started_at for row in rows if row.exit_code == DONE}
    return [judged(job, last.get(job.name), succeeded.get(job.name), now) for job in JOBS]


def judged(job, last, succeeded_at, now):
    """The Run of a job; one that began in time and goes on is not late."""
    result = result_of(last)
    in_time = succeeded_at and now - succeeded_at <= job.late_after
    goes_on = result == "running" and now - last.started_at <= job.late_after
    late = not (result == "never" or in_time or goes_on)
    return Run(job, result, late, last, succeeded_at)


def result_of(last):
    """See Run."""
    if last is None:
        return "never"
    known = {None: "running", DONE: "done", TRY_LATER: "postponed"}
    return known.get(last.exit_code, "failed")
