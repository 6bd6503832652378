"""A tiled mark computed away from a picture at the picture's own size, band by band, so that memory stays small."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy import float32
from numpy.typing import NDArray

from inpainting.engine.inpainters.smooth.local_mean import Estimate, local_mean
from inpainting.engine.interface import Picture
from inpainting.engine.nets.planes import picture_of, planes, widen
from inpainting.engine.watermark.tiled.cell import Cell, raster
from inpainting.engine.watermark.tiled.lattice import Lattice
from inpainting.engine.watermark.tiled.mark import PRESENT, Mark, covered, moments, refine

FINER = 1.5  # places of the mark a pixel, in the end
OPAQUE = 0.95  # above it a pixel holds nothing to be computed from
TOUCH = 3  # pixels around a mark that may be lifted a second time
BAND, CONTEXT = 2**20, 64  # pixels that are worked on at once, and rows around them that means are taken from


@dataclass(frozen=True)
class Layer:
    """A mark that lies over a picture, and the picture without it."""

    opacity: NDArray[float32]  # (H, W), 0..1; 0 where the mark is not
    restored: Picture  # (H, W, 3)
    strength: float  # opacity where the mark is at its fullest

    def over(self, lower: "Layer") -> "Layer":
        """Both as one; `lower` was lifted from what is restored here. It counts where it touches this one."""
        near = widen(torch.from_numpy(self.opacity) > 0, TOUCH).numpy()
        opacity = 1 - (1 - self.opacity) * (1 - lower.opacity * near)
        return Layer(opacity, np.where(near[..., None], lower.restored, self.restored), self.strength)


def lift(picture: Picture, lattice: Lattice, rough: Mark) -> Layer:
    """The mark that is tiled over a picture (H, W, 3) along that lattice, and is known at a lower resolution."""
    height, width = picture.shape[:2]
    known, cell = Cell(lattice, width, rough.shape), Cell(lattice, width, raster(lattice, FINER))
    sums = torch.zeros(9, *cell.shape)
    present = (rough.opacity > PRESENT * rough.strength).float()
    for top, bottom in bands(height, width):
        first, last = max(0, top - CONTEXT), min(height, bottom + CONTEXT)
        rows = slice(top - first, bottom - first)
        band = planes(picture[first:last])
        mean, certainty = local_mean(band, covered(known.unfold(present, last - first, first)[0]))
        sums += cell.fold(moments(band[:, rows], Estimate(mean[:, rows], certainty[rows])), top)
    return compute_away(picture, cell, refine(sums, rough))


def compute_away(picture: Picture, cell: Cell, mark: Mark) -> Layer:
    """A mark that is known at the picture's own resolution."""
    height, width = picture.shape[:2]
    opacity, restored = np.zeros((height, width), float32), np.empty_like(picture)
    for top, bottom in bands(height, width):
        band = planes(picture[top:bottom])
        over, colour = cell.unfold(torch.cat([mark.opacity, mark.colour]), band.shape[1], top).split([1, 3])
        opacity[top:bottom] = over[0].numpy()
        over = over.clamp(max=OPAQUE)
        restored[top:bottom] = picture_of(((band - over * colour) / (1 - over)).clamp(0, 1))
    return Layer(opacity, restored, mark.strength)


def bands(height: int, width: int) -> list[tuple[int, int]]:
    """The first row of each band of a picture, and the first after it."""
    rows = max(CONTEXT, BAND // width)
    return [(top, min(height, top + rows)) for top in range(0, height, rows)]
