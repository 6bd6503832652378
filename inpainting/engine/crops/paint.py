"""A picture filled crop by crop as planned, and blended into what it was."""

from collections.abc import Callable

import numpy as np

from inpainting.engine.crops.boxes import Box
from inpainting.engine.crops.plan import Limits, Region, plan
from inpainting.engine.crops.resize import enlarge, shrink
from inpainting.engine.interface import BlendMask, Hole, Picture

STRIP = 1 << 20  # pixels blended at a time, so that a big picture is never held as floats

# (picture, hole) -> picture, of one size; only what it returns inside the hole is used. The contract is
# `Inpainter.fill`'s.
Fill = Callable[[Picture, Hole], Picture]


def paint(
    picture: Picture,
    blend_mask: BlendMask,
    fill: Fill,
    limits: Limits,
    between: Callable[[], None] = lambda: None,
) -> Picture:
    """original + blend mask / 255 * (filled - original), rounded: (H, W, 3), (H, W), both uint8 -> a new array.

    Pixels of 0, of which there is one at least, come back exactly. `between` is called before each crop.
    """
    regions = plan(blend_mask > 0, limits)  # the hole goes before the copy comes: a big picture's takes 16 MiB
    filled, done = picture.copy(), list[Box]()
    for region in regions:
        between()
        _fill_region(filled, _inside(blend_mask, region.crop, done), region, fill)
        done += region.holes
    blend(filled, picture, blend_mask)
    return filled


def _inside(blend_mask: BlendMask, crop: Box, done: list[Box]) -> Hole:
    """What of the hole is in the crop and not filled yet."""
    inside = blend_mask[crop.slices] > 0
    for box in done:
        top, left, bottom, right = (max(0, side) for side in box.moved(-crop.top, -crop.left))
        inside[top:bottom, left:right] = False
    return inside


def _fill_region(filled: Picture, inside: Hole, region: Region, fill: Fill) -> None:
    """Fill one region of `filled` in place; `inside`: the hole in its crop."""
    picture = filled[region.crop.slices]
    holes = [(box, inside[box.moved(-region.crop.top, -region.crop.left).slices]) for box in region.holes]
    if not any(hole.any() for _, hole in holes):
        return
    if region.scale == 1:
        made = fill(np.ascontiguousarray(picture), inside)
    else:
        made = enlarge(fill(*shrink(picture, inside, region.scale)), region.scale, inside.shape)
    for box, hole in holes:
        part = made[box.moved(-region.crop.top, -region.crop.left).slices]
        np.copyto(filled[box.slices], part, where=hole[..., None])


def blend(filled: Picture, original: Picture, blend_mask: BlendMask) -> None:
    """filled = original + blend mask / 255 * (filled - original), in place, by strips. 0 and 255 need nothing."""
    rows = max(1, STRIP // blend_mask.shape[1])
    for top in range(0, len(blend_mask), rows):
        strip = slice(top, top + rows)
        chosen = (blend_mask[strip] > 0) & (blend_mask[strip] < 255)
        if chosen.any():
            before, after = original[strip][chosen].astype(np.float32), filled[strip][chosen]
            weights = blend_mask[strip][chosen][:, None] / np.float32(255)
            filled[strip][chosen] = np.rint(before + weights * (after - before))
