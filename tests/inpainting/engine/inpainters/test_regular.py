"""Patterns go on through a hole exactly; nothing else is touched."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from inpainting import engine
from inpainting.engine.inpainters import regular

EXAMPLE = Path(__file__).parents[4] / "static" / "example.jpg"
HEIGHT, WIDTH = 300, 420
Y, X = np.mgrid[:HEIGHT, :WIDTH]


def coloured(ink: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.where(ink[..., None], np.array([40, 60, 90], np.uint8), np.array([250, 240, 230], np.uint8))


def photograph() -> NDArray[np.uint8]:
    return np.asarray(Image.open(EXAMPLE).convert("RGB").crop((700, 60, 700 + WIDTH, 60 + HEIGHT)))


def dots(period: int) -> NDArray[np.uint8]:
    return coloured((Y % period - period // 2) ** 2 + (X % period - period // 2) ** 2 <= (0.36 * period) ** 2)


def bricks(high: int, wide: int) -> NDArray[np.uint8]:
    return coloured((Y % high < 2) | ((X + Y // high % 2 * wide // 2) % wide < 2))


PATTERNS = {
    **{f"dots of {period} px": dots(period) for period in (4, 5, 6, 8, 12)},
    **{f"chessboard of {cell} px": coloured((X // cell + Y // cell) % 2 > 0) for cell in (3, 16, 64)},
    **{f"bricks of {high} x {wide} px": bricks(high, wide) for high, wide in ((12, 24), (20, 48))},
    "upright stripes": coloured(X % 12 < 6),
    "slanting stripes": coloured((X + 2 * Y) % 14 < 7),
    "a slope": np.repeat((X // 2)[..., None], 3, axis=2).astype(np.uint8),
    "ruled lines": coloured(Y % 40 < 2),
}


def holed(*box: int) -> NDArray[np.bool_]:
    hole = np.zeros((HEIGHT, WIDTH), bool)
    hole[box[0] : box[2], box[1] : box[3]] = True
    return hole


HOLE = holed(120, 130, 181, 290)


@pytest.mark.parametrize("name", PATTERNS)
def test_it_works(name: str) -> None:
    """To the bit, from a picture that says nothing of what was in the hole."""
    clean = PATTERNS[name]
    marked = np.where(HOLE[..., None], np.uint8(255), clean)

    made, left = regular.continued(marked, HOLE)

    np.testing.assert_array_equal(made, clean)
    assert not left.any()


@pytest.mark.parametrize("model", ["patchmatch", "hybrid"])
def test_whichever_model_is_asked(model: str) -> None:
    clean = dots(6)

    made = engine.inpaint(clean, HOLE * np.uint8(255), model)

    np.testing.assert_array_equal(made.picture, clean)


def test_grain_does_not_matter() -> None:
    grain = np.random.default_rng(0).normal(0, 5, (HEIGHT, WIDTH, 3))
    clean = dots(8)
    grainy = np.clip(clean + grain, 0, 255).astype(np.uint8)

    made, left = regular.continued(grainy, HOLE)

    assert left.sum() < 0.1 * HOLE.sum()
    assert np.abs(made[HOLE & ~left].astype(int) - clean[HOLE & ~left]).mean() < 8


def test_what_does_not_repeat_is_left_to_a_model() -> None:
    plain = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    edge = coloured(X > 200)
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)

    for picture in (photograph(), plain, noise, np.where(X[..., None] > 200, noise, edge)):
        made, left = regular.continued(picture, HOLE)

        assert made is picture
        np.testing.assert_array_equal(left, HOLE)


def test_where_a_pattern_ends_it_does_not_go_on() -> None:
    """A screen beside a photograph: what is filled is the screen's."""
    clean = np.where(X[..., None] < 250, dots(6), photograph())

    made, left = regular.continued(clean, HOLE)

    assert left[HOLE & (X > 262)].all()
    np.testing.assert_array_equal(made[HOLE & (X < 200)], clean[HOLE & (X < 200)])
    np.testing.assert_array_equal(made[~HOLE], clean[~HOLE])


def test_a_picture_smaller_than_a_block() -> None:
    small, hole = dots(6)[:40, :60], HOLE[110:150, 110:170]

    assert regular.continued(small, hole)[1] is hole
