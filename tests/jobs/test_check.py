"""The job that monitoring asks, as a process."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from domain import notation, schedule
from domain.clock import utcnow
from models import JobRun
from tests.jobs import process

pytestmark = pytest.mark.processes

DOCS = Path(__file__).parent.parent.parent / "docs" / "monitoraggio.md"
UNREACHABLE = ["sqlite:////proc/portale.db", "postgresql://nessuno@127.0.0.1:1/portale"]


@pytest.fixture
def well(app):
    now = utcnow()
    for job in schedule.JOBS:
        JobRun.create(job=job.name, started_at=now, finished_at=now, exit_code=0)
    (app.config["BACKUP_DIR"] / now.strftime("%Y-%m-%dT%H%M%S")).mkdir(parents=True)


def test_where_all_is_well_it_says_so_line_by_line(well, settings):
    done = process.job(settings, "check")
    *lines, last = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout
    assert all(line.startswith("ok ") for line in lines)
    assert last.endswith(f"{len(lines)} controlli, tutto a posto.")
    assert JobRun.select().count() == len(schedule.JOBS)  # it leaves no run of its own


def test_of_a_new_portal_it_says_what_to_do(app, settings):
    done = process.job(settings, "check")
    assert done.returncode == 1
    assert (
        "DA FARE job.backup: Mai eseguito. -> controllare che jobs.backup sia pian" in done.stdout
    )
    assert "DA FARE backup: Nessuna copia di sicurezza" in done.stdout
    assert " exit=1 " in done.stdout.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_json_is_alone_on_standard_output_and_its_checks_are_documented(well, settings):
    done = process.job(settings, "check", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["layout"], told["ok"]) == (0, 1, True)
    assert " check exit=0 " in done.stderr
    table = DOCS.read_text().partition("| lavoro |")[0]
    documented = re.findall(r"^\| `([a-z.]+)` \|", table, re.M)
    assert {re.sub(r"job\..*", "job.nome", each["name"]) for each in told["checks"]} == set(
        documented
    )
    assert all(set(each) == {"name", "ok", "message", "todo", "data"} for each in told["checks"])


@pytest.mark.parametrize("url", UNREACHABLE)
def test_without_its_archive_it_fails_and_tells_the_rest(settings, url):
    done = process.job(settings, "check", "--json", DATABASE_URL=url)
    told = {each["name"]: each for each in json.loads(done.stdout)["checks"]}
    assert done.returncode == 1
    assert "L'archivio non risponde" in told["archive"]["message"]
    assert told["disk.data"]["ok"]
    assert "Traceback" not in done.stderr


def test_before_the_tables_are_made_it_says_which_are_missing(settings, tmp_path):
    done = process.job(settings, "check", DATABASE_URL=f"sqlite:///{tmp_path / 'nuovo.db'}")
    assert done.returncode == 1
    assert "DA FARE migrations: Migrazioni mancanti: 0001_initial" in done.stdout
    assert "jobs.migrate" in done.stdout


def test_two_at_once_do_not_keep_each_other_out(well, settings):
    command = [sys.executable, "-m", "jobs.check"]
    both = [
        subprocess.Popen(
            command, cwd=process.ROOT, env=process.environment(settings), stdout=subprocess.PIPE,
            text=True,
        )
        for _each in range(2)
    ]  # fmt: skip
    for each in both:
        output, _errors = each.communicate(timeout=120)
        assert each.returncode == 0, output


def test_when_a_job_is_late_is_documented():
    told = re.findall(r"^\| `([a-z_]+)` \| (\d+ (?:or|min)[a-z0-9 ]+) \|$", DOCS.read_text(), re.M)
    assert told == [(job.name, notation.span(job.late_after)) for job in schedule.JOBS]
