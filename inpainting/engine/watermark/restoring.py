"""The picture below its marks, and all that is known of them: the network's picture, or that computed from copies."""

import numpy as np
from numpy import float32

from inpainting.engine.crops.boxes import parts
from inpainting.engine.interface import Detection, Found, Hole, Picture
from inpainting.engine.watermark.components import Decision, Mark, together
from inpainting.engine.watermark.pyramid import Prediction
from inpainting.engine.watermark.tiled.search import TiledMark

COPIED = 0.85  # probability: of pixels that are taken for copies of a tiled mark so many are (held-out pictures)


def restore(picture: Picture, prediction: Prediction, tiled: TiledMark | None, decision: Decision) -> Detection:
    """The marks that were decided on, computed away; another mark may lie on what a tiled one leaves."""
    copies, mask = decision.copies, together(decision.marks, picture.shape[:2])
    if tiled is None or copies is None:
        probability, opacity = prediction.probability, prediction.opacity * mask
        restored, repeated = merge(picture, prediction.below, mask), []
    else:
        restored = merge(merge(picture, tiled.restored, copies), tiled.rest.below, mask)
        opacity = 1 - (1 - tiled.opacity * copies) * (1 - tiled.rest.opacity * mask)
        probability = np.maximum(prediction.probability, float32(COPIED) * copies)
        mask = mask | copies
        repeated = [Mark(box, copies[box.slices], COPIED) for box in (parts(copies) if copies.any() else [])]
    boxes = [found(mark) for mark in sorted([*decision.marks, *repeated], key=lambda one: -one.confidence)]
    proposals = [found(one) for one in decision.proposals]
    return Detection(probability, opacity, mask, restored, mask, boxes, proposals, copies)


def found(mark: Mark) -> Found:
    return Found(mark.box.left, mark.box.top, mark.box.width, mark.box.height, round(mark.confidence, 3))


def merge(picture: Picture, below: Picture, mask: Hole) -> Picture:
    """What is below where the mask is, the picture elsewhere: (H, W, 3), (H, W, 3), (H, W) -> (H, W, 3)."""
    return np.where(mask[..., None], below, picture)
