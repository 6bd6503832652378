"""Which crops of a picture an inpainter has to see, and how what it makes is put back.

An inpainter's work grows with the area it is given, so a small hole in a big picture is cut out with context around it.
Holes near each other share a crop where that is less work; where crops would be more work than the whole frame, the
whole frame it is. A hole that hangs together is never divided, unless its crop would exceed what an inpainter may be
given; then the pieces are filled one after the other, each seeing those before it. A hole thicker than an inpainter can
bridge is filled at a lower resolution.
"""

import heapq
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, count
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inpainting.engine.interface import Hole, Picture, Weights

CELL = 16  # pixels: holes closer than this to each other count as one
MOST_PARTS = 128  # with more separate holes than this the cells are doubled, to bound the planning
MULTIPLE = 32  # crops have sides of this, which LaMa's fast form would otherwise pad to; the context gains by it
CALL = 1 << 14  # pixels' worth of work that a call costs beyond its pixels: 15,000 to 30,000 measured for LaMa on a CPU
GRAIN = 8  # pixels: how exactly the thickness of a hole is told
STRIP = 1 << 20  # pixels blended at a time, so that a big picture is never held as floats

# (picture, hole) -> picture, of one size; only what it returns inside the hole is used.
Fill = Callable[[Picture, Hole], Picture]


@dataclass(frozen=True)
class Limits:
    """What an inpainter wants to be given."""

    context: int  # pixels of the picture around a hole
    area: int  # most pixels of a crop: bounds memory and time
    thickness: int  # pixels across the thickest hole that it can bridge
    work: int  # for all crops of a picture, in pixels; past this everything is filled at a lower resolution


class Box(NamedTuple):
    """A rectangle of pixels, half open."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def area(self) -> int:
        return self.height * self.width

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def moved(self, down: int, right: int) -> "Box":
        return Box(self.top + down, self.left + right, self.bottom + down, self.right + right)

    @classmethod
    def around(cls, boxes: tuple["Box", ...]) -> Self:
        tops, lefts, bottoms, rights = zip(*boxes, strict=True)
        return cls(min(tops), min(lefts), max(bottoms), max(rights))


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


def inpaint(image: Picture, weights: Weights, fill: Fill, limits: Limits) -> Picture:
    """Fill and blend: original + weight * (inpainted - original), rounded. The contract is `Inpainter.predict`'s."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"The picture must be (H, W, 3) uint8, not {image.shape} {image.dtype}.")
    if weights.shape != image.shape[:2] or weights.dtype != np.float32:
        raise ValueError(f"The weights must be {image.shape[:2]} float32, not {weights.shape} {weights.dtype}.")
    hole = weights > 0
    if hole.all():
        raise ValueError("The hole covers the whole picture: nothing is left to continue.")
    filled = image.copy()
    for region in plan(hole, limits):
        _fill_region(filled, hole, region, fill)
    blend(filled, image, weights)
    return filled


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
    work = sum(region.work for region in regions)
    return plan(hole, limits, least_scale + 1) if work > limits.work else regions


def parts(hole: Hole) -> list[Box]:
    """Tight boxes around the parts of a hole that hang together, as cells of a grid see it. Boxes may overlap."""
    cell = CELL
    while len(groups := _groups(_cells(np.logical_or, hole, cell))) > MOST_PARTS:
        cell *= 2
    boxes = []
    for group in groups:
        rows, columns = zip(*group, strict=True)
        top, left, bottom, right = min(rows), min(columns), max(rows) + 1, max(columns) + 1
        boxes += _tight(hole, Box(top * cell, left * cell, bottom * cell, right * cell))
    return boxes


def _cells(operation: np.ufunc, values: np.ndarray, cell: int, dtype: type = np.bool_) -> np.ndarray:
    """Each cell x cell block made one by an operation: (H, W, ...) -> (ceil(H / cell), ceil(W / cell), ...)."""
    for axis in (0, 1):
        values = operation.reduceat(values, np.arange(0, values.shape[axis], cell), axis=axis, dtype=dtype)
    return values


def _groups(occupied: np.ndarray) -> list[list[tuple[int, int]]]:
    """Cells that touch each other, also at corners."""
    left = {(row, column) for row, column in np.argwhere(occupied).tolist()}
    groups = []
    while left:
        group = [left.pop()]
        for row, column in group:  # grows while it is read
            around = {(row + dy, column + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= around
            group += around
        groups.append(sorted(group))
    return sorted(groups)


def _tight(hole: Hole, box: Box) -> list[Box]:
    """The box made as small as the hole pixels in it allow; none if there are none."""
    inside = hole[box.slices]
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    if not rows.size:
        return []
    top, left = box.top, box.left
    return [Box(*map(int, (top + rows[0], left + columns[0], top + rows[-1] + 1, left + columns[-1] + 1)))]


def _thickness(hole: Hole, box: Box) -> int:
    """About how many pixels across the hole's thickest place in the box is: the side of the largest square inside it.

    Beyond the picture's edge nothing is known, so a hole there counts as going on.
    """
    cell = GRAIN
    (top, left), (height, width) = (max(0, box.top - cell), max(0, box.left - cell)), hole.shape
    near = hole[top : min(height, box.bottom + cell), left : min(width, box.right + cell)]
    inside = np.pad(_cells(np.logical_and, near, cell), 1, mode="edge")
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
    if region.pixels <= limits.area:
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
        for tight in _tight(hole, half):
            yield from _divide(hole, tight, scale, limits)


def _region(holes: tuple[Box, ...], scale: int, shape: tuple[int, ...], limits: Limits) -> Region:
    box = Box.around(holes)
    top, bottom = _span(box.top, box.bottom, shape[0], limits.context * scale, MULTIPLE * scale)
    left, right = _span(box.left, box.right, shape[1], limits.context * scale, MULTIPLE * scale)
    return Region(holes, Box(top, left, bottom, right), scale)


def _span(low: int, high: int, size: int, context: int, multiple: int) -> tuple[int, int]:
    """low..high with context on both sides, moved inwards at the picture's edges; its length a multiple if it fits."""
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
        return (-saved, i, j) if saved >= 0 and both.pixels <= limits.area else None

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
    less = whole.pixels <= limits.area and whole.work <= sum(region.work for region in merged)
    return [whole] if less else merged


def _fill_region(filled: Picture, hole: Hole, region: Region, fill: Fill) -> None:
    """Fill one region of `filled` in place, and take what was filled out of `hole`."""
    picture, inside = filled[region.crop.slices], hole[region.crop.slices]
    if not any(hole[box.slices].any() for box in region.holes):
        return
    if region.scale == 1:
        made = fill(np.ascontiguousarray(picture), np.ascontiguousarray(inside))
    else:
        made = enlarge(fill(*shrink(picture, inside, region.scale)), region.scale, inside.shape)
    for box in region.holes:
        top, left = box.top - region.crop.top, box.left - region.crop.left
        part = made[top : top + box.height, left : left + box.width]
        np.copyto(filled[box.slices], part, where=hole[box.slices][..., None])
        hole[box.slices] = False


def shrink(picture: Picture, hole: Hole, scale: int) -> tuple[Picture, Hole]:
    """A smaller picture, each pixel the average of the known pixels in its block; a hole only where there are none."""
    known = ~hole
    counts = _cells(np.add, known, scale, np.uint32)
    sums = _cells(np.add, picture * known[..., None], scale, np.uint32)
    average = np.rint(sums / np.maximum(counts, 1)[..., None])
    return average.astype(np.uint8), counts == 0


def enlarge(picture: Picture, scale: int, shape: tuple[int, ...]) -> Picture:
    """The inverse of `shrink` in geometry: to (H, W) = `shape`, smoothly."""
    height, width = shape
    source = (0, 0, width / scale, height / scale)
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC, box=source))


def mirror(array: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """A picture or hole made at least so large, by reflection at the bottom and right; itself if it is already."""
    missing = [(0, max(0, wanted - side)) for wanted, side in zip((height, width), array.shape, strict=False)]
    if not any(after for _, after in missing):
        return array
    return np.pad(array, missing + [(0, 0)] * (array.ndim - 2), mode="symmetric")


def blend(filled: Picture, original: Picture, weights: Weights) -> None:
    """filled = original + weight * (filled - original), in place, strip by strip. Weights of 0 and 1 need nothing."""
    rows = max(1, STRIP // weights.shape[1])
    soft = (weights > 0) & (weights < 1)
    for top in range(0, len(weights), rows):
        strip = slice(top, top + rows)
        chosen = soft[strip]
        if chosen.any():
            before, after = original[strip][chosen].astype(np.float32), filled[strip][chosen]
            filled[strip][chosen] = np.rint(before + weights[strip][chosen][:, None] * (after - before))
