"""The mark that all copies on a lattice have in common: how opaque it is and its colour. Torch only.

Each copy lies on another piece of the picture. What all of them have in common is the mark: a marked pixel is
y = (1 - a) x + a c, and where the picture below, x, is estimated from around the mark, an opacity a and a colour c for
each place of the mark follow from many copies by least squares. No network, no training (as Dekel et al., "On the
Effectiveness of Visible Watermarks", CVPR 2017, do with many pictures of one mark).
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from inpainting.engine.inpainters.smooth.local_mean import Estimate, local_mean
from inpainting.engine.nets.planes import widen
from inpainting.engine.watermark.tiled.cell import Cell, raster
from inpainting.engine.watermark.tiled.lattice import Lattice

ROUNDS = 3  # of telling the mark from the picture; it changes little after them
SURE = 3.0  # standard errors: what is less is no mark
PRESENT, FULL = 0.3, 0.7  # of the mark's strength: where it is looked for, and where it shows its colour
FAINTEST = 0.1  # of the mark's strength: what is kept of it
COPY = 0.5  # of the mark's strength: what the median copy of it must show


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


def rough_mark(picture: Tensor, lattice: Lattice) -> Mark | None:
    """The mark that is tiled over (3, H, W) in 0..1; None where the copies have nothing in common.

    Mark and picture are told apart again and again, each time by what is known of the mark from the last.
    """
    height, cell = picture.shape[1], Cell(lattice, picture.shape[2], raster(lattice))
    present, mark = first_look(picture, cell), None
    for _ in range(ROUNDS):
        hole = covered(cell.unfold(present.float(), height)[0])
        full = present if mark is None else mark.opacity > FULL * mark.strength
        if hole.float().mean() > 0.9 or full.sum() < 9:
            return None
        estimate = local_mean(picture, hole)
        sums = cell.fold(moments(picture, estimate))
        slope = slope_of(picture, estimate, cell, sums, full)
        colour = colours(sums, slope, full)
        opacity, errors = opacities(sums, colour)
        strength = float(opacity[present].quantile(0.8))
        mark = Mark(opacity, colour, strength, slope)
        present = (opacity > PRESENT * strength) & (errors > SURE)
        if not present.any():
            return None
    return mark if mark and median_copy(picture, estimate, cell, mark) > COPY else None


def refine(sums: Tensor, rough: Mark) -> Mark:
    """The mark at a higher resolution, from the `moments` summed there: (9, h, w)."""
    full = (rough.opacity > FULL * rough.strength).float()
    full = F.interpolate(full[None], sums.shape[1:], mode="bilinear")[0] > 0.5
    colour = colours(sums, rough.slope, full)
    opacity, errors = opacities(sums, colour)
    opacity = opacity * ((opacity > FAINTEST * rough.strength) & (errors > SURE))
    return Mark(opacity, colour, rough.strength, rough.slope)


def covered(present: Tensor) -> Tensor:
    """What of (H, W) is no part of the picture: the mark, and a pixel around it."""
    return widen(present > PRESENT, 1)


def median_copy(picture: Tensor, estimate: Estimate, cell: Cell, mark: Mark) -> float:
    """How strong the mark is in the median copy, 1 being what all together say. Below it, few copies speak for all."""
    height = picture.shape[1]
    opacity, colour = cell.unfold(torch.cat([mark.opacity, mark.colour]), height).split([1, 3])
    change = opacity * (colour - estimate.mean)
    copy = cell.copies(height)
    sums = torch.zeros(2, int(copy.max()) + 1)
    alike = torch.stack([((picture - estimate.mean) * change).sum(0), change.square().sum(0)])
    sums.scatter_add_(1, copy.expand(2, -1), (estimate.certainty * alike).flatten(1))
    moved, most = sums[:, sums[1] > 0.25 * sums[1].max()]
    return float((moved / most).median()) if len(most) else 0.0


def first_look(picture: Tensor, cell: Cell) -> Tensor:
    """Where in the cell the mark is likely to be, (1, h, w): the slopes that all copies share, put together."""
    down, right = torch.zeros_like(picture), torch.zeros_like(picture)
    down[:, 1:-1] = (picture[:, 2:] - picture[:, :-2]) / 2
    right[:, :, 1:-1] = (picture[:, :, 2:] - picture[:, :, :-2]) / 2
    most = 3 * float(torch.cat([down, right]).abs().median()) + 0.01  # what is steeper is an edge of the picture
    copies = cell.fold(torch.ones_like(picture[:1])).clamp(min=0.1)
    height = cell.integrate(*(cell.fold(slope.clamp(-most, most)) / copies for slope in (down, right)))
    height = height - height.flatten(1).median(1).values[:, None, None]  # most of a cell is not marked
    change = height.square().sum(0, keepdim=True).sqrt()
    return change > max(0.35 * float(change.quantile(0.98)), 2.5 * float(change.median()))


def moments(picture: Tensor, estimate: Estimate) -> Tensor:
    """What is summed over the copies of (3, H, W), (9, H, W)."""
    mean, certainty = estimate
    across = torch.stack([((picture - mean) * mean).sum(0), mean.square().sum(0)])
    return certainty * torch.cat([torch.ones_like(certainty)[None], picture, mean, across])


def slope_of(picture: Tensor, estimate: Estimate, cell: Cell, sums: Tensor, full: Tensor) -> Tensor:
    """1 - opacity where the mark is not at its edge, `full` (1, h, w): 0..0.97.

    There all copies of a place lie on a line, marked against estimated values; the slope is the same in all places.
    """
    pixels = cell.unfold(full.float(), picture.shape[1])[0] > 0.9
    mean = cell.unfold_at(pixels, sums[1:7] / sums[:1].clamp(min=1e-6), picture.shape[1])
    y, x = (torch.cat([picture[:, pixels], estimate.mean[:, pixels]]) - mean).split(3)
    weight = certainty = estimate.certainty[pixels]
    for _ in range(8):
        slope = ((weight * x * y).sum() / (weight * x.square()).sum().clamp(min=1e-9)).clamp(0, 0.97)
        off = (y - slope * x).abs().amax(0) * certainty.sqrt()
        weight = certainty * (1.5 * off.median() / off.clamp(min=1e-9)).clamp(max=1)  # outliers count for less
    return slope


def colours(sums: Tensor, slope: Tensor, full: Tensor) -> Tensor:
    """The mark's colour place by place, (3, h, w), where it is `full` (1, h, w), and beside that."""
    marked, below = (sums[1:7] / sums[:1].clamp(min=1e-6)).split(3)
    colour = (marked - slope * below) / (1 - slope)
    weight = sums[:1] * (1 - slope) ** 2 * full
    mean = (weight * colour).sum((1, 2), keepdim=True) / weight.sum().clamp(min=1e-6)
    return shrink(mean, weight * (colour - mean), weight).clamp(0, 1)


def shrink(mean: Tensor, pull: Tensor, weight: Tensor) -> Tensor:
    """`mean` (3, 1, 1) or (3, h, w), moved by what each place says (3, h, w), as far as that is no accident.

    Empirical Bayes: values vary over the mark by as much as the places differ beyond their errors. What places say is
    pull / weight, their errors' variance is 1 / weight (1, h, w); a place without a say goes along with its neighbours.
    """
    there = (weight > 0.1 * weight.max()).expand_as(pull)
    beyond = (pull.square() / weight.clamp(min=1e-6))[there].mean() - 1
    varies = (beyond / weight.expand_as(pull)[there].mean()).nan_to_num(0).clamp(min=1e-9)
    pull, weight = (with_neighbours(planes) for planes in (pull, weight))
    return mean + pull / (weight + 1 / varies)


def with_neighbours(raster: Tensor) -> Tensor:
    """Each place, and a little of its neighbours in the cell, (C, h, w)."""
    return raster + F.avg_pool2d(F.pad(raster[None], (2, 2, 2, 2), mode="circular"), 5, 1)[0]


def opacities(sums: Tensor, colour: Tensor) -> tuple[Tensor, Tensor]:
    """How far each place is moved towards the mark's colour, (1, h, w) in 0..1, and that in standard errors."""
    certainty, marked, below, across, square = sums.split([1, 3, 3, 1, 1])
    moved = (colour * (marked - below)).sum(0, keepdim=True) - across
    most = (colour.square() * certainty - 2 * colour * below).sum(0, keepdim=True) + square
    most = most.clamp(min=1e-6)
    errors = moved / most.sqrt()  # as if neighbours and colours erred each for itself, which they do not
    errors = errors / (1.4826 * (errors - errors.median()).abs().median()).clamp(min=1)
    return (moved / most).clamp(0, 1), errors
