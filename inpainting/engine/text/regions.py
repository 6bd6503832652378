"""Regions of lettering as pixels."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy import bool_, uint8

from inpainting.engine.interface import Hole, TextRegion


def filled(regions: Sequence[TextRegion], height: int, width: int) -> Hole:
    """(H, W), True inside of the regions and on their outlines."""
    mask = np.zeros((height, width), uint8)
    for region in regions:
        cv2.fillPoly(mask, [np.array(region.polygon, np.int32)], (1,))
    return mask.astype(bool_)
