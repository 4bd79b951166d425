"""How the jobs are, by their last runs."""

import datetime as dt
from pathlib import Path

import pytest

from domain import schedule
from domain.clock import utcnow
from models import JobRun

MINUTE = dt.timedelta(minutes=1)
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def now(app):
    return utcnow()


def ran(job, began, code=0, lasted=MINUTE / 2):
    ended = None if code is None else began + lasted
    return JobRun.create(job=job, started_at=began, finished_at=ended, exit_code=code, summary="x")


def acquisition(now):
    return next(run for run in schedule.runs(now=now) if run.job.name == "acquire_readings")


def test_the_jobs_that_are_expected_exist_and_are_planned(app):
    cron = (ROOT / "deploy" / "portale.cron").read_text()
    for job in schedule.JOBS:
        assert (ROOT / "jobs" / f"{job.name}.py").exists()
        assert f"jobs.{job.name} " in cron
        assert (ROOT / "deploy" / f"portale-{job.name}.timer").exists()
        assert job.every < job.late_after


def test_a_job_that_never_ran_is_known_for_it(now):
    assert [run.result for run in schedule.runs(now=now)] == ["never"] * len(schedule.JOBS)
    assert all(run.is_bad and not run.late and run.lasted is None for run in schedule.runs(now=now))


@pytest.mark.parametrize(("minutes", "late"), [(64, False), (65, False), (66, True)])
def test_the_acquisition_is_late_after_65_minutes(now, minutes, late):
    ran("acquire_readings", now - minutes * MINUTE)
    run = acquisition(now)
    assert (run.result, run.late, run.is_bad) == ("done", late, late)
    assert run.lasted == MINUTE / 2


def test_attempts_that_do_not_succeed_do_not_count_as_runs(now):
    ran("acquire_readings", now - 70 * MINUTE)
    ran("acquire_readings", now - 40 * MINUTE, code=75)
    assert (acquisition(now).result, acquisition(now).late) == ("postponed", True)
    ran("acquire_readings", now - 10 * MINUTE, code=1)
    assert (acquisition(now).result, acquisition(now).late) == ("failed", True)
    assert acquisition(now).succeeded_at == now - 70 * MINUTE


def test_one_failure_in_time_is_bad_one_postponement_is_not(now):
    ran("acquire_readings", now - 31 * MINUTE)
    ran("acquire_readings", now - MINUTE, code=75)
    assert (acquisition(now).late, acquisition(now).is_bad) == (False, False)
    ran("acquire_readings", now, code=2)
    assert (acquisition(now).late, acquisition(now).is_bad) == (False, True)


def test_one_that_goes_on_is_late_only_when_it_has_gone_on_for_too_long(now):
    ran("acquire_readings", now - 100 * MINUTE)
    ran("acquire_readings", now - 60 * MINUTE, code=None)
    assert (acquisition(now).result, acquisition(now).late) == ("running", False)
    assert acquisition(now + 6 * MINUTE).late


def test_however_many_runs_there_are_one_query_tells(now, count_queries):
    for minutes in range(100, 0, -1):
        ran("send_mail", now - minutes * MINUTE)
    with count_queries() as queries:
        schedule.runs(now=now)
    assert len(queries) == 1
