"""Where bars stand: on the zero line, one above the other, and inside the drawing."""

from itertools import pairwise

import pytest

from views.bars import LEFT, RIGHT, SHORT, TALL, TOP, BarChart


def chart(*bars, **options):
    """A chart of one group for each of `bars`, which are lists of (amount, band, kind)."""
    return BarChart([(str(n), [("", False, bar)]) for n, bar in enumerate(bars)], **options)


def test_parts_stand_one_upon_the_other():
    (bar,) = chart([(100, "f1", "actual"), (50, "f2", "actual")]).bars
    first, second = bar.parts
    assert second.y + second.height == pytest.approx(first.y, abs=0.2)
    assert first.height == pytest.approx(2 * second.height, abs=0.2)
    assert (first.band, second.band) == ("f1", "f2")


def test_the_lowest_part_stands_on_the_zero_line():
    drawn = chart([(100, "rest", "actual")])
    (part,) = drawn.bars[0].parts
    assert part.y + part.height == pytest.approx(drawn.zero)
    assert drawn.zero == drawn.bottom


def test_negative_parts_hang_below_the_zero_line():
    drawn = chart([(100, "rest", "estimated"), (-40, "rest", "actual")], [(-10, "rest", "actual")])
    up, down = drawn.bars[0].parts
    assert up.y + up.height == pytest.approx(drawn.zero, abs=0.2)
    assert down.y == drawn.zero
    assert TOP <= up.y < drawn.zero < down.y + down.height <= drawn.bottom


def test_nothing_used_draws_no_part_and_the_zero_line_stays():
    drawn = chart([(0, "rest", "actual")])
    assert drawn.bars[0].parts == []
    assert drawn.levels[0] == (drawn.bottom, "0")


@pytest.mark.parametrize("groups", [1, 2, 13, 15])
@pytest.mark.parametrize("side_by_side", [1, 2])
def test_bars_stay_apart_and_inside(groups, side_by_side):
    bar = ("", False, [(5, "rest", "actual")])
    drawn = BarChart([("x", [bar] * side_by_side)] * groups)
    lefts = [bar.x for bar in drawn.bars]
    assert lefts == sorted(lefts)
    assert min(lefts) >= LEFT
    assert max(lefts) + drawn.width <= RIGHT
    assert all(b - a >= drawn.width - 0.2 for a, b in pairwise(lefts))


def test_a_bar_that_is_missing_leaves_its_place():
    both = BarChart([("x", [("a", True, [(1, "", "")]), ("b", False, [(1, "", "")])])])
    second = BarChart([("x", [None, ("b", False, [(1, "", "")])])])
    assert second.bars[0].x == both.bars[1].x


@pytest.mark.parametrize("amount", [1, 7, 999, 1234567, 10**12, 10**15 * 37])
@pytest.mark.parametrize("height", [SHORT, TALL])
def test_levels_are_few_round_and_reach_over_the_bars(amount, height):
    drawn = chart([(amount, "rest", "actual")], height=height)
    assert 2 <= len(drawn.levels) <= 8
    assert drawn.bars[0].parts[0].y >= drawn.levels[-1][0] == TOP


def test_every_other_label_gives_way_on_a_telephone_where_there_are_many():
    few, many = chart(*[[(1, "", "")]] * 5), chart(*[[(1, "", "")]] * 12)
    assert not [label for label in few.labels if label[2]]
    assert [label[2] for label in many.labels] == [False, True] * 6
