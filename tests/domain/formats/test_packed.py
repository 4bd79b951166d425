"""Numbers in few bytes."""

import random

import pytest

from domain.formats.packed import HIGHEST, pack, unpack


@pytest.mark.parametrize("number", [92, 96, 100])
@pytest.mark.parametrize(
    ("highest", "width"), [(0, 1), (255, 1), (256, 2), (65_535, 2), (65_536, 4), (HIGHEST, 4)]
)
def test_what_is_packed_comes_back(number, highest, width):
    chance = random.Random(highest)
    values = [chance.randint(0, highest) for _place in range(number - 1)] + [highest]
    packed = pack(values)
    assert len(packed) == 1 + width * number
    assert unpack(packed) == values


def test_nothing_packed_is_nothing():
    assert unpack(pack([])) == []


def test_the_bytes_stay_the_same_on_every_machine():
    assert pack([1, 2, 0x0304]) == bytes([2, 1, 0, 2, 0, 4, 3])
    assert unpack(bytes([4, 1, 0, 0, 2])) == [0x02000001]


@pytest.mark.parametrize("values", [[-1], [HIGHEST + 1], [5, -5, 10**20]])
def test_what_does_not_fit_is_refused(values):
    with pytest.raises(ValueError, match="not from 0"):
        pack(values)
