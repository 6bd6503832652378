"""What looks like a mark, and whether it is one."""

import numpy as np

from inpainting.engine.interface import Hole
from inpainting.engine.watermark.evidence import Evidence, Look, MaskEvidence, around_marks, found

DOUBTFUL = Evidence(constant=1.0, verdict=0.0, doubt=-1.0, elsewhere=0.0)
JUDGED = Evidence(constant=0.0, verdict=1.0, doubt=0.0, elsewhere=0.0)
ALONE = Evidence(constant=-5.0, verdict=0.0, doubt=0.0, elsewhere=-1.0)


def scene(*marks: Hole, side: int = 256) -> Look:
    """Squares that the network takes for marks."""
    probability = np.zeros((side, side), np.float32)
    for mark in marks:
        probability[mark] = 0.9
    below = np.full((side, side, 3), 90, np.uint8)
    return Look(probability, probability / 2, below, *np.zeros((2, side, side), np.float16))


def square(top: int, left: int, side: int = 20, of: int = 256) -> Hole:
    mark = np.zeros((of, of), bool)
    mark[top : top + side, left : left + side] = True
    return mark


def test_the_verdict_is_that_of_all_pixels_of_a_part() -> None:
    one, other = square(20, 20), square(150, 150)
    look = scene(one, other)
    look.verdict[:] = -9  # around them it says nothing
    look.verdict[one], look.verdict[other] = 1, -1
    look.verdict[square(20, 20, 8)] = -0.5

    np.testing.assert_array_equal(found(look, 0.5, JUDGED, 0.0), one)


def test_what_looks_otherwise_from_another_side_is_none() -> None:
    one, other = square(20, 20), square(150, 150)
    look = scene(one, other)
    look.doubt[other] = 1.5

    np.testing.assert_array_equal(found(look, 0.5, DOUBTFUL, 0.0), one)
    assert not found(look, 0.5, DOUBTFUL, 1.0).any()
    assert not found(look, 0.95, DOUBTFUL, 0.0).any()


def test_what_is_seen_all_over_a_picture_is_none() -> None:
    one, another = square(20, 20), square(150, 150)
    rest = np.zeros_like(one)
    rest[100:130] = True

    assert found(scene(one), 0.5, ALONE, 0.0).any()
    assert not found(scene(one, rest), 0.5, ALONE, 0.0)[one].any()
    assert not found(scene(one, another), 0.5, ALONE, 0.5).any()


def test_a_mark_beside_another_is_no_false_alarm() -> None:
    one, another = square(20, 20), square(150, 150, 40)
    look = scene(one, another)
    look.doubt[one] = 1.0
    both = Evidence(constant=-4.0, verdict=0.0, doubt=-1.0, elsewhere=-1.0)

    np.testing.assert_array_equal(found(look, 0.5, both, 0.7), one | another)
    assert not found(scene(one), 0.5, both, 3.0).any()


def test_specks_are_no_marks() -> None:
    look = scene(square(20, 20, 6), square(100, 100, 7))

    np.testing.assert_array_equal(found(look, 0.5, DOUBTFUL, 0.0), square(100, 100, 7))


def test_a_mask_around_a_mark_is_told_from_one_around_an_object() -> None:
    mark, thing, empty = square(20, 20), square(20, 150), square(150, 20)
    look = scene(mark, thing)
    look.verdict[:] = 9  # beside what is likely a mark it says nothing
    look.verdict[mark], look.verdict[thing] = 2, -1
    drawn = square(10, 10, 40) | square(10, 140, 40) | square(140, 10, 40)

    kept = around_marks(look, drawn, 0.5, MaskEvidence(constant=-1.0, probability=2.0, verdict=1.0))

    np.testing.assert_array_equal(kept, square(10, 10, 40))
    assert not (kept & (thing | empty)).any()
    assert not around_marks(look, np.zeros_like(drawn), 0.5, MaskEvidence(9.0, 0.0, 0.0)).any()
