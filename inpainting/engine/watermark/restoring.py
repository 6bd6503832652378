"""The picture below its marks, and all that is known of them: the network's picture, or that computed from copies."""

import numpy as np
from numpy import float32
from numpy.typing import NDArray

from inpainting.engine.crops.boxes import parts
from inpainting.engine.interface import Detection, Hole, Picture
from inpainting.engine.watermark.components import Decision
from inpainting.engine.watermark.pyramid import Prediction
from inpainting.engine.watermark.tiled.search import TiledMark

COPIED = 0.85  # probability: of pixels that are taken for copies of a tiled mark so many are (held-out pictures)


def restore(picture: Picture, prediction: Prediction, tiled: TiledMark | None, decision: Decision) -> Detection:
    """The marks that were decided on, computed away; another mark may lie on what a tiled one leaves."""
    copies, mask = decision
    if tiled is None or copies is None:
        restored = merge(picture, prediction.below, mask)
        return detection(prediction.probability, prediction.opacity * mask, mask, restored)
    restored = merge(merge(picture, tiled.restored, copies), tiled.rest.below, mask)
    opacity = 1 - (1 - tiled.opacity * copies) * (1 - tiled.rest.opacity * mask)
    probability = np.maximum(prediction.probability, float32(COPIED) * copies)
    return detection(probability, opacity, mask | copies, restored)


def detection(probability: NDArray[float32], opacity: NDArray[float32], mask: Hole, restored: Picture) -> Detection:
    """With a box around each part of the mask, the surest first."""
    boxes = []
    for box in parts(mask) if mask.any() else []:
        score = round(float(probability[box.slices][mask[box.slices]].mean()), 3)
        boxes.append((box.left, box.top, box.width, box.height, score))
    boxes.sort(key=lambda box: (-box[4], box))
    return Detection(probability, opacity, mask, restored, mask, boxes)


def merge(picture: Picture, below: Picture, mask: Hole) -> Picture:
    """What is below where the mask is, the picture elsewhere: (H, W, 3), (H, W, 3), (H, W) -> (H, W, 3)."""
    return np.where(mask[..., None], below, picture)
