"""Marks that are sure only where the picture is smaller: larger ones than the network was trained on.

They are found in the predictions of coarser scales, and looked at once more around there at full size.
"""

from collections.abc import Callable, Iterable

import cv2
import numpy as np
from numpy import uint8

from inpainting.engine.interface import Hole, Trust
from inpainting.engine.watermark.components import Decision, Mark, Thresholds, decide, judged, together
from inpainting.engine.watermark.pyramid import Prediction

SMALLEST = 96  # pixels: the shorter side of the smallest picture in which marks are looked for
AROUND = 8  # pixels of the smaller picture: ends of a mark may not have been seen

Look = Callable[[Hole], Prediction]  # at the whole picture, with a hint where to


def decide_smaller(
    smaller: Iterable[Prediction], shape: tuple[int, int], look: Look, trust: Trust, limits: Thresholds
) -> tuple[Prediction, Decision] | None:
    """What is marked of a picture (H, W), and seen of it, by its `smaller` predictions, the finest first.

    The first in which something is marked counts, if that is seen at full size as well. None: nothing is.
    """
    for prediction in smaller:
        if min(prediction.probability.shape) < SMALLEST:
            break
        marks, _ = judged(prediction, limits, trust)
        if marks:
            hint = _around(marks, prediction.probability.shape, shape)
            seen = look(hint)
            decision = decide(seen, None, hint, "all", limits)
            sure = [mark._replace(confidence=marks[0].confidence) for mark in decision.marks]
            return (seen, decision._replace(marks=sure)) if sure else None
    return None


def _around(marks: list[Mark], smaller: tuple[int, ...], shape: tuple[int, int]) -> Hole:
    """(H, W) of `shape`: marks of a smaller picture, somewhat wider."""
    hint = together(marks, smaller).astype(uint8)
    wider = cv2.dilate(hint, np.ones((2 * AROUND + 1, 2 * AROUND + 1), uint8))
    return cv2.resize(wider, shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
