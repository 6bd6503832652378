"""Pictures made smaller and larger again."""

import numpy as np
import pytest

from inpainting.engine.crops.resize import enlarge, shrink


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
