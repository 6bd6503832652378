"""Holes are filled with the smoothest surface through what is around them, and nothing else is touched."""

from collections.abc import Callable

import numpy as np
import pytest

from inpainting.engine.inpainters.smooth import surfaces
from inpainting.engine.inpainters.smooth.surfaces import biharmonic, harmonic

Scene = Callable[[int, int], np.ndarray]
Fill = Callable[[np.ndarray, np.ndarray], np.ndarray]
BOTH = pytest.mark.parametrize("fill", [harmonic, biharmonic])


def box(height: int, width: int, rows: slice, columns: slice) -> np.ndarray:
    hole = np.zeros((height, width), bool)
    hole[rows, columns] = True
    return hole


def bowl(height: int, width: int) -> np.ndarray:
    """Dark in the middle, ever lighter to the left and right."""
    across = 20 + 200 * np.linspace(-1, 1, width) ** 2
    return np.broadcast_to(across[:, None], (height, width, 3)).round().astype(np.uint8)


def exact(picture: np.ndarray, hole: np.ndarray, plate: bool) -> np.ndarray:
    """The same equations, as a matrix, for a small picture."""
    height, width = hole.shape
    place = np.arange(hole.size).reshape(hole.shape)
    laplacian = np.zeros((hole.size, hole.size))
    pairs = zip([*place[:, 1:].flat, *place[1:].flat], [*place[:, :-1].flat, *place[:-1].flat], strict=True)
    for one, other in pairs:
        laplacian[[one, other], [one, other]] += 1
        laplacian[[one, other], [other, one]] -= 1
    energy = laplacian @ laplacian if plate else laplacian
    inside, values = hole.ravel(), picture.reshape(-1, 3).astype(float)
    values[inside] = np.linalg.solve(energy[inside][:, inside], -energy[inside][:, ~inside] @ values[~inside])
    return values.clip(0, 255).reshape(height, width, 3)


@BOTH
def test_it_works(scene: Scene, fill: Fill) -> None:
    picture, hole = scene(40, 50), box(40, 50, slice(10, 30), slice(20, 24))

    made = fill(picture, hole)

    assert np.abs(made - exact(picture, hole, fill is biharmonic))[hole].mean() < 1
    np.testing.assert_array_equal(made[~hole], picture[~hole])


@BOTH
@pytest.mark.parametrize("rows", [slice(0, 8), slice(11, 19)], ids=["at the edge", "inside"])
def test_with_more_steps_it_is_exact(scene: Scene, monkeypatch: pytest.MonkeyPatch, fill: Fill, rows: slice) -> None:
    """At the edge of the picture too, where surfaces lie flat."""
    picture, hole = scene(30, 40), box(30, 40, rows, slice(5, 40))
    monkeypatch.setattr(surfaces, "STEPS", 1000)
    monkeypatch.setattr(surfaces, "STILL", 0.0)

    made = fill(picture, hole)

    np.testing.assert_allclose(made[hole], exact(picture, hole, fill is biharmonic)[hole], atol=0.6)


def test_a_plate_goes_on_with_the_shades_at_the_edge_of_a_hole_and_a_membrane_does_not() -> None:
    picture, hole = bowl(60, 80), box(60, 80, slice(20, 40), slice(30, 50))

    plate, membrane = (np.abs(fill(picture, hole).astype(int) - picture)[hole] for fill in (biharmonic, harmonic))

    assert plate.mean() < 1
    assert membrane.mean() > 4


@BOTH
def test_a_hole_leaves_one_pixel(fill: Fill) -> None:
    picture = np.full((9, 13, 3), (10, 200, 90), np.uint8)
    hole = np.ones((9, 13), bool)
    hole[4, 6] = False

    np.testing.assert_array_equal(fill(np.where(hole[..., None], 255, picture).astype(np.uint8), hole), picture)


@BOTH
def test_no_hole_is_no_change(scene: Scene, fill: Fill) -> None:
    picture = scene(20, 20)

    np.testing.assert_array_equal(fill(picture, np.zeros((20, 20), bool)), picture)


@BOTH
def test_what_lies_in_the_hole_says_nothing(scene: Scene, fill: Fill) -> None:
    picture, hole = scene(64, 64), box(64, 64, slice(20, 40), slice(10, 50))
    other = np.where(hole[..., None], 255 - picture, picture)

    np.testing.assert_array_equal(fill(picture, hole), fill(other, hole))
