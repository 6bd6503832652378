"""Draws marks: plain ones, which are one text or logo, single or tiled, and composite ones."""

from pathlib import Path

import cv2
from numpy import append, float32
from numpy.random import Generator

from training.data.marks.composite import composite
from training.data.marks.letters import Letters
from training.data.marks.mark import Mark, Style
from training.data.marks.placing import carpet, single
from training.data.marks.stamp import Stamp, bend, fit, some_colour, stack
from training.data.pack import Split


class Marks:
    """Draws marks with the fonts and logos of one split."""

    def __init__(self, folder: Path, split: Split) -> None:
        self.letters = Letters(folder, split)

    def draw(self, rng: Generator, height: int, width: int, style: Style) -> Mark:
        """A mark for a picture of that size."""
        if style.composite and rng.random() < style.composite:
            return composite(self.letters, rng, (height, width), style)
        return self._plain(rng, height, width, style)

    def _plain(self, rng: Generator, height: int, width: int, style: Style) -> Mark:
        """One stamp, or a carpet of them."""
        side = min(height, width)
        low, high = style.height
        tall = max(8, round(side * low * (high / low) ** rng.random()))
        opacity = 1.0 if rng.random() < style.opaque else rng.uniform(*style.opacity)
        stamp = self._stamp(rng, tall, 4 * side)
        shape = height, width
        angle = 0.0 if rng.random() < 0.45 else rng.choice([-45, 45, -30, 30, rng.uniform(-90, 90)])
        tiled = rng.random() < style.tiled
        made = carpet(stamp, rng, shape, angle) if tiled else single(stamp, rng, shape, angle)
        soft = 0.0 if rng.random() < 0.7 else rng.uniform(0.3, 0.9)
        return Mark.of(cv2.GaussianBlur(made, (0, 0), soft) if soft else made, opacity, tiled)

    def _stamp(self, rng: Generator, tall: int, longest: int) -> Stamp:
        """One text or logo."""
        letters, roll = self.letters, rng.random()
        if roll < 0.12 and letters.logos:
            stamp = letters.logos[rng.integers(len(letters.logos))]
            if rng.random() < 0.4:  # in one colour, as most marks are
                stamp = stamp[..., 3:] * append(some_colour(rng), 1).astype(float32)
            tall = max(tall, 24)
        elif roll < 0.25 and letters.symbols:
            tall = max(tall, 20)
            stamp = letters.symbol(rng, tall)
        else:
            stamp = letters.any_text(rng, tall)
            if rng.random() < 0.12:
                stamp = stack(stamp, letters.any_text(rng, max(8, tall // 2)))
        if rng.random() < 0.12:
            stamp = bend(stamp, rng)
        return fit(stamp, tall, longest)
