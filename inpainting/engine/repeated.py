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

from . import lattice as lattices
from .interface import Hole, Picture
from .judgement import LIKELY, agreement
from .lattice import Lattice, blurred

LARGEST, SMALLEST = 768, 72  # pixels: the sides of pictures in which lattices are looked for
EVIDENCE = 4.0  # standard deviations
ROUNDS = 3  # of telling the mark from the picture; it changes little after them
NEAR, LEVELS = 2.0, 6  # pixels, and how often twice as many: how far what lies below is foretold from
GRAIN = 3 / 255  # what JPEG and rounding add to any pixel
SURE = 3.0  # standard errors: what is less is no mark
PRESENT, FULL = 0.3, 0.7  # of the mark's strength: where it is looked for, and where it shows its colour
FAINTEST = 0.1  # of the mark's strength: what is kept of it
FINER = 1.5  # places of the mark a pixel, in the end
OPAQUE = 0.95  # above it a pixel holds nothing to be computed from
COPY = 0.5  # of the mark's strength: what the median copy of it must show
TOUCH = 3  # pixels around a mark that may be lifted a second time
BAND, CONTEXT = 512, 64  # rows that are worked on at once, and that are seen around them


@dataclass(frozen=True)
class Lifted:
    opacity: NDArray[float32]  # (H, W), 0..1; 0 where the mark is not
    restored: Picture  # (H, W, 3): the mark computed away

    def and_then(self, other: "Lifted") -> "Lifted":
        """`other` was lifted from what is restored here. It counts where it touches this one."""
        near = F.max_pool2d(torch.from_numpy(self.opacity)[None], 2 * TOUCH + 1, 1, TOUCH)[0].numpy() > 0
        opacity = 1 - (1 - self.opacity) * (1 - other.opacity * near)
        return Lifted(opacity, np.where(near[..., None], other.restored, self.restored))


@dataclass(frozen=True)
class Mark:
    """One cell of it, as a raster."""

    opacity: Tensor  # (1, h, w), 0..1
    colour: Tensor  # (3, h, w), 0..1
    strength: float  # opacity where the mark is at its fullest

    @property
    def shape(self) -> tuple[int, int]:
        return self.opacity.shape[1], self.opacity.shape[2]


class Cell:
    """One cell of a lattice as a raster, on which all copies lie over each other."""

    def __init__(self, lattice: Lattice, width: int, shape: tuple[int, int]) -> None:
        """For a picture of that width; `shape`: of the raster."""
        self._within = torch.linalg.inv(torch.tensor([lattice.first, lattice.second], dtype=torch.float64).T)
        self._width, self.shape = width, shape
        self._last: tuple[tuple[int, int], list[tuple[Tensor, Tensor]]] = (0, 0), []

    def _corners(self, top: int, height: int) -> list[tuple[Tensor, Tensor]]:
        """Each pixel of these rows lies between four points of the raster: which, and how near each is."""
        if self._last[0] != (top, height):
            self._last = (top, height), list(self._reckoned(top, height))
        return self._last[1]

    def _reckoned(self, top: int, height: int) -> Iterator[tuple[Tensor, Tensor]]:
        rows = torch.arange(top + 0.5, top + height, dtype=torch.float64)[:, None]
        columns = torch.arange(0.5, self._width, dtype=torch.float64)
        parts = []
        for (down, right), size in zip(self._within, self.shape, strict=True):
            place = down * rows + right * columns
            place = ((place - place.floor()) * size).flatten()
            first = place.floor()
            near = (place - first).float()
            one = first.long() % size
            parts.append([(one, 1 - near), ((one + 1) % size, near)])
        for one, near in parts[0]:
            for other, nearer in parts[1]:
                yield one * self.shape[1] + other, near * nearer

    def copies(self, height: int) -> Tensor:
        """The number of the copy that each pixel lies in, (height * W,), from the first row on."""
        rows = torch.arange(0.5, height, dtype=torch.float64)[:, None]
        columns = torch.arange(0.5, self._width, dtype=torch.float64)
        one, two = ((down * rows + right * columns).floor().long().flatten() for down, right in self._within)
        one, two = one - one.min(), two - two.min()
        return one * (two.max() + 1) + two

    def fold(self, planes: Tensor, top: int = 0) -> Tensor:
        """The sum over all copies: (C, H, W), of which the first row is the picture's row `top`, to (C, h, w)."""
        flat = planes.flatten(1)
        total = flat.new_zeros(len(flat), self.shape[0] * self.shape[1])
        for where, weight in self._corners(top, planes.shape[1]):
            total.scatter_add_(1, where.expand_as(flat), flat * weight)
        return total.view(-1, *self.shape)

    def unfold(self, raster: Tensor, height: int, top: int = 0) -> Tensor:
        """(C, h, w) to (C, height, W): the same in every copy."""
        flat = raster.flatten(1)
        shown = flat.new_zeros(len(flat), height * self._width)
        for where, weight in self._corners(top, height):
            shown += flat[:, where] * weight
        return shown.view(len(flat), height, self._width)

    def integrated(self, down: Tensor, right: Tensor) -> Tensor:
        """What has these slopes, (C, h, w), by least squares, but for a constant; periodic."""
        waves = self._within.T.float()
        one, two = (2 * torch.pi * torch.fft.fftfreq(side, 1 / side) for side in self.shape)
        k_down = waves[0, 0] * one[:, None] + waves[0, 1] * two
        k_right = waves[1, 0] * one[:, None] + waves[1, 1] * two
        power = (k_down.square() + k_right.square()).clamp(min=1e-12)
        spectrum = -1j * (k_down * torch.fft.fft2(down) + k_right * torch.fft.fft2(right)) / power
        spectrum[:, 0, 0] = 0
        return torch.fft.ifft2(spectrum).real


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
    for lattice in _lattices(small, seen):
        mark = rough_mark(small, lattice)
        if mark and agreement(_shown(mark, lattice, small)[looked], seen[0][looked]) > LIKELY:
            full = lattice if factor == 1 else lattices.settled(_fine_agreement(picture), lattice.enlarged(factor))
            lifted = lift(picture, full, mark)
            mark = rough_mark(reduced(lifted.restored, factor), lattice)  # a second colour, a soft edge
            yield lifted.and_then(lift(lifted.restored, full, mark)) if mark else lifted


def _lattices(small: Tensor, seen: Tensor) -> Iterator[Lattice]:
    """The picture's own lattice, and that of what a network sees, where they differ."""
    agreement = lattices.autocorrelation(lattices.fine_structure(small))
    own = lattices.find(agreement)
    if own and own.evidence > EVIDENCE:
        yield own
    other = lattices.find(lattices.autocorrelation(seen - seen.mean()))
    if other and other.evidence > EVIDENCE:
        settled = lattices.settled(agreement, other)
        other = settled if settled.evidence > EVIDENCE else other
        if not own or not own.same(other):
            yield other


def _shown(mark: Mark, lattice: Lattice, small: Tensor) -> Tensor:
    return Cell(lattice, small.shape[2], mark.shape).unfold(mark.opacity, small.shape[1])[0]


def _fine_agreement(picture: Picture) -> Tensor:
    grey = torch.from_numpy(np.array(Image.fromarray(picture).convert("L")))[None].float() / 255
    return lattices.autocorrelation_around(lattices.fine_structure(grey))


def reduced(picture: Picture, factor: int) -> Tensor:
    return planes(np.asarray(Image.fromarray(picture).reduce(factor)))


def averaged(plane: NDArray[float32], factor: int) -> Tensor:
    return F.avg_pool2d(torch.from_numpy(plane)[None, None], factor, ceil_mode=True, count_include_pad=False)[0]


def lift(picture: Picture, lattice: Lattice, rough: Mark) -> Lifted:
    """A picture without a mark that is tiled over it along that lattice, and is known at a lower resolution."""
    height, width = picture.shape[:2]
    known, cell = Cell(lattice, width, rough.shape), Cell(lattice, width, raster(lattice, FINER))
    sums = torch.zeros(9, *cell.shape)
    shown = torch.cat([(rough.opacity > PRESENT * rough.strength).float(), rough.colour])
    for top in range(0, height, BAND):
        first, last = max(0, top - CONTEXT), min(height, top + BAND + CONTEXT)
        rows = slice(top - first, min(height, top + BAND) - first)
        band = planes(picture[first:last])
        present, colour = known.unfold(shown, last - first, first).split([1, 3])
        foretold, sure = foretell(band, hidden(present[0]))
        sums += cell.fold(moments(band[:, rows], foretold[:, rows], sure[rows], colour[:, rows]), top)
    return _off(picture, cell, refined(sums, rough))


def raster(lattice: Lattice, finer: float = 1.0) -> tuple[int, int]:
    """The shape of a cell's raster with about so many points a pixel."""
    one, two = (max(4, round(finer * float(np.hypot(*shift)))) for shift in (lattice.first, lattice.second))
    return one, two


def planes(picture: Picture) -> Tensor:
    """(H, W, 3) uint8 to (3, H, W), 0..1."""
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1))).float() / 255


def hidden(present: Tensor) -> Tensor:
    """What of (H, W) is no part of the picture: the mark, and a pixel around it."""
    return F.max_pool2d((present > PRESENT)[None].float(), 3, 1, 1)[0] > 0


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
        foretold, sure = foretell(picture, around)
        colour = colour_of(picture, foretold, sure, cell, full)
        sums = cell.fold(moments(picture, foretold, sure, cell.unfold(colour, height)))
        opacity, errors = opacities(sums)
        strength = float(opacity[present].quantile(0.8))
        mark = Mark(opacity, colour, strength)
        present = (opacity > PRESENT * strength) & (errors > SURE)
        if not present.any():
            return None
    return mark if mark and median_copy(picture, foretold, sure, cell, mark) > COPY else None


def median_copy(picture: Tensor, foretold: Tensor, sure: Tensor, cell: Cell, mark: Mark) -> float:
    """How strong the mark is in the median copy, 1 being what all together say. Below it, few copies speak for all."""
    height = picture.shape[1]
    shown = cell.unfold(torch.cat([mark.opacity, mark.colour]), height)
    change = shown[:1] * (shown[1:] - foretold)
    which = cell.copies(height)
    found = torch.zeros(2, int(which.max()) + 1)
    alike = torch.stack([((picture - foretold) * change).sum(0), change.square().sum(0)])
    found.scatter_add_(1, which.expand(2, -1), (sure * alike).flatten(1))
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


def foretell(picture: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
    """What is hidden, (3, H, W), as far as what is around says it; and 1 / variance of the error, (H, W)."""
    seen = (~hidden)[None].float()
    shape = hidden.shape
    level = torch.cat([picture * seen, seen])
    said, share = torch.zeros_like(picture), torch.zeros_like(seen)
    for _ in range(LEVELS):
        near = F.interpolate(blurred(level, NEAR)[None], shape, mode="bilinear")[0]
        weight = (near[3:] / 0.15).clamp(max=1) * (1 - share)  # the nearest that says enough
        said += weight * near[:3] / near[3:].clamp(min=1e-4)
        share += weight
        level = F.avg_pool2d(level[None], 2, ceil_mode=True, count_include_pad=False)[0]
        if min(level.shape[1:]) < 4:
            break
    said = said / share.clamp(min=1e-3)
    off = torch.cat([(picture - said).square().mean(0, keepdim=True) * seen, seen])
    off = blurred(F.avg_pool2d(off[None], 4, ceil_mode=True)[0], NEAR)
    off = F.interpolate(off[None], shape, mode="bilinear")[0]
    return said, 1 / (off[0] / off[1].clamp(min=1e-3) + GRAIN**2)


def colour_of(picture: Tensor, foretold: Tensor, sure: Tensor, cell: Cell, full: Tensor) -> Tensor:
    """The mark's colour place by place, (3, h, w). `full` (1, h, w): where the mark is not at its edge.

    There all copies of a place lie on a line, marked against foretold values, whose slope is 1 - opacity.
    """
    height = picture.shape[1]
    sums = cell.fold(sure * torch.cat([torch.ones_like(sure)[None], picture, foretold]))
    mean = sums[1:] / sums[:1].clamp(min=1e-6)
    pixels = cell.unfold(full.float(), height)[0] > 0.9
    off = torch.cat([picture, foretold])[:, pixels] - cell.unfold(mean, height)[:, pixels]
    slope = slope_of(off[:3], off[3:], sure[pixels])
    colour = (mean[:3] - slope * mean[3:]) / (1 - slope)
    weight = sums[:1] * (1 - slope) ** 2 * full
    whole = (weight * colour).sum((1, 2), keepdim=True) / weight.sum().clamp(min=1e-6)
    return shrunk(whole, weight * (colour - whole), weight).clamp(0, 1)


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


def slope_of(marked: Tensor, foretold: Tensor, sure: Tensor) -> Tensor:
    """Of the line through 0 and (3, N) values, outliers disregarded: 0..0.97."""
    weight = sure
    for _ in range(8):
        slope = (weight * foretold * marked).sum() / (weight * foretold.square()).sum().clamp(min=1e-9)
        slope = slope.clamp(0, 0.97)
        off = (marked - slope * foretold).abs().amax(0) * sure.sqrt()
        weight = sure * (1.5 * off.median() / off.clamp(min=1e-9)).clamp(max=1)
    return slope


def moments(marked: Tensor, foretold: Tensor, sure: Tensor, colour: Tensor) -> Tensor:
    """What is summed over the copies, (9, H, W): see `opacities` and `colours`."""
    towards = colour - foretold
    moved, most = ((marked - foretold) * towards).sum(0), towards.square().sum(0)
    return sure * torch.cat([moved[None], most[None], torch.ones_like(most)[None], marked, foretold])


def opacities(sums: Tensor) -> tuple[Tensor, Tensor]:
    """How far each place is moved towards the mark's colour, (1, h, w) in 0..1, and that in standard errors."""
    moved, most = sums[:1], sums[1:2].clamp(min=1e-6)
    errors = moved / most.sqrt()  # as if neighbours and colours erred each for itself, which they do not
    errors = errors / (1.4826 * (errors - errors.median()).abs().median()).clamp(min=1)
    return (moved / most).clamp(0, 1), errors


def refined(sums: Tensor, rough: Mark) -> Mark:
    opacity, errors = opacities(sums)
    opacity = opacity * ((opacity > FAINTEST * rough.strength) & (errors > SURE))
    sure, marked, foretold = sums[2:3], sums[3:6], sums[6:9]
    colour = F.interpolate(rough.colour[None], opacity.shape[1:], mode="bilinear")[0]
    pull = opacity * (marked - (1 - opacity) * foretold - opacity * colour * sure)
    return Mark(opacity, shrunk(colour, pull, opacity.square() * sure).clamp(0, 1), rough.strength)


def _off(picture: Picture, cell: Cell, mark: Mark) -> Lifted:
    opacity, restored = np.zeros(picture.shape[:2], float32), np.empty_like(picture)
    for top in range(0, len(picture), BAND):
        band = planes(picture[top : top + BAND])
        shown = cell.unfold(torch.cat([mark.opacity, mark.colour]), band.shape[1], top)
        over = shown[:1].clamp(max=OPAQUE)
        below = ((band - over * shown[1:]) / (1 - over)).clamp(0, 1)
        opacity[top : top + BAND] = shown[0].numpy()
        restored[top : top + BAND] = (below * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    return Lifted(opacity, restored)
