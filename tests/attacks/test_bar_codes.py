"""A pattern that goes on by one row a step costs seconds, however large the hole."""

from unittest.mock import patch

import numpy as np

from inpainting.engine.inpainters import regular


def test_a_bar_code() -> None:
    """Past what may be looked at the rest is left to the model, and what was filled is right."""
    bars = np.random.default_rng(0).integers(0, 2, (1, 400, 1), np.uint8) * np.uint8(255)
    picture = np.repeat(np.repeat(bars, 300, 0), 3, 2)
    hole = np.zeros((300, 400), np.bool_)
    hole[100:290, 12:-12] = True

    whole, left = regular.continued(picture, hole)
    assert not left.any()
    assert np.array_equal(whole, picture)

    with patch.object(regular, "MOST_LOOKS", 2_000_000):
        made, left = regular.continued(picture, hole)
    assert np.array_equal(made[~left], picture[~left])
