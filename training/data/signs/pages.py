"""Printed sheets: pages of text, receipts, covers and labels. Each is (tall, wide, 3) in 0..1."""

from typing import Any

import numpy as np
from numpy import float32
from numpy.random import Generator
from numpy.typing import NDArray

from training.data.faces import Face
from training.data.marks import wording
from training.data.marks.letters import Letters, line
from training.data.marks.stamp import Colours, Plane, some_colour

PAPERS = (1.0, 1.0, 1.0), (0.97, 0.95, 0.9), (0.9, 0.86, 0.75), (0.85, 0.85, 0.85)
MOST_LINES = 40


def page(letters: Letters, rng: Generator, tall: int, wide: int) -> Colours:
    """A heading or none, and lines of text in one column or two."""
    paper = np.array(PAPERS[rng.integers(len(PAPERS))])
    ink = np.full(3, rng.uniform(0, 0.25)) if rng.random() < 0.85 else rng.random(3) * 0.5
    if rng.random() < 0.12:
        paper, ink = ink, paper
    sheet = _blank(tall, wide, paper)
    small = int(rng.integers(6, max(7, min(22, tall // 8))))
    margin, top = int(rng.uniform(0.02, 0.1) * wide), int(rng.uniform(0.02, 0.1) * tall)
    if rng.random() < 0.5:
        heading = line(
            letters.face(rng), wording.sentence(rng, int(rng.integers(1, 4))), int(small * rng.uniform(1.4, 3))
        )
        ink_on(sheet, heading, top, margin, ink)
        top += heading.shape[0] + small
    columns = 2 if rng.random() < 0.25 else 1
    script = "latin" if rng.random() < 0.55 else letters.script(rng)
    face = letters.face(rng, script)
    texts = [_running(rng, face, script, small, wide) for _ in range(5)]
    step = max(small + 2, round(small * rng.uniform(1.3, 2.2)))
    for number, y in enumerate(range(top, tall - small, step)[:MOST_LINES]):
        if rng.random() < 0.07:
            continue
        room = (wide - 2 * margin) // columns - margin // 2
        for column in range(columns):
            text = texts[(number + 2 * column) % len(texts)]
            length = max(4, int(room * (1 if rng.random() < 0.8 else rng.uniform(0.2, 0.9))))
            ink_on(sheet, text[:, :length], y, margin + column * (room + margin), ink)
    return sheet


def receipt(letters: Letters, rng: Generator, tall: int, wide: int) -> Colours:
    """Items at the left, prices at the right, a name above and a total below."""
    sheet = _blank(tall, wide, np.full(3, rng.uniform(0.85, 1)))
    ink, face = np.full(3, rng.uniform(0, 0.4)), letters.face(rng)
    small = int(rng.integers(6, max(7, min(16, tall // 8))))
    name = line(face, wording.brand(rng), int(1.5 * small))
    ink_on(sheet, name, 3, max(0, (wide - name.shape[1]) // 2), ink)
    for y in range(3 + 3 * small, tall - small, round(1.6 * small))[:MOST_LINES]:
        item = line(face, wording.name(rng).upper(), small)
        price = line(face, f"{rng.integers(1, 300)}.{rng.integers(100):02}", small)
        ink_on(sheet, item, y, small, ink)
        ink_on(sheet, price, y, max(0, wide - price.shape[1] - small), ink)
    return sheet


def cover(letters: Letters, rng: Generator, tall: int, wide: int) -> Colours:
    """A title in large letters on a ground of two colours, as of a book, a packet or a poster."""
    sheet = _blank(tall, wide, some_colour(rng))
    sheet[int(tall * rng.uniform(0.2, 0.9)) :] = some_colour(rng)
    for _ in range(rng.integers(2, 6)):
        script = "latin" if rng.random() < 0.6 else letters.script(rng)
        face = letters.face(rng, script)
        text = wording.brand(rng) if script == "latin" else face.text(rng, script)
        word = line(face, text, max(7, int(tall * rng.uniform(0.05, 0.25))))
        word = word[:, : wide - 2] if word.shape[1] < 1.3 * wide else word[:, : wide // 2]
        top, left = rng.integers(0, max(1, tall - word.shape[0])), rng.integers(0, max(1, wide - word.shape[1]))
        ink_on(sheet, word, int(top), int(left), some_colour(rng))
    return sheet


def ink_on(sheet: Colours, coverage: Plane, top: int, left: int, ink: NDArray[Any]) -> None:
    """Prints that there; what lies outside is cut off."""
    part = sheet[top : top + coverage.shape[0], left : left + coverage.shape[1]]
    shown = coverage[: part.shape[0], : part.shape[1], None]
    part[:] = part * (1 - shown) + shown * ink


def _blank(tall: int, wide: int, colour: NDArray[Any]) -> Colours:
    return np.broadcast_to(colour.astype(float32), (tall, wide, 3)).copy()


def _running(rng: Generator, face: Face, script: str, small: int, wide: int) -> Plane:
    """A line of text as long as asked for, or nearly."""
    words = max(2, wide // (4 * small))
    if script == "latin":
        return line(face, wording.sentence(rng, words), small)
    return line(face, " ".join(face.text(rng, script) for _ in range(max(1, words // 2))), small)
