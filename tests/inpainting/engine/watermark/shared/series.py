"""Series of pictures with the same mark, as one photographer's: what is below is known."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tests import pictures

Size = tuple[int, int]  # height, width


@dataclass(frozen=True)
class Series:
    clean: list[NDArray[np.uint8]]
    marked: list[NDArray[np.uint8]]  # as JPEG files are read
    inside: list[NDArray[np.bool_]]  # where the mark is


def landscape(seed: int, size: Size) -> NDArray[np.uint8]:
    """(H, W, 3): soft shapes, an edge and grain, of other colours with each seed."""
    rng = np.random.default_rng(seed)
    height, width = size
    coarse = rng.uniform(20, 235, (rng.integers(3, 6), rng.integers(3, 6), 3))
    made = cv2.resize(coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    made[rng.integers(height // 4, 3 * height // 4) :] += rng.uniform(-50, 50, 3).astype(np.float32)
    grain = cv2.GaussianBlur(rng.normal(0, 1, (height, width)).astype(np.float32), (0, 0), 1.2)
    return np.asarray(np.clip(made + 12 * grain[..., None], 0, 255), np.uint8)


def series(
    count: int, opacity: float, sizes: list[Size] | None = None, colour: tuple[int, int, int] = (250, 250, 250)
) -> Series:
    """Pictures of 160x240, or of those sizes; the mark is in the corner at the bottom right."""
    made = Series([], [], [])
    for seed in range(count):
        size = sizes[seed % len(sizes)] if sizes else (160, 240)
        clean = landscape(seed, size)
        made.clean.append(clean)
        made.inside.append(stamp(size) > 0.02)
        made.marked.append(as_jpeg(blend(clean, opacity * stamp(size), colour)))
    return made


def stamp(size: Size) -> NDArray[np.float32]:
    """(H, W): two letters, in 0..1."""
    plane = np.zeros(size, np.uint8)
    cv2.putText(plane, "(c) ME", (size[1] - 140, size[0] - 30), cv2.FONT_HERSHEY_DUPLEX, 1.2, 255, 5, cv2.LINE_AA)
    return np.asarray(plane / 255, np.float32)


def blend(picture: NDArray[np.uint8], opacity: NDArray[np.float32], colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    share = opacity[..., None]
    return np.asarray(np.rint(picture * (1 - share) + share * np.array(colour)), np.uint8)


def as_jpeg(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return pictures.pixels(pictures.file(picture, "JPEG", quality=90).getvalue())


def decibels(made: NDArray[np.uint8], truth: NDArray[np.uint8], inside: NDArray[np.bool_]) -> float:
    error = (made.astype(float) - truth)[inside]
    return float(10 * np.log10(255**2 / np.mean(error**2)))
