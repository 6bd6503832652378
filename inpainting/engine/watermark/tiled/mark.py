"""A watermark that is tiled over a picture, computed from its copies: how opaque it is, its colour, what lies below.

Each copy lies on another piece of the picture. What all of them have in common is the mark: a marked pixel is
y = (1 - a) x + a c, and where the picture below, x, is foretold from around the mark, an opacity a and a colour c for
each place of the mark follow from many copies by least squares. No network, no training (as Dekel et al., "On the
Effectiveness of Visible Watermarks", CVPR 2017, do with many pictures of one mark).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy import float32
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from inpainting.engine.interface import Hole, Picture
from inpainting.engine.nets.planes import planes, reduced, widened
from inpainting.engine.watermark.foretell import Foretold, foretell
from inpainting.engine.watermark.judgement import LIKELY, agreement, merge
from inpainting.engine.watermark.tiled import lattice as lattices
from inpainting.engine.watermark.tiled.cell import Cell, raster
from inpainting.engine.watermark.tiled.lattice import Lattice

LARGEST, SMALLEST = 768, 72  # pixels: the sides of pictures in which lattices are looked for
EVIDENCE = 7.0  # standard deviations: pictures with one mark, or none, rarely have as much
MOST = 2  # marks that are lifted to see which it is
ROUNDS = 3  # of telling the mark from the picture; it changes little after them
SURE = 3.0  # standard errors: what is less is no mark
PRESENT, FULL = 0.3, 0.7  # of the mark's strength: where it is looked for, and where it shows its colour
FAINTEST = 0.1  # of the mark's strength: what is kept of it
FINER = 1.5  # places of the mark a pixel, in the end
OPAQUE = 0.95  # above it a pixel holds nothing to be computed from
COPY = 0.5  # of the mark's strength: what the median copy of it must show
TOUCH = 3  # pixels around a mark that may be lifted a second time
BAND, CONTEXT = 2**20, 64  # pixels that are worked on at once, and rows that are seen around them


@dataclass(frozen=True)
class Lifted:
    opacity: NDArray[float32]  # (H, W), 0..1; 0 where the mark is not
    restored: Picture  # (H, W, 3): the mark computed away
    strength: float  # opacity where the mark is at its fullest

    def and_then(self, other: "Lifted") -> "Lifted":
        """`other` was lifted from what is restored here. It counts where it touches this one."""
        near = widened(torch.from_numpy(self.opacity) > 0, TOUCH).numpy()
        opacity = 1 - (1 - self.opacity) * (1 - other.opacity * near)
        return Lifted(opacity, merge(self.restored, other.restored, near), self.strength)


@dataclass(frozen=True)
class Mark:
    """One cell of it, as a raster."""

    opacity: Tensor  # (1, h, w), 0..1
    colour: Tensor  # (3, h, w), 0..1
    strength: float  # opacity where the mark is at its fullest
    slope: Tensor  # (), 1 - opacity there: by how much the picture below still varies

    @property
    def shape(self) -> tuple[int, int]:
        return self.opacity.shape[1], self.opacity.shape[2]


def candidates(picture: Picture, probability: NDArray[float32], hole: Hole | None = None) -> Iterator[Lifted]:
    """What may be a mark tiled over a picture, the likelier first: at most two.

    `probability` (H, W): where a network sees marks, which tells of repetitions that the picture alone does not show;
    `hole` (H, W): where it looked, None for everywhere.
    """
    factor = -(-max(probability.shape) // LARGEST)
    if min(probability.shape) // factor < SMALLEST:
        return
    small, seen = reduced(picture, factor), averaged(probability, factor)
    looked = averaged(np.ones_like(probability) if hole is None else hole.astype(float32), factor)[0] > 0
    marks = ((found, rough_mark(small, found)) for found in _lattices(small, seen))
    told = [
        (agreement(_shown(mark, found, small)[looked], seen[0][looked]), found, mark) for found, mark in marks if mark
    ]
    for agrees, found, mark in sorted(told, key=lambda one: -one[0])[:MOST]:
        if agrees > LIKELY:
            yield _lifted(picture, small, factor, found, mark)


def _lifted(picture: Picture, small: Tensor, factor: int, found: Lattice, mark: Mark) -> Lifted:
    """What was found in `small`, the picture made smaller by that factor, computed away from the picture."""
    full = near = found
    if factor > 1:  # over many copies, less than a pixel of the smaller picture counts
        full = _settled(picture, found.enlarged(factor))
        near = full.enlarged(1 / factor)
        mark = rough_mark(small, near) or mark
    lifted = lift(picture, full, mark)
    another = rough_mark(reduced(lifted.restored, factor), near)  # a second colour, a soft edge
    return lifted.and_then(lift(lifted.restored, full, another)) if another else lifted


def _lattices(small: Tensor, seen: Tensor) -> Iterator[Lattice]:
    """The picture's own lattices, and those of what a network sees, where they differ."""
    agreement = lattices.autocorrelation(lattices.fine_structure(small))
    own = [one for one in lattices.find(agreement) if one.evidence > EVIDENCE]
    yield from own
    for other in lattices.find(lattices.autocorrelation(seen - seen.mean())):
        if other.evidence > EVIDENCE:
            settled = lattices.settled(agreement, other)
            exact = settled if settled and settled.evidence > EVIDENCE else other
            if not any(one.same(exact) for one in own):
                yield exact


def _shown(mark: Mark, lattice: Lattice, small: Tensor) -> Tensor:
    return Cell(lattice, small.shape[2], mark.shape).unfold(mark.opacity, small.shape[1])[0]


def _settled(picture: Picture, lattice: Lattice) -> Lattice:
    """The lattice that was found in the picture made smaller, at its full size."""
    grey = torch.from_numpy(np.array(Image.fromarray(picture).convert("L")))[None].float() / 255
    return lattices.settled(lattices.autocorrelation_around(lattices.fine_structure(grey)), lattice) or lattice


def averaged(plane: NDArray[float32], factor: int) -> Tensor:
    return F.avg_pool2d(torch.from_numpy(plane)[None, None], factor, ceil_mode=True, count_include_pad=False)[0]


def lift(picture: Picture, lattice: Lattice, rough: Mark) -> Lifted:
    """A picture without a mark that is tiled over it along that lattice, and is known at a lower resolution."""
    height, width = picture.shape[:2]
    known, cell = Cell(lattice, width, rough.shape), Cell(lattice, width, raster(lattice, FINER))
    sums = torch.zeros(9, *cell.shape)
    shown = (rough.opacity > PRESENT * rough.strength).float()
    for top, bottom in bands(height, width):
        first, last = max(0, top - CONTEXT), min(height, bottom + CONTEXT)
        rows = slice(top - first, bottom - first)
        band = planes(picture[first:last])
        below, sure = foretell(band, hidden(known.unfold(shown, last - first, first)[0]))
        sums += cell.fold(moments(band[:, rows], Foretold(below[:, rows], sure[rows])), top)
    return _off(picture, cell, refined(sums, rough))


def bands(height: int, width: int) -> list[tuple[int, int]]:
    """The first row of each band of a picture, and the first after it."""
    rows = max(CONTEXT, BAND // width)
    return [(top, min(height, top + rows)) for top in range(0, height, rows)]


def hidden(present: Tensor) -> Tensor:
    """What of (H, W) is no part of the picture: the mark, and a pixel around it."""
    return widened(present > PRESENT, 1)


def rough_mark(picture: Tensor, lattice: Lattice) -> Mark | None:
    """The mark that is tiled over (3, H, W) in 0..1; None where the copies have nothing in common.

    It is told from the picture again and again, each time by what the last time told.
    """
    height, cell = picture.shape[1], Cell(lattice, picture.shape[2], raster(lattice))
    present, mark = first_look(picture, cell), None
    for _ in range(ROUNDS):
        inside = cell.unfold(present.float(), height)[0]
        around = hidden(inside)
        full = present if mark is None else mark.opacity > FULL * mark.strength
        if around.float().mean() > 0.9 or full.sum() < 9:
            return None
        foretold = foretell(picture, around)
        sums = cell.fold(moments(picture, foretold))
        slope = slope_of(picture, foretold, cell, sums, full)
        colour = colours(sums, slope, full)
        opacity, errors = opacities(sums, colour)
        strength = float(opacity[present].quantile(0.8))
        mark = Mark(opacity, colour, strength, slope)
        present = (opacity > PRESENT * strength) & (errors > SURE)
        if not present.any():
            return None
    return mark if mark and median_copy(picture, foretold, cell, mark) > COPY else None


def median_copy(picture: Tensor, foretold: Foretold, cell: Cell, mark: Mark) -> float:
    """How strong the mark is in the median copy, 1 being what all together say. Below it, few copies speak for all."""
    height = picture.shape[1]
    shown = cell.unfold(torch.cat([mark.opacity, mark.colour]), height)
    change = shown[:1] * (shown[1:] - foretold.below)
    which = cell.copies(height)
    found = torch.zeros(2, int(which.max()) + 1)
    alike = torch.stack([((picture - foretold.below) * change).sum(0), change.square().sum(0)])
    found.scatter_add_(1, which.expand(2, -1), (foretold.sure * alike).flatten(1))
    moved, most = found[:, found[1] > 0.25 * found[1].max()]
    return float((moved / most).median()) if len(most) else 0.0


def first_look(picture: Tensor, cell: Cell) -> Tensor:
    """Where in the cell the mark is likely to be, (1, h, w): the slopes that all copies share, put together."""
    down, right = torch.zeros_like(picture), torch.zeros_like(picture)
    down[:, 1:-1] = (picture[:, 2:] - picture[:, :-2]) / 2
    right[:, :, 1:-1] = (picture[:, :, 2:] - picture[:, :, :-2]) / 2
    most = 3 * float(torch.cat([down, right]).abs().median()) + 0.01  # what is steeper is an edge of the picture
    copies = cell.fold(torch.ones_like(picture[:1])).clamp(min=0.1)
    height = cell.integrated(*(cell.fold(slope.clamp(-most, most)) / copies for slope in (down, right)))
    height = height - height.flatten(1).median(1).values[:, None, None]  # most of a cell is not marked
    change = height.square().sum(0, keepdim=True).sqrt()
    return change > max(0.35 * float(change.quantile(0.98)), 2.5 * float(change.median()))


def moments(marked: Tensor, foretold: Foretold) -> Tensor:
    """What is summed over the copies, (9, H, W)."""
    below, sure = foretold
    across = torch.stack([((marked - below) * below).sum(0), below.square().sum(0)])
    return sure * torch.cat([torch.ones_like(sure)[None], marked, below, across])


def slope_of(marked: Tensor, foretold: Foretold, cell: Cell, sums: Tensor, full: Tensor) -> Tensor:
    """1 - opacity where the mark is not at its edge, `full` (1, h, w): 0..0.97.

    There all copies of a place lie on a line, marked against foretold values; the slope is the same in all places.
    """
    pixels = cell.unfold(full.float(), marked.shape[1])[0] > 0.9
    mean = cell.unfold(sums[1:7] / sums[:1].clamp(min=1e-6), marked.shape[1])
    y, x = (torch.cat([marked, foretold.below]) - mean)[:, pixels].split(3)
    weight = sure = foretold.sure[pixels]
    for _ in range(8):
        slope = ((weight * x * y).sum() / (weight * x.square()).sum().clamp(min=1e-9)).clamp(0, 0.97)
        off = (y - slope * x).abs().amax(0) * sure.sqrt()
        weight = sure * (1.5 * off.median() / off.clamp(min=1e-9)).clamp(max=1)  # outliers count for less
    return slope


def colours(sums: Tensor, slope: Tensor, full: Tensor) -> Tensor:
    """The mark's colour place by place, (3, h, w), where it is `full` (1, h, w), and beside that."""
    marked, foretold = (sums[1:7] / sums[:1].clamp(min=1e-6)).split(3)
    colour = (marked - slope * foretold) / (1 - slope)
    weight = sums[:1] * (1 - slope) ** 2 * full
    mean = (weight * colour).sum((1, 2), keepdim=True) / weight.sum().clamp(min=1e-6)
    return shrunk(mean, weight * (colour - mean), weight).clamp(0, 1)


def shrunk(mean: Tensor, pull: Tensor, weight: Tensor) -> Tensor:
    """`mean` (3, 1, 1) or (3, h, w), moved by what each place says (3, h, w), as far as that is no accident.

    Empirical Bayes: values vary over the mark by as much as the places differ beyond their errors. What places say is
    pull / weight, their errors' variance is 1 / weight (1, h, w); a place without a say goes along with its neighbours.
    """
    there = (weight > 0.1 * weight.max()).expand_as(pull)
    beyond = (pull.square() / weight.clamp(min=1e-6))[there].mean() - 1
    varies = (beyond / weight.expand_as(pull)[there].mean()).nan_to_num(0).clamp(min=1e-9)
    pull, weight = (around(planes) for planes in (pull, weight))
    return mean + pull / (weight + 1 / varies)


def around(raster: Tensor) -> Tensor:
    """Each place, and a little of its neighbours in the cell, (C, h, w)."""
    spread = F.avg_pool2d(F.pad(raster[None], (2, 2, 2, 2), mode="circular"), 5, 1)[0]
    return raster + spread


def opacities(sums: Tensor, colour: Tensor) -> tuple[Tensor, Tensor]:
    """How far each place is moved towards the mark's colour, (1, h, w) in 0..1, and that in standard errors."""
    sure, marked, foretold, across, square = sums.split([1, 3, 3, 1, 1])
    moved = (colour * (marked - foretold)).sum(0, keepdim=True) - across
    most = (colour.square() * sure - 2 * colour * foretold).sum(0, keepdim=True) + square
    most = most.clamp(min=1e-6)
    errors = moved / most.sqrt()  # as if neighbours and colours erred each for itself, which they do not
    errors = errors / (1.4826 * (errors - errors.median()).abs().median()).clamp(min=1)
    return (moved / most).clamp(0, 1), errors


def refined(sums: Tensor, rough: Mark) -> Mark:
    """The mark at a higher resolution."""
    full = (
        F.interpolate((rough.opacity > FULL * rough.strength).float()[None], sums.shape[1:], mode="bilinear")[0] > 0.5
    )
    colour = colours(sums, rough.slope, full)
    opacity, errors = opacities(sums, colour)
    opacity = opacity * ((opacity > FAINTEST * rough.strength) & (errors > SURE))
    return Mark(opacity, colour, rough.strength, rough.slope)


def _off(picture: Picture, cell: Cell, mark: Mark) -> Lifted:
    height, width = picture.shape[:2]
    opacity, restored = np.zeros((height, width), float32), np.empty_like(picture)
    for top, bottom in bands(height, width):
        band = planes(picture[top:bottom])
        shown = cell.unfold(torch.cat([mark.opacity, mark.colour]), band.shape[1], top)
        over = shown[:1].clamp(max=OPAQUE)
        below = ((band - over * shown[1:]) / (1 - over)).clamp(0, 1)
        opacity[top:bottom] = shown[0].numpy()
        restored[top:bottom] = (below * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    return Lifted(opacity, restored, mark.strength)
