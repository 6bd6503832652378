"""A tiled mark computed away from a picture at the picture's own size, band by band, so that memory stays small."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy import float32
from numpy.typing import NDArray
from PIL import Image

from inpainting.engine.inpainters.smooth.local_mean import Estimate, local_mean
from inpainting.engine.interface import Picture
from inpainting.engine.nets.planes import picture_of, planes, widen
from inpainting.engine.watermark.tiled.cell import Cell, raster
from inpainting.engine.watermark.tiled.lattice import Lattice
from inpainting.engine.watermark.tiled.mark import PRESENT, Mark, covered, moments, refine

FINER = 1.5  # places of the mark a pixel, in the end
OPAQUE = 0.95  # above it a pixel holds nothing to be computed from
TOUCH = 3  # pixels around a mark that may be lifted a second time
MEASURED = 4 << 20  # pixels that a mark is measured on: on larger pictures made smaller, of which all copies count
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
    factor = smaller_by(picture, MEASURED)
    smaller = picture if factor == 1 else np.asarray(Image.fromarray(picture).reduce(factor))
    mark = measure(smaller, lattice.scaled(1 / factor), rough)
    return compute_away(picture, Cell(lattice, picture.shape[1], mark.shape), mark)


def smaller_by(picture: Picture, pixels: int) -> int:
    """How many times smaller each way a picture has to be made to have at most about so many pixels."""
    return max(1, math.ceil(math.sqrt(picture.shape[0] * picture.shape[1] / pixels)))


def measure(picture: Picture, lattice: Lattice, rough: Mark) -> Mark:
    """A mark at the picture's resolution, that is known at a lower one."""
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
    return refine(sums, rough)


def compute_away(picture: Picture, cell: Cell, mark: Mark) -> Layer:
    """A mark that is known at the picture's own resolution, or near it."""
    height, width = picture.shape[:2]
    opacity, restored = np.zeros((height, width), float32), picture.copy()
    for top, bottom in bands(height, width):
        over = cell.unfold(mark.opacity, bottom - top, top)[0]
        opacity[top:bottom], marked = over.numpy(), over > 0
        colour, over = cell.unfold_at(marked, mark.colour, bottom - top, top), over[marked].clamp(max=OPAQUE)
        inside = marked.numpy()
        pixels = planes(picture[top:bottom][inside][None])[:, 0]
        below = ((pixels - over * colour) / (1 - over)).clamp(0, 1)
        restored[top:bottom][inside] = picture_of(below[:, None])[0]
    return Layer(opacity, restored, mark.strength)


def bands(height: int, width: int) -> list[tuple[int, int]]:
    """The first row of each band of a picture, and the first after it."""
    rows = max(CONTEXT, BAND // width)
    return [(top, min(height, top + rows)) for top in range(0, height, rows)]
