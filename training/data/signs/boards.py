"""Signs and labels in perspective: a plain board, unevenly lit."""

import cv2
import numpy as np
from numpy import float32, uint8
from numpy.random import Generator

from training.data.marks.letters import Letters
from training.data.marks.stamp import Stamp, some_colour
from training.data.pack import Picture


def lettering(picture: Picture, letters: Letters, rng: Generator) -> Picture:
    """The picture with text that belongs there: a sign in perspective, a label, or lines of a screen."""
    height, width = picture.shape[:2]
    tall, wide = int(rng.integers(24, max(25, height // 2))), int(rng.integers(48, max(49, width)))
    panel = _panel(letters, rng, tall, wide)
    corners = np.array([[0, 0], [wide, 0], [wide, tall], [0, tall]], float32)
    skew = rng.normal(0, 0.12 if rng.random() < 0.7 else 0, (4, 2)) * (wide, tall)
    where = corners + skew + (rng.uniform(0, max(1, width - wide)), rng.uniform(0, max(1, height - tall)))
    warp = cv2.getPerspectiveTransform(corners, where.astype(float32))
    sign = cv2.warpPerspective(panel, warp, (width, height))
    cover = cv2.warpPerspective(np.ones((tall, wide), float32), warp, (width, height))[..., None]
    made = picture * (1 - cover) + 255 * cover * sign
    if rng.random() < 0.6:  # a lens has been at it
        made = made * (1 - cover) + cv2.GaussianBlur(made, (0, 0), rng.uniform(0.4, 1.3)) * cover
    return np.asarray(np.rint(made).clip(0, 255), uint8)


def _panel(letters: Letters, rng: Generator, tall: int, wide: int) -> Stamp:
    """A board with one to five lines of text, unevenly lit: (tall, wide, 3)."""
    panel = np.broadcast_to(some_colour(rng).astype(float32), (tall, wide, 3)).copy()
    rows = 1 if rng.random() < 0.5 else int(rng.integers(2, 6))
    for row in range(rows):
        stamp = letters.any_text(rng, max(6, int(0.7 * tall / rows)))
        scale = min(0.9 * wide / stamp.shape[1], 0.9 * tall / rows / stamp.shape[0])
        size = max(4, int(stamp.shape[1] * scale)), max(4, int(stamp.shape[0] * scale))
        stamp = cv2.resize(stamp, size, interpolation=cv2.INTER_AREA)
        top, left = int(tall * row / rows), int(rng.uniform(0, max(1, wide - size[0])))
        part = panel[top : top + size[1], left : left + size[0]]
        line = stamp[: part.shape[0], : part.shape[1]]
        part[:] = line[..., :3] + (1 - line[..., 3:]) * part
    light = np.linspace(rng.uniform(0.6, 1.1), rng.uniform(0.6, 1.1), wide)[None, :, None]
    grain = rng.normal(0, rng.uniform(0, 0.03), panel.shape)
    return np.asarray((panel * light + grain).clip(0, 1), float32)
