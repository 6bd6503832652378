"""Pictures with transparent pixels: a hole is filled in opacity first, and in colour where anything is to be seen.

A transparent pixel still has a colour in the file, often that of a background somebody has cut away. No model is shown
it: where a picture is transparent, models see what the opaque pixels around it suggest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import cv2
import numpy as np
from numpy import float32, uint8
from numpy.typing import NDArray

from inpainting import engine
from inpainting.engine.crops.boxes import Box, parts
from inpainting.engine.crops.paint import strips
from inpainting.engine.inpainters.smooth.outlines import outline
from inpainting.engine.inpainters.smooth.push_pull import push_pull
from inpainting.engine.interface import BlendMask, Hole, Inpainted, Sampling
from inpainting.images import Picture
from inpainting.masks import WHITE

Fill = Callable[[NDArray[uint8], BlendMask], Inpainted]
Alpha = NDArray[uint8]  # (H, W), 0 transparent to 255 opaque

FAINT = 16  # alpha: below it a colour is of so few levels that it is not believed
CLEAR = 4  # levels: filled opacity that is as near to none or to full is that; networks are never so exact
AROUND = 192  # pixels around a hole that can matter: more than any model's context
BESIDE = 24  # pixels: what is faint so near a hole is filled along with it, so that what fits goes on up to the edge
SHARP = 0.2  # share of what is around a part of a hole that may be half transparent where edges are sharp
LARGEST = 1 << 22  # pixels around parts of a hole in which outlines go on; it takes memory and time outside any turn
STRIP = 1 << 18  # pixels mixed at a time, so that a big picture is never held as floats
RIM = 5  # pixels: side of the square by which a part of a hole is widened to see what is around it
GROUND = 128  # level of grey on which marks are looked for: light and dark ones stand out from it


def is_cutout(picture: Picture) -> bool:
    return picture.alpha is not None and int(picture.alpha.min()) < 255


def shown(picture: Picture) -> NDArray[uint8]:
    """(H, W, 3): what a detector is to look at. Of an opaque picture its own colours, a cut-out is laid on grey."""
    if picture.alpha is None or not is_cutout(picture):
        return picture.rgb
    opacity = picture.alpha[..., None].astype(float32) / 255
    laid: NDArray[uint8] = np.rint(GROUND + opacity * (picture.rgb - float32(GROUND))).astype(uint8)
    return laid


def inpaint(
    picture: Picture, blend_mask: BlendMask, model: str | None, sampling: Sampling | None = None
) -> tuple[Picture, float]:
    """The picture with its hole filled, in colour and in opacity, and the seconds that models took.

    Pixels of 0 come back exactly in all four channels; between 0 and 1 both are mixed by how much is to be seen of
    each. Raises what `engine.inpaint` raises.
    """
    if picture.alpha is None or not is_cutout(picture):
        made = engine.inpaint(picture.rgb, blend_mask, model, sampling)
        return replace(picture, rgb=made.picture), made.seconds
    boxes, seconds = _surroundings(blend_mask > 0), 0.0
    rgb, alpha = picture.rgb.copy(), picture.alpha.copy()
    for box in boxes:
        seconds += _fill(rgb[box.slices], alpha[box.slices], blend_mask[box.slices], model, sampling)
    return replace(picture, rgb=rgb, alpha=alpha), seconds


def _surroundings(hole: Hole) -> list[Box]:
    """Boxes around the parts of a hole with all that can matter for them; none overlaps another."""
    boxes: list[Box] = []
    for part in parts(hole):
        box = part.widened(AROUND, *hole.shape)
        while near := [other for other in boxes if box.meets(other)]:
            boxes = [other for other in boxes if other not in near]
            box = Box.around((box, *near))
        boxes.append(box)
    return boxes


def _fill(
    rgb: NDArray[uint8], alpha: Alpha, blend_mask: BlendMask, model: str | None, sampling: Sampling | None
) -> float:
    """Fills in place; the seconds that models took."""
    hole = blend_mask > 0
    opacity, seconds = _opacity(alpha, hole, engine.plain_model(model))
    colour, more = _colour(rgb, alpha, hole, opacity, partial(engine.inpaint, model=model, sampling=sampling))
    for strip in strips(hole.shape, STRIP):
        inside = hole[strip]
        weights = np.divide(blend_mask[strip][inside], 255, dtype=float32)
        old, new = ((one[strip][inside], level[strip][inside]) for one, level in ((rgb, alpha), (colour, opacity)))
        rgb[strip][inside], alpha[strip][inside] = _mixed(old, new, weights)
    return seconds + more


def _opacity(alpha: Alpha, hole: Hole, model: str) -> tuple[Alpha, float]:
    """(H, W): the hole filled, each part by what is around it.

    One and the same opacity goes on. Where a sharp edge runs into the part, its outline goes on; a model fills the
    others, which shadows and soft edges run into: one that goes on, and invents no opacity.
    """
    wide = cv2.dilate(hole.astype(uint8), np.ones((RIM, RIM), uint8))
    count, labels = cv2.connectedComponents(wide)
    rim = (wide > 0) & ~hole
    around, level = labels[rim].astype(np.intp), alpha[rim]
    low, high = np.full(count, 255, uint8), np.zeros(count, uint8)
    np.minimum.at(low, around, level)
    np.maximum.at(high, around, level)
    between = np.bincount(around, (level > FAINT) & (level < 255 - FAINT), count)
    sharp = (low <= FAINT) & (high >= 255 - FAINT) & (between <= SHARP * np.bincount(around, minlength=count))
    sharp &= hole.size <= LARGEST
    filled = np.where(hole, low[labels], alpha)
    edged, soft = hole & sharp[labels], hole & (~sharp & (low < high))[labels]
    if edged.any():
        filled[edged] = outline(alpha >= 128, hole)[edged]
    if not soft.any():
        return filled, 0.0
    made = engine.inpaint(np.repeat(filled[..., None], 3, axis=2), soft * WHITE, model)
    for strip in strips(soft.shape, STRIP):
        level = made.picture[strip][soft[strip]].mean(axis=1)
        filled[strip][soft[strip]] = np.rint(np.where(level <= CLEAR, 0, np.where(level >= 255 - CLEAR, 255, level)))
    return filled, made.seconds


def _colour(rgb: NDArray[uint8], alpha: Alpha, hole: Hole, opacity: Alpha, fill: Fill) -> tuple[NDArray[uint8], float]:
    """(H, W, 3): what is true inside the hole; nothing of it is the hole's own colours, or those of faint pixels."""
    strongest = int(alpha[~hole].max(initial=0))
    if strongest == 0:
        return np.zeros_like(rgb), 0.0
    faint = alpha < min(FAINT, strongest)
    ground = push_pull(rgb, hole | faint)
    to_fill = hole & (opacity > 0)
    if not to_fill.any():
        return ground, 0.0
    beside = cv2.dilate(to_fill.astype(uint8), np.ones((2 * BESIDE + 1, 2 * BESIDE + 1), uint8)) > 0
    made = fill(ground, (to_fill | (faint & beside)) * WHITE)
    return made.picture, made.seconds


def _mixed(
    old: tuple[NDArray[uint8], Alpha], new: tuple[NDArray[uint8], Alpha], weights: NDArray[float32]
) -> tuple[NDArray[uint8], Alpha]:
    """Pixels (N, 3) and alpha (N): colours count by weight and opacity, as in premultiplied blending (Porter and Duff,
    "Compositing Digital Images", SIGGRAPH 1984), so that what was transparent leaves no colour behind."""
    before, after = (1 - weights) * old[1], weights * new[1]
    alpha = before + after
    share = np.divide(after, alpha, out=np.ones_like(alpha), where=alpha > 0)[:, None]
    rgb = old[0] + share * (new[0].astype(float32) - old[0])
    return np.rint(rgb).astype(uint8), np.rint(alpha).astype(uint8)
