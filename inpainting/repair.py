"""Which repair of a found mark leaves the least trace: taking it off what lies below, or filling its shape anew.

Restoring keeps the picture below, but leaves a ghost where opacity or colour were misjudged. Repainting leaves no
ghost, but makes up what was below. How strong the ghost is can be measured without knowing the truth: what of the
mark's outline is still there, against how the picture changes nearby. How much there is to make up shows around it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import astuple, dataclass

import cv2
import numpy as np
from numpy import bool_, float32, uint8
from numpy.typing import NDArray

from inpainting.engine.crops.boxes import Box, parts
from inpainting.engine.interface import Detection, Hole, Picture

OPAQUE = 0.75  # mean opacity above which too little of the picture shines through to compute it from (measured)
MOSTLY = 0.5  # share of a mark that was computed from copies, above which it is one of them: those come off exactly
EXTENT = 0.35  # probability: pixels above it, near a mark, belong to its shape: rims, soft shadows
RIM = 3  # pixels around a mark that may be mended with it, diagonally
CONTEXT = 24  # pixels around a mark that its surroundings are judged by
WINDOW = 5  # pixels: reach of the means on either side of an outline
LARGEST = 1 << 20  # pixels of a mark's box that are measured at most: bounds the memory of float planes
FEWEST = 4.0  # pixels that such a mean must be of
FINE = 4.0  # pixels, standard deviation: coarser structure than that is none of a mark's pattern
NEARBY = 6.0, 3.0  # pixels, or a part of a mark's height: standard deviation of where its pattern is looked for


@dataclass(frozen=True)
class Mark:
    """One mark, in a box of the picture that has room around it."""

    box: Box
    inside: Hole  # (h, w) of the box: the pixels of the mask
    touched: Hole  # (h, w) of the box: what restoring the mark changes, it and its rim
    shape: Hole  # (h, w) of the box: what is filled if the mark is repainted


@dataclass(frozen=True)
class Measures:
    """What speaks for repainting a mark, or as weights of a linear model: how much it does."""

    constant: float
    opacity: float  # mean, 0..1
    ghost: float  # log of the step left at the outline, against steps nearby
    thickness: float  # log of the pixels from the middle of the shape's thickest place to its edge
    grain: float  # log of the standard deviation of the surroundings, in levels of 255
    echo: float  # log of how strong the pattern of the mark's opacity still is in the picture, in levels of 255


# Learned on rendered marks by `python -m training repair`: log of the perceptual distance from the truth after
# restoring over that after repainting. The constant favours repainting by a factor of 1.1 in that distance: a ghost
# that can be read disturbs a little more than grain that is not the original's. The echo was weighed later, by eye, so
# that one of 4 levels changes nothing.
LEARNED = Measures(constant=1.78, opacity=2.14, ghost=0.32, thickness=-0.39, grain=-0.84, echo=0.5)


def marks(found: Detection) -> Iterator[Mark]:
    """The marks of a detection, each with its shape, apart from what is on bars."""
    mask = found.mask if found.bars is None else found.mask & ~found.bars
    for part in parts(mask) if mask.any() else []:
        box = part.widened(CONTEXT, *mask.shape)
        inside = np.zeros((box.height, box.width), bool_)
        own = part.moved(-box.top, -box.left).slices
        inside[own] = mask[part.slices]
        touched = found.touched[box.slices] & _widened(inside, RIM)
        yield Mark(box, inside, touched, _shape(found.probability[box.slices], inside, min(part.height, part.width)))


def is_repainted(mark: Mark, found: Detection) -> bool:
    """Whether repainting the mark leaves less of a trace than `found.restored` does."""
    opacity = found.opacity[mark.box.slices]
    if found.opaque is None and opacity[mark.inside].mean() > OPAQUE:
        return True
    if found.copies is not None and found.copies[mark.box.slices][mark.inside].mean() > MOSTLY:
        return False
    measures = measured(mark, opacity, found.restored[mark.box.slices])
    return float(np.dot(astuple(LEARNED), astuple(measures))) > 0


def opaque(mark: Mark, found: Detection) -> Hole:
    """(h, w) of the mark's box: what of it has to be repainted, however well the rest is restored; and its rim."""
    if found.opaque is None:
        return np.zeros_like(mark.inside)
    return _widened(found.opaque[mark.box.slices] & mark.inside, RIM) & mark.touched


def measured(mark: Mark, opacity: NDArray[float32], restored: Picture) -> Measures:
    """The measures of a mark; `opacity` (h, w) in 0..1 and `restored` (h, w, 3) are of its box."""
    every = math.ceil(math.sqrt(mark.box.area / LARGEST))  # one pixel of so many, each way
    sparse = slice(None, None, every), slice(None, None, every)
    pixels, inside, shape = restored[sparse].astype(float32), mark.inside[sparse], mark.shape[sparse]
    around = [_widened(shape, reach) for reach in (4, 10)]
    near, far = around[0] & ~shape, around[1] & ~around[0]
    left = _step(pixels, inside, _widened(inside, 5) & ~_widened(inside, 1))
    nearby = _step(pixels, near, far)
    return Measures(
        constant=1.0,
        opacity=float(opacity[mark.inside].mean()),
        ghost=float(np.log((left + 2) / (nearby + 2))),
        thickness=float(np.log(every * max(1.0, _distances(shape).max()))),
        grain=float(np.log1p(_deviation(pixels, near | far))),
        echo=float(np.log1p(_echo(pixels, opacity[sparse] * inside, shape))),
    )


def _shape(probability: NDArray[float32], inside: Hole, size: int) -> Hole:
    """A mark's closed and grown shape, (h, w); `size`: pixels across it."""
    likely = inside | (_widened(inside, 3 + size // 10) & (probability > EXTENT))
    gap = 2 + min(size, 96) // 12
    # Room all around, so that what closes at the edge of the picture closes as elsewhere.
    roomy = np.pad(likely.astype(uint8), 2 * gap)
    closed = cv2.morphologyEx(roomy, cv2.MORPH_CLOSE, _disc(gap))[2 * gap : -2 * gap, 2 * gap : -2 * gap]
    return _widened(closed > 0, 2 + min(size, 100) // 25)


def _step(pixels: NDArray[float32], here: Hole, there: Hole) -> float:
    """By how much means on either side of the border between two areas differ, in levels; its mean along the border."""
    mean, count = _means(pixels, here)
    other, others = _means(pixels, there)
    border = _widened(here, 2) & ~cv2.erode(here.astype(uint8), _disc(1)).astype(bool)
    border &= (count > FEWEST) & (others > FEWEST)
    return float(np.abs(mean - other).max(2)[border].mean()) if border.any() else 0.0


def _echo(pixels: NDArray[float32], opacity: NDArray[float32], shape: Hole) -> float:
    """By how much the pixels follow a mark's opacity, in levels of the channel that does most; its mean over the mark.

    Opacity or colour that were misjudged leave a multiple of the pattern of the opacity, of either sign; a picture has
    nothing in common with that. Least squares within the shape, near each pixel.
    """
    reach = max(NEARBY[0], (min(shape.shape) - 2 * CONTEXT) / NEARBY[1])
    pattern, fine = _fine(opacity)[..., None], _fine(pixels)
    alike, square = (_blurred(plane * shape[..., None], reach) for plane in (pattern * fine, pattern.repeat(3, 2) ** 2))
    left = np.abs(alike / (square + 1e-4)).max(2) * opacity
    return float(left[opacity > 0].mean()) if opacity.any() else 0.0


def _fine(plane: NDArray[float32]) -> NDArray[float32]:
    return np.asarray(plane - _blurred(plane, FINE), float32)


def _blurred(plane: NDArray[float32], deviation: float) -> NDArray[float32]:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), deviation), float32)


def _deviation(pixels: NDArray[float32], area: Hole) -> float:
    """Standard deviation within small windows, in levels, of the channel that varies most; its mean over the area."""
    if not area.any():
        return 0.0
    mean, square = _means(pixels, area)[0], _means(pixels**2, area)[0]
    return float(np.sqrt(np.maximum(square - mean**2, 0)).max(2)[area].mean())


def _means(pixels: NDArray[float32], area: Hole) -> tuple[NDArray[float32], NDArray[float32]]:
    """(h, w, 3): the mean over the pixels of the area in a window around each pixel; (h, w): how many those are."""
    window, weights = (2 * WINDOW + 1, 2 * WINDOW + 1), area.astype(float32)
    count = np.asarray(cv2.boxFilter(weights, -1, window, normalize=False), float32)
    sums = np.asarray(cv2.boxFilter(pixels * weights[..., None], -1, window, normalize=False), float32)
    return np.asarray(sums / np.maximum(count, float32(1e-3))[..., None], float32), count


def _distances(shape: Hole) -> NDArray[float32]:
    """Pixels to the nearest one outside the shape. The edge of the picture is no outside: nothing is known there."""
    return np.asarray(cv2.distanceTransform(shape.astype(uint8), cv2.DIST_L2, 3), float32)


def _widened(area: Hole, reach: int) -> Hole:
    return np.asarray(cv2.dilate(area.astype(uint8), _disc(reach)) > 0)


def _disc(radius: int) -> NDArray[uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), uint8)
