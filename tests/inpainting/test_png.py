"""Our PNG files, read by somebody else's reader."""

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from inpainting import png
from tests import pictures


def read(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=["PNG"])
    image.load()
    return image


def test_it_works() -> None:
    photo = pictures.photo(300, 200)
    image = read(png.encode(photo, None, {}))

    assert (image.mode, image.size) == ("RGB", (300, 200))
    np.testing.assert_array_equal(np.asarray(image), photo)


@given(width=st.integers(1, 70), height=st.integers(1, 70), with_alpha=st.booleans(), seed=st.integers(0, 9))
def test_every_size_comes_back(width: int, height: int, with_alpha: bool, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)
    rgb, alpha = pixels[..., :3], pixels[..., 3]
    image = read(png.encode(rgb, alpha if with_alpha else None, {}))

    np.testing.assert_array_equal(np.asarray(image), pixels if with_alpha else rgb)


@pytest.mark.parametrize("size", [(1, 4096), (4096, 1), (1500, 1111)])
def test_strips_fit_together(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png, "STRIP", 50_000)
    photo = pictures.photo(*size)

    np.testing.assert_array_equal(np.asarray(read(png.encode(photo, None, {}))), photo)


def test_what_lies_beside_the_pixels_is_kept() -> None:
    image = read(png.encode(pictures.photo(), None, {b"gAMA": struct.pack(">I", 55_556), b"sRGB": bytes([1])}))

    assert (image.info["gamma"], image.info["srgb"]) == (0.55556, 1)


def test_what_is_flat_is_small() -> None:
    assert len(png.encode(np.full((1000, 1000, 3), 200, np.uint8), None, {})) < 30_000
