"""Jobs as cron runs them: real processes with the settings of the test."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

# A job that does what the test wants: `run` gets the app, and `wait()` stops until the
# test writes a line or a signal comes.
SCRIPT = """
import sys
import time
from jobs import runner

def wait():
    print("waiting", file=sys.stderr, flush=True)
    sys.stdin.readline()

def run(app, *, now):
{body}

runner.main("sample", run)
"""


def environment(settings, **changes):
    ours = {key: value for key, value in os.environ.items() if not key.startswith("PORTALE_")}
    given = {f"PORTALE_{key}": str(value) for key, value in {**settings, **changes}.items()}
    return {**ours, **given, "PYTHONUNBUFFERED": "1"}


def job(settings, name, *arguments, **changes):
    """Run `python -m jobs.NAME` to its end."""
    return finished([sys.executable, "-m", f"jobs.{name}", *arguments], settings, **changes)


def sample(settings, body, **changes):
    """Run a job whose `run` is `body`."""
    return finished([sys.executable, "-c", script(body)], settings, **changes)


def finished(command, settings, **changes):
    return subprocess.run(
        command, cwd=ROOT, env=environment(settings, **changes), capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=120,
    )  # fmt: skip


@contextmanager
def waiting(settings, body="    wait()", **changes):
    """A job in the middle of its `run`, at its call of `wait()`."""
    process = subprocess.Popen(
        [sys.executable, "-c", script(body)], cwd=ROOT, env=environment(settings, **changes),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        for line in process.stderr:
            if line == "waiting\n":
                break
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.communicate()


def until(condition):
    """Ask again and again until it is so; not for ever."""
    patience = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < patience


def script(body):
    return SCRIPT.format(body=body)
