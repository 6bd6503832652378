"""Where stamps lie on a picture: `shape` is its height and width; a placed stamp has them too."""

from typing import Literal

import cv2
import numpy as np
from numpy import float32
from numpy.random import Generator

from training.data.marks.stamp import Stamp

Shape = tuple[int, int]  # of a picture: height, width
Spot = Literal["corner", "edge", "side", "centre", "anywhere"]


def single(stamp: Stamp, rng: Generator, shape: Shape, angle: float) -> Stamp:
    """The stamp once, anywhere, at least half of it inside."""
    height, width = shape
    centre = rng.uniform(0.08, 0.92) * width, rng.uniform(0.08, 0.92) * height
    turn = cv2.getRotationMatrix2D((stamp.shape[1] / 2, stamp.shape[0] / 2), angle, 1)
    turn[:, 2] = turn[:, 2] + np.array(centre) - (stamp.shape[1] / 2, stamp.shape[0] / 2)
    return cv2.warpAffine(stamp, turn, (width, height), flags=cv2.INTER_LINEAR)


def carpet(stamp: Stamp, rng: Generator, shape: Shape, angle: float) -> Stamp:
    """The stamp again and again, rows shifted or not, turned as a whole."""
    height, width = shape
    gap = rng.uniform(0.1, 1.5, 2) * stamp.shape[0]
    cell = np.pad(stamp, ((0, int(gap[0]) + 1), (0, int(gap[1]) + 1), (0, 0)))
    if rng.random() < 0.5:
        cell = np.concatenate([cell, np.roll(cell, cell.shape[1] // 2, axis=1)])
    diagonal = int(np.hypot(height, width)) + 1
    start = rng.integers(0, cell.shape[0]), rng.integers(0, cell.shape[1])
    rows = (np.arange(diagonal) + start[0]) % cell.shape[0]
    columns = (np.arange(diagonal) + start[1]) % cell.shape[1]
    turn = cv2.getRotationMatrix2D((diagonal / 2, diagonal / 2), angle, 1)
    turn[:, 2] = turn[:, 2] + np.array([width, height]) / 2 - diagonal / 2
    return cv2.warpAffine(cell[rows[:, None], columns], turn, (width, height), flags=cv2.INTER_LINEAR)


def place(stamp: Stamp, rng: Generator, shape: Shape, spot: Spot) -> Stamp:
    """The stamp once, as publishers place it: `edge` is the middle of the top or bottom, `side` runs up or down."""
    if spot == "side":
        stamp = np.ascontiguousarray(np.rot90(stamp, 1 if rng.random() < 0.7 else 3))
    high, wide = stamp.shape[:2]
    room = shape[0] - high, shape[1] - wide
    top, left = (round(rng.uniform(0.3, 0.7) * one) for one in room)
    if spot == "corner":
        top, left = (
            _near_edge(rng, one, min(shape), rng.random() < last) for one, last in zip(room, (0.7, 0.6), strict=True)
        )
    elif spot == "edge":
        top = _near_edge(rng, room[0], min(shape), rng.random() < 0.75)
        left = round(rng.uniform(0.4, 0.6) * room[1])
    elif spot == "side":
        left = _near_edge(rng, room[1], min(shape), rng.random() < 0.6)
        top = round(rng.random() * room[0])
    elif spot == "anywhere":
        top, left = (round(rng.uniform(-0.05, 1.05) * one) for one in room)
    return paste(stamp, shape, top, left)


def paste(stamp: Stamp, shape: Shape, top: int, left: int) -> Stamp:
    """The stamp with its first pixel there; what lies outside is cut off."""
    made = np.zeros((*shape, 4), float32)
    rows = slice(max(0, top), min(shape[0], top + stamp.shape[0]))
    columns = slice(max(0, left), min(shape[1], left + stamp.shape[1]))
    if rows.start < rows.stop and columns.start < columns.stop:
        made[rows, columns] = stamp[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    return made


def _near_edge(rng: Generator, room: int, side: int, last: bool) -> int:
    """How far from the first edge, so that it is near to that or the last one: touching it in one case of six."""
    roll = rng.random()
    margin = 0 if roll < 0.1 else -rng.uniform(0, 0.02) * side if roll < 0.17 else rng.uniform(0.005, 0.06) * side
    return round(room - margin if last else margin)
