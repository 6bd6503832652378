"""Dates and times as cameras burn them in: digits of seven segments, of coarse pixels, or of a plain font."""

import cv2
import numpy as np
from numpy import float32
from numpy.random import Generator

from training.data.marks import wording
from training.data.marks.letters import Letters, line
from training.data.marks.stamp import Plane, Stamp, flatten

SEGMENTS = {  # top, upper right, lower right, bottom, lower left, upper left, middle
    **{"0": "1111110", "1": "0110000", "2": "1101101", "3": "1111001", "4": "0110011", "5": "1011011"},
    **{"6": "1011111", "7": "1110000", "8": "1111111", "9": "1111011", "-": "0000001", "/": "0000001"},
}
LIGHTS = (1.0, 0.55, 0.05), (1.0, 0.4, 0.1), (1.0, 0.75, 0.1), (1.0, 0.25, 0.15), (0.95, 0.95, 0.95), (0.5, 1.0, 0.4)


def clock(letters: Letters, rng: Generator, tall: int, opacity: float) -> Stamp:
    """A date or time, almost opaque, in the colour of a light-emitting diode or in white."""
    roll = rng.random()
    if roll < 0.4:
        plane = segments(rng, wording.moment(rng), tall)
    elif roll < 0.65:
        plane = coarse(letters, rng, wording.moment(rng), tall)
    else:
        plane = line(letters.face(rng), wording.moment(rng), tall)
    plane = np.pad(plane, max(3, tall // 4))
    light = np.array(LIGHTS[rng.integers(len(LIGHTS))])
    shine = float32(rng.uniform(0.75, 1.0) if rng.random() < 0.8 else max(0.3, opacity))
    layers = [(plane * shine, light)]
    roll = rng.random()
    if roll < 0.35:  # light that strays
        glow = cv2.GaussianBlur(plane, (0, 0), max(0.6, tall * rng.uniform(0.04, 0.12)))
        layers.append((np.asarray(glow * rng.uniform(0.2, 0.7), float32), light * rng.uniform(0.6, 1)))
    elif roll < 0.6:  # a dark rim, so that it can be read on anything
        rim = cv2.dilate(plane, np.ones((3, 3), np.uint8))
        layers.append((np.asarray(rim * rng.uniform(0.5, 1.0), float32), np.zeros(3)))
    return flatten(layers)


def segments(rng: Generator, text: str, tall: int) -> Plane:
    """Digits of seven segments, a little slanted; letters are left out."""
    high = max(12, tall)
    wide, thick = round(high * rng.uniform(0.5, 0.62)), max(1, round(high * rng.uniform(0.07, 0.13)))
    step = wide + max(2, round(0.25 * high))
    made = np.zeros((high, max(1, len(text)) * step), np.uint8)
    for place, sign in enumerate(text):
        _digit(made[:, place * step : place * step + wide], sign, thick)
    lean = rng.uniform(0, 0.18)
    shear = np.array([[1, -lean, lean * high], [0, 1, 0]], float32)
    leaning = cv2.warpAffine(made, shear, (made.shape[1] + int(lean * high) + 1, high), flags=cv2.INTER_LINEAR)
    scaled = cv2.resize(leaning, (max(2, round(leaning.shape[1] * tall / high)), tall), interpolation=cv2.INTER_AREA)
    return np.asarray(scaled, float32) / float32(255)


def coarse(letters: Letters, rng: Generator, text: str, tall: int) -> Plane:
    """A font of few pixels, each enlarged: without soft edges, as cameras have them."""
    cells = int(rng.integers(8, 13))
    small = line(letters.face(rng), text, cells) > 0.45
    scale = max(1, round(tall / cells))
    wide = scale * (2 if scale == 1 and tall > 10 and rng.random() < 0.3 else 1)
    return np.asarray(np.kron(small, np.ones((scale, wide), bool)), float32)


def _digit(cell: np.ndarray, sign: str, thick: int) -> None:
    high, wide = cell.shape
    half, end, right, low = thick // 2, thick + 1, wide - 1 - thick // 2, high - 1 - thick // 2
    middle = high // 2
    if sign in (":", "."):
        for y in (high // 3, 2 * high // 3) if sign == ":" else (low,):
            cv2.circle(cell, (wide // 2, y), max(1, thick // 2 + 1), 255, -1)
        return
    if sign == "'":
        cv2.line(cell, (wide // 2, half), (wide // 2, high // 4), 255, thick)
        return
    ends = (
        ((end, half), (wide - 1 - end, half)),
        ((right, end), (right, middle - end // 2)),
        ((right, middle + end // 2), (right, high - 1 - end)),
        ((end, low), (wide - 1 - end, low)),
        ((half, middle + end // 2), (half, high - 1 - end)),
        ((half, end), (half, middle - end // 2)),
        ((end, middle), (wide - 1 - end, middle)),
    )
    for lit, (start, stop) in zip(SEGMENTS.get(sign, "0000000"), ends, strict=True):
        if lit == "1":
            cv2.line(cell, start, stop, 255, thick)
