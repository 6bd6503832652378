"""Lettering of any kind, found by the real detector where requirements-text.txt is installed."""

import socket
import sys

import numpy as np
import pytest
from numpy.random import default_rng

from inpainting import engine
from inpainting.engine import door
from inpainting.engine.registry import TEXT
from inpainting.engine.text import detector
from inpainting.engine.text.regions import filled
from tests import pictures

needs_packages = pytest.mark.skipif(not detector.installed(), reason="pip install -r requirements-text.txt")


@needs_packages
def test_it_works() -> None:
    picture, letters = pictures.lettered()
    before = picture.copy()

    found = engine.find_text(picture)

    assert found.mask[letters].mean() > 0.99
    assert found.mask.sum() < 7 * letters.sum()  # a line's rectangle, and little around it
    assert len(found.regions) == 1
    region = found.regions[0]
    assert 0.5 < region.score <= 1
    rows, columns = np.flatnonzero(found.mask.any(1)), np.flatnonzero(found.mask.any(0))
    assert (region.x, region.y) == (columns[0], rows[0])
    assert (region.width, region.height) == (len(columns), len(rows))
    assert found.seconds > 0
    np.testing.assert_array_equal(picture, before)
    assert engine.find_text(picture).regions == found.regions


@needs_packages
@pytest.mark.parametrize("turn", [30, -45, 90])
def test_turned_lettering_has_a_turned_outline(turn: float) -> None:
    picture, letters = pictures.lettered(width=480, height=480, turn=turn)

    found = engine.find_text(picture)

    upright = sum(region.width * region.height for region in found.regions)
    assert found.mask[letters].mean() > 0.98
    assert found.mask.sum() < 7 * letters.sum()
    assert turn % 90 == 0 or found.mask.sum() < upright / 2


@needs_packages
def test_small_letters_in_a_large_picture() -> None:
    picture, letters = pictures.lettered(width=4096, height=1024, size=48)

    assert engine.find_text(picture).mask[letters].mean() > 0.95


@needs_packages
def test_lettering_that_the_edge_cuts_off() -> None:
    picture, letters = (np.ascontiguousarray(whole[150:]) for whole in pictures.lettered(turn=20))
    height, width = letters.shape

    found = engine.find_text(picture)

    assert found.mask[letters].mean() > 0.9
    for region in found.regions:
        assert len(region.polygon) >= 3
        assert all(0 <= x < width and 0 <= y < height for x, y in region.polygon)


@needs_packages
def test_where_nothing_is_written() -> None:
    for picture in (pictures.sky(480, 320), np.zeros((200, 300, 3), np.uint8)):
        found = engine.find_text(picture)
        assert not found.regions
        assert not found.mask.any()


@needs_packages
@pytest.mark.parametrize("shape", [(1, 1), (1, 4096), (4096, 3), (10, 4096), (33, 31)])
def test_any_size(shape: tuple[int, int]) -> None:
    picture = default_rng(1).integers(0, 256, (*shape, 3), np.uint8)

    assert engine.find_text(picture).mask.shape == shape


@needs_packages
def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("It asks the network.")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    picture, letters = pictures.lettered()

    assert filled(TEXT.load().find(picture), *letters.shape)[letters].mean() > 0.99


def test_what_is_no_picture() -> None:
    with pytest.raises(ValueError, match="picture"):
        engine.find_text(np.zeros((8, 8), np.uint8))


def test_without_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector, "find_spec", lambda name: None if name == "onnxruntime" else sys)

    assert not engine.finds_text()
    with pytest.raises(engine.TextNotInstalled, match=r"pip install -r requirements-text\.txt"):
        engine.find_text(pictures.photo())
    assert door._desks.text.state == "idle" or door._desks.text.model is not None
