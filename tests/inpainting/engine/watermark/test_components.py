"""What looks like a mark, and whether it is one."""

from dataclasses import replace

import numpy as np

from inpainting.engine.interface import Hole, Trust
from inpainting.engine.watermark.components import (
    LogisticModel,
    Thresholds,
    around_copies,
    around_marks,
    confidence,
    decide,
    judged,
)
from inpainting.engine.watermark.pyramid import Prediction

DOUBTFUL = LogisticModel(1.0, {"doubt": -1.0})
JUDGED = LogisticModel(0.0, {"verdict": 1.0})
ALONE = LogisticModel(-5.0, {"elsewhere": -1.0})
MASKED = LogisticModel(-1.0, {"probability": 2.0, "verdict": 1.0})


def limits(extent: float = 0.5, component: LogisticModel = DOUBTFUL, mask_part: LogisticModel = MASKED) -> Thresholds:
    return Thresholds(extent, 0.0, 0.0, extent, component, mask_part)


def scene(*marks: Hole, side: int = 256) -> Prediction:
    """Squares that the network takes for marks."""
    probability = np.zeros((side, side), np.float32)
    for mark in marks:
        probability[mark] = 0.9
    below = np.full((side, side, 3), 90, np.uint8)
    return Prediction(probability, probability / np.float32(2), below, *np.zeros((2, side, side), np.float16))


def marks(prediction: Prediction, limits: Thresholds, sure: float) -> Hole:
    """The pixels of what is judged to be a mark."""
    mask = np.zeros(prediction.probability.shape, bool)
    for mark in judged(prediction, replace(limits, sure=sure), "nobody")[0]:
        mask[mark.box.slices] |= mark.inside
    return mask


def square(top: int, left: int, side: int = 20, of: int = 256) -> Hole:
    mark = np.zeros((of, of), bool)
    mark[top : top + side, left : left + side] = True
    return mark


def test_the_verdict_is_that_of_all_pixels_of_a_part() -> None:
    one, other = square(20, 20), square(150, 150)
    prediction = scene(one, other)
    prediction.verdict[:] = -9  # around them it says nothing
    prediction.verdict[one], prediction.verdict[other] = 1, -1
    prediction.verdict[square(20, 20, 8)] = -0.5

    np.testing.assert_array_equal(marks(prediction, limits(0.5, JUDGED), 0.0), one)


def test_what_looks_otherwise_from_another_side_is_none() -> None:
    one, other = square(20, 20), square(150, 150)
    prediction = scene(one, other)
    prediction.doubt[other] = 1.5

    np.testing.assert_array_equal(marks(prediction, limits(0.5, DOUBTFUL), 0.0), one)
    assert not marks(prediction, limits(0.5, DOUBTFUL), 1.0).any()
    assert not marks(prediction, limits(0.95, DOUBTFUL), 0.0).any()


def test_what_is_seen_all_over_a_picture_is_none() -> None:
    one, another = square(20, 20), square(150, 150)
    rest = np.zeros_like(one)
    rest[100:130] = True

    assert marks(scene(one), limits(0.5, ALONE), 0.0).any()
    assert not marks(scene(one, rest), limits(0.5, ALONE), 0.0)[one].any()
    assert not marks(scene(one, another), limits(0.5, ALONE), 0.5).any()


def test_a_mark_beside_another_is_no_false_alarm() -> None:
    one, another = square(20, 20), square(150, 150, 40)
    prediction = scene(one, another)
    prediction.doubt[one] = 1.0
    both = LogisticModel(-4.0, {"doubt": -1.0, "elsewhere": -1.0})

    np.testing.assert_array_equal(marks(prediction, limits(0.5, both), 0.7), one | another)
    assert not marks(scene(one), limits(0.5, both), 3.0).any()


def two(first: float, second: float) -> Prediction:
    """Two squares with these verdicts, which are their log odds by JUDGED."""
    one, other = square(20, 20), square(150, 150)
    prediction = scene(one, other)
    prediction.verdict[one], prediction.verdict[other] = first, second
    return prediction


def count(prediction: Prediction, trust: Trust) -> tuple[int, int]:
    """How many marks and proposals there are, where 2 is sure and 0 is likely."""
    decision = decide(prediction, None, None, trust, replace(limits(component=JUDGED), sure=2.0, likely=0.0))
    return len(decision.marks), len(decision.proposals)


def test_who_says_that_there_is_a_mark_gets_the_likeliest_where_none_is_sure() -> None:
    assert count(two(1.5, 0.5), "nobody") == (0, 2)
    assert count(two(1.5, 0.5), "one") == (1, 1)
    assert count(two(1.5, 0.5), "all") == (2, 0)


def test_where_one_is_sure_the_likely_ones_stay_proposals() -> None:
    assert count(two(3.0, 1.0), "one") == (1, 1)


def test_a_lone_speck_is_none_unless_there_is_a_mark() -> None:
    prediction = scene(square(20, 20, 8))
    prediction.verdict[:] = 3.0

    assert count(prediction, "one") == (0, 1)
    assert count(prediction, "all") == (1, 0)


def test_the_likeliest_has_to_be_halfway_to_sure() -> None:
    assert count(two(0.9, 0.5), "one") == (0, 2)


def test_what_is_not_even_likely_is_never_taken() -> None:
    assert count(two(-1.0, -2.0), "one") == (0, 2)
    assert count(two(-1.0, -2.0), "all") == (0, 2)


def test_the_surest_comes_first_and_confidence_follows_the_odds() -> None:
    sure, unsure = decide(two(3.0, 5.0), None, None, "all", limits(component=JUDGED)).marks

    assert sure.confidence > unsure.confidence
    assert confidence(-50) < 0.01
    assert confidence(50) > 0.99


def test_specks_are_no_marks() -> None:
    prediction = scene(square(20, 20, 6), square(100, 100, 9))

    np.testing.assert_array_equal(marks(prediction, limits(0.5, DOUBTFUL), 0.0), square(100, 100, 9))


def test_a_mask_around_a_mark_is_told_from_one_around_an_object() -> None:
    mark, thing, empty = square(20, 20), square(20, 150), square(150, 20)
    prediction = scene(mark, thing)
    prediction.verdict[:] = 9  # beside what is likely a mark it says nothing
    prediction.verdict[mark], prediction.verdict[thing] = 2, -1
    drawn = square(10, 10, 40) | square(10, 140, 40) | square(140, 10, 40)

    kept = around_marks(prediction, drawn, limits())

    np.testing.assert_array_equal(kept, square(10, 10, 40))
    assert not (kept & (thing | empty)).any()
    generous = limits(mask_part=LogisticModel(9.0, {}))
    assert not around_marks(prediction, np.zeros_like(drawn), generous).any()


def test_a_mask_around_copies_is_told_from_one_over_an_object() -> None:
    copies = np.zeros((200, 200), bool)
    copies[::20, ::4] = True
    around, over = np.zeros_like(copies), np.zeros_like(copies)
    around[38:43, 20:180] = True  # along a row of them
    over[60:140, 60:140] = True  # as many in it as everywhere

    np.testing.assert_array_equal(around_copies(copies, around), around)
    assert not around_copies(copies, over).any()
    np.testing.assert_array_equal(around_copies(copies, np.ones_like(copies)), np.ones_like(copies))
    assert not around_copies(copies, np.zeros_like(copies)).any()
