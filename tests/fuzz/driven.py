"""Hypothesis at a target: it makes the changes, and the smallest file that still breaks it."""

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz.mutations import mutated

AT_ONCE = 200  # inputs of one run of hypothesis, which starts anew with another seed
STEADY = {
    "deadline": None,  # the target has its own, in CPU time
    "database": None,
    "suppress_health_check": list(HealthCheck),
}


@st.composite
def hostile(draw, seeds):
    """A valid file made hostile; now and then only some bytes."""
    chance = draw(st.randoms(use_true_random=False))
    if chance.randint(0, 19) == 0:
        return draw(st.binary(max_size=300))
    return mutated(chance.choice(seeds), chance)


def drive(target, *, examples, number=None):
    """Give `target` so many inputs, always the same ones unless there is a `number`.

    Raises what the smallest of those that break it raises, with that input as a note.
    """
    last = None

    @settings(**STEADY, max_examples=examples, derandomize=number is None,
              phases=[Phase.generate, Phase.shrink])  # fmt: skip
    @given(hostile(target.seeds))
    def run(content):
        nonlocal last
        last = content
        target.check_in_time(content)

    try:
        (run if number is None else seed(number)(run))()
    except BaseException as problem:
        problem.broken_by = last
        raise
