"""The planner: what an inpainter is given, and what becomes of what it makes."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inpainting.engine.crops.regions import Box, Limits, Region, enlarge, inpaint, plan, shrink
from inpainting.engine.inpainters.patchmatch import push_pull
from inpainting.engine.interface import Hole, Picture

LIMITS = Limits(context=32, area=256 * 256, thickness=96, work=1 << 18)
ROOMY = Limits(context=32, area=1 << 24, thickness=1 << 14, work=1 << 30)

Scene = Callable[[int, int], np.ndarray]

boxes = st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 0.5), st.floats(0, 0.5))


@st.composite
def holes(draw: st.DrawFn) -> Hole:
    """Pictures of any shape, boxes of any size in them; at least one pixel is known."""
    height, width = draw(st.integers(1, 600)), draw(st.integers(1, 600))
    hole = np.zeros((height, width), bool)
    for top, left, tall, wide in draw(st.lists(boxes, max_size=8)):
        y, x = int(top * height), int(left * width)
        hole[y : y + 1 + int(tall * height), x : x + 1 + int(wide * width)] = True
    if draw(st.booleans()):
        hole[:: draw(st.integers(2, 90)), :: draw(st.integers(1, 90))] = True
    hole[draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))] = False
    return hole


def grey(picture: Picture, hole: Hole) -> Picture:
    assert not hole.all(), "an inpainter was given nothing to continue"
    return np.full_like(picture, 128)


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


@given(holes(), st.sampled_from([LIMITS, ROOMY]))
def test_fills_the_hole_and_nothing_else(hole: Hole, limits: Limits) -> None:
    image = np.random.default_rng(0).integers(0, 100, (*hole.shape, 3), dtype=np.uint8)
    made = inpaint(image, hole.astype(np.float32), grey, limits)
    assert np.array_equal(made[~hole], image[~hole])
    assert (made[hole] == 128).all()


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


def test_a_piece_sees_those_filled_before_it() -> None:
    hole = np.zeros((64, 2000), bool)
    hole[30:34, 100:1900] = True
    seen = []

    def count(picture: Picture, hole: Hole) -> Picture:
        seen.append((picture[~hole] == 9).any())
        return np.full_like(picture, 9)

    inpaint(np.zeros((64, 2000, 3), np.uint8), hole.astype(np.float32), count, LIMITS)
    assert seen[0] == False  # noqa: E712 - numpy's
    assert all(seen[1:])
    assert len(seen) > 1


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


@pytest.mark.parametrize("box", [(300, 300, 340, 420), (0, 200, 30, 260), (500, 100, 503, 500)])
def test_a_crop_shows_no_more_of_a_border_than_the_whole_frame(scene: Scene, box: tuple[int, int, int, int]) -> None:
    """The step from known to filled pixels, all around the hole, is what it is when the inpainter sees everything."""
    image, hole = scene(600, 600), np.zeros((600, 600), bool)
    top, left, bottom, right = box
    hole[top:bottom, left:right] = True
    cropped = inpaint(image, hole.astype(np.float32), push_pull, LIMITS)
    # What a smooth fill makes depends on where its grid lies, so the whole frame is also tried cut at the top and left.
    whole = [step_into(hole[cut:, cut:], push_pull(image[cut:, cut:], hole[cut:, cut:])) for cut in (0, 4, 8, 12)]
    assert step_into(hole, cropped) <= 1.1 * max(whole)


def step_into(hole: Hole, made: np.ndarray) -> float:
    """The mean difference between a known pixel and a filled one beside or below it."""
    borders = [np.abs(np.diff(made.astype(float), axis=axis))[np.diff(hole, axis=axis)] for axis in (0, 1)]
    return float(np.concatenate(borders).mean())


def test_pieces_of_a_divided_hole_meet_without_a_seam() -> None:
    """On a slope the step where two pieces meet is no larger than the slope's own, by a few levels."""
    image = np.repeat(np.linspace(0, 250, 1400).astype(np.uint8)[None, :, None], 64, axis=0).repeat(3, axis=2)
    hole = np.zeros((64, 1400), bool)
    hole[28:36, 100:1300] = True
    assert len(plan(hole, LIMITS)) > 1
    made = inpaint(image, hole.astype(np.float32), push_pull, LIMITS).astype(int)
    assert np.abs(np.diff(made, axis=1)).max() <= 4


def test_blends_by_weight_and_rounds() -> None:
    image = np.full((9, 9, 3), 101, np.uint8)
    weights = np.zeros((9, 9), np.float32)
    weights[4, 2:6] = 0.25, 0.5, 0.75, 1
    made = inpaint(image, weights, grey, LIMITS)
    assert made[4, 2:6, 0].tolist() == [108, 114, 121, 128]  # 107.75, 114.5 (to even), 121.25, 128


@pytest.mark.parametrize("position", ["top left", "bottom right"])
def test_what_is_made_smaller_and_larger_stays_in_its_place(position: str) -> None:
    y, x = np.mgrid[:101, :83]
    picture = np.repeat((y + x).astype(np.uint8)[..., None], 3, axis=2)
    smaller, _ = shrink(picture, np.zeros((101, 83), bool), 4)
    part = (slice(8, 40),) * 2 if position == "top left" else (slice(60, 93), slice(40, 73))
    back = enlarge(smaller, 4, (101, 83)).astype(int)
    assert smaller.shape == (26, 21, 3)
    assert abs(back[part] - picture[part]).max() <= 1


def test_making_smaller_does_not_let_the_hole_bleed() -> None:
    picture = np.full((8, 8, 3), 50, np.uint8)
    hole = np.zeros((8, 8), bool)
    hole[:, :5] = True
    picture[hole] = 255
    smaller, smaller_hole = shrink(picture, hole, 2)
    assert smaller_hole.tolist() == [[True, True, False, False]] * 4
    assert (smaller[:, 2:] == 50).all()
