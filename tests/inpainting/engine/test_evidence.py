"""What looks like a mark, and whether it is one."""

import numpy as np
import pytest

from inpainting.engine.evidence import Evidence, Look, MaskEvidence, around_marks, described, found
from inpainting.engine.interface import Hole, Picture

DOUBTFUL = Evidence(constant=1.0, verdict=0.0, doubt=-1.0, elsewhere=0.0, outline=0.0)
OUTLINED = Evidence(constant=-1.0, verdict=0.0, doubt=0.0, elsewhere=0.0, outline=-2.0)
JUDGED = Evidence(constant=0.0, verdict=1.0, doubt=0.0, elsewhere=0.0, outline=0.0)
ALONE = Evidence(constant=-5.0, verdict=0.0, doubt=0.0, elsewhere=-1.0, outline=0.0)


def scene(*marks: Hole, side: int = 256) -> tuple[Picture, Look]:
    """Squares on grey, which the network takes for marks, and which it knows how to take off."""
    picture, below = np.full((side, side, 3), 90, np.uint8), np.full((side, side, 3), 90, np.uint8)
    probability = np.zeros((side, side), np.float32)
    for mark in marks:
        picture[mark], probability[mark] = 180, 0.9
    return picture, Look(probability, probability / 2, below, *np.zeros((2, side, side), np.float16))


def square(top: int, left: int, side: int = 20, of: int = 256) -> Hole:
    mark = np.zeros((of, of), bool)
    mark[top : top + side, left : left + side] = True
    return mark


def test_the_verdict_is_that_of_all_pixels_of_a_part() -> None:
    one, other = square(20, 20), square(150, 150)
    picture, look = scene(one, other)
    look.verdict[:] = -9  # around them it says nothing
    look.verdict[one], look.verdict[other] = 1, -1
    look.verdict[square(20, 20, 8)] = -0.5

    np.testing.assert_array_equal(found(picture, look, 0.5, JUDGED, 0.0), one)


def test_what_looks_otherwise_from_another_side_is_none() -> None:
    one, other = square(20, 20), square(150, 150)
    picture, look = scene(one, other)
    look.doubt[other] = 1.5

    np.testing.assert_array_equal(found(picture, look, 0.5, DOUBTFUL, 0.0), one)
    assert not found(picture, look, 0.5, DOUBTFUL, 1.0).any()
    assert not found(picture, look, 0.95, DOUBTFUL, 0.0).any()


@pytest.mark.parametrize("side", [20, 180])
def test_what_keeps_its_outline_is_none(side: int) -> None:
    mark = square(30, 30, side)
    picture, look = scene(mark)
    kept = look._replace(below=picture)

    np.testing.assert_array_equal(found(picture, look, 0.5, OUTLINED, 0.0), mark)
    assert not found(picture, kept, 0.5, OUTLINED, 0.0).any()


def test_the_outline_of_a_large_part_is_looked_at_smaller() -> None:
    mark = square(100, 100, 1900, of=2200)
    picture, look = scene(mark, side=2200)

    (part,) = described(picture, look, mark)

    assert part.outline < -2
    assert part.pixels == 1900**2


def test_what_is_seen_all_over_a_picture_is_none() -> None:
    one, another = square(20, 20), square(150, 150)
    rest = np.zeros_like(one)
    rest[100:130] = True

    assert found(*scene(one), 0.5, ALONE, 0.0).any()
    assert not found(*scene(one, rest), 0.5, ALONE, 0.0)[one].any()
    assert not found(*scene(one, another), 0.5, ALONE, 0.5).any()


def test_a_mark_beside_another_is_no_false_alarm() -> None:
    one, another = square(20, 20), square(150, 150, 40)
    picture, look = scene(one, another)
    look.doubt[one] = 1.0
    both = Evidence(constant=-4.0, verdict=0.0, doubt=-1.0, elsewhere=-1.0, outline=0.0)

    np.testing.assert_array_equal(found(picture, look, 0.5, both, 0.7), one | another)
    assert not found(*scene(one), 0.5, both, 3.0).any()


def test_specks_are_no_marks() -> None:
    picture, look = scene(square(20, 20, 6), square(100, 100, 7))

    np.testing.assert_array_equal(found(picture, look, 0.5, DOUBTFUL, 0.0), square(100, 100, 7))


def test_the_edge_of_a_picture_is_no_outline() -> None:
    everywhere = square(0, 0, 256)
    picture, look = scene(everywhere)

    (part,) = described(picture, look, everywhere)

    assert part.outline == 0.0


def test_a_mask_around_a_mark_is_told_from_one_around_an_object() -> None:
    mark, thing, empty = square(20, 20), square(20, 150), square(150, 20)
    _, look = scene(mark, thing)
    look.verdict[:] = 9  # beside what is likely a mark it says nothing
    look.verdict[mark], look.verdict[thing] = 2, -1
    drawn = square(10, 10, 40) | square(10, 140, 40) | square(140, 10, 40)

    kept = around_marks(look, drawn, 0.5, MaskEvidence(constant=-1.0, probability=2.0, verdict=1.0))

    np.testing.assert_array_equal(kept, square(10, 10, 40))
    assert not (kept & (thing | empty)).any()
    assert not around_marks(look, np.zeros_like(drawn), 0.5, MaskEvidence(9.0, 0.0, 0.0)).any()
