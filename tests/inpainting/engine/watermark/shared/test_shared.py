"""A mark that many pictures share is computed from all of them, and taken off each that shows it."""

from functools import partial

import numpy as np
import pytest

from inpainting import engine
from inpainting.engine import SharedMark, Shot
from tests.inpainting.engine.watermark.shared.series import Series, as_jpeg, decibels, landscape, series

CORNERS = [(160, 240), (200, 240), (180, 300)]


def mark_of(pictures: list[np.ndarray]) -> SharedMark | None:
    return engine.shared_mark([Shot(len(one), one.shape[1], partial(np.asarray, one)) for one in pictures])


def gains(made: Series, mark: SharedMark) -> list[float]:
    """dB in marked pixels, picture by picture."""
    found = []
    for clean, marked, inside in zip(made.clean, made.marked, made.inside, strict=True):
        lifted = engine.lift(marked, mark)
        assert lifted is not None
        np.testing.assert_array_equal(lifted.restored[~lifted.mask], marked[~lifted.mask])
        found.append(decibels(lifted.restored, clean, inside) - decibels(marked, clean, inside))
    return found


@pytest.mark.parametrize("opacity", [0.3, 0.5, 0.7])
def test_it_works(opacity: float) -> None:
    twelve = series(12, opacity)
    mark = mark_of(twelve.marked)

    assert mark is not None
    assert mark.opacity.max() == pytest.approx(opacity, abs=0.08)
    assert np.mean(gains(twelve, mark)) > 13


def test_sizes_differ_and_the_mark_keeps_its_corner() -> None:
    twelve = series(12, 0.5, CORNERS)
    mark = mark_of(twelve.marked)

    assert mark is not None
    assert (mark.frame.down, mark.frame.across) == (1, 1)
    assert np.mean(gains(twelve, mark)) > 13


def test_a_picture_that_does_not_show_it() -> None:
    twelve = series(12, 0.5)
    other = as_jpeg(landscape(99, (160, 240)))
    mark = mark_of([*twelve.marked, other])

    assert mark is not None
    assert engine.lift(other, mark) is None
    assert engine.lift(other[:100], mark) is None


def test_a_picture_whose_mark_lies_elsewhere() -> None:
    twelve = series(12, 0.5)
    mark = mark_of(twelve.marked)
    moved = [np.roll(one, (-3, 2), (0, 1)) for one in (twelve.marked[0], twelve.clean[0])]
    inside = np.roll(twelve.inside[0], (-3, 2), (0, 1))

    assert mark is not None
    lifted = engine.lift(moved[0], mark)
    assert lifted is not None
    assert decibels(lifted.restored, moved[1], inside) > decibels(moved[0], moved[1], inside) + 10


def test_pictures_that_share_nothing() -> None:
    assert mark_of([as_jpeg(landscape(seed, (160, 240))) for seed in range(12)]) is None


def test_a_mark_that_is_stored() -> None:
    twelve = series(12, 0.5, CORNERS)
    mark = mark_of(twelve.marked)
    assert mark is not None
    read = SharedMark.from_bytes(mark.to_bytes())

    assert (read.frame, read.box) == (mark.frame, mark.box)
    np.testing.assert_allclose(read.opacity, mark.opacity, atol=1e-3)
    np.testing.assert_allclose(read.light, mark.light, atol=1e-3)
