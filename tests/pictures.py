"""Pictures and masks that tests send, as files in memory."""

import io
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont


def photo(width: int = 96, height: int = 64) -> np.ndarray:
    """(H, W, 3) uint8: smooth waves with a little grain, like nothing flat; the same each time."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin(x / 9 + phase) + np.cos(y / 7 - phase) for phase in (0.0, 1.0, 2.0)]
    grain = np.random.default_rng(0).normal(0, 4, (height, width, 3))
    return np.clip(128 + 50 * np.stack(waves, axis=2) + grain, 0, 255).astype(np.uint8)


def lettered(
    words: str = "Open daily 9 to 5", width: int = 480, height: int = 320, size: int = 40, turn: float = 0
) -> tuple[np.ndarray, np.ndarray]:
    """(H, W, 3): white words in the middle of a sky, turned by so many degrees; (H, W) bool: where their pixels are.

    The photo's waves look like writing themselves.
    """
    middle = (width / 2, height / 2)
    letters = Image.new("L", (width, height))
    ImageDraw.Draw(letters).text(middle, words, 255, ImageFont.load_default(size), anchor="mm")
    alpha = np.asarray(letters.rotate(turn, Image.Resampling.BICUBIC))
    share = alpha[..., None] / 255
    return np.rint(sky(width, height) * (1 - share) + 255 * share).astype(np.uint8), alpha > 0


def sky(width: int, height: int) -> np.ndarray:
    """(H, W, 3) uint8: blue that grows lighter towards the ground, with a little grain; the same each time."""
    light = np.linspace(0, 90, height)[:, None, None] + np.array((30, 80, 140))
    grain = np.random.default_rng(1).normal(0, 3, (height, width, 3))
    return np.asarray(np.rint(light + grain), np.uint8)


def file(pixels: np.ndarray | Image.Image, format: str = "PNG", name: str = "photo", **options: Any) -> io.BytesIO:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    buffer.seek(0)
    buffer.name = f"{name}.{format.lower()}"
    return buffer


def box_mask(width: int = 96, height: int = 64, box: tuple[int, int, int, int] = (30, 20, 50, 36)) -> np.ndarray:
    """(H, W) uint8: white in `box` (left, top, right, bottom), black elsewhere."""
    mask = np.zeros((height, width), np.uint8)
    left, top, right, bottom = box
    mask[top:bottom, left:right] = 255
    return mask


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))
