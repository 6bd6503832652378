"""Translucent boxes and bars with something in them, and words cut out of them."""

import cv2
import numpy as np
from numpy import float32
from numpy.random import Generator

from training.data.marks.letters import Letters, line
from training.data.marks.lockups import address, claim, lockup
from training.data.marks.stamp import Plane, Stamp, contrast, over, pad, paint, some_colour
from training.data.marks.wording import brand


def text_box(letters: Letters, rng: Generator, tall: int, opacity: float) -> Stamp:
    """A word or a lock-up on a box of another opacity."""
    inner = (lockup, address, claim)[rng.integers(3)](letters, rng, tall, min(1.0, max(0.5, 1.6 * opacity)))
    inner = pad(inner, max(2, round(tall * rng.uniform(0.1, 0.6))))
    words = inner[..., :3].sum() / max(1e-3, float(3 * inner[..., 3].sum()))
    back = np.full(3, float(words < 0.5)) if rng.random() < 0.6 else contrast(np.full(3, words), rng)
    box = _box(rng, *inner.shape[:2]) * float32(rng.uniform(0.15, 0.85))
    return over(inner, paint(box, back))


def cutout(letters: Letters, rng: Generator, tall: int, opacity: float) -> Stamp:
    """A box through whose letters the picture is seen."""
    word = np.pad(line(letters.face(rng), brand(rng), tall), max(3, tall // 3))
    return paint(_box(rng, *word.shape) * (1 - word) * float32(opacity), some_colour(rng))


def _box(rng: Generator, tall: int, wide: int) -> Plane:
    """A full rectangle, or one with round corners."""
    if rng.random() < 0.5:
        return np.ones((tall, wide), float32)
    radius = int(rng.uniform(0.1, 0.5) * tall)
    middle = np.zeros((tall, wide), np.uint8)
    cv2.rectangle(middle, (radius, 0), (wide - 1 - radius, tall - 1), 255, -1)
    cv2.rectangle(middle, (0, radius), (wide - 1, tall - 1 - radius), 255, -1)
    for x in (radius, wide - 1 - radius):
        for y in (radius, tall - 1 - radius):
            cv2.circle(middle, (x, y), radius, 255, -1, cv2.LINE_AA)
    return np.asarray(middle, float32) / float32(255)
