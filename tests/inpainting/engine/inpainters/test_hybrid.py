"""PatchMatch's copies are weighed against smooth surfaces, and nothing outside the hole is touched."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from inpainting.engine.crops import tiles
from inpainting.engine.inpainters import hybrid, patchmatch
from inpainting.engine.inpainters.hybrid import CONFIG, HybridInpainter, fills, load
from inpainting.engine.nets.weighing import Weighing, save
from tests.pictures import photo

Scene = Callable[[int, int], np.ndarray]


def network() -> Weighing:
    """One that has learned nothing: it believes the copies most, and the surfaces a little."""
    torch.manual_seed(0)
    return Weighing(CONFIG).eval().requires_grad_(False)


def fill(picture: np.ndarray, hole: np.ndarray, net: Weighing | None = None) -> np.ndarray:
    return HybridInpainter(net or load()).fill(picture, hole)


def holed(height: int, width: int, *boxes: tuple[slice, slice]) -> np.ndarray:
    hole = np.zeros((height, width), bool)
    for box in boxes:
        hole[box] = True
    return hole


def error(made: np.ndarray, clean: np.ndarray, hole: np.ndarray) -> float:
    """Mean difference in the hole, in levels."""
    return float(np.abs(made[hole].astype(int) - clean[hole]).mean())


def test_it_works(scene: Scene) -> None:
    """Untrained it mixes copies and surfaces, by fixed shares."""
    picture, hole = scene(96, 96), holed(96, 96, (slice(35, 55), slice(40, 60)))

    made = fill(picture, hole, network())

    levels = [(255 * plane[0].permute(1, 2, 0).numpy())[hole] for plane in fills(picture, hole).fills]
    mixed = np.average(levels, axis=0, weights=[np.exp(hybrid.COPIED), 1, 1])
    np.testing.assert_allclose(made[hole], mixed, atol=0.51)
    np.testing.assert_array_equal(made[~hole], picture[~hole])


def test_the_embedded_network_fills_thin_strokes_better_than_copying() -> None:
    clean = photo(240, 200)
    hole = holed(200, 240, *((slice(20, 180), slice(at, at + 4)) for at in range(20, 220, 20)))

    made, copied = fill(clean, hole), patchmatch.fill(clean, hole)

    assert error(made, clean, hole) < error(copied, clean, hole)


def test_what_is_plain_stays_plain() -> None:
    """No blotch, no grid: a wall of one colour stays within a level or two of it."""
    wall = np.full((128, 128, 3), (90, 140, 200), np.uint8)
    hole = holed(128, 128, (slice(30, 90), slice(40, 100)))

    assert np.abs(fill(wall, hole).astype(int) - wall).max() <= 3


@pytest.mark.slow
def test_a_large_picture_is_filled_piece_by_piece_as_a_small_one_is(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture, hole = scene(300, 900), holed(300, 900, (slice(100, 140), slice(420, 560)))
    whole = fill(picture, hole)
    monkeypatch.setattr(tiles, "WHOLE", 256)
    monkeypatch.setattr(tiles, "TILE", 192)

    pieces = fill(picture, hole)

    assert np.abs(pieces.astype(int) - whole).max() <= 16
    assert error(pieces, whole, hole) < 1


def test_it_is_written_and_read_in_half_precision(tmp_path: Path, scene: Scene) -> None:
    net = network()
    net.head.weight.data.normal_(0, 0.1)
    save(tmp_path / "a.safetensors", net, {"steps": "1"})
    picture, hole = scene(64, 64), holed(64, 64, (slice(20, 30), slice(20, 40)))

    again = fill(picture, hole, load(tmp_path / "a.safetensors")).astype(int)

    assert np.abs(again - fill(picture, hole, net)).max() <= 1
