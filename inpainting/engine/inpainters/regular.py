"""Patterns that repeat: a hole in one goes on by the pattern's own period, and no model has to be asked.

Halftone screens, chessboards, ruled lines, bricks and weaves are exact copies of themselves some pixels further on.
Models blur what is that fine, and mix what they copied. Blocks beside the hole are looked for elsewhere; shifts that
find them again fill the hole, but only where they also tell what is known around it (He and Sun, "Statistics of Patch
Offsets for Image Completion", ECCV 2012, fill any picture by such shifts; here they have to be right).
"""

from collections.abc import Callable, Iterator

import cv2
import numpy as np
from numpy import bool_, float32, intp
from numpy.typing import NDArray

from inpainting.engine.interface import Hole, Picture

SIDE = 64  # pixels: of a block that is looked for
FIRST = 2  # blocks that are looked for; two more, if one of these is found again
MOST_LOOKS = 60_000_000  # at pixels, in all steps (5 s): of a bar code each step fills one row
FAR = 128  # pixels: longest shift along either axis
ALIKE = 0.05  # of a block's variance: mean square difference of what counts as found again
SAME = 0.5  # of a block's variance: while a shift differs by no more it has not left the place it started from
EXACT = 0.05  # mean square difference in levels: of what is found again to the bit, but for rounding
PLAIN = 16.0  # variance, levels squared: what has less is no pattern
SPREAD = 32  # pixels: of all shifts that end in a square of this side the best one is enough
RIM = 12  # pixels around a hole that shifts have to tell
NEAR = 17  # pixels: side of the squares in which they are judged
LEVELS, SHARE = 1.0, 0.2  # mean difference in a square: so many levels, and of the standard deviation, at most
MOST = 0.5  # of a hole that has to go on; where it is less, that is chance

Shifts = NDArray[intp]  # (N, 2): down and right, the best first


def fill(picture: Picture, hole: Hole, otherwise: Callable[[Picture, Hole], Picture]) -> Picture:
    """As an inpainter's `fill`: what repeats goes on, and `otherwise` fills what is left."""
    made, left = continued(picture, hole)
    return otherwise(made, left) if left.any() else made


def continued(picture: Picture, hole: Hole) -> tuple[Picture, Hole]:
    """The picture (H, W, 3), its hole (H, W) filled where a pattern goes on; and the hole that is left."""
    shifts = _shifts(picture, hole)
    if not len(shifts):
        return picture, hole
    rim = (_widened(hole, RIM) & ~hole) > 0
    told, missing = _copied(picture, hole | rim, shifts)
    error = np.abs(told.astype(float32) - picture).mean(2)
    weight = (rim & ~missing).astype(float32)
    count = cv2.boxFilter(weight, -1, (NEAR, NEAR), normalize=False)
    mean = cv2.boxFilter(error * weight, -1, (NEAR, NEAR), normalize=False) / np.maximum(count, 1)
    right = rim & (count > 0) & (mean <= LEVELS + SHARE * _deviation(picture, weight))
    copied, missing = _copied(picture, hole, shifts)
    filled = hole & ~missing & right.reshape(-1)[_nearest(rim)]
    if filled.sum() < MOST * hole.sum():
        return picture, hole
    return np.where(filled[..., None], copied, picture), hole & ~filled


def _shifts(picture: Picture, hole: Hole) -> Shifts:
    """By which every block that is found again is found again; none if there is no such block."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(float32)
    size = 2 * FAR + 1
    agreed, refused, total = np.zeros((size, size), bool_), np.zeros((size, size), bool_), np.zeros((size, size))
    for tried, (top, left) in enumerate(_blocks(hole)):
        if tried == FIRST and not agreed.any():
            break
        error, found = _found_again(grey, hole, top, left)
        if found.any():
            agreed |= found
            refused |= np.isfinite(error) & ~found
            total += np.where(found, error, 0)
    agreed |= agreed[::-1, ::-1]  # what repeats one way repeats the other way
    refused |= refused[::-1, ::-1]
    total = np.maximum(total, total[::-1, ::-1])
    shifts = np.argwhere(agreed & ~refused) - FAR
    if not len(shifts):
        return shifts
    errors = total[tuple((shifts + FAR).T)]
    shifts = shifts[np.lexsort((np.abs(shifts).sum(1), errors))]
    _, best = np.unique(shifts // SPREAD, axis=0, return_index=True)
    return shifts[np.sort(best)]


def _blocks(hole: Hole) -> Iterator[tuple[int, int]]:
    """Top and left of blocks beside the hole that have none of it, from all around it, the ends first."""
    height, width = hole.shape
    step = SIDE // 4
    tops, lefts = np.arange(0, height - SIDE + 1, step), np.arange(0, width - SIDE + 1, step)
    if not (len(tops) and len(lefts)):
        return
    places = np.argwhere(~_touched(hole, tops, lefts) & _touched(_widened(hole, step), tops, lefts)) * step
    last = len(places) - 1
    for at in dict.fromkeys((0, last, last // 3, 2 * last // 3)) if len(places) else ():
        yield int(places[at, 0]), int(places[at, 1])


def _touched(hole: Hole, tops: NDArray[intp], lefts: NDArray[intp]) -> NDArray[bool_]:
    """Whether the block at each place has a pixel of the hole: (tops, lefts)."""
    sums = np.asarray(cv2.integral(hole.astype(np.uint8)))
    rows = sums[tops + SIDE] - sums[tops]
    return np.asarray(rows[:, lefts + SIDE] - rows[:, lefts]) > 0


def _found_again(grey: NDArray[float32], hole: Hole, top: int, left: int) -> tuple[NDArray[float32], NDArray[bool_]]:
    """By shift, (2 FAR + 1, 2 FAR + 1): the mean square difference of a block, infinite where that cannot be told; and
    whether it is found again there, and not only in the place it comes from."""
    height, width = hole.shape
    above, before = min(FAR, top), min(FAR, left)
    window = (
        slice(top - above, min(height, top + SIDE + FAR)),
        slice(left - before, min(width, left + SIDE + FAR)),
    )
    block = grey[top : top + SIDE, left : left + SIDE]
    mean, variance = float(block.mean()), float(block.var())
    error = np.full((2 * FAR + 1, 2 * FAR + 1), np.inf, float32)
    if variance < PLAIN:
        return error, np.zeros(error.shape, bool_)
    part = cv2.matchTemplate(grey[window] - mean, block - mean, cv2.TM_SQDIFF) / SIDE**2
    part[_touched(hole[window], np.arange(part.shape[0]), np.arange(part.shape[1]))] = np.inf
    rows, columns = part.shape
    error[FAR - above : FAR - above + rows, FAR - before : FAR - before + columns] = part
    _, labels = cv2.connectedComponents((error <= max(SAME * variance, EXACT)).astype(np.uint8))
    found = (error <= ALIKE * variance) & (labels != labels[FAR, FAR]) | (error <= EXACT)
    found[FAR, FAR] = False
    return error, found


def _copied(picture: Picture, hole: Hole, shifts: Shifts) -> tuple[Picture, Hole]:
    """The hole's pixels from where the shifts lead, in steps where one is not enough; and what none of them fills."""
    made, missing = picture.copy(), hole.copy()
    places = np.argwhere(missing)
    looks = 0
    while len(places) and looks < MOST_LOOKS:
        left = places
        for shift in shifts:
            looks += len(left)
            source = left + shift
            inside = ((source >= 0) & (source < hole.shape)).all(1)
            source[~inside] = left[~inside]
            known = ~missing[tuple(source.T)]
            made[tuple(left[known].T)] = made[tuple(source[known].T)]
            left = left[~known]
            if not len(left):
                break
        if len(left) == len(places):
            break
        missing[tuple(places.T)] = False
        missing[tuple(left.T)] = True
        places = left
    return made, missing


def _deviation(picture: Picture, weight: NDArray[float32]) -> NDArray[float32]:
    """(H, W): the standard deviation of what counts in the square around each pixel, of the channel with the most."""
    count = np.maximum(cv2.boxFilter(weight, -1, (NEAR, NEAR), normalize=False), 1)[..., None]
    values = picture.astype(float32)
    sums = (cv2.boxFilter(one * weight[..., None], -1, (NEAR, NEAR), normalize=False) for one in (values, values**2))
    mean, square = (one / count for one in sums)
    return np.asarray(np.sqrt(np.maximum(square - mean**2, 0)).max(2), float32)


def _nearest(rim: Hole) -> NDArray[intp]:
    """(H, W): the flat place of the rim's nearest pixel."""
    _, labels = cv2.distanceTransformWithLabels((~rim).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    places = np.zeros(int(labels.max()) + 1, intp)
    places[labels[rim]] = np.flatnonzero(rim)
    return places[labels]


def _widened(hole: Hole, reach: int) -> Hole:
    return np.asarray(cv2.dilate(hole.astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0)
