"""Pictures and masks to measure with: made here, so that everybody measures the same, or taken from a folder."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps

Rgb = NDArray[np.uint8]  # (H, W, 3)
Mask = NDArray[np.uint8]  # (H, W), 255 where something is to be removed

OCTAVES = 7
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


def photograph(width: int, height: int, seed: int = 0, folder: Path | None = None) -> Rgb:
    """A picture that compresses and fills about as a photograph does; or the folder's photograph number `seed`."""
    if folder is not None:
        photos = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
        with Image.open(photos[seed % len(photos)]) as photo:
            return np.asarray(ImageOps.fit(photo.convert("RGB"), (width, height)))
    rng = np.random.default_rng(seed)
    light, tint = _fractal(rng, height, width, 1.0), _fractal(rng, height, width, 1.6)
    ridge = _fractal(rng, height, width, 1.2) > 0.2  # hard edges, as objects have
    colours = np.array([[150, 130, 110], [70, 95, 120]], np.float32)[ridge.astype(int)]
    picture: NDArray[np.float32] = (
        colours + 45 * light[..., None] + 25 * tint[..., None] * np.array([1, 0, -1], np.float32)
    )
    picture += rng.normal(0, 2.0, picture.shape)  # a camera's noise
    return np.clip(picture, 0, 255).astype(np.uint8)


def corner_watermark(width: int, height: int) -> Mask:
    """A bar of 2% of the picture near its bottom right corner."""
    mask = np.zeros((height, width), np.uint8)
    high, wide = round(height / 14), round(width * 0.28)
    bottom, right = height - round(height / 32), width - round(width / 32)
    mask[bottom - high : bottom, right - wide : right] = 255
    return mask


def spots(width: int, height: int, count: int = 24, share: float = 0.1) -> Mask:
    """`count` discs all over the picture, of `share` of its area together."""
    rng = np.random.default_rng(1)
    columns = round(np.sqrt(count * 1.5))
    rows = -(-count // columns)
    radius = np.sqrt(share * width * height / count / np.pi)
    image = Image.new("L", (width, height))
    draw = ImageDraw.Draw(image)
    for number in range(count):
        row, column = divmod(number, columns)
        x = (column + 0.5) * width / columns + rng.uniform(-0.1, 0.1) * width / columns
        y = (row + 0.5) * height / rows + rng.uniform(-0.1, 0.1) * height / rows
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return np.asarray(image)


def file(pixels: NDArray[np.uint8], format: str = "PNG") -> bytes:
    """As a camera or an editor would save it: PNG, or JPEG at quality 92."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format, **({"quality": 92} if format == "JPEG" else {}))
    return buffer.getvalue()


def _fractal(rng: np.random.Generator, height: int, width: int, roughness: float) -> NDArray[np.float32]:
    """(height, width) in about -1..1: noise of ever finer grain, each octave weaker by 2 ** roughness."""
    total = np.zeros((height, width), np.float32)
    for octave in range(OCTAVES):
        cells = 2 ** (octave + 2)
        grid = rng.normal(size=(max(2, cells * height // width), cells)).astype(np.float32)
        layer = np.asarray(Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC))
        total += layer / 2 ** (octave * roughness)
    total /= 2
    return total
