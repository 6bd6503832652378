"""Rendered watermarks, and examples made of them."""

from pathlib import Path

import numpy as np
import pytest

from tests.training.small_set import landscape, small_set
from training.data.examples import FULL, hint, make
from training.data.marks.draw import Marks
from training.data.marks.mark import Mark, Style
from training.data.marks.stamp import bend
from training.data.signs.boards import lettering


def mark(opacity: float, colour: float, shape: tuple[int, int] = (96, 128)) -> Mark:
    """A mark on the left half."""
    plane = np.zeros(shape, np.float32)
    plane[:, : shape[1] // 2] = opacity
    return Mark(plane, np.full((*shape, 3), colour, np.float32))


def test_a_mark_blends_as_stated() -> None:
    picture = landscape(1)

    marked = mark(0.25, 1.0).over(picture)

    np.testing.assert_array_equal(marked[:, 64:], picture[:, 64:])
    np.testing.assert_allclose(marked[:, :64], 0.75 * picture[:, :64] + 0.25 * 255, atol=0.51)


def test_a_mark_of_the_pictures_own_colour_is_neither_there_nor_not() -> None:
    white = np.full((96, 128, 3), 255, np.uint8)

    is_marked, counts = mark(0.5, 1.0).truth(white)

    assert not is_marked.any()
    assert not counts[:, :64].any()
    assert counts[:, 64:].all()


@pytest.mark.parametrize("seed", range(12))
def test_drawn_marks_keep_their_style(tmp_path: Path, seed: int) -> None:
    marks = Marks(small_set(tmp_path), "train")

    drawn = marks.draw(np.random.default_rng(seed), 96, 128, Style(opacity=(0.3, 0.4), opaque=0, height=(0.3, 0.6)))

    assert drawn.opacity.shape == (96, 128)
    assert drawn.colour.shape == (96, 128, 3)
    assert drawn.opacity.min() >= 0
    assert drawn.opacity.max() <= 0.4 + 1e-6
    assert 0 <= drawn.colour.min() <= drawn.colour.max() <= 1


def test_the_same_seed_draws_the_same_mark(tmp_path: Path) -> None:
    marks = Marks(small_set(tmp_path), "train")

    first, second, other = (marks.draw(np.random.default_rng(seed), 96, 128, FULL) for seed in (1, 1, 2))

    np.testing.assert_array_equal(first.opacity, second.opacity)
    assert (first.opacity != other.opacity).any()


def test_a_bent_text_is_no_longer_straight() -> None:
    stamp = np.zeros((20, 100, 4), np.float32)
    stamp[8:12] = 1

    bent = bend(stamp, np.random.default_rng(0))

    top = [int(np.flatnonzero(column > 0.5)[0]) for column in bent[..., 3].T if (column > 0.5).any()]
    assert len(set(top)) > 3
    assert bent[..., 3].sum() == pytest.approx(stamp[..., 3].sum(), rel=0.05)


def test_lettering_belongs_to_the_picture(tmp_path: Path) -> None:
    marks, picture = Marks(small_set(tmp_path), "train"), landscape(1)

    example = next(
        one
        for one in (make(picture, marks, np.random.default_rng(seed), FULL) for seed in range(200))
        if not one.mark.opacity.any() and (one.clean != picture).any()
    )

    assert (lettering(picture, marks.letters, np.random.default_rng(0)) != picture).any()
    assert not example.mark.truth(example.clean)[0].any()


def test_a_hint_is_about_the_mark_and_vague() -> None:
    given = mark(0.6, 0.5)

    said = hint(given, np.random.default_rng(0))

    assert said.shape == (4, 96, 128)
    assert said[0, :, :48].mean() > 0.2
    assert said[0, :, 80:].mean() < 0.05
