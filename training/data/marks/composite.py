"""Composite marks, as publishers make them: what they put on a picture, how large, how opaque, and where."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy import float32
from numpy.random import Generator

from training.data.marks.boxes import cutout, text_box
from training.data.marks.clocks import clock
from training.data.marks.letters import Letters
from training.data.marks.lockups import address, claim, lockup, signature
from training.data.marks.mark import Mark, Style
from training.data.marks.placing import Shape, Spot, carpet, place
from training.data.marks.seals import rubber_stamp, seal
from training.data.marks.stamp import Stamp, fit, over, paint

Kind = Callable[[Letters, Generator, int, float], Stamp]

KINDS: dict[Kind, float] = {
    **{lockup: 0.28, signature: 0.13, address: 0.13, claim: 0.18, text_box: 0.09, cutout: 0.02},
    **{clock: 0.09, seal: 0.05, rubber_stamp: 0.03},
}
SPOTS: dict[Spot, float] = {"corner": 0.42, "edge": 0.1, "side": 0.05, "centre": 0.25, "anywhere": 0.18}
CLOCK_SPOTS: dict[Spot, float] = {"corner": 0.72, "edge": 0.09, "side": 0.04, "anywhere": 0.15}
TILED = 0.1  # share of those that may be
OPAQUE = 0.22  # share of marks as opaque as paint, beside those whose logo alone is
SMALL = 0.035, 0.16  # of the picture's side: a line of a mark in a corner or at an edge
LARGE = 0.06, 0.28  # of one in the middle
CROSSED = 0.04  # share of marks in the middle with thin lines from corner to corner


def composite(letters: Letters, rng: Generator, shape: Shape, style: Style) -> Mark:
    """One mark, now and then two or three. The opacity is that of the style, but some are opaque."""
    count = 1 if rng.random() < 0.82 else int(rng.integers(2, 4))
    tiled = count == 1 and style.tiled > 0 and rng.random() < TILED
    made = np.zeros((*shape, 4), float32)
    for _ in range(count):
        opacity = 1.0 if rng.random() < OPAQUE else rng.uniform(*style.opacity)
        made = over(_carpet(letters, rng, shape, opacity) if tiled else _once(letters, rng, shape, opacity), made)
    soft = rng.random() < 0.3
    return Mark.of(cv2.GaussianBlur(made, (0, 0), rng.uniform(0.3, 0.9)) if soft else made, tiled=tiled)


def _once(letters: Letters, rng: Generator, shape: Shape, opacity: float) -> Stamp:
    kind = list(KINDS)[rng.choice(len(KINDS), p=list(KINDS.values()))]
    spot = _spot(rng, SPOTS if kind is not clock else CLOCK_SPOTS)
    middle = spot in ("centre", "anywhere")
    low, high = LARGE if middle and kind is not clock else SMALL
    tall = max(7, round(min(shape) * low * (high / low) ** rng.random()))
    across, along = shape if spot != "side" else shape[::-1]
    longest = along * (rng.uniform(0.5, 0.98) if middle else rng.uniform(0.25, 0.7))
    stamp = _shrink(kind(letters, rng, tall, opacity), longest, 0.9 * across)
    if (middle and rng.random() < 0.25) or kind is rubber_stamp:
        stamp = _turn(stamp, rng.choice([-45, 45, -30, 30, rng.uniform(-25, 25)]))
        stamp = _shrink(stamp, 0.98 * shape[1], 0.98 * shape[0])
    made = place(stamp, rng, shape, spot)
    if spot == "centre" and rng.random() < CROSSED:
        made = over(made, _cross(rng, shape, opacity))
    return made


def _spot(rng: Generator, shares: dict[Spot, float]) -> Spot:
    return list(shares)[rng.choice(len(shares), p=list(shares.values()))]


def _carpet(letters: Letters, rng: Generator, shape: Shape, opacity: float) -> Stamp:
    kind = (lockup, signature, address, claim)[rng.integers(4)]
    tall = max(8, round(min(shape) * rng.uniform(0.04, 0.12)))
    stamp = _shrink(kind(letters, rng, tall, opacity), 0.6 * shape[1], 0.4 * shape[0])
    return carpet(stamp, rng, shape, float(rng.choice([0, 0, -45, 45, -30, 30, rng.uniform(-60, 60)])))


def _shrink(stamp: Stamp, longest: float, highest: float) -> Stamp:
    """As it is, or smaller."""
    return stamp if stamp.shape[1] <= longest and stamp.shape[0] <= highest else fit(stamp, highest, longest)


def _turn(stamp: Stamp, angle: float) -> Stamp:
    high, wide = stamp.shape[:2]
    turn = cv2.getRotationMatrix2D((wide / 2, high / 2), angle, 1)
    to = [int(abs(turn[0, 0]) * a + abs(turn[0, 1]) * b) + 1 for a, b in ((wide, high), (high, wide))]
    turn[:, 2] += (to[0] - wide) / 2, (to[1] - high) / 2
    return cv2.warpAffine(stamp, turn, to, flags=cv2.INTER_LINEAR)


def _cross(rng: Generator, shape: Shape, opacity: float) -> Stamp:
    plane = np.zeros(shape, np.uint8)
    thick = 1 if rng.random() < 0.7 else 2
    for start, stop in (((0, 0), shape[::-1]), ((0, shape[0]), (shape[1], 0))):
        cv2.line(plane, start, stop, 255, thick, cv2.LINE_AA)
    return paint(np.asarray(plane, float32) / 255 * float32(opacity), np.full(3, float(rng.random() < 0.8)))
