"""How the strokes of a mark look: filled, outlined, emboss, with a shadow or a glow."""

from typing import Any

import cv2
import numpy as np
from numpy import float32
from numpy.random import Generator
from numpy.typing import NDArray

from training.data.marks.stamp import Plane, Stamp, contrast, flatten, paint


def finish(coverage: Plane, colour: NDArray[Any], rng: Generator, opacity: float) -> Stamp:
    """The coverage as a stamp of that opacity, in one of the ways; somewhat larger, where it needs a margin."""
    tall = coverage.shape[0]
    margin = max(2, tall // 6)
    coverage = np.pad(coverage, margin)
    roll = rng.random()
    if roll < 0.5 or tall < 9:
        return paint(coverage * float32(opacity), colour)
    if roll < 0.7:
        return emboss(coverage, rng, opacity)
    if roll < 0.86:
        return _outline(coverage, colour, rng, opacity)
    return _cast_shadow(coverage, colour, rng, opacity)


def emboss(coverage: Plane, rng: Generator, opacity: float) -> Stamp:
    """Light falls on it from one side; what is between the edges is left as it is, or becomes a little lighter."""
    depth = max(0.6, coverage.shape[0] * rng.uniform(0.012, 0.05))
    angle = rng.choice([-135.0, -45.0, -90.0, 45.0])
    step = depth * np.array([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))])
    smooth = cv2.GaussianBlur(coverage, (0, 0), 0.3 + depth / rng.uniform(1.5, 4))
    slope = _shift(smooth, -step) - _shift(smooth, step)
    where = rng.random()
    if where < 0.35:  # only within the letters, as chiselled
        slope = slope * coverage
    elif where < 0.5:  # only around them
        slope = slope * (1 - coverage)
    strength = float32(min(1.0, rng.uniform(0.7, 1.4) * opacity))
    inside = float32(rng.uniform(0.1, 0.8) * opacity if rng.random() < 0.6 else 0)
    fill = np.full(3, rng.choice([1.0, 0.5, 0.0], p=[0.6, 0.25, 0.15]))
    return flatten(
        [
            (np.asarray((slope * strength).clip(0, 1), float32), np.ones(3)),
            (np.asarray((-slope * strength).clip(0, 1), float32), np.zeros(3)),
            (coverage * inside, fill),
        ]
    )


def _outline(coverage: Plane, colour: NDArray[Any], rng: Generator, opacity: float) -> Stamp:
    """An outline alone, or one of another colour around what is filled; each of its own opacity."""
    wide = 2 * max(1, round(coverage.shape[0] * rng.uniform(0.01, 0.05))) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (wide, wide))
    outline = np.asarray(cv2.dilate(coverage, kernel) - coverage, float32).clip(0, 1)
    if rng.random() < 0.45:
        return paint(outline * float32(opacity), colour)
    second = opacity if rng.random() < 0.5 else min(1.0, opacity * rng.uniform(0.4, 1.5))
    return flatten([(coverage * float32(opacity), colour), (outline * float32(second), contrast(colour, rng))])


def _cast_shadow(coverage: Plane, colour: NDArray[Any], rng: Generator, opacity: float) -> Stamp:
    tall = coverage.shape[0]
    away = rng.uniform(0.01, 0.06) * tall * np.array([1, 1]) if rng.random() < 0.75 else np.zeros(2)
    soft = cv2.GaussianBlur(_shift(coverage, away), (0, 0), max(0.4, rng.uniform(0.005, 0.05) * tall))
    below = np.zeros(3) if colour.mean() > 0.3 else np.ones(3)
    shadow = np.asarray(soft * rng.uniform(0.4, 1.0) * opacity, float32)
    return flatten([(coverage * float32(opacity), colour), (shadow, below)])


def _shift(plane: Plane, step: NDArray[Any]) -> Plane:
    move = np.array([[1, 0, step[0]], [0, 1, step[1]]], float32)
    return np.asarray(cv2.warpAffine(plane, move, plane.shape[::-1]), float32)
