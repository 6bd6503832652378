"""A mark that many pictures share, and those pictures, as the rest of the program sees them. Imports no torch."""

from __future__ import annotations

import io
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy import float16, float32
from numpy.typing import NDArray

from inpainting.engine.crops.boxes import Box
from inpainting.engine.interface import Picture, Plane


class Shot(NamedTuple):
    """One of many pictures, that is read when it is needed."""

    height: int
    width: int
    read: Callable[[], Picture]


class Frame(NamedTuple):
    """A part that pictures of several sizes have in common: so large, and at the same place seen from a point of each.

    `down`, `across`: the point, 0 the first edge, 0.5 the middle, 1 the last edge.
    """

    height: int
    width: int
    down: float
    across: float

    def place(self, height: int, width: int) -> tuple[int, int]:
        """Its first row and column in a picture of that size."""
        return int(self.down * (height - self.height)), int(self.across * (width - self.width))


@dataclass(frozen=True)
class SharedMark:
    """A mark that many pictures have at the same place: of a picture x it makes (1 - opacity) x + light."""

    frame: Frame
    box: Box  # in the frame
    opacity: Plane  # (h, w) of the box, 0..0.95
    light: NDArray[float32]  # (h, w, 3): the mark's colour times its opacity, about 0..1

    def to_bytes(self) -> bytes:
        file = io.BytesIO()
        opacity, light = self.opacity.astype(float16), self.light.astype(float16)
        np.savez_compressed(file, frame=np.array(self.frame), box=np.array(self.box), opacity=opacity, light=light)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, stored: bytes) -> SharedMark:
        """What to_bytes gave."""
        with np.load(io.BytesIO(stored), allow_pickle=False) as planes:
            height, width, down, across = planes["frame"].tolist()
            frame, box = Frame(int(height), int(width), down, across), Box(*planes["box"].tolist())
            return cls(frame, box, planes["opacity"].astype(float32), planes["light"].astype(float32))


# How a mark is computed: in steps of about a second, between which others may have a turn. Where a step yields a shot,
# the next one is to be sent that picture.
Steps = Generator[Shot | None, Picture | None, SharedMark | None]
