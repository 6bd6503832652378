"""Rectangles of pixels, and those around the parts of a hole."""

from typing import NamedTuple, Self

import numpy as np

from inpainting.engine.interface import Hole

CELL = 16  # pixels: holes closer than this to each other count as one
MOST_PARTS = 128  # with more separate holes than this the cells are doubled, to bound the planning


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

    def widened(self, reach: int, height: int, width: int) -> "Box":
        """With `reach` pixels more on every side, as far as a picture of that size goes."""
        return Box(
            *(max(0, self.top - reach), max(0, self.left - reach)),
            *(min(height, self.bottom + reach), min(width, self.right + reach)),
        )

    def meets(self, other: "Box") -> bool:
        """Whether some pixel is in both."""
        return max(self.top, other.top) < min(self.bottom, other.bottom) and max(self.left, other.left) < min(
            self.right, other.right
        )

    def moved(self, down: int, right: int) -> "Box":
        return Box(self.top + down, self.left + right, self.bottom + down, self.right + right)

    @classmethod
    def around(cls, boxes: tuple["Box", ...]) -> Self:
        tops, lefts, bottoms, rights = zip(*boxes, strict=True)
        return cls(min(tops), min(lefts), max(bottoms), max(rights))


def parts(hole: Hole) -> list[Box]:
    """Tight boxes around the parts of a hole that hang together, as cells of a grid see it. Boxes may overlap."""
    cell = CELL
    while len(groups := _groups(cells(np.logical_or, hole, cell))) > MOST_PARTS:
        cell *= 2
    boxes = []
    for group in groups:
        rows, columns = zip(*group, strict=True)
        top, left, bottom, right = min(rows), min(columns), max(rows) + 1, max(columns) + 1
        boxes += tight_boxes(hole, Box(top * cell, left * cell, bottom * cell, right * cell))
    return boxes


def cells(operation: np.ufunc, values: np.ndarray, cell: int, dtype: type = np.bool_) -> np.ndarray:
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


def tight_boxes(hole: Hole, box: Box) -> list[Box]:
    """The box made as small as the hole pixels in it allow; none if there are none."""
    inside = hole[box.slices]
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    if not rows.size:
        return []
    top, left = box.top, box.left
    return [Box(*map(int, (top + rows[0], left + columns[0], top + rows[-1] + 1, left + columns[-1] + 1)))]
