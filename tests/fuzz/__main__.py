"""`make fuzz`: hostile bytes for every reader and every form, for ten minutes each family.

    python -m tests.fuzz [FAMILY …]        FUZZ_SECONDS=60 python -m tests.fuzz forms

Hypothesis and atheris are at each family at once. What breaks is written to fuzz-data/found/;
mended, it belongs in tests/files/fuzz/FAMILY/, where `make test` tries it for ever.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

from tests.fuzz import driven
from tests.fuzz.targets import FAMILIES

DATA = Path("fuzz-data")
MOST_BYTES = 2 * 1024**3  # of memory, for one process


def main():
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("families", nargs="*", metavar="FAMILY", help=", ".join(FAMILIES))
    chosen = parser.parse_args().families or list(FAMILIES)
    if unknown := set(chosen) - set(FAMILIES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    seconds = int(os.environ.get("FUZZ_SECONDS") or 600)
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
    broken = [family for family in chosen if not survives(FAMILIES[family], seconds)]
    if broken:
        sys.exit(f"broken: {', '.join(broken)}; the inputs are in {DATA / 'found'}")


def survives(target, seconds):
    """Whether nothing breaks `target` in so many seconds; tells what was done."""
    corpus, found = DATA / "corpus" / target.name, DATA / "found"
    for folder in (corpus, found):
        folder.mkdir(parents=True, exist_ok=True)
    for content in target.seeds:
        (corpus / sha256(content).hexdigest()).write_bytes(content)
    log = DATA / f"{target.name}.log"
    command = [sys.executable, "-m", "tests.fuzz.guided", target.name, str(seconds), str(corpus),
               str(found / f"{target.name}-")]  # fmt: skip
    with log.open("w") as output:
        guided = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        inputs, problem = drive_for(target, seconds)
        status = guided.wait()
    if problem:
        content = problem.broken_by
        place = found / f"{target.name}-hypothesis-{sha256(content).hexdigest()[:12]}"
        place.write_bytes(content)
        print(f"  {type(problem).__name__}: {problem}"[:500], f"  {place}", sep="\n")
    if status:
        print(f"  atheris ended with {status}: {log}")
    counted = [line.split()[-1] for line in log.read_text(errors="replace").splitlines()
               if "number_of_executed_units" in line]  # fmt: skip
    result = "broken" if problem or status else "ok"
    print(f"{target.name:16}{result:8}hypothesis {inputs:9,}  atheris {int(*counted or [0]):9,}",
          flush=True)  # fmt: skip
    return result == "ok"


def drive_for(target, seconds):
    """How many inputs hypothesis tried in so many seconds, and what broke, or None."""
    end, number = time.monotonic() + seconds, int(time.time())
    inputs = 0
    while time.monotonic() < end:
        number += 1
        try:
            driven.drive(target, examples=driven.AT_ONCE, number=number)
        except Exception as problem:
            return inputs, problem
        inputs += driven.AT_ONCE
    return inputs, None


if __name__ == "__main__":
    main()
