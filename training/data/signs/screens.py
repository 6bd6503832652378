"""What screens show: interfaces, messages, charts. Each is (tall, wide, 3) in 0..1."""

import cv2
import numpy as np
from numpy import float32
from numpy.random import Generator

from training.data.marks import wording
from training.data.marks.letters import Letters, line
from training.data.marks.stamp import Colours, some_colour
from training.data.signs.pages import ink_on


def interface(letters: Letters, rng: Generator, tall: int, wide: int) -> Colours:
    """A bar with a title above rows of symbols, names and buttons; light or dark."""
    dark = rng.random() < 0.45
    ground, ink = (rng.uniform(0, 0.2), rng.uniform(0.7, 1)) if dark else (rng.uniform(0.9, 1), rng.uniform(0, 0.35))
    sheet = np.full((tall, wide, 3), ground, float32)
    unit, face, accent = int(rng.integers(8, max(9, min(24, tall // 6)))), letters.face(rng), rng.random(3)
    if rng.random() < 0.7:
        sheet[: 2 * unit] = accent if rng.random() < 0.5 else ground + (0.06 if dark else -0.06)
        ink_on(sheet, line(face, wording.sentence(rng, 2)[:-1], unit), unit // 2, unit, np.full(3, ink))
    y = 3 * unit
    while y < tall - unit:
        x = unit + int(rng.integers(0, 3)) * unit
        roll = rng.random()
        text = line(face, wording.sentence(rng, int(rng.integers(1, 7))), max(6, int(unit * rng.uniform(0.7, 1))))
        if roll < 0.3:  # a bubble or a button
            edge = min(wide - 2, x + text.shape[1] + unit), min(tall - 2, y + 2 * unit)
            cv2.rectangle(sheet, (x - unit // 2, y), edge, [float(one) for one in accent], -1)
            ink_on(sheet, text, y + unit // 2, x, np.full(3, float(accent.mean() < 0.6)))
            y += unit
        elif roll < 0.6:
            icon = letters.icon(rng, unit)[..., 3]
            icon = cv2.resize(icon, (2 * unit, 2 * unit), interpolation=cv2.INTER_AREA)
            ink_on(sheet, icon, y, x, some_colour(rng))
            ink_on(sheet, text, y + unit // 2, x + 3 * unit, np.full(3, ink))
            y += unit
        else:
            ink_on(sheet, text, y, x, np.full(3, ink if rng.random() < 0.7 else (ink + ground) / 2))
        if rng.random() < 0.3:
            sheet[min(tall - 1, y + int(1.5 * unit))] = (ground + 0.2 * ink) / 1.2
        y += 2 * unit
    return sheet


def chart(letters: Letters, rng: Generator, tall: int, wide: int) -> Colours:
    """Bars or lines between two axes, with numbers, a title and a legend."""
    ground = 1.0 if rng.random() < 0.8 else 0.1
    ink, face = np.full(3, 1 - ground), letters.face(rng)
    sheet = np.full((tall, wide, 3), ground, float32)
    left, low, small = wide // 8, tall - tall // 8, max(6, tall // int(rng.integers(22, 36)))
    count, grey = int(rng.integers(4, 12)), [abs(ground - 0.2)] * 3
    for one in np.linspace(tall // 8, low, int(rng.integers(3, 7))):
        cv2.line(sheet, (left, int(one)), (wide - 4, int(one)), grey, 1)
        ink_on(sheet, line(face, str(rng.integers(0, 1000)), small), int(one) - small // 2, 2, ink)
    xs, colour = np.linspace(left, wide - 8, count + 1), [float(one) for one in rng.random(3)]
    heights = rng.uniform(0.1, 0.95, count + 1) * (low - tall // 8)
    for number in range(count):
        x, y = int(xs[number]), int(low - heights[number])
        if number % 2 == 0:
            ink_on(sheet, line(face, wording.name(rng)[:5], small), low + small // 2, x, ink)
        if count % 2:
            cv2.rectangle(sheet, (x, y), (int(x + 0.7 * (xs[1] - xs[0])), low), colour, -1)
        else:
            cv2.line(sheet, (x, y), (int(xs[number + 1]), int(low - heights[number + 1])), colour, 2, cv2.LINE_AA)
    ink_on(sheet, line(face, wording.sentence(rng, 3), max(7, int(1.4 * small))), 3, left, ink)
    return sheet
