"""The push-pull fill."""

import numpy as np

from inpainting.engine.inpainters.smooth.push_pull import push_pull


def test_a_smooth_fill_keeps_what_is_known() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (37, 53, 3), dtype=np.uint8)
    hole = np.random.default_rng(1).random((37, 53)) > 0.1
    made = push_pull(picture, hole)
    assert np.array_equal(made[~hole], picture[~hole])
    assert picture[~hole].min() <= made.min()
