"""deploy/, the pages of docs/ that lead through it, and the release say the same."""

import re
from pathlib import Path

from domain import schedule
from domain.release import VERSION
from tests.install.__main__ import NOT_HERE
from tests.install.page import blocks

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
INSTALL = (ROOT / "docs" / "installazione.md").read_text()
PLANNED = {job.name for job in schedule.JOBS} | {"check"}
CRON = re.findall(
    r"^((?:\S+ +){5})portale  cd /opt/portale && .venv/bin/python -m jobs\.(\w+) 2>&1 "
    r"\| logger -t portale$",
    (DEPLOY / "portale.cron").read_text(),
    re.M,
)
SAME = {  # an hour as systemd writes it, and as cron does
    "*:*:00": "* * * * *",
    "*:00/30": "*/30 * * * *",
    "*:05/15": "5-59/15 * * * *",
    "*:10/15": "10-59/15 * * * *",
    "*-*-* 02:30:00": "30 2 * * *",
    "*-*-* 03:20:00": "20 3 * * *",
    "*-*-* 07:15:00": "15 7 * * *",
}


def timers():
    """{job: hour} of the timers."""
    for path in DEPLOY.glob("portale-*.timer"):
        text = path.read_text()
        job = re.search(r"^Unit=portale-job@(\w+)\.service$", text, re.M)[1]
        assert path.name == f"portale-{job}.timer"
        yield job, re.search(r"^OnCalendar=(.+)$", text, re.M)[1]


def test_timers_cron_and_the_page_plan_the_same_jobs_at_the_same_hours():
    planned = dict(timers())
    assert planned.keys() == PLANNED
    assert {job: SAME[hour] for job, hour in planned.items()} == {
        job: " ".join(hour.split()) for hour, job in CRON
    }
    for verb in ("enable", "disable"):
        [line] = re.findall(rf"^systemctl {verb} --now (portale-.+\.timer)$", INSTALL, re.M)
        assert {name.removeprefix("portale-") for name in line.split()} == {
            f"{job}.timer" for job in PLANNED
        }
    tabled = re.findall(r"^\| `python -m jobs\.(\w+)` \| ogni", INSTALL, re.M)
    assert set(tabled) == PLANNED


def test_every_job_stands_in_the_table_of_the_page():
    ours = {path.stem for path in (ROOT / "jobs").glob("*.py")}
    tabled = set(re.findall(r"^\| `python -m jobs\.(\w+)", INSTALL, re.M))
    assert tabled == ours - {"__init__", "runner", "demo", "seed_demo"}


def test_the_service_and_the_jobs_are_shut_in_alike():
    shut = r"Protect|Private|Restrict[A-Z]\w+=|NoNew|System|Lock|Remove|Read|Cap|Amb|Proc|U"
    lines = (DEPLOY / "portale.service").read_text().splitlines()
    kept = {line for line in lines if re.match(shut, line)}
    assert {"ProtectSystem=strict", "NoNewPrivileges=yes", "User=portale"} <= kept
    assert kept <= set((DEPLOY / "portale-job@.service").read_text().splitlines())


def test_where_a_node_listens_outlives_the_next_release():
    """A command line goes before the variable; a unit edited in full is written over."""
    service = (DEPLOY / "portale.service").read_text()
    assert "\nEnvironment=GRANIAN_HOST=127.0.0.1\n" in service
    assert "--host" not in service
    told = (ROOT / "docs" / "postgresql.md").read_text()
    assert "`Environment=GRANIAN_HOST=10.0.0.11`" in told
    assert "edit --full" not in told


def test_the_commands_of_the_page_are_known_to_the_test_that_gives_them():
    found = blocks(INSTALL)
    assert len(found) > 8
    assert {block.where for block in found} - {""} <= NOT_HERE.keys() | {"altrimenti"}
    assert "```sh\nSITO=" in INSTALL


# -- Releases ------------------------------------------------------------------------------


def test_each_release_tells_how_to_come_to_it():
    releases = (ROOT / "CHANGELOG.md").read_text().split("\n## ")[1:]
    assert len(releases) > 1
    for release in releases:
        assert release.count("\n### Note di aggiornamento\n\n") == 1, release.splitlines()[0]
        assert release.rpartition("\n### ")[2].startswith("Note di aggiornamento")


def test_the_release_follows_the_last_one_of_the_changelog():
    heads = re.findall(r"^## \[(.+)\]", (ROOT / "CHANGELOG.md").read_text(), re.M)
    numbers = [tuple(map(int, each.split("."))) for each in heads if each[0].isdigit()]
    assert numbers == sorted(numbers, reverse=True)
    number, _dot, unfinished = VERSION.partition(".dev")
    ours = tuple(map(int, number.split(".")))
    assert ours > numbers[0] if unfinished else ours == numbers[0]
    assert bool(unfinished) == (heads[0] == "Non rilasciato")
