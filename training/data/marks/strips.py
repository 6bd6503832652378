"""Bars along an edge of a picture, with words on them, as agencies and cameras add them."""

from typing import NamedTuple

import numpy as np
from numpy import float32
from numpy.random import Generator

from training.data.marks import wording
from training.data.marks.clocks import coarse
from training.data.marks.letters import Letters, line
from training.data.marks.mark import Mark
from training.data.marks.placing import Shape, paste
from training.data.marks.stamp import Plane, fit, over, paint


class Strip(NamedTuple):
    """A bar, and the words on it.

    What the bar hides is lost, so that it counts as the picture's own and only the words are a mark.
    """

    bar: Mark
    words: Mark


def strip(letters: Letters, rng: Generator, shape: Shape) -> Strip:
    """At the top or the bottom, black or white, of a picture of that shape."""
    height, width = shape
    tall = int(rng.integers(9, max(12, height // 12)))
    top = 0 if rng.random() < 0.4 else height - tall
    dark = float(rng.random() < 0.6)
    bar = paste(paint(np.ones((tall, width), float32), np.full(3, 1 - dark)), shape, top, 0)
    small, made = max(6, round(tall * rng.uniform(0.5, 0.85))), np.zeros((*shape, 4), float32)
    for end, plane in _texts(letters, rng, small).items():
        stamp = paint(plane, np.full(3, dark))
        longest = (0.9 if end == 0.5 else 0.45) * width
        stamp = fit(stamp, min(stamp.shape[0], tall - 1), longest)
        made = over(
            paste(stamp, shape, top + (tall - stamp.shape[0]) // 2, round(end * (width - stamp.shape[1]))), made
        )
    return Strip(Mark.of(bar), Mark.of(made))


def _texts(letters: Letters, rng: Generator, small: int) -> dict[float, Plane]:
    """One line in the middle, as of an agency, or one at each end, as of a camera; by where it lies, 0..1."""
    face = letters.face(rng)
    if rng.random() < 0.4:
        text = f"{wording.address(rng)} - {wording.number(rng)}" if rng.random() < 0.6 else wording.small_line(rng)
        return {0.5: line(face, text, small)}
    texts = {0.01: wording.camera(rng), 0.99: wording.moment(rng)}
    if rng.random() < 0.6:
        return {end: coarse(letters, rng, text, small) for end, text in texts.items()}
    return {end: line(face, text, small) for end, text in texts.items()}
