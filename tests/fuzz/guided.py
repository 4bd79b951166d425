"""Atheris (libFuzzer) at a family: keeps each input that reaches new lines of ours.

    python -m tests.fuzz.guided FAMILY SECONDS CORPUS PREFIX

What breaks is written to PREFIX…; the exit code is not 0 then.
"""

import random
import sys

import atheris

MOST_MB = 2048
SLOWEST = 20  # seconds by the clock, of one input
LONGEST = 1 << 17


def main(family, seconds, corpus, prefix):
    with atheris.instrument_imports(include=["domain.formats", "domain.imports.checks", "forms"]):
        from tests.fuzz.mutations import mutated
        from tests.fuzz.targets import FAMILIES

    target = FAMILIES[family]

    def changed(content, longest, number):
        chance = random.Random(number)
        if chance.randint(0, 3) == 0:
            return atheris.Mutate(content, longest)
        return mutated(content, chance)[:longest]

    options = [
        f"-max_total_time={seconds}", f"-timeout={SLOWEST}", f"-rss_limit_mb={MOST_MB}",
        f"-max_len={LONGEST}", f"-artifact_prefix={prefix}", "-verbosity=0",
        "-print_final_stats=1", corpus,
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *options], target.run, custom_mutator=changed)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
