"""Pictures that were made to keep the finder of lettering busy cost a bounded amount of work."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.random import default_rng
from PIL import Image, ImageDraw, ImageFont

from inpainting import engine
from inpainting.engine.registry import TEXT
from inpainting.engine.text import detector

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not detector.installed(), reason="pip install -r requirements-text.txt"),
]
SIDE = 4096
LONG = 60  # seconds, of a machine that others use too; about 5 alone on one core


def letters(size: int) -> np.ndarray:
    """The largest picture, full of letters of so many pixels."""
    tile = Image.new("RGB", (512, 512), "white")
    draw, random = ImageDraw.Draw(tile), default_rng(3)
    for top in range(0, 512, size + 4):
        line = "".join(map(chr, random.integers(65, 91, 512 * 2 // size)))
        draw.text((0, top), line, 0, ImageFont.load_default(size))
    return np.tile(np.asarray(tile), (SIDE // 512, SIDE // 512, 1))


def noise(size: int) -> np.ndarray:
    small = default_rng(4).integers(0, 256, (SIDE // size, SIDE // size, 3), np.uint8)
    return small.repeat(size, 0).repeat(size, 1)


@pytest.mark.parametrize(("make", "size"), [(letters, 12), (letters, 30), (noise, 1), (noise, 8)])
def test_work_is_bounded(make: Callable[[int], np.ndarray], size: int) -> None:
    picture = make(size)
    engine.find_text(np.zeros((32, 32, 3), np.uint8))  # loaded
    started = time.monotonic()

    found = engine.find_text(picture)

    assert time.monotonic() - started < LONG
    assert len(found.regions) <= 1000


def test_what_the_network_sees_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    model = TEXT.load()
    look = model._look  # type: ignore[attr-defined]

    def noted(picture: np.ndarray) -> Any:
        seen.append(picture.shape)
        return look(picture)

    monkeypatch.setattr(model, "_look", noted)

    for height, width in ((SIDE, SIDE), (20, SIDE), (SIDE, 1), (2, 3)):
        model.find(np.zeros((height, width, 3), np.uint8))

    assert max(max(shape[:2]) for shape in seen) == detector.LONGEST
