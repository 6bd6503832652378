"""What an inpainter is given."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inpainting.engine.crops.boxes import Box
from inpainting.engine.crops.plan import Limits, Region, plan
from inpainting.engine.interface import Hole
from tests.inpainting.engine.crops.holes import LIMITS, ROOMY, holes


def test_it_works() -> None:
    hole = np.zeros((1000, 1000), bool)
    hole[100:120, 200:240] = hole[900:910, 900:910] = True
    first, second = plan(hole, LIMITS)
    assert (first.holes, first.crop) == (((100, 200, 120, 240),), (68, 168, 164, 296))
    assert (second.holes, second.crop) == (((900, 900, 910, 910),), (868, 868, 964, 964))


@given(holes(), st.sampled_from([LIMITS, ROOMY]))
def test_covers_every_hole_pixel_with_crops_inside_the_picture_and_the_limits(hole: Hole, limits: Limits) -> None:
    left = hole.copy()
    for region in plan(hole, limits):
        top, left_, bottom, right = region.crop
        assert 0 <= top < bottom <= hole.shape[0]
        assert 0 <= left_ < right <= hole.shape[1]
        assert region.pixels <= limits.area
        for box in region.holes:
            assert top <= box.top
            assert left_ <= box.left
            assert box.bottom <= bottom
            assert box.right <= right
            left[box.slices] = False
    assert not left.any()


@given(holes())
def test_never_takes_more_work_than_the_whole_frame(hole: Hole) -> None:
    whole = Region((), Box(0, 0, *hole.shape), scale=1)
    assert sum(region.work for region in plan(hole, ROOMY)) <= whole.work


@given(holes())
def test_keeps_to_the_work_allowed_for_a_picture(hole: Hole) -> None:
    assert sum(region.work for region in plan(hole, LIMITS)) <= LIMITS.work


def test_near_holes_share_a_crop_where_that_is_less_work() -> None:
    hole = np.zeros((1000, 1000), bool)
    hole[500:520, 500:520] = hole[500:520, 560:580] = True
    (region,) = plan(hole, LIMITS)
    assert region.holes == ((500, 500, 520, 520), (500, 560, 520, 580))


def test_many_holes_are_left_to_the_whole_frame() -> None:
    hole = np.zeros((240, 240), bool)
    hole[10::60, 10::60] = True
    (region,) = plan(hole, LIMITS)
    assert region.crop == (0, 0, 240, 240)


def test_a_hole_that_hangs_together_is_not_divided() -> None:
    hole = np.eye(400, dtype=bool)
    (region,) = plan(hole, ROOMY)
    assert region.holes == ((0, 0, 400, 400),)


@pytest.mark.parametrize("edge", [0, 150])
def test_a_thick_hole_is_filled_at_a_lower_resolution(edge: int) -> None:
    hole = np.zeros((600, 600), bool)
    hole[edge : edge + 200, edge : edge + 200] = True
    scale = 5 if edge == 0 else 3  # beyond the picture's edge nothing is known: it counts as twice as thick
    assert [region.scale for region in plan(hole, LIMITS)] == [scale]


def test_a_thin_hole_is_not_blurred_because_a_thick_one_is_there() -> None:
    hole = np.zeros((600, 600), bool)
    hole[50:250, 50:250] = hole[500:510, 500:590] = True
    assert [region.scale for region in plan(hole, LIMITS)] == [3, 1]
