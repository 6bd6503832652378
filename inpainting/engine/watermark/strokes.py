"""Which pixels make one mark: strokes near each other and equally opaque, and the rest of the line that they begin.

A stroke is what hangs together, a letter or a logo. What lies beside a mark but lets more or less through is something
else: texture that the network took for a mark as well.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy import bool_, float32, intp, uint8
from numpy.typing import NDArray

from inpainting.engine.crops.boxes import Box
from inpainting.engine.interface import Hole

DOT = 12  # pixels: a smaller stroke is noise
MOST = 1000  # strokes that are looked at, the largest ones: bounds the work
REACH, LEAST_REACH = 0.5, 2.0  # of a stroke's size, and pixels: the gap to the next stroke of the same mark
LARGEST = 80  # pixels: a larger stroke reaches no further
ALIKE, ADJACENT = 0.25, 0.35  # difference of opacity within a mark, and of strokes that almost touch
TOUCHING = 5.0  # pixels between outlines: gap of strokes that almost touch
POINTS = 48  # of a stroke's outline, by which gaps are measured where boxes are near: boxes of slanting text overlap
FAINT = 0.1  # probability: what is left of a mark beside what is sure of it, on its line
ALONG, ACROSS = 1.5, 0.2  # of a line's height: how far its rest may lie beyond what is sure, and above or below it
LONG = 1.5  # width to height of a line, at least


class Strokes(NamedTuple):
    """What hangs together of a picture's likely pixels."""

    labels: NDArray[intp]  # (H, W): the number of each pixel's stroke; what is none has 0
    boxes: NDArray[intp]  # (n, 4): left, top, right, bottom of strokes 1..n
    opacity: NDArray[float32]  # (n,), 0..1: its mean


def groups(likely: Hole, opacity: NDArray[float32]) -> list[tuple[Box, Hole]]:
    """The marks that likely pixels (H, W) may make up, of a prediction's opacity: each its box, and (h, w) of that."""
    strokes = _strokes(likely, opacity)
    found = []
    for members in _linked(_belong(strokes)):
        left, top = strokes.boxes[members, :2].min(0).tolist()
        right, bottom = strokes.boxes[members, 2:].max(0).tolist()
        box = Box(top, left, bottom, right)
        found.append((box, np.asarray(np.isin(strokes.labels[box.slices], members + 1), bool_)))
    return found


def rest_of_line(box: Box, inside: Hole, probability: NDArray[float32]) -> tuple[Box, Hole]:
    """A mark with the fainter ends of the line that it is part of, (h, w) of a longer box; itself if it is no line.

    What lies above or below is another line, which has to be sure by itself.
    """
    if box.height > LONG * box.width:
        turned, rest = rest_of_line(_transposed(box), inside.T, probability.T)
        return _transposed(turned), rest.T
    if box.width < LONG * box.height:
        return box, inside
    band = Box(
        *(max(0, box.top - round(ACROSS * box.height)), 0),
        *(min(len(probability), box.bottom + round(ACROSS * box.height)), probability.shape[1]),
    )
    line = _apart(probability[band.slices] > FAINT)
    line[:, box.left : box.right] = False  # within its own length all of a mark was seen
    line[box.moved(-band.top, 0).slices] = inside
    columns = np.flatnonzero(line.any(0))
    reach = ALONG * box.height
    left, right = box.left, box.right
    for column in columns[columns < box.left][::-1].tolist():
        left = column if left - column <= reach else left
    for column in columns[columns >= box.right].tolist():
        right = column + 1 if column - right < reach else right
    rows = np.flatnonzero(line[:, left:right].any(1))
    whole = Box(band.top + int(rows[0]), left, band.top + int(rows[-1]) + 1, right)
    return whole, line[whole.moved(-band.top, 0).slices]


def _transposed(box: Box) -> Box:
    return Box(box.left, box.top, box.right, box.bottom)


def _apart(pixels: Hole) -> Hole:
    """Without what is smaller than a dot."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(pixels.astype(uint8), connectivity=8)
    large = np.r_[False, stats[1:, cv2.CC_STAT_AREA] >= DOT]
    return np.asarray(large[labels]) if count > 1 else np.zeros_like(pixels)


def _strokes(likely: Hole, opacity: NDArray[float32]) -> Strokes:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(likely.astype(uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    kept = np.sort(np.argsort(-areas, kind="stable")[:MOST])
    kept = kept[areas[kept] >= DOT]
    numbers = np.zeros(len(stats), intp)
    numbers[kept + 1] = np.arange(1, len(kept) + 1)
    labels = numbers[labels]
    left, top, wide, tall = stats[1:][kept, :4].T.astype(intp)
    sums = np.bincount(labels.ravel(), opacity.ravel(), minlength=len(kept) + 1)[1:]
    means = (sums / np.maximum(areas[kept], 1)).astype(float32)
    return Strokes(labels, np.stack([left, top, left + wide, top + tall], 1), means)


def _belong(strokes: Strokes) -> NDArray[bool_]:
    """(n, n): which strokes are near each other and equally opaque."""
    start, end = strokes.boxes[:, :2], strokes.boxes[:, 2:]
    apart = np.maximum(start[:, None] - end[None], start[None] - end[:, None]).clip(min=0)
    gaps = np.hypot(apart[..., 0], apart[..., 1])
    sizes = np.minimum((end - start).max(1, initial=0), LARGEST)
    reach = np.maximum(np.minimum(sizes[:, None], sizes), np.maximum(sizes[:, None], sizes) / 2)
    differences = np.abs(strokes.opacity[:, None] - strokes.opacity)
    reach = LEAST_REACH + REACH * reach
    near = (gaps <= reach) & (differences <= ADJACENT)
    points = [_outline(strokes, number) for number in range(len(strokes.boxes))]
    for one, other in np.argwhere(np.triu(near, 1)).tolist():
        gap = np.sqrt(((points[one][:, None] - points[other]) ** 2).sum(2).min())
        alike = ADJACENT if gap < TOUCHING else ALIKE
        near[one, other] = near[other, one] = gap <= reach[one, other] and differences[one, other] <= alike
    return near


def _outline(strokes: Strokes, number: int) -> NDArray[float32]:
    """(n, 2): at most POINTS pixels of a stroke's outline."""
    left, top, right, bottom = strokes.boxes[number].tolist()
    inside = (strokes.labels[top:bottom, left:right] == number + 1).astype(uint8)
    inner = cv2.erode(inside, np.ones((3, 3), uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    points = np.argwhere(inside > inner)
    return np.add(points[:: -(-len(points) // POINTS)], (top, left)).astype(float32)


def _linked(adjacent: NDArray[bool_]) -> list[NDArray[intp]]:
    """The groups of what is adjacent, directly or through others."""
    left = np.ones(len(adjacent), bool_)
    found = []
    while left.any():
        group = np.zeros_like(left)
        edge = np.zeros_like(left)
        edge[np.argmax(left)] = True
        while edge.any():
            group |= edge
            edge = adjacent[edge].any(0) & ~group
        left &= ~group
        found.append(np.flatnonzero(group))
    return found
