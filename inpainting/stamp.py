"""What tells a sandbox's result from one that was paid for: TEST, opaque, all over the picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from inpainting.images import Picture

TEXT = "TEST"
LEAST = 10  # pixels: smaller letters cannot be read


def stamped(picture: Picture) -> Picture:
    """The same with white letters that have a black edge, in rows; most of the picture stays free."""
    size = max(LEAST, min(picture.width, picture.height) // 8)
    letters, edge = (_letters(picture, size, stroke) for stroke in (0, max(1, size // 12)))
    rgb = np.where(edge[..., None], np.uint8(0), picture.rgb)
    rgb[letters] = 255
    # Whole pixels, no blends: what a transparent pixel hides does not show through.
    alpha = None if picture.alpha is None else np.where(edge, np.uint8(255), picture.alpha)
    return replace(picture, rgb=rgb, alpha=alpha)


def _letters(picture: Picture, size: int, stroke: int) -> NDArray[np.bool_]:
    """(H, W), true where letters of `size` pixels are, or where their strokes are widened by `stroke` pixels."""
    font = ImageFont.load_default(size)
    sheet = Image.new("1", (picture.width, picture.height))
    draw = ImageDraw.Draw(sheet)
    across, down = round(1.5 * font.getlength(TEXT)), 2 * size
    for row, top in enumerate(range(0, picture.height, down)):
        for left in range(-(row % 2) * across // 2, picture.width, across):
            draw.text((left, top), TEXT, fill=1, font=font, stroke_width=stroke)
    return np.asarray(sheet)
