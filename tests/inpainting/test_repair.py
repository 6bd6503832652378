"""Which repair of a mark is chosen, and what is filled where it is repainted."""

from dataclasses import replace

import numpy as np
import pytest

from inpainting import repair
from inpainting.engine import Detection
from inpainting.repair import Mark
from tests.pictures import photo

GROUND = np.full((120, 200, 3), 128, np.uint8)
BARS = np.zeros((120, 200), bool)  # three strokes, as of letters
BARS[50:70, 60:66] = BARS[50:70, 74:80] = BARS[50:70, 88:94] = True


def detection(
    restored: np.ndarray, *, mask: np.ndarray = BARS, opacity: float = 0.5, probability: np.ndarray | None = None
) -> Detection:
    likely = mask.astype(np.float32) if probability is None else probability
    return Detection(likely, mask * np.float32(opacity), mask, restored, mask, [])


def only(found: Detection) -> Mark:
    (mark,) = repair.marks(found)
    return mark


def ghost(ground: np.ndarray, levels: int) -> np.ndarray:
    """The ground with the strokes still to be seen on it, so many levels darker."""
    return np.where(BARS[..., None], ground - np.uint8(levels), ground)


def is_repainted(found: Detection) -> bool:
    return repair.is_repainted(only(found), found)


def test_it_works() -> None:
    mark = only(detection(GROUND))

    assert mark.box.height < 120
    assert mark.box.width < 200
    np.testing.assert_array_equal(mark.inside, BARS[mark.box.slices])


def test_a_ghost_on_plain_ground_is_repainted() -> None:
    assert is_repainted(detection(ghost(GROUND, 20)))


def test_a_faint_mark_that_came_off_a_busy_picture_is_restored() -> None:
    busy = np.random.default_rng(0).integers(0, 255, GROUND.shape, np.uint8)

    assert not is_repainted(detection(busy, opacity=0.3))


def test_a_stronger_ghost_speaks_more_for_repainting() -> None:
    ground = photo(200, 120).clip(60, 200)
    left = [repair.measured(only(found), found.opacity[only(found).box.slices], found.restored[only(found).box.slices])
            for found in (detection(ghost(ground, levels)) for levels in (0, 15, 40))]  # fmt: skip

    assert left[0].ghost < left[1].ghost < left[2].ghost
    assert len({one.thickness for one in left}) == 1


def test_the_echo_of_a_mark_is_what_is_left_of_its_pattern_of_either_sign() -> None:
    ground = photo(200, 120).clip(60, 190)

    def echo(levels: int) -> float:
        restored = np.where(BARS[..., None], ground.astype(int) + levels, ground).astype(np.uint8)
        found = detection(restored)
        mark = only(found)
        return float(np.expm1(repair.measured(mark, found.opacity[mark.box.slices], restored[mark.box.slices]).echo))

    none, some, much, darker = map(echo, (0, 15, 45, -45))

    assert none < some < much
    assert much == pytest.approx(45, abs=15)
    assert darker == pytest.approx(45, abs=15)


def test_what_nothing_shines_through_is_repainted_whatever_lies_below() -> None:
    busy = np.random.default_rng(0).integers(0, 255, GROUND.shape, np.uint8)

    assert is_repainted(detection(busy, opacity=0.9))


def test_what_was_computed_from_copies_is_restored_unless_nothing_shines_through() -> None:
    found = replace(detection(ghost(GROUND, 20)), copies=BARS)

    assert not is_repainted(found)
    assert is_repainted(replace(found, copies=BARS & False))
    assert is_repainted(replace(found, opacity=BARS * np.float32(0.9)))


def test_a_shape_covers_the_mark_and_a_rim() -> None:
    mark = only(detection(GROUND))

    assert mark.shape[mark.inside].all()
    assert mark.shape.sum() > mark.inside.sum()
    assert not mark.shape[0].any()  # nothing far away


def test_a_shape_takes_in_the_soft_shadow_beside_a_mark_and_nothing_far_from_it() -> None:
    probability = BARS.astype(np.float32)
    probability[70:73, 60:94] = 0.5  # a shadow below the strokes
    probability[5:10, 150:160] = 0.5  # something else
    found = detection(GROUND, probability=probability)
    shape = np.zeros_like(BARS)
    shape[only(found).box.slices] = only(found).shape

    assert shape[70:73, 62:92].all()
    assert not shape[:30].any()


def test_narrow_gaps_are_closed_and_wide_ones_are_not() -> None:
    mask = np.zeros_like(BARS)
    mask[50:70, 60:64] = mask[50:70, 67:71] = mask[50:70, 90:94] = True
    mark = only(detection(GROUND, mask=mask))
    shape = np.zeros_like(mask)
    shape[mark.box.slices] = mark.shape

    assert shape[52:68, 64:67].all()
    assert not shape[52:68, 79:82].any()


@pytest.mark.parametrize("where", [(0, 0), (100, 170)])
def test_a_mark_at_the_edge_of_the_picture(where: tuple[int, int]) -> None:
    mask = np.zeros_like(BARS)
    mask[where[0] : where[0] + 20, where[1] : where[1] + 30] = True
    mark = only(detection(ghost(GROUND, 30), mask=mask))

    assert mark.shape[mark.inside].all()
    assert np.isfinite(repair.measured(mark, np.ones(mark.shape.shape, np.float32), GROUND[mark.box.slices]).ghost)


def test_a_mark_all_over_a_large_picture_is_measured_on_some_of_its_pixels() -> None:
    mask = np.zeros((1400, 1400), bool)
    mask[20:1380:40, 20:1380] = mask[21:1380:40, 20:1380] = mask[20:1380, 20:1380:40] = True
    calm = np.full((1400, 1400, 3), 128, np.uint8)
    ghosts = [np.where(mask[..., None], np.uint8(128 - levels), calm) for levels in (0, 40)]
    large, other = (repair.measured(only(one), one.opacity[only(one).box.slices], one.restored[only(one).box.slices])
                    for one in (detection(restored, mask=mask) for restored in ghosts))  # fmt: skip

    assert large.ghost < other.ghost
    assert np.isfinite(large.thickness)


def test_marks_apart_from_each_other_are_judged_one_by_one() -> None:
    mask = BARS.copy()
    mask[10:20, 150:160] = True

    assert len(list(repair.marks(detection(GROUND, mask=mask)))) == 2


def test_nothing_found_is_no_mark() -> None:
    assert not list(repair.marks(detection(GROUND, mask=BARS & False)))
