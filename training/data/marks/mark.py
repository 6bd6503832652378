"""What a rendered mark is.

A mark is an opacity a (H, W) in 0..1 and a colour c (H, W, 3) in 0..1; it turns a picture x into (1 - a) x + a c.
"""

from dataclasses import dataclass

import numpy as np
from numpy import float32, uint8
from numpy.typing import NDArray

from training.data.marks.stamp import Colours, Plane, Stamp
from training.data.pack import Picture

VISIBLE = 3.0  # levels of 255: a pixel that the mark changes by less is neither marked nor clean


@dataclass(frozen=True)
class Mark:
    opacity: Plane
    colour: Colours
    tiled: bool = False

    @classmethod
    def of(cls, stamp: Stamp, opacity: float = 1.0, tiled: bool = False) -> "Mark":
        """What a stamp of the picture's size makes, at that opacity."""
        alpha = stamp[..., 3:]
        colour = np.divide(stamp[..., :3], alpha, out=np.zeros_like(stamp[..., :3]), where=alpha > 1e-3)
        return cls(np.asarray(alpha[..., 0] * opacity, float32), np.asarray(colour.clip(0, 1), float32), tiled)

    @classmethod
    def none(cls, height: int, width: int) -> "Mark":
        return cls(np.zeros((height, width), float32), np.zeros((height, width, 3), float32))

    def over(self, picture: Picture) -> Picture:
        """The marked picture."""
        a = self.opacity[..., None]
        return np.rint(picture * (1 - a) + 255 * a * self.colour).astype(uint8)

    def truth(self, picture: Picture) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which pixels are marked, and which count: where the mark has the picture's own colour nobody can tell."""
        change = np.abs(255 * self.colour - picture).max(2) * self.opacity
        marked = self.opacity > 0.02
        return marked & (change >= VISIBLE), ~marked | (change >= VISIBLE)


@dataclass(frozen=True)
class Style:
    """What the marks of a stage of training look like."""

    opacity: tuple[float, float] = (0.1, 1.0)
    opaque: float = 0.1  # share of marks of opacity 1
    height: tuple[float, float] = (0.03, 0.5)  # of text or logo, against the side of the picture
    tiled: float = 0.5  # share of marks that lie all over the picture
    composite: float = 0.0  # share of marks that are put together as a publisher's are; the rest is plain
