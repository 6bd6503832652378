"""What becomes of what an inpainter makes."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inpainting.engine.crops.paint import paint
from inpainting.engine.crops.plan import Limits, plan
from inpainting.engine.inpainters.smooth.push_pull import push_pull
from inpainting.engine.interface import Hole, Picture
from tests.inpainting.engine.crops.holes import LIMITS, ROOMY, holes

Scene = Callable[[int, int], np.ndarray]


def grey(picture: Picture, hole: Hole) -> Picture:
    assert not hole.all(), "an inpainter was given nothing to continue"
    return np.full_like(picture, 128)


@pytest.mark.slow
@given(holes(), st.sampled_from([LIMITS, ROOMY]))
def test_fills_the_hole_and_nothing_else(hole: Hole, limits: Limits) -> None:
    image = np.random.default_rng(0).integers(0, 100, (*hole.shape, 3), dtype=np.uint8)
    made = paint(image, hole * np.uint8(255), grey, limits)
    assert np.array_equal(made[~hole], image[~hole])
    assert (made[hole] == 128).all()


def test_a_piece_sees_those_filled_before_it() -> None:
    hole = np.zeros((64, 2000), bool)
    hole[30:34, 100:1900] = True
    seen = []

    def count(picture: Picture, hole: Hole) -> Picture:
        seen.append((picture[~hole] == 9).any())
        return np.full_like(picture, 9)

    paint(np.zeros((64, 2000, 3), np.uint8), hole * np.uint8(255), count, LIMITS)
    assert seen[0] == False  # noqa: E712 - numpy's
    assert all(seen[1:])
    assert len(seen) > 1


@pytest.mark.parametrize("box", [(300, 300, 340, 420), (0, 200, 30, 260), (500, 100, 503, 500)])
def test_a_crop_shows_no_more_of_a_border_than_the_whole_frame(scene: Scene, box: tuple[int, int, int, int]) -> None:
    """The step from known to filled pixels, all around the hole, is what it is when the inpainter sees everything."""
    image, hole = scene(600, 600), np.zeros((600, 600), bool)
    top, left, bottom, right = box
    hole[top:bottom, left:right] = True
    cropped = paint(image, hole * np.uint8(255), push_pull, LIMITS)
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
    made = paint(image, hole * np.uint8(255), push_pull, LIMITS).astype(int)
    assert np.abs(np.diff(made, axis=1)).max() <= 4


def test_blends_by_weight_and_rounds() -> None:
    image = np.full((9, 9, 3), 101, np.uint8)
    weights = np.zeros((9, 9), np.uint8)
    weights[4, 2:6] = 64, 127, 191, 255
    made = paint(image, weights, grey, LIMITS)
    assert made[4, 2:6, 0].tolist() == [108, 114, 121, 128]  # 107.8, 114.4, 121.2, 128
