"""Seals and rubber stamps."""

import cv2
import numpy as np
from numpy import float32
from numpy.random import Generator

from training.data.marks import wording
from training.data.marks.letters import Letters, line
from training.data.marks.stamp import Plane, Stamp, fit, paint, some_colour

INKS = (0.75, 0.1, 0.1), (0.1, 0.2, 0.65), (0.1, 0.45, 0.2), (0.9, 0.1, 0.3)


def seal(letters: Letters, rng: Generator, tall: int, opacity: float) -> Stamp:
    """Rings with a text around and something in the middle; three times as high as a line."""
    side = max(48, 3 * tall)
    middle, radius = (side - 1) / 2, side / 2 - 1
    made = _ring(side, radius, max(1.0, side * rng.uniform(0.008, 0.03)))
    thick = side * rng.uniform(0.13, 0.2)
    inner = radius - 1.3 * thick
    if rng.random() < 0.7:
        made = np.maximum(made, _ring(side, inner, max(1.0, side * 0.01)))
    text = f"{wording.brand(rng)} * {wording.small_line(rng)} * ".upper()
    strip = line(letters.face(rng), text, max(8, round(0.6 * thick)))
    y, x = np.mgrid[:side, :side].astype(float32)
    away, turn = np.hypot(x - middle, y - middle), np.arctan2(x - middle, middle - y) / (2 * np.pi) + 0.5
    rows = (radius - 0.35 * thick - away) / (0.6 * thick) * strip.shape[0]
    around = cv2.remap(strip, (turn * strip.shape[1]).astype(float32), rows.astype(float32), cv2.INTER_LINEAR)
    made = np.maximum(made, around)
    centre = fit(letters.icon(rng, int(inner)), 1.1 * inner, 1.5 * inner)[..., 3]
    top, left = (int(middle - length / 2) for length in centre.shape)
    made[top : top + centre.shape[0], left : left + centre.shape[1]] += centre
    return _press(np.asarray(made.clip(0, 1), float32), rng, opacity)


def rubber_stamp(letters: Letters, rng: Generator, tall: int, opacity: float) -> Stamp:
    """A word in a frame, a little turned, its ink unevenly taken."""
    word = line(letters.face(rng), wording.CLAIMS[rng.integers(len(wording.CLAIMS))].upper(), tall, 0.02)
    margin = max(3, tall // 3)
    framed = np.pad(word, margin)
    thick = max(1, tall // int(rng.integers(6, 16)))
    cv2.rectangle(framed, (thick, thick), (framed.shape[1] - 1 - thick, framed.shape[0] - 1 - thick), 1.0, thick)
    return _press(framed, rng, opacity)


def _ring(side: int, radius: float, thick: float) -> Plane:
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    return np.asarray((thick / 2 + 0.5 - np.abs(np.hypot(x, y) - radius + thick / 2)).clip(0, 1), float32)


def _press(coverage: Plane, rng: Generator, opacity: float) -> Stamp:
    """In ink or white; half of them worn."""
    if rng.random() < 0.5:
        small = tuple(max(2, length // int(rng.integers(2, 9))) for length in coverage.shape)
        worn = cv2.resize(rng.random(small).astype(float32), coverage.shape[::-1], interpolation=cv2.INTER_CUBIC)
        coverage = coverage * np.asarray((3 * (worn - rng.uniform(-0.1, 0.25))).clip(0, 1), float32)
    colour = np.array(INKS[rng.integers(len(INKS))]) if rng.random() < 0.5 else some_colour(rng)
    return paint(coverage * float32(opacity), colour)
