from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from patchmatch import inpaint

from inpainting.engine.inpainters import patchmatch
from inpainting.engine.inpainters.patchmatch import fill
from inpainting.engine.inpainters.smooth.push_pull import push_pull


def test_it_works(scene: Callable[[int, int], np.ndarray]) -> None:
    """A striped wall is continued through the hole: nearer to the truth than a smooth fill."""
    picture = scene(96, 96)
    hole = np.zeros((96, 96), bool)
    hole[35:55, 40:60] = True
    smooth, copied = (
        np.abs(made[hole].astype(int) - picture[hole]).mean()
        for made in (push_pull(picture, hole), fill(picture, hole))
    )
    assert copied < smooth / 2


@pytest.mark.slow
@given(st.integers(1, 150), st.integers(1, 150), st.floats(0, 1), st.integers(1, 40), st.integers(0, 9))
@settings(max_examples=60)
def test_adds_no_colour_that_is_not_there(height: int, width: int, share: float, block: int, seed: int) -> None:
    """However little is known, and wherever: a wall of one colour stays a wall of one colour."""
    rows, columns = -(-height // block), -(-width // block)
    hole = np.random.default_rng(seed).random((rows, columns)) < share
    hole = np.kron(hole, np.ones((block, block), bool))[:height, :width]
    hole[0, 0] = False
    assert (fill(np.full((height, width, 3), 200, np.uint8), hole) == 200).all()


def test_a_speck_that_is_left_out_does_not_spoil_the_rest(
    scene: Callable[[int, int], np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    picture, hole = scene(96, 96), np.zeros((96, 96), bool)
    hole[35:55, 40:60] = True
    whole, library = fill(picture, hole), inpaint

    def with_a_speck(*arguments: Any, **options: Any) -> np.ndarray:
        made: np.ndarray = library(*arguments, **options)
        made[40, 45] = 0
        return made

    monkeypatch.setattr(patchmatch, "patchmatch", with_a_speck)
    speckled = fill(picture, hole)
    assert speckled[40, 45].any()
    assert np.array_equal(speckled[46:], whole[46:])


def test_black_stays_black() -> None:
    hole = np.zeros((40, 40), bool)
    hole[10:20, 10:20] = True
    assert not fill(np.zeros((40, 40, 3), np.uint8), hole).any()


def test_hardly_anything_between_holes_is_copied_at_half_the_size(
    scene: Callable[[int, int], np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bound on time. One large hole of more pixels is copied as it is."""
    sizes, library = [], inpaint

    def sized(picture: np.ndarray, *arguments: Any, **options: Any) -> np.ndarray:
        sizes.append(picture.shape[:2])
        return np.asarray(library(picture, *arguments, **options))

    picture, (y, x) = scene(256, 192), np.indices((256, 192))
    checkerboard, block = (y // 8 + x // 8) % 2 == 1, (y >= 16) & (y < 240) & (x >= 16) & (x < 176)
    assert checkerboard.sum() < block.sum()
    monkeypatch.setattr(patchmatch, "patchmatch", sized)
    monkeypatch.setattr(patchmatch, "MOST", 40_000)
    made = fill(picture, checkerboard)
    fill(picture, block)
    assert sizes == [(128, 96), (256, 192)]
    assert np.array_equal(made[~checkerboard], picture[~checkerboard])
