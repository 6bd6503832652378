"""Which crops of a picture an inpainter has to see.

An inpainter's work grows with the area it is given, so a small hole in a big picture is cut out with context around it.
Holes near each other share a crop where that is less work; where crops would be more work than the whole frame, the
whole frame it is. A hole that hangs together is never divided, unless its crop would exceed what an inpainter may be
given; then the pieces are filled one after the other, each seeing those before it. A hole thicker than an inpainter can
bridge is filled at a lower resolution.
"""

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, count

import numpy as np

from inpainting.engine.crops.boxes import Box, cells, parts, tight_boxes
from inpainting.engine.interface import Hole

MULTIPLE = 32  # crops have sides of this, which LaMa's fast form would otherwise pad to; the context gains by it
CALL = 1 << 14  # pixels' worth of work that a call costs beyond its pixels: 15,000 to 30,000 measured for LaMa on a CPU
GRAIN = 8  # pixels: how exactly the thickness of a hole is told


@dataclass(frozen=True)
class Limits:
    """What an inpainter wants to be given."""

    context: int  # pixels of the picture around a hole
    area: int  # most pixels of a crop: bounds memory and time
    thickness: int  # pixels across the thickest hole that it can bridge
    work: int  # for all crops of a picture, in pixels; past this everything is filled at a lower resolution
    square: int = 0  # pixels a side: crops are of exactly this, as far as the picture is; 0: of any size


@dataclass(frozen=True)
class Region:
    """One call of an inpainter."""

    holes: tuple[Box, ...]  # hole pixels inside these are filled
    crop: Box  # what the inpainter sees
    scale: int  # the crop is made smaller by this factor first

    @property
    def pixels(self) -> float:
        """What the inpainter is given."""
        return self.crop.area / self.scale**2

    @property
    def work(self) -> float:
        """Its cost, in pixels."""
        return self.pixels + CALL


def plan(hole: Hole, limits: Limits, least_scale: int = 1) -> list[Region]:
    """The calls that fill a hole, in order: what is filled at low resolution first. Empty without a hole.

    Per scale, the work is at most that of the whole frame, if `limits` allow the whole frame at that scale.
    """
    by_scale: dict[int, list[Region]] = {}
    for box in parts(hole):
        scale = max(least_scale, math.ceil(_thickness(hole, box) / limits.thickness))
        by_scale.setdefault(scale, []).extend(_divide(hole, box, scale, limits))
    regions: list[Region] = []
    for scale in sorted(by_scale, reverse=True):
        regions += _merge(by_scale[scale], hole.shape, limits)
    least = limits.square**2 + CALL if limits.square else 0  # a square that the picture does not fill costs as much
    work = sum(max(region.work, least) for region in regions)
    return plan(hole, limits, least_scale + 1) if work > limits.work else regions


def _thickness(hole: Hole, box: Box) -> int:
    """About how many pixels across the hole's thickest place in the box is: the side of the largest square inside it.

    Beyond the picture's edge nothing is known, so a hole there counts as going on.
    """
    cell = GRAIN
    (top, left), (height, width) = (max(0, box.top - cell), max(0, box.left - cell)), hole.shape
    near = hole[top : min(height, box.bottom + cell), left : min(width, box.right + cell)]
    inside = np.pad(cells(np.logical_and, near, cell), 1, mode="edge")
    depth = 0
    while inside.any() and not inside.all():
        inside = np.pad(inside, 1, mode="edge")
        inside = inside[:-2] & inside[1:-1] & inside[2:]
        inside = inside[:, :-2] & inside[:, 1:-1] & inside[:, 2:]
        depth += 1
    return 2 * depth * cell


def _divide(hole: Hole, box: Box, scale: int, limits: Limits) -> Iterator[Region]:
    """The box as one region, or halved until every crop is within the limits."""
    region = _region((box,), scale, hole.shape, limits)
    if _fits(region, limits):
        yield region
        return
    top, left, bottom, right = box
    if box.height >= box.width:
        middle = (top + bottom) // 2
        halves = Box(top, left, middle, right), Box(middle, left, bottom, right)
    else:
        middle = (left + right) // 2
        halves = Box(top, left, bottom, middle), Box(top, middle, bottom, right)
    for half in halves:
        for tight in tight_boxes(hole, half):
            yield from _divide(hole, tight, scale, limits)


def _region(holes: tuple[Box, ...], scale: int, shape: tuple[int, ...], limits: Limits) -> Region:
    box = Box.around(holes)
    top, bottom = _span(box.top, box.bottom, shape[0], limits, scale)
    left, right = _span(box.left, box.right, shape[1], limits, scale)
    return Region(holes, Box(top, left, bottom, right), scale)


def _fits(region: Region, limits: Limits) -> bool:
    sides = region.crop.height, region.crop.width
    return region.pixels <= limits.area and (not limits.square or max(sides) <= limits.square * region.scale)


def _span(low: int, high: int, size: int, limits: Limits, scale: int) -> tuple[int, int]:
    """low..high with context on both sides, moved inwards at the picture's edges; its length a multiple if it fits."""
    context, multiple = max(limits.context * scale, (limits.square * scale - high + low) // 2), MULTIPLE * scale
    length = min(size, math.ceil((high - low + 2 * context) / multiple) * multiple)
    start = min(max(0, low - context), size - length)
    return start, start + length


def _merge(regions: list[Region], shape: tuple[int, ...], limits: Limits) -> list[Region]:
    """Join regions of one scale, the pair that saves most work first; or all, in the whole frame, if that is least."""
    alive, names = dict(enumerate(regions)), count(len(regions))

    def joined(a: Region, b: Region) -> Region:
        return _region(a.holes + b.holes, a.scale, shape, limits)

    def candidate(i: int, j: int) -> tuple[float, int, int] | None:
        both = joined(alive[i], alive[j])
        saved = alive[i].work + alive[j].work - both.work
        return (-saved, i, j) if saved >= 0 and _fits(both, limits) else None

    heap = [found for i, j in combinations(alive, 2) if (found := candidate(i, j))]
    heapq.heapify(heap)
    while heap:
        _, i, j = heapq.heappop(heap)
        if i in alive and j in alive:
            new, both = next(names), joined(alive.pop(i), alive.pop(j))
            others, alive[new] = list(alive), both
            for other in others:
                if found := candidate(other, new):
                    heapq.heappush(heap, found)
    merged = list(alive.values())
    whole = Region(tuple(box for region in merged for box in region.holes), Box(0, 0, *shape), merged[0].scale)
    less = _fits(whole, limits) and whole.work <= sum(region.work for region in merged)
    return [whole] if less else merged
