import numpy as np
import pytest

from inpainting.engine.inpainters.smooth.outlines import outline

Y, X = np.mgrid[:120, :160]
SHAPES = {"disc": np.hypot(Y - 60, X - 80) < 45, "edge": X > 70, "slope": X + Y / 2 > 90}


def holed(top: int, left: int, bottom: int, right: int) -> np.ndarray:
    hole = np.zeros(X.shape, bool)
    hole[top:bottom, left:right] = True
    return hole


@pytest.mark.parametrize("name", SHAPES)
def test_it_works(name: str) -> None:
    shape, hole = SHAPES[name], holed(50, 20, 70, 90)

    made = outline(shape, hole)

    assert ((made > 127) != shape)[hole].sum() <= 20  # a pixel or so a row
    assert ((made > 0) & (made < 255))[hole].sum() <= 60  # and sharp


def test_what_the_hole_holds_is_not_read() -> None:
    shape, hole = SHAPES["disc"], holed(50, 20, 70, 90)

    np.testing.assert_array_equal(outline(shape & ~hole, hole)[hole], outline(shape | hole, hole)[hole])
