"""A picture filled crop by crop as planned, and blended into what it was."""

from collections.abc import Callable

import numpy as np

from inpainting.engine.crops.plan import Limits, Region, plan
from inpainting.engine.crops.resize import enlarge, shrink
from inpainting.engine.interface import Hole, Picture, Weights

STRIP = 1 << 20  # pixels blended at a time, so that a big picture is never held as floats

# (picture, hole) -> picture, of one size; only what it returns inside the hole is used. The contract is
# `Inpainter.fill`'s.
Fill = Callable[[Picture, Hole], Picture]


def paint(picture: Picture, weights: Weights, fill: Fill, limits: Limits) -> Picture:
    """original + weight * (filled - original), rounded; a new array. (H, W, 3) uint8 and (H, W) in 0..1, one of them 0.

    Pixels of weight 0 come back exactly.
    """
    filled, hole = picture.copy(), weights > 0
    for region in plan(hole, limits):
        _fill_region(filled, hole, region, fill)
    blend(filled, picture, weights)
    return filled


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
