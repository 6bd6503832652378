"""Names with logos, signatures, addresses: the marks that publishers have. Each is about `tall` pixels high."""

from typing import Any

import numpy as np
from numpy import float32
from numpy.random import Generator
from numpy.typing import NDArray

from training.data.marks import wording
from training.data.marks.finishes import finish
from training.data.marks.letters import Letters, line
from training.data.marks.stamp import Stamp, contrast, fit, paint, row, some_colour, stack


def lockup(letters: Letters, rng: Generator, tall: int, opacity: float) -> Stamp:
    """A logo left of a name, right of it or above it, maybe with a smaller line; the logo may be opaque."""
    colour = some_colour(rng)
    word = wordmark(letters, rng, tall, opacity, colour)
    icon = letters.icon(rng, round(tall * rng.uniform(1.0, 2.0)))
    icon = fit(icon, tall * rng.uniform(0.9, 2.0), 3 * tall)
    if rng.random() < 0.5:
        icon = paint(icon[..., 3], colour)
    icon = icon * float32(1.0 if rng.random() < 0.3 else opacity)
    if rng.random() < 0.35:
        word = stack(word, _second_line(letters, rng, word, opacity, colour), along=rng.choice([0, 0.5, 1]))
    gap, roll = round(tall * rng.uniform(0.05, 0.5)), rng.random()
    if roll < 0.6:
        return row(icon, word, gap=gap)
    return stack(icon, word, gap=gap // 2) if roll < 0.85 else row(word, icon, gap=gap)


def signature(letters: Letters, rng: Generator, tall: int, opacity: float) -> Stamp:
    """A name and what stands below it, in one font or two; often a thin script, sometimes a line between."""
    colour = some_colour(rng)
    text = wording.owner(rng) if rng.random() < 0.7 else wording.name(rng).title()
    first = finish(line(letters.face(rng), text, tall), colour, rng, opacity)
    second = _second_line(letters, rng, first, opacity, colour)
    if rng.random() < 0.25:
        rule = np.ones((max(1, tall // 20), max(first.shape[1], second.shape[1]) * 9 // 10), float32)
        second = stack(paint(rule * float32(opacity), colour), second, gap=max(1, tall // 10))
    return stack(first, second, along=rng.choice([0, 0.5, 0.5, 1]))


def address(letters: Letters, rng: Generator, tall: int, opacity: float) -> Stamp:
    """One line: an address, a handle, an owner or a number."""
    text = wording.small_line(rng)
    return finish(line(letters.face(rng), text, tall), some_colour(rng), rng, opacity)


def claim(letters: Letters, rng: Generator, tall: int, opacity: float) -> Stamp:
    """A single word or two, in heavy letters or whatever there is."""
    script = "latin" if rng.random() < 0.75 else letters.script(rng)
    face = letters.face(rng, script)
    text = wording.brand(rng) if script == "latin" else face.text(rng, script)
    heavy = rng.uniform(0, 0.05) if rng.random() < 0.4 else 0.0
    return finish(line(face, text, tall, heavy), some_colour(rng), rng, opacity)


def wordmark(letters: Letters, rng: Generator, tall: int, opacity: float, colour: NDArray[Any]) -> Stamp:
    """A name as a company writes it: sometimes in two colours or weights, sometimes spaced."""
    face, text = letters.face(rng), wording.brand(rng)
    roll = rng.random()
    if roll < 0.25 and len(text) > 4:  # two halves
        cut = int(rng.integers(2, len(text) - 1))
        other = some_colour(rng) if rng.random() < 0.7 else colour
        ends = [
            paint(line(face, part, tall, heavy) * float32(opacity), one)
            for part, one, heavy in ((text[:cut], colour, 0.04 * rng.integers(2)), (text[cut:], other, 0.0))
        ]
        return row(*ends, gap=max(1, tall // 12), along=1)
    if roll < 0.35:
        text = " ".join(text)
    return finish(line(face, text, tall), colour, rng, opacity)


def _second_line(letters: Letters, rng: Generator, first: Stamp, opacity: float, colour: NDArray[Any]) -> Stamp:
    """Smaller than the first line and hardly longer."""
    small = max(6, round(first.shape[0] * rng.uniform(0.2, 0.45)))
    plane = line(letters.face(rng), wording.small_line(rng), small)
    colour = colour if rng.random() < 0.8 else contrast(colour, rng)
    return fit(paint(np.pad(plane, 2) * float32(opacity), colour), small + 4, 1.1 * first.shape[1])
