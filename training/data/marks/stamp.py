"""Stamps: what is put on a picture, before it is placed. And how they are laid over and beside each other."""

from typing import Any

import cv2
import numpy as np
from numpy import float32
from numpy.random import Generator
from numpy.typing import NDArray

Plane = NDArray[Any]  # (H, W) float32, 0..1
Colours = NDArray[Any]  # (H, W, 3) float32, 0..1
Stamp = NDArray[Any]  # (h, w, 4) float32: colour times coverage, coverage; 0..1


def some_colour(rng: Generator) -> NDArray[Any]:
    """White and greys above all, as on real marks; then any."""
    roll = rng.random()
    if roll < 0.4:
        return np.full(3, rng.uniform(0.85, 1))
    if roll < 0.55:
        return np.full(3, rng.uniform(0, 0.15))
    return np.full(3, rng.random()) if roll < 0.7 else rng.random(3)


def contrast(colour: NDArray[Any], rng: Generator) -> NDArray[Any]:
    return np.full(3, float(colour.mean() < 0.5)) if rng.random() < 0.7 else rng.random(3)


def paint(coverage: Plane, colour: NDArray[Any]) -> Stamp:
    """A coverage in one colour."""
    stamp: Stamp = coverage[..., None] * np.append(colour, 1).astype(float32)
    return stamp


def flatten(layers: list[tuple[Plane, NDArray[Any]]]) -> Stamp:
    """One stamp of several coverages with a colour each, the first on top."""
    result = np.zeros((*layers[0][0].shape, 4), float32)
    for coverage, colour in reversed(layers):
        result = over(paint(coverage, colour), result)
    return result


def over(above: Stamp, below: Stamp) -> Stamp:
    """One stamp on another of the same size."""
    stamp: Stamp = above + (1 - above[..., 3:]) * below
    return stamp


def stack(*stamps: Stamp, gap: int = 0, along: float = 0.5) -> Stamp:
    """One above the other; `along` says where a narrower one lies: 0 left, 1 right."""
    wide = max(one.shape[1] for one in stamps)
    rows: list[Stamp] = []
    for one in stamps:
        left = int((wide - one.shape[1]) * along)
        rows.append(np.pad(one, ((gap if rows else 0, 0), (left, wide - one.shape[1] - left), (0, 0))))
    return np.concatenate(rows)


def row(*stamps: Stamp, gap: int = 0, along: float = 0.5) -> Stamp:
    """One right of the other; `along` says where a lower one lies: 0 at the top, 1 at the bottom."""
    return stack(*(one.swapaxes(0, 1) for one in stamps), gap=gap, along=along).swapaxes(0, 1)


def pad(stamp: Stamp, margin: int) -> Stamp:
    return np.pad(stamp, ((margin, margin), (margin, margin), (0, 0)))


def fit(stamp: Stamp, tall: float, longest: float) -> Stamp:
    """So tall, or less where it would become longer than that."""
    scale = min(tall / stamp.shape[0], longest / stamp.shape[1])
    size = max(4, round(stamp.shape[1] * scale)), max(4, round(stamp.shape[0] * scale))
    return cv2.resize(stamp, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def bend(stamp: Stamp, rng: Generator) -> Stamp:
    """The stamp along an arc or a wave."""
    height, width = stamp.shape[:2]
    lift = rng.uniform(0.3, 1.2) * height * (1 if rng.random() < 0.5 else -1)
    along = np.linspace(-1, 1, width)
    shift = lift * (along**2 if rng.random() < 0.6 else np.sin(along * np.pi) / 2)
    shift -= shift.min()
    rows = np.arange(height + int(shift.max()) + 1)[:, None] - shift[None]
    columns = np.broadcast_to(np.arange(width), rows.shape)
    return cv2.remap(stamp, columns.astype(float32), rows.astype(float32), cv2.INTER_LINEAR)
