"""What happens to a picture once it is marked: reduced, sharpened, shown on a screen, and and compressed twice."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy import float32, uint8
from numpy.random import Generator
from numpy.typing import NDArray

from training.data.marks.mark import Mark
from training.data.pack import Picture

REDUCE, SHARPEN, SCREENSHOT, TWICE, WEBP = 0.2, 0.12, 0.04, 0.25, 0.15  # shares of pictures; WEBP: of the compressed


@dataclass(frozen=True)
class Copy:
    """A marked picture, and what is true of it now."""

    marked: Picture
    clean: Picture
    mark: Mark


def handle(clean: Picture, mark: Mark, rng: Generator) -> Copy:
    """The marked picture with all that happens to it. What befalls the picture below and the mark befalls them too."""
    now = Copy(mark.over(clean), clean, mark)
    if rng.random() < REDUCE:
        now = _reduce(now, rng.uniform(0.5, 0.95), int(rng.integers(3)))
    if rng.random() < SCREENSHOT:
        now = _screenshot(now, rng)
    if rng.random() < SHARPEN:
        now = _sharpen(now, rng.uniform(0.5, 1.2), rng.uniform(0.3, 1.0))
    marked = now.marked
    for _ in range(0 if rng.random() < 0.15 else 2 if rng.random() < TWICE else 1):
        marked = compress(marked, rng)
    return Copy(marked, now.clean, now.mark)


def compress(picture: Picture, rng: Generator) -> Picture:
    """As it comes back from a JPEG or WebP file."""
    if rng.random() < WEBP:
        name, how = ".webp", [cv2.IMWRITE_WEBP_QUALITY, int(rng.uniform(50, 95))]
    else:
        name, how = ".jpg", [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(50, 98))]
    _, data = cv2.imencode(name, picture[..., ::-1], how)
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), uint8)[..., ::-1])


def _reduce(now: Copy, scale: float, way: int) -> Copy:
    """Fewer pixels, and as many as before."""
    height, width = now.clean.shape[:2]
    down = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_AREA)[way]
    up = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_CUBIC)[way]
    small = max(8, round(width * scale)), max(8, round(height * scale))

    def again(plane: NDArray[Any]) -> NDArray[Any]:
        return cv2.resize(cv2.resize(plane, small, interpolation=down), (width, height), interpolation=up)

    return _each(now, again)


def _sharpen(now: Copy, radius: float, amount: float) -> Copy:
    """An unsharp mask. The mark's opacity stays: its edges become stronger, not wider."""

    def sharp(picture: Picture) -> Picture:
        levels = picture.astype(float32)
        return _bytes(levels + amount * (levels - cv2.GaussianBlur(levels, (0, 0), radius)))

    return Copy(sharp(now.marked), sharp(now.clean), now.mark)


def _screenshot(now: Copy, rng: Generator) -> Copy:
    """A smaller picture of it on a plain ground with a bar, as a screen shows it."""
    height, width = now.clean.shape[:2]
    scale = rng.uniform(0.6, 0.92)
    small = max(8, round(width * scale)), max(8, round(height * scale))
    top, left = int(rng.integers(0, height - small[1] + 1)), int(rng.integers(0, width - small[0] + 1))
    ground = np.full((height, width, 3), rng.uniform(0, 255) if rng.random() < 0.4 else rng.choice([255, 30]), float32)
    ground[: top // 2] = rng.uniform(0, 255, 3)

    def within(plane: NDArray[Any]) -> NDArray[Any]:
        made = ground.copy() if plane.ndim == 3 and plane.dtype == uint8 else np.zeros(plane.shape, float32)
        made[top : top + small[1], left : left + small[0]] = cv2.resize(plane, small, interpolation=cv2.INTER_AREA)
        return made

    return _each(now, within)


def _each(now: Copy, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Copy:
    """The same change to pictures and mark; a mark's colour counts by its opacity."""
    marked, clean = (_bytes(change(picture)) for picture in (now.marked, now.clean))
    opacity = change(now.mark.opacity).clip(0, 1)
    weighed = change(now.mark.colour * now.mark.opacity[..., None])
    colour = np.divide(weighed, opacity[..., None], out=np.zeros_like(weighed), where=opacity[..., None] > 1e-3)
    mark = Mark(np.asarray(opacity, float32), np.asarray(colour.clip(0, 1), float32), now.mark.tiled)
    return Copy(marked, clean, mark)


def _bytes(picture: NDArray[Any]) -> Picture:
    return np.asarray(np.rint(picture).clip(0, 255), uint8)
