"""Faults at the system calls of a real process: killed there, or told that the call failed."""

import re
import shutil
from collections import Counter

from tests.conftest import ON_POSTGRESQL, required
from tests.jobs import process

# What leaves a trace on the disk, or in the conversation with the database server.
WRITING = (
    "write", "pwrite64", "fsync", "fdatasync", "link", "linkat", "rename", "mkdir", "unlink",
    "unlinkat", "ftruncate",
) + (("sendto",) if ON_POSTGRESQL else ())  # fmt: skip
# What the system answers when it does not do what it was asked. Not of `sendto`: a connection
# that is cut is cut at both ends.
REFUSED = {
    **dict.fromkeys(("write", "pwrite64", "mkdir"), "ENOSPC"),
    **dict.fromkeys(("fsync", "fdatasync", "rename", "link", "ftruncate"), "EIO"),
}  # fmt: skip
KILL = "signal=KILL"


def needed():
    if shutil.which("strace") is None:
        required("no strace: apt-get install strace")


def calls_of(command, settings, log):
    """{name: how often} of the calls in WRITING that an undisturbed run of `command` makes."""
    done = traced(command, settings, "-o", str(log), "-e", f"trace={','.join(WRITING)}")
    assert done.returncode == 0, done.stdout + done.stderr
    return Counter(re.findall(r"^\d+ +(\w+)\(", log.read_text(), re.MULTILINE))


def faults(calls, most=4):
    """(name, nth, fault) for the calls counted in `calls`: killed, and refused where they may be.

    Of one that comes often, `most` or fewer, from the first to the last.
    """
    for name, times in calls.items():
        for nth in spread(range(1, times + 1), most):
            yield name, nth, KILL
            if name in REFUSED:
                yield name, nth, f"error={REFUSED[name]}"


def spread(items, most):
    """At most `most` of `items`, from the first on, at equal distances."""
    items = list(items)
    return items[:: max(1, -(-len(items) // most))]


def faulty(command, settings, name, nth, fault):
    """Run `command`; the `nth` time that it calls `name`, that `fault` happens."""
    inject = f"inject={name}:{fault}:when={nth}"
    return traced(command, settings, "-o", "/dev/null", "-e", f"trace={name}", "-e", inject)


def traced(command, settings, *options):
    command = ["strace", "-f", "-qq", *options, *command]
    return process.finished(command, settings, PYTHONDONTWRITEBYTECODE=1)
