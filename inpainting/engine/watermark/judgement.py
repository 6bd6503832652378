"""What is made of what a network saw: which pixels are a watermark, and which of a user's mask lie around one."""

from dataclasses import dataclass

import numpy as np
from numpy import bool_, float32
from numpy.typing import NDArray
from torch import Tensor

from inpainting.engine.crops.regions import parts
from inpainting.engine.interface import Detection, Hole, Picture
from inpainting.engine.watermark.evidence import Evidence, MaskEvidence

REPAINTED = 0.75  # opacity: what is computed through more of it errs more than what is filled anew (measured)
VISIBLE = 0.02  # opacity: less is not seen
LIKELY, AGREES = 0.15, 0.25  # correlation of a tiled mark with what the network sees, and no longer sees without it
SEEN = 0.65  # the same with all that it sees, which has to tell of an opaque one
DENSER = 2.0  # than elsewhere: in a user's mask that was drawn around the copies of a mark, not around an object

Plane = NDArray[float32]  # 0..1


@dataclass(frozen=True)
class Thresholds:
    """What is chosen on pictures that training never saw, and kept with the weights. Probabilities, where not said."""

    extent: float  # a pixel above it may be part of a mark
    sure: float  # log odds: a part above them is one
    likely: float  # the same where a user says that the picture has a mark
    asked: float  # `extent` where a user says that something is to go
    evidence: Evidence
    masked: MaskEvidence


def detection(probability: NDArray[float32], opacity: NDArray[float32], mask: Hole, restored: Picture) -> Detection:
    """With a box around each part of the mask."""
    boxes = []
    for box in parts(mask) if mask.any() else []:
        score = round(float(probability[box.slices][mask[box.slices]].mean()), 3)
        boxes.append((box.left, box.top, box.width, box.height, score))
    boxes.sort(key=lambda box: (-box[4], box))
    return Detection(probability, opacity, mask, opacity > REPAINTED, restored, mask, boxes)


def agreement(opacity: NDArray[float32] | Tensor, probability: NDArray[float32] | Tensor) -> float:
    """Their correlation, -1..1; 0 where one of them is the same everywhere."""
    pairs = np.stack([np.ravel(opacity), np.ravel(probability)])
    return float(np.corrcoef(pairs)[0, 1]) if pairs.size and pairs.std(1).all() else 0.0


def is_tiled_mark(opacity: Plane, strength: float, seen: Plane, left: Plane) -> bool:
    """Whether what repeats is a mark: by what a network sees of it, and what it still sees with it computed away.

    What does not shine through may as well be windows, and computed away it leaves something to be seen. There the
    network has to see just what repeats.
    """
    return agreement(opacity, seen) > SEEN if strength > REPAINTED else agreement(opacity, seen - left) > AGREES


def around_copies(copies: Hole, hole: Hole) -> Hole:
    """The parts of a user's mask that hold more of the copies of a mark than the picture around them does."""
    elsewhere = float(copies[~hole].mean()) if not hole.all() else 0.0
    result = np.zeros_like(hole)
    for box in parts(hole) if hole.any() else []:
        inside = hole[box.slices]
        if copies[box.slices][inside].mean() > DENSER * elsewhere:
            result[box.slices] |= inside
    return result


def merge(picture: Picture, below: Picture, mask: NDArray[bool_]) -> Picture:
    """The restored picture: what is below where the mask is, the picture elsewhere."""
    return np.where(mask[..., None], below, picture)
