"""Everything that hostile bytes are given to, by family; see `python -m tests.fuzz --help`."""

import time
from collections.abc import Callable
from typing import NamedTuple

from tests.fuzz import readers, typed, writers

SECONDS = 2.0  # of CPU for one input


class Target(NamedTuple):
    """`check` raises where a promise about some bytes is broken; `seeds` are valid ones."""

    name: str
    check: Callable
    seeds: list

    def check_in_time(self, content):
        started = time.process_time()
        self.check(content)
        assert time.process_time() - started < SECONDS, f"{self.name} takes too long"


READERS = [Target(name, *each) for name, each in readers.READERS.items()]
WRITERS = [Target(f"written-{name}", *each) for name, each in writers.WRITERS.items()]
FORMS = Target("forms", typed.check_forms, typed.seeds())


def all_writers(content):
    """One writer for each input, by its first byte."""
    WRITERS[(content or b"\0")[0] % len(WRITERS)].check(content[1:])


# Of a family each input goes to one target, so that all of them share its time.
WRITTEN = Target(
    "written",
    all_writers,
    [bytes([n]) + text for n in range(len(WRITERS)) for text in writers.TYPED],
)
FAMILIES = {target.name: target for target in (*READERS, WRITTEN, FORMS)}
