"""A logo whose picture is known, and where it should be, as the rest of the program sees it. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy import float32, uint8
from numpy.typing import NDArray

from inpainting.engine.crops.boxes import Box
from inpainting.engine.interface import Hole

SHAPE = 8 / 255  # alpha above which a pixel of a logo is seen
RIM = 2  # pixels around a logo that its soft edge may reach where it is repainted


@dataclass(frozen=True)
class Logo:
    """`pixels` (h, w, 4) uint8, RGB and straight alpha, at any size; `box`: where a picture should show it.

    `opacity`: 0..1, by which its alpha was multiplied when it was laid over the picture; None: unknown. `reach`: pixels
    each way by which it may lie elsewhere.
    """

    pixels: NDArray[uint8]
    box: Box
    opacity: float | None
    reach: int

    def planes(self) -> NDArray[float32]:
        """(h, w, 4) of the box, 0..1: colour times alpha, and alpha."""
        rgba = self.pixels.astype(float32)
        rgba /= 255
        rgba[..., :3] *= rgba[..., 3:]
        size = self.box.width, self.box.height
        smaller = self.box.width < rgba.shape[1] or self.box.height < rgba.shape[0]
        if rgba.shape[1::-1] != size:
            rgba = np.asarray(
                cv2.resize(rgba, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC), float32
            )
        return np.clip(rgba, 0, 1, out=rgba)

    def at(self, times: int) -> Logo:
        """The logo in a picture that is so many times smaller, each way."""
        top, left, bottom, right = (round(side / times) for side in self.box)
        box = Box(top, left, max(top + 1, bottom), max(left + 1, right))
        return replace(self, box=box)

    def shape(self, height: int, width: int) -> Hole:
        """(height, width): the pixels of a picture of that size which it should cover, and its soft edge."""
        hole = np.zeros((height, width), uint8)
        if self.box.meets(Box(0, 0, height, width)):
            inside = self.box.widened(0, height, width)
            hole[inside.slices] = self._alpha(inside) > SHAPE * 255
        return np.asarray(cv2.dilate(hole, np.ones((2 * RIM + 1, 2 * RIM + 1), uint8)) > 0)

    def _alpha(self, part: Box) -> NDArray[uint8]:
        """Of a part of the picture. Nothing larger is made, however large the box is: its size is the client's."""
        alpha = np.ascontiguousarray(self.pixels[..., 3])
        height, width = min(alpha.shape[0], self.box.height), min(alpha.shape[1], self.box.width)
        if alpha.shape != (height, width):
            alpha = np.asarray(cv2.resize(alpha, (width, height), interpolation=cv2.INTER_AREA), uint8)
        down, across = self.box.height / height, self.box.width / width
        # Centres of pixels are at halves.
        matrix = np.array(
            [
                [across, 0, self.box.left - part.left + 0.5 * across - 0.5],
                [0, down, self.box.top - part.top + 0.5 * down - 0.5],
            ]
        )
        laid = cv2.warpAffine(alpha, matrix, (part.width, part.height), borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(laid, uint8)
