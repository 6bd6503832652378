"""What is taken off a picture: a mark by the repair that leaves less of a trace, everything else by repainting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inpainting import engine, masks, repair
from inpainting.engine import Detection
from inpainting.engine.crops.boxes import parts
from inpainting.engine.crops.paint import blend
from inpainting.images import Picture
from inpainting.masks import Weights
from inpainting.options import Mode, Options


@dataclass(frozen=True)
class Job:
    """A picture, and weights (H, W) of the same size with a hole, or None: find the watermark. `options` say how."""

    picture: Picture
    weights: Weights | None
    options: Options

    @classmethod
    def of(cls, picture: Picture, mask: Weights | None, options: Options) -> Job:
        """The user's mask is widened as `options` ask. Raises MaskCoversEverything."""
        return cls(picture, mask if mask is None else masks.grow(mask, options.grow), options)

    @property
    def mode(self) -> Mode:
        return self.options.mode_for(masked=self.weights is not None)


def remove(job: Job) -> tuple[NDArray[np.uint8], float, float]:
    """The picture (H, W, 3) without what was to be removed, the share of it, 0..1, that was worked on, and the seconds
    that the engine took.

    Share 0: there was nothing to do, and the picture is unchanged. Raises what the engine raises, and
    MaskCoversEverything where a found watermark leaves nothing to repaint it from.
    """
    rgb, weights, model = job.picture.rgb, job.weights, job.options.model
    if weights is not None and job.mode == "repaint":
        made = engine.inpaint(rgb, weights, model)
        return made.picture, masks.coverage(weights), made.seconds
    hole = None if weights is None else weights > 0
    found = engine.detect(rgb, hole, trusted=weights is None or job.mode == "restore", mend=job.mode != "repaint")
    seconds = found.seconds
    grow = job.options.grow if weights is None else 0  # a user's mask has grown already
    restorable, to_repaint = divided(found, weights, job.mode, grow)
    if restorable.any():
        restored = np.where(restorable[..., None], found.restored, rgb)
        if weights is not None:
            blend(restored, rgb, weights)
        rgb = restored
    if to_repaint.all():
        raise masks.MaskCoversEverything("Send a mask, or mode=restore.")
    if to_repaint.any():
        made = engine.inpaint(rgb, to_repaint, model)
        rgb, seconds = made.picture, seconds + made.seconds
    return rgb, masks.coverage(to_repaint + restorable), seconds


def divided(found: Detection, weights: Weights | None, mode: Mode, grow: int = 0) -> tuple[NDArray[np.bool_], Weights]:
    """What is restored, and the weights of what is repainted; the rest of the picture stays as it is.

    `auto` chooses for each mark the repair that leaves less of a trace. A part of a user's mask with a mark in it that
    is restored was drawn around that mark: what lies between its letters is the picture. Any other part is repainted.
    """
    hole = found.touched if weights is None else weights > 0
    if mode == "restore":
        return found.touched & hole, np.zeros(hole.shape, np.float32)
    restorable, shapes = np.zeros_like(hole), np.zeros(hole.shape, np.float32)
    for mark in repair.marks(found):
        if mode == "repaint" or repair.is_repainted(mark, found):
            shapes[mark.box.slices] = np.maximum(shapes[mark.box.slices], mark.shape)
        else:
            restorable[mark.box.slices] |= mark.touched
    shapes = masks.widened(shapes, grow)
    restorable &= shapes == 0
    if weights is None:
        return restorable, shapes
    around = np.zeros_like(hole)
    for box in parts(hole) if restorable.any() else []:
        if restorable[box.slices].any():
            around[box.slices] |= hole[box.slices]
    return restorable & hole, weights * np.where(around, shapes, 1)
