"""Marks that are tiled over a picture: the lattice is found, and the mark computed away; pictures without are left."""

from collections.abc import Iterable
from itertools import count, product

import cv2
import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis.extra.numpy import arrays
from hypothesis.strategies import floats
from numpy.random import default_rng
from PIL import Image, ImageDraw, ImageFont

from inpainting.engine.nets.planes import planes
from inpainting.engine.watermark.tiled import lattice
from inpainting.engine.watermark.tiled.lattice import Lattice, autocorrelation, find, fine_structure, settle, shorten
from inpainting.engine.watermark.tiled.mark import rough_mark
from inpainting.engine.watermark.tiled.search import candidates, correlation, is_mark

HEIGHT, WIDTH = 320, 400
RED, BLUE = (0.9, 0.2, 0.2), (0.1, 0.2, 0.8)


def scene(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """A picture with structure of every size, as nature has it, that never repeats: (H, W, 3) uint8."""
    down, right = np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)
    amplitude = 1 / np.maximum(np.hypot(down, right), 1 / max(height, width)) ** 1.2
    made = []
    for seed in range(3):
        noise = np.fft.fft2(default_rng(seed // 2).normal(size=(height, width)))
        layer = np.fft.ifft2(noise * amplitude).real
        made.append(128 + 45 * layer / layer.std())
    picture: np.ndarray = np.clip(np.stack(made, 2), 0, 255).astype(np.uint8)
    return picture


def tiled(
    shape: tuple[int, int], opacity: float, first: tuple[float, float], second: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """A ring with a bar through it at every point of a lattice: opacity (H, W) and colour (H, W, 3)."""
    drawn = np.zeros((*shape, 4), np.float32)
    for i in range(-60, 60):
        for j in range(-60, 60):
            down, right = i * first[0] + j * second[0], i * first[1] + j * second[1]
            if -30 < down < shape[0] + 30 and -30 < right < shape[1] + 30:
                at = round(right * 16), round(down * 16)
                cv2.circle(drawn, at, 11 * 16, (*RED, 1), 4, cv2.LINE_AA, 4)
                cv2.line(drawn, at, (at[0] + 20 * 16, at[1] + 6 * 16), (*BLUE, 1), 4, cv2.LINE_AA, 4)
    return opacity * (drawn[..., 3] > 0.5).astype(np.float32), drawn[..., :3]


def marked(picture: np.ndarray, opacity: np.ndarray, colour: np.ndarray) -> np.ndarray:
    made = picture * (1 - opacity[..., None]) + 255 * opacity[..., None] * colour
    rounded: np.ndarray = np.rint(made).astype(np.uint8)
    return rounded


def error(one: np.ndarray, other: np.ndarray, where: np.ndarray) -> float:
    """Root mean square, in levels."""
    return float(np.sqrt(((one.astype(float) - other) ** 2)[where].mean()))


def lattices_of(picture: np.ndarray) -> list[Lattice]:
    return find(autocorrelation(fine_structure(planes(picture))))


@pytest.mark.parametrize("shifts", [((40.0, 0.0), (0.0, 64.0)), ((33.5, 20.25), (-20.5, 48.0))])
def test_it_works(shifts: tuple[tuple[float, float], tuple[float, float]]) -> None:
    picture = scene()
    opacity, colour = tiled((HEIGHT, WIDTH), 0.35, *shifts)
    seen = marked(picture, opacity, colour)

    assert lattices_of(seen)[0].same(Lattice(*shifts, 0))
    over = opacity > 0
    layer = next(candidates(seen, over.astype(np.float32)))

    assert error(layer.restored, picture, over) < 0.3 * error(seen, picture, over)
    assert error(layer.restored, picture, ~over) < 3
    assert ((layer.opacity > 0.1) == over).mean() > 0.97
    assert layer.opacity[over].mean() == pytest.approx(0.35, abs=0.08)


def text_over(shape: tuple[int, int], places: Iterable[tuple[int, int]], text: str, size: int) -> np.ndarray:
    """A calm scene with a text in white at these places, 40% opaque."""
    sheet = Image.new("L", shape[::-1])
    for top, left in places:
        ImageDraw.Draw(sheet).text((left, top), text, fill=255, font=ImageFont.load_default(size))
    opacity = np.asarray(sheet, np.float32) / 255 * np.float32(0.4)
    return marked(cv2.GaussianBlur(scene(*shape), (0, 0), 6), opacity, np.ones((*shape, 3), np.float32))


def test_letters_that_are_like_others_do_not_make_the_lattice_denser() -> None:
    places = product(range(10, 400, 50), range(10, 640, 107))

    found = lattices_of(text_over((400, 640), places, "SAMPLE", 20))

    assert found[0].same(Lattice((50, 0), (0, 107), 0))


def test_where_letters_make_up_a_dense_lattice_that_of_the_text_is_found_too() -> None:
    places = ((10 + 62 * row, 10 + 75 * row + 150 * column) for row, column in product(range(-2, 6), range(-3, 5)))

    dense, right = lattices_of(text_over((300, 400), places, "shop sample draft", 14))

    assert dense.evidence > right.evidence
    assert right.same(Lattice((62, 75), (62, -75), 0))


@pytest.mark.slow
def test_marks_too_faint_for_the_eye_are_lifted() -> None:
    picture = scene()
    opacity, colour = tiled((HEIGHT, WIDTH), 0.12, (30.0, 40.0), (-20.0, 50.0))
    seen = marked(picture, opacity, colour)

    layer = next(candidates(seen, (opacity > 0).astype(np.float32)))

    assert error(layer.restored, picture, opacity > 0) < 0.5 * error(seen, picture, opacity > 0)


@pytest.mark.slow
def test_large_pictures_are_searched_reduced_and_lifted_at_their_own_size() -> None:
    picture = scene(1100, 500)
    opacity, colour = tiled((1100, 500), 0.4, (70.0, 30.0), (-25.0, 90.0))
    seen = marked(picture, opacity, colour)

    layer = next(candidates(seen, (opacity > 0).astype(np.float32)))

    assert error(layer.restored, picture, opacity > 0) < 0.3 * error(seen, picture, opacity > 0)


@pytest.mark.slow
def test_a_network_may_see_repetitions_that_the_picture_does_not_show() -> None:
    picture = scene()
    opacity, colour = tiled((HEIGHT, WIDTH), 0.1, (40.0, 0.0), (0.0, 64.0))
    seen = marked(picture, opacity, colour)

    assert not any(one.same(Lattice((40.0, 0.0), (0.0, 64.0), 0)) for one in lattices_of(seen))
    assert any(
        error(one.restored, picture, opacity > 0) < 5 for one in candidates(seen, (opacity > 0).astype(np.float32))
    )


@pytest.mark.slow
def test_where_the_network_sees_no_mark_there_is_none() -> None:
    opacity, colour = tiled((HEIGHT, WIDTH), 0.35, (40.0, 0.0), (0.0, 64.0))
    seen = marked(scene(), opacity, colour)

    assert not list(candidates(seen, np.zeros(opacity.shape, np.float32)))
    assert not list(candidates(seen, (opacity == 0).astype(np.float32)))


@pytest.mark.slow
def test_it_is_judged_where_the_network_looked() -> None:
    opacity, colour = tiled((HEIGHT, WIDTH), 0.35, (40.0, 0.0), (0.0, 64.0))
    seen, hole = marked(scene(), opacity, colour), np.zeros((HEIGHT, WIDTH), bool)
    hole[100:180, 100:200] = True

    layer = next(candidates(seen, ((opacity > 0) & hole).astype(np.float32), hole))

    assert layer.opacity[~hole].max() > 0.2  # all of the mark is known from a part of it


def test_what_does_not_repeat_has_no_lattice_to_speak_of() -> None:
    for found in (lattices_of(scene()), lattices_of(np.full((HEIGHT, WIDTH, 3), 90, np.uint8))):
        assert all(one.evidence < 4 for one in found)


def repeating(size: int, tile: int) -> np.ndarray:
    """A picture (size, size, 3) made of one tile, (tile, tile), again and again."""
    times = -(-size // tile)
    made: np.ndarray = np.tile(scene()[:tile, :tile], (times, times, 1))[:size, :size]
    return made


def heights(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pairs each call of the search's innermost function is about, from now on."""
    calls, height = list[int](), lattice._height

    def counted(agreement: torch.Tensor, pairs: torch.Tensor) -> torch.Tensor:
        calls.append(len(pairs))
        return height(agreement, pairs)

    monkeypatch.setattr(lattice, "_height", counted)
    return calls


def test_a_picture_of_one_tile_is_searched_in_bounded_work(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, small = heights(monkeypatch), np.ascontiguousarray(repeating(2000, 64)[::3, ::3])

    lattices_of(small)

    assert 0 < len(calls) < 400


def test_a_lattice_that_takes_too_many_rounds_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    agreement = autocorrelation(fine_structure(planes(repeating(320, 64))))
    assert find(agreement)
    more = count(10)
    monkeypatch.setattr(lattice, "evidence", lambda agreement, pairs: torch.full((len(pairs),), next(more)))
    monkeypatch.setattr(lattice, "_agreeing", lambda agreement, pairs, share: torch.full((len(pairs),), share == 0.25))
    monkeypatch.setattr(lattice, "_possible", lambda pairs: pairs)
    calls = heights(monkeypatch)

    assert settle(agreement, Lattice((64.0, 0.0), (0.0, 64.0), 9.0)) is None

    assert len(calls) <= 6 * lattice.MOVES * (1 + lattice.DENSEST)


def test_shifts_in_one_line_are_no_lattice() -> None:
    agreement = autocorrelation(fine_structure(planes(scene())))
    for first, second in (((40.0, 0.0), (80.0, 0.0)), ((30.0, 30.0), (30.0, 30.0)), ((20.0, 10.0), (0.0, 0.0))):
        assert not torch.isnan(shorten(torch.tensor([[first, second]]))).any()
        nearest = settle(agreement, Lattice(first, second, 9.0))
        assert nearest is None or abs(np.linalg.det([nearest.first, nearest.second])) > 100


@given(arrays(np.float32, (2, 2), elements=floats(-300, 300, width=32)))
def test_made_short_a_lattice_stays_the_same(pair: np.ndarray) -> None:
    area = abs(np.linalg.det(pair.astype(float)))
    assume(area > 100)

    short = shorten(torch.from_numpy(pair)[None])[0].double().numpy()

    assert abs(np.linalg.det(short)) == pytest.approx(area, rel=1e-2)
    assert np.linalg.norm(short[0]) <= np.linalg.norm(short[1]) * 1.001
    times = np.linalg.solve(short.T, pair.astype(float).T)
    np.testing.assert_allclose(times, times.round(), atol=0.02)


@pytest.mark.parametrize("shape", [(1, 1), (71, 400), (9, 4000), (300, 72)])
def test_any_size(shape: tuple[int, int]) -> None:
    picture = default_rng(0).integers(0, 256, (*shape, 3), np.uint8)

    for layer in candidates(picture, default_rng(1).random(shape, np.float32)):
        assert layer.restored.shape == picture.shape


def test_where_copies_have_nothing_in_common_nothing_is_lifted() -> None:
    assert rough_mark(torch.full((3, 200, 200), 0.4), Lattice((40.0, 0.0), (0.0, 50.0), 9.0)) is None


@pytest.mark.slow
def test_the_same_input_gives_the_same_output() -> None:
    opacity, colour = tiled((HEIGHT, WIDTH), 0.35, (40.0, 0.0), (0.0, 64.0))
    seen = marked(scene(), opacity, colour)

    one, other = (next(candidates(seen, (opacity > 0).astype(np.float32))) for _ in range(2))

    np.testing.assert_array_equal(one.restored, other.restored)
    np.testing.assert_array_equal(one.opacity, other.opacity)


def test_a_correlation_with_what_is_the_same_everywhere_is_none() -> None:
    opacity = np.array([[0, 0.5], [0.5, 0]], np.float32)

    assert correlation(opacity, opacity * 0.3 + 0.1) == pytest.approx(1)
    assert correlation(opacity, 1 - opacity) == pytest.approx(-1)
    assert correlation(opacity, np.ones_like(opacity)) == 0
    assert correlation(opacity[:0], opacity[:0]) == 0


def test_a_tiled_mark_that_shines_through_is_seen_no_more_with_it_computed_away() -> None:
    opacity = (np.arange(400).reshape(20, 20) % 5 == 0).astype(np.float32) / np.float32(2)
    before, nothing = 2 * opacity, np.zeros_like(opacity)

    assert is_mark(opacity, 0.5, before, nothing)
    assert not is_mark(opacity, 0.5, before, before)


def test_an_opaque_tiled_mark_is_all_that_is_seen() -> None:
    opacity = (np.arange(400).reshape(20, 20) % 5 == 0).astype(np.float32)
    quarter = np.where(np.arange(20) < 5, opacity, 0)

    assert is_mark(opacity, 1.0, before=opacity, after=opacity)
    assert not is_mark(opacity, 1.0, before=quarter, after=np.zeros_like(quarter))
