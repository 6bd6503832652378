"""A logo with alpha, and pictures that have it."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter


def logo(times: int = 1) -> np.ndarray:
    """(48, 120, 4) uint8, or so many times as large: a red disc with a hole and a white bar, with soft edges."""
    large = Image.new("RGBA", (480 * times, 192 * times), (255, 255, 255, 0))
    draw = ImageDraw.Draw(large)
    draw.ellipse([times * at for at in (12, 12, 180, 180)], fill=(230, 40, 60, 255))
    draw.ellipse([times * at for at in (60, 60, 132, 132)], fill=(255, 255, 255, 0))
    draw.rectangle([times * at for at in (220, 72, 460, 120)], fill=(255, 255, 255, 255))
    return np.asarray(large.resize((120 * times, 48 * times), Image.Resampling.BOX))


def photo(height: int = 240, width: int = 320, seed: int = 0) -> np.ndarray:
    """(H, W, 3) uint8: grain of several sizes, of medium brightness."""
    rng, total = np.random.default_rng(seed), np.zeros((height, width, 3), np.float32)
    for radius in (1, 4, 12):
        grain = Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8))
        blurred = np.asarray(grain.filter(ImageFilter.GaussianBlur(radius)), np.float32) - 127.5
        total += blurred / blurred.std() * 12
    return np.asarray(np.clip(110 + total, 0, 255), np.uint8)


def laid(picture: np.ndarray, mark: np.ndarray, top: int, left: int, opacity: float) -> np.ndarray:
    """The picture with a mark (h, w, 4) on it."""
    made, (height, width) = picture.astype(float), mark.shape[:2]
    inside = slice(top, top + height), slice(left, left + width)
    alpha = mark[..., 3:] / 255 * opacity
    made[inside] = (1 - alpha) * made[inside] + alpha * mark[..., :3]
    return np.asarray(np.clip(made.round(), 0, 255), np.uint8)


def decibels(made: np.ndarray, truth: np.ndarray, top: int, left: int, mark: np.ndarray) -> float:
    """PSNR where the mark is."""
    inside = slice(top, top + mark.shape[0]), slice(left, left + mark.shape[1])
    error = (made[inside].astype(float) - truth[inside])[mark[..., 3] > 8]
    return float(10 * np.log10(255**2 / max(1e-9, (error**2).mean())))
